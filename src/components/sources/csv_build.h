#pragma once
// Reading a csv source into a snapshot.
#include <map>
#include <string>

#include "components/sources/csv_options.h"
#include "pipeline/component.h"

namespace headrace::components {

/// Reads what is new, or everything; see csv_files.h for which of them.
Result<pipeline::Outcome> BuildCsv(const CsvOptions& options, pipeline::BuildContext& context);

/// Digest of the fields that change a node's content.
std::string CsvDefinition(const spec::NodeSpec& spec);

/// A type of `columns:` in DuckDB's spelling. Errors "unknown_type", "bad_type" (blame user).
Result<std::string> FixedType(const std::string& type, const std::string& column);

}  // namespace headrace::components
