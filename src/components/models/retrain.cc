#include "components/models/retrain.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/number_text.h"
#include "data/quote.h"
#include "learn/row_changes.h"
#include "monitor/input_drift.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

const RetrainFields* FieldsOf(const ModelOptions& options) {
  return std::get_if<RetrainFields>(&options.retrain);
}

/// "2 days", "5 hours", "40 minutes".
std::string Elapsed(int64_t micros) {
  const int64_t minutes = std::max<int64_t>(micros, 0) / 60'000'000;
  if (minutes >= 2 * 24 * 60) return Counted(minutes / (24 * 60), "day");
  if (minutes >= 2 * 60) return Counted(minutes / 60, "hour");
  return Counted(minutes, "minute");
}

std::string Percent(int64_t part, int64_t whole) {
  return whole > 0 ? fmt::format("{:.2g} %",
                                 100.0 * static_cast<double>(part) / static_cast<double>(whole))
                   : std::string("all");
}

/// The definition is the one the node was last built with.
bool SameDefinition(const pipeline::BuildContext& context) {
  return context.state != nullptr && !context.state->fingerprint.empty() &&
         context.state->definition_digest == store::DefinitionDigest(context.node->definition);
}

}  // namespace

Timestamp After(Timestamp start, const spec::Duration& duration) {
  using namespace std::chrono;
  const sys_time<microseconds> from{microseconds(start)};
  const auto day = floor<days>(from);
  year_month_day date(day);
  date += months(duration.months);
  if (!date.ok()) date = date.year() / date.month() / last;
  return (sys_days(date) + (from - day)).time_since_epoch().count() + duration.micros;
}

/// "10 % of the rows are new or changed, or an input has drifted".
static std::string Wanted(const RetrainFields& fields) {
  std::string text;
  if (fields.rows) {
    text = fields.rows->relative
               ? fmt::format("{:g} % of its rows are new or changed", 100 * fields.rows->value)
               : fmt::format("{:g} rows are new or changed", fields.rows->value);
  }
  if (fields.drift) {
    text += fmt::format("{}{} drifted (PSI {:g})", text.empty() ? "" : ", or ",
                        fields.drift->inputs > 0
                            ? fmt::format("{:g} % of its inputs", 100 * fields.drift->inputs)
                            : std::string("an input"),
                        fields.drift->psi);
  }
  return text;
}

void ProbeRetrain(const ModelOptions& options, const pipeline::ProbeContext& context,
                  const store::ModelVersion* champion, pipeline::Probe* probe) {
  const RetrainFields* fields = FieldsOf(options);
  if (fields == nullptr || champion == nullptr || context.state == nullptr) return;
  probe->only_if = Wanted(*fields);
  if (!fields->every) return;
  const std::string elapsed = Elapsed(context.now - champion->created);
  if (context.now < After(champion->created, *fields->every)) {
    if (fields->rows || fields->drift) return;  // the rows may have changed enough
    probe->keep = fmt::format("version {} was trained {} ago; retrain waits for {}",
                              champion->version, elapsed, fields->every->text);
    return;
  }
  const auto rows = context.state->inputs.find(options.from);
  if (rows == context.state->inputs.end() || champion->training_snapshot.empty() ||
      rows->second == champion->training_snapshot) {
    return;
  }
  probe->changed = fmt::format("version {} was trained {} ago, and its rows have changed since",
                               champion->version, elapsed);
}

