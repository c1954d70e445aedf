#include "pipeline/quarantine.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/id.h"
#include "data/quote.h"
#include "pipeline/build_context.h"
#include "spec/print.h"

namespace headrace::pipeline {
namespace {

using data::QuoteIdentifier;
using data::QuoteLiteral;

constexpr const char* kColumns[] = {"_check", "_reason", "_origin", "_run"};

std::vector<const BoundCheck*> Rules(const Node& node) {
  std::vector<const BoundCheck*> rules;
  for (const BoundCheck& check : node.checks) {
    if (check.SetsAside()) rules.push_back(&check);
  }
  return rules;
}

/// NULL is not true: such a row is not bad.
std::string IsBad(const BoundCheck& check, const std::string& relation) {
  return "coalesce((" + check.check->BadRows(relation) + "), false)";
}

/// Where rows of the node come from, for people.
std::string Origin(const BuildContext& context) {
  const Node& node = *context.node;
  if (node.kind != "source" || node.spec.options.spec == nullptr) return node.file;
  auto fields = ParseJson(spec::ToJson(node.spec.options), "fields");
  std::string origin = node.spec.type;
  if (fields.ok()) {
    for (const char* field : {"path", "table", "url"}) {
      if (!fields->contains(field)) continue;
      const Json& value = (*fields)[field];
      if (value.is_string() && value != "") return origin + " " + value.get<std::string>();
      if (value.is_array() && !value.empty() && value[0].is_string()) {
        return origin + " " + value[0].get<std::string>() + (value.size() > 1 ? ", …" : "");
      }
    }
  }
  return origin;
}

bool SameColumns(const data::Schema& rows, const data::Snapshot& quarantine) {
  if (quarantine.schema.size() != rows.size() + std::size(kColumns)) return false;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& before = quarantine.schema.columns[i];
    if (before.name != rows.columns[i].name || before.type != rows.columns[i].type) return false;
  }
  return true;
}

/// One split: names of the pieces, then the texts that run.
class Splitter {
 public:
  Splitter(BuildContext& context, CheckScope& scope, const SplitRequest& request)
      : context_(context),
        scope_(scope),
        request_(request),
        rules_(Rules(*context.node)),
        names_(data::QuoteIdentifiers(request.schema.Names())) {}

  Result<Split> Run(int64_t rows_beside) {
    HR_TRY(Count());
    const bool before = context_.quarantine.has_value();
    if (split_.bad == 0 && !before && !KeepsQuarantine(*context_.node)) return std::move(split_);
    const std::string aside = AsideSql();
    HR_TRY(CountAside(aside));
    const int64_t total = rows_beside + rows_ - split_.bad + split_.counts.rows;
    for (const BoundCheck* rule : rules_) {
      const auto share = static_cast<double>(split_.counts.by_check[rule->id]);
      if (total > 0 && share / static_cast<double>(total) > rule->allow) split_.beyond_allow = true;
    }
    if (split_.beyond_allow) return std::move(split_);
    HR_TRY(Write(QuarantineOf(context_.node->name), aside, {}, split_.aside));
    if (before && split_.aside->snapshot().id == context_.quarantine->id) split_.aside.reset();
    if (split_.bad > 0 || request_.rewrite) {
      HR_TRY(Write(context_.node->name,
                   fmt::format("SELECT {} FROM {} WHERE NOT ({})", names_, request_.rows, AnyBad()),
                   {}, split_.clean));
    }
    return std::move(split_);
  }

 private:
  std::string AnyBad() const {
    std::string any;
    for (const BoundCheck* rule : rules_) {
      any += (any.empty() ? "" : " OR ") + IsBad(*rule, request_.rows);
    }
    return any.empty() ? "false" : any;
  }

  Status Count() {
    HR_ASSIGN(auto rows, scope_.connection.Query(
                             fmt::format("{}SELECT count(*), count(*) FILTER (WHERE {}) FROM {}",
                                         scope_.with, AnyBad(), request_.rows),
                             scope_.parameters, context_.Query()));
    rows_ = rows.at(0, 0).AsInt64();
    split_.bad = rows.at(0, 1).AsInt64();
    return Ok();
  }

  std::string Before() const {
    return "(" + data::ReadSnapshotSql(context_.warehouse, *context_.quarantine) + ")";
  }

