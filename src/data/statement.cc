#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <thread>

#include "data/duck_internal.h"

namespace headrace::data::internal {
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

}  // namespace

bool OnlyReads(duckdb_statement_type type) {
  return type == DUCKDB_STATEMENT_TYPE_SELECT || type == DUCKDB_STATEMENT_TYPE_EXPLAIN;
}

Error SealedError(std::string_view what) {
  return UserError("sealed", fmt::format("{} is not allowed here", what))
      .Hint("SQL of a project reads tables and nothing else");
}

Status Extracted::Read(ConnectionState& connection, const std::string& sql,
                       const QueryOptions& options) {
  count_ = duckdb_extract_statements(connection.connection, sql.c_str(), &all_);
  if (count_ > 0) return Ok();
  const char* error = duckdb_extract_statements_error(all_);
  if (error != nullptr && *error != 0) return MakeError(connection, error, sql, options, false);
  return UserError("not_a_select", "the text holds no statement");
}

Extracted::~Extracted() {
  if (all_ != nullptr) duckdb_destroy_extracted(&all_);
}

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
  if (extracted.count() > 1) {
    return UserError(
        "not_a_select",
        fmt::format("the text holds {} statements, only one is possible here", extracted.count()));
  }
  return PrepareExtracted(connection, extracted.all(), 0, sql, options);
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

namespace {

/// duckdb_execute_pending spins as long as other threads hold all the tasks there are, and takes a
/// core from whoever feeds them (a source with one thread: from the first row to the last). So
/// tasks are asked for here, with pauses when there is none; what is left is its own.
void HelpUntilReady(duckdb_pending_result pending) {
  using std::chrono::microseconds;
  constexpr microseconds kShortest{20}, kLongest{500};
  microseconds pause = kShortest;
  while (true) {
    const duckdb_pending_state state = duckdb_pending_execute_task(pending);
    if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE) {
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, kLongest);
    } else if (state == DUCKDB_PENDING_RESULT_NOT_READY) {
      pause = kShortest;
    } else {
      return;  // ready, failed, or waiting for something: the next call deals with it
    }
  }
}

}  // namespace

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
    if (!streaming) HelpUntilReady(pending);
    // Asked for its result after a fault, DuckDB would put words of its own before the text.
    const char* failed = duckdb_pending_error(pending);
    state = failed != nullptr && *failed != 0 ? DuckDBError
                                              : duckdb_execute_pending(pending, &out.result);
  }
  if (state != DuckDBSuccess) {
    const char* text = duckdb_pending_error(pending);
    if (text == nullptr || *text == 0) text = duckdb_result_error(&out.result);
    Error error = MakeError(connection, text, sql, options, true);
    duckdb_destroy_pending(&pending);
    return error;
  }
  duckdb_destroy_pending(&pending);
  return out;
}

}  // namespace headrace::data::internal
