#pragma once
// `source: csv`.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

/// What may change in the columns of the files between two runs.
enum class SchemaChange {
  kAdd,     ///< new columns are added; a dropped or renamed one is an error
  kFail,    ///< any change is an error
  kIgnore,  ///< the table keeps its columns: new ones are left out, dropped ones become NULL
};
const spec::Options& SpecOptions(SchemaChange*);

enum class CsvEncoding { kUtf8, kLatin1, kUtf16 };
const spec::Options& SpecOptions(CsvEncoding*);

/// Fields of `source: csv`.
struct CsvOptions {
  std::string path;
  std::vector<std::string> key;
  std::string delimiter;  ///< "" = found from the first rows
  std::string quote = "\"";
  std::string escape = "\"";
  bool header = true;
  std::vector<std::string> null_values = {""};
  CsvEncoding encoding = CsvEncoding::kUtf8;
  std::string decimal_separator = ".";
  std::string date_format, timestamp_format;
  int64_t skip = 0;
  std::string comment;
  int64_t sample_rows = 20480;
  bool union_by_name = false;
  SchemaChange schema_change = SchemaChange::kAdd;
};

const spec::Spec& CsvSourceSpec();
std::unique_ptr<pipeline::Component> MakeCsvSource(const spec::NodeSpec& node);

}  // namespace headrace::components
