#pragma once
// model.json and rows.bin: the parts of a package that are not a library's own text.
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "model/package.h"

namespace headrace::model {

/// Everything but members' texts, profile and seen rows.
Json PackageToJson(const Package& package);
/// Checks types and limits. Members come without their texts.
Result<Package> PackageFromJson(const Json& json);

/// Binary, little endian: magic, outputs, rows, then ids, contents, flags, scores.
std::string SeenToBytes(const SeenRows& seen);
Result<SeenRows> SeenFromBytes(std::string_view bytes);

/// Where a member's text stands inside the folder.
std::string MemberPath(const Member& member);

/// A library's model text without the block that lists its parameters (thread counts, paths).
std::string WithoutParameters(const std::string& text);

}  // namespace headrace::model
