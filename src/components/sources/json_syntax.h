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

/// What DuckDB's reader must not see, or would take for something else: values nested deeper than
/// 200 (it recurses, and dies), a record that is null (it makes a row of it), a key with a NUL
/// character (it loses the value). One pass over the bytes without parsing; other faults of syntax
/// are left to the reader. Errors "too_deep", "not_objects", "bad_key" at line and column; io
/// errors.
std::optional<Error> FindUnreadableJson(TextFile& text, const std::string& shown,
                                        int64_t first_line, const CancelToken& cancel);

}  // namespace headrace::components
