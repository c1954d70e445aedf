// Planted faults give the named finding or error, clean rows of the same shape give none.
#include "learn/findings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "evaluate/random.h"
#include "learn/number_ranks.h"
#include "learn/split_wish.h"
#include "model/test_rows.h"

namespace headrace::learn {
namespace {

using evaluate::Random;
using model::TestCell;
using model::TestRows;

constexpr uint64_t kSeeds = 10;

/// Columns every table has: a number that tells something of the target, one that doesn't, a
/// category. Further ones and faults are added by the cases.
struct Table {
  std::vector<data::Column> columns = {
      {"id", "BIGINT"}, {"a", "DOUBLE"}, {"b", "DOUBLE"}, {"plan", "VARCHAR"}};
  std::vector<std::vector<TestCell>> rows;
  ModelSpec spec;

  TestRows Make() const {
    TestRows out(columns);
    for (const auto& row : rows) out.Add(row);
    return out;
  }
};

std::string Class(double level) { return level > 0 ? "yes" : "no"; }

/// `extra` appends cells of further columns to a row: (row number, level of the target, random).
using Extra = std::function<void(int64_t, double, Random&, std::vector<TestCell>*)>;

Table MakeTable(uint64_t seed, int64_t count, bool regression, std::vector<data::Column> more,
                const Extra& extra, double signal = 1.5) {
  Table table;
  table.columns.insert(table.columns.end(), more.begin(), more.end());
  table.columns.push_back({"y", regression ? "DOUBLE" : "VARCHAR"});
  Random random(seed, 77);
  const std::vector<std::string> plans = {"basic", "pro", "max"};
  for (int64_t i = 0; i < count; ++i) {
    const double a = random.Normal(), level = signal * a + random.Normal();
    std::vector<TestCell> row = {i, a, random.Uniform(), plans[random.Below(3)]};
    if (extra) extra(i, level, random, &row);
    row.push_back(regression ? TestCell(level) : TestCell(Class(level)));
    table.rows.push_back(std::move(row));
  }
  table.spec.name = "churn";
  table.spec.from = "rows";
  table.spec.task = regression ? "regression" : "classification";
  table.spec.target = "y";
  if (!regression) table.spec.positive = "yes";
  table.spec.key = {"id"};
  table.spec.seed = static_cast<int64_t>(seed);
  return table;
}

/// "code subject" of every hint, or "error code".
std::set<std::string> HintsOf(const Table& table) {
  const TestRows rows = table.Make();
  FrameOptions options;
  options.spec = &table.spec;
  auto frame = ReadFrame(*rows.Reader(1000), options);
  if (!frame.ok()) return {"error " + frame.error().code};
  evaluate::SplitInput input;
  input.row = frame->id;
  input.group = frame->group;
  input.time = frame->time;
  input.label = frame->label;
  input.classes = static_cast<int>(frame->classes.size());
  input.target = frame->target;
  auto plan = evaluate::PlanSplit(input, *SplitOptionsOf(table.spec, false));
  if (!plan.ok()) return {"error " + plan.error().code};
  std::vector<ColumnPower> powers;
  auto findings = FindFaults({&*frame, &table.spec, &*plan, plan->folds, {}}, &powers);
  EXPECT_EQ(powers.size(), frame->encoder.signature().inputs.size());
  EXPECT_TRUE(findings.ok());
  findings->insert(findings->end(), frame->findings.begin(), frame->findings.end());
  std::set<std::string> out;
  for (const Finding& finding : *findings) {
    if (finding.level != FindingLevel::kHint) continue;
    EXPECT_FALSE(finding.message.empty());
    EXPECT_NE(finding.evidence, "{}") << finding.code;
    out.insert(finding.subject.empty() ? finding.code : finding.code + " " + finding.subject);
  }
  return out;
}

using Hints = std::set<std::string>;

/// Runs the maker with and without the fault over ten seeds.
void Expect(const std::function<Table(uint64_t seed, bool fault)>& make, const Hints& wanted) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    EXPECT_EQ(HintsOf(make(seed, true)), wanted) << "seed " << seed;
    EXPECT_EQ(HintsOf(make(seed, false)), Hints()) << "clean, seed " << seed;
  }
}

