#pragma once
// For the tests of src/sql: one parser for a whole test program (opening one takes 30 ms).
#include <string>
#include <vector>

#include "sql/describe.h"
#include "sql/select.h"

namespace headrace::sql {

inline SqlParser& TestParser() {
  // Never destroyed: at the end of the process DuckDB's thread-local state is gone before statics.
  static SqlParser* const parser = [] {
    auto opened = SqlParser::Open();
    return opened.ok() ? opened->release() : nullptr;
  }();
  return *parser;
}

/// customers(customer_id, spend, name, born, tags) and usage(customer_id, minutes, day).
inline std::unique_ptr<SchemaCatalog> TestCatalog() {
  auto catalog = std::move(*SchemaCatalog::Open(TestParser()));
  catalog->Define("customers", {{{"customer_id", "BIGINT"},
                                 {"spend", "DOUBLE"},
                                 {"name", "VARCHAR"},
                                 {"born", "DATE"},
                                 {"tags", "VARCHAR[]"}}});
  catalog->Define("usage", {{{"customer_id", "BIGINT"}, {"minutes", "DOUBLE"}, {"day", "DATE"}}});
  return catalog;
}

inline SelectRules TestRules() { return {.parameters = {"as_of", "region"}}; }
inline data::Parameters TestParameters() {
  return {{"as_of", "DATE", {}}, {"region", "VARCHAR", {}}};
}

inline SqlText TextIn(std::string text, std::string file = "f.sql") {
  return {std::move(text), std::move(file), "", {}};
}

/// All errors as people see them, each behind a line end.
inline std::string RenderAll(const std::vector<Error>& errors) {
  std::string all;
  for (const Error& error : errors) all += "\n" + Render(error);
  return all;
}

/// A text and what is said about it.
struct Golden {
  const char* sql;
  const char* texts;
};

}  // namespace headrace::sql
