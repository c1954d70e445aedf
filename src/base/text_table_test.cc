#include "base/text_table.h"

#include <gtest/gtest.h>

#include "base/text_width.h"

namespace headrace {
namespace {

TEST(TextWidth, CountsColumns) {
  EXPECT_EQ(TextWidth("abc"), 3);
  EXPECT_EQ(TextWidth("größe"), 5);
  EXPECT_EQ(TextWidth("日本"), 4);
  EXPECT_EQ(TextWidth("e\u0301"), 1);
  EXPECT_EQ(TextWidth("😀"), 2);
  EXPECT_EQ(TextWidth("\xff\xe6\x97"), 3) << "broken bytes count one each";
  EXPECT_EQ(TextWidth("\xed\xa0\x80"), 3) << "a surrogate is no character";
  EXPECT_EQ(TextWidth("\xc0\x80"), 2) << "an overlong form is none either";
}

TEST(CutToWidth, CutsWholeCharacters) {
  EXPECT_EQ(CutToWidth("abc", 3), "abc");
  EXPECT_EQ(CutToWidth("abcd", 3), "ab…");
  EXPECT_EQ(CutToWidth("日本語", 5), "日本…");
  EXPECT_EQ(CutToWidth("日本語", 4), "日…");
  EXPECT_EQ(CutToWidth("日本語", 6), "日本語");
  EXPECT_EQ(CutToWidth("abc", 1), "…");
  EXPECT_EQ(CutToWidth("abc", 0), "");
}

TEST(Printable, ReplacesControls) {
  EXPECT_EQ(Printable("a\x1b[1m\r\n\tb\xff", false), "a�[1m�  b�");
  EXPECT_EQ(Printable("a\n\tb", true), "a\n\tb");
  EXPECT_EQ(Printable("a\u202eb", true), "a�b");
}

TEST(TextTable, AlignsNumbersToTheRight) {
  TextTable table({"name", "rows", "share", "day"});
  table.AddRow({"features", "1,200", "12.5 %", "2026-01-01"});
  table.AddRow({"größe", "7", "", "2026-01-02"});
  table.AddRow({"x"});
  EXPECT_EQ(table.Render(),
            "name       rows   share  day\n"
            "features  1,200  12.5 %  2026-01-01\n"
            "größe         7          2026-01-02\n"
            "x\n");
}

TEST(TextTable, CutsTheWidestColumns) {
  TextTable table({"id", "text"});
  table.AddRow({"1", "a text that is far too long\nfor the terminal"});
  EXPECT_EQ(table.Render({.max_width = 16}),
            "id  text\n"
            " 1  a text that…\n");
  EXPECT_EQ(table.Render({.max_width = 1, .color = true}),
            "\x1b[1mid  text\x1b[0m\n"
            " 1  a t…\n");
}

TEST(TextTable, LeavesOutColumnsThatWouldBeUnreadable) {
  TextTable table({"id", "first_name", "last_name", "n"});
  table.AddRow({"1", "Wilhelmina", "Featherstonehaugh", "7"});
  const TextTableOptions narrow{.max_width = 20, .readable = 8};
  EXPECT_EQ(table.Shown(narrow), 2U);
  EXPECT_EQ(table.Render(narrow),
            "id  first_name\n"
            " 1  Wilhelmina\n");
  EXPECT_EQ(table.Shown({.max_width = 25, .readable = 8}), 4U);
  EXPECT_EQ(table.Shown({.max_width = 1, .readable = 8}), 1U);
  EXPECT_EQ(table.Shown({.readable = 8}), 4U) << "no limit";
}

TEST(TextTable, WithoutRowsOrColumns) {
  EXPECT_EQ(TextTable({"a", "b"}).Render(), "a  b\n");
  EXPECT_EQ(TextTable({}).Render(), "");
}

}  // namespace
}  // namespace headrace
