#include "components/postgres/postgres_session.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cstring>

#include "base/suggest.h"
#include "base/text_width.h"
#include "components/postgres/libpq.h"
#include "config/settings.h"

namespace headrace::components {
namespace {

using spec::Field;
using spec::Spec;

constexpr int kPollMillis = 100;

/// "FATAL:  role "x" does not exist\n" → `role "x" does not exist`, of several lines the last one
/// that names a reason.
std::string ReasonOf(std::string_view message) {
  std::string text = Printable(message, true);
  std::string reason;
  size_t at = 0;
  while (at < text.size()) {
    size_t end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.empty() || line.front() == '\t' || line.front() == ' ') continue;
    if (const size_t fatal = line.find("FATAL:  "); fatal != std::string::npos) {
      line = line.substr(fatal + 8);
    } else if (const size_t failed = line.find(" failed: "); failed != std::string::npos) {
      line = line.substr(failed + 9);
    }
    reason = std::move(line);
  }
  return reason;
}

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Error ConnectError(const PostgresTarget& target, const std::string& message) {
  const std::string reason = ReasonOf(message);
  const std::string what =
      fmt::format("connection '{}' ({}): {}", target.connection, target.identity, reason);
  const auto error = [&](std::string code) { return ExternalError(std::move(code), what); };
  if (Has(message, "password authentication failed") || Has(message, "no password supplied")) {
    return error("wrong_password")
        .At(target.place)
        .Hint(fmt::format("check user and password in the uri of connection '{}'",
                          target.connection));
  }
  if (Has(message, "FATAL") && Has(message, "database \"") && Has(message, "does not exist")) {
    return error("unknown_database").At(target.place);
  }
  if (Has(message, "FATAL") && Has(message, "role \"") && Has(message, "does not exist")) {
    return error("unknown_user").At(target.place);
  }
  if (Has(message, "could not translate host name")) {
    return error("unknown_host").At(target.place).Retriable();
  }
  if (Has(message, "too many")) return error("too_many_connections").At(target.place).Retriable();
  if (Has(message, "pg_hba.conf") || Has(message, "not permitted")) {
    return error("connection_refused").At(target.place);
  }
  return error("server_down")
      .At(target.place)
      .Retriable()
      .Hint("is the server running, and may this machine reach it? `retries:` tries again");
}

struct SqlState {
  std::string_view prefix;  // of the SQLSTATE
  std::string_view code;
  Blame blame;
  bool retriable;
  std::string_view hint;
};
constexpr std::string_view kRetry = "`retries:` of the node tries again";
// The first that fits.
constexpr SqlState kStates[] = {
    {"57014", "statement_timeout", Blame::kExternal, false,
     "raise `statement_timeout` of the connection, or the server's, or read less at a time"},
    {"57P", "connection_lost", Blame::kExternal, true, kRetry},
    {"08", "connection_lost", Blame::kExternal, true, kRetry},
    {"42501", "permission_denied", Blame::kExternal, false,
     "the connection's user needs the right: GRANT …"},
    {"42P01", "unknown_table", Blame::kUser, false, ""},
    {"3F000", "unknown_schema", Blame::kUser, false, ""},
    {"42703", "unknown_column", Blame::kUser, false, ""},
    {"25006", "bad_query", Blame::kUser, false, "a source may only read"},
    {"40", "serialization", Blame::kExternal, true, kRetry},
    {"55P03", "locked", Blame::kExternal, true, kRetry},
    {"55006", "locked", Blame::kExternal, true, kRetry},
    {"53300", "too_many_connections", Blame::kExternal, true, kRetry},
    {"53100", "no_space", Blame::kExternal, false, ""},
    {"53", "server_overloaded", Blame::kExternal, true, kRetry},
    {"23", "constraint_violation", Blame::kData, false, ""},
    {"22", "bad_value", Blame::kData, false, ""},
    {"42", "bad_query", Blame::kUser, false, ""},
    {"0A", "bad_query", Blame::kUser, false, ""},
};

}  // namespace

