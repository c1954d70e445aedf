#include "components/sources/sqlite_database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text_width.h"
#include "components/sources/settled.h"

namespace headrace::components {
namespace {

constexpr int64_t kHeaderBytes = 100;

uint32_t BigEndian(std::string_view bytes, size_t at, int count) {
  uint32_t value = 0;
  for (int n = 0; n < count; ++n) value = value << 8 | static_cast<uint8_t>(bytes[at + n]);
  return value;
}

/// Only reading: a query can't attach files, load code or write.
int Authorize(void*, int action, const char*, const char* name, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return name != nullptr && std::string_view(name) == "load_extension" ? SQLITE_DENY
                                                                           : SQLITE_OK;
    case SQLITE_TRANSACTION:
      return SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

/// What the header says before SQLite looks at it: SQLite notices a missing page only when it
/// reads it.
Status CheckHeader(FileSystem& fs, const std::string& path, const std::string& shown) {
  HR_ASSIGN(FileInfo info, fs.Stat(path));
  if (info.directory) {
    return UserError("not_a_database", fmt::format("{} is a folder", shown)).At({.file = shown});
  }
  HR_ASSIGN(std::string header, fs.ReadRange(path, 0, kHeaderBytes));  // a pipe fails here
  if (info.size == 0) return Ok();                                     // no tables
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (!header.starts_with(kMagic)) {
    const bool text = std::all_of(header.begin(), header.end(), [](unsigned char c) {
      return (c >= 32 && c < 127) || c == '\n' || c == '\r' || c == '\t';
    });
    return DataError("not_a_database", fmt::format("{} is not a SQLite database", shown))
        .At({.file = shown})
        .Hint(text ? "it is a text file" : "is it another format, or encrypted?");
  }
  if (header.size() < static_cast<size_t>(kHeaderBytes)) {
    return DataError("damaged_database", fmt::format("{} is cut off", shown)).At({.file = shown});
  }
  int64_t page = BigEndian(header, 16, 2);
  if (page == 1) page = 65536;
  const bool count_valid = BigEndian(header, 24, 4) == BigEndian(header, 92, 4);
  const int64_t pages = BigEndian(header, 28, 4);
  // With a write-ahead log the last pages may stand there.
  if (count_valid && pages * page > info.size && !fs.Exists(path + "-wal")) {
    return DataError("damaged_database",
                     fmt::format("{} is cut off: {} bytes of {}", shown, info.size, pages * page))
        .At({.file = shown})
        .Hint("copy it again; use SQLite's .backup while it is in use");
  }
  return Ok();
}

}  // namespace

Error SqliteDatabase::LastError(const std::string& doing) const {
  const int code = sqlite3_errcode(handle_) & 0xFF;
  const std::string message = Printable(sqlite3_errmsg(handle_), false);
  const auto named = [&](Error error) { return error.At({.file = shown_}); };
  const std::string text = fmt::format("{}: {}", doing, message);
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return named(ExternalError("locked_database",
                                 fmt::format("{}: another program is writing to it", doing)))
          .Hint("run again when it has finished; `wait:` of the connection says how long to wait")
          .Retriable();
    case SQLITE_NOTADB:
      return named(DataError("not_a_database", fmt::format("{} is not a SQLite database", shown_)))
          .Hint("is it another format, or encrypted?");
    case SQLITE_CORRUPT:
      return named(DataError("damaged_database", text))
          .Hint("copy it again, or repair it with `sqlite3 FILE .recover`");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return named(SystemError("permission_denied", text));
    case SQLITE_NOMEM:
      return named(SystemError("out_of_memory", text));
    case SQLITE_IOERR:
      return named(SystemError("io_error", text));
    case SQLITE_INTERRUPT:
      return SystemError("cancelled", "cancelled");
    case SQLITE_TOOBIG:
      return named(DataError("value_too_large", text));
    case SQLITE_AUTH:
      return UserError("bad_query", "the query may only read tables of its database");
    default:
      return UserError("bad_query", message);
  }
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(FileSystem& fs,
                                                             const std::string& path,
                                                             const std::string& shown,
                                                             int64_t wait_micros) {
  if (!fs.Exists(path)) {
    return UserError("no_database", fmt::format("there is no database '{}'", shown))
        .Subject(shown)
        .Hint("paths of connections start at the folder of headrace.yml");
  }
  HR_TRY(CheckHeader(fs, path, shown));
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(shown));
  const int opened = sqlite3_open_v2(path.c_str(), &database->handle_,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  if (opened != SQLITE_OK) return database->LastError("cannot open the database");
  sqlite3_extended_result_codes(database->handle_, 0);
  sqlite3_busy_timeout(database->handle_, static_cast<int>(wait_micros / 1000));
  sqlite3_set_authorizer(database->handle_, Authorize, nullptr);
  return database;
}

SqliteDatabase::~SqliteDatabase() {
  if (handle_ != nullptr) sqlite3_close_v2(handle_);
}

Status SqliteDatabase::BeginRead() {
  for (const char* sql : {"BEGIN", "SELECT count(*) FROM sqlite_master"}) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
      return LastError("cannot read the database");
    }
  }
  return Ok();
}