TEST(Findings, LeakByACopyOfTheTarget) {
  Expect(
      [](uint64_t seed, bool fault) {
        return MakeTable(seed, 400, false, {{"status", "VARCHAR"}},
                         [&](int64_t, double level, Random& random, auto* row) {
                           const bool closed = fault ? level > 0 : random.Below(2) == 0;
                           row->push_back(std::string(closed ? "closed" : "open"));
                         });
      },
      {"leak_suspect status"});
  Expect(
      [](uint64_t seed, bool fault) {
        return MakeTable(seed, 400, true, {{"taxed", "DOUBLE"}},
                         [&](int64_t, double level, Random& random, auto* row) {
                           row->push_back(fault ? std::exp(level) * 1.19 : random.Normal());
                         });
      },
      {"leak_suspect taxed"});
}

TEST(Findings, LeakByAValueThatOnlyTheEventBrings) {
  Expect(
      [](uint64_t seed, bool fault) {
        return MakeTable(seed, 600, false, {{"reason", "VARCHAR"}},
                         [&](int64_t, double level, Random& random, auto* row) {
                           const bool filled = random.Below(2) == 0 && (level > 0 || !fault);
                           const std::string text = random.Below(2) == 0 ? "price" : "moved";
                           row->push_back(filled ? TestCell(text) : TestCell(nullptr));
                         });
      },
      {"leak_suspect reason"});
}

TEST(Findings, ColumnsThatKnowTheTargetTogether) {
  const std::vector<ColumnPower> powers = {{"registered", 0.97}, {"casual", 0.8}};
  std::map<std::string, model::MetricValue> metrics;
  metrics["r2"] = {0.99999, 0.9999, 1, 3000};
  const auto found = FindTooGood(metrics, powers, {});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->code, "leak_suspect");
  EXPECT_NE(found->message.find("'registered' 0.97, 'casual' 0.80"), std::string::npos);
  const std::vector<Finding> known = {*found};
  EXPECT_FALSE(FindTooGood(metrics, powers, known).has_value());
  metrics["r2"].value = 0.99;
  EXPECT_FALSE(FindTooGood(metrics, powers, {}).has_value());
}

TEST(Findings, AStrongHonestColumnIsNoLeak) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    EXPECT_EQ(HintsOf(MakeTable(seed, 400, false, {}, nullptr, 2.5)), Hints()) << seed;
    EXPECT_EQ(HintsOf(MakeTable(seed, 400, true, {}, nullptr, 3)), Hints()) << seed;
  }
}

TEST(Findings, DuplicatesAcrossTheSplit) {
  for (const bool time : {false, true}) {
    Expect(
        [&](uint64_t seed, bool fault) {
          std::vector<data::Column> more;
          if (time) more = {{"at", "DATE"}};
          Table table =
              MakeTable(seed, 400, false, more, [&](int64_t i, double, Random&, auto* row) {
                if (time) row->push_back(i / 4);
              });
          if (time) table.spec.time = "at";
          Random random(seed);
          for (int64_t i = 0; i < 120; ++i) {
            auto row = table.rows[random.Below(400)];
            row[0] = 10'000 + i;
            if (!fault) row[1] = random.Normal();
            if (time) row[4] = 100 + i / 4;
            table.rows.push_back(std::move(row));
          }
          return table;
        },
        {"split_duplicates"});
  }
}

TEST(Findings, CoarseRowsAreAlikeByChance) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Table table = MakeTable(seed, 600, false, {{"size", "BIGINT"}},
                            [](int64_t, double, Random& random, auto* row) {
                              row->push_back(static_cast<int64_t>(random.Below(9)));
                            });
    table.spec.features.exclude = {"a", "b"};
    EXPECT_EQ(HintsOf(table), Hints()) << seed;
  }
}

