#pragma once
// `sink: csv` and `sink: parquet`: the rows of a node as one file, replaced as a whole.
#include <memory>

#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

struct FileSinkOptions {
  std::string from;
  std::string path;
  std::string delimiter = ",";  ///< csv only
  bool header = true;           ///< csv only
  std::string null_value;       ///< csv only: how NULL is written
};
const spec::Spec& CsvSinkSpec();
const spec::Spec& ParquetSinkSpec();
std::unique_ptr<pipeline::Component> MakeFileSink(const spec::NodeSpec& node);

}  // namespace headrace::components
