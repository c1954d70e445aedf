#include "components/sources/database_build.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/number_text.h"
#include "components/sources/csv_build.h"
#include "components/sources/old_snapshot.h"
#include "data/merge.h"
#include "data/quote.h"
#include "data/types.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using data::PendingSnapshot;
using data::QuoteIdentifier;
using pipeline::BuildContext;
using pipeline::Outcome;

/// "n"."a" = "o"."a" AND …
std::string KeyEquals(const std::vector<std::string>& key) {
  std::string same;
  for (const std::string& column : key) {
    same += fmt::format("{}n.{} = o.{}", same.empty() ? "" : " AND ", QuoteIdentifier(column),
                        QuoteIdentifier(column));
  }
  return same;
}

std::string AnyNull(const std::vector<std::string>& key) {
  std::string any;
  for (const std::string& column : key) {
    any += (any.empty() ? "" : " OR ") + QuoteIdentifier(column) + " IS NULL";
  }
  return any;
}

/// The tables that a build leaves on its connection.
constexpr const char* kDropStaged =
    "DROP TABLE IF EXISTS hr_new; DROP TABLE IF EXISTS hr_fresh; DROP TABLE IF EXISTS hr_gone; "
    "DROP TABLE IF EXISTS hr_keys";

class DatabaseBuild {
 public:
  DatabaseBuild(const DatabaseRead& read, const DatabaseLast& last, DatabaseRows& rows,
                BuildContext& context)
      : read_(read), last_(last), rows_(rows), context_(context), spec_(context.node->spec) {}
  ~DatabaseBuild() {
    if (staged_ && duck_) (void)duck_->Execute(kDropStaged);
  }
  DatabaseBuild(const DatabaseBuild&) = delete;

  Result<Outcome> Run();

 private:
  Result<Outcome> ReadAll();
  Result<std::optional<Outcome>> ReadNew();
  Result<bool> StageNew(const data::Schema& old);
  Result<bool> FindGone(const data::Snapshot& old);
  Result<Outcome> Merge(data::Snapshot old);
  Status CompareColumns();
  std::string SelectList() const;
  std::string Latest(const std::string& relation) const;
  std::string Alive() const;
  Result<std::unique_ptr<PendingSnapshot>> Materialize(const std::string& select,
                                                       std::vector<std::string> extra);
  Status KeepSample(const std::string& table);
  Status JudgeKey(int64_t null_keys) const;
  Result<Outcome> Finish(std::unique_ptr<PendingSnapshot> pending, const data::Value& highest,
                         bool only_new);
  Result<int64_t> Count(const std::string& from_where);
  void Note(Severity severity, Error error) {
    notes_.push_back(std::move(error.Node(spec_.name).As(severity)));
  }
  void NoteReplaced(int64_t rows) {
    Note(Severity::kHint,
         Error(Blame::kData, "rows_replaced",
               fmt::format("{} replaced by later rows of the same key",
                           rows == 1 ? "1 row was" : fmt::format("{} rows were", rows))));
  }
  Timestamp Now() const { return context_.clock != nullptr ? context_.clock->Now() : context_.now; }

  const DatabaseRead& read_;
  const DatabaseLast& last_;
  DatabaseRows& rows_;
  BuildContext& context_;
  const spec::NodeSpec& spec_;
  std::string reason_;
  std::map<std::string, std::string> fixed_;
  /// What the table has: name, and the type of a column that the source lacks ("" = it has it).
  std::vector<std::pair<std::string, std::string>> table_;
  std::shared_ptr<data::DuckInstance> instance_;
  std::optional<data::DuckConnection> duck_;
  DatabaseProgress progress_;
  bool staged_ = false;
  std::vector<Error> notes_;
};

Result<Outcome> DatabaseBuild::Run() {
  HR_ASSIGN(fixed_, FixedTypes(spec_));
  HR_ASSIGN(instance_, context_.instances->Open());
  HR_ASSIGN(duck_, instance_->Connect());
  HR_TRY(CompareColumns());
  progress_ = last_.progress;
  if (last_.incremental) {
    HR_ASSIGN(auto outcome, ReadNew());
    if (outcome) return std::move(*outcome);
    (void)duck_->Execute(kDropStaged);
  }
  return ReadAll();
}

