// Model versions and the aliases that point at them. A champion is moved by MoveAlias only, which
// writes the alias, the status of both versions and the history together.
#include <fmt/format.h>

#include <charconv>

#include "base/suggest.h"
#include "store/record_text.h"
#include "store/sqlite_store.h"

namespace headrace::store {

namespace {

constexpr std::string_view kColumns =
    "v.model, v.version, v.status, v.fingerprint, v.content_hash, v.package, v.created_at, v.run, "
    "v.training_node, v.training_build, v.training_snapshot, v.row_count, v.metrics, v.gate";

ModelVersion VersionOf(const Statement& row) {
  ModelVersion version;
  version.model = row.Text(0);
  version.version = static_cast<int>(row.Int(1));
  version.status = ModelStatusFrom(row.Text(2));
  version.fingerprint = row.Text(3);
  version.content_hash = row.Text(4);
  version.package = row.Text(5);
  version.created = row.Int(6);
  version.run = row.Text(7);
  version.training = {row.Text(8), row.Text(9)};
  version.training_snapshot = row.Text(10);
  version.rows = row.Int(11);
  version.metrics = row.Text(12);
  version.gate = row.Text(13);
  return version;
}

/// The alias that a status goes with; empty for the others.
std::string AliasOf(ModelStatus status) {
  switch (status) {
    case ModelStatus::kChampion:
    case ModelStatus::kChallenger:
    case ModelStatus::kShadow:
      return std::string(Text(status));
    default:
      return {};
  }
}

Result<int> AliasVersion(Connection& connection, const std::string& target,
                         const std::string& model, const std::string& alias) {
  int version = 0;
  HR_TRY(
      connection
          .Query("SELECT version FROM model_aliases WHERE target = ? AND model = ? AND alias = ?",
                 target, model, alias)
          .ForEach([&](const Statement& row) { version = static_cast<int>(row.Int(0)); }));
  return version;
}

Status RequireVersion(Connection& connection, const std::string& target, const std::string& model,
                      int version) {
  std::vector<std::string> known;
  bool found = false;
  HR_TRY(connection
             .Query("SELECT version FROM model_versions WHERE target = ? AND model = ? ORDER BY "
                    "version DESC",
                    target, model)
             .ForEach([&](const Statement& row) {
               found = found || row.Int(0) == version;
               known.push_back(row.Text(0));
             }));
  if (found) return Ok();
  if (known.empty()) {
    return UserError("unknown_version", fmt::format("model '{}' has no version yet", model))
        .Subject(model)
        .Hint("'headrace run' trains it; 'headrace models' lists all models");
  }
  if (known.size() > 5) known.resize(5);
  return UserError("unknown_version", fmt::format("model '{}' has no version {}", model, version))
      .Subject(std::to_string(version))
      .Hint(fmt::format("its newest versions are {}", fmt::join(known, ", ")));
}

}  // namespace

Status SqliteStore::PutModelVersion(Connection& connection, const std::string& target,
                                    const NodeCommit& commit) {
  const ModelVersion& version = *commit.model;
  Statement taken = connection.Query(
      "SELECT 1 FROM model_versions WHERE target = ? AND model = ? AND version = ?", target,
      version.model, version.version);
  HR_ASSIGN(const bool exists, taken.Step());
  if (exists) {
    return InternalError(fmt::format("version {} of model '{}' was committed before",
                                     version.version, version.model));
  }
  HR_TRY(connection.Run(
      "INSERT INTO model_versions (target, model, version, status, fingerprint, content_hash, "
      "package, created_at, run, training_node, training_build, training_snapshot, row_count, "
      "metrics, gate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      target, version.model, version.version, Text(version.status), version.fingerprint,
      version.content_hash, version.package, Now(), commit.run, version.training.node,
      version.training.build, version.training_snapshot, version.rows, MaskJson(version.metrics),
      MaskJson(version.gate)));
  const std::string alias = AliasOf(version.status);
  if (alias.empty()) return Ok();
  const std::string why = commit.record ? commit.record->reason : std::string();
  return MoveAlias(connection,
                   {target, version.model, alias, version.version, false, "run", why, commit.run});
}

Status SqliteStore::MoveAlias(Connection& connection, const Move& move) {
  HR_ASSIGN(const int from, AliasVersion(connection, move.target, move.model, move.alias));
  if (from != 0 && from != move.version) {
    const ModelStatus left =
        move.alias == "champion" ? ModelStatus::kRetired : ModelStatus::kCandidate;
    HR_TRY(connection.Run(
        "UPDATE model_versions SET status = ? WHERE target = ? AND model = ? AND version = ?",
        Text(left), move.target, move.model, from));
  }
  // A version has one status: another alias that pointed at it goes.
  HR_TRY(
      connection.Run("DELETE FROM model_aliases WHERE target = ? AND model = ? AND "
                     "(alias = ? OR version = ?)",
                     move.target, move.model, move.alias, move.version));
  HR_TRY(
      connection.Run("INSERT INTO model_aliases (target, model, alias, version, pinned, "
                     "changed_at) VALUES (?, ?, ?, ?, ?, ?)",
                     move.target, move.model, move.alias, move.version, move.pinned, Now()));
  HR_TRY(connection.Run(
      "UPDATE model_versions SET status = ? WHERE target = ? AND model = ? AND version = ?",
      move.alias, move.target, move.model, move.version));
  return connection.Run(
      "INSERT INTO model_moves (target, model, alias, from_version, to_version, who, why, run, "
      "moved_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      move.target, move.model, move.alias, from, move.version, Mask(move.who), Mask(move.why),
      move.run, Now());
}

Status SqliteStore::Promote(const Claim& claim, const std::string& model, const std::string& alias,
                            int version, const std::string& who, const std::string& why) {
  const std::vector<std::string> aliases = {"champion", "challenger", "shadow"};
  if (std::find(aliases.begin(), aliases.end(), alias) == aliases.end()) {
    return UserError("unknown_alias", fmt::format("a model has no alias '{}'", alias))
        .Subject(alias)
        .Candidates(Suggest(alias, aliases))
        .Hint("aliases are champion, challenger and shadow");
  }
  return WriteClaimed(claim, [&](Connection& connection) -> Status {
    HR_TRY(RequireVersion(connection, claim.target, model, version));
    return MoveAlias(connection, {claim.target, model, alias, version, false, who, why, ""});
  });
}

Result<int> SqliteStore::Rollback(const Claim& claim, const std::string& model, int version,
                                  const std::string& who, const std::string& why) {
  int to = version;
  HR_TRY(WriteClaimed(claim, [&](Connection& connection) -> Status {
    HR_ASSIGN(const int champion, AliasVersion(connection, claim.target, model, "champion"));
    if (to == 0) {
      // Not simply the last move's origin: after two rollbacks that would be the newer one again.
      HR_TRY(connection
                 .Query("SELECT max(m.to_version) FROM model_moves m WHERE m.target = ? AND "
                        "m.model = ? AND m.alias = 'champion' AND m.to_version < ?",
                        claim.target, model, champion)
                 .ForEach([&](const Statement& row) { to = static_cast<int>(row.Int(0)); }));
      if (to == 0) {
        return UserError("no_older_champion",
                         champion == 0 ? fmt::format("model '{}' never had a champion", model)
                                       : fmt::format("model '{}' had no champion before version {}",
                                                     model, champion))
            .Subject(model)
            .Hint("name a version; 'headrace models' lists them");
      }
    }
    HR_TRY(RequireVersion(connection, claim.target, model, to));
    return MoveAlias(connection, {claim.target, model, "champion", to, true, who, why, ""});
  }));
  return to;
}

Result<int> SqliteStore::NextModelVersion(const std::string& target, const std::string& model) {
  int next = 1;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query("SELECT max(version) FROM model_versions WHERE target = ? AND model = ?", target,
               model)
        .ForEach([&](const Statement& row) { next = static_cast<int>(row.Int(0)) + 1; });
  }));
  return next;
}