namespace {

/// Adds to a reason.
void Say(RetrainAdvice& advice, const std::string& text) {
  advice.reason += (advice.reason.empty() ? "" : "; ") + text;
}

/// Whether enough rows are new or changed.
Status JudgeRows(const ModelOptions& options, const learn::ModelSpec& spec,
                 pipeline::BuildContext& context, const store::ModelVersion& champion,
                 const model::Package& package, const spec::Amount& wanted, RetrainAdvice& advice) {
  HR_ASSIGN(auto rows, context.ReadInput(options.from, {}));
  learn::FrameOptions read;
  read.spec = &spec;
  read.threads = context.budget->threads();
  read.budget = context.budget;
  read.cancel = context.cancel;
  HR_ASSIGN(const learn::RowChanges changes, learn::CountChanges(*rows, read, package.seen));
  const double limit =
      wanted.relative ? wanted.value * static_cast<double>(changes.trained) : wanted.value;
  advice.train = changes.moved() > 0 && static_cast<double>(changes.moved()) >= limit;
  Say(advice, fmt::format("{} rows are new and {} changed since version {} ({} of its {} rows)",
                          changes.added, changes.changed, champion.version,
                          Percent(changes.moved(), changes.trained), changes.trained));
  if (!advice.train) {
    Say(advice, wanted.relative ? fmt::format("retrain waits for {:g} %", 100 * wanted.value)
                                : fmt::format("retrain waits for {:g}", wanted.value));
  }
  return Ok();
}

/// "plan 0.84, usage 0.31 and 2 more".
std::string Named(const std::vector<monitor::ColumnDrift>& columns, size_t count) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(count, kShown); ++i) {
    text +=
        fmt::format("{}{} {:.2f}", i == 0 ? "" : ", ", columns[i].column, columns[i].index.value);
  }
  return count > kShown ? fmt::format("{} and {} more", text, count - kShown) : text;
}

/// Whether the inputs are distributed otherwise than in the champion's training rows.
Status JudgeDrift(const ModelOptions& options, pipeline::BuildContext& context,
                  const store::ModelVersion& champion, const model::Package& package,
                  const DriftFields& wanted, RetrainAdvice& advice) {
  auto drift = monitor::InputDrift::Make(package);
  if (!drift.ok()) {
    if (drift.error().code != "no_profile") return std::move(drift).error();
    advice.train = true;
    Say(advice, drift.error().message);
    return Ok();
  }
  HR_ASSIGN(const std::string input, context.InputSql(options.from));
  HR_ASSIGN(auto connection, context.ConnectInputs());
  HR_ASSIGN(const data::Schema schema, connection.Describe(input));
  data::ReadOptions read;
  read.columns = drift->Columns();
  for (const std::string& column : read.columns) {
    if (schema.Find(column) != nullptr) continue;
    advice.train = true;
    Say(advice, fmt::format("'{}' has no column '{}' any more, an input of version {}",
                            options.from, column, champion.version));
    return Ok();
  }
  read.where = data::QuoteIdentifier(options.target) + " IS NOT NULL";
  HR_ASSIGN(auto rows, context.ReadInput(options.from, read));
  for (;;) {
    HR_TRY(context.cancel.Check());
    HR_ASSIGN(auto batch, rows->Next());
    if (!batch) break;
    HR_TRY(drift->Add(rows->schema(), *batch));
  }
  const auto columns = drift->Judge();
  const auto drifted = static_cast<size_t>(
      std::count_if(columns.begin(), columns.end(),
                    [&](const monitor::ColumnDrift& one) { return one.Drifted(wanted.psi); }));
  const double limit = std::max(1.0, wanted.inputs * static_cast<double>(columns.size()));
  advice.train = static_cast<double>(drifted) >= limit;
  if (drifted > 0) {
    Say(advice, fmt::format("{} of {} inputs drifted since version {} (PSI: {})", drifted,
                            columns.size(), champion.version, Named(columns, drifted)));
  } else {
    Say(advice,
        fmt::format("no input drifted since version {}{}", champion.version,
                    columns.empty() ? std::string() : " (largest PSI: " + Named(columns, 1) + ")"));
  }
  if (!advice.train) {
    Say(advice, drifted > 0 ? fmt::format("retrain waits for {:g} % of them", 100 * wanted.inputs)
                            : fmt::format("retrain waits for {:g}", wanted.psi));
  }
  return Ok();
}

}  // namespace

Result<RetrainAdvice> AdviseRetrain(const ModelOptions& options, const learn::ModelSpec& spec,
                                    pipeline::BuildContext& context,
                                    const store::ModelVersion& champion,
                                    const model::Package& package) {
  RetrainAdvice advice;
  const RetrainFields* fields = FieldsOf(options);
  if (fields == nullptr || context.full || !SameDefinition(context)) return advice;
  if (fields->every && context.now >= After(champion.created, *fields->every)) return advice;
  if (fields->rows) {
    HR_TRY(JudgeRows(options, spec, context, champion, package, *fields->rows, advice));
    if (advice.train) return advice;
  }
  if (fields->drift) {
    HR_TRY(JudgeDrift(options, context, champion, package, *fields->drift, advice));
  }
  return advice;
}

}  // namespace headrace::components