const Spec& PostgresConnectionSpec() {
  static const Spec spec = [] {
    Spec s("connection", "postgres", "A PostgreSQL database (version 12 or newer).",
           {Field("uri", &PostgresConnection::uri,
                  "Where it is and as whom: postgres://user:password@host:5432/database, or "
                  "libpq's `host=… dbname=…`. What is left out comes from nowhere else: give the "
                  "password by a variable.")
                .NotEmpty()
                .Secret()
                .Example("${CRM_URI}"),
            Field("connect_timeout", &PostgresConnection::connect_timeout,
                  "How long to wait for the server to answer; 10 seconds without it.")
                .Optional()
                .Affects(spec::Affects::kPolicy)
                .Example("10 seconds"),
            Field("statement_timeout", &PostgresConnection::statement_timeout,
                  "How long one statement may take on the server; no limit without it.")
                .Optional()
                .Affects(spec::Affects::kPolicy)
                .Example("30 minutes")});
    s.Example("type: postgres\nuri: \"${CRM_URI}\"\n");
    s.Details(
        "Needs PostgreSQL's client library (Debian: `apt-get install libpq5`). The password never "
        "appears in any output. `lint` does not connect.");
    return s;
  }();
  return spec;
}

Status CheckPostgresConnection(const std::string& connection, const pipeline::Project& project,
                               const spec::NodeSpec& spec) {
  const Place place = spec.PlaceOf("connection");
  const auto& known = project.settings().connections;
  const auto found = known.find(connection);
  if (found == known.end()) {
    auto unknown = project.Connection(connection, place);
    return unknown.ok() ? Status() : Status(std::move(unknown).error());
  }
  if (found->second.spec == nullptr || found->second.spec->name() != "postgres") {
    return UserError("wrong_connection",
                     fmt::format("connection '{}' is of type {}, this {} needs postgres",
                                 connection, found->second.type, spec.kind))
        .At(place)
        .Subject(connection);
  }
  return Ok();
}

Result<PostgresTarget> FindPostgres(const std::string& connection, const pipeline::Project& project,
                                    const spec::NodeSpec& spec, Redactor* redactor) {
  HR_TRY(CheckPostgresConnection(connection, project, spec));
  const Place place = spec.PlaceOf("connection");
  HR_ASSIGN(spec::ComponentRef ref, project.Connection(connection, place));
  const auto& given = ref.As<PostgresConnection>();
  PostgresTarget target;
  target.connection = connection;
  target.uri = given.uri;
  target.place = place;
  if (!given.connect_timeout.text.empty()) {
    target.connect_seconds = std::max<int64_t>(2, given.connect_timeout.micros / 1'000'000);
  }
  if (!given.statement_timeout.text.empty()) {
    target.statement_millis = std::max<int64_t>(1, given.statement_timeout.micros / 1000);
  }
  HR_ASSIGN(const Libpq* libpq, LoadLibpq());
  char* message = nullptr;
  PQconninfoOption* options = libpq->PQconninfoParse(target.uri.c_str(), &message);
  if (options == nullptr) {
    // Its text may quote the uri, and with it the password.
    libpq->PQfreemem(message);
    return UserError("bad_uri", fmt::format("the uri of connection '{}' can't be read", connection))
        .At(ref.places.Of("uri"))
        .Hint(
            "write postgres://user:password@host:5432/database; characters such as @ : / # in "
            "user or password are written as %40 %3A %2F %23");
  }
  std::string host = "localhost", port = "5432", database;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "host") host = option->val;
    if (keyword == "hostaddr" && host == "localhost") host = option->val;
    if (keyword == "port") port = option->val;
    if (keyword == "dbname") database = option->val;
    if (keyword == "user") target.user = option->val;
    if (keyword == "password" && redactor != nullptr) redactor->AddSecret(option->val);
  }
  libpq->PQconninfoFree(options);
  if (database.empty()) database = target.user;
  target.identity = fmt::format("{}:{}/{}", host, port, database);
  return target;
}

Result<std::unique_ptr<PostgresSession>> PostgresSession::Open(const PostgresTarget& target,
                                                               const CancelToken& cancel) {
  HR_ASSIGN(const Libpq* libpq, LoadLibpq());
  std::unique_ptr<PostgresSession> session(new PostgresSession(*libpq, target, cancel));
  const std::string seconds = std::to_string(target.connect_seconds);
  // The uri stands behind our defaults and so wins over them.
  const char* keywords[] = {"connect_timeout",  "keepalives_idle",  "keepalives_interval",
                            "keepalives_count", "tcp_user_timeout", "application_name",
                            "dbname",           "client_encoding",  nullptr};
  const char* values[] = {seconds.c_str(),    "30",   "10",   "3", "60000", "headrace",
                          target.uri.c_str(), "UTF8", nullptr};
  HR_TRY(cancel.Check());
  session->connection_ = libpq->PQconnectdbParams(keywords, values, 1);
  if (session->connection_ == nullptr) return SystemError("out_of_memory", "no memory left");
  if (libpq->PQstatus(session->connection_) != CONNECTION_OK) {
    return ConnectError(target, libpq->PQerrorMessage(session->connection_));
  }
  libpq->PQsetNoticeReceiver(
      session->connection_, [](void*, const PGresult*) {}, nullptr);
  libpq->PQsetnonblocking(session->connection_, 1);
  // What a value looks like must not depend on the server's or the user's settings.
  HR_TRY(session->Query(fmt::format(
      "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET "
      "extra_float_digits = 1; SET statement_timeout = {}; SET "
      "idle_in_transaction_session_timeout = 0; SET standard_conforming_strings = on",
      target.statement_millis)));
  return session;
}

