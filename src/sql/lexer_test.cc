#include "sql/lexer.h"

#include <gtest/gtest.h>

namespace headrace::sql {
namespace {

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (const Token& token : Lex(text)) words.emplace_back(TextOf(text, token));
  return words;
}

TEST(Lexer, StringsNamesAndComments) {
  EXPECT_EQ(Words("a 'it''s' \"x\"\"y\" -- c\n/* a /* b */ c */ d$1 $p $1 ? 1.5e-3 .5 x>=2"),
            (std::vector<std::string>{"a", "'it''s'", "\"x\"\"y\"", "d$1", "$p", "$1", "?",
                                      "1.5e-3", ".5", "x", ">", "=", "2"}));
  EXPECT_EQ(Words("$$;$$ $t$ ' $$ $t$ e'\\';' x"),
            (std::vector<std::string>{"$$;$$", "$t$ ' $$ $t$", "e'\\';'", "x"}));
  EXPECT_EQ(Words("'open"), std::vector<std::string>{"'open"});
  EXPECT_EQ(Words("/* open"), std::vector<std::string>{});
  EXPECT_EQ(Words("é.ü"), (std::vector<std::string>{"é", ".", "ü"}));
}

TEST(Lexer, Names) {
  const std::string text = "\"a\"\"b\" 'c''d' E";
  const auto tokens = Lex(text);
  EXPECT_EQ(NameOf(text, tokens[0]), "a\"b");
  EXPECT_EQ(NameOf(text, tokens[1]), "c'd");
  EXPECT_TRUE(IsWord(text, tokens[2], "e"));
  EXPECT_EQ(NameSpanAt("x.\"y z\".w + 1", 0), (Span{0, 9}));
  EXPECT_EQ(NameSpanAt("a(b)", 1), (Span{1, 1}));
  EXPECT_EQ(NameSpanAt("a", 9), (Span{9, 0}));
}

TEST(Text, PlacesCountCharacters) {
  const SqlText text{"SELECT 'é',\r\n  x\r\n", "f.sql", "n", {}};
  Place place = PlaceOf(text, {16, 1});
  EXPECT_EQ(place.line, 2);
  EXPECT_EQ(place.column, 3);
  EXPECT_EQ(place.source_line, "  x");
  place = PlaceOf(text, {11, 1});
  EXPECT_EQ(place.column, 11);
  EXPECT_EQ(place.source_line, "SELECT 'é',");
  place = PlaceOf(text, {999, 5});  // behind the end: the last visible character
  EXPECT_EQ(place.line, 2);
  EXPECT_EQ(place.column, 3);
}

TEST(Text, PlacesInBlockScalars) {
  Place origin;
  origin.line = 4;
  origin.column = 8;
  origin.source_line = "query: |";
  const SqlText text{"SELECT a\nFROM b\n", "x.yml", "x", origin};
  const Place place = PlaceOf(text, {14, 1});
  EXPECT_EQ(place.line, 6);
  EXPECT_EQ(place.column, 6);
  EXPECT_EQ(place.source_line, "FROM b");
}

TEST(Text, EscapedScalarsKeepTheirOwnPlace) {
  Place origin;
  origin.line = 4;
  origin.column = 8;
  origin.length = 10;
  origin.source_line = "where: \"a = \\\"b\\\"\"";
  const Place place = PlaceOf({"a = \"b\"", "x.yml", "x", origin}, {4, 3});
  EXPECT_EQ(place.line, 4);
  EXPECT_EQ(place.column, 8);
  EXPECT_EQ(place.length, 10);
}

}  // namespace
}  // namespace headrace::sql
