// The side of a row is a function of (seed, hash) alone, so a row that was test stays test in every
// later version and identical inputs never stand on both sides. Folds: fold_layout.cc.
#include "evaluate/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "base/number_text.h"
#include "evaluate/random.h"
#include "evaluate/split_parts.h"

namespace headrace::evaluate {
namespace {

constexpr uint64_t kTestStream = 1;

std::string ClassName(const SplitInput& input, size_t k) {
  return k < input.class_names.size() ? input.class_names[k] : fmt::format("{}", k);
}

std::vector<size_t> CountClasses(const SplitInput& input) {
  std::vector<size_t> counts(static_cast<size_t>(input.classes));
  for (const int32_t label : input.label) ++counts[static_cast<size_t>(label)];
  return counts;
}

Status CheckShapes(const SplitInput& input) {
  const size_t n = input.size();
  const auto fits = [n](size_t size) { return size == 0 || size == n; };
  if (!fits(input.group.size()) || !fits(input.time.size()) || !fits(input.label.size()) ||
      !fits(input.target.size()) || n > UINT32_MAX) {
    return InternalError(fmt::format("split: columns of {} rows differ in length", n));
  }
  if (input.classes == 0 && !input.label.empty()) {
    return InternalError("split: labels without a number of classes");
  }
  for (const int32_t label : input.label) {
    if (label < 0 || label >= input.classes) {
      return InternalError(fmt::format("split: label {} of {} classes", label, input.classes));
    }
  }
  return Ok();
}

Status CheckOptions(const SplitOptions& options, bool has_time) {
  const auto bad = [](std::string message) { return UserError("bad_split", std::move(message)); };
  if (options.folds < 2) return bad(fmt::format("folds is {}; expected 2 or more", options.folds));
  if (!(options.test_share > 0 && options.test_share < 0.9)) {
    return bad(fmt::format("the test share is {}; expected more than 0 and less than 0.9",
                           options.test_share));
  }
  if (!has_time && (options.test_duration || options.label_after != 0)) {
    return bad("a test set by duration and label_after need the model's time column (time:)");
  }
  if (options.label_after < 0 || (options.test_duration && *options.test_duration <= 0)) {
    return bad("durations of the split must not be negative");
  }
  if (has_time && options.choice == SplitChoice::kCross) {
    return bad(
        "a model with a time column is judged on its latest rows; remove `time:` to "
        "cross-validate in any order");
  }
  return Ok();
}

Status CheckTarget(const SplitInput& input, const SplitOptions& options) {
  const size_t n = input.size();
  if (n < options.fewest_rows) {
    return DataError("too_few_rows",
                     fmt::format("there are {} rows with a target, expected at least {}", n,
                                 options.fewest_rows))
        .Hint("a model can't be judged on so few rows; collect more before training");
  }
  if (!input.label.empty()) {
    const std::vector<size_t> counts = CountClasses(input);
    const auto present =
        std::count_if(counts.begin(), counts.end(), [](size_t c) { return c > 0; });
    if (present < 2) {
      const auto only = std::find_if(counts.begin(), counts.end(), [](size_t c) { return c > 0; });
      return DataError(
          "one_class",
          fmt::format("all {} rows have the target '{}', expected at least two classes", n,
                      ClassName(input, static_cast<size_t>(only - counts.begin()))));
    }
    for (size_t k = 0; k < counts.size(); ++k) {
      if (present == 2 && counts[k] == 1) {
        return DataError("rare_class",
                         fmt::format("only one of {} rows has the target '{}'; it can't be both "
                                     "learned from and judged",
                                     n, ClassName(input, k)));
      }
    }
    return Ok();
  }
  for (size_t i = 0; i < input.target.size(); ++i) {
    if (std::isfinite(input.target[i])) continue;
    return DataError("bad_target",
                     fmt::format("the target of row {} is {}, expected a finite number", i + 1,
                                 input.target[i]));
  }
  if (!input.target.empty() && std::all_of(input.target.begin(), input.target.end(),
                                           [&](double y) { return y == input.target[0]; })) {
    return DataError("constant_target", fmt::format("the target is {} in all {} rows; there is "
                                                    "nothing to learn",
                                                    input.target[0], n));
  }
  return Ok();
}

/// Dense numbers of equal hashes, in order of first appearance. The hashes are even, so their low
/// bits are the place in an open table of first rows.
std::vector<uint32_t> NumberUnits(std::span<const Hash128> hashes, uint32_t* units) {
  constexpr uint32_t kFree = std::numeric_limits<uint32_t>::max();
  const size_t places = std::bit_ceil(2 * hashes.size() + 1);
  std::vector<uint32_t> first(places, kFree), number(hashes.size());
  uint32_t next = 0;
  for (uint32_t row = 0; row < number.size(); ++row) {
    size_t at = hashes[row].low & (places - 1);
    while (first[at] != kFree && hashes[first[at]] != hashes[row]) at = (at + 1) & (places - 1);
    if (first[at] == kFree) {
      first[at] = row;
      number[row] = next++;
    } else {
      number[row] = number[first[at]];
    }
  }
  *units = next;
  return number;
}

bool WantsTestSet(const SplitInput& input, const SplitOptions& options) {
  if (options.choice == SplitChoice::kHoldout) return true;
  if (options.choice == SplitChoice::kCross) return false;
  if (input.size() < options.rows_for_test_set) return false;
  if (input.label.empty()) return true;
  for (const size_t count : CountClasses(input)) {
    if (count > 0 && count < options.rarest_class_for_test_set) return false;
  }
  return true;
}

/// Draws the test set by hash. False (with a note) when few groups make it unusable.
bool DrawTestSet(const SplitInput& input, const SplitOptions& options, SplitPlan& plan) {
  const std::span<const Hash128> hashes = input.group.empty() ? input.row : input.group;
  for (uint32_t row = 0; row < input.size(); ++row) {
    const bool test = HashPosition(options.seed, kTestStream, hashes[row]) < options.test_share;
    (test ? plan.test : plan.train).push_back(row);
  }
  const double share = static_cast<double>(plan.test.size()) / static_cast<double>(input.size());
  bool usable = share > options.test_share / 2 && share < std::min(2 * options.test_share, 0.95);
  if (!input.label.empty() && usable) {
    std::vector<size_t> all = CountClasses(input), test(all.size());
    for (const uint32_t row : plan.test) ++test[static_cast<size_t>(input.label[row])];
    for (size_t k = 0; k < all.size(); ++k) {
      if (all[k] > 1 && (test[k] == 0 || test[k] == all[k])) usable = false;
    }
  }
  if (usable) return true;
  plan.notes.push_back(fmt::format(
      "no test set: by hash it would hold {:.1f} % of the rows or lack a class (few large groups, "
      "or few rows)",
      100 * share));
  plan.test.clear();
  plan.train.clear();
  return false;
}

void Describe(const SplitInput& input, const SplitOptions& options, SplitPlan& plan) {
  const std::string by = input.group.empty() ? "hash of the row's key or content"
                                             : "hash of its group, so a group stays on one side";
  if (plan.kind == SplitKind::kHoldout) {
    plan.description = fmt::format(
        "{:.0f} % test set: {} of {} rows, each by {}; {} folds over the other {} rows choose the "
        "model.",
        100 * options.test_share, Thousands(plan.test.size()), Thousands(input.size()), by,
        plan.folds.size(), Thousands(plan.train.size()));
  } else {
    plan.description = fmt::format(
        "{}-fold cross-validation of {} rows, folds by {}; every number is from scores of rows "
        "that the scoring model had not seen.",
        plan.folds.size(), Thousands(input.size()), by);
  }
}

}  // namespace

double HashPosition(uint64_t seed, uint64_t stream, const Hash128& hash) {
  const uint64_t key = RandomTable(seed, stream).Bits(0);
  const uint64_t bits = Mix64(Mix64(hash.low ^ key) + hash.high);
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

std::string Thousands(size_t number) {
  std::string text = fmt::format("{}", number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

const char* SplitKindName(SplitKind kind) {
  switch (kind) {
    case SplitKind::kHoldout:
      return "holdout";
    case SplitKind::kCrossValidation:
      return "cross_validation";
    case SplitKind::kTime:
      return "time";
  }
  return "";
}

double SplitPosition(uint64_t seed, const Hash128& hash) {
  return HashPosition(seed, kTestStream, hash);
}

Result<SplitPlan> PlanSplit(const SplitInput& input, const SplitOptions& options) {
  HR_TRY(CheckShapes(input));
  HR_TRY(CheckOptions(options, !input.time.empty()));
  HR_TRY(CheckTarget(input, options));
  SplitPlan plan;
  if (!input.label.empty()) {
    const std::vector<size_t> counts = CountClasses(input);
    for (size_t k = 0; k < counts.size(); ++k) {
      if (counts[k] > 0 && counts[k] < 30) {
        plan.notes.push_back(fmt::format("class '{}' has only {}", ClassName(input, k),
                                         Counted(static_cast<int64_t>(counts[k]), "row")));
      }
    }
  }
  plan.unit = NumberUnits(input.group.empty() ? input.row : input.group, &plan.units);
  if (!input.time.empty()) {
    HR_TRY(PlanTimeSplit(input, options, plan));
    return plan;
  }
  plan.kind = SplitKind::kHoldout;
  if (!WantsTestSet(input, options) || !DrawTestSet(input, options, plan)) {
    plan.kind = SplitKind::kCrossValidation;
    plan.train.resize(input.size());
    std::iota(plan.train.begin(), plan.train.end(), 0u);
  }
  HR_ASSIGN(plan.salt, LayOutFolds(input, options, plan));
  Describe(input, options, plan);
  return plan;
}

}  // namespace headrace::evaluate
