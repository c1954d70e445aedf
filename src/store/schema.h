#pragma once
#include <span>

#include "base/result.h"
#include "store/sqlite_connection.h"

namespace headrace::store {

/// A step from schema `version` - 1 to `version`.
struct Migration {
  int version;
  const char* script;
};

/// Every step there ever was, oldest first. A released step is never changed, only followed.
std::span<const Migration> Migrations();

/// Brings the database to the last of `steps`, all missing steps in one transaction. Errors
/// "store_too_new" (schema above the last step) and "not_a_store" (a database of something else).
Status Migrate(Connection& connection, const std::string& path, std::span<const Migration> steps);

}  // namespace headrace::store
