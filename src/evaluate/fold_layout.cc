// Exact stratification would break the rule that a row keeps its side: sorting within a class and
// cutting moves border rows whenever rows are added. Instead the folds are laid out by hash with a
// salt, and only when a fold lacks a class (or is much too small) the next salt is tried: for all
// but tiny data the salt is 0, and it stays what it is until the data change enough to make a fold
// bad again. If no salt does, whole units (groups, or sets of identical rows) are dealt out,
// largest first, to the fold with the fewest rows.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "evaluate/split_parts.h"

namespace headrace::evaluate {
namespace {

constexpr uint64_t kFoldStream = 2;  // and following: one per salt

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

}  // namespace

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
      const double u = HashPosition(options.seed, kFoldStream + salt, hashes[row]);
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

}  // namespace headrace::evaluate
