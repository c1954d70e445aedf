#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/number_text.h"
#include "base/text_table.h"
#include "cli/commands.h"

namespace headrace::cli {
namespace {

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json ToJson(const engine::ModelComparison& comparison) {
  Json metrics = Json::object();
  for (const learn::ComparedMetric& metric : comparison.result.metrics) {
    metrics[metric.name] = {{"a", Number(metric.a)},
                            {"b", Number(metric.b)},
                            {"difference", Number(metric.difference)},
                            {"low", Number(metric.low)},
                            {"high", Number(metric.high)},
                            {"higher_is_better", metric.higher_is_better}};
  }
  return {{"event", "model_compare"},           {"model", comparison.a.model},
          {"a", comparison.a.version},          {"b", comparison.b.version},
          {"rows", comparison.result.rows},     {"rows_labelled", comparison.result.rows_labelled},
          {"metric", comparison.result.metric}, {"verdict", comparison.result.verdict},
          {"metrics", std::move(metrics)}};
}

}  // namespace

int ModelCompare(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Sound()) return 2;
  const auto version = [&](size_t i) {
    return i < arguments.paths.size() ? arguments.paths[i] : std::string();
  };
  auto comparison = session.engine().CompareModels(arguments.subject, version(0), version(1));
  if (!comparison.ok()) return session.Fail(comparison.error());
  if (console.json()) {
    console.JsonLine(ToJson(*comparison));
    return 0;
  }
  const auto name = [](const store::ModelVersion& v) {
    return fmt::format("version {} ({})", v.version, store::Text(v.status));
  };
  const learn::VersionComparison& result = comparison->result;
  console.Text(fmt::format("{}: {} against {}, on {} of {} rows that neither has learned from\n\n",
                           console.OutBold(arguments.subject), name(comparison->b),
                           name(comparison->a), result.rows, result.rows_labelled));
  TextTable table({"METRIC", fmt::format("VERSION {}", comparison->a.version),
                   fmt::format("VERSION {}", comparison->b.version), "DIFFERENCE", "95 % FROM",
                   "TO"});
  for (const learn::ComparedMetric& metric : result.metrics) {
    table.AddRow({metric.name, Compact(metric.a), Compact(metric.b), Compact(metric.difference),
                  Compact(metric.low), Compact(metric.high)});
  }
  console.Text(table.Render({console.columns(), console.out_color()}));
  console.Text(result.verdict == "no clear difference"
                   ? fmt::format("\nno clear difference in {}\n", result.metric)
                   : fmt::format("\nversion {} is {} by {}\n", comparison->b.version,
                                 result.verdict, result.metric));
  return 0;
}

}  // namespace headrace::cli
