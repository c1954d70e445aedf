#include "model/package.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/fault_file_system.h"
#include "model/linear_scorer.h"
#include "model/package_json.h"
#include "model/scorer.h"
#include "model/test_rows.h"

namespace headrace::model {
namespace {

constexpr const char* kTrees =
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\n"
    "objective=binary sigmoid:1\n\nTree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\n"
    "threshold=1.5 0\ndecision_type=2 1\nleft_child=-1 -2\nright_child=1 -3\n"
    "leaf_value=-1 0.5 2\ncat_boundaries=0 1\ncat_threshold=2\nis_linear=0\n\n\nend of trees\n";

std::string Linear() {
  LinearModel model;
  model.intercept = {0.125};
  model.numbers.push_back({0, {0, 10}, {0, 1}, {0.5}});
  return LinearText(model);
}

Package Sample() {
  Step x, plan;
  x.name = "x";
  x.max = 10;
  plan.name = "plan";
  plan.input = 1;
  plan.kind = StepKind::kCategory;
  plan.levels = {"basic", "pro"};
  Package package;
  package.model = "churn";
  package.version = 3;
  package.task = Task::kBinary;
  package.target = "churned";
  package.target_type = "VARCHAR";
  package.classes = {"no", "yes"};
  package.encoder = *Encoder::Make(
      {{{"x", "DOUBLE", InputClass::kNumber}, {"plan", "VARCHAR", InputClass::kText}}}, {x, plan},
      {});
  package.members = {{"lightgbm_1", "lightgbm", 0.75, kTrees},
                     {"linear_1", "linear", 0.25, Linear()}};
  package.calibration = {1.25, {-0.25}};
  package.metric = "roc_auc";
  package.metrics["roc_auc"] = {0.8, 0.75, 0.85, 1000};
  package.metrics["recall"] = {0.5, std::nan(""), std::nan(""), 1000};
  package.report = R"({"trials":2})";
  package.profile = R"({"rows":2})";
  package.seen.outputs = 1;
  package.seen.rows = {{5, 50, true}, {9, 90, false}};
  package.seen.scores = {0.5, std::nan("")};
  return package;
}

TestRows SomeRows() {
  TestRows rows({{"plan", "VARCHAR"}, {"x", "DOUBLE"}});
  for (int i = 0; i < 1200; ++i) {
    rows.Add({i % 5 == 0 ? TestCell(nullptr) : TestCell(i % 3 == 0 ? "pro" : "basic"), 0.01 * i});
  }
  return rows;
}

class PackageTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "headrace-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    directory_ = root_ + "/models/churn/3";
    temporary_ = root_ + "/tmp/1/churn";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  Status Write(FileSystem& fs) { return WritePackage(fs, Sample(), temporary_, directory_); }
  std::string root_, directory_, temporary_;
};

TEST_F(PackageTest, RoundTrip) {
  ASSERT_TRUE(Write(RealFileSystem()).ok());
  const auto back = ReadPackage(RealFileSystem(), directory_);
  ASSERT_TRUE(back.ok()) << Render(back.error());
  EXPECT_EQ(PackageFiles(*back), PackageFiles(Sample()));
  EXPECT_EQ(ContentHash(*back), ContentHash(Sample()));
  EXPECT_EQ(back->seen.Find(9), 1);
  EXPECT_EQ(back->seen.Find(8), -1);
  EXPECT_TRUE(std::isnan(back->metrics.at("recall").low));
  const Status again = Write(RealFileSystem());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, "already_there");
}

TEST_F(PackageTest, IdentityIsWhatItComputes) {
  const Hash128 hash = ContentHash(Sample());
  Package other = Sample();
  other.version = 4;
  other.metrics.clear();
  other.members[0].text += "\nparameters:\n[num_threads: 8]\nend of parameters\n";
  EXPECT_EQ(WithoutParameters(other.members[0].text),
            other.members[0].text.substr(0, std::string(kTrees).size() + 1));
  other = Sample();
  other.version = 4;
  EXPECT_EQ(ContentHash(other), hash);
  other.threshold = 0.4;
  EXPECT_NE(ContentHash(other), hash);
}

TEST_F(PackageTest, AnyDamagedByteIsRefused) {
  ASSERT_TRUE(Write(RealFileSystem()).ok());
  for (const auto& [name, bytes] : PackageFiles(Sample())) {
    if (name == "card.md" || name == "MLmodel") continue;  // for people and other tools
    for (size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 40) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 1);
      ASSERT_TRUE(RealFileSystem().Write(JoinPath(directory_, name), damaged).ok());
      const auto read = ReadPackage(RealFileSystem(), directory_);
      ASSERT_FALSE(read.ok()) << name << " byte " << at;
      EXPECT_EQ(read.error().code, "damaged_model") << name << " byte " << at;
    }
    ASSERT_TRUE(RealFileSystem().Remove(JoinPath(directory_, name)).ok());
    EXPECT_FALSE(ReadPackage(RealFileSystem(), directory_).ok()) << name;
    ASSERT_TRUE(RealFileSystem().Write(JoinPath(directory_, name), bytes).ok());
  }
  EXPECT_TRUE(ReadPackage(RealFileSystem(), directory_).ok());
}

