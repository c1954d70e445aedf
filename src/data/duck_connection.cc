#include <fmt/format.h>

#include <condition_variable>
#include <thread>

#include "data/cell.h"
#include "data/duck_internal.h"

namespace headrace::data {
namespace internal {
namespace {

// Statements that a sealed instance runs for nobody, and those that Query and Stream run in it.
bool ChangesOrReachesOut(duckdb_statement_type type) {
  switch (type) {
    case DUCKDB_STATEMENT_TYPE_SET:
    case DUCKDB_STATEMENT_TYPE_VARIABLE_SET:
    case DUCKDB_STATEMENT_TYPE_PRAGMA:
    case DUCKDB_STATEMENT_TYPE_LOAD:
    case DUCKDB_STATEMENT_TYPE_ATTACH:
    case DUCKDB_STATEMENT_TYPE_DETACH:
    case DUCKDB_STATEMENT_TYPE_EXPORT:
    case DUCKDB_STATEMENT_TYPE_CALL:
    case DUCKDB_STATEMENT_TYPE_EXTENSION:
    case DUCKDB_STATEMENT_TYPE_MULTI:
    case DUCKDB_STATEMENT_TYPE_LOGICAL_PLAN:
      return true;
    default:
      return false;
  }
}

bool OnlyReads(duckdb_statement_type type) {
  return type == DUCKDB_STATEMENT_TYPE_SELECT || type == DUCKDB_STATEMENT_TYPE_EXPLAIN;
}

Error SealedError(std::string_view what) {
  return UserError("sealed", fmt::format("{} is not allowed here", what))
      .Hint("SQL of a project reads tables and nothing else");
}

/// Reports progress of a running query from a thread of its own.
class ProgressWatch {
 public:
  ProgressWatch(duckdb_connection connection, const std::function<void(double)>& report) {
    if (!report) return;
    thread_ = std::thread([this, connection, &report] {
      std::unique_lock lock(mutex_);
      while (!done_.wait_for(lock, std::chrono::milliseconds(200), [this] { return finished_; })) {
        double percentage = duckdb_query_progress(connection).percentage;
        report(percentage < 0 ? -1 : percentage / 100);
      }
    });
  }
  ~ProgressWatch() {
    if (!thread_.joinable()) return;
    {
      std::lock_guard lock(mutex_);
      finished_ = true;
    }
    done_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool finished_ = false;
  std::thread thread_;
};

void TurnOnProgress(ConnectionState& connection) {
  if (connection.progress_on) return;
  duckdb_query(connection.connection,
               "SET enable_progress_bar = true; SET enable_progress_bar_print = false", nullptr);
  connection.progress_on = true;
}

/// Owns what duckdb_extract_statements makes.
struct Extracted {
  duckdb_extracted_statements all = nullptr;
  idx_t count = 0;
  ~Extracted() {
    if (all != nullptr) duckdb_destroy_extracted(&all);
  }
  Status Read(ConnectionState& connection, const std::string& sql, const QueryOptions& options) {
    count = duckdb_extract_statements(connection.connection, sql.c_str(), &all);
    if (count > 0) return Ok();
    const char* error = duckdb_extract_statements_error(all);
    if (error != nullptr && *error != 0) return MakeError(connection, error, sql, options, false);
    return UserError("not_a_select", "the text holds no statement");
  }
};

}  // namespace

Error MakeError(const ConnectionState& connection, const char* text, const std::string& sql,
                const QueryOptions& options, bool running) {
  if (auto failed = SourceErrorOf(*connection.instance, text == nullptr ? "" : text)) {
    return *std::move(failed);
  }
  ErrorContext context{sql, options.prefix_bytes, connection.instance->options.sealed, running};
  Error error = ErrorFromDuck(text == nullptr ? "DuckDB gave no reason" : text, context);
  if (options.cancel.Cancelled()) return options.cancel.Check().error();
  return error;
}

Status Statement::Prepare(ConnectionState& connection, const std::string& sql,
                          const QueryOptions& options) {
  Extracted extracted;
  HR_TRY(extracted.Read(connection, sql, options));
  if (extracted.count > 1) {
    return UserError(
        "not_a_select",
        fmt::format("the text holds {} statements, only one is possible here", extracted.count));
  }
  return PrepareExtracted(connection, extracted.all, 0, sql, options);
}

Status Statement::PrepareExtracted(ConnectionState& connection, duckdb_extracted_statements all,
                                   idx_t index, const std::string& sql,
                                   const QueryOptions& options) {
  Reset();
  if (duckdb_prepare_extracted_statement(connection.connection, all, index, &statement_) !=
      DuckDBSuccess) {
    return MakeError(connection, duckdb_prepare_error(statement_), sql, options, false);
  }
  if (connection.instance->options.sealed && ChangesOrReachesOut(type())) {
    return SealedError("a statement that changes settings or reaches outside");
  }
  return Ok();
}

void Statement::Reset() {
  if (statement_ != nullptr) duckdb_destroy_prepare(&statement_);
  statement_ = nullptr;
}

Status Statement::Bind(const Parameters& parameters) {
  idx_t bound = 0;
  for (const Parameter& parameter : parameters) {
    idx_t index = 0;
    if (duckdb_bind_parameter_index(statement_, &index, parameter.name.c_str()) != DuckDBSuccess) {
      continue;  // the query does not use it
    }
    HR_ASSIGN(TypeTree type, ParseType(parameter.type));
    duckdb_value value =
        parameter.text ? MakeValue(type, *parameter.text) : duckdb_create_null_value();
    if (value == nullptr) {
      return UserError("bad_parameter", fmt::format("parameter '{}': '{}' is not a {}",
                                                    parameter.name, *parameter.text, type.Text()))
          .Subject(parameter.name);
    }
    duckdb_state state = duckdb_bind_value(statement_, index, value);
    duckdb_destroy_value(&value);
    if (state != DuckDBSuccess) {
      return UserError("bad_parameter",
                       fmt::format("parameter '{}' can't be bound", parameter.name));
    }
    ++bound;
  }
  if (bound >= parameter_count()) return Ok();
  std::vector<std::string> known;
  for (const Parameter& parameter : parameters) known.push_back(parameter.name);
  for (idx_t i = 1; i <= parameter_count(); ++i) {
    const char* text = duckdb_parameter_name(statement_, i);
    std::string name = text == nullptr ? "" : text;
    duckdb_free(const_cast<char*>(text));
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return UserError("unknown_parameter", fmt::format("there is no parameter '{}'", name))
        .Subject(name)
        .Candidates(known);
  }
  return Ok();
}

Schema Statement::ResultSchema() const {
  Schema schema;
  idx_t columns = duckdb_prepared_statement_column_count(statement_);
  for (idx_t i = 0; i < columns; ++i) {
    const char* name = duckdb_prepared_statement_column_name(statement_, i);
    duckdb_logical_type type = duckdb_prepared_statement_column_logical_type(statement_, i);
    schema.columns.push_back({name == nullptr ? "" : name, TreeOf(type).Text()});
    duckdb_destroy_logical_type(&type);
    duckdb_free(const_cast<char*>(name));
  }
  return schema;
}

Schema SchemaOf(duckdb_result& result) {
  Schema schema;
  for (idx_t i = 0; i < duckdb_column_count(&result); ++i) {
    duckdb_logical_type type = duckdb_column_logical_type(&result, i);
    schema.columns.push_back({duckdb_column_name(&result, i), TreeOf(type).Text()});
    duckdb_destroy_logical_type(&type);
  }
  return schema;
}

Result<ResultOwner> Run(ConnectionState& connection, const Statement& statement,
                        const std::string& sql, const QueryOptions& options, bool streaming) {
  HR_TRY(options.cancel.Check());
  if (options.progress) TurnOnProgress(connection);
  duckdb_pending_result pending = nullptr;
  duckdb_state state = streaming ? duckdb_pending_prepared_streaming(statement.get(), &pending)
                                 : duckdb_pending_prepared(statement.get(), &pending);
  if (state != DuckDBSuccess) {
    Error error = MakeError(connection, duckdb_pending_error(pending), sql, options, true);
    duckdb_destroy_pending(&pending);
    return error;
  }
  ResultOwner out;
  {
    // Registered behind the start of the query, which would forget an earlier interrupt.
    auto interrupt = options.cancel.OnCancel([&] { duckdb_interrupt(connection.connection); });
    ProgressWatch watch(connection.connection, options.progress);
    state = duckdb_execute_pending(pending, &out.result);
  }
  if (state != DuckDBSuccess) {
    const char* text = duckdb_result_error(&out.result);
    if (text == nullptr) text = duckdb_pending_error(pending);
    Error error = MakeError(connection, text, sql, options, true);
    duckdb_destroy_pending(&pending);
    return error;
  }
  duckdb_destroy_pending(&pending);
  return out;
}

namespace {

// Copies every chunk of a result.
Result<Rows> ReadRows(duckdb_result& result) {
  Rows out;
  out.schema = SchemaOf(result);
  std::vector<TypePlan> plans;
  std::vector<TypeTree> types;
  for (const Column& column : out.schema.columns) {
    types.push_back(ParseType(column.type).value());
    plans.push_back(MakePlan(types.back()));
  }
  while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result)) {
    idx_t rows = duckdb_data_chunk_get_size(chunk);
    size_t first = out.rows.size();
    out.rows.resize(first + rows);
    for (auto row = out.rows.begin() + static_cast<ptrdiff_t>(first); row != out.rows.end();
         ++row) {
      row->reserve(plans.size());
    }
    for (size_t c = 0; c < plans.size(); ++c) {
      FlatVector vector(plans[c], duckdb_data_chunk_get_vector(chunk, c), rows);
      for (idx_t r = 0; r < rows; ++r) {
        out.rows[first + r].push_back(CellOf(vector.view(), types[c], r));
      }
    }
    duckdb_destroy_data_chunk(&chunk);
  }
  return out;
}

// Lists, structs, intervals …: DuckDB itself turns them into text. Empty if all types are plain.
std::string AsTextSql(const Schema& schema, const std::string& sql) {
  std::string items, names;
  bool all_plain = true;
  for (size_t i = 0; i < schema.size(); ++i) {
    bool plain = IsPlain(ParseType(schema.columns[i].type).value());
    all_plain = all_plain && plain;
    std::string name = fmt::format("c{}", i);
    items += (i > 0 ? ", " : "") + (plain ? name : fmt::format("CAST({} AS VARCHAR)", name));
    names += (i > 0 ? ", " : "") + name;
  }
  if (all_plain) return "";
  return fmt::format("SELECT {} FROM (\n{}\n) AS t({})", items, sql, names);
}

std::string_view WithoutSemicolon(std::string_view sql) {
  size_t end = sql.find_last_not_of(" \t\r\n;");
  return end == std::string_view::npos ? sql : sql.substr(0, end + 1);
}

}  // namespace
}  // namespace internal