Result<std::vector<ModelVersion>> SqliteStore::ListModelVersions(const std::string& target,
                                                                 const std::string& model) {
  std::vector<ModelVersion> versions;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(fmt::format("SELECT {} FROM model_versions v WHERE target = ?1 AND (?2 = '' OR "
                           "model = ?2) ORDER BY model, version DESC",
                           kColumns),
               target, model)
        .ForEach([&](const Statement& row) { versions.push_back(VersionOf(row)); });
  }));
  return versions;
}

Result<std::optional<ModelVersion>> SqliteStore::FindModelVersion(const std::string& target,
                                                                  const std::string& model,
                                                                  const std::string& fingerprint) {
  std::optional<ModelVersion> found;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(fmt::format("SELECT {} FROM model_versions v WHERE target = ? AND model = ? AND "
                           "fingerprint = ? ORDER BY version DESC LIMIT 1",
                           kColumns),
               target, model, fingerprint)
        .ForEach([&](const Statement& row) { found = VersionOf(row); });
  }));
  return found;
}

Result<std::optional<ModelVersion>> SqliteStore::ResolveModel(const std::string& target,
                                                              const std::string& model,
                                                              const std::string& reference) {
  std::optional<ModelVersion> found;
  int number = 0;
  const char* end = reference.data() + reference.size();
  const auto parsed = std::from_chars(reference.data(), end, number);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == end;
  HR_TRY(Read([&](Connection& connection) -> Status {
    int version = number;
    if (!is_number) {
      HR_ASSIGN(version, AliasVersion(connection, target, model, reference));
    }
    return connection
        .Query(fmt::format("SELECT {} FROM model_versions v WHERE target = ? AND model = ? AND "
                           "version = ?",
                           kColumns),
               target, model, version)
        .ForEach([&](const Statement& row) { found = VersionOf(row); });
  }));
  return found;
}

Result<std::vector<ModelAlias>> SqliteStore::ListAliases(const std::string& target,
                                                         const std::string& model) {
  std::vector<ModelAlias> aliases;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(
            "SELECT model, alias, version, pinned, changed_at FROM model_aliases WHERE "
            "target = ?1 AND (?2 = '' OR model = ?2) ORDER BY model, alias",
            target, model)
        .ForEach([&](const Statement& row) {
          aliases.push_back({row.Text(0), row.Text(1), static_cast<int>(row.Int(2)),
                             row.Int(3) != 0, row.Int(4)});
        });
  }));
  return aliases;
}

Result<std::vector<ModelMove>> SqliteStore::ListMoves(const std::string& target,
                                                      const std::string& model, int n) {
  std::vector<ModelMove> moves;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(
            "SELECT model, alias, from_version, to_version, who, why, run, moved_at FROM "
            "model_moves WHERE target = ? AND model = ? ORDER BY seq DESC LIMIT ?",
            target, model, n)
        .ForEach([&](const Statement& row) {
          moves.push_back({row.Text(0), row.Text(1), static_cast<int>(row.Int(2)),
                           static_cast<int>(row.Int(3)), row.Text(4), row.Text(5), row.Text(6),
                           row.Int(7)});
        });
  }));
  return moves;
}

}  // namespace headrace::store
