#include "data/types.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/duck.h"
#include "data/quote.h"

namespace headrace::data {
namespace {

TEST(Quote, Doubles) {
  EXPECT_EQ(QuoteIdentifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_EQ(QuoteIdentifiers({"a", "b c"}), "\"a\", \"b c\"");
}

TEST(Quote, Semicolons) {
  EXPECT_EQ(WithoutSemicolon("SELECT 1;"), "SELECT 1");
  EXPECT_EQ(WithoutSemicolon("SELECT 1 ; ;\n -- the; end\n/* a; /* b */ */ "), "SELECT 1 ");
  EXPECT_EQ(WithoutSemicolon("SELECT ';' -- x;"), "SELECT ';' -- x;");
  EXPECT_EQ(WithoutSemicolon("SELECT \"a;\", 'it''s;', $t$;$t$, $p"),
            "SELECT \"a;\", 'it''s;', $t$;$t$, $p");
  EXPECT_EQ(WithoutSemicolon("SELECT 'open;"), "SELECT 'open;");
  EXPECT_EQ(WithoutSemicolon(""), "");
}

TEST(Types, ParseAndPrint) {
  const char* texts[] = {"BIGINT",
                         "DECIMAL(10,2)",
                         "TIMESTAMP WITH TIME ZONE",
                         "STRUCT(a INTEGER, \"b c\" VARCHAR[], \"select\" DATE)[]",
                         "MAP(VARCHAR, STRUCT(x DOUBLE))",
                         "INTEGER[2][]",
                         "ENUM('a', 'it''s, (b)')",
                         "UNION(n INTEGER, s VARCHAR)",
                         "STRUCT(INTEGER, VARCHAR)"};
  for (const char* text : texts) {
    auto tree = ParseType(text);
    ASSERT_TRUE(tree.ok()) << text;
    EXPECT_EQ(tree->Text(), text);
  }
  EXPECT_EQ(ParseType(" int ")->Text(), "INTEGER");
  EXPECT_EQ(ParseType("numeric(5)")->Text(), "DECIMAL(5,0)");
  EXPECT_EQ(ParseType("double precision")->Text(), "DOUBLE");
  EXPECT_EQ(ParseType("timestamptz[]")->Text(), "TIMESTAMP WITH TIME ZONE[]");
  EXPECT_EQ(ParseType("varchar(10)")->Text(), "VARCHAR");
  for (const char* bad : {"", "STRUCT(a", "INTEGER)", "DECIMAL(40,2)", "MAP(INTEGER)", "INTEGER[",
                          "\"x", "DECIMAL(x,y)", "ENUM('a"}) {
    auto tree = ParseType(bad);
    ASSERT_FALSE(tree.ok()) << bad;
    EXPECT_EQ(tree.error().code, "bad_type");
  }
  std::string deep(5000, '(');
  EXPECT_FALSE(ParseType("STRUCT" + deep).ok());
  std::string nested;
  for (int i = 0; i < 500; ++i) nested += "STRUCT(a ";
  EXPECT_FALSE(ParseType(nested + "INT").ok());
}

TEST(Types, Classes) {
  EXPECT_EQ(ClassOf("UHUGEINT"), TypeClass::kInteger);
  EXPECT_EQ(ClassOf("text"), TypeClass::kText);
  EXPECT_EQ(ClassOf("INTEGER[]"), TypeClass::kList);
  EXPECT_EQ(ClassOf("UNION(a INTEGER)"), TypeClass::kOther);
  EXPECT_EQ(ClassOf("(("), TypeClass::kOther);
  EXPECT_EQ(TypeClassName(ClassOf("TIMESTAMPTZ")), "timestamp");
}

TEST(Types, SchemaJson) {
  Schema schema{{{"id", "BIGINT", false}, {"Naïve \"x\"", "STRUCT(a INTEGER)[]"}}};
  auto back = SchemaFromJson(ToJson(schema));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, schema);
  EXPECT_EQ(schema.IndexOf("ID"), 0);
  EXPECT_EQ(schema.Find("nope"), nullptr);
  EXPECT_EQ(SchemaFromJson(ParseJson("[{\"name\": 1}]", "x").value()).error().code, "bad_schema");
}

// Every type that is kept comes back from Parquet as it was; every cast target too.
TEST(StoredTypes, RoundTripThroughParquet) {
  auto duck = DuckInstance::Open({}).value();
  auto connection = duck->Connect().value();
  std::string file = ::testing::TempDir() + "/hr_types.parquet";
  const char* kept[] = {"true",
                        "(-128)::TINYINT",
                        "1::SMALLINT",
                        "1",
                        "1::BIGINT",
                        "255::UTINYINT",
                        "1::USMALLINT",
                        "1::UINTEGER",
                        "18446744073709551615::UBIGINT",
                        "0.1::FLOAT",
                        "'-0.0'::DOUBLE",
                        "'nan'::DOUBLE",
                        "1.5::DECIMAL(4,1)",
                        "1.5::DECIMAL(9,2)",
                        "1.5::DECIMAL(18,3)",
                        "12345678901234567890123456789.123456789::DECIMAL(38,9)",
                        "''",
                        "'a'",
                        "'{\"a\": 1}'::JSON",
                        "'infinity'::DATE",
                        "'5877642-06-25 (BC)'::DATE",
                        "'24:00:00'::TIME",
                        "'2020-01-01 01:02:03.123456'::TIMESTAMP",
                        "'infinity'::TIMESTAMP",
                        "'2020-01-01 01:02:03.123456789'::TIMESTAMP_NS",
                        "'2020-01-01 01:02:03+02'::TIMESTAMPTZ",
                        "'\\x00\\xff'::BLOB",
                        "'6fa459ea-ee8a-3ca4-894e-db77e160355e'::UUID",
                        "[1, NULL]",
                        "[]::INT[]",
                        "[[1], NULL, []]",
                        "{'a': 1, 'b c': [NULL]}",
                        "NULL::STRUCT(a INT)",
                        "{'k': NULL::INT}",
                        "MAP{'a': {'x': 1}}",
                        "MAP{}::MAP(INT, INT)"};
  for (const char* value : kept) {
    auto made = connection.Describe(std::string("SELECT ") + value + " AS x").value();
    EXPECT_EQ(StoredTypeOf(made.columns[0].type, "x").action, StoredType::Action::kSame) << value;
    auto copied = connection.Execute(std::string("COPY (SELECT ") + value + " AS x) TO '" + file +
                                     "' (FORMAT parquet)");
    ASSERT_TRUE(copied.ok()) << value;
    EXPECT_EQ(connection.Describe("FROM '" + file + "'").value(), made) << value;
    auto same = connection.Query(std::string("SELECT x::VARCHAR IS NOT DISTINCT FROM (") + value +
                                 ")::VARCHAR FROM '" + file + "'");
    ASSERT_TRUE(same.ok()) << Render(same.error());
    EXPECT_TRUE(same->at(0, 0).AsBool()) << value;
  }
  std::remove(file.c_str());
}

TEST(StoredTypes, CastOrRefused) {
  auto action = [](const char* type) { return StoredTypeOf(type, "x").action; };
  using Action = StoredType::Action;
  for (const char* type : {"HUGEINT", "UHUGEINT", "ENUM('a')", "TIMESTAMP_S", "TIMESTAMP_MS",
                           "HUGEINT[]", "STRUCT(a HUGEINT)"}) {
    EXPECT_EQ(action(type), Action::kCast) << type;
  }
  for (const char* type : {"INTERVAL", "BIT", "BIGNUM", "UNION(a INTEGER)", "\"NULL\"",
                           "INTEGER[3]", "VARIANT", "TIME WITH TIME ZONE", "TIME_NS", "GEOMETRY",
                           "STRUCT(INTEGER, VARCHAR)", "WHATEVER", "MAP(VARCHAR, INTERVAL)"}) {
    EXPECT_EQ(action(type), Action::kRefuse) << type;
    EXPECT_NE(StoredTypeOf(type, "x").hint, "") << type;
    EXPECT_NE(StoredTypeOf(type, "x").reason, "") << type;
  }
  EXPECT_EQ(StoredTypeOf("STRUCT(a HUGEINT, b INTEGER)", "x").type,
            "STRUCT(a DECIMAL(38,0), b INTEGER)");
  EXPECT_EQ(StoredTypeOf("INTEGER[3]", "v").hint, "CAST(\"v\" AS INTEGER[])");
}

}  // namespace
}  // namespace headrace::data
