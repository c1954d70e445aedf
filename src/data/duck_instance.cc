#include <fmt/format.h>

#include "data/cell.h"
#include "data/duck_internal.h"
#include "data/quote.h"

namespace headrace::data {
namespace internal {

SourceState::~SourceState() {
  if (converted != nullptr) duckdb_destroy_arrow_converted_schema(&converted);
}

InstanceState::~InstanceState() {
  sources.clear();
  if (control != nullptr) duckdb_disconnect(&control);
  if (database != nullptr) duckdb_close(&database);
}

std::shared_ptr<SourceState> InstanceState::FindSource(uint64_t id) {
  std::lock_guard lock(mutex);
  auto found = sources.find(id);
  return found == sources.end() ? nullptr : found->second;
}

ConnectionState::~ConnectionState() {
  if (connection != nullptr) duckdb_disconnect(&connection);
}

ConnectionState& Access::State(DuckConnection& connection) { return *connection.state_; }
InstanceState& Access::State(DuckInstance& instance) { return *instance.state_; }

namespace {

Status SetUp(InstanceState& state, const std::string& sql) {
  duckdb_result result;
  Status out;
  if (duckdb_query(state.control, sql.c_str(), &result) != DuckDBSuccess) {
    ErrorContext context{sql, 0, state.options.sealed, true};
    Error cause = ErrorFromDuck(duckdb_result_error(&result), context);
    cause.place = {};
    out = InternalError(fmt::format("DuckDB refused the setting {}", sql)).Cause(std::move(cause));
  }
  duckdb_destroy_result(&result);
  return out;
}

// What DuckDB would take from the machine, the environment or the network is set or switched off.
std::vector<std::pair<const char*, std::string>> OpenSettings(const DuckOptions& options) {
  return {
      {"threads", fmt::format("{}", std::max(1, options.threads))},
      {"memory_limit", fmt::format("{}B", options.memory_bytes)},
      {"temp_directory", options.temp_directory},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
      {"allow_persistent_secrets", "false"},
      {"default_null_order", "NULLS_LAST"},
      {"default_order", "ASC"},
      {"preserve_insertion_order", "true"},
      {"errors_as_json", "true"},
      {"arrow_large_buffer_size", "false"},
      {"produce_arrow_string_view", "false"},
  };
}

std::string TextList(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += ", ";
    out += QuoteLiteral(text);
  }
  return "[" + out + "]";
}

// The order matters: after enable_external_access = false no directory can be added, after
// lock_configuration nothing can change but what allowed_configs names; statements that change
// settings are refused to SQL from outside (see Statement checks in duck_connection.cc).
Status Seal(InstanceState& state) {
  std::vector<std::string> directories = state.options.allowed_directories;
  for (std::string& directory : directories) {
    if (directory.empty() || directory[0] != '/') {
      return InternalError(
          fmt::format("allowed directory '{}' is not an absolute path", directory));
    }
    if (directory.back() != '/') directory += '/';
  }
  HR_TRY(SetUp(state, "SET allowed_directories = " + TextList(directories)));
  HR_TRY(SetUp(state,
               "SET allowed_configs = ['threads', 'memory_limit', 'enable_progress_bar', "
               "'enable_progress_bar_print']"));
  HR_TRY(SetUp(state, "SET enable_external_access = false"));
  return SetUp(state, "SET lock_configuration = true");
}

Status OpenDatabase(InstanceState& state) {
  duckdb_config config = nullptr;
  duckdb_create_config(&config);
  Status status;
  for (const auto& [name, value] : OpenSettings(state.options)) {
    if (duckdb_set_config(config, name, value.c_str()) != DuckDBSuccess) {
      status = InternalError(fmt::format("DuckDB knows no setting {} = {}", name, value));
    }
  }
  char* error = nullptr;
  if (status.ok() && duckdb_open_ext(nullptr, &state.database, config, &error) != DuckDBSuccess) {
    status = SystemError("duckdb_open", fmt::format("DuckDB can't be opened: {}",
                                                    error == nullptr ? "no reason given" : error));
  }
  duckdb_free(error);
  duckdb_destroy_config(&config);
  HR_TRY(std::move(status));
  if (duckdb_connect(state.database, &state.control) != DuckDBSuccess) {
    return InternalError("no connection to DuckDB");
  }
  return Ok();
}

}  // namespace
}  // namespace internal

DuckInstance::DuckInstance(std::shared_ptr<internal::InstanceState> state)
    : state_(std::move(state)) {}

DuckInstance::~DuckInstance() = default;

Result<std::shared_ptr<DuckInstance>> DuckInstance::Open(const DuckOptions& options) {
  auto state = std::make_shared<internal::InstanceState>();
  state->options = options;
  HR_TRY(internal::OpenDatabase(*state));
  HR_TRY(internal::SetUp(*state, "SET TimeZone = 'UTC'"));
  HR_TRY(internal::SetUp(*state, "SET Calendar = 'gregorian'"));
  HR_TRY(internal::SetUp(*state, "SET default_collation = ''"));
  // Copies of Parquet bytes in DuckDB's memory would stand beside the system's own page cache.
  HR_TRY(internal::SetUp(*state, "SET enable_external_file_cache = false"));
  // What a query gave back goes to the system soon: a learner may need it next.
  HR_TRY(internal::SetUp(*state, "SET allocator_flush_threshold = '16MB'"));
  // Reading files frees and takes so much at a time that giving it back costs 8 % of the CPU time.
  HR_TRY(internal::SetUp(*state,
                         fmt::format("SET allocator_bulk_deallocation_flush_threshold = '{}MB'",
                                     options.sealed ? 32 : 128)));
  HR_TRY(internal::RegisterFunctions(*state));
  if (options.sealed) HR_TRY(internal::Seal(*state));
  return std::shared_ptr<DuckInstance>(new DuckInstance(std::move(state)));
}

Result<DuckConnection> DuckInstance::Connect() {
  auto state = std::make_unique<internal::ConnectionState>();
  state->instance = state_;
  state->owner = shared_from_this();
  if (duckdb_connect(state_->database, &state->connection) != DuckDBSuccess) {
    return InternalError("no connection to DuckDB");
  }
  return DuckConnection(std::move(state));
}

Status DuckInstance::SetMemory(int64_t bytes) {
  std::lock_guard lock(state_->mutex);
  HR_TRY(internal::SetUp(*state_, fmt::format("SET memory_limit = '{}B'", bytes)));
  state_->options.memory_bytes = bytes;
  return Ok();
}

Status DuckInstance::SetThreads(int threads) {
  std::lock_guard lock(state_->mutex);
  HR_TRY(internal::SetUp(*state_, fmt::format("SET threads = {}", threads)));
  state_->options.threads = threads;
  return Ok();
}

const DuckOptions& DuckInstance::options() const { return state_->options; }

std::string DuckVersion() {
  std::string version = duckdb_library_version();
  return version.starts_with("v") ? version.substr(1) : version;
}

}  // namespace headrace::data
