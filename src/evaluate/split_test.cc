#include "evaluate/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "evaluate/random.h"

namespace headrace::evaluate {
namespace {

constexpr int64_t kDay = 86400000000;

struct Rows {
  std::vector<Hash128> row, group;
  std::vector<int64_t> time;
  std::vector<int32_t> label;
  std::vector<double> target;
  int classes = 2;

  SplitInput View() const {
    SplitInput input;
    input.row = row;
    input.group = group;
    input.time = time;
    input.label = label;
    input.classes = label.empty() ? 0 : classes;
    input.target = target;
    return input;
  }
};

Hash128 HashOf(uint64_t n) { return {Mix64(n + 1), Mix64(n + 77)}; }

Rows MakeRows(size_t n, double positive_share = 0.3) {
  Random random(1);
  Rows rows;
  for (size_t i = 0; i < n; ++i) {
    rows.row.push_back(HashOf(i));
    rows.label.push_back(random.Uniform() < positive_share ? 1 : 0);
  }
  return rows;
}

/// Test, train and gap hold every row once; folds stay within train and don't overlap.
void CheckPartition(const SplitPlan& plan, size_t n) {
  std::vector<int> seen(n);
  for (const auto* part : {&plan.test, &plan.train, &plan.gap}) {
    EXPECT_TRUE(std::is_sorted(part->begin(), part->end()));
    for (const uint32_t row : *part) ++seen[row];
  }
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int s) { return s == 1; }));
  const std::set<uint32_t> train(plan.train.begin(), plan.train.end());
  std::map<uint32_t, int> valid;
  for (const Fold& fold : plan.folds) {
    const std::set<uint32_t> learns(fold.train.begin(), fold.train.end());
    for (const uint32_t row : fold.valid) {
      EXPECT_TRUE(train.count(row));
      EXPECT_FALSE(learns.count(row));
      ++valid[row];
    }
    for (const uint32_t row : fold.train) EXPECT_TRUE(train.count(row));
  }
  if (plan.kind != SplitKind::kTime) {
    EXPECT_EQ(valid.size(), train.size());
  }
  for (const auto& [row, times] : valid) EXPECT_EQ(times, 1);
  EXPECT_EQ(plan.unit.size(), n);
  for (const uint32_t unit : plan.unit) EXPECT_LT(unit, plan.units);
  EXPECT_FALSE(plan.description.empty());
}

TEST(PlanSplit, LargeDataGetATestSetByHash) {
  const Rows rows = MakeRows(25000);
  const auto plan = PlanSplit(rows.View(), {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->kind, SplitKind::kHoldout);
  CheckPartition(*plan, 25000);
  EXPECT_NEAR(static_cast<double>(plan->test.size()), 5000, 250);
  EXPECT_EQ(plan->folds.size(), 5u);
  EXPECT_EQ(plan->salt, 0u);
  EXPECT_EQ(plan->description,
            "20 % test set: 4,986 of 25,000 rows, each by hash of the row's key or content; 5 "
            "folds over the other 20,014 rows choose the model.");
  for (const uint32_t row : plan->test) EXPECT_LT(SplitPosition(0, rows.row[row]), 0.2);
}

TEST(PlanSplit, SmallDataAndRareClassesAreCrossValidated) {
  EXPECT_EQ(PlanSplit(MakeRows(19999).View(), {})->kind, SplitKind::kCrossValidation);
  EXPECT_EQ(PlanSplit(MakeRows(25000, 0.02).View(), {})->kind, SplitKind::kCrossValidation);
  SplitOptions options;
  options.choice = SplitChoice::kHoldout;
  EXPECT_EQ(PlanSplit(MakeRows(500).View(), options)->kind, SplitKind::kHoldout);
  options.choice = SplitChoice::kCross;
  const auto plan = PlanSplit(MakeRows(25000).View(), options);
  EXPECT_EQ(plan->kind, SplitKind::kCrossValidation);
  CheckPartition(*plan, 25000);
}

TEST(PlanSplit, RowsNeverChangeSides) {
  const Rows rows = MakeRows(30000);
  Rows fewer = rows;
  fewer.row.resize(26000);
  fewer.label.resize(26000);
  const auto later = PlanSplit(rows.View(), {}), earlier = PlanSplit(fewer.View(), {});
  const std::set<uint32_t> later_test(later->test.begin(), later->test.end());
  const std::set<uint32_t> earlier_test(earlier->test.begin(), earlier->test.end());
  for (uint32_t row = 0; row < 26000; ++row) {
    EXPECT_EQ(later_test.count(row), earlier_test.count(row)) << row;
  }
  // Nor does another order of rows move them.
  Rows reversed = rows;
  std::reverse(reversed.row.begin(), reversed.row.end());
  std::reverse(reversed.label.begin(), reversed.label.end());
  const auto turned = PlanSplit(reversed.View(), {});
  for (const uint32_t row : turned->test) EXPECT_TRUE(later_test.count(29999 - row));
  SplitOptions other_seed;
  other_seed.seed = 9;
  EXPECT_NE(PlanSplit(rows.View(), other_seed)->test, later->test);
}

TEST(PlanSplit, IdenticalInputsAndGroupsStayTogether) {
  Rows rows = MakeRows(3000);
  for (size_t i = 0; i < 3000; ++i) rows.row[i] = HashOf(i / 3);
  Rows grouped = MakeRows(3000);
  for (size_t i = 0; i < 3000; ++i) grouped.group.push_back(HashOf(i % 100));
  for (const Rows* input : {&rows, &grouped}) {
    const auto plan = PlanSplit(input->View(), {});
    ASSERT_TRUE(plan.ok());
    CheckPartition(*plan, 3000);
    const auto& hashes = input->group.empty() ? input->row : input->group;
    for (const Fold& fold : plan->folds) {
      std::set<Hash128> valid;
      for (const uint32_t row : fold.valid) valid.insert(hashes[row]);
      for (const uint32_t row : fold.train) EXPECT_FALSE(valid.count(hashes[row]));
    }
  }
  EXPECT_EQ(PlanSplit(grouped.View(), {})->units, 100u);
}

TEST(PlanSplit, EveryFoldHasEveryClassAndEnoughRows) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Rows rows = MakeRows(100, 0);
    for (size_t i = 0; i < 6; ++i) rows.label[i * 13] = 1;
    SplitOptions options;
    options.seed = seed;
    const auto plan = PlanSplit(rows.View(), options);
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    ASSERT_EQ(plan->folds.size(), 5u);
    for (const Fold& fold : plan->folds) {
      EXPECT_GE(fold.valid.size(), 10u);
      EXPECT_TRUE(std::any_of(fold.valid.begin(), fold.valid.end(),
                              [&](uint32_t row) { return rows.label[row] == 1; }));
    }
    EXPECT_EQ(plan->notes, std::vector<std::string>{"class '1' has only 6 rows"});
  }
}