DuckConnection::DuckConnection(std::unique_ptr<internal::ConnectionState> state)
    : state_(std::move(state)) {}
DuckConnection::DuckConnection(DuckConnection&&) noexcept = default;
DuckConnection& DuckConnection::operator=(DuckConnection&&) noexcept = default;
DuckConnection::~DuckConnection() = default;
DuckInstance& DuckConnection::instance() { return *state_->owner; }

Result<int64_t> DuckConnection::Execute(const std::string& sql, const Parameters& parameters,
                                        const QueryOptions& options) {
  internal::Extracted extracted;
  HR_TRY(extracted.Read(*state_, sql, options));
  int64_t changed = 0;
  for (idx_t i = 0; i < extracted.count; ++i) {
    internal::Statement statement;
    HR_TRY(statement.PrepareExtracted(*state_, extracted.all, i, sql, options));
    HR_TRY(statement.Bind(parameters));
    HR_ASSIGN(internal::ResultOwner owner, internal::Run(*state_, statement, sql, options, false));
    changed = 0;
    if (duckdb_result_return_type(owner.result) == DUCKDB_RESULT_TYPE_CHANGED_ROWS) {
      HR_ASSIGN(Rows rows, internal::ReadRows(owner.result));
      if (rows.size() == 1 && rows.schema.size() == 1) changed = rows.at(0, 0).AsInt64();
    }
  }
  return changed;
}

