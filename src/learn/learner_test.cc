#include "learn/learner.h"

#include <gtest/gtest.h>

#include "learn/lightgbm/lightgbm_api.h"

namespace headrace::learn {
namespace {

TEST(Options, AreCheckedByName) {
  const auto learner = MakeLightGbmLearner();
  const auto fault = [&](const std::string& options) {
    const auto config = ParseOptions("lightgbm", learner->parameters(), options);
    return config.ok() ? std::string("none") : config.error().code + ": " + config.error().message;
  };
  EXPECT_EQ(fault(R"({"num_leaves": 15, "extra_trees": true})"), "none");
  EXPECT_EQ(fault(R"({"num_leafs": 15})"),
            "unknown_option: learner 'lightgbm' has no option 'num_leafs'");
  EXPECT_EQ(
      fault(R"({"num_leaves": 1})"),
      "out_of_range: option 'num_leaves' of learner 'lightgbm' is 1; it must be a whole number "
      "from 2 to 131072");
  EXPECT_EQ(
      fault(R"({"num_leaves": 2.5})"),
      "out_of_range: option 'num_leaves' of learner 'lightgbm' is 2.5; it must be a whole number "
      "from 2 to 131072");
  EXPECT_EQ(fault(R"({"num_leaves": "a"})"),
            "bad_options: option 'num_leaves' of learner 'lightgbm' is no number");
  EXPECT_EQ(fault("[]"), "bad_options: the options of learner 'lightgbm' are no map");
}

TEST(DrawConfig, IsAFunctionOfSeedAndNumber) {
  const auto learner = MakeLightGbmLearner();
  const Config fixed = {{"num_leaves", 9}};
  const Config a = DrawConfig(learner->parameters(), fixed, 1, 5);
  EXPECT_EQ(a, DrawConfig(learner->parameters(), fixed, 1, 5));
  EXPECT_NE(a, DrawConfig(learner->parameters(), fixed, 1, 6));
  EXPECT_EQ(a.at("num_leaves"), 9);
  for (const Parameter& p : learner->parameters()) {
    if (p.search_low < p.search_high && p.name != "num_leaves") {
      EXPECT_GE(a.at(std::string(p.name)), p.low) << p.name;
      EXPECT_LE(a.at(std::string(p.name)), p.high) << p.name;
    }
  }
}

TEST(LightGbm, AMissingLibraryNamesPlacesAndCommand) {
  // The folder given is tried first; it is named even when another place has the library.
  const auto api = LoadLightGbm("/nowhere/at/all");
  if (!api.ok()) {
    EXPECT_EQ(api.error().code, "learner_missing");
    EXPECT_NE(api.error().message.find("/nowhere/at/all/lib_lightgbm.so"), std::string::npos);
    EXPECT_NE(api.error().hint.find("pip install lightgbm"), std::string::npos);
  }
}

}  // namespace
}  // namespace headrace::learn