/// The columns of the table, judged against those of the last run.
Status DatabaseBuild::CompareColumns() {
  const std::vector<std::string> names = rows_.Names();
  for (const std::string& name : names) table_.emplace_back(name, "");
  if (!last_.comparable) return Ok();
  HR_ASSIGN(Json json, ParseJson(context_.state->snapshot->schema, "schema"));
  HR_ASSIGN(data::Schema old, data::SchemaFromJson(json));
  const ColumnDiff diff = CompareColumnNames(old.Names(), names);
  HR_ASSIGN(auto note, JudgeColumnDiff(diff, read_.schema_change, spec_.name,
                                       spec_.PlaceOf(read_.query ? "query" : "table")));
  if (note) notes_.push_back(std::move(*note));
  if (read_.schema_change != SchemaChange::kIgnore) return Ok();
  table_.clear();
  for (const data::Column& column : old.columns) {
    bool there = false;
    for (const std::string& name : names) there = there || data::SameName(name, column.name);
    table_.emplace_back(column.name, there ? "" : column.type);
  }
  return Ok();
}

std::string DatabaseBuild::SelectList() const {
  std::string items;
  for (const auto& [name, missing] : table_) {
    const std::string quoted = QuoteIdentifier(name);
    const std::string fixed = FixedTypeOf(fixed_, name);
    std::string item = missing.empty() ? rows_.Item(name) : "";
    if (!missing.empty()) {
      item = fmt::format("CAST(NULL AS {})", missing);
    } else if (!fixed.empty()) {
      const std::string plain = std::move(item);
      item = fmt::format("CAST({} AS {})", plain, fixed);
      if (data::ClassOf(fixed) == data::TypeClass::kInteger) {
        // A cast alone would round 1.5 to 2.
        const std::string exact = fmt::format("CAST({} AS DECIMAL(38,9))", plain);
        item = fmt::format(
            "CASE WHEN {0} IS NULL OR {1} = trunc({1}) THEN {2} ELSE error({3}) END", plain, exact,
            item, data::QuoteLiteral("a value of column '" + name + "' is no whole number"));
      }
    }
    items += fmt::format("{}{} AS {}", items.empty() ? "" : ", ", item, quoted);
  }
  return items;
}

/// Of the rows of one key the one with the latest cursor, then the last one read.
std::string DatabaseBuild::Latest(const std::string& relation) const {
  std::vector<std::string> names;
  for (const auto& [name, missing] : table_) names.push_back(name);
  const std::string cursor = read_.cursor.empty() ? "" : QuoteIdentifier(read_.cursor) + " DESC, ";
  return fmt::format(
      "SELECT {} FROM (SELECT *, row_number() OVER () AS \"__order\" FROM {}) QUALIFY row_number() "
      "OVER (PARTITION BY {} ORDER BY {}\"__order\" DESC) = 1",
      data::QuoteIdentifiers(names), relation, data::QuoteIdentifiers(read_.key), cursor);
}

/// Condition of rows that `delete_when` does not remove. NULL removes nothing.
std::string DatabaseBuild::Alive() const {
  return fmt::format("NOT coalesce(({}\n), false)", read_.delete_when);
}

Result<std::unique_ptr<PendingSnapshot>> DatabaseBuild::Materialize(
    const std::string& select, std::vector<std::string> extra) {
  data::MaterializeRequest request;
  request.node = context_.node->name;
  request.build_id = context_.build_id;
  request.select = select;
  request.sample = context_.sample;
  request.aggregates = context_.aggregates;
  for (std::string& aggregate : extra) request.aggregates.push_back(std::move(aggregate));
  request.query = context_.Query();
  HR_ASSIGN(PendingSnapshot pending, context_.writer->Materialize(*duck_, request));
  return std::make_unique<PendingSnapshot>(std::move(pending));
}

/// Removes the rows that a run on a sample leaves out.
Status DatabaseBuild::KeepSample(const std::string& table) {
  if (!context_.sample) return Ok();
  HR_ASSIGN(data::Schema schema, duck_->Describe("SELECT * FROM " + table));
  HR_ASSIGN(std::string condition, data::SampleCondition(*context_.sample, schema));
  HR_TRY(duck_->Execute(fmt::format("DELETE FROM {} WHERE NOT ({})", table, condition), {},
                        context_.Query()));
  return Ok();
}