TEST(Findings, ReversedTime) {
  Expect(
      [](uint64_t seed, bool fault) {
        Table table = MakeTable(seed, 300, false, {{"at", "TIMESTAMP"}},
                                [&](int64_t i, double, Random& random, auto* row) {
                                  const int64_t hour =
                                      i * 4 + static_cast<int64_t>(random.Below(40));
                                  row->push_back((fault ? 5000 - hour : hour) * 3'600'000'000);
                                });
        table.spec.time = "at";
        return table;
      },
      {"reversed_time at"});
}

TEST(Findings, DatesLaterThanTheTime) {
  Expect(
      [](uint64_t seed, bool fault) {
        Table table = MakeTable(seed, 300, false, {{"at", "DATE"}, {"closed", "DATE"}},
                                [&](int64_t i, double, Random& random, auto* row) {
                                  const auto away = static_cast<int64_t>(random.Below(200));
                                  row->push_back(10'000 + i);
                                  row->push_back(10'000 + i + (fault ? 1 + away : -away));
                                });
        table.spec.time = "at";
        return table;
      },
      {"later_than_time closed"});
}

/// 100 patients of 5 visits; the target follows the patient, or not.
Table Patients(uint64_t seed, bool fault, bool by_key) {
  Random of_patient(seed, 5);
  std::vector<double> effect;
  for (int i = 0; i < 100; ++i) effect.push_back(4 * of_patient.Normal());
  Table table = MakeTable(seed, 500, false, {{"patient", "VARCHAR"}, {"visit", "BIGINT"}},
                          [&](int64_t i, double, Random&, auto* row) {
                            row->push_back(fmt::format("p{}", (i * 37) % 100));
                            row->push_back(i / 100);
                          });
  if (fault) {
    for (int64_t i = 0; i < 500; ++i) {
      auto& row = table.rows[static_cast<size_t>(i)];
      row.back() = Class(effect[static_cast<size_t>((i * 37) % 100)] + std::get<double>(row[1]));
    }
  }
  if (by_key) table.spec.key = {"patient", "visit"};
  table.spec.features.exclude = {"visit"};
  if (by_key) table.spec.features.exclude = {"visit", "id"};
  return table;
}

TEST(Findings, GroupsOnBothSides) {
  for (const bool by_key : {false, true}) {
    Expect([&](uint64_t seed, bool fault) { return Patients(seed, fault, by_key); },
           {"group_in_both patient"});
  }
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Table named = Patients(seed, true, false);
    named.spec.group = "patient";
    EXPECT_EQ(HintsOf(named), Hints()) << seed;
  }
}

/// `groups` shops of `size` rows; the share `noise` of the rows has another class than their shop.
Table Shops(uint64_t seed, int64_t groups, int64_t size, double noise) {
  Random of_shop(seed, 6);
  std::vector<bool> open;
  for (int64_t i = 0; i < groups; ++i) open.push_back(of_shop.Below(2) == 0);
  Table table = MakeTable(seed, groups * size, false, {{"shop", "VARCHAR"}},
                          [&](int64_t i, double, Random&, auto* row) {
                            row->push_back(fmt::format("s{}", i * 37 % groups));
                          });
  for (int64_t i = 0; noise < 0.5 && i < groups * size; ++i) {
    const bool other = of_shop.Uniform() < noise;
    table.rows[static_cast<size_t>(i)].back() =
        Class(open[static_cast<size_t>(i * 37 % groups)] != other ? 1 : -1);
  }
  return table;
}

TEST(Findings, GroupsOfAnySizeAndWithNoise) {
  struct Case {
    int64_t groups, size;
    double noise;
  };
  for (const Case& c :
       {Case{900, 2, 0.08}, {300, 5, 0.12}, {120, 10, 0.18}, {60, 20, 0.1}, {50, 40, 0.03}}) {
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      EXPECT_TRUE(HintsOf(Shops(seed, c.groups, c.size, c.noise)).contains("group_in_both shop"))
          << c.groups << " × " << c.size << ", seed " << seed;
      EXPECT_FALSE(HintsOf(Shops(seed, c.groups, c.size, 0.5)).contains("group_in_both shop"))
          << c.groups << " × " << c.size << ", seed " << seed;
    }
  }
  // A district that explains half of a price is a category, and no group.
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Random random(seed, 7);
    std::vector<double> level;
    for (int i = 0; i < 28; ++i) level.push_back(2 * random.Normal());
    Table homes = MakeTable(
        seed, 1400, true, {{"district", "VARCHAR"}},
        [&](int64_t i, double, Random&, auto* row) { row->push_back(fmt::format("d{}", i % 28)); });
    for (size_t i = 0; i < homes.rows.size(); ++i) {
      TestCell& price = homes.rows[i].back();
      price = std::get<double>(price) + level[i % 28];
    }
    EXPECT_EQ(HintsOf(homes), Hints()) << seed;
  }
}

