#include "report/markup.h"

#include <gtest/gtest.h>

namespace headrace::report {
namespace {

std::string Written(const Markup& markup, const Redactor* redactor = nullptr) {
  std::string out;
  markup.Write(&out, redactor);
  return out;
}

TEST(Markup, TextsAndAttributesAreEscaped) {
  Markup p("p", "<script>alert(1)</script> & \"x\"");
  p.Class("a\" onload=\"x").Add(Markup("b", "it's"));
  EXPECT_EQ(Written(p),
            "<p class=\"a&quot; onload=&quot;x\">&lt;script&gt;alert(1)&lt;/script&gt; &amp; "
            "&quot;x&quot;<b>it&#39;s</b></p>");
}

TEST(Markup, WhatXmlCannotHoldIsReplaced) {
  EXPECT_EQ(Escape(std::string_view("a\0b\x01\x7f\tc", 7)), "a\uFFFDb\uFFFD\uFFFD\tc");
  EXPECT_EQ(Escape("\xff\xc3\x28"), "\uFFFD\uFFFD(");
  EXPECT_EQ(Escape("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(Escape("\xef\xbf\xbf"), "\uFFFD\uFFFD\uFFFD");  // no character
  EXPECT_EQ(Escape("grün 表 \xF0\x9F\x98\x80"), "grün 表 \xF0\x9F\x98\x80");
}

TEST(Markup, LinksStayOnThePage) {
  EXPECT_EQ(Written(Markup("a", "x").LinkTo(IdOf("node", "javascript:alert(1)"))),
            "<a href=\"#node-javascript-alert-1-\">x</a>");
}

TEST(Markup, EmptyElementsAreClosed) {
  EXPECT_EQ(Written(Markup("td")), "<td></td>");
  EXPECT_EQ(Written(Markup("meta").Attr("charset", "utf-8")), "<meta charset=\"utf-8\"/>");
}

TEST(Markup, SecretsAreMaskedBeforeTheyAreEscaped) {
  Redactor redactor;
  redactor.AddSecret("a<b>&secret");
  redactor.AddSecret("figure");  // also the name of an element
  Markup figure("figure", "token a<b>&secret of figure");
  EXPECT_EQ(Written(figure, &redactor), "<figure>token *** of ***</figure>");
}

TEST(Markup, CoordinatesAreShort) {
  EXPECT_EQ(Coordinate(12), "12");
  EXPECT_EQ(Coordinate(12.504), "12.5");
  EXPECT_EQ(Coordinate(-0.001), "0");
  EXPECT_EQ(Coordinate(1.0 / 0.0), "0");
}

}  // namespace
}  // namespace headrace::report
