#include "components/sources/http_page.h"

#include <gtest/gtest.h>

namespace headrace::components {
namespace {

/// "a=1 b=x|a=2", or the code of the error.
std::string Read(const std::string& body, const HttpPageShape& shape = {}) {
  HttpColumns columns;
  auto page = ParseHttpPage(body, shape, columns);
  if (!page.ok()) return page.error().code;
  std::string text;
  size_t begin = 0;
  for (const uint32_t& end : page->ends) {
    if (begin > 0 || &end != page->ends.data()) text += "|";
    for (size_t n = begin; n < end; ++n) {
      const auto& cell = page->cells[n];
      text += (n > begin ? " " : "") + columns.all()[static_cast<size_t>(cell.column)].name + "=" +
              page->text.substr(cell.offset, cell.length);
    }
    begin = end;
  }
  for (const auto& [path, value] : page->found) text += " @" + path + "=" + value;
  return text;
}

TEST(HttpPage, RowsAtThePath) {
  EXPECT_EQ(Read(R"([{"a": 1, "b": "x"}, {"a": 2.50}])"), "a=1 b=x|a=2.50");
  EXPECT_EQ(Read("[]"), "");
  EXPECT_EQ(Read(R"({"d": {"i": [{"a": 1}]}, "l": {"next": "u"}})", {"d.i", false, {"l.next"}}),
            "a=1 @l.next=u");
  EXPECT_EQ(Read(R"({"n": 7, "d": {"i": [{"a": {"n": 1}}], "n": null}})",
                 {"d.i", false, {"n", "d.n", "a.n"}}),
            "a={\"n\":1} @n=7");
  EXPECT_EQ(Read(R"({"d": null})", {"d", false, {}}), "");
  EXPECT_EQ(Read(R"({"d": {"a": 1}})", {"d", false, {}}), "a=1");
  EXPECT_EQ(Read(R"({"a": 1, "b": [1]})", {"", true, {}}), "a=1 b=[1]");
  EXPECT_EQ(Read(R"(["x", 2, [3]])"), "value=x|value=2|value=[3]");
}

TEST(HttpPage, NestedFieldsAreTheirText) {
  EXPECT_EQ(Read(R"([{"a": [1, {"b": "q\"\n", "c": [], "d": null}, -0.10, true], "e": 1}])"),
            R"(a=[1,{"b":"q\"\n","c":[],"d":null},-0.10,true] e=1)");
}

TEST(HttpPage, RowsThatWouldLoseAValue) {
  EXPECT_EQ(Read(R"([{"a": 1, "b": 2, "a": 3}])"), "bad_record");
  EXPECT_EQ(Read(R"([{"a": 1, "a": null}])"), "bad_record");
  EXPECT_EQ(Read(R"([{"a": 1}, 5])"), "bad_record");
  EXPECT_EQ(Read(R"([5, {"a": 1}])"), "bad_record");
  EXPECT_EQ(Read(R"([{"a": 1}, [5]])"), "bad_record");
  EXPECT_EQ(Read(R"([{"a\u0000": 1}])"), "bad_record");
  EXPECT_EQ(Read(R"([{"a": 1}, {"A": 2}])"), "a=1|a=2");
  EXPECT_EQ(Read(R"([{"a": 1, "A": 2}])"), "ambiguous_fields");
}

TEST(HttpPage, Faults) {
  const std::string whole = R"({"d": [{"a": 1, "b": [1, "x"]}]})";
  for (size_t n = 1; n < whole.size(); ++n) {
    EXPECT_EQ(Read(whole.substr(0, n), {"d", false, {}}), "bad_json") << n;
  }
  EXPECT_EQ(Read(""), "bad_json");
  EXPECT_EQ(Read("<html><title>Sign in</title>"), "not_json");
  EXPECT_EQ(Read("OK"), "not_json");
  EXPECT_EQ(Read(R"({"items": [1]})"), "no_records");
  EXPECT_EQ(Read(R"({"items": [1]})", {"data", false, {}}), "no_records");
  EXPECT_EQ(Read("[null]"), "bad_record");
  EXPECT_EQ(Read("[{\"a\": \"\xff\"}]"), "bad_json");
  EXPECT_EQ(Read("[{\"a\": " + std::string(300, '[') + "1" + std::string(300, ']') + "}]"),
            "too_deep");
  std::string wide = "[{";
  for (int n = 0; n < 2100; ++n) wide += (n > 0 ? ",\"" : "\"") + std::to_string(n) + "\":1";
  EXPECT_EQ(Read(wide + "}]"), "too_many_columns");
}

TEST(HttpPage, Types) {
  EXPECT_EQ(TypeOfJson(JsonKind::kNumber, "42"), CsvType::kInteger);
  EXPECT_EQ(TypeOfJson(JsonKind::kNumber, "9223372036854775807"), CsvType::kWideInteger);
  EXPECT_EQ(TypeOfJson(JsonKind::kNumber, "18446744073709551615"), CsvType::kText);
  EXPECT_EQ(TypeOfJson(JsonKind::kNumber, "1e3"), CsvType::kDouble);
  EXPECT_EQ(TypeOfJson(JsonKind::kString, "42"), CsvType::kText);
  EXPECT_EQ(TypeOfJson(JsonKind::kString, "2026-01-31"), CsvType::kDate);
  EXPECT_EQ(TypeOfJson(JsonKind::kString, "2026-01-31T09:30:00Z"), CsvType::kTimestampZone);
  EXPECT_EQ(TypeOfJson(JsonKind::kNested, "[1]"), CsvType::kText);
}

}  // namespace
}  // namespace headrace::components
