#pragma once
// A connection to a PostgreSQL server whose faults are errors with names. No call blocks for longer
// than it takes to notice a cancel; a password never enters a text.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/redact.h"
#include "base/result.h"
#include "pipeline/project.h"
#include "spec/spec.h"

struct pg_conn;
struct pg_result;

namespace headrace::components {

struct Libpq;

/// Fields of a connection of type postgres.
struct PostgresConnection {
  std::string uri;
  spec::Duration connect_timeout;    ///< not given = 10 s
  spec::Duration statement_timeout;  ///< of one statement; not given = none
};
const spec::Spec& PostgresConnectionSpec();

/// A connection of headrace.yml, found and understood. Nothing is opened.
struct PostgresTarget {
  std::string connection;  ///< its name, which stands for it in messages
  std::string uri;
  std::string identity;  ///< host, port, database: what tells two databases apart
  std::string user;
  int64_t connect_seconds = 10;
  int64_t statement_millis = 0;
  Place place;  ///< of the field that names the connection
};
/// Errors "unknown_connection", "wrong_connection", "bad_uri", "libpq_missing". The password of the
/// URI becomes a secret of `redactor` (may be null).
Result<PostgresTarget> FindPostgres(const std::string& connection, const pipeline::Project& project,
                                    const spec::NodeSpec& spec, Redactor* redactor);

/// The same as far as it can be known without values of variables: for lint.
Status CheckPostgresConnection(const std::string& connection, const pipeline::Project& project,
                               const spec::NodeSpec& spec);

/// Text of a result; NULL is nullopt.
using PostgresRow = std::vector<std::optional<std::string>>;

/// A column of a statement.
struct PostgresColumn {
  std::string name;
  uint32_t type = 0;  ///< oid
  int modifier = -1;
};

/// Not thread-safe. After an error within a transaction only Rollback works.
class PostgresSession {
 public:
  /// Errors (blame external): "server_down", "connection_lost", "too_many_connections" (retriable),
  /// "wrong_password", "unknown_database", "unknown_host".
  static Result<std::unique_ptr<PostgresSession>> Open(const PostgresTarget& target,
                                                       const CancelToken& cancel);
  ~PostgresSession();
  PostgresSession(const PostgresSession&) = delete;

  /// Statements without parameters; rows of the last one. Errors by SQLSTATE: "connection_lost",
  /// "statement_timeout", "permission_denied", "unknown_table", "unknown_column", "bad_query",
  /// "constraint_violation", "serialization" (retriable) …
  Result<std::vector<PostgresRow>> Query(const std::string& sql);
  Result<int64_t> Execute(const std::string& sql);  ///< rows changed
  /// Columns of one statement, which is not run. Error "bad_query" for several statements.
  Result<std::vector<PostgresColumn>> Describe(const std::string& sql);

  /// COPY … TO STDOUT: then CopyOut until it gives nothing.
  Status BeginCopyOut(const std::string& sql);
  /// The next piece, valid until the next call; nullopt at the end.
  Result<std::optional<std::string_view>> CopyOut();
  /// COPY … FROM STDIN: then CopyIn, then EndCopyIn, which gives the number of rows.
  Status BeginCopyIn(const std::string& sql);
  Status CopyIn(std::string_view bytes);
  Result<int64_t> EndCopyIn();

  /// Ends what another thread waits for; the session is of no use afterwards. Thread-safe.
  void Abandon() { abandoned_ = true; }

  std::string Literal(std::string_view text) const;
  std::string Identifier(std::string_view name) const;
  const PostgresTarget& target() const { return target_; }
  int server_version() const;  ///< 150018

 private:
  PostgresSession(const Libpq& libpq, PostgresTarget target, CancelToken cancel)
      : libpq_(libpq), target_(std::move(target)), cancel_(std::move(cancel)) {}
  Status Wait(bool for_write);
  Status Flush();
  Result<pg_result*> NextResult();
  Result<pg_result*> LastResult();
  void Drain();
  Error ResultError(const pg_result* result) const;
  Error Lost() const;

  const Libpq& libpq_;
  PostgresTarget target_;
  CancelToken cancel_;
  std::atomic<bool> abandoned_{false};
  pg_conn* connection_ = nullptr;
  char* piece_ = nullptr;
};

/// A dotted name ("ml.scores", "scores") as its parts, quotes taken off. Error "bad_table".
struct PostgresTableName {
  std::string schema;  ///< "" = by the search path
  std::string table;
};
Result<PostgresTableName> ParsePostgresTable(const std::string& text);

/// The table as SQL names it ("public"."usage"), nullopt when there is none. A name is taken as it
/// stands first, then as PostgreSQL would fold it.
Result<std::optional<std::string>> FindPostgresTable(PostgresSession& session,
                                                     const std::string& name);
/// The error "unknown_table" with what it could have been.
Error UnknownPostgresTable(PostgresSession& session, const std::string& name, const Place& place);

}  // namespace headrace::components
