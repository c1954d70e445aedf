#include "cli/cell_text.h"

#include <gtest/gtest.h>

#include "data/batch.h"
#include "data/duck.h"

namespace headrace::cli {
namespace {

/// The cells of a one-row query.
std::vector<std::string> Cells(const std::string& sql) {
  auto instance = data::DuckInstance::Open({});
  EXPECT_TRUE(instance.ok());
  auto reader = (*instance)->Stream(sql, {}, {});
  if (!reader.ok()) return {Render(reader.error())};
  auto batch = (*reader)->Next();
  if (!batch.ok()) return {Render(batch.error())};
  std::vector<std::string> cells;
  const auto& columns = (*reader)->schema().columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    auto cell = CellText::Make(columns[i].type);
    EXPECT_TRUE(cell.ok());
    cells.push_back(cell->Of((*batch)->column(static_cast<int>(i)), 0));
  }
  return cells;
}

using Words = std::vector<std::string>;

TEST(CellTextTest, Numbers) {
  EXPECT_EQ(Cells("SELECT true, 7::TINYINT, 200::UTINYINT, -5::BIGINT, "
                  "18446744073709551615::UBIGINT, 1.0::DOUBLE, 0.1::FLOAT, 'nan'::DOUBLE, "
                  "-1.50::DECIMAL(5,2), 0.05::DECIMAL(38,2), NULL::INTEGER"),
            (Words{"true", "7", "200", "-5", "18446744073709551615", "1.0", "0.1", "nan", "-1.50",
                   "0.05", "NULL"}));
}

TEST(CellTextTest, Times) {
  EXPECT_EQ(Cells("SELECT DATE '2026-01-31', TIMESTAMP '2026-01-31 09:30:00.5', "
                  "TIMESTAMPTZ '2026-01-31 09:30:00+00', TIME '09:30:00', "
                  "'infinity'::TIMESTAMP"),
            (Words{"2026-01-31", "2026-01-31 09:30:00.5", "2026-01-31 09:30:00+00", "09:30:00",
                   "infinity"}));
}

TEST(CellTextTest, Nested) {
  EXPECT_EQ(Cells("SELECT [1, NULL, 3], {'a': 1, 'b': 'x'}, MAP {'k': 2}, '\\x00ab'::BLOB, "
                  "[{'a': [1.5]}]"),
            (Words{"[1, NULL, 3]", "{'a': 1, 'b': x}", "{k=2}", "\\x00ab", "[{'a': [1.5]}]"}));
}

}  // namespace
}  // namespace headrace::cli
