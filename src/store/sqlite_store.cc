#include "store/sqlite_store.h"

#include <fmt/format.h>

#include "store/network_disk.h"
#include "store/record_text.h"

namespace headrace::store {

Result<std::unique_ptr<Store>> OpenSqliteStore(const StoreOptions& options) {
  HR_ASSIGN(std::unique_ptr<SqliteStore> store, SqliteStore::Open(options, Migrations()));
  return std::unique_ptr<Store>(std::move(store));
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(const StoreOptions& options,
                                                       std::span<const Migration> migrations) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(options));
  StoreOptions& own = store->options_;
  if (own.fs == nullptr) own.fs = &RealFileSystem();
  if (own.clock == nullptr) own.clock = &SystemClock();
  if (own.redactor == nullptr) own.redactor = &store->mask_nothing_;
  store->path_ = JoinPath(own.folder, "store.db");
  HR_TRY(store->Prepare(migrations));
  return store;
}

Status SqliteStore::Prepare(std::span<const Migration> migrations) {
  const bool existed = fs().Exists(path_);
  if (!existed && !options_.create) {
    return UserError("no_store", fmt::format("there is no store {} yet", path_))
        .Hint("'headrace run' makes it");
  }
  // SQLite takes an empty file for a new database, and what was sent would be sent again. A file
  // that a first run left empty has no tables beside it.
  if (existed) {
    HR_ASSIGN(const FileInfo info, fs().Stat(path_));
    HR_ASSIGN(const std::vector<FileInfo> beside, fs().List(options_.folder));
    for (const FileInfo& one : beside) {
      if (info.size > 0) break;
      if (!one.directory || !fs().Exists(JoinPath(one.path, "tables"))) continue;
      HR_ASSIGN(const std::vector<FileInfo> tables, fs().List(JoinPath(one.path, "tables")));
      if (!tables.empty()) return CorruptError(path_, "it is empty, and tables stand beside it");
    }
  }
  for (const char* folder : {"lease", "pins"}) {
    HR_TRY(fs().CreateDirectories(JoinPath(options_.folder, folder)));
  }
  HR_TRY(RefuseNetworkDisk(options_.folder));
  HR_ASSIGN(writer_, Connect(/*reader=*/false));
  // Several processes may open a new store at once: the change to WAL mode is refused to all but
  // one without waiting, so it is tried until the busy timeout.
  const int64_t start = options_.clock->MonotonicNanos();
  while (true) {
    Status wal = writer_->Run("PRAGMA journal_mode=WAL");
    if (wal.ok()) break;
    const int64_t waited = (options_.clock->MonotonicNanos() - start) / 1000;
    if (wal.error().code != "store_busy" || waited >= options_.busy_timeout_micros) return wal;
    options_.clock->SleepMicros(10'000);
  }
  HR_TRY(Migrate(*writer_, path_, migrations));
  if (!existed) HR_TRY(fs().SyncDirectory(options_.folder));
  return Ok();
}

Result<std::unique_ptr<Connection>> SqliteStore::Connect(bool reader) const {
  ConnectionOptions options;
  options.path = path_;
  options.vfs = options_.vfs;
  options.busy_timeout_micros = options_.busy_timeout_micros;
  options.reader = reader;
  return Connection::Open(options);
}

Status SqliteStore::Write(const Body& body) {
  std::lock_guard lock(writer_mutex_);
  HR_TRY(writer_->Run("BEGIN IMMEDIATE"));
  Status done = body(*writer_);
  if (done.ok()) done = writer_->Run("COMMIT");
  if (!done.ok()) writer_->Rollback();
  return done;
}

Status SqliteStore::WriteClaimed(const Claim& claim, const Body& body) {
  return Write([&](Connection& connection) -> Status {
    HR_TRY(RequireClaim(connection, claim));
    return body(connection);
  });
}

Status SqliteStore::Read(const Body& body) {
  std::unique_ptr<Connection> reader;
  {
    std::lock_guard lock(readers_mutex_);
    if (!readers_.empty()) {
      reader = std::move(readers_.back());
      readers_.pop_back();
    }
  }
  if (reader == nullptr) {
    HR_ASSIGN(reader, Connect(/*reader=*/true));
  }
  HR_TRY(reader->Run("BEGIN"));
  Status done = body(*reader);
  reader->Rollback();
  if (done.ok()) {
    std::lock_guard lock(readers_mutex_);
    readers_.push_back(std::move(reader));
  }
  return done;
}

std::string SqliteStore::Mask(std::string_view text) const {
  return options_.redactor->Redact(text);
}

std::string SqliteStore::MaskJson(const std::string& json) const {
  std::string masked = Mask(json);
  if (masked == json) return json;
  Result<std::string> inside = MaskStrings(json, *options_.redactor);
  return inside.ok() ? std::move(*inside) : masked;
}

std::string SqliteStore::LeasePath(const std::string& target, int64_t epoch) const {
  return JoinPath(options_.folder, fmt::format("lease/{}.{}.lock", target, epoch));
}

std::string SqliteStore::PinPath(const std::string& pin) const {
  return JoinPath(options_.folder, fmt::format("pins/{}.lock", pin));
}

Result<std::vector<std::string>> SqliteStore::CheckIntegrity() {
  std::vector<std::string> faults;
  HR_TRY(Read([&](Connection& connection) -> Status {
    HR_TRY(connection.Query("PRAGMA integrity_check").ForEach([&](const Statement& row) {
      if (row.Text(0) != "ok") faults.push_back(row.Text(0));
    }));
    return connection.Query("PRAGMA foreign_key_check").ForEach([&](const Statement& row) {
      faults.push_back(fmt::format("table {}, row {}: refers to a missing row of {}", row.Text(0),
                                   row.Int(1), row.Text(2)));
    });
  }));
  return faults;
}

}  // namespace headrace::store