TEST(PlanSplit, FewerFoldsForFewPositives) {
  Rows rows = MakeRows(100, 0);
  for (size_t i = 0; i < 3; ++i) rows.label[i * 13] = 1;
  const auto plan = PlanSplit(rows.View(), {});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->folds.size(), 3u);
  ASSERT_EQ(plan->notes.size(), 2u);
  EXPECT_EQ(plan->notes[1], "3 folds instead of 5: there are too few rows of the rarer class");
}

TEST(PlanSplit, FewGroupsAreDealtOut) {
  Rows rows = MakeRows(21000);
  for (size_t i = 0; i < rows.row.size(); ++i) rows.group.push_back(HashOf(i % 6));
  const auto plan = PlanSplit(rows.View(), {});
  ASSERT_TRUE(plan.ok());
  CheckPartition(*plan, 21000);
  EXPECT_GE(plan->folds.size(), 2u);
  for (size_t i = 0; i < rows.row.size(); ++i) rows.group[i] = HashOf(1);
  EXPECT_EQ(PlanSplit(rows.View(), {}).error().code, "one_group");
}

Rows TimeRows(size_t n) {
  Rows rows = MakeRows(n);
  for (size_t i = 0; i < n; ++i) {
    // 20 rows a day, in an order that is not time's.
    rows.time.push_back(1704067200000000 + static_cast<int64_t>((i * 7919) % n / 20) * kDay);
  }
  return rows;
}

