#pragma once
// The fields of `source: csv` and what follows from them.
#include <optional>
#include <string>
#include <vector>

#include "components/sources/csv_scan.h"
#include "components/sources/csv_types.h"
#include "components/sources/schema_change.h"
#include "spec/spec.h"

namespace headrace::components {

const spec::Options& SpecOptions(TextEncoding*);

/// Fields of `source: csv`.
struct CsvOptions {
  std::string path;
  std::string connection;  ///< of type folder; "" = the project
  std::vector<std::string> key;
  std::string delimiter;  ///< "" = found from the first rows
  std::string quote = "\"";
  std::string escape = "\"";
  bool header = true;
  std::vector<std::string> null_values = {""};
  TextEncoding encoding = TextEncoding::kUtf8;
  std::string decimal_separator = ".";
  std::string date_format, timestamp_format;
  int64_t skip = 0;
  std::string comment;
  int64_t sample_rows = 20480;
  bool union_by_name = false;
  SchemaChange schema_change = SchemaChange::kAdd;
};

const spec::Spec& CsvSourceSpec();

/// `delimiter` replaces the one of the options when that is not given.
CsvDialect DialectOf(const CsvOptions& options, char delimiter);
CsvTypeRules RulesOf(const CsvOptions& options);
bool IsNullText(const CsvOptions& options, std::string_view text);

}  // namespace headrace::components
