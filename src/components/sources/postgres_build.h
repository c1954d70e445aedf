#pragma once
// Reading a postgres source into a snapshot.
#include <optional>
#include <string>

#include "components/sources/postgres_source.h"
#include "pipeline/component.h"

namespace headrace::components {

/// How far a source was read: the JSON that is committed with the snapshot.
struct PostgresCursor {
  std::string definition;
  std::string identity;              ///< of the database
  std::string type;                  ///< of the cursor's column, as PostgreSQL spells it
  std::optional<std::string> value;  ///< as text; nullopt: none
  Timestamp reconciled = 0;
  std::string ToJson() const;
  static std::optional<PostgresCursor> FromJson(const std::string& text);
};

Result<pipeline::Outcome> BuildPostgres(const PostgresOptions& options,
                                        pipeline::BuildContext& context);

}  // namespace headrace::components
