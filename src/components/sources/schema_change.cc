#include "components/sources/schema_change.h"

#include <fmt/format.h>

#include "base/suggest.h"
#include "data/types.h"

namespace headrace::components {
namespace {

std::string Quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

data::Schema SchemaOf(const std::vector<std::string>& names) {
  data::Schema schema;
  for (const std::string& name : names) schema.columns.push_back({name, "", true});
  return schema;
}

}  // namespace

const spec::Options& SpecOptions(SchemaChange*) {
  static const spec::Options options{
      {"add",
       "New columns are added, wider types are taken over; a dropped or renamed column is an "
       "error.",
       static_cast<int64_t>(SchemaChange::kAdd)},
      {"fail", "Any change is an error.", static_cast<int64_t>(SchemaChange::kFail)},
      {"ignore",
       "The table keeps its columns and types: new columns are left out, dropped ones become NULL.",
       static_cast<int64_t>(SchemaChange::kIgnore)}};
  return options;
}

ColumnDiff CompareColumnNames(const std::vector<std::string>& old,
                              const std::vector<std::string>& now) {
  const data::Schema before = SchemaOf(old), after = SchemaOf(now);
  ColumnDiff diff;
  for (const std::string& name : old) {
    if (after.Find(name) == nullptr) diff.gone.push_back(name);
  }
  for (const std::string& name : now) {
    if (before.Find(name) == nullptr) diff.added.push_back(name);
  }
  return diff;
}

ColumnDiff CompareColumnTypes(const data::Schema& old, const data::Schema& now) {
  ColumnDiff diff = CompareColumnNames(old.Names(), now.Names());
  for (const data::Column& before : old.columns) {
    const data::Column* after = now.Find(before.name);
    if (after == nullptr || after->type == before.type) continue;
    diff.retyped.push_back({before.name, before.type, after->type});
  }
  return diff;
}

Result<std::optional<Error>> JudgeColumnDiff(const ColumnDiff& diff, SchemaChange allowed,
                                             const std::string& node, const Place& place) {
  if (diff.empty()) return std::optional<Error>();
  std::string said;
  if (!diff.gone.empty()) {
    said += Quoted(diff.gone) + (diff.gone.size() == 1 ? " is gone" : " are gone");
  }
  if (!diff.added.empty()) {
    said += (said.empty() ? "" : ", ") + Quoted(diff.added) +
            (diff.added.size() == 1 ? " is new" : " are new");
  }
  for (const ColumnDiff::Retyped& column : diff.retyped) {
    said += fmt::format("{}'{}' is {}, was {}", said.empty() ? "" : ", ", column.name, column.to,
                        column.from);
  }
  Error error =
      DataError("schema_changed", fmt::format("the columns of '{}' changed: {}", node, said));
  error.At(place).Node(node).Subject(!diff.gone.empty()    ? diff.gone.front()
                                     : !diff.added.empty() ? diff.added.front()
                                                           : diff.retyped.front().name);
  switch (allowed) {
    case SchemaChange::kFail:
      return error.Hint(
          fmt::format("`schema_change: fail` allows no change; to take the columns "
                      "as they are now: headrace run --full {}",
                      node));
    case SchemaChange::kAdd:
      if (diff.gone.empty()) return std::optional<Error>(std::move(error.As(Severity::kHint)));
      error.Candidates(Suggest(diff.gone.front(), diff.added));
      return error.Hint(fmt::format(
          "correct the source; or, to take the columns as they are now: headrace run --full {}; or "
          "write `schema_change: ignore` to have NULL in columns that are gone",
          node));
    case SchemaChange::kIgnore:
      break;
  }
  error.Hint(diff.retyped.empty()
                 ? "`schema_change: ignore`: columns that are gone are NULL, new ones are left out"
                 : "`schema_change: ignore`: columns that are gone are NULL, new ones are left "
                   "out, others keep their types; a value that does not fit is an error");
  return std::optional<Error>(std::move(error.As(Severity::kWarning)));
}

}  // namespace headrace::components
