#pragma once
#include <string_view>

namespace headrace::spec {

/// True for a type of component that the design has and this version does not: the message then
/// says so instead of "there is no …". A type leaves the list when it is built.
bool IsPlanned(std::string_view kind, std::string_view type);

}  // namespace headrace::spec