PostgresSession::~PostgresSession() {
  if (piece_ != nullptr) libpq_.PQfreemem(piece_);
  if (connection_ != nullptr) libpq_.PQfinish(connection_);
}

int PostgresSession::server_version() const { return libpq_.PQserverVersion(connection_); }

Error PostgresSession::Lost() const {
  return ExternalError("connection_lost",
                       fmt::format("connection '{}' ({}) was lost: {}", target_.connection,
                                   target_.identity, ReasonOf(libpq_.PQerrorMessage(connection_))))
      .Retriable()
      .Hint(std::string(kRetry));
}

Error PostgresSession::ResultError(const PGresult* result) const {
  const char* state = libpq_.PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = libpq_.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state == nullptr || libpq_.PQstatus(connection_) == CONNECTION_BAD) {
    // The server may have said why before it went.
    if (state == nullptr || std::strncmp(state, "57P", 3) != 0) return Lost();
  }
  const std::string message = Printable(primary == nullptr ? "" : primary, false);
  Error error(Blame::kExternal, "query_failed", message);
  for (const SqlState& known : kStates) {
    if (!std::string_view(state).starts_with(known.prefix)) continue;
    error.code = known.code;
    error.blame = known.blame;
    error.retriable = known.retriable;
    error.hint = known.hint;
    break;
  }
  if (error.code == "statement_timeout" && cancel_.Cancelled()) {
    return SystemError("cancelled", "cancelled");
  }
  if (error.code == "connection_lost") {
    error.message = fmt::format("connection '{}' ({}) was lost: {}", target_.connection,
                                target_.identity, message);
  }
  if (error.blame == Blame::kData) {
    if (const char* detail = libpq_.PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL)) {
      error.Hint(Printable(detail, false));
    } else if (const char* context = libpq_.PQresultErrorField(result, PG_DIAG_CONTEXT)) {
      // "COPY hr_stage, line 3, column name: …"
      std::string where = Printable(context, false);
      if (where.starts_with("COPY ")) error.Hint(where.substr(where.find(',') + 2));
    }
  } else if (error.hint.empty()) {
    if (const char* hint = libpq_.PQresultErrorField(result, PG_DIAG_MESSAGE_HINT)) {
      error.Hint(Printable(hint, false));
    }
  }
  if (const char* column = libpq_.PQresultErrorField(result, PG_DIAG_COLUMN_NAME)) {
    error.Subject(column);
  }
  return error;
}

/// Until the socket is ready. The error is "cancelled"; the server is told.
Status PostgresSession::Wait(bool for_write) {
  while (true) {
    if (cancel_.Cancelled() || abandoned_) {
      if (PGcancel* cancel = libpq_.PQgetCancel(connection_)) {
        char buffer[256];
        libpq_.PQcancel(cancel, buffer, sizeof buffer);
        libpq_.PQfreeCancel(cancel);
      }
      HR_TRY(cancel_.Check());
      return SystemError("cancelled", "cancelled");
    }
    pollfd wanted{libpq_.PQsocket(connection_),
                  static_cast<short>(for_write ? POLLIN | POLLOUT : POLLIN), 0};
    if (wanted.fd < 0) return Lost();
    if (poll(&wanted, 1, kPollMillis) > 0) return Ok();
  }
}

Status PostgresSession::Flush() {
  while (true) {
    const int left = libpq_.PQflush(connection_);
    if (left == 0) return Ok();
    if (left < 0) return Lost();
    HR_TRY(Wait(true));
    if (libpq_.PQconsumeInput(connection_) == 0) return Lost();
  }
}

/// The next result, nullptr when the command is finished. The caller clears it.
Result<PGresult*> PostgresSession::NextResult() {
  while (libpq_.PQisBusy(connection_) != 0) {
    HR_TRY(Wait(false));
    if (libpq_.PQconsumeInput(connection_) == 0) {
      // What the server said on its way out stands before the end of the connection.
      if (libpq_.PQisBusy(connection_) != 0) return Lost();
      break;
    }
  }
  return libpq_.PQgetResult(connection_);
}

