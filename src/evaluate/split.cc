// Splits. The side of a row is a function of (seed, hash) alone, so a row that was test stays test
// in every later version and identical inputs never stand on both sides. Exact stratification would
// break that: sorting within a class and cutting moves border rows whenever rows are added. Instead
// the folds are laid out by hash with a salt, and only when a fold lacks a class (or is much too
// small) the next salt is tried: for all but tiny data the salt is 0, and it stays what it is until
// the data change enough to make a fold bad again. If no salt does, whole units (groups, or sets of
// identical rows) are dealt out, largest first, to the fold with the fewest rows.
#include "evaluate/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "evaluate/random.h"
#include "evaluate/split_parts.h"

namespace headrace::evaluate {
namespace {

constexpr uint64_t kTestStream = 1, kFoldStream = 2;

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

/// Dense numbers of equal hashes, in order of first appearance.
std::vector<uint32_t> NumberUnits(std::span<const Hash128> hashes, uint32_t* units) {
  std::vector<uint32_t> order(hashes.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return hashes[a] != hashes[b] ? hashes[a] < hashes[b] : a < b;
  });
  std::vector<uint32_t> first(hashes.size());  // first row of each row's set
  for (size_t i = 0; i < order.size(); ++i) {
    const bool same = i > 0 && hashes[order[i]] == hashes[order[i - 1]];
    first[order[i]] = same ? first[order[i - 1]] : order[i];
  }
  std::vector<uint32_t> number(hashes.size());
  uint32_t next = 0;
  for (size_t i = 0; i < number.size(); ++i) {
    number[i] = first[i] == i ? next++ : number[first[i]];
  }
  *units = next;
  return number;
}

double Position(uint64_t seed, uint64_t stream, const Hash128& hash) {
  const uint64_t key = RandomTable(seed, stream).Bits(0);
  const uint64_t bits = Mix64(Mix64(hash.low ^ key) + hash.high);
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

/// What each fold holds.
struct FoldCounts {
  std::vector<size_t> rows;
  std::vector<std::vector<size_t>> classes;  // [fold][class]
};

FoldCounts Count(const SplitInput& input, std::span<const uint32_t> rows,
                 std::span<const uint32_t> fold, size_t folds) {
  FoldCounts counts{std::vector<size_t>(folds), {}};
  counts.classes.assign(folds, std::vector<size_t>(static_cast<size_t>(input.classes)));
  for (const uint32_t row : rows) {
    ++counts.rows[fold[row]];
    if (!input.label.empty()) ++counts.classes[fold[row]][static_cast<size_t>(input.label[row])];
  }
  return counts;
}

/// Every fold has at least half of its share of rows and of each class it can have one of; no fold
/// holds all rows of a class.
bool Balanced(const FoldCounts& counts) {
  const size_t folds = counts.rows.size();
  const size_t total = std::accumulate(counts.rows.begin(), counts.rows.end(), size_t{0});
  for (const size_t rows : counts.rows) {
    if (rows == 0 || 2 * rows * folds < total) return false;
  }
  for (size_t k = 0; k < counts.classes[0].size(); ++k) {
    size_t all = 0, largest = 0;
    for (const auto& fold : counts.classes) {
      all += fold[k];
      largest = std::max(largest, fold[k]);
    }
    if (all >= 2 && largest == all) return false;
    for (const auto& fold : counts.classes) {
      if (all >= folds && (fold[k] == 0 || 2 * fold[k] * folds < all)) return false;
    }
  }
  return true;
}

/// Deals units to folds: those with rows of the rarest classes first, then large ones; each to the
/// fold that has least of its class, then the fewest rows.
void Deal(const SplitInput& input, std::span<const uint32_t> rows, std::span<const uint32_t> unit,
          std::span<const Hash128> hashes, size_t folds, std::vector<uint32_t>& fold) {
  struct Unit {
    Hash128 hash;
    std::vector<uint32_t> rows;
    int32_t rarest = 0;
  };
  std::vector<size_t> class_rows(static_cast<size_t>(std::max(input.classes, 1)));
  const auto label = [&](uint32_t row) { return input.label.empty() ? 0 : input.label[row]; };
  for (const uint32_t row : rows) ++class_rows[static_cast<size_t>(label(row))];
  std::map<uint32_t, Unit> by_number;
  for (const uint32_t row : rows) {
    Unit& u = by_number[unit[row]];
    if (u.rows.empty()) u.rarest = label(row);
    u.hash = hashes[row];
    u.rows.push_back(row);
    if (class_rows[static_cast<size_t>(label(row))] < class_rows[static_cast<size_t>(u.rarest)]) {
      u.rarest = label(row);
    }
  }
  std::vector<const Unit*> units;
  for (const auto& [number, u] : by_number) units.push_back(&u);
  std::sort(units.begin(), units.end(), [&](const Unit* a, const Unit* b) {
    const size_t ca = class_rows[static_cast<size_t>(a->rarest)];
    const size_t cb = class_rows[static_cast<size_t>(b->rarest)];
    if (ca != cb) return ca < cb;
    if (a->rows.size() != b->rows.size()) return a->rows.size() > b->rows.size();
    return a->hash < b->hash;
  });
  FoldCounts counts{std::vector<size_t>(folds), {}};
  counts.classes.assign(folds, std::vector<size_t>(class_rows.size()));
  for (const Unit* u : units) {
    size_t best = 0;
    const auto k = static_cast<size_t>(u->rarest);
    for (size_t f = 1; f < folds; ++f) {
      const auto load = [&](size_t i) { return std::pair(counts.classes[i][k], counts.rows[i]); };
      if (load(f) < load(best)) best = f;
    }
    for (const uint32_t row : u->rows) {
      fold[row] = static_cast<uint32_t>(best);
      ++counts.rows[best];
      ++counts.classes[best][static_cast<size_t>(label(row))];
    }
  }
}

/// Number of folds: not more than units, nor than rows of the rarer of two classes.
size_t ChooseFolds(const SplitInput& input, std::span<const uint32_t> rows,
                   std::span<const uint32_t> unit, const SplitOptions& options,
                   std::vector<std::string>& notes) {
  auto folds = static_cast<size_t>(options.folds);
  std::vector<uint32_t> seen;
  for (const uint32_t row : rows) seen.push_back(unit[row]);
  std::sort(seen.begin(), seen.end());
  folds = std::min<size_t>(
      folds, static_cast<size_t>(std::unique(seen.begin(), seen.end()) - seen.begin()));
  if (input.classes == 2 && !input.label.empty()) {
    size_t counts[2] = {0, 0};
    for (const uint32_t row : rows) ++counts[input.label[row]];
    folds = std::min(folds, std::min(counts[0], counts[1]));
  }
  if (folds < static_cast<size_t>(options.folds)) {
    notes.push_back(fmt::format("{} folds instead of {}: there are too few {}", folds,
                                options.folds,
                                input.group.empty() ? "rows of the rarer class"
                                                    : "groups or rows "
                                                      "of a class"));
  }
  return folds;
}

Result<uint64_t> LayOutFolds(const SplitInput& input, const SplitOptions& options,
                             SplitPlan& plan) {
  const std::span<const Hash128> hashes = input.group.empty() ? input.row : input.group;
  const size_t folds = ChooseFolds(input, plan.train, plan.unit, options, plan.notes);
  if (folds < 2) {
    return DataError(input.group.empty() ? "too_few_rows" : "one_group",
                     input.group.empty()
                         ? "the rows can't be divided: they are identical, or one class has a "
                           "single row beside the test set"
                         : "all rows belong to one group; expected at least two, so that a model "
                           "can be judged on groups it has not seen");
  }
  std::vector<uint32_t> fold(input.size());
  const uint64_t most_salts = plan.train.size() < 50000 ? 200 : 10;
  uint64_t salt = 0;
  for (; salt < most_salts; ++salt) {
    for (const uint32_t row : plan.train) {
      const double u = Position(options.seed, kFoldStream + salt, hashes[row]);
      fold[row] = static_cast<uint32_t>(u * static_cast<double>(folds));
    }
    if (Balanced(Count(input, plan.train, fold, folds))) break;
  }
  if (salt == most_salts) {
    Deal(input, plan.train, plan.unit, hashes, folds, fold);
    plan.notes.push_back(
        "folds were dealt out one by one: the data are too few or too lumpy for "
        "folds by hash, so rows may change folds in later versions");
  }
  plan.folds.assign(folds, {});
  for (const uint32_t row : plan.train) {
    for (size_t f = 0; f < folds; ++f) {
      (fold[row] == f ? plan.folds[f].valid : plan.folds[f].train).push_back(row);
    }
  }
  for (const Fold& f : plan.folds) {
    if (f.train.empty() || f.valid.empty()) {
      return DataError("too_few_rows", "a fold is empty: too few rows that differ");
    }
  }
  return salt;
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
    const bool test = Position(options.seed, kTestStream, hashes[row]) < options.test_share;
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
  return Position(seed, kTestStream, hash);
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
        plan.notes.push_back(fmt::format("class '{}' has only {} row{}", ClassName(input, k),
                                         counts[k], counts[k] == 1 ? "" : "s"));
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