TEST(Findings, GroupsThatGoOnInTime) {
  Expect(
      [](uint64_t seed, bool fault) {
        Table table = MakeTable(seed, 400, false, {{"at", "DATE"}, {"shop", "BIGINT"}},
                                [&](int64_t i, double, Random&, auto* row) {
                                  row->push_back(i / 5);
                                  row->push_back(fault ? i % 20 : i / 20);
                                });
        table.spec.time = "at";
        table.spec.group = "shop";
        return table;
      },
      {"group_in_both shop"});
}

TEST(Findings, AnAgeIsNoGroup) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Table table = MakeTable(
        seed, 800, true, {{"age", "BIGINT"}}, [](int64_t, double level, Random& random, auto* row) {
          row->push_back(static_cast<int64_t>(std::llround(50 + 10 * level + 3 * random.Normal())));
        });
    EXPECT_EQ(HintsOf(table), Hints()) << seed;
  }
}

TEST(Findings, ShiftBetweenPastAndPresent) {
  Expect(
      [](uint64_t seed, bool fault) {
        Table table = MakeTable(
            seed, 500, false, {{"at", "DATE"}, {"tariff", "VARCHAR"}},
            [&](int64_t i, double, Random& random, auto* row) {
              const bool late = fault && i >= 400;
              if (late) (*row)[2] = random.Uniform(0.8, 1.8);
              row->push_back(i / 2);
              row->push_back(std::string(late ? "new" : random.Below(2) == 0 ? "old" : "older"));
            });
        table.spec.time = "at";
        return table;
      },
      {"shift b", "shift tariff"});
  Expect(
      [](uint64_t seed, bool fault) {
        Table table =
            MakeTable(seed, 500, true, {{"at", "DATE"}},
                      [&](int64_t i, double, Random&, auto* row) { row->push_back(i / 2); });
        table.spec.time = "at";
        for (size_t i = 400; fault && i < 500; ++i) {
          table.rows[i].back() = std::get<double>(table.rows[i].back()) + 6;
        }
        return table;
      },
      {"target_shift y"});
}

TEST(Findings, ColumnsOfNoUse) {
  Expect(
      [](uint64_t seed, bool fault) {
        return MakeTable(
            seed, 300, false,
            {{"same", "BIGINT"},
             {"word", "VARCHAR"},
             {"code", "VARCHAR"},
             {"serial", "BIGINT"},
             {"none", "DOUBLE"},
             {"blank", "VARCHAR"}},
            [&](int64_t i, double, Random& random, auto* row) {
              const auto any = static_cast<int64_t>(random.Below(5));
              row->push_back(fault ? 3 : any);
              row->push_back(fault ? "same" : fmt::format("w{}", any));
              row->push_back(fmt::format("k{}", fault ? i : any));
              row->push_back(fault ? 900 + i : 900 + any);
              row->push_back(fault ? TestCell(nullptr) : TestCell(random.Normal()));
              row->push_back(fault ? TestCell(nullptr) : TestCell("x" + Class(0.5 - double(any))));
            });
      },
      {"constant_column same", "constant_column word", "id_like_column code",
       "id_like_column serial", "empty_column none", "empty_column blank"});
}

