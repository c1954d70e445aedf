#include "components/models/retrain.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/number_text.h"
#include "learn/row_changes.h"
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

void ProbeRetrain(const ModelOptions& options, const pipeline::ProbeContext& context,
                  const store::ModelVersion* champion, pipeline::Probe* probe) {
  const RetrainFields* fields = FieldsOf(options);
  if (fields == nullptr || !fields->every || champion == nullptr || context.state == nullptr)
    return;
  const std::string elapsed = Elapsed(context.now - champion->created);
  if (context.now < After(champion->created, *fields->every)) {
    if (fields->rows) return;  // the rows may have changed enough
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

Result<RetrainAdvice> AdviseRetrain(const ModelOptions& options, const learn::ModelSpec& spec,
                                    pipeline::BuildContext& context,
                                    const store::ModelVersion& champion,
                                    const model::Package& package) {
  RetrainAdvice advice;
  const RetrainFields* fields = FieldsOf(options);
  if (fields == nullptr || context.full || !SameDefinition(context)) return advice;
  if (fields->every && context.now >= After(champion.created, *fields->every)) return advice;
  if (!fields->rows) return advice;
  HR_ASSIGN(auto rows, context.ReadInput(options.from, {}));
  learn::FrameOptions read;
  read.spec = &spec;
  read.threads = context.budget->threads();
  read.budget = context.budget;
  read.cancel = context.cancel;
  HR_ASSIGN(const learn::RowChanges changes, learn::CountChanges(*rows, read, package.seen));
  const spec::Amount& wanted = *fields->rows;
  const double limit =
      wanted.relative ? wanted.value * static_cast<double>(changes.trained) : wanted.value;
  advice.train = changes.moved() > 0 && static_cast<double>(changes.moved()) >= limit;
  advice.reason = fmt::format("{} rows are new and {} changed since version {} ({} of its {} rows)",
                              changes.added, changes.changed, champion.version,
                              Percent(changes.moved(), changes.trained), changes.trained);
  if (!advice.train) {
    advice.reason += wanted.relative ? fmt::format("; retrain waits for {:g} %", 100 * wanted.value)
                                     : fmt::format("; retrain waits for {:g}", wanted.value);
  }
  return advice;
}

}  // namespace headrace::components
