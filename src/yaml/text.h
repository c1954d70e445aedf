#pragma once
// From the bytes of a file to a Source: encoding, line ends, positions.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostics.h"
#include "yaml/node.h"

namespace headrace::yaml {

/// Checks the encoding, removes a BOM, makes line ends \n. Faults: "bad_encoding".
std::shared_ptr<const Source> ReadSource(std::string_view bytes, std::string_view name,
                                         Diagnostics& diagnostics);

/// The mark of the bytes [begin, end); only its first line counts.
Mark MarkOf(const Source& source, size_t begin, size_t end);

/// Bytes of the well-formed UTF-8 character at `at`, 0 if there is none.
size_t Utf8Length(std::string_view text, size_t at);

}  // namespace headrace::yaml
