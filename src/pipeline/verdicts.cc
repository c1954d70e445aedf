#include "pipeline/verdicts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/number_text.h"
#include "data/quote.h"

namespace headrace::pipeline {
namespace {

constexpr int kSampleRows = 5;
constexpr size_t kSampleBytes = 300;

std::string SampleOf(const JudgeRequest& request, const BoundCheck& check) {
  const Node& node = *request.node;
  const std::string& relation = request.relation;
  if (check.check->OfTable()) return "";
  std::string query = check.check->SampleSql(relation);
  if (query.empty()) {
    const std::string bad = check.check->BadRows(relation);
    if (bad.empty()) return "";
    query = "SELECT * FROM " + relation + " WHERE " + bad;
  }
  auto rows = request.scope->connection.Query(
      request.scope->with + "SELECT * FROM (" + query + ") LIMIT " + std::to_string(kSampleRows),
      request.scope->parameters);
  if (!rows.ok()) return "";  // a sample is a courtesy: its failure changes no verdict
  std::string text;
  for (const auto& row : rows->rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string& name = rows->schema.columns[c].name;
      auto fields = node.spec.common.columns.find(name);
      if (fields != node.spec.common.columns.end() && fields->second.pii) continue;
      line += (line.empty() ? "" : ", ") + name + "=" + row[c].Text();
    }
    if (line.size() > kSampleBytes) {
      size_t end = kSampleBytes;
      while (end > 0 && (line[end] & 0xC0) == 0x80) --end;
      line = line.substr(0, end) + "…";
    }
    text += (text.empty() ? "" : "\n") + line;
  }
  return text;
}

std::string ShareText(double share, double allow) {
  return fmt::format(" ({:.2f} % of the rows, allowed are {:.2f} %)", share * 100, allow * 100);
}

/// Of a check whose bad rows are set aside.
void JudgeAside(const JudgeRequest& request, const BoundCheck& check, store::Verdict& verdict) {
  const auto found = request.aside.by_check.find(check.id);
  verdict.failing_rows = found == request.aside.by_check.end() ? 0 : found->second;
  verdict.total_rows = request.facts.rows + request.aside.rows;
  if (verdict.failing_rows == 0) return;
  const double share = static_cast<double>(verdict.failing_rows) /
                       static_cast<double>(std::max<int64_t>(verdict.total_rows, 1));
  const std::string rows = Counted(verdict.failing_rows, "row");
  if (share > check.allow) {
    verdict.status = store::VerdictStatus::kFail;
    verdict.message = rows + " would be set aside" + ShareText(share, check.allow);
    verdict.sample = SampleOf(request, check);
    return;
  }
  verdict.status = store::VerdictStatus::kWarn;
  verdict.message = rows + (verdict.failing_rows == 1 ? " is" : " are") + " set aside";
}

void JudgeOne(const JudgeRequest& request, const BoundCheck& check,
              std::span<const data::Value> values, store::Verdict& verdict) {
  const int64_t rows = request.facts.rows;
  verdict.total_rows = rows;
  const int64_t failing = check.check->FailingRows(values, request.facts);
  const bool of_table = check.check->OfTable();
  if (of_table) verdict.message = check.check->Describe(values, request.facts);
  if (failing == 0) return;
  const auto failed = check.severity == spec::CheckSeverity::kWarn ? store::VerdictStatus::kWarn
                                                                   : store::VerdictStatus::kFail;
  if (of_table) {
    verdict.status = failed;
    return;
  }
  verdict.failing_rows = failing;
  const double share = rows == 0 ? 1 : static_cast<double>(failing) / static_cast<double>(rows);
  verdict.message = check.check->Describe(values, request.facts);
  if (share <= check.allow) {
    verdict.message += " (allowed)";
    return;
  }
  verdict.status = failed;
  if (check.allow > 0) verdict.message += ShareText(share, check.allow);
  verdict.sample = SampleOf(request, check);
}

}  // namespace

