#include "model/forest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "evaluate/random.h"
#include "source_dir.h"

namespace headrace::model {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

std::string ReadText(const std::string& name) {
  std::ifstream file(fmt::format("{}/tests/golden/forest/{}", SourceDir(), name));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Rows of a fixture: inputs ; margins summed from the leaves LightGBM said each row falls into.
struct Golden {
  int64_t rows = 0;
  std::vector<double> inputs, margins;
};

Golden ReadGolden(const std::string& name) {
  Golden out;
  std::istringstream lines(ReadText(name));
  for (std::string line; std::getline(lines, line); ++out.rows) {
    const size_t cut = line.find(';');
    std::istringstream inputs(line.substr(0, cut) + ","), margins(line.substr(cut + 1) + ",");
    for (std::string cell; std::getline(inputs, cell, ',');) {
      out.inputs.push_back(cell.empty() ? kNan : std::stod(cell));
    }
    for (std::string cell; std::getline(margins, cell, ',');)
      out.margins.push_back(std::stod(cell));
  }
  return out;
}

class ForestGolden : public testing::TestWithParam<const char*> {};

TEST_P(ForestGolden, EqualsLightGbmInBatchesAndSingleRows) {
  const std::string name = GetParam();
  const auto forest = Forest::ParseLightGbm(ReadText(name + ".txt"));
  ASSERT_TRUE(forest.ok()) << forest.error().message;
  const Golden golden = ReadGolden(name + ".csv");
  const auto width = static_cast<size_t>(forest->features());
  const auto outputs = static_cast<size_t>(forest->outputs());
  ASSERT_EQ(golden.inputs.size(), static_cast<size_t>(golden.rows) * width);
  std::vector<double> margins(golden.margins.size());
  for (int64_t batch : {int64_t{1}, int64_t{3}, int64_t{8}, int64_t{11}, golden.rows}) {
    for (int64_t first = 0; first < golden.rows; first += batch) {
      const int64_t count = std::min(batch, golden.rows - first);
      forest->Margins(golden.inputs.data() + static_cast<size_t>(first) * width, count,
                      forest->features(), margins.data() + static_cast<size_t>(first) * outputs);
    }
    EXPECT_EQ(margins, golden.margins) << "batches of " << batch;
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ForestGolden,
                         testing::Values("categorical", "zero_as_missing", "multiclass",
                                         "missing"));

/// One tree of two splits; `replace` changes parts of its text.
std::string Tiny(const std::string& from = "", const std::string& to = "") {
  std::string text =
      "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\n"
      "objective=regression\n\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\n"
      "threshold=1.5 2.5\ndecision_type=2 8\nleft_child=-1 -2\nright_child=1 -3\n"
      "leaf_value=1 2 4\nis_linear=0\n\n\nend of trees\n\nparameters:\n[num_threads: 7]\n"
      "end of parameters\n";
  if (!from.empty()) text.replace(text.find(from), from.size(), to);
  return text;
}

double One(const Forest& forest, double a, double b) {
  const double row[] = {a, b};
  double margin = 0;
  forest.Margins(row, 1, 2, &margin);
  return margin;
}

TEST(Forest, MissingRules) {
  const auto forest = Forest::ParseLightGbm(Tiny());
  ASSERT_TRUE(forest.ok()) << forest.error().message;
  EXPECT_EQ(One(*forest, 1.5, 0), 1);
  EXPECT_EQ(One(*forest, 1.6, 2.5), 2);
  EXPECT_EQ(One(*forest, 1.6, 2.6), 4);
  EXPECT_EQ(One(*forest, kNan, 0), 1);  // missing type none: NaN is 0
  EXPECT_EQ(One(*forest, 9, kNan), 4);  // missing type NaN, default right
  const auto left = Forest::ParseLightGbm(Tiny("decision_type=2 8", "decision_type=2 10"));
  EXPECT_EQ(One(*left, 9, kNan), 2);  // default left
  const auto zero = Forest::ParseLightGbm(Tiny("decision_type=2 8", "decision_type=2 4"));
  EXPECT_EQ(One(*zero, 9, 0), 4);  // zero is missing, default right
  EXPECT_EQ(One(*zero, 9, 1e-36), 4);
  EXPECT_EQ(One(*zero, 9, kNan), 4);
  EXPECT_EQ(One(*zero, 9, 1), 2);
}

TEST(Forest, ConstantTree) {
  const auto forest = Forest::ParseLightGbm(
      "tree\nversion=v4\nnum_tree_per_iteration=1\nmax_feature_idx=0\n\nTree=0\nnum_leaves=1\n"
      "num_cat=0\nleaf_value=0.25\n\n\nend of trees\n");
  ASSERT_TRUE(forest.ok()) << forest.error().message;
  EXPECT_EQ(One(*forest, kNan, 0), 0.25);
}

TEST(Forest, RefusesWithAReason) {
  const auto reason = [](const std::string& text) {
    const auto forest = Forest::ParseLightGbm(text);
    return forest.ok() ? std::string("accepted") : forest.error().message;
  };
  const std::string head = "LightGBM model: ";
  EXPECT_EQ(reason(""), head + "the first line is not 'tree'");
  EXPECT_EQ(reason(Tiny("end of trees", "")), head + "it ends before 'end of trees'");
  EXPECT_EQ(reason(Tiny("left_child=-1 -2", "left_child=-1 0")),
            head + "tree 0 is not a tree: a node has two parents");
  EXPECT_EQ(reason(Tiny("left_child=-1 -2", "left_child=-1 -1")),
            head + "tree 0 is not a tree: a node has two parents");
  EXPECT_EQ(reason(Tiny("left_child=-1 -2", "left_child=-1 -9")),
            head + "tree 0 has a child that is not there");
  EXPECT_EQ(reason(Tiny("split_feature=0 1", "split_feature=0 2")),
            head + "tree 0 splits on a feature that is not there");
  EXPECT_EQ(reason(Tiny("split_feature=0 1", "split_feature=0")),
            head + "tree 0: split_feature has fewer entries than its tree needs");
  EXPECT_EQ(reason(Tiny("leaf_value=1 2 4", "leaf_value=1 2 4 5")),
            head + "tree 0: leaf_value has more entries than its tree needs");
  EXPECT_EQ(reason(Tiny("leaf_value=1 2 4", "leaf_value=1 2 inf")),
            head + "tree 0 has a leaf that is not finite");
  EXPECT_EQ(reason(Tiny("decision_type=2 8", "decision_type=2 1")),
            head + "tree 0 uses a set of categories that is not there");
  EXPECT_EQ(reason(Tiny("num_leaves=3", "num_leaves=99999999")),
            head + "tree 0: num_leaves is not a whole number from 1 to 1048576");
  EXPECT_EQ(reason(Tiny("Tree=0", "Tree=1")), head + "trees are out of order");
  EXPECT_EQ(reason(Tiny("is_linear=0", "is_linear=1")),
            head + "tree 0 is a linear tree; these are not supported");
}

TEST(Forest, SurvivesEveryDamage) {
  const std::string good = ReadText("categorical.txt");
  evaluate::Random random(3);
  std::vector<double> row(64, 1.0);
  row[3] = kNan;
  row[5] = 1e300;
  std::vector<double> margins(64);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text = good;
    for (uint64_t flips = 1 + random.Below(3); flips > 0; --flips) {
      const size_t at = random.Below(text.size());
      switch (random.Below(3)) {
        case 0:
          text[at] = static_cast<char>(random.Below(256));
          break;
        case 1:
          text.erase(at, random.Below(40));
          break;
        default:
          text.insert(at, text.substr(random.Below(text.size()), random.Below(20)));
      }
    }
    const auto forest = Forest::ParseLightGbm(text);
    if (!forest.ok()) {
      ++refused;
    } else if (forest->features() <= 64 && forest->outputs() <= 64) {
      forest->Margins(row.data(), 1, 64, margins.data());
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace headrace::model
