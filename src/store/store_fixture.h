#pragma once
// For tests: a store in a temporary folder, with short ways to commit.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/store.h"

namespace headrace::store {

#define ASSERT_OK(expression)                                             \
  do {                                                                    \
    const auto& ok_result = (expression);                                 \
    ASSERT_TRUE(ok_result.ok()) << ::headrace::Render(ok_result.error()); \
  } while (false)

/// Code of the error, "" when there is none.
template <class T>
std::string CodeOf(const Result<T>& result) {
  return result.ok() ? std::string() : result.error().code;
}

/// The value; ends the test program with the error's text when there is none.
template <class T>
T Must(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", Render(result.error()).c_str());
    std::abort();
  }
  return std::move(result).value();
}
inline void Must(Status status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", Render(status.error()).c_str());
    std::abort();
  }
}

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    // In memory where there is such a disk: a commit waits for the disk otherwise.
    const bool memory = std::filesystem::is_directory("/dev/shm");
    const std::string parent = memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string pattern = parent + "/hr-store-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    options_.folder = root_ + "/.headrace";
    options_.project = "churn";
    options_.clock = &clock_;
    options_.redactor = &redactor_;
    options_.beat_micros = 0;
  }

  void TearDown() override {
    lease_.reset();
    store_.reset();
    std::filesystem::remove_all(root_);
  }

  std::unique_ptr<Store> OpenStore() const { return Must(OpenSqliteStore(options_)); }

  /// Opens store_, takes lease_ on "dev" for `run` and begins the run.
  void Begin(const std::string& run = "run1") {
    if (store_ == nullptr) store_ = OpenStore();
    lease_.reset();
    lease_ = Must(store_->AcquireLease("dev", run, LeaseOptions()));
    RunRecord record;
    record.id = run;
    record.command = "run";
    record.params = "{}";
    Must(store_->BeginRun(claim(), record));
  }

  const Claim& claim() const { return lease_->claim(); }

  static NodeCommit Commit(const std::string& node, const std::string& build,
                           const std::string& run = "run1") {
    NodeCommit commit;
    commit.node = node;
    commit.kind = "sql";
    commit.run = run;
    commit.action = "build";
    commit.fingerprint = "fp-" + build;
    commit.definition = "{\"sql\":\"" + build + "\"}";
    if (!build.empty()) commit.snapshot = Snapshot(build);
    return commit;
  }

  static SnapshotRecord Snapshot(const std::string& build) {
    SnapshotRecord snapshot;
    snapshot.id = "id-" + build;
    snapshot.build = build;
    snapshot.schema = "[]";
    snapshot.files = "[\"part-0.parquet\"]";
    snapshot.rows = 10;
    snapshot.bytes = 1000;
    snapshot.profile = "{\"p\":1}";
    snapshot.manifest = "{\"m\":1}";
    return snapshot;
  }

  std::string root_;
  ManualClock clock_{1'767'225'600'000'000};  // 2026-01-01T00:00:00Z
  Redactor redactor_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Lease> lease_;
};

}  // namespace headrace::store