TEST(PlanSplit, TimePutsTheLatestRowsLast) {
  const Rows rows = TimeRows(2000);
  const auto plan = PlanSplit(rows.View(), {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->kind, SplitKind::kTime);
  CheckPartition(*plan, 2000);
  EXPECT_EQ(plan->test.size(), 400u);
  EXPECT_EQ(plan->description,
            "Test set: the latest 400 of 2,000 rows, from 2024-03-21; 5 expanding blocks over the "
            "1,600 rows before it choose the model.");
  const auto latest = [&](const std::vector<uint32_t>& part) {
    int64_t t = INT64_MIN;
    for (const uint32_t row : part) t = std::max(t, rows.time[row]);
    return t;
  };
  const auto earliest = [&](const std::vector<uint32_t>& part) {
    int64_t t = INT64_MAX;
    for (const uint32_t row : part) t = std::min(t, rows.time[row]);
    return t;
  };
  EXPECT_LT(latest(plan->train), earliest(plan->test));
  ASSERT_EQ(plan->folds.size(), 5u);
  size_t before = 0;
  for (const Fold& fold : plan->folds) {
    EXPECT_LT(latest(fold.train), earliest(fold.valid));
    EXPECT_GT(fold.train.size(), before);
    before = fold.train.size();
  }
  EXPECT_GT(plan->units, 50u);  // time blocks
}

TEST(PlanSplit, TimeDurationAndLabelGap) {
  const Rows rows = TimeRows(2000);  // 100 days
  SplitOptions options;
  options.test_duration = 30 * kDay;
  options.label_after = 10 * kDay;
  const auto plan = PlanSplit(rows.View(), options);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  CheckPartition(*plan, 2000);
  EXPECT_EQ(plan->test.size(), 600u);
  EXPECT_EQ(plan->gap.size(), 9u * 20);  // known on day 60 are days up to 60 − 10
  for (const uint32_t row : plan->train) {
    EXPECT_LE(rows.time[row] + options.label_after, *plan->test_from);
  }
  for (const Fold& fold : plan->folds) {
    int64_t start = INT64_MAX;
    for (const uint32_t row : fold.valid) start = std::min(start, rows.time[row]);
    for (const uint32_t row : fold.train) EXPECT_LE(rows.time[row] + options.label_after, start);
  }
  options.test_duration = 200 * kDay;
  EXPECT_EQ(PlanSplit(rows.View(), options).error().message,
            "the test duration covers all rows: they reach from 2024-01-01 to 2024-04-09");
  options.test_duration = 30 * kDay;
  options.label_after = 69 * kDay + 1;
  EXPECT_EQ(PlanSplit(rows.View(), options).error().code, "train_empty");
}

TEST(PlanSplit, TimeWithHeavyTiesAndGroups) {
  Rows rows = TimeRows(1000);
  for (int64_t& t : rows.time) t = t / (25 * kDay) * 25 * kDay;  // three or so times
  const auto plan = PlanSplit(rows.View(), {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  CheckPartition(*plan, 1000);
  std::set<int64_t> test_times;
  for (const uint32_t row : plan->test) test_times.insert(rows.time[row]);
  for (const uint32_t row : plan->train) EXPECT_FALSE(test_times.count(rows.time[row]));

  Rows grouped = TimeRows(1000);
  for (size_t i = 0; i < 1000; ++i) grouped.group.push_back(HashOf(i % 400 < 300 ? i % 300 : i));
  const auto both = PlanSplit(grouped.View(), {});
  ASSERT_EQ(both->test_group_seen.size(), both->test.size());
  std::set<Hash128> trained;
  for (const uint32_t row : both->train) trained.insert(grouped.group[row]);
  for (size_t i = 0; i < both->test.size(); ++i) {
    EXPECT_EQ(both->test_group_seen[i] != 0, trained.count(grouped.group[both->test[i]]) != 0);
  }
}

TEST(PlanSplit, Findings) {
  Rows rows = MakeRows(10);
  EXPECT_EQ(PlanSplit(rows.View(), {}).error().message,
            "there are 10 rows with a target, expected at least 20");
  rows = MakeRows(50, 0);
  SplitInput input = rows.View();
  input.class_names = {"no", "yes"};
  EXPECT_EQ(PlanSplit(input, {}).error().message,
            "all 50 rows have the target 'no', expected at least two classes");
  rows.label[3] = 1;
  EXPECT_EQ(PlanSplit(rows.View(), {}).error().code, "rare_class");
  Rows numbers = MakeRows(50);
  numbers.label.clear();
  numbers.target.assign(50, 4.5);
  EXPECT_EQ(PlanSplit(numbers.View(), {}).error().message,
            "the target is 4.5 in all 50 rows; there is nothing to learn");
  numbers.target[7] = NAN;
  EXPECT_EQ(PlanSplit(numbers.View(), {}).error().code, "bad_target");
  numbers.target[7] = 3;
  EXPECT_EQ(PlanSplit(numbers.View(), {})->kind, SplitKind::kCrossValidation);
  Rows same_time = MakeRows(50);
  same_time.time.assign(50, 1704067200000000 + 3723000000);
  EXPECT_EQ(PlanSplit(same_time.View(), {}).error().message,
            "all 50 rows have the time 2024-01-01 01:02:03; rows can't be divided into earlier "
            "and later ones");
  Rows identical = MakeRows(50);
  identical.row.assign(50, HashOf(1));
  EXPECT_EQ(PlanSplit(identical.View(), {}).error().code, "too_few_rows");
  SplitOptions options;
  options.label_after = kDay;
  EXPECT_EQ(PlanSplit(MakeRows(50).View(), options).error().code, "bad_split");
}

}  // namespace
}  // namespace headrace::evaluate
