#include "sql/duck_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "data/quote.h"
#include "sql/lexer.h"

namespace headrace::sql {
namespace {

constexpr char kNodeFunction[] = "headrace_node";

Status Run(duckdb_connection connection, const char* sql) {
  TextResult result;
  if (duckdb_query(connection, sql, result.out()) != DuckDBSuccess) {
    return InternalError(fmt::format("the SQL parser can't be set up: {}", result.error()));
  }
  return Ok();
}

// The binder meets a node's name, finds no such table and asks us (a replacement scan): we answer
// with a table function that has the node's columns and no rows. So a schema costs nothing until a
// query names it, while CREATE TABLE costs 0.15 ms each.
void ReplaceNode(duckdb_replacement_scan_info info, const char* name, void* data) {
  const auto* state = static_cast<const SqlParser::State*>(data);
  if (state->nodes == nullptr || !state->nodes->contains(Lower(name))) return;
  duckdb_replacement_scan_set_function_name(info, kNodeFunction);
  const OwnedValue argument(duckdb_create_varchar(Lower(name).c_str()));
  duckdb_replacement_scan_add_parameter(info, argument.get());
}

void BindNode(duckdb_bind_info info) {
  auto* state = static_cast<SqlParser::State*>(duckdb_bind_get_extra_info(info));
  const OwnedValue argument(duckdb_bind_get_parameter(info, 0));
  char* name = duckdb_get_varchar(argument.get());
  const auto found = state->nodes == nullptr ? NodeSchemas::const_iterator{}
                                             : state->nodes->find(name == nullptr ? "" : name);
  duckdb_free(name);
  if (state->nodes == nullptr || found == state->nodes->end()) {
    duckdb_bind_set_error(info, "no such node");
    return;
  }
  for (const data::Column& column : found->second.columns) {
    // The types were resolved before: preparing inside a bind would lock the connection.
    const auto type = state->types.find(column.type);
    if (type == state->types.end()) continue;
    duckdb_bind_add_result_column(info, column.name.c_str(), type->second.get());
  }
}

void InitNode(duckdb_init_info) {}
void ScanNode(duckdb_function_info, duckdb_data_chunk output) {
  duckdb_data_chunk_set_size(output, 0);
}

Status RegisterNodes(SqlParser::State& state) {
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_table_function_set_name(function, kNodeFunction);
  const OwnedType varchar(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  duckdb_table_function_add_parameter(function, varchar.get());
  duckdb_table_function_set_extra_info(function, &state, nullptr);
  duckdb_table_function_set_bind(function, BindNode);
  duckdb_table_function_set_init(function, InitNode);
  duckdb_table_function_set_function(function, ScanNode);
  const duckdb_state done = duckdb_register_table_function(state.connection.get(), function);
  duckdb_destroy_table_function(&function);
  if (done != DuckDBSuccess) return InternalError("the SQL parser can't register its tables");
  duckdb_add_replacement_scan(state.database.get(), ReplaceNode, &state, nullptr);
  return Ok();
}

Status OpenDatabase(SqlParser::State& state) {
  static constexpr std::pair<const char*, const char*> kSettings[] = {
      {"threads", "1"},
      {"memory_limit", "1GB"},
      {"temp_directory", ""},
      {"enable_external_access", "false"},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
  };
  duckdb_config config = nullptr;
  if (duckdb_create_config(&config) != DuckDBSuccess) return InternalError("no memory for DuckDB");
  bool good = true;
  for (const auto& [name, value] : kSettings) {
    good = good && duckdb_set_config(config, name, value) == DuckDBSuccess;
  }
  char* reason = nullptr;
  good = good && duckdb_open_ext(nullptr, state.database.out(), config, &reason) == DuckDBSuccess;
  const std::string text = reason == nullptr ? "a setting is not known" : reason;
  duckdb_free(reason);
  duckdb_destroy_config(&config);
  if (!good) return SystemError("duckdb_open", fmt::format("DuckDB can't be opened: {}", text));
  if (duckdb_connect(state.database.get(), state.connection.out()) != DuckDBSuccess) {
    return InternalError("DuckDB gives no connection");
  }
  return Ok();
}

Status LoadFunctions(SqlParser::State& state) {
  TextResult functions;
  if (duckdb_query(state.connection.get(),
                   "SELECT DISTINCT function_name, function_type, coalesce(stability, '') "
                   "FROM duckdb_functions()",
                   functions.out()) != DuckDBSuccess) {
    return InternalError(fmt::format("DuckDB's functions can't be listed: {}", functions.error()));
  }
  functions.ForEach([&](const std::vector<std::string_view>& row) {
    state.functions.Add(row[0], row[1], row[2]);
  });
  TextResult keywords;
  if (duckdb_query(state.connection.get(), "SELECT keyword_name FROM duckdb_keywords()",
                   keywords.out()) != DuckDBSuccess) {
    return InternalError(fmt::format("DuckDB's keywords can't be listed: {}", keywords.error()));
  }
  keywords.ForEach([&](const std::vector<std::string_view>& row) {
    state.keywords.insert(std::string(row[0]));
  });
  return Ok();
}

}  // namespace

std::string TextResult::error() {
  const char* text = duckdb_result_error(&result_);
  return text == nullptr ? "unknown error" : text;
}

void TextResult::ForEach(const std::function<void(const std::vector<std::string_view>&)>& row,
                         idx_t columns) {
  columns = std::min(columns, duckdb_column_count(&result_));
  std::vector<std::string_view> texts(columns);
  while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result_)) {
    for (idx_t r = 0; r < duckdb_data_chunk_get_size(chunk); ++r) {
      for (idx_t c = 0; c < columns; ++c) {
        auto* strings = static_cast<duckdb_string_t*>(
            duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, c)));
        texts[c] = {duckdb_string_t_data(&strings[r]), duckdb_string_t_length(strings[r])};
      }
      row(texts);
    }
    duckdb_destroy_data_chunk(&chunk);
  }
}

