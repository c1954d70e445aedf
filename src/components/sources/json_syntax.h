#pragma once
// Where the syntax of a JSON file is wrong: DuckDB counts bytes of a record, people lines.
#include <optional>

#include "base/cancel.h"
#include "components/sources/text_file.h"

namespace headrace::components {

/// Goes through all values of a file (an array, or one value after another). nullopt: no fault.
/// Errors "bad_json" at line and column, "not_objects" for a record that is no object, and those of
/// TextFile come as the value; io errors too. Holds one piece of the file at a time.
std::optional<Error> FindJsonFault(TextFile& text, const std::string& shown, int64_t first_line,
                                   const CancelToken& cancel);

}  // namespace headrace::components