/// The last result of a command, all others cleared; the first fault ends it.
Result<PGresult*> PostgresSession::LastResult() {
  PGresult* last = nullptr;
  std::optional<Error> fault;
  while (true) {
    auto next = NextResult();
    if (!next.ok()) {
      if (last != nullptr) libpq_.PQclear(last);
      return fault ? *fault : std::move(next).error();
    }
    if (*next == nullptr) break;
    if (last != nullptr) libpq_.PQclear(last);
    last = *next;
    const ExecStatusType status = libpq_.PQresultStatus(last);
    if (status == PGRES_FATAL_ERROR && !fault) fault = ResultError(last);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) break;
    if (fault && libpq_.PQstatus(connection_) == CONNECTION_BAD) break;
  }
  if (fault) {
    libpq_.PQclear(last);
    return *fault;
  }
  if (last == nullptr) return InternalError("PostgreSQL gave no result");
  return last;
}

void PostgresSession::Drain() {
  while (true) {
    auto next = NextResult();
    if (!next.ok() || *next == nullptr) return;
    libpq_.PQclear(*next);
  }
}

Result<std::vector<PostgresRow>> PostgresSession::Query(const std::string& sql) {
  if (libpq_.PQsendQuery(connection_, sql.c_str()) == 0) return Lost();
  HR_TRY(Flush());
  HR_ASSIGN(PGresult * result, LastResult());
  std::vector<PostgresRow> rows(static_cast<size_t>(libpq_.PQntuples(result)));
  for (int r = 0; r < static_cast<int>(rows.size()); ++r) {
    for (int c = 0; c < libpq_.PQnfields(result); ++c) {
      if (libpq_.PQgetisnull(result, r, c) != 0) {
        rows[r].emplace_back();
      } else {
        rows[r].emplace_back(std::string(libpq_.PQgetvalue(result, r, c),
                                         static_cast<size_t>(libpq_.PQgetlength(result, r, c))));
      }
    }
  }
  libpq_.PQclear(result);
  return rows;
}

Result<int64_t> PostgresSession::Execute(const std::string& sql) {
  if (libpq_.PQsendQuery(connection_, sql.c_str()) == 0) return Lost();
  HR_TRY(Flush());
  HR_ASSIGN(PGresult * result, LastResult());
  const int64_t rows = std::atoll(libpq_.PQcmdTuples(result));
  libpq_.PQclear(result);
  return rows;
}

Result<std::vector<PostgresColumn>> PostgresSession::Describe(const std::string& sql) {
  if (libpq_.PQsendPrepare(connection_, "", sql.c_str(), 0, nullptr) == 0) return Lost();
  HR_TRY(Flush());
  HR_ASSIGN(PGresult * prepared, LastResult());
  libpq_.PQclear(prepared);
  if (libpq_.PQsendDescribePrepared(connection_, "") == 0) return Lost();
  HR_TRY(Flush());
  HR_ASSIGN(PGresult * result, LastResult());
  std::vector<PostgresColumn> columns;
  for (int n = 0; n < libpq_.PQnfields(result); ++n) {
    columns.push_back(
        {libpq_.PQfname(result, n), libpq_.PQftype(result, n), libpq_.PQfmod(result, n)});
  }
  libpq_.PQclear(result);
  return columns;
}

Status PostgresSession::BeginCopyOut(const std::string& sql) {
  if (libpq_.PQsendQuery(connection_, sql.c_str()) == 0) return Lost();
  HR_TRY(Flush());
  HR_ASSIGN(PGresult * result, LastResult());
  const bool copying = libpq_.PQresultStatus(result) == PGRES_COPY_OUT;
  libpq_.PQclear(result);
  if (!copying) return InternalError("PostgreSQL did not begin to copy");
  return Ok();
}

Result<std::optional<std::string_view>> PostgresSession::CopyOut() {
  if (piece_ != nullptr) libpq_.PQfreemem(piece_);
  piece_ = nullptr;
  while (true) {
    const int size = libpq_.PQgetCopyData(connection_, &piece_, 1);
    if (size > 0) return std::optional<std::string_view>({piece_, static_cast<size_t>(size)});
    if (size == 0) {
      HR_TRY(Wait(false));
      // A closed connection is seen by the next PQgetCopyData, behind what came before.
      (void)libpq_.PQconsumeInput(connection_);
      if (libpq_.PQstatus(connection_) == CONNECTION_BAD) return Lost();
      continue;
    }
    if (size == -2) return Lost();
    HR_ASSIGN(PGresult * result, LastResult());  // the end, or why it ended
    libpq_.PQclear(result);
    return std::optional<std::string_view>();
  }
}

