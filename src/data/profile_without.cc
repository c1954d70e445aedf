#include <cmath>

#include "data/profile.h"

namespace headrace::data {
namespace {

// What is left of a sum after most of it went is noise.
constexpr double kLostDigits = 1e-4;

/// How an extreme of some rows lies to the table's: > 0 beyond it or at it for sure, < 0 within it
/// for sure, 0 unknown. Exact values stand in the texts (cut to 64 bytes), numbers order them.
int Reach(const std::optional<double>& some, const std::optional<std::string>& some_text,
          const std::optional<double>& all, const std::optional<std::string>& all_text, bool text,
          int direction) {
  if (!some_text) return -1;
  if (!all_text) return 1;
  if (*some_text == *all_text) return text && all_text->size() >= 60 ? 0 : 1;
  if (text) return (*some_text < *all_text) == (direction < 0) ? 1 : -1;
  if (!some || !all || *some == *all) return 0;
  return (*some < *all) == (direction < 0) ? 1 : -1;
}

bool LosesExtreme(const ColumnProfile& all, const ColumnProfile& taken,
                  const ColumnProfile& again) {
  const bool text = ClassOf(all.type) == TypeClass::kText;
  const auto lost = [](int taken_reach, int again_reach) {
    return taken_reach >= 0 && again_reach <= 0;
  };
  if (lost(Reach(taken.min, taken.min_text, all.min, all.min_text, text, -1),
           Reach(again.min, again.min_text, all.min, all.min_text, text, -1)) ||
      lost(Reach(taken.max, taken.max_text, all.max, all.max_text, text, 1),
           Reach(again.max, again.max_text, all.max, all.max_text, text, 1))) {
    return true;
  }
  if (taken.min_length < 0) return false;
  return (taken.min_length <= all.min_length &&
          (again.min_length < 0 || again.min_length > all.min_length)) ||
         (taken.max_length >= all.max_length && again.max_length < all.max_length);
}

/// False when the moments must be taken anew. The inverse of Chan, Golub, LeVeque's merge.
bool TakeMoments(ColumnProfile& column, const ColumnProfile& taken) {
  if (taken.finite == 0) return true;
  const int64_t left = column.finite - taken.finite;
  if (left < 0) return false;
  if (left == 0) {
    column.finite = 0;
    column.sum = column.m2 = 0;
    return true;
  }
  const auto a = static_cast<double>(left), b = static_cast<double>(taken.finite);
  const double sum = column.sum - taken.sum;
  const double difference = taken.sum / b - sum / a;
  const double m2 = column.m2 - taken.m2 - difference * difference * a * b / (a + b);
  const bool lost = m2 < kLostDigits * column.m2 ||
                    std::abs(sum) < kLostDigits * std::abs(column.sum) || !std::isfinite(m2);
  if (lost && !(column.m2 == 0 && taken.m2 == 0)) return false;
  column.finite = left;
  column.sum = sum;
  column.m2 = std::max(0.0, m2);
  return true;
}

}  // namespace

RemainingProfile ProfileWithout(const Profile& old, const Profile& taken, const Profile& again,
                                int64_t removed) {
  RemainingProfile out;
  out.profile = old;
  out.profile.rows -= taken.rows;
  out.profile.removed += removed;
  for (size_t i = 0; i < old.columns.size(); ++i) {
    ColumnProfile& column = out.profile.columns[i];
    const ColumnProfile& less = taken.columns[i];
    column.nulls -= less.nulls;
    column.nans -= less.nans;
    const bool kept = TakeMoments(column, less) && !LosesExtreme(column, less, again.columns[i]);
    if (!kept) out.stale.push_back(column.name);
  }
  return out;
}

}  // namespace headrace::data