Result<Rows> DuckConnection::Query(const std::string& sql, const Parameters& parameters,
                                   const QueryOptions& options) {
  internal::Statement statement;
  HR_TRY(statement.Prepare(*state_, sql, options));
  if (state_->instance->options.sealed && !internal::OnlyReads(statement.type())) {
    return internal::SealedError("a statement other than SELECT");
  }
  HR_TRY(statement.Bind(parameters));
  if (statement.type() == DUCKDB_STATEMENT_TYPE_SELECT) {
    Schema schema = statement.ResultSchema();
    if (statement.parameter_count() > 0) {
      HR_ASSIGN(schema, Describe(sql, parameters, options));
    }
    std::string_view bare = internal::WithoutSemicolon(sql);
    std::string as_text = internal::AsTextSql(schema, std::string(bare));
    if (!as_text.empty()) {
      QueryOptions inner = options;
      inner.prefix_bytes += as_text.find(bare);
      internal::Statement wrapped;
      Status prepared = wrapped.Prepare(*state_, as_text, inner);
      if (prepared.ok()) {
        HR_TRY(wrapped.Bind(parameters));
        HR_ASSIGN(internal::ResultOwner owner,
                  internal::Run(*state_, wrapped, as_text, inner, false));
        HR_ASSIGN(Rows rows, internal::ReadRows(owner.result));
        rows.schema = std::move(schema);
        return rows;
      }  // a SELECT that can't stand in parentheses (SHOW, DESCRIBE …)
    }
  }
  HR_ASSIGN(internal::ResultOwner owner, internal::Run(*state_, statement, sql, options, false));
  return internal::ReadRows(owner.result);
}