TEST(Findings, Infinities) {
  Expect(
      [](uint64_t seed, bool fault) {
        return MakeTable(seed, 300, false, {{"ratio", "DOUBLE"}},
                         [&](int64_t i, double, Random& random, auto* row) {
                           row->push_back(fault && i % 50 == 0
                                              ? std::numeric_limits<double>::infinity()
                                              : random.Normal());
                         });
      },
      {"infinite_values ratio"});
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Table table = MakeTable(seed, 300, true, {}, nullptr);
    table.rows[seed].back() = -std::numeric_limits<double>::infinity();
    EXPECT_EQ(HintsOf(table), Hints{"error bad_target"});
  }
}

TEST(Findings, AHundredThousandCategories) {
  const auto places = [](uint64_t seed, int64_t rows, int64_t values) {
    return MakeTable(seed, rows, false, {{"place", "VARCHAR"}},
                     [&](int64_t i, double, Random&, auto* row) {
                       row->push_back(fmt::format("c{}", i % values));
                     });
  };
  EXPECT_EQ(HintsOf(places(1, 130'000, 100'000)), Hints{"many_categories place"});
  EXPECT_EQ(HintsOf(places(2, 130'000, 110'000)), Hints{"many_categories place"});
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    EXPECT_EQ(HintsOf(places(seed, 13'000, 60)), Hints()) << seed;
  }
}

TEST(Findings, FreeTextIsOfferedToBeRead) {
  Table table = MakeTable(
      3, 300, false, {{"comment", "VARCHAR"}}, [](int64_t i, double, Random& random, auto* row) {
        row->push_back(fmt::format("the pump number {} leaks since day {}", i, random.Below(100)));
      });
  EXPECT_EQ(HintsOf(table), (Hints{"free_text comment", "id_like_column comment"}));
  table.spec.features.types = {{"comment", "text"}};
  EXPECT_EQ(HintsOf(table), Hints());
}

TEST(Findings, TargetsThatCannotBeLearned) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Table constant = MakeTable(seed, 300, true, {}, nullptr);
    Table one_class = MakeTable(seed, 300, false, {}, nullptr);
    Table missing = MakeTable(seed, 300, false, {}, nullptr);
    for (size_t i = 0; i < 300; ++i) {
      constant.rows[i].back() = 4.5;
      one_class.rows[i].back() = std::string("yes");
      missing.rows[i].back() = nullptr;
    }
    EXPECT_EQ(HintsOf(constant), Hints{"error constant_target"});
    EXPECT_EQ(HintsOf(one_class), Hints{"error one_class"});
    EXPECT_EQ(HintsOf(missing), Hints{"error no_rows"});
    Table three = MakeTable(seed, 300, true, {}, nullptr);
    three.rows.resize(3);
    EXPECT_EQ(HintsOf(three), Hints{"error too_few_rows"});
  }
}

TEST(Findings, FewRowsAndRareClasses) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    EXPECT_EQ(HintsOf(MakeTable(seed, 120, true, {}, nullptr)), Hints{"few_rows"});
    Table rare = MakeTable(seed, 300, false, {}, nullptr);
    for (size_t i = 0; i < 300; ++i) rare.rows[i].back() = std::string(i % 20 == 0 ? "yes" : "no");
    EXPECT_EQ(HintsOf(rare), Hints{"rare_class yes"});
  }
}

TEST(Ranks, TiesShareTheirMean) {
  EXPECT_EQ(MeanRanks(std::vector<double>{3, 1, 3, 2}),
            (std::vector<double>{5. / 6, 0, 5. / 6, 1. / 3}));
  EXPECT_EQ(RankCorrelation(std::vector<double>{1, 2, 3}, std::vector<double>{9, 5, 1}), -1);
  EXPECT_EQ(RankCorrelation(std::vector<double>{1, 1, 1}, std::vector<double>{9, 5, 1}), 0);
}

}  // namespace
}  // namespace headrace::learn
