#include "yaml/parse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace headrace::yaml {
namespace {

Node Read(std::string_view text) {
  Diagnostics diagnostics;
  auto node = Parse(text, "t.yml", diagnostics);
  for (const Error& error : diagnostics.all()) ADD_FAILURE() << Render(error);
  return node ? *node : Node{};
}

/// All faults as people see them, one after the other.
std::string Faults(std::string_view text, const Limits& limits = {}) {
  Diagnostics diagnostics;
  const auto node = Parse(text, "t.yml", diagnostics, limits);
  EXPECT_FALSE(node) << text;
  std::string all;
  for (const Error& error : diagnostics.all()) all += (all.empty() ? "" : "\n") + Render(error);
  return all;
}

TEST(YamlParse, KeepsOrderAndPlaces) {
  const Node node = Read("b: 1\na:\n  - x\n  - {k: \"q\\t\", z: [1, 2]}\n");
  ASSERT_TRUE(node.IsMap());
  EXPECT_EQ(node.entries[0].key.text, "b");
  const Node& list = *node.Find("a");
  ASSERT_TRUE(list.IsList());
  EXPECT_EQ(list.items[0].mark.line, 3);
  EXPECT_EQ(list.items[0].mark.column, 5);
  const Node& map = list.items[1];
  EXPECT_EQ(map.mark.line, 4);
  EXPECT_EQ(map.mark.column, 5);
  EXPECT_EQ(map.mark.length, 21);
  const Node& quoted = *map.Find("k");
  EXPECT_EQ(quoted.text, "q\t");
  EXPECT_EQ(quoted.mark.column, 9);
  EXPECT_EQ(quoted.mark.length, 5);
  EXPECT_EQ(PlaceOf(quoted).source_line, "  - {k: \"q\\t\", z: [1, 2]}");
}

TEST(YamlParse, ColumnsAreCharacters) {
  const Node node = Read("{ä: ö, ü: 1}");
  EXPECT_EQ(node.Find("ü")->mark.column, 11);
  EXPECT_EQ(node.entries[0].key.mark.length, 1);
}

TEST(YamlParse, CoreSchema) {
  const Node node = Read(
      "[yes, no, on, true, False, null, ~, '', 12, -3, +4, 0x1F, 0o17, 1.5, 1e3, .5, .inf, -.Inf, "
      ".nan, '12', 1_000, 0x, 1:30, 2026-01-01, 99999999999999999999, 1.2.3, !!str 5]");
  const ScalarType s = ScalarType::kString, i = ScalarType::kInt, f = ScalarType::kFloat;
  const std::vector<ScalarType> expected = {s,
                                            s,
                                            s,
                                            ScalarType::kBool,
                                            ScalarType::kBool,
                                            ScalarType::kNull,
                                            ScalarType::kNull,
                                            s,
                                            i,
                                            i,
                                            i,
                                            i,
                                            i,
                                            f,
                                            f,
                                            f,
                                            f,
                                            f,
                                            f,
                                            s,
                                            s,
                                            s,
                                            s,
                                            s,
                                            f,
                                            s,
                                            s};
  ASSERT_EQ(node.items.size(), expected.size());
  for (size_t k = 0; k < expected.size(); ++k) {
    EXPECT_EQ(TypeOf(node.items[k]), expected[k]) << node.items[k].text;
  }
  EXPECT_EQ(AsInt(node.items[10]), 4);
  EXPECT_EQ(AsInt(node.items[11]), 31);
  EXPECT_EQ(AsInt(node.items[12]), 15);
  EXPECT_EQ(AsDouble(node.items[14]), 1000.0);
  EXPECT_EQ(AsDouble(node.items[17]), -INFINITY);
  EXPECT_TRUE(std::isnan(*AsDouble(node.items[18])));
  EXPECT_EQ(AsDouble(node.items[24]), 1e20);
  EXPECT_FALSE(AsInt(node.items[19]));
}

TEST(YamlParse, BlockScalarsAndEmptyValues) {
  const Node node = Read("sql: |\n  SELECT 1\n  FROM x\nfold: >-\n  a\n  b\nnothing:\n");
  EXPECT_EQ(node.Find("sql")->text, "SELECT 1\nFROM x\n");
  EXPECT_EQ(node.Find("sql")->mark.line, 2);
  EXPECT_EQ(node.Find("sql")->mark.column, 3);
  EXPECT_EQ(node.Find("fold")->text, "a b");
  EXPECT_TRUE(node.Find("nothing")->IsNull());
  EXPECT_EQ(node.Find("nothing")->mark.line, 7);
}

TEST(YamlParse, EmptyFilesAreNull) {
  for (const char* text : {"", "\n\n", "# only words\n", "---\n", "\xEF\xBB\xBF"}) {
    EXPECT_TRUE(Read(text).IsNull()) << text;
  }
}

TEST(YamlParse, BomAndLineEnds) {
  const Node node = Read(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: 'x'\r\nc: 2");
  EXPECT_EQ(node.Find("a")->mark.column, 4);
  EXPECT_EQ(node.Find("b")->text, "x");
  EXPECT_EQ(PlaceOf(*node.Find("b")).source_line, "b: 'x'");
}

TEST(YamlParse, AliasesAreCopies) {
  const Node node = Read("a: &x [1, 2]\nb: *x\n");
  EXPECT_EQ(node.Find("b")->items.size(), 2u);
}

TEST(YamlParse, EncodingFaults) {
  EXPECT_EQ(Faults("a: 1\nb: \xFF\n"),
            "t.yml:2:4: error[bad_encoding]: byte 0xFF is not UTF-8\n"
            "  2 | b:\n    |    ^ save the file as UTF-8");
  EXPECT_EQ(Faults(std::string_view("a: \0b", 5)),
            "t.yml:1:4: error[bad_encoding]: a NUL byte stands in the text\n"
            "  1 | a:\n    |    ^ is it a binary file, or UTF-16 without its mark?");
  EXPECT_NE(Faults("\xFF\xFE"
                   "a")
                .find("is UTF-16"),
            std::string::npos);
  EXPECT_NE(Faults("a: \xC0\x80").find("0xC0"), std::string::npos);
  EXPECT_NE(Faults("a: \xED\xA0\x80").find("0xED"), std::string::npos);
  EXPECT_NE(Faults("a: \x01").find("control byte 0x01"), std::string::npos);
  EXPECT_NE(Faults("a: \xE2\x82").find("0xE2"), std::string::npos);
}

TEST(YamlParse, DuplicatesAreAllFound) {
  EXPECT_EQ(Faults("a: 1\nb: {c: 1, c: 2}\na: 3\n"),
            "t.yml:2:11: error[duplicate_key]: 'c' is given twice\n"
            "  2 | b: {c: 1, c: 2}\n    |           ^ the first one is in line 2\n"
            "t.yml:3:1: error[duplicate_key]: 'a' is given twice\n"
            "  3 | a: 3\n    | ^ the first one is in line 1");
}

struct Slip {
  const char *text, *expected;
};

TEST(YamlParse, SyntaxFaultsSayWhatToDo) {
  const Slip slips[] = {
      {"crm: {type: postgres, uri: ${CRM_URI}}\n",
       "t.yml:1:28: error[bad_yaml]: ${…} inside { } or [ ] must be quoted\n"
       "  1 | crm: {type: postgres, uri: ${CRM_URI}}\n"
       "    |                            ^^^^^^^^^^ write \"${CRM_URI}\""},
      {"a:\n\tb: 1\n",
       "t.yml:2:1: error[bad_yaml]: a tab is used as indentation\n"
       "  2 |   b: 1\n    | ^^ indent with blanks"},
      {"a: 1\nb:2\n",
       "t.yml:2:1: error[bad_yaml]: a blank is missing after ':'\n"
       "  2 | b:2\n    | ^^^ write 'b: 2'"},
      {"from:x\nb: 2\n",
       "t.yml:1:1: error[bad_yaml]: a blank is missing after ':'\n"
       "  1 | from:x\n    | ^^^^^^ write 'from: x'"},
      {"a: \"abc\nb: 1\n",
       "t.yml:1:4: error[bad_yaml]: the quote that opens here is not closed on its line\n"
       "  1 | a: \"abc\n    |    ^ add '\"' at its end"},
      {"a: 1\n b: 2\n",
       "t.yml:2:2: error[bad_yaml]: this line is indented deeper, but the key above has its value "
       "already\n  2 |  b: 2\n    |  ^^^^ line it up with the key above"},
      {"gate: a >= 1: x\n",
       "t.yml:1:13: error[bad_yaml]: a second ': ' on this line\n"
       "  1 | gate: a >= 1: x\n    |             ^ put a value that holds ': ' in quotes"},
      {"a: [1, 2\nb: 3\n",
       "t.yml:1:4: error[bad_yaml]: the '[' that opens here is not closed\n"
       "  1 | a: [1, 2\n    |    ^ add ']' where the list ends"},
      {"a: {b: [1, 2], c: \"x[\"\n",
       "t.yml:1:4: error[bad_yaml]: the '{' that opens here is not closed\n"
       "  1 | a: {b: [1, 2], c: \"x[\"\n    |    ^ add '}' where the map ends"},
      {"where: \"a\" = b\n",
       "t.yml:1:12: error[bad_yaml]: text follows the closing quote\n"
       "  1 | where: \"a\" = b\n    |            ^ put the whole value in single quotes: "
       "'\"a\" b'"},
      {"a: @x\n",
       "t.yml:1:4: error[bad_yaml]: an unquoted text can't start with this character\n"
       "  1 | a: @x\n    |    ^ put the text in quotes"},
      {"a: *x\n",
       "t.yml:1:4: error[bad_yaml]: no anchor '&x' stands above\n"
       "  1 | a: *x\n    |    ^^ a text that starts with '*' must be quoted"},
      {"a: !foo x\n",
       "t.yml:1:9: error[bad_yaml]: the tag '!foo' is not known\n"
       "  1 | a: !foo x\n    |         ^ remove it; a text that starts with '!' must be quoted"},
      {"a: 1\n---\nb: 1\n",
       "t.yml:2:1: error[bad_yaml]: a second document starts here\n"
       "  2 | ---\n    | ^^^ a file holds one document; remove the '---' or use two files"},
      {"a: {{ x }}\n",
       "t.yml:1:5: error[bad_yaml]: a key must be text, here it is a map\n"
       "  1 | a: {{ x }}\n    |     ^^^^^ put the key in quotes"},
      {"x: &a\n  y: *a\n",
       "t.yml:2:6: error[bad_yaml]: no anchor '&a' stands above\n"
       "  2 |   y: *a\n    |      ^^ a text that starts with '*' must be quoted"},
      {"a: - b\n",
       "t.yml:1:4: error[bad_yaml]: a list that starts on the line of its key\n"
       "  1 | a: - b\n    |    ^ start it on the next line, or write [a, b]"},
  };
  for (const Slip& slip : slips) EXPECT_EQ(Faults(slip.text), slip.expected);
}

TEST(YamlParse, LimitsAreKept) {
  EXPECT_NE(Faults(std::string(2 << 20, 'a')).find("error[too_large]"), std::string::npos);
  const std::string deep = std::string(150, '[') + std::string(150, ']');
  EXPECT_FALSE(Faults(deep).empty());
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) laughs += (k ? ", *a" : "*a") + std::to_string(i - 1);
    laughs += "]\n";
  }
  EXPECT_NE(Faults(laughs).find("aliases make the document too large"), std::string::npos);
  std::string nested = "a0: &a0 [x]\n";
  for (int i = 1; i < 130; ++i) {
    nested += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" +
              std::to_string(i - 1) + "]\n";
  }
  EXPECT_NE(Faults(nested).find("too large"), std::string::npos);
}

TEST(YamlParse, NoTextCrashesIt) {
  std::mt19937 random(7);
  const std::string pieces[] = {"a", ":",    " ",    "\n",   "- ",   "{",     "}",     "[",
                                "]", "\"",   "'",    "&x",   "*x",   "!!str", "|",     ">",
                                "#", ",",    "?",    "\t",   "---",  "...",   "%",     "  ",
                                "ä", "\xC3", "${X}", "\r\n", "null", "1.5",   "<<: *x"};
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    const int length = static_cast<int>(random() % 30);
    for (int i = 0; i < length; ++i) text += pieces[random() % std::size(pieces)];
    Diagnostics diagnostics;
    const auto node = Parse(text, "t.yml", diagnostics);
    EXPECT_NE(node.has_value(), diagnostics.HasErrors()) << text;
    for (const Error& error : diagnostics.all()) EXPECT_GE(error.place.line, 1) << text;
  }
}

}  // namespace
}  // namespace headrace::yaml
