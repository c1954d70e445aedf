#include "learn/frame.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/test_rows.h"

namespace headrace::learn {
namespace {

using model::TestCell;
using model::TestRows;

ModelSpec Spec(const std::string& task = "classification") {
  ModelSpec spec;
  spec.name = "churn";
  spec.from = "features";
  spec.task = task;
  spec.target = "y";
  spec.key = {"id"};
  return spec;
}

Result<Frame> Read(const TestRows& rows, const ModelSpec& spec,
                   const std::vector<std::string>& slices = {}) {
  FrameOptions options;
  options.spec = &spec;
  options.slices = slices;
  return ReadFrame(*rows.Reader(7), options);
}

/// 100 rows: id, a number, a text, a text of numbers, a constant, an identifier, a date, y.
TestRows ManyKinds() {
  TestRows rows({{"id", "BIGINT"},
                 {"x", "DOUBLE"},
                 {"plan", "VARCHAR"},
                 {"charges", "VARCHAR"},
                 {"same", "BIGINT"},
                 {"code", "VARCHAR"},
                 {"serial", "BIGINT"},
                 {"day", "DATE"},
                 {"y", "VARCHAR"}});
  for (int64_t i = 0; i < 100; ++i) {
    rows.Add({i, i == 5 ? TestCell(nullptr) : TestCell(0.1 * double(i)),
              std::string(i % 3 == 0   ? "b"
                          : i % 3 == 1 ? "a"
                                       : "c"),
              i == 7 ? std::string(" ") : fmt::format("{}.5", i), int64_t{1}, fmt::format("k{}", i),
              int64_t{1000} + i, i,
              i == 50 ? TestCell(nullptr) : TestCell(i % 4 == 0 ? "yes" : "no")});
  }
  return rows;
}

std::vector<std::string> StepNames(const Frame& frame) {
  std::vector<std::string> names;
  for (const auto& step : frame.encoder.steps()) names.push_back(step.name);
  return names;
}

TEST(Frame, ChoosesEncodings) {
  const auto frame = Read(ManyKinds(), Spec());
  ASSERT_TRUE(frame.ok()) << Render(frame.error());
  EXPECT_EQ(frame->rows(), 99);
  EXPECT_EQ(frame->rows_without_target, 1);
  EXPECT_EQ(frame->classes, (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(StepNames(*frame), (std::vector<std::string>{"x", "plan", "charges", "day.day_number",
                                                         "day.month", "day.day", "day.weekday"}));
  const auto& steps = frame->encoder.steps();
  EXPECT_EQ(steps[1].levels, (std::vector<std::string>{"b", "a", "c"}));  // 34, 33, 32 rows
  EXPECT_FALSE(steps[2].categorical());
  EXPECT_TRUE(std::isnan(frame->features[0][5]));
  EXPECT_TRUE(std::isnan(frame->features[2][7]));
  EXPECT_EQ(frame->features[2][8], 8.5);
  EXPECT_FALSE(frame->features[2].wide());
  EXPECT_TRUE(frame->features[0].wide());  // 0.1 is no float
  std::vector<std::string> out;
  for (const auto& left : frame->encoder.left_out()) out.push_back(left.column);
  EXPECT_EQ(out, (std::vector<std::string>{"same", "code", "serial"}));
  EXPECT_EQ(frame->input_row[50], 51u);  // the row without a target is skipped
}

/// What reading must give whatever order the rows came in, as one text.
std::string Described(const Frame& frame) {
  std::string out = fmt::format("{}\n{}\n{}\n", frame.profile, fmt::join(frame.classes, ","),
                                fmt::join(frame.label, " "));
  for (size_t f = 0; f < frame.features.size(); ++f) {
    const model::Step& step = frame.encoder.steps()[f];
    out += fmt::format("{} [{}]:", step.name, fmt::join(step.levels, ","));
    for (int64_t i = 0; i < frame.rows(); ++i) out += fmt::format(" {}", frame.features[f][i]);
    out += "\n";
  }
  for (const Hash128& id : frame.id) out += fmt::format("{:x}{:x} ", id.high, id.low);
  out += fmt::format("\n{}\n{}\n{}\n{}\n", fmt::join(frame.content, " "),
                     fmt::join(frame.input_row, " "), fmt::join(frame.time, " "),
                     fmt::join(frame.weight, " "));
  for (const SliceCodes& slice : frame.slices) {
    out += fmt::format("{} [{}] {}\n", slice.name, fmt::join(slice.values, ","),
                       fmt::join(slice.codes, " "));
  }
  for (const auto& [name, values] : frame.serials) {
    for (int64_t i = 0; i < values.size(); ++i) out += fmt::format("{} {}\n", name, values[i]);
  }
  for (const Finding& finding : frame.findings) out += finding.message + "\n";
  return out;
}

TEST(Frame, RowsOfAnyOrderAreSortedByTheirKey) {
  std::vector<data::Column> columns = {{"id", "BIGINT"},     {"x", "DOUBLE"}, {"plan", "VARCHAR"},
                                       {"words", "VARCHAR"}, {"day", "DATE"}, {"w", "DOUBLE"},
                                       {"serial", "BIGINT"}, {"y", "VARCHAR"}};
  std::vector<std::vector<TestCell>> cells;
  for (int64_t i = 0; i < 200; ++i) {
    cells.push_back({i, 0.1 * double(i % 37), fmt::format("p{}", i * i % 7),
                     i % 5 == 0 ? TestCell(nullptr) : fmt::format("w{} and w{}", i % 4, i % 3), i,
                     1.0 + double(i % 3), 5000 + i,
                     i % 50 == 3 ? TestCell(nullptr) : TestCell(i % 4 == 0 ? "yes" : "no")});
  }
  ModelSpec spec = Spec();
  spec.time = "day";
  spec.weight = "w";
  spec.features.types = {{"words", "text"}};
  TestRows sorted(columns);
  for (const auto& row : cells) sorted.Add(row);
  const auto expected = Read(sorted, spec, {"plan"});
  ASSERT_TRUE(expected.ok()) << Render(expected.error());

  columns.push_back({"order", "BLOB"});
  // A number's key, a long text's (equal for 24 bytes), and one that is longer in some rows only.
  for (const char* prefix : {"", "the same long beginning of a key ", "?"}) {
    TestRows shuffled(columns);
    for (int64_t i = 0; i < 200; ++i) {
      const int64_t from = i * 77 % 200;
      auto row = cells[static_cast<size_t>(from)];
      std::string key = fmt::format("{}{:03}{}", prefix, from, std::string(17, 'h'));
      if (*prefix == '?' && from % 2 == 1) key += std::string(40, 'z');
      row.emplace_back(key);
      shuffled.Add(row);
    }
    FrameOptions options;
    options.spec = &spec;
    options.slices = {"plan"};
    options.with_order = true;
    for (const int threads : {1, 3}) {
      options.threads = threads;
      const auto frame = ReadFrame(*shuffled.Reader(7), options);
      ASSERT_TRUE(frame.ok()) << Render(frame.error());
      EXPECT_EQ(Described(*frame), Described(*expected));
    }
  }
}

TEST(Frame, EncoderGivesTheSameNumbersAgain) {
  const TestRows rows = ManyKinds();
  const auto frame = Read(rows, Spec());
  const auto block = frame->encoder.Encode(rows.schema(), rows.MakeBatch());
  ASSERT_TRUE(block.ok());
  for (int64_t r = 0; r < frame->rows(); ++r) {
    const auto from = static_cast<size_t>(frame->input_row[static_cast<size_t>(r)]);
    for (size_t s = 0; s < frame->features.size(); ++s) {
      const double a = frame->features[s][r], b = block->values[from * frame->features.size() + s];
      ASSERT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << r << " " << s;
    }
  }
}

TEST(Frame, ListedColumnsAndForcedTypes) {
  ModelSpec spec = Spec();
  spec.features.include = {"code", "x", "serial"};
  spec.features.exclude = {"x"};
  spec.features.types = {{"serial", "category"}};
  const auto frame = Read(ManyKinds(), spec);
  ASSERT_TRUE(frame.ok()) << Render(frame.error());
  EXPECT_EQ(StepNames(*frame), (std::vector<std::string>{"code", "serial"}));
  EXPECT_TRUE(frame->encoder.steps()[1].categorical());
}

TEST(Frame, KeysHashAlikeAndContentDiffers) {
  TestRows rows({{"id", "BIGINT"}, {"x", "DOUBLE"}, {"y", "DOUBLE"}});
  rows.Add({int64_t{1}, 1.0, 2.0}).Add({int64_t{1}, 2.0, 2.0}).Add({int64_t{2}, 2.0, 3.0});
  const auto frame = Read(rows, Spec("regression"));
  ASSERT_TRUE(frame.ok()) << Render(frame.error());
  EXPECT_EQ(frame->id[0], frame->id[1]);
  EXPECT_NE(frame->id[0], frame->id[2]);
  EXPECT_NE(frame->content[0], frame->content[1]);
}

TEST(Frame, SlicesKeepTheirValues) {
  const auto frame = Read(ManyKinds(), Spec(), {"plan"});
  ASSERT_TRUE(frame.ok());
  ASSERT_EQ(frame->slices.size(), 1u);
  EXPECT_EQ(frame->slices[0].values, (std::vector<std::string>{"b", "a", "c"}));
  EXPECT_EQ(frame->slices[0].codes.size(), 99u);
}

/// Code and message of the error that reading gives.
std::string Fault(const TestRows& rows, const ModelSpec& spec) {
  const auto frame = Read(rows, spec);
  return frame.ok() ? "none" : frame.error().code + ": " + frame.error().message;
}

TEST(Frame, NamesWhatIsWrong) {
  ModelSpec spec = Spec();
  spec.target = "z";
  EXPECT_EQ(Fault(ManyKinds(), spec),
            "unknown_column: `target: z` of model 'churn': features has no such column");
  spec = Spec();
  spec.time = "plan";
  EXPECT_EQ(
      Fault(ManyKinds(), spec),
      "wrong_type: `time: plan` of model 'churn' is VARCHAR; a date or a timestamp is needed");
  EXPECT_EQ(Fault(ManyKinds(), Spec("regression")),
            "bad_target: target 'y' of model 'churn' is VARCHAR; regression needs a number");
  spec = Spec();
  spec.positive = "maybe";
  EXPECT_EQ(Fault(ManyKinds(), spec),
            "unknown_class: positive class 'maybe' of model 'churn' is no value of target 'y'");
  spec = Spec();
  spec.features.types = {{"x", "colour"}};
  EXPECT_EQ(Fault(ManyKinds(), spec),
            "unknown_type: features.types of model 'churn': 'colour' is no type of a feature");
  spec = Spec();
  spec.target = "x";
  EXPECT_EQ(
      Fault(ManyKinds(), spec),
      "bad_target: target 'x' of model 'churn' is DOUBLE; classification needs a boolean, whole "
      "number or text");
  spec = Spec();
  spec.features.include = {"same", "code"};
  spec.features.exclude = {"code"};
  EXPECT_EQ(Fault(ManyKinds(), spec),
            "no_features: model 'churn' has no column to learn from: 'same' is constant");
}

TEST(Frame, TargetsThatTeachNothing) {
  const auto rows = [](TestCell first, TestCell second) {
    TestRows out({{"id", "BIGINT"}, {"x", "DOUBLE"}, {"y", "DOUBLE"}});
    for (int64_t i = 0; i < 30; ++i) out.Add({i, 0.5 * double(i), i % 2 == 0 ? first : second});
    return out;
  };
  EXPECT_EQ(
      Fault(rows(nullptr, nullptr), Spec("regression")),
      "no_rows: model 'churn' has no rows to learn from: 30 rows, target 'y' is NULL in 30 of "
      "them");
  EXPECT_EQ(Fault(rows(2.0, 2.0), Spec("regression")),
            "constant_target: target 'y' is 2 in all 30 rows: there is nothing to learn");
  EXPECT_EQ(Fault(rows(2.0, std::numeric_limits<double>::infinity()), Spec("regression")),
            "bad_target: target 'y' is infinite (or beyond 1e300) in 15 of 30 rows");
  TestRows one({{"id", "BIGINT"}, {"x", "DOUBLE"}, {"y", "BOOLEAN"}});
  for (int64_t i = 0; i < 30; ++i) one.Add({i, 0.5 * double(i), int64_t{1}});
  EXPECT_EQ(Fault(one, Spec()),
            "one_class: target 'y' is 'true' in all 30 rows: there is nothing to learn");
}

TEST(Frame, YesAndNoNameBooleans) {
  TestRows rows({{"id", "BIGINT"}, {"x", "DOUBLE"}, {"y", "BOOLEAN"}});
  for (int64_t i = 0; i < 30; ++i) rows.Add({i, 0.3 * double(i), i % 2});
  ModelSpec spec = Spec();
  spec.positive = "No";
  const auto frame = Read(rows, spec);
  ASSERT_TRUE(frame.ok()) << Render(frame.error());
  EXPECT_EQ(frame->classes, (std::vector<std::string>{"true", "false"}));
}

}  // namespace
}  // namespace headrace::learn
