#include "model/signature.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace headrace::model {
namespace {

Signature TwoInputs() {
  return {{{"minutes", "DOUBLE", InputClass::kNumber}, {"plan", "VARCHAR", InputClass::kText}}};
}

TEST(Signature, BindsByNameWithoutCaseAndAcceptsOtherWidths) {
  const data::Schema schema{{{"PLAN", "VARCHAR"}, {"x", "DATE"}, {"minutes", "INTEGER"}}};
  const auto columns = TwoInputs().Bind(schema);
  ASSERT_TRUE(columns.ok());
  EXPECT_EQ(*columns, (std::vector<int>{2, 0}));
}

TEST(Signature, NamesEveryMissingColumn) {
  const data::Schema schema{{{"minute", "DOUBLE"}}};
  const auto columns = TwoInputs().Bind(schema);
  ASSERT_FALSE(columns.ok());
  EXPECT_EQ(columns.error().code, "missing_columns");
  EXPECT_EQ(columns.error().message,
            "the rows lack 2 of 2 columns that the model was trained on: 'minutes', 'plan'");
  EXPECT_EQ(columns.error().candidates, std::vector<std::string>{"minute"});
}

TEST(Signature, NamesEveryWrongType) {
  const data::Schema schema{{{"minutes", "VARCHAR"}, {"plan", "BIGINT"}}};
  const auto columns = TwoInputs().Bind(schema);
  ASSERT_FALSE(columns.ok());
  EXPECT_EQ(columns.error().code, "wrong_type");
  EXPECT_EQ(
      columns.error().message,
      "2 columns changed type since training: 'minutes' is VARCHAR (text), was DOUBLE (number); "
      "'plan' is BIGINT (number), was VARCHAR (text)");
}

TEST(Signature, JsonRoundTrip) {
  const Signature signature = TwoInputs();
  const auto back = Signature::FromJson(signature.ToJson());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->ToJson().dump(), signature.ToJson().dump());
  EXPECT_FALSE(Signature::FromJson(Json::array({1})).ok());
  EXPECT_FALSE(
      Signature::FromJson(Json::array({{{"name", "a"}, {"type", "X"}, {"class", "odd"}}})).ok());
}

}  // namespace
}  // namespace headrace::model
