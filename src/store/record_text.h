#pragma once
// How the members of records stand in the database.
#include <map>
#include <string>
#include <string_view>

#include "base/redact.h"
#include "base/result.h"
#include "store/records.h"

namespace headrace::store {

// The reverse of Text(); a word that this version doesn't know reads as the last one, so that an
// open store of a later version is never taken for more than it says.
RunStatus RunStatusFrom(std::string_view text);
VerdictStatus VerdictStatusFrom(std::string_view text);
ModelStatus ModelStatusFrom(std::string_view text);
SendStatus SendStatusFrom(std::string_view text);

/// Lines "node=snapshot id"; neither holds a '=' or a line break.
std::string JoinInputs(const std::map<std::string, std::string>& inputs);
std::map<std::string, std::string> SplitInputs(std::string_view text);

/// Masks secrets in the keys and string values of a JSON text. Masking the bare text could break
/// it: a secret of digits may stand in a number.
Result<std::string> MaskStrings(const std::string& json, const Redactor& redactor);

}  // namespace headrace::store
