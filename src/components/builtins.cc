#include "components/builtins.h"

#include "components/checks/accepted.h"
#include "components/checks/between.h"
#include "components/checks/expression.h"
#include "components/checks/not_null.h"
#include "components/checks/unique.h"
#include "components/sources/csv_source.h"
#include "components/sources/sqlite_source.h"

namespace headrace::components {

void RegisterBuiltins(pipeline::Registry& registry) {
  // Checks.
  registry.AddCheck(AcceptedSpec(), MakeAccepted);
  registry.AddCheck(BetweenSpec(), MakeBetween);
  registry.AddCheck(ExpressionSpec(), MakeExpression);
  registry.AddCheck(NotNullSpec(), MakeNotNull);
  registry.AddCheck(UniqueSpec(), MakeUnique);

  // Connections.
  registry.AddSpec(SqliteConnectionSpec());

  // Sources.
  registry.AddComponent(CsvSourceSpec(), MakeCsvSource);
  registry.AddComponent(SqliteSourceSpec(), MakeSqliteSource);
}

}  // namespace headrace::components