std::vector<std::string> CheckAggregates(const Node& node, const std::string& relation) {
  std::vector<std::string> all;
  for (const BoundCheck& check : node.checks) {
    if (check.SetsAside()) continue;
    for (auto& expression : check.check->Aggregates(relation)) all.push_back(std::move(expression));
  }
  return all;
}

bool ChecksAreSimple(const Node& node) {
  return std::none_of(node.checks.begin(), node.checks.end(), [](const BoundCheck& check) {
    return check.SetsAside() || check.check->ReadsItself() || !check.check->Reads().empty();
  });
}

Result<std::vector<data::Value>> EvaluateChecks(CheckScope& scope, const std::string& relation,
                                                const std::vector<std::string>& aggregates,
                                                const data::QueryOptions& options) {
  if (aggregates.empty()) return std::vector<data::Value>();
  std::string query = scope.with + "SELECT ";
  for (size_t i = 0; i < aggregates.size(); ++i) query += (i > 0 ? ",\n" : "") + aggregates[i];
  HR_ASSIGN(auto rows,
            scope.connection.Query(query + " FROM " + relation, scope.parameters, options));
  return std::move(rows.rows.front());
}

store::Verdict JudgeTimeCheck(const BoundCheck& check, std::span<const data::Value> values,
                              Timestamp now, int64_t rows) {
  JudgeRequest request;
  request.facts.rows = rows;
  request.facts.now = now;
  store::Verdict verdict;
  verdict.check = check.id;
  verdict.severity = std::string(spec::Text(check.severity));
  JudgeOne(request, check, values, verdict);
  return verdict;
}

std::vector<store::Verdict> JudgeChecks(const JudgeRequest& request) {
  std::vector<store::Verdict> verdicts;
  size_t at = 0;
  for (const BoundCheck& check : request.node->checks) {
    store::Verdict verdict;
    verdict.check = check.id;
    verdict.severity = std::string(spec::Text(check.severity));
    if (check.SetsAside()) {
      JudgeAside(request, check, verdict);
    } else {
      const size_t count = check.check->Aggregates(request.relation).size();
      JudgeOne(request, check, request.values.subspan(at, count), verdict);
      at += count;
    }
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

bool Rejected(const std::vector<store::Verdict>& verdicts) {
  for (const auto& verdict : verdicts) {
    if (verdict.status == store::VerdictStatus::kFail) return true;
  }
  return false;
}

namespace {

std::string SampleText(const store::Verdict& verdict) {
  std::string text;
  std::string_view sample = verdict.sample;
  while (!sample.empty()) {
    size_t end = sample.find('\n');
    text += "\n    " + std::string(sample.substr(0, end));
    sample = end == std::string_view::npos ? std::string_view() : sample.substr(end + 1);
  }
  return text;
}

}  // namespace

Error CheckError(const Node& node, const std::vector<store::Verdict>& verdicts) {
  std::vector<const store::Verdict*> failed;
  for (const auto& verdict : verdicts) {
    if (verdict.status == store::VerdictStatus::kFail) failed.push_back(&verdict);
  }
  if (node.kind == "check" && !failed.empty()) {
    Error error =
        DataError("check_failed", "check '" + node.name + "' failed: " + failed.front()->message +
                                      SampleText(*failed[0]));
    return std::move(error.At(node.checks.front().place).Node(node.name))
        .Hint("what reads the nodes it is about does not run until it passes");
  }
  std::string message =
      failed.size() == 1 ? "a check failed" : std::to_string(failed.size()) + " checks failed";
  message += ", so the rows of '" + node.name + "' were not passed on";
  for (const auto* verdict : failed) {
    message += "\n  " + verdict->check + ": " + verdict->message + SampleText(*verdict);
  }
  Error error = DataError("check_failed", message);
  for (const BoundCheck& check : node.checks) {
    if (!failed.empty() && check.id == failed.front()->check) error.At(check.place);
  }
  error.Node(node.name).Hint(
      "the rows that were there before stay; correct the source or the check and run again");
  return error;
}

}  // namespace headrace::pipeline
