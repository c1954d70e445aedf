#include "store/sqlite_connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/file_system.h"
#include "store/lock_holder.h"

namespace headrace::store {

// ------------------------------------------------------------------------------------ Statement

Statement::Statement(Connection* connection, std::string sql)
    : connection_(connection), sql_(std::move(sql)) {
  if (auto idle = connection_->idle_.find(sql_); idle != connection_->idle_.end()) {
    statement_ = idle->second;
    connection_->idle_.erase(idle);
    return;
  }
  fault_ = sqlite3_prepare_v3(connection_->handle_, sql_.data(), static_cast<int>(sql_.size()),
                              SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      sql_(std::move(other.sql_)),
      statement_(std::exchange(other.statement_, nullptr)),
      bound_(other.bound_),
      fault_(other.fault_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  connection_->idle_.emplace(std::move(sql_), statement_);
}

void Statement::BindNext(int64_t value) {
  if (fault_ == SQLITE_OK) fault_ = sqlite3_bind_int64(statement_, ++bound_, value);
}

void Statement::BindNext(double value) {
  if (fault_ == SQLITE_OK) fault_ = sqlite3_bind_double(statement_, ++bound_, value);
}

void Statement::BindNext(std::string_view value) {
  if (fault_ != SQLITE_OK) return;
  // An empty view may have no address, which SQLite would take for NULL.
  fault_ = sqlite3_bind_text64(statement_, ++bound_, value.empty() ? "" : value.data(),
                               value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void Statement::BindNull() {
  if (fault_ == SQLITE_OK) fault_ = sqlite3_bind_null(statement_, ++bound_);
}

Result<bool> Statement::Step() {
  if (fault_ != SQLITE_OK) return connection_->Fault(fault_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return connection_->Fault(code);
}

Status Statement::Run() {
  while (true) {
    HR_ASSIGN(const bool more, Step());
    if (!more) return Ok();
  }
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::Double(int column) const { return sqlite3_column_double(statement_, column); }

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

// ----------------------------------------------------------------------------------- Connection

Result<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  std::unique_ptr<Connection> connection(new Connection(options.path, options.busy_timeout_micros));
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (options.reader ? 0 : SQLITE_OPEN_CREATE);
  const int code = sqlite3_open_v2(options.path.c_str(), &connection->handle_, flags,
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (code != SQLITE_OK) return connection->Fault(code);
  sqlite3_busy_timeout(connection->handle_, static_cast<int>(options.busy_timeout_micros / 1000));
  HR_TRY(connection->RunScript(
      "PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF;"
      "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA journal_size_limit=16777216;"));
  if (options.reader) HR_TRY(connection->Run("PRAGMA query_only=ON"));
  return connection;
}

Connection::~Connection() {
  for (auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Status Connection::RunScript(const std::string& script) {
  const int code = sqlite3_exec(handle_, script.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Fault(code);
  return Ok();
}

Result<int64_t> Connection::Number(std::string sql) {
  Statement statement = Query(std::move(sql));
  HR_ASSIGN(const bool found, statement.Step());
  return found ? statement.Int(0) : 0;
}

int64_t Connection::Changes() const { return sqlite3_changes64(handle_); }

int64_t Connection::LastRowId() const { return sqlite3_last_insert_rowid(handle_); }

void Connection::Rollback() {
  // SQLite itself rolls back after some faults (full disk, I/O error).
  if (sqlite3_get_autocommit(handle_) == 0) (void)RunScript("ROLLBACK");
}

namespace {

bool MeansFull(int system_errno) { return system_errno == ENOSPC || system_errno == EDQUOT; }

/// Whether a page can be written to a nameless file beside the store no more.
bool NoPageFits(const std::string& path) {
  const int file = open(path.find('/') == path.npos ? "." : DirName(path).c_str(),
                        O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return MeansFull(errno);
  const std::array<char, 4096> page{};
  errno = 0;
  const bool fits = write(file, page.data(), page.size()) == static_cast<ssize_t>(page.size()) &&
                    fsync(file) == 0;
  const bool full = !fits && MeansFull(errno);
  close(file);
  return full;
}

/// SQLite's system error is that of its last call: a full disk noticed by fsync is forgotten by the
/// rollback that follows. So another write is tried.
bool IsDiskFull(int code, int system_errno, const std::string& path) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  return (code & 0xff) == SQLITE_IOERR && (MeansFull(system_errno) || NoPageFits(path));
}

Error BusyError(const std::string& path, int64_t timeout_micros) {
  const std::optional<LockHolder> holder = FindWriteLockHolder(path);
  Error error = SystemError(
      "store_busy", fmt::format("the store {} could not be written for {}: {} writes to it", path,
                                FormatSeconds(static_cast<double>(timeout_micros) / 1e6),
                                holder ? fmt::format("process {} ({})", holder->pid, holder->name)
                                       : "another process"));
  error.Retriable();
  if (holder && holder->stopped) {
    error.Hint(
        fmt::format("that process is stopped: continue it with 'kill -CONT {0}' or end it "
                    "with 'kill -KILL {0}'; what it had not finished is lost, nothing else",
                    holder->pid));
  } else {
    error.Hint("try again when it is done, or end it; killing it can't damage the store");
  }
  return error;
}

}  // namespace

Error CorruptError(const std::string& path, std::string_view text) {
  return SystemError("store_corrupt", fmt::format("the store {} is damaged: {}", path, text))
      .Hint(fmt::format(
          "copy {0}, {0}-wal and {0}-shm to a safe place and put back a backup of all three; or "
          "try "
          "'sqlite3 {0} .recover'; or move them away and run again: everything is built anew, but "
          "what actions have sent and which model is champion is forgotten",
          path));
}

Error Connection::Fault(int code) const {
  const std::string text =
      handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code & 0xff);
  const int system_errno = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
  if (IsDiskFull(code, system_errno, path_)) {
    return SystemError("no_space",
                       fmt::format("the store {} could not be written: no space left", path_))
        .Hint("free some space and run again; nothing that was committed is lost");
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return BusyError(path_, busy_timeout_micros_);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return CorruptError(path_, text);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return SystemError("store_read_only",
                         fmt::format("the store {} can't be written: {}", path_, text))
          .Hint("give this user write permission on the file, its -wal and -shm and their folder");
    case SQLITE_CANTOPEN:
      if (system_errno != 0) return ErrnoError(system_errno, "open the store " + path_);
      return SystemError("io_error", fmt::format("the store {} can't be opened: {}", path_, text));
    case SQLITE_IOERR:
      return SystemError("io_error",
                         fmt::format("reading or writing the store {} failed: {} (code {})", path_,
                                     text, code))
          .Hint(
              "look into the system log for faults of the disk; nothing that was committed before "
              "is lost");
    case SQLITE_NOMEM:
      return SystemError("out_of_memory", "no memory left to work with the store " + path_);
    default:
      return InternalError(fmt::format("store {}: {} (code {})", path_, text, code));
  }
}

}  // namespace headrace::store
