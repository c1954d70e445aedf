// Rows that a model has as good as seen before it is judged on them.
//
// Duplicates: rows of other keys with the same features and target stand on both sides. Rows of a
// few coarse columns are alike by chance; how many, follows from how often each column repeats
// itself, and only many more than that are a fault.
//
// Groups: many small groups of rows (visits of a patient, orders of a customer) whose targets are
// alike, spread over both sides. A group's own rows then tell its target, which for the next, new
// patient nobody will know. A number whose neighbouring values tell the target as well (an age) is
// no group.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_set>

#include "base/json.h"
#include "evaluate/random.h"
#include "learn/findings.h"
#include "learn/number_ranks.h"

namespace headrace::learn {
namespace {

constexpr int64_t kFewestTwins = 5;
constexpr double kTwinsShare = 0.01, kTwinsBeyondChance = 10, kDistinct = 0.3;
constexpr int64_t kFewestGroups = 20, kRowsOfGroup = 60, kFewestRows = 100;

/// How much of the target a row's group must explain (R²) to be what the row belongs to. The more
/// rows a group has, the likelier it is a plain category (a district, a make), which may well
/// explain half of a price and is learned rightly.
constexpr double AlikeFrom(double rows_of_group) {
  return rows_of_group <= 10 ? 0.25 : rows_of_group <= 25 ? 0.5 : 0.8;
}

/// −1 − f: fold f; 1: test, 0: train; of the rows that are on a side at all (kNone: none).
constexpr int32_t kNone = INT32_MIN;
std::vector<int32_t> Sides(const FindingInput& input) {
  std::vector<int32_t> side(static_cast<size_t>(input.frame->rows()), kNone);
  if (!input.plan->test.empty()) {
    for (const uint32_t row : input.plan->train) side[row] = 0;
    for (const uint32_t row : input.plan->test) side[row] = 1;
    return side;
  }
  for (size_t f = 0; f < input.folds.size(); ++f) {
    for (const uint32_t row : input.folds[f].valid) side[row] = -1 - static_cast<int32_t>(f);
  }
  return side;
}

bool Judged(int32_t side) { return side != kNone && side != 0; }

/// Chance that two rows have the same value in a column, from at most 5,000 rows.
double ChanceAlike(const NumberColumn& column) {
  std::vector<double> values;
  for (const uint32_t row : SomeRows(column.size(), 5'000)) {
    values.push_back(std::isnan(column[row]) ? 2e300 : column[row]);
  }
  std::sort(values.begin(), values.end());
  double pairs = 0;
  for (size_t first = 0; first < values.size();) {
    size_t end = first;
    while (end < values.size() && values[end] == values[first]) ++end;
    pairs += static_cast<double>(end - first) * static_cast<double>(end - first - 1);
    first = end;
  }
  const auto n = static_cast<double>(values.size());
  return n > 1 ? pairs / (n * (n - 1)) : 1;
}

void FindDuplicates(const FindingInput& input, const std::vector<int32_t>& side,
                    std::vector<Finding>* out) {
  const Frame& frame = *input.frame;
  std::vector<uint32_t> order(static_cast<size_t>(frame.rows()));
  std::iota(order.begin(), order.end(), 0u);
  std::erase_if(order, [&](uint32_t row) { return side[row] == kNone; });
  const double rows = static_cast<double>(order.size());
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return frame.content[a] < frame.content[b]; });
  int64_t judged = 0, twins = 0, distinct = 0;
  for (size_t first = 0; first < order.size();) {
    size_t end = first;
    bool mixed = false;
    for (; end < order.size() && frame.content[order[end]] == frame.content[order[first]]; ++end) {
      mixed = mixed || side[order[end]] != side[order[first]];
    }
    for (size_t i = first; i < end; ++i) {
      judged += Judged(side[order[i]]) ? 1 : 0;
      twins += mixed && Judged(side[order[i]]) ? 1 : 0;
    }
    ++distinct;
    first = end;
  }
  const auto share = static_cast<double>(twins) / static_cast<double>(std::max<int64_t>(judged, 1));
  if (twins < kFewestTwins || share < kTwinsShare ||
      static_cast<double>(distinct) < kDistinct * rows)
    return;
  double chance = 1;
  for (const NumberColumn& column : frame.features) chance *= ChanceAlike(column);
  const double expected = static_cast<double>(judged) * std::min(1.0, chance * rows);
  if (static_cast<double>(twins) < kTwinsBeyondChance * expected) return;
  out->push_back(Hint(
      "split_duplicates", "",
      fmt::format("{} of {} judged rows ({:.1f} %) stand among the training rows too, with the "
                  "same values and target: the numbers are too good; remove duplicates in "
                  "SQL, or name what they share as `group:`",
                  twins, judged, 100 * share),
      DumpJson({{"judged_rows", judged},
                {"duplicates", twins},
                {"expected_by_chance", expected},
                {"distinct_rows", distinct}})));
}

/// The target as a number between 0 and 1 per row; classes: of the most frequent one.
std::vector<double> TargetOf(const Frame& frame) {
  if (frame.task == model::Task::kRegression) return MeanRanks(frame.target);
  std::vector<int64_t> count(frame.classes.size());
  for (const int32_t label : frame.label) ++count[static_cast<size_t>(label)];
  const auto most =
      static_cast<int32_t>(std::max_element(count.begin(), count.end()) - count.begin());
  std::vector<double> out;
  for (const int32_t label : frame.label) out.push_back(label == most ? 1 : 0);
  return out;
}

/// How a column divides the rows.
struct Grouping {
  int64_t groups = 0, spread = 0;  ///< spread: groups on more than one side
  double alike = 0;                ///< R² of predicting a row by the others of its group
  double neighbours = 0;           ///< R² of predicting it by the groups before and after
};

/// `same(a, b)`: rows of one group; `order` sorted so that groups stand together.
template <class F>
Grouping Measure(const std::vector<uint32_t>& order, const F& same, const std::vector<double>& y,
                 const std::vector<int32_t>& side) {
  struct Group {
    size_t first, end;
    double sum;
  };
  std::vector<Group> groups;
  Grouping out;
  for (size_t first = 0; first < order.size();) {
    Group group{first, first, 0};
    bool mixed = false;
    for (; group.end < order.size() && same(order[group.end], order[first]); ++group.end) {
      group.sum += y[order[group.end]];
      mixed = mixed || side[order[group.end]] != side[order[first]];
    }
    out.spread += mixed ? 1 : 0;
    groups.push_back(group);
    first = group.end;
  }
  out.groups = static_cast<int64_t>(groups.size());
  double total = 0;
  for (const uint32_t row : order) total += y[row];
  const double mean = total / static_cast<double>(std::max<size_t>(order.size(), 1));
  double error = 0, near_error = 0, spread = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    const Group& group = groups[g];
    double near = 0, near_rows = 0;
    for (const size_t other : {g - 1, g + 1}) {
      if (other >= groups.size()) continue;
      near += groups[other].sum;
      near_rows += static_cast<double>(groups[other].end - groups[other].first);
    }
    const auto size = static_cast<double>(group.end - group.first);
    const double by_neighbours = near_rows > 0 ? near / near_rows : mean;
    for (size_t i = group.first; i < group.end; ++i) {
      const double value = y[order[i]];
      const double by_group = size > 1 ? (group.sum - value) / (size - 1) : mean;
      error += (value - by_group) * (value - by_group);
      near_error += (value - by_neighbours) * (value - by_neighbours);
      spread += (value - mean) * (value - mean);
    }
  }
  if (spread > 0) {
    out.alike = 1 - error / spread;
    out.neighbours = 1 - near_error / spread;
  }
  return out;
}