Result<Schema> DuckConnection::Describe(const std::string& select, const Parameters& parameters,
                                        const QueryOptions& options) {
  internal::Statement statement;
  HR_TRY(statement.Prepare(*state_, select, options));
  if (statement.type() != DUCKDB_STATEMENT_TYPE_SELECT) {
    return UserError("not_a_select", "a SELECT is expected, this is another statement");
  }
  if (statement.parameter_count() == 0) return statement.ResultSchema();
  // The types of parameters are known when they are bound, and DuckDB plans again only to run.
  HR_TRY(statement.Bind(parameters));
  static constexpr std::string_view kDescribe = "DESCRIBE ";
  std::string sql = std::string(kDescribe) + select;
  QueryOptions inner = options;
  inner.prefix_bytes += kDescribe.size();
  internal::Statement describe;
  HR_TRY(describe.Prepare(*state_, sql, inner));
  HR_TRY(describe.Bind(parameters));
  HR_ASSIGN(internal::ResultOwner owner, internal::Run(*state_, describe, sql, inner, false));
  HR_ASSIGN(Rows rows, internal::ReadRows(owner.result));
  Schema schema;
  for (size_t i = 0; i < rows.size(); ++i) {
    HR_ASSIGN(TypeTree type, ParseType(rows.at(i, 1).Text()));
    schema.columns.push_back({rows.at(i, 0).Text(), type.Text()});
  }
  return schema;
}

}  // namespace headrace::data
