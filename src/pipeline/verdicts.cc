#include "pipeline/verdicts.h"

#include <fmt/format.h>

#include "data/quote.h"

namespace headrace::pipeline {
namespace {

constexpr int kSampleRows = 5;
constexpr size_t kSampleBytes = 300;

std::string SampleOf(const Node& node, const BoundCheck& check, data::DuckConnection& connection,
                     const std::string& relation) {
  std::string query = check.check->SampleSql(relation);
  if (query.empty()) {
    const std::string bad = check.check->BadRows();
    if (bad.empty()) return "";
    query = "SELECT * FROM " + relation + " WHERE " + bad;
  }
  auto rows =
      connection.Query("SELECT * FROM (" + query + ") LIMIT " + std::to_string(kSampleRows));
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

}  // namespace

std::vector<std::string> CheckAggregates(const Node& node) {
  std::vector<std::string> all;
  for (const BoundCheck& check : node.checks) {
    for (auto& expression : check.check->Aggregates()) all.push_back(std::move(expression));
  }
  return all;
}

std::vector<store::Verdict> JudgeChecks(const Node& node, std::span<const data::Value> values,
                                        int64_t rows, data::DuckConnection& connection,
                                        const std::string& relation) {
  std::vector<store::Verdict> verdicts;
  size_t at = 0;
  for (const BoundCheck& check : node.checks) {
    const size_t count = check.check->Aggregates().size();
    auto own = values.subspan(at, count);
    at += count;
    store::Verdict verdict;
    verdict.check = check.id;
    verdict.severity = check.severity == spec::CheckSeverity::kWarn ? "warn" : "error";
    verdict.total_rows = rows;
    verdict.failing_rows = check.check->FailingRows(own);
    if (verdict.failing_rows > 0) {
      const double share =
          rows == 0 ? 1 : static_cast<double>(verdict.failing_rows) / static_cast<double>(rows);
      verdict.message = check.check->Describe(own, rows);
      if (share > check.allow) {
        verdict.status = check.severity == spec::CheckSeverity::kWarn ? store::VerdictStatus::kWarn
                                                                      : store::VerdictStatus::kFail;
        if (check.allow > 0) {
          verdict.message += fmt::format(" ({:.2f} % of the rows, allowed are {:.2f} %)",
                                         share * 100, check.allow * 100);
        }
        verdict.sample = SampleOf(node, check, connection, relation);
      } else {
        verdict.message += " (allowed)";
      }
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

Error CheckError(const Node& node, const std::vector<store::Verdict>& verdicts) {
  std::vector<const store::Verdict*> failed;
  for (const auto& verdict : verdicts) {
    if (verdict.status == store::VerdictStatus::kFail) failed.push_back(&verdict);
  }
  std::string message =
      failed.size() == 1 ? "a check failed" : std::to_string(failed.size()) + " checks failed";
  message += ", so the rows of '" + node.name + "' were not passed on";
  for (const auto* verdict : failed) {
    message += "\n  " + verdict->check + ": " + verdict->message;
    std::string_view sample = verdict->sample;
    while (!sample.empty()) {
      size_t end = sample.find('\n');
      message += "\n    " + std::string(sample.substr(0, end));
      sample = end == std::string_view::npos ? std::string_view() : sample.substr(end + 1);
    }
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
