#include "learn/split_wish.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "model/column_values.h"

namespace headrace::learn {

Result<evaluate::SplitOptions> SplitOptionsOf(const ModelSpec& spec, bool single) {
  evaluate::SplitOptions out;
  out.seed = static_cast<uint64_t>(spec.seed);
  if (single) out.folds = 2;  // they are not used
  const std::string& test = spec.test;
  const auto refuse = [&](const std::string& why) {
    return UserError("bad_test", fmt::format("`test: {}` of model '{}' {}", test, spec.name, why))
        .Subject(test)
        .Hint("write a share (20%), a duration (30 days, with time:), holdout or cross");
  };
  if (test == "holdout") {
    out.choice = evaluate::SplitChoice::kHoldout;
  } else if (test == "cross") {
    out.choice = evaluate::SplitChoice::kCross;
  } else if (test.ends_with('%')) {
    const auto share = model::ParseNumber(std::string_view(test).substr(0, test.size() - 1));
    if (!share || !(*share >= 1 && *share <= 80)) return refuse("is no share from 1% to 80%");
    out.test_share = *share / 100;
    out.choice = evaluate::SplitChoice::kHoldout;
  } else if (!test.empty()) {
    const auto duration = ParseDuration(test);
    if (!duration.ok()) return refuse("is neither a share nor a duration");
    if (spec.time.empty()) return refuse("is a duration, which needs a `time:` column");
    out.test_duration = *duration;
  }
  if (!spec.label_after.empty()) {
    HR_ASSIGN(out.label_after, ParseDuration(spec.label_after));
    if (spec.time.empty()) {
      return UserError("bad_label_after", fmt::format("`label_after: {}` of model '{}' needs a "
                                                      "`time:` column",
                                                      spec.label_after, spec.name));
    }
  }
  return out;
}

}  // namespace headrace::learn