/// Rows and groups are so many that the groups can be what the rows belong to.
bool IsGrouped(int64_t rows, int64_t groups) {
  return rows >= kFewestRows && groups >= kFewestGroups && rows >= 2 * groups &&
         rows <= kRowsOfGroup * groups;
}

/// Whether so many distinct values were met among one in kSampledOf of all possible ones that an
/// exact count can still end as IsGrouped; 100,000 rows keep its error below an eighth of what it
/// would have to be.
template <class F>
bool SampleMayBeGroups(const std::vector<uint32_t>& rows, const F& value) {
  constexpr uint64_t kSampledOf = 16;
  std::unordered_set<uint64_t> met;
  const size_t most = rows.size() / kSampledOf;  // twice what IsGrouped allows
  for (const uint32_t row : rows) {
    const uint64_t bits = value(row);
    if (evaluate::Mix64(bits) % kSampledOf == 0 && met.insert(bits).second && met.size() > most) {
      return false;
    }
  }
  return 2 * kSampledOf * met.size() * size_t{kRowsOfGroup} >= rows.size();
}

/// Whether rows fall into as many groups as NoteGroups asks for. Most columns have far fewer or far
/// more values: counting these costs a tenth of sorting the rows by them.
template <class F>
bool MayBeGroups(const std::vector<uint32_t>& rows, const F& value) {
  if (rows.size() >= 100'000 && !SampleMayBeGroups(rows, value)) return false;
  const size_t most = rows.size() / 2;
  size_t slots = 1024;
  std::vector<uint64_t> table(slots);  // 0 = free: the value 0 is kept as 1
  size_t distinct = 0;
  const auto slot_of = [&](uint64_t bits) {
    size_t at = static_cast<size_t>((bits * 0x9e3779b97f4a7c15ULL) >> 32) & (slots - 1);
    while (table[at] != 0 && table[at] != bits) at = (at + 1) & (slots - 1);
    return at;
  };
  for (const uint32_t row : rows) {
    const uint64_t bits = std::max<uint64_t>(value(row), 1);
    const size_t at = slot_of(bits);
    if (table[at] != 0) continue;
    table[at] = bits;
    if (++distinct > most) return false;
    if (2 * distinct < slots) continue;
    std::vector<uint64_t> old(2 * slots);
    old.swap(table);
    slots *= 2;
    for (const uint64_t kept : old) {
      if (kept != 0) table[slot_of(kept)] = kept;
    }
  }
  return IsGrouped(static_cast<int64_t>(rows.size()), static_cast<int64_t>(distinct));
}

void NoteGroups(const std::string& column, const Grouping& found, size_t rows,
                std::vector<Finding>* out) {
  const auto n = static_cast<int64_t>(rows);
  if (!IsGrouped(n, found.groups)) return;
  const double alike = AlikeFrom(static_cast<double>(n) / static_cast<double>(found.groups));
  if (found.alike < alike || found.neighbours >= 0.5 * found.alike || found.spread < 5) return;
  out->push_back(Hint(
      "group_in_both", column,
      fmt::format("rows of one '{0}' are alike (its other rows explain {1:.0f} % of the target) "
                  "and {2} of {3} stand on both sides of the split: for a new one the model "
                  "will be worse than it looks; write `group: {0}`",
                  column, 100 * found.alike, found.spread, found.groups),
      DumpJson({{"groups", found.groups},
                {"in_both", found.spread},
                {"explained", found.alike},
                {"rows", n}}),
      "group"));
}

/// Columns that look like groups, of models that name none.
void FindHiddenGroups(const FindingInput& input, const std::vector<int32_t>& side,
                      std::vector<Finding>* out) {
  const Frame& frame = *input.frame;
  const std::vector<double> y = TargetOf(frame);
  std::vector<uint32_t> all(static_cast<size_t>(frame.rows()));
  std::iota(all.begin(), all.end(), 0u);
  std::erase_if(all, [&](uint32_t row) { return side[row] == kNone; });
  for (size_t s = 0; s < frame.features.size(); ++s) {
    const model::Step& step = frame.encoder.steps()[s];
    if (step.kind != model::StepKind::kCategory && step.kind != model::StepKind::kNumber) continue;
    const NumberColumn& column = frame.features[s];
    const bool whole = std::all_of(all.begin(), all.end(), [&](uint32_t row) {
      return std::isnan(column[row]) || column[row] == std::floor(column[row]);
    });
    if (!whole) continue;
    std::vector<uint32_t> order = all;
    std::erase_if(order, [&](uint32_t row) { return std::isnan(column[row]); });
    if (step.categorical()) {  // rare levels share a number
      const auto rare = static_cast<double>(step.levels.size());
      std::erase_if(order, [&](uint32_t row) { return column[row] >= rare; });
    }
    if (!MayBeGroups(order, [&](uint32_t row) {
          return std::bit_cast<uint64_t>(column[row] + 0.0);  // −0 is 0
        })) {
      continue;
    }
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return column[a] != column[b] ? column[a] < column[b] : a < b;
    });
    const auto same = [&](uint32_t a, uint32_t b) { return column[a] == column[b]; };
    Grouping found = Measure(order, same, y, side);
    if (step.categorical()) found.neighbours = 0;
    NoteGroups(ColumnOf(frame, s), found, order.size(), out);
  }
  for (size_t k = 0; k < frame.key_parts.size(); ++k) {
    const std::vector<uint64_t>& part = frame.key_parts[k];
    std::vector<uint32_t> order = all;
    if (!MayBeGroups(order, [&](uint32_t row) { return part[row]; })) continue;
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return part[a] != part[b] ? part[a] < part[b] : a < b;
    });
    const auto same = [&](uint32_t a, uint32_t b) { return part[a] == part[b]; };
    Grouping found = Measure(order, same, y, side);
    found.neighbours = 0;
    NoteGroups(input.spec->key[k], found, order.size(), out);
  }
}

}  // namespace

std::vector<Finding> FindSharedRows(const FindingInput& input) {
  std::vector<Finding> out;
  const Frame& frame = *input.frame;
  const std::vector<int32_t> side = Sides(input);
  FindDuplicates(input, side, &out);
  const std::vector<uint8_t>& seen = input.plan->test_group_seen;
  const auto both = std::count(seen.begin(), seen.end(), 1);
  if (both > 0) {
    out.push_back(Hint(
        "group_in_both", input.spec->group,
        fmt::format("{} of {} test rows are of a '{}' that has earlier rows among the training "
                    "rows; the metrics of seen and unseen ones are given apart",
                    both, seen.size(), input.spec->group),
        DumpJson({{"test_rows", seen.size()}, {"seen", both}}), "group"));
  }
  if (frame.group.empty() && frame.time.empty()) FindHiddenGroups(input, side, &out);
  return out;
}

}  // namespace headrace::learn