Result<std::vector<std::string>> SqliteDatabase::Tables() {
  HR_ASSIGN(auto statement,
            Prepare("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT "
                    "LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"));
  std::vector<std::string> names;
  while (true) {
    HR_ASSIGN(bool more, statement->Step());
    if (!more) return names;
    names.emplace_back(statement->Bytes(0));
  }
}

Result<std::unique_ptr<SqliteStatement>> SqliteDatabase::Prepare(const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  if (sqlite3_prepare_v2(handle_, sql.c_str(), static_cast<int>(sql.size()), &raw, &tail) !=
      SQLITE_OK) {
    return LastError("cannot read the database");
  }
  if (raw == nullptr) return UserError("bad_query", "the query is empty");
  auto statement = std::make_unique<SqliteStatement>(*this, raw);
  if (sqlite3_column_count(raw) == 0 || sqlite3_stmt_readonly(raw) == 0 ||
      sqlite3_stmt_isexplain(raw) != 0) {
    return UserError("bad_query", "the query is no SELECT");
  }
  sqlite3_stmt* second = nullptr;
  const int more = sqlite3_prepare_v2(handle_, tail, -1, &second, nullptr);
  const bool several = more != SQLITE_OK || second != nullptr;
  sqlite3_finalize(second);
  if (several) return UserError("bad_query", "the query holds several statements");
  return statement;
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

std::vector<SqliteColumn> SqliteStatement::Columns() const {
  std::vector<SqliteColumn> columns;
  for (int n = 0; n < sqlite3_column_count(statement_); ++n) {
    const char* name = sqlite3_column_name(statement_, n);
    const char* declared = sqlite3_column_decltype(statement_, n);
    columns.push_back({name == nullptr ? "" : name, declared == nullptr ? "" : declared});
  }
  return columns;
}

void SqliteStatement::BindInt(int index, int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
}
void SqliteStatement::BindDouble(int index, double value) {
  sqlite3_bind_double(statement_, index, value);
}
void SqliteStatement::BindText(int index, const std::string& value) {
  sqlite3_bind_text(statement_, index, value.data(), static_cast<int>(value.size()),
                    SQLITE_TRANSIENT);
}

Result<bool> SqliteStatement::Step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return database_.LastError("cannot read the database");
}

void SqliteStatement::Reset() { sqlite3_reset(statement_); }

SqliteStatement::Class SqliteStatement::ClassOf(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return Class::kInteger;
    case SQLITE_FLOAT:
      return Class::kReal;
    case SQLITE_TEXT:
      return Class::kText;
    case SQLITE_BLOB:
      return Class::kBlob;
    default:
      return Class::kNull;
  }
}

int64_t SqliteStatement::Int(int column) const { return sqlite3_column_int64(statement_, column); }
double SqliteStatement::Double(int column) const {
  return sqlite3_column_double(statement_, column);
}
std::string_view SqliteStatement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const char*>(data == nullptr ? "" : data), static_cast<size_t>(size)};
}

Result<SqliteStat> StatSqlite(FileSystem& fs, const std::string& path, Timestamp now,
                              bool with_digest) {
  constexpr int64_t kChunk = 4 << 20;
  SqliteStat stat;
  HR_ASSIGN(FileInfo info, fs.Stat(path));
  stat.size = info.size;
  stat.modified = info.modified;
  stat.settled = Settled(info.modified, now);
  HR_ASSIGN(std::string header, fs.ReadRange(path, 0, kHeaderBytes));
  if (header.size() >= 28) stat.counter = BigEndian(header, 24, 4);
  const auto digest = [&](const std::string& file, int64_t size) -> Result<std::string> {
    Hasher hasher;
    for (int64_t offset = 0; offset < size; offset += kChunk) {
      HR_ASSIGN(std::string chunk, fs.ReadRange(file, offset, std::min(kChunk, size - offset)));
      hasher.Add(HashBytes(chunk).Hex());
    }
    return hasher.Finish().Hex();
  };
  const std::string wal = path + "-wal";
  if (fs.Exists(wal)) {
    HR_ASSIGN(FileInfo log, fs.Stat(wal));
    stat.wal_size = log.size;
    // Commits may overwrite it without a change of size or, within a tick, of time.
    if (log.size > 0) {
      HR_ASSIGN(stat.wal_digest, digest(wal, log.size));
    }
  }
  if (with_digest || !stat.settled) {
    HR_ASSIGN(stat.digest, digest(path, info.size));
  }
  return stat;
}

}  // namespace headrace::components