Status DatabaseBuild::JudgeKey(int64_t null_keys) const {
  if (null_keys == 0) return Ok();
  return DataError("null_key", fmt::format("the key ({}) is NULL in {}", fmt::join(read_.key, ", "),
                                           Counted(null_keys, "row")))
      .At(spec_.PlaceOf("key"))
      .Hint("correct the rows, leave them out with a `query`, or choose another `key`");
}

Result<int64_t> DatabaseBuild::Count(const std::string& from_where) {
  HR_ASSIGN(auto rows, duck_->Query("SELECT count(*) FROM " + from_where, {}, context_.Query()));
  return rows.at(0, 0).AsInt64();
}

// ---- Reading everything

Result<Outcome> DatabaseBuild::ReadAll() {
  HR_TRY(rows_.PrepareAll());
  if (context_.progress != nullptr) context_.progress->SetStage("reading");
  std::vector<std::string> key_facts;
  if (!read_.key.empty()) {
    const std::string names = data::QuoteIdentifiers(read_.key);
    key_facts = {fmt::format("count(*) FILTER (WHERE {})", AnyNull(read_.key)),
                 fmt::format("count(*) - count(DISTINCT {})",
                             read_.key.size() > 1 ? "ROW(" + names + ")" : names)};
  }
  const std::string cursor_fact = rows_.CursorAggregate();
  bool latest_only = false;
  for (int round = 0; round < 4; ++round) {
    HR_ASSIGN(auto source, rows_.ReadAll(*instance_));
    std::string select = fmt::format("SELECT {} FROM {}", SelectList(), source.sql());
    // The latest row of a key decides whether the key is deleted.
    if (latest_only || (!read_.delete_when.empty() && !read_.key.empty())) {
      select = Latest("(" + select + ")");
    }
    if (!read_.delete_when.empty()) {
      select = fmt::format("SELECT * FROM ({}) WHERE {}", select, Alive());
    }
    std::vector<std::string> extra = key_facts;
    if (!cursor_fact.empty()) extra.insert(extra.begin(), cursor_fact);
    auto pending = Materialize(select, extra);
    if (!pending.ok()) {
      if (rows_.Conflict()) {
        HR_ASSIGN(bool widened, rows_.Widen(notes_));
        if (widened) continue;
      }
      return rows_.Explain(std::move(pending).error());
    }
    const auto& values = (*pending)->aggregates();
    if (!read_.key.empty() && !latest_only) {
      HR_TRY(JudgeKey(values[values.size() - 2].AsInt64()));
      const int64_t repeated = values.back().AsInt64();
      if (repeated > 0) {
        NoteReplaced(repeated);
        latest_only = true;
        continue;
      }
    }
    progress_.reconciled = Now();
    const data::Value highest =
        cursor_fact.empty() ? data::Value() : values[values.size() - extra.size()];
    return Finish(std::move(*pending), highest, false);
  }
  return InternalError("types of a database's columns were widened without end");
}

// ---- Reading what is new

/// The new rows as the table hr_new; false when everything must be read after all.
Result<bool> DatabaseBuild::StageNew(const data::Schema& old) {
  HR_ASSIGN(auto source, rows_.ReadNew(*instance_, old));
  staged_ = true;
  HR_TRY(duck_->Execute(kDropStaged));
  auto staged = duck_->Execute(
      fmt::format("CREATE TEMP TABLE hr_new AS SELECT {} FROM {}", SelectList(), source.sql()), {},
      context_.Query());
  if (!staged.ok()) {
    if (rows_.Conflict()) {
      reason_ = "a new value does not fit the type of its column: all rows were read";
      return false;
    }
    return rows_.Explain(std::move(staged).error());
  }
  HR_TRY(KeepSample("hr_new"));
  HR_ASSIGN(data::Schema result, duck_->Describe("SELECT * FROM hr_new"));
  HR_ASSIGN(data::Schema stored, data::StoredSchema(result));
  if (stored != old) {
    reason_ = "the columns changed: all rows were read";
    return false;
  }
  if (!read_.key.empty()) {
    HR_ASSIGN(int64_t nulls, Count("hr_new WHERE " + AnyNull(read_.key)));
    HR_TRY(JudgeKey(nulls));
  }
  return true;
}