Result<std::unique_ptr<SqlParser>> SqlParser::Open() {
  auto state = std::make_unique<State>();
  HR_TRY(OpenDatabase(*state));
  HR_TRY(LoadFunctions(*state));
  HR_TRY(RegisterNodes(*state));
  // Errors carry positions only as JSON; a plan is never run, so it need not be optimized.
  for (const char* setting : {"SET errors_as_json = true", "SET TimeZone = 'UTC'",
                              "PRAGMA disable_optimizer", "SET lock_configuration = true"}) {
    HR_TRY(Run(state->connection.get(), setting));
  }
  return std::unique_ptr<SqlParser>(new SqlParser(std::move(state)));
}

SqlParser::SqlParser(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqlParser::~SqlParser() = default;

Result<std::vector<std::string>> SqlParser::State::Serialize(
    const std::vector<std::string>& texts) {
  std::vector<std::string> trees;
  if (texts.empty()) return trees;
  ++parses;
  OwnedPrepared statement;
  TextResult result;
  std::vector<OwnedValue> values;
  std::vector<duckdb_value> raw;
  for (const std::string& text : texts) {
    values.emplace_back(duckdb_create_varchar_length(text.data(), text.size()));
    raw.push_back(values.back().get());
  }
  const OwnedType varchar(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  const OwnedValue list(duckdb_create_list_value(varchar.get(), raw.data(), raw.size()));
  const char* sql =
      "SELECT json_serialize_sql(text, skip_default := true, skip_null := true, skip_empty := true)"
      "::VARCHAR FROM (SELECT unnest($1::VARCHAR[]) AS text)";
  if (duckdb_prepare(connection.get(), sql, statement.out()) != DuckDBSuccess ||
      duckdb_bind_value(statement.get(), 1, list.get()) != DuckDBSuccess ||
      duckdb_execute_prepared(statement.get(), result.out()) != DuckDBSuccess) {
    return InternalError(fmt::format("DuckDB can't parse: {}", result.error()));
  }
  trees.reserve(texts.size());
  result.ForEach([&](const std::vector<std::string_view>& row) { trees.emplace_back(row[0]); });
  if (trees.size() != texts.size()) return InternalError("DuckDB gave fewer trees than texts");
  return trees;
}

duckdb_logical_type SqlParser::State::TypeOf(const std::string& text) {
  const auto found = types.find(text);
  if (found != types.end()) return found->second.get();
  OwnedPrepared statement;
  const std::string sql = fmt::format("SELECT CAST(NULL AS {})", text);
  if (duckdb_prepare(connection.get(), sql.c_str(), statement.out()) != DuckDBSuccess ||
      duckdb_prepared_statement_column_count(statement.get()) != 1) {
    return nullptr;
  }
  OwnedType type(duckdb_prepared_statement_column_logical_type(statement.get(), 0));
  return types.emplace(text, std::move(type)).first->second.get();
}

}  // namespace headrace::sql
