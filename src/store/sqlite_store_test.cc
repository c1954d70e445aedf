#include "store/sqlite_store.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "store/lock_holder.h"
#include "store/network_disk.h"
#include "store/store_fixture.h"

namespace headrace::store {
namespace {

using SqliteStoreTest = StoreTest;

TEST_F(SqliteStoreTest, OpensWhatThereIs) {
  options_.create = false;
  const auto missing = OpenSqliteStore(options_);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(Render(missing.error()), fmt::format("error[no_store]: there is no store {}/store.db "
                                                 "yet\n  hint: 'headrace run' makes it",
                                                 options_.folder));
  options_.create = true;
  OpenStore();
  options_.create = false;
  store_ = OpenStore();
  EXPECT_TRUE(Must(store_->CheckIntegrity()).empty());
}

TEST_F(SqliteStoreTest, ADamagedFileIsNamed) {
  Begin();
  lease_.reset();
  store_.reset();
  const std::string path = options_.folder + "/store.db";
  std::string bytes = Must(RealFileSystem().Read(path));
  Must(RealFileSystem().Write(path, "not a database at all " + bytes));
  const auto store = OpenSqliteStore(options_);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(Render(store.error()),
            fmt::format("error[store_corrupt]: the store {0} is damaged: file is not a database\n"
                        "  hint: copy {0}, {0}-wal and {0}-shm to a safe place and put back a "
                        "backup of all three; or try 'sqlite3 {0} .recover'; or move them away and "
                        "run again: everything is built anew, but what actions have sent and which "
                        "model is champion is forgotten",
                        path));
  // The header is fine, the pages behind it are not.
  bytes.replace(4096, bytes.size() - 4096, bytes.size() - 4096, '\x7f');
  Must(RealFileSystem().Write(path, bytes));
  const auto damaged = OpenSqliteStore(options_);
  if (damaged.ok()) {
    EXPECT_EQ(CodeOf((*damaged)->ReadState("dev")), "store_corrupt");
  } else {
    EXPECT_EQ(CodeOf(damaged), "store_corrupt");
  }
}

TEST_F(SqliteStoreTest, AnEmptyFileBesideTablesIsDamage) {
  Begin();
  lease_.reset();
  store_.reset();
  for (const char* end : {"-wal", "-shm"}) {
    (void)RealFileSystem().Remove(options_.folder + "/store.db" + end).ok();
  }
  Must(RealFileSystem().Write(options_.folder + "/store.db", ""));
  EXPECT_TRUE(OpenSqliteStore(options_).ok());  // what a run killed at its very start leaves
  Must(RealFileSystem().Write(options_.folder + "/store.db", ""));
  Must(RealFileSystem().CreateDirectories(options_.folder + "/dev/tables/t"));
  EXPECT_EQ(CodeOf(OpenSqliteStore(options_)), "store_corrupt");
}

TEST_F(SqliteStoreTest, ATruncatedFileIsNamed) {
  Begin();
  lease_.reset();
  store_.reset();
  const std::string path = options_.folder + "/store.db";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  const auto store = OpenSqliteStore(options_);
  const std::string code = store.ok() ? CodeOf((*store)->CheckIntegrity()) : CodeOf(store);
  const bool found = store.ok() && code.empty() && !Must((*store)->CheckIntegrity()).empty();
  EXPECT_TRUE(found || code == "store_corrupt") << code;
}

TEST_F(SqliteStoreTest, ABusyStoreSaysWhoHoldsIt) {
  options_.busy_timeout_micros = 1000;
  store_ = OpenStore();
  auto other = Must(SqliteStore::Open(options_, Migrations()));
  Must(other->Write([&](Connection&) -> Status {
    const auto lease = store_->AcquireLease("dev", "run1", LeaseOptions());
    EXPECT_EQ(CodeOf(lease), "store_busy");
    const auto holder = FindWriteLockHolder(options_.folder + "/store.db");
    if (holder) {
      EXPECT_EQ(holder->pid, getpid());
      EXPECT_FALSE(holder->stopped);
      EXPECT_NE(lease.error().message.find(fmt::format("process {} (", getpid())),
                std::string::npos)
          << lease.error().message;
    }
    return Ok();
  }));
  EXPECT_FALSE(FindWriteLockHolder(options_.folder + "/store.db"));
  Begin();
}

TEST_F(SqliteStoreTest, NetworkDisksAreKnown) {
  EXPECT_EQ(NetworkFileSystemName(0x6969, ""), "NFS");
  EXPECT_EQ(NetworkFileSystemName(0xFF534D42, ""), "CIFS");
  EXPECT_EQ(NetworkFileSystemName(static_cast<int32_t>(0xFF534D42), ""), "CIFS");
  EXPECT_EQ(NetworkFileSystemName(0x65735546, "fuse.sshfs"), "fuse.sshfs");
  EXPECT_EQ(NetworkFileSystemName(0x65735546, "fuse.fuse-overlayfs"), "");
  EXPECT_EQ(NetworkFileSystemName(0xEF53, ""), "");  // ext4
  ASSERT_OK(RefuseNetworkDisk(root_));
  EXPECT_EQ(CodeOf(RefuseNetworkDisk(root_ + "/missing")), "not_found");
}

TEST_F(SqliteStoreTest, AKilledTransactionLeavesNothing) {
  Begin();
  ASSERT_OK(store_->CommitNode(claim(), Commit("a", "b1")));
  lease_.reset();
  store_.reset();
  const pid_t child = fork();
  if (child == 0) {
    Begin("run2");
    auto raw = Must(SqliteStore::Open(options_, Migrations()));
    (void)raw->Write([&](Connection& connection) -> Status {
      Must(connection.Run("UPDATE states SET fingerprint = 'half'"));
      kill(getpid(), SIGKILL);
      return Ok();
    });
  }
  waitpid(child, nullptr, 0);
  store_ = OpenStore();
  EXPECT_EQ(Must(store_->ReadNode("dev", "a"))->fingerprint, "fp-b1");
  EXPECT_TRUE(Must(store_->CheckIntegrity()).empty());
}

TEST_F(SqliteStoreTest, ThreadsShareIt) {
  options_.beat_micros = 500;
  Begin();
  ASSERT_OK(store_->CommitNode(claim(), Commit("node0", "b0")));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      const std::string node = "node" + std::to_string(t);
      for (int i = 1; i <= 20; ++i) {
        const std::string build = "b" + std::to_string(i);
        Must(store_->CommitNode(claim(), Commit(node, build)));
        const std::vector<BuildRef> builds = {{node, build}};
        const auto pin = Must(store_->PinBuilds("dev", "reader", builds));
        const std::optional<NodeState> state = Must(store_->ReadNode("dev", node));
        EXPECT_EQ(state->snapshot->build, build);
        EXPECT_GE(Must(store_->ReadState("dev")).size(), 1u);
        Must(store_->UnreferencedBuilds("dev", {0, 0}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Must(store_->ReadState("dev")).size(), 4u);
  EXPECT_EQ(Must(store_->KnownBuilds("dev")).size(), 81u);
}

}  // namespace
}  // namespace headrace::store
