#include "store/forget_target.h"

#include <fmt/format.h>

#include <vector>

#include "base/file_system.h"
#include "store/sqlite_connection.h"

namespace headrace::store {
namespace {

Status DeleteRows(Connection& connection, const Claim& claim) {
  bool held = false;
  HR_TRY(connection
             .Query("SELECT 1 FROM leases WHERE target = ? AND epoch = ? AND held = 1",
                    claim.target, claim.epoch)
             .ForEach([&](const Statement&) { held = true; }));
  if (!held) {
    return SystemError("lease_lost",
                       fmt::format("target '{}' is no longer held by this command", claim.target));
  }
  // Every table that tells targets apart, also one that a later version adds.
  std::vector<std::string> tables;
  HR_TRY(connection
             .Query("SELECT t.name FROM sqlite_schema t, pragma_table_info(t.name) c "
                    "WHERE t.type = 'table' AND c.name = 'target' AND t.name <> 'leases'")
             .ForEach([&](const Statement& row) { tables.push_back(row.Text(0)); }));
  for (const std::string& table : tables) {
    HR_TRY(connection.Run(fmt::format("DELETE FROM \"{}\" WHERE target = ?", table), claim.target));
  }
  return Ok();
}

}  // namespace

Result<bool> ForgetTarget(const std::string& folder, const Claim& claim) {
  ConnectionOptions options;
  options.path = JoinPath(folder, "store.db");
  HR_ASSIGN(auto connection, Connection::Open(options));
  // Rows refer to each other across tables: they are held against that when all are gone.
  HR_TRY(connection->RunScript("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON"));
  if (Status done = DeleteRows(*connection, claim); !done.ok()) {
    connection->Rollback();
    return std::move(done).error();
  }
  HR_TRY(connection->RunScript("COMMIT"));
  HR_ASSIGN(const int64_t others,
            connection->Number("SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM "
                               "snapshots) + (SELECT count(*) FROM sends)"));
  return others > 0;
}

}  // namespace headrace::store