  /// Every bad row with what is wrong; what was set aside before in the same words keeps its run.
  std::string BadSql() const {
    std::string checks, reasons;
    for (const BoundCheck* rule : rules_) {
      const std::string bad = IsBad(*rule, request_.rows);
      const char* comma = checks.empty() ? "" : ", ";
      checks += fmt::format("{}CASE WHEN {} THEN {} END", comma, bad, QuoteLiteral(rule->id));
      reasons += fmt::format("{}CASE WHEN {} THEN {} END", comma, bad, rule->check->Reason());
    }
    const auto list = [](const std::string& items) {
      return "list_filter(CAST([" + items + "] AS VARCHAR[]), x -> x IS NOT NULL)";
    };
    std::string bad = fmt::format(
        "SELECT {}, {} AS _check, {} AS _reason, CAST({} AS VARCHAR) AS _origin FROM {} WHERE {}",
        names_, list(checks), list(reasons), QuoteLiteral(Origin(context_)), request_.rows,
        AnyBad());
    const std::string run = QuoteLiteral(context_.run);
    if (!context_.quarantine || !SameColumns(request_.schema, *context_.quarantine)) {
      return fmt::format("SELECT *, CAST({} AS VARCHAR) AS _run FROM ({})", run, bad);
    }
    const std::string hash = data::RowHashSql(request_.schema.Names());
    return fmt::format(
        "SELECT b.*, coalesce(o._run, {}) AS _run FROM ({}) AS b LEFT JOIN (SELECT {} AS hr_hash, "
        "min(_run) AS _run FROM {} GROUP BY 1) AS o ON o.hr_hash = {}",
        run, bad, hash, Before(), RowHashOf("b"));
  }

  std::string RowHashOf(const std::string& alias) const {
    std::string columns;
    for (const std::string& name : request_.schema.Names()) {
      columns += (columns.empty() ? "" : ", ") + alias + "." + QuoteIdentifier(name);
    }
    return "hr_row_hash(" + columns + ")";
  }

  std::string AsideSql() const {
    std::string sql = rules_.empty() ? EmptySql() : BadSql();
    if (!request_.keep.empty() && context_.quarantine && context_.quarantine->rows > 0 &&
        SameColumns(request_.schema, *context_.quarantine)) {
      sql = fmt::format("{} UNION ALL SELECT * FROM {} WHERE {}", sql, Before(), request_.keep);
    }
    return sql;
  }

  std::string EmptySql() const {
    return fmt::format(
        "SELECT {}, CAST([] AS VARCHAR[]) AS _check, CAST([] AS VARCHAR[]) AS _reason, '' AS "
        "_origin, '' AS _run FROM {} LIMIT 0",
        names_, request_.rows);
  }

  Status CountAside(const std::string& aside) {
    std::string items = "count(*)";
    for (const BoundCheck* rule : rules_) {
      items += fmt::format(", count(*) FILTER (WHERE list_contains(_check, {}))",
                           QuoteLiteral(rule->id));
    }
    HR_ASSIGN(auto rows, scope_.connection.Query(
                             fmt::format("{}SELECT {} FROM ({})", scope_.with, items, aside),
                             scope_.parameters, context_.Query()));
    split_.counts.rows = rows.at(0, 0).AsInt64();
    for (size_t i = 0; i < rules_.size(); ++i) {
      split_.counts.by_check[rules_[i]->id] = rows.at(0, i + 1).AsInt64();
    }
    return Ok();
  }

  Status Write(const std::string& table, const std::string& select,
               const std::vector<std::string>& aggregates,
               std::optional<data::PendingSnapshot>& pending) {
    data::MaterializeRequest request;
    request.node = table;
    request.build_id = NewId(*context_.clock);
    request.select = scope_.with + select;
    request.parameters = scope_.parameters;
    request.aggregates = aggregates;
    request.query = context_.Query();
    HR_ASSIGN(data::PendingSnapshot written,
              context_.writer->Materialize(scope_.connection, request));
    pending.emplace(std::move(written));
    return Ok();
  }

  BuildContext& context_;
  CheckScope& scope_;
  const SplitRequest& request_;
  const std::vector<const BoundCheck*> rules_;
  const std::string names_;
  Split split_;
  int64_t rows_ = 0;
};

}  // namespace

std::string QuarantineOf(const std::string& node) { return node + "__quarantine"; }

bool SetsAside(const Node& node) {
  return std::any_of(node.checks.begin(), node.checks.end(),
                     [](const BoundCheck& check) { return check.SetsAside(); });
}

bool KeepsQuarantine(const Node& node) {
  return std::any_of(node.checks.begin(), node.checks.end(), [](const BoundCheck& check) {
    return check.SetsAside() && check.type != "cursor";
  });
}

Result<CheckScope> OpenCheckScope(const BuildContext& context) {
  HR_ASSIGN(data::DuckConnection connection, context.ConnectInputs());
  CheckScope scope{std::move(connection), "", {}};
  const Project& project = *context.project;
  std::set<std::string> seen;
  for (int index : context.node->check_inputs) {
    const Node& read = project.nodes()[index];
    if (!read.view) continue;
    HR_ASSIGN(std::string text, context.InputSql(read.name));
    scope.with +=
        (scope.with.empty() ? "WITH " : ", ") + QuoteIdentifier(read.name) + " AS (" + text + "\n)";
    for (auto& parameter : UsedParameters(project, read, context.parameters)) {
      if (seen.insert(parameter.name).second) scope.parameters.push_back(std::move(parameter));
    }
  }
  if (!scope.with.empty()) scope.with += " ";
  return scope;
}

Result<Split> SplitRows(BuildContext& context, CheckScope& scope, const SplitRequest& request,
                        int64_t rows_beside) {
  return Splitter(context, scope, request).Run(rows_beside);
}

}  // namespace headrace::pipeline
