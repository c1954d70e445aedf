#pragma once
// For tests: a project in a temporary folder that is linted and run as a whole.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "components/builtins.h"
#include "config/sample.h"
#include "data/instances.h"
#include "pipeline/project.h"
#include "pipeline/run.h"
#include "telemetry/event.h"
#include "telemetry/progress.h"

namespace headrace::components {

/// One process's worth of engine around a project's folder. The clock stands far behind the files,
/// so that they count as settled; see clock_.
class ProjectTest : public testing::Test {
 protected:
  void SetUp() override {
    const bool memory = std::filesystem::is_directory("/dev/shm");
    std::string pattern =
        (memory ? std::string("/dev/shm") : std::filesystem::temp_directory_path().string()) +
        "/hr-project-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    RegisterBuiltins(registry_);
    Write("headrace.yml", "project: test\n");
    store::StoreOptions options;
    options.folder = root_ + "/.headrace";
    options.project = "test";
    options.clock = &clock_;
    options.beat_micros = 0;
    auto store = store::OpenSqliteStore(options);
    ASSERT_TRUE(store.ok()) << Render(store.error());
    store_ = std::move(*store);
    instances_ = std::make_unique<data::Instances>(
        budget_, data::InstancesOptions{256 << 20, root_ + "/spill", {root_ + "/warehouse"}});
  }

  void TearDown() override {
    instances_.reset();
    store_.reset();
    std::filesystem::remove_all(root_);
  }

  /// Whose tables Rows and Types read.
  std::string State() const { return sample_ > 0 ? config::SampleState("dev", sample_) : "dev"; }

  std::string Path(const std::string& name) const { return root_ + "/" + name; }

  void Write(const std::string& name, std::string_view content) {
    std::filesystem::create_directories(std::filesystem::path(Path(name)).parent_path());
    std::ofstream(Path(name), std::ios::binary) << content;
  }
  void Append(const std::string& name, std::string_view content) {
    std::ofstream(Path(name), std::ios::binary | std::ios::app) << content;
  }

  /// Reads and lints the project; texts of all faults, one behind the other.
  std::string Load() {
    diagnostics_ = Diagnostics();
    pipeline::ProjectOptions options;
    options.root = root_;
    options.registry = &registry_;
    options.fs = &RealFileSystem();
    options.redactor = &redactor_;
    options.sample = sample_;
    project_ = pipeline::Project::Load(options, diagnostics_);
    std::string text;
    for (const Error& error : diagnostics_.all()) text += Render(error) + "\n";
    return text;
  }

  /// Loads and runs everything. Faults of the project fail the test.
  void Run(bool full = false) { Run(pipeline::DecideOptions{full, {}, {}}); }
  void Run(const pipeline::DecideOptions& decide) {
    const std::string faults = Load();
    ASSERT_FALSE(diagnostics_.HasErrors()) << faults;
    telemetry::NullSink sink;
    telemetry::Progress progress(clock_);
    pipeline::RunServices services;
    services.store = store_.get();
    services.fs = &RealFileSystem();
    services.clock = &clock_;
    services.budget = &budget_;
    services.instances = instances_.get();
    services.events = &sink;
    services.progress = &progress;
    services.redactor = &redactor_;
    services.warehouse = root_ + "/warehouse";
    services.state_folder = root_ + "/.headrace";
    pipeline::RunOptions options;
    options.decide = decide;
    clock_.Advance(60'000'000);
    auto report = pipeline::Run(*project_, services, options);
    ASSERT_TRUE(report.ok()) << Render(report.error());
    report_ = std::move(*report);
  }

  const pipeline::NodeResult& Result(const std::string& node) const {
    for (const auto& result : report_.nodes) {
      if (result.node == node) return result;
    }
    ADD_FAILURE() << "no result of " << node;
    static const pipeline::NodeResult none;
    return none;
  }

  /// The text of the node's error, "" when it went well.
  std::string ErrorOf(const std::string& node) const {
    const auto& result = Result(node);
    return result.error ? Render(*result.error) : "";
  }
  std::string NotesOf(const std::string& node) const {
    std::string text;
    for (const Error& note : Result(node).notes) text += Render(note) + "\n";
    return text;
  }

  /// Rows of the node's current snapshot: "a=1, b=x" a line, in the order of `order`.
  std::string Rows(const std::string& node, const std::string& order = "ALL") {
    auto state = store_->ReadNode(State(), node);
    if (!state.ok() || !*state || !(*state)->snapshot) return "no snapshot";
    auto record = store_->ReadSnapshot(State(), {node, (*state)->snapshot->build});
    if (!record.ok()) return Render(record.error());
    auto manifest = ParseSnapshot(record->manifest);
    if (!manifest.ok()) return Render(manifest.error());
    auto instance = instances_->Open();
    auto connection = (*instance)->Connect();
    auto rows = connection->Query("SELECT * FROM (" +
                                  data::ReadSnapshotSql(root_ + "/warehouse", *manifest) +
                                  ") ORDER BY " + order);
    if (!rows.ok()) return Render(rows.error());
    std::string text;
    for (const auto& row : rows->rows) {
      std::string line;
      for (size_t n = 0; n < row.size(); ++n) {
        line += (line.empty() ? "" : ", ") + rows->schema.columns[n].name + "=" + row[n].Text();
      }
      text += line + "\n";
    }
    return text;
  }
  /// "a BIGINT, b VARCHAR".
  std::string Types(const std::string& node) {
    auto state = store_->ReadNode(State(), node);
    if (!state.ok() || !*state || !(*state)->snapshot) return "no snapshot";
    return TypesOf((*state)->snapshot->schema);
  }
  /// Files of the node's current snapshot.
  int64_t FileCount(const std::string& node);

  static headrace::Result<data::Snapshot> ParseSnapshot(const std::string& manifest);
  static std::string TypesOf(const std::string& schema_json);

  int64_t sample_ = 0;  ///< of Load: millionths of the sources' rows; 0 = all
  std::string root_;
  ManualClock clock_{4'000'000'000'000'000};  // 2096: the files are old
  Budget budget_{1LL << 30, 2};
  Redactor redactor_;
  pipeline::Registry registry_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<data::Instances> instances_;
  Diagnostics diagnostics_;
  std::unique_ptr<pipeline::Project> project_;
  pipeline::RunReport report_;
};

}  // namespace headrace::components