/// When it is time to: keys of rows that the source has no more, as the table hr_gone. False when
/// the source has keys that the cursor missed.
Result<bool> DatabaseBuild::FindGone(const data::Snapshot& old) {
  HR_TRY(duck_->Execute("CREATE TEMP TABLE hr_gone AS SELECT " + data::QuoteIdentifiers(read_.key) +
                        " FROM hr_new LIMIT 0"));
  if (read_.reconcile_micros == 0 || Now() - progress_.reconciled < read_.reconcile_micros) {
    return true;
  }
  if (context_.progress != nullptr) context_.progress->SetStage("comparing keys");
  HR_ASSIGN(auto source, rows_.ReadKeys(*instance_, read_.key));
  std::string items;
  for (const std::string& key : read_.key) {
    const data::Column* column = old.schema.Find(key);
    items += fmt::format("{}CAST({} AS {}) AS {}", items.empty() ? "" : ", ", rows_.Item(key),
                         column == nullptr ? "VARCHAR" : column->type, QuoteIdentifier(key));
  }
  auto read = duck_->Execute(
      fmt::format("CREATE TEMP TABLE hr_keys AS SELECT {} FROM {}", items, source.sql()), {},
      context_.Query());
  if (!read.ok()) return rows_.Explain(std::move(read).error());
  HR_TRY(KeepSample("hr_keys"));
  const std::string old_rows = data::ReadSnapshotSql(context_.warehouse, old);
  const std::string names = data::QuoteIdentifiers(read_.key);
  HR_TRY(duck_->Execute(
      fmt::format("INSERT INTO hr_gone SELECT {} FROM ({}) AS o WHERE NOT EXISTS (SELECT 1 FROM "
                  "hr_keys AS n WHERE {})",
                  names, old_rows, KeyEquals(read_.key)),
      {}, context_.Query()));
  // Rows that `delete_when` removed have their key in the source still: they say nothing.
  if (read_.delete_when.empty()) {
    HR_ASSIGN(int64_t missed,
              Count(fmt::format("hr_keys AS o WHERE NOT EXISTS (SELECT 1 FROM ({}) AS n WHERE {}) "
                                "AND NOT EXISTS (SELECT 1 FROM hr_new AS n WHERE {})",
                                old_rows, KeyEquals(read_.key), KeyEquals(read_.key))));
    if (missed > 0) {
      reason_ = fmt::format("the cursor had missed {}: all rows were read", Counted(missed, "row"));
      return false;
    }
  }
  progress_.reconciled = Now();
  return true;
}

/// nullopt when everything must be read after all.
Result<std::optional<Outcome>> DatabaseBuild::ReadNew() {
  HR_ASSIGN(data::Snapshot old, OldSnapshot(context_));
  HR_ASSIGN(bool staged, StageNew(old.schema));
  if (!staged) return std::optional<Outcome>();
  if (!read_.key.empty()) {
    HR_ASSIGN(bool found, FindGone(old));
    if (!found) return std::optional<Outcome>();
  }
  HR_ASSIGN(Outcome outcome, Merge(std::move(old)));
  return std::optional<Outcome>(std::move(outcome));
}