TEST_F(PackageTest, ForeignJsonIsCheckedBehindTheDigest) {
  const Json good = PackageToJson(Sample());
  const auto refuses = [&](const std::function<void(Json&)>& damage, const std::string& code) {
    Json json = good;
    damage(json);
    const auto package = PackageFromJson(json);
    ASSERT_FALSE(package.ok());
    EXPECT_EQ(package.error().code, code);
  };
  refuses([](Json& j) { j["format"] = 2; }, "newer_format");
  refuses([](Json& j) { j["members"][0]["name"] = "../../etc/passwd"; }, "damaged_model");
  refuses([](Json& j) { j["task"] = "cooking"; }, "damaged_model");
  refuses([](Json& j) { j["classes"] = {1, 2}; }, "damaged_model");
  refuses([](Json& j) { j["calibration"]["offsets"] = {"a"}; }, "damaged_model");
  refuses([](Json& j) { j.erase("threshold"); }, "damaged_model");
  refuses([](Json& j) { j = Json::array(); }, "damaged_model");
}

TEST_F(PackageTest, WholeOrNothingWhenTheDiskFails) {
  int64_t operations = 0;
  {
    FaultFileSystem counting(RealFileSystem());
    ASSERT_TRUE(Write(counting).ok());
    operations = counting.operations();
  }
  for (int64_t n = 1; n <= operations; ++n) {
    std::filesystem::remove_all(root_);
    FaultFileSystem faulty(RealFileSystem(), n, ENOSPC, true);
    const Status status = Write(faulty);
    EXPECT_FALSE(status.ok());
    if (RealFileSystem().Exists(directory_)) {
      EXPECT_TRUE(ReadPackage(RealFileSystem(), directory_).ok()) << "operation " << n;
    }
  }
}

TEST_F(PackageTest, RefusesMembersThatDoNotFit) {
  const auto reason = [](Package package) {
    const auto scorer = Scorer::Make(std::move(package));
    return scorer.ok() ? std::string() : scorer.error().message;
  };
  Package package = Sample();
  package.members[0].weight = 0.5;
  EXPECT_EQ(reason(package), "model package: the members' weights do not add up to 1");
  package = Sample();
  package.classes.push_back("maybe");
  EXPECT_EQ(reason(package), "model package: 3 classes do not suit the task binary");
  package = Sample();
  package.calibration.offsets.clear();
  EXPECT_EQ(reason(package), "model package: the calibration has a wrong size or is not finite");
  package = Sample();
  package.members[0].kind = "magic";
  EXPECT_EQ(reason(package), "model package: member 'lightgbm_1' is of the unknown kind 'magic'");
  package = Sample();
  package.target_type = "INTEGER";
  EXPECT_EQ(reason(package), "class 'no' is no value of the target's type");
}

TEST(Scorer, SameBitsForRowsBatchesAndThreads) {
  const auto scorer = Scorer::Make(Sample());
  ASSERT_TRUE(scorer.ok()) << scorer.error().message;
  const TestRows rows = SomeRows();
  const auto all = (*scorer)->ScoreBatch(rows.schema(), rows.MakeBatch(), 1);
  ASSERT_TRUE(all.ok());
  for (const int threads : {2, 4}) {
    const auto other = (*scorer)->ScoreBatch(rows.schema(), rows.MakeBatch(), threads);
    EXPECT_EQ(other->margins, all->margins);
    EXPECT_EQ(other->probabilities, all->probabilities);
  }
  for (const size_t r : {size_t{0}, size_t{511}, size_t{512}, size_t{1199}}) {
    const auto one = (*scorer)->ScoreBatch(rows.schema(), rows.MakeBatch(r, 1));
    EXPECT_EQ(one->margins[0], all->margins[r]);
  }
  // Row 3: x = 0.03, pro → tree -1; linear 0.125 + 0.003.
  EXPECT_DOUBLE_EQ(all->margins[3], 1.25 * (0.75 * -1 + 0.25 * 0.128) - 0.25);
}

TEST(Scorer, BatchOfPredictions) {
  const auto scorer = Scorer::Make(Sample());
  const TestRows rows = SomeRows();
  const auto block = (*scorer)->ScoreBatch(rows.schema(), rows.MakeBatch(0, 300));
  const data::Batch batch = (*scorer)->ToBatch(*block);
  const data::Schema& schema = (*scorer)->output_schema();
  ASSERT_EQ(schema.Names(),
            (std::vector<std::string>{"prediction", "probability", "model_version"}));
  const data::ColumnView prediction(batch, schema, 0), probability(batch, schema, 1),
      version(batch, schema, 2);
  ASSERT_EQ(batch.rows(), 300);
  for (int64_t i = 0; i < 300; ++i) {
    EXPECT_EQ(probability.AsDouble(i), block->probabilities[static_cast<size_t>(i)]);
    EXPECT_EQ(prediction.AsText(i), probability.AsDouble(i) >= 0.5 ? "yes" : "no");
    EXPECT_EQ(version.AsInt64(i), 3);
  }
}

TEST(Scorer, EmptyBatchAndWrongColumns) {
  const auto scorer = Scorer::Make(Sample());
  const TestRows rows({{"plan", "VARCHAR"}, {"x", "DOUBLE"}});
  const auto block = (*scorer)->ScoreBatch(rows.schema(), rows.MakeBatch());
  ASSERT_TRUE(block.ok());
  EXPECT_EQ((*scorer)->ToBatch(*block).rows(), 0);
  EXPECT_EQ((*scorer)->CheckInput(data::Schema{{{"x", "DOUBLE"}}}).error().code, "missing_columns");
  EXPECT_EQ(
      (*scorer)->CheckInput(data::Schema{{{"x", "VARCHAR"}, {"plan", "VARCHAR"}}}).error().code,
      "wrong_type");
}

}  // namespace
}  // namespace headrace::model
