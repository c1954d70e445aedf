#include "components/builtins.h"

#include "components/actions/command_action.h"
#include "components/actions/webhook_action.h"
#include "components/checks/accepted.h"
#include "components/checks/between.h"
#include "components/checks/expression.h"
#include "components/checks/fresh.h"
#include "components/checks/matches.h"
#include "components/checks/not_null.h"
#include "components/checks/references.h"
#include "components/checks/rows.h"
#include "components/checks/unique.h"
#include "components/models/model_node.h"
#include "components/models/predict_node.h"
#include "components/postgres/postgres_session.h"
#include "components/sinks/file_sink.h"
#include "components/sinks/postgres_sink.h"
#include "components/sinks/sqlite_sink.h"
#include "components/sources/csv_source.h"
#include "components/sources/files_root.h"
#include "components/sources/http_source.h"
#include "components/sources/json_source.h"
#include "components/sources/parquet_source.h"
#include "components/sources/postgres_source.h"
#include "components/sources/sqlite_source.h"
#include "pipeline/interval_rules.h"

namespace headrace::components {

void RegisterBuiltins(pipeline::Registry& registry) {
  // Actions.
  registry.AddComponent(CommandActionSpec(), MakeCommandAction);
  registry.AddComponent(WebhookActionSpec(), MakeWebhookAction);

  // Checks.
  registry.AddCheck(AcceptedSpec(), MakeAccepted);
  registry.AddCheck(BetweenSpec(), MakeBetween);
  registry.AddCheck(ExpressionSpec(), MakeExpression);
  registry.AddCheck(FreshSpec(), MakeFresh);
  registry.AddCheck(MatchesSpec(), MakeMatches);
  registry.AddCheck(NotNullSpec(), MakeNotNull);
  registry.AddCheck(ReferencesSpec(), MakeReferences);
  registry.AddCheck(RowsSpec(), MakeRows);
  registry.AddCheck(UniqueSpec(), MakeUnique);

  // Connections.
  registry.AddSpec(FolderConnectionSpec());
  registry.AddSpec(PostgresConnectionSpec());
  registry.AddSpec(SqliteConnectionSpec());

  // Models.
  registry.AddComponent(ClassificationSpec(), MakeModelNode);
  registry.AddComponent(RegressionSpec(), MakeModelNode);
  registry.AddComponent(PredictSpec(), MakePredictNode);

  // Properties of SQL files.
  registry.AddSpec(pipeline::SqlPropertiesSpec());

  // Sinks.
  registry.AddComponent(CsvSinkSpec(), MakeFileSink);
  registry.AddComponent(ParquetSinkSpec(), MakeFileSink);
  registry.AddComponent(PostgresSinkSpec(), MakePostgresSink);
  registry.AddComponent(SqliteSinkSpec(), MakeSqliteSink);

  // Sources.
  registry.AddComponent(CsvSourceSpec(), MakeCsvSource);
  registry.AddComponent(JsonSourceSpec(), MakeJsonSource);
  registry.AddComponent(ParquetSourceSpec(), MakeParquetSource);
  registry.AddComponent(HttpSourceSpec(), MakeHttpSource);
  registry.AddComponent(PostgresSourceSpec(), MakePostgresSource);
  registry.AddComponent(SqliteSourceSpec(), MakeSqliteSource);
}

}  // namespace headrace::components