Status PostgresSession::BeginCopyIn(const std::string& sql) {
  if (libpq_.PQsendQuery(connection_, sql.c_str()) == 0) return Lost();
  HR_TRY(Flush());
  HR_ASSIGN(PGresult * result, LastResult());
  const bool copying = libpq_.PQresultStatus(result) == PGRES_COPY_IN;
  libpq_.PQclear(result);
  if (!copying) return InternalError("PostgreSQL did not begin to copy");
  return Ok();
}

Status PostgresSession::CopyIn(std::string_view bytes) {
  while (true) {
    const int sent =
        libpq_.PQputCopyData(connection_, bytes.data(), static_cast<int>(bytes.size()));
    if (sent > 0) break;
    if (sent < 0) return Lost();
    HR_TRY(Wait(true));
    if (libpq_.PQconsumeInput(connection_) == 0) return Lost();
  }
  return Flush();  // so that little is held on our side
}

Result<int64_t> PostgresSession::EndCopyIn() {
  while (true) {
    const int sent = libpq_.PQputCopyEnd(connection_, nullptr);
    if (sent > 0) break;
    if (sent < 0) return Lost();
    HR_TRY(Wait(true));
  }
  HR_TRY(Flush());
  HR_ASSIGN(PGresult * result, LastResult());
  const int64_t rows = std::atoll(libpq_.PQcmdTuples(result));
  libpq_.PQclear(result);
  return rows;
}

std::string PostgresSession::Literal(std::string_view text) const {
  char* quoted = libpq_.PQescapeLiteral(connection_, text.data(), text.size());
  std::string out = quoted == nullptr ? "NULL" : quoted;
  libpq_.PQfreemem(quoted);
  return out;
}

std::string PostgresSession::Identifier(std::string_view name) const {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    if (c != '\0') out += c;
  }
  return out + "\"";
}

// ---- Tables

Result<PostgresTableName> ParsePostgresTable(const std::string& text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (size_t n = 0; n < text.size(); ++n) {
    const char c = text[n];
    if (c == '"') {
      if (quoted && n + 1 < text.size() && text[n + 1] == '"') {
        parts.back() += text[++n];
      } else {
        quoted = !quoted;
      }
    } else if (c == '.' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  const bool empty =
      std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); });
  if (quoted || empty || parts.size() > 2) {
    return UserError("bad_table", fmt::format("'{}' is no name of a table", text))
        .Subject(text)
        .Hint("write it as table or schema.table");
  }
  if (parts.size() == 1) return PostgresTableName{"", parts[0]};
  return PostgresTableName{parts[0], parts[1]};
}

Result<std::optional<std::string>> FindPostgresTable(PostgresSession& session,
                                                     const std::string& name) {
  HR_ASSIGN(PostgresTableName parts, ParsePostgresTable(name));
  for (const bool fold : {false, true}) {
    const auto part = [&](std::string text) {
      if (fold) {
        std::transform(text.begin(), text.end(), text.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      }
      return session.Identifier(text);
    };
    const std::string quoted =
        (parts.schema.empty() ? "" : part(parts.schema) + ".") + part(parts.table);
    HR_ASSIGN(auto rows, session.Query(fmt::format(
                             "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM "
                             "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid "
                             "= to_regclass({}) AND c.relkind IN ('r', 'v', 'm', 'f', 'p')",
                             session.Literal(quoted))));
    if (!rows.empty()) return std::optional<std::string>(*rows[0][0]);
  }
  return std::optional<std::string>();
}

Error UnknownPostgresTable(PostgresSession& session, const std::string& name, const Place& place) {
  auto found = session.Query(
      "SELECT n.nspname, c.relname, pg_table_is_visible(c.oid) FROM pg_class c "
      "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', "
      "'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', "
      "'information_schema') AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2 "
      "LIMIT 10000");
  std::vector<std::string> names;
  const bool dotted = name.find('.') != std::string::npos;
  if (!found.ok()) return std::move(found).error();
  for (const PostgresRow& row : *found) {
    if (dotted || *row[2] != "t") {
      names.push_back(*row[0] + "." + *row[1]);
    } else {
      names.push_back(*row[1]);
    }
  }
  Error error = UserError("unknown_table", fmt::format("connection '{}' has no table '{}'",
                                                       session.target().connection, name));
  error.At(place).Subject(name).Candidates(Suggest(name, names));
  if (names.empty()) {
    error.Hint(fmt::format("user '{}' sees no tables in it", session.target().user));
  }
  return error;
}

}  // namespace headrace::components