/// hr_new and the rows that are there, as one table.
Result<Outcome> DatabaseBuild::Merge(data::Snapshot old) {
  HR_ASSIGN(data::Schema result, duck_->Describe("SELECT * FROM hr_new"));
  const std::string names = data::QuoteIdentifiers(old.schema.Names());
  const std::string items = data::StoredSelectList(result, old.schema);
  const std::string old_rows = data::ReadSnapshotSql(context_.warehouse, old);
  const bool keyed = !read_.key.empty();
  const std::string candidates = keyed ? Latest("hr_new") : "SELECT * FROM hr_new";
  data::Value highest;
  if (const std::string fact = rows_.CursorAggregate(); !fact.empty()) {
    HR_ASSIGN(auto rows, duck_->Query(fmt::format("SELECT {} FROM hr_new", fact)));
    highest = rows.at(0, 0);
  }
  // Rows at the border were read before: what is there already is taken off, copy by copy.
  HR_TRY(duck_->Execute(
      fmt::format("CREATE TEMP TABLE hr_fresh AS SELECT {0} FROM ({1}) EXCEPT ALL SELECT {2} FROM "
                  "({3}) WHERE {4} >= (SELECT min({4}) FROM hr_new) OR {4} IS NULL",
                  items, candidates, names, old_rows, QuoteIdentifier(read_.cursor)),
      {}, context_.Query()));
  data::MergeRequest request;
  request.node = context_.node->name;
  request.build_id = context_.build_id;
  request.old = std::move(old);
  request.key = read_.key;
  request.rows = fmt::format("SELECT {} FROM hr_fresh", names);
  request.repeatable = true;
  request.aggregates = context_.aggregates;
  request.query = context_.Query();
  int64_t gone = 0;
  if (keyed) {
    const std::string keys = data::QuoteIdentifiers(read_.key);
    HR_ASSIGN(gone, Count("hr_gone"));
    request.deleted = fmt::format("SELECT {} FROM hr_gone", keys);
    // A key whose latest row says that it is deleted.
    if (!read_.delete_when.empty()) {
      request.deleted += fmt::format(" UNION ALL SELECT {} FROM hr_fresh", keys);
    }
  }
  if (!read_.delete_when.empty()) request.rows += " WHERE " + Alive();
  HR_ASSIGN(data::MergeResult merged, data::Merge(*context_.writer, *duck_, request));
  const int64_t replaced = merged.replaced + std::max<int64_t>(0, merged.removed - gone);
  if (replaced > 0) NoteReplaced(replaced);
  if (gone > 0) {
    Note(Severity::kHint,
         Error(Blame::kData, "rows_deleted",
               fmt::format("{} deleted: no longer in the source",
                           gone == 1 ? "1 row was" : fmt::format("{} rows were", gone))));
  }
  const bool nothing = !merged.changed;
  auto pending = std::make_unique<PendingSnapshot>(std::move(*merged.pending));
  HR_ASSIGN(Outcome outcome, Finish(std::move(pending), highest, true));
  outcome.append_to = std::move(merged.kept);
  outcome.merged = true;
  if (nothing && !context_.state->rejection) {
    outcome.action = "reuse";
    outcome.reason = "no new rows in " + rows_.Shown();
    outcome.rows = context_.state->snapshot->rows;
  }
  return outcome;
}

Result<Outcome> DatabaseBuild::Finish(std::unique_ptr<PendingSnapshot> pending,
                                      const data::Value& highest, bool only_new) {
  Outcome outcome;
  HR_ASSIGN(outcome.cursor, rows_.NextCursor(highest, only_new, progress_));
  outcome.reason = reason_;
  outcome.rows = rows_.RowsRead();
  if (outcome.rows == 0 && !only_new) {
    Note(Severity::kHint,
         Error(Blame::kData, "no_rows", "there are no rows").At({.file = rows_.Shown()}));
  }
  for (Error& note : rows_.Notes()) notes_.push_back(std::move(note.Node(spec_.name)));
  outcome.notes = std::move(notes_);
  outcome.pending.emplace(std::move(*pending));
  return outcome;
}

}  // namespace

Result<data::SourceHandle> DatabaseRows::ReadKeys(data::DuckInstance&,
                                                  const std::vector<std::string>&) {
  return InternalError("this database's keys can't be read alone");
}

Result<bool> DatabaseRows::Widen(std::vector<Error>&) { return false; }

Result<std::map<std::string, std::string>> FixedTypes(const spec::NodeSpec& spec) {
  std::map<std::string, std::string> fixed;
  for (const auto& [name, column] : spec.common.columns) {
    if (column.type.empty()) continue;
    auto type = FixedType(column.type, name);
    if (!type.ok()) return Error(type.error()).At(spec.PlaceOf("columns." + name + ".type"));
    fixed[name] = *type;
  }
  return fixed;
}

std::string FixedTypeOf(const std::map<std::string, std::string>& fixed, std::string_view column) {
  for (const auto& [name, type] : fixed) {
    if (data::SameName(name, column)) return type;
  }
  return "";
}

std::optional<spec::Fault> JudgeLookback(const std::optional<spec::Duration>& lookback,
                                         const std::string& cursor) {
  if (!lookback) return std::nullopt;
  if (cursor.empty()) {
    return spec::Fault{"lookback", "lookback needs a cursor", "name the column as `cursor:`"};
  }
  if (lookback->months != 0) {
    return spec::Fault{"lookback", "lookback can't be in months",
                       "write days: months have no fixed length"};
  }
  return std::nullopt;
}

Result<Outcome> BuildFromDatabase(const DatabaseRead& read, const DatabaseLast& last,
                                  DatabaseRows& rows, BuildContext& context) {
  return DatabaseBuild(read, last, rows, context).Run();
}

}  // namespace headrace::components
