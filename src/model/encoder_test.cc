#include "model/encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "model/column_values.h"
#include "model/test_rows.h"

namespace headrace::model {
namespace {

Step Number(const std::string& name, int input) {
  Step step;
  step.name = name;
  step.input = input;
  step.max = 10;
  return step;
}

Step Category(const std::string& name, int input, std::vector<std::string> levels) {
  Step step = Number(name, input);
  step.kind = StepKind::kCategory;
  step.levels = std::move(levels);
  return step;
}

Step Part(const std::string& name, int input, DatePart part) {
  Step step = Number(name, input);
  step.kind = StepKind::kDatePart;
  step.part = part;
  return step;
}

Encoder MakeEncoder() {
  Signature signature{{{"x", "DOUBLE", InputClass::kNumber},
                       {"plan", "VARCHAR", InputClass::kText},
                       {"flag", "BOOLEAN", InputClass::kBoolean},
                       {"day", "DATE", InputClass::kDate},
                       {"at", "TIMESTAMP", InputClass::kTimestamp}}};
  auto encoder = Encoder::Make(
      signature,
      {Number("x", 0), Category("plan", 1, {"basic", "pro"}), Number("flag", 2),
       Part("day.year", 3, DatePart::kYear), Part("day.weekday", 3, DatePart::kWeekday),
       Part("at.hour", 4, DatePart::kHour), Part("at.day_number", 4, DatePart::kEpochDays)},
      {{"id", "looks like an identifier"}});
  EXPECT_TRUE(encoder.ok());
  return *encoder;
}

TestRows MakeRows() {
  const double inf = std::numeric_limits<double>::infinity();
  TestRows rows({{"flag", "BOOLEAN"},
                 {"x", "DOUBLE"},
                 {"plan", "VARCHAR"},
                 {"day", "DATE"},
                 {"at", "TIMESTAMP"}});
  // 2024-02-29 is day 19782, a Thursday.
  rows.Add(
      {int64_t{1}, 1.5, "pro", int64_t{19782}, int64_t{19782} * 86'400'000'000 + 43'200'000'000});
  rows.Add({int64_t{0}, inf, "basic", int64_t{-1}, int64_t{-1}});
  rows.Add({nullptr, -inf, "other", nullptr, nullptr});
  rows.Add({int64_t{1}, nullptr, nullptr, int64_t{0}, int64_t{0}});
  rows.Add({int64_t{1}, std::nan(""), "", int64_t{0}, int64_t{0}});
  return rows;
}

TEST(Encoder, EncodesEveryKind) {
  const TestRows rows = MakeRows();
  const auto block = MakeEncoder().Encode(rows.schema(), rows.MakeBatch());
  ASSERT_TRUE(block.ok()) << block.error().message;
  ASSERT_EQ(block->rows, 5);
  ASSERT_EQ(block->width, 7);
  const auto at = [&](int row, int column) { return block->values[size_t(row * 7 + column)]; };
  EXPECT_EQ(at(0, 0), 1.5);
  EXPECT_EQ(at(0, 1), 1);
  EXPECT_EQ(at(0, 2), 1);
  EXPECT_EQ(at(0, 3), 2024);
  EXPECT_EQ(at(0, 4), 3);  // Thursday
  EXPECT_EQ(at(0, 5), 12);
  EXPECT_EQ(at(0, 6), 19782.5);
  EXPECT_EQ(at(1, 0), kLargest);
  EXPECT_EQ(at(1, 3), 1969);
  EXPECT_EQ(at(1, 5), 23);  // the microsecond before 1970
  EXPECT_EQ(at(2, 0), -kLargest);
  EXPECT_EQ(at(2, 1), 2);  // unseen
  EXPECT_TRUE(std::isnan(at(2, 2)));
  EXPECT_TRUE(std::isnan(at(2, 3)));
  EXPECT_TRUE(std::isnan(at(3, 0)));
  EXPECT_TRUE(std::isnan(at(3, 1)));
  EXPECT_TRUE(std::isnan(at(4, 0)));
  EXPECT_EQ(at(4, 1), 2);  // the empty text is a value, an unseen one
}

TEST(Encoder, OneRowEqualsBatch) {
  const TestRows rows = MakeRows();
  const Encoder encoder = MakeEncoder();
  const auto all = encoder.Encode(rows.schema(), rows.MakeBatch());
  for (size_t r = 0; r < rows.size(); ++r) {
    const auto one = encoder.Encode(rows.schema(), rows.MakeBatch(r, 1));
    for (size_t s = 0; s < 7; ++s) {
      const double a = one->values[s], b = all->values[r * 7 + s];
      EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b)));
    }
  }
}

TEST(Encoder, JsonRoundTrip) {
  const Encoder encoder = MakeEncoder();
  const auto back = Encoder::FromJson(encoder.ToJson());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->ToJson().dump(), encoder.ToJson().dump());
}

TEST(Encoder, RefusesDamagedJson) {
  const Json good = MakeEncoder().ToJson();
  const auto refuses = [&](const std::function<void(Json&)>& damage) {
    Json json = good;
    damage(json);
    const auto encoder = Encoder::FromJson(json);
    EXPECT_FALSE(encoder.ok()) << json.dump();
    if (!encoder.ok()) {
      EXPECT_EQ(encoder.error().code, "damaged_model");
    }
  };
  refuses([](Json& j) { j["steps"][0]["input"] = 99; });
  refuses([](Json& j) { j["steps"][0]["input"] = -1; });
  refuses([](Json& j) { j["steps"][0]["kind"] = "odd"; });
  refuses([](Json& j) { j["steps"][0].erase("name"); });
  refuses([](Json& j) { j["steps"][0]["min"] = 11; });
  refuses([](Json& j) { j["steps"][1]["levels"] = {"a", "a"}; });
  refuses([](Json& j) { j["steps"][1]["levels"] = {1}; });
  refuses([](Json& j) { j["steps"][3]["part"] = "century"; });
  refuses([](Json& j) { j.erase("inputs"); });
  refuses([](Json& j) { j["left_out"] = {1}; });
}

TEST(ColumnValues, NumbersHashAlikeWhateverTheirType) {
  TestRows whole({data::Column{"x", "BIGINT"}}), real({data::Column{"x", "DOUBLE"}});
  whole.Add({int64_t{7}});
  real.Add({7.0});
  const auto a = whole.MakeBatch(), b = real.MakeBatch();
  EXPECT_EQ(ColumnValues(a, whole.schema(), 0).Hash(0), ColumnValues(b, real.schema(), 0).Hash(0));
}

TEST(ColumnValues, ReadsNumbersFromText) {
  EXPECT_EQ(ParseNumber(" 12.5 "), 12.5);
  EXPECT_EQ(ParseNumber("+1e3"), 1000);
  EXPECT_FALSE(ParseNumber(""));
  EXPECT_FALSE(ParseNumber("  "));
  EXPECT_FALSE(ParseNumber("12a"));
  EXPECT_FALSE(ParseNumber("nan"));
  EXPECT_FALSE(ParseNumber("inf"));
}

}  // namespace
}  // namespace headrace::model
