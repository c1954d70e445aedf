// Lets every single write, sync and truncation of SQLite fail, one after the other, through a VFS
// that wraps the usual one: whatever fails, the call says so, and the store holds each finished
// call as a whole and no unfinished one in part.
#include <sqlite3.h>

#include <cstring>

#include "store/store_fixture.h"

namespace headrace::store {
namespace {

struct Plan {
  int fail_at = 0;  // 1-based; 0 = never
  bool sticky = false;
  bool full = false;  // no space, else an I/O error
  int operations = 0;

  int Next(int io_error) {
    ++operations;
    const bool fails = fail_at != 0 && (sticky ? operations >= fail_at : operations == fail_at);
    if (!fails) return SQLITE_OK;
    return full ? SQLITE_FULL : io_error;
  }
};

Plan plan;  // NOLINT: a VFS is known to the whole process

struct FaultFile {
  sqlite3_file base;
  sqlite3_file* real;  // behind this struct in memory
};

sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file)->real; }

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (const int fault = plan.Next(SQLITE_IOERR_WRITE)) {
    // A full disk takes a part of it.
    Real(file)->pMethods->xWrite(Real(file), bytes, size / 2, offset);
    return fault;
  }
  return Real(file)->pMethods->xWrite(Real(file), bytes, size, offset);
}

int Sync(sqlite3_file* file, int flags) {
  if (const int fault = plan.Next(SQLITE_IOERR_FSYNC)) return fault;
  return Real(file)->pMethods->xSync(Real(file), flags);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int fault = plan.Next(SQLITE_IOERR_TRUNCATE)) return fault;
  return Real(file)->pMethods->xTruncate(Real(file), size);
}

const sqlite3_io_methods kMethods = {
    2,  // without memory mapping
    [](sqlite3_file* f) { return Real(f)->pMethods->xClose(Real(f)); },
    [](sqlite3_file* f, void* bytes, int size, sqlite3_int64 offset) {
      return Real(f)->pMethods->xRead(Real(f), bytes, size, offset);
    },
    Write,
    Truncate,
    Sync,
    [](sqlite3_file* f, sqlite3_int64* size) {
      return Real(f)->pMethods->xFileSize(Real(f), size);
    },
    [](sqlite3_file* f, int level) { return Real(f)->pMethods->xLock(Real(f), level); },
    [](sqlite3_file* f, int level) { return Real(f)->pMethods->xUnlock(Real(f), level); },
    [](sqlite3_file* f, int* out) { return Real(f)->pMethods->xCheckReservedLock(Real(f), out); },
    [](sqlite3_file* f, int op, void* argument) {
      return Real(f)->pMethods->xFileControl(Real(f), op, argument);
    },
    [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
    [](sqlite3_file* f) { return Real(f)->pMethods->xDeviceCharacteristics(Real(f)); },
    [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out);
    },
    [](sqlite3_file* f, int offset, int n, int flags) {
      return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags);
    },
    [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); },
    [](sqlite3_file* f, int unmap) { return Real(f)->pMethods->xShmUnmap(Real(f), unmap); },
    nullptr,
    nullptr,
};

sqlite3_vfs* Usual() { return sqlite3_vfs_find(nullptr); }

int OpenFile(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  auto* fault = reinterpret_cast<FaultFile*>(file);
  fault->real = reinterpret_cast<sqlite3_file*>(fault + 1);
  fault->base.pMethods = nullptr;
  const int code = Usual()->xOpen(Usual(), name, fault->real, flags, out);
  if (code == SQLITE_OK) fault->base.pMethods = &kMethods;
  return code;
}

/// The usual VFS with other files, known as "faults" while it lives.
class FaultVfs {
 public:
  FaultVfs() : vfs_(*Usual()) {
    vfs_.zName = "faults";
    vfs_.szOsFile = static_cast<int>(sizeof(FaultFile)) + Usual()->szOsFile;
    vfs_.xOpen = OpenFile;
    sqlite3_vfs_register(&vfs_, 0);
  }
  ~FaultVfs() { sqlite3_vfs_unregister(&vfs_); }

 private:
  sqlite3_vfs vfs_;
};

class StoreFaultsTest : public StoreTest {
 protected:
  /// What a run does; `done` counts the calls that went well.
  Status Work(int* done) {
    HR_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(options_));
    ++*done;
    LeaseOptions lease_options;
    HR_ASSIGN(const std::unique_ptr<Lease> lease,
              store->AcquireLease("dev", "run1", lease_options));
    RunRecord run;
    run.id = "run" + std::to_string(lease->claim().epoch);
    HR_TRY(store->BeginRun(lease->claim(), run));
    ++*done;
    for (const char* build : {"b1", "b2"}) {
      std::vector<NodeCommit> commits = {Commit("a", build, run.id), Commit("b", build, run.id)};
      commits[0].snapshot->manifest = std::string(6'000, 'm');
      HR_TRY(store->CommitNodes(lease->claim(), commits));
      ++*done;
    }
    const std::vector<std::string> keys = {"1"};
    HR_TRY(store->RecordIntents(lease->claim(), run.id, "calls", keys, 0));
    ++*done;
    HR_TRY(store->FinishRun(lease->claim(), run.id, RunStatus::kDone, "{}"));
    ++*done;
    return lease->Release();
  }

  /// The store on a sound disk, after `done` calls went well and perhaps one more is there.
  void Check(int done) {
    options_.vfs.clear();
    const std::unique_ptr<Store> store = OpenStore();
    ASSERT_EQ(Must(store->CheckIntegrity()), std::vector<std::string>());
    const std::vector<NodeState> states = Must(store->ReadState("dev"));
    if (states.empty()) {
      EXPECT_LT(done, 3);
    } else {
      ASSERT_EQ(states.size(), 2u);
      EXPECT_EQ(states[0].snapshot->build, states[1].snapshot->build);
      EXPECT_EQ(Must(store->ReadSnapshot("dev", {"a", states[0].snapshot->build})).manifest.size(),
                6'000u);
      if (done >= 4) {
        EXPECT_EQ(states[0].snapshot->build, "b2");
      }
    }
    const size_t sends = Must(store->ListSends("dev", "calls", std::nullopt, 10)).size();
    EXPECT_GE(sends, done >= 5 ? 1u : 0u);
    EXPECT_LE(sends, done >= 4 ? 1u : 0u);
  }
};

TEST_F(StoreFaultsTest, EveryWriteMayFail) {
  const FaultVfs vfs;
  plan = Plan();
  options_.vfs = "faults";
  int done = 0;
  Must(Work(&done));
  const int operations = plan.operations;
  ASSERT_GT(operations, 20);
  int failed = 0;
  for (const bool full : {true, false}) {  // a full disk stays full, an I/O error passes
    for (int n = 1; n <= operations; n += full ? 1 : 3) {
      SCOPED_TRACE(testing::Message() << "operation " << n << (full ? ", full disk" : ""));
      std::filesystem::remove_all(options_.folder);
      options_.vfs = "faults";
      plan = {n, full, full, 0};
      done = 0;
      const Status work = Work(&done);
      plan = Plan();
      if (!work.ok()) {
        ++failed;
        EXPECT_EQ(CodeOf(work), full ? "no_space" : "io_error") << Render(work.error());
      }
      Check(done);
      done = 0;
      const Status again = Work(&done);  // the next run completes
      ASSERT_TRUE(again.ok()) << Render(again.error());
      if (HasFailure()) return;
    }
  }
  RecordProperty("operations", operations);
  EXPECT_GT(failed, operations / 2);  // faults of checkpoints go unseen
}

}  // namespace
}  // namespace headrace::store
