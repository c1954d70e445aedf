// hr_source(id): the rows of a BatchReader as a relation.
//
// DuckDB asks for up to 2,048 rows at a time; each answer is a slice of the current batch whose
// buffers are handed over without copying (duckdb_data_chunk_from_arrow), and which keeps the batch
// alive. One thread scans, so rows keep the reader's order.
#include <fmt/format.h>

#include <cstdlib>

#include "data/duck_internal.h"
#include "data/quote.h"

namespace headrace::data {
namespace internal {
namespace {

// DuckDB keeps of an error its text only: the text says which source to ask for the error itself.
constexpr std::string_view kSourceFailed = "hr_source_failed:";

std::string SourceFailed(const SourceState& source) {
  return fmt::format("{}{}:", kSourceFailed, source.id);
}

struct SourceBind {
  std::shared_ptr<SourceState> source;
};

struct SourceScan {
  std::shared_ptr<SourceState> source;
  std::shared_ptr<Batch> batch;
  int64_t at = 0;
};

void SourceBindCallback(duckdb_bind_info info) {
  auto body = [&] {
    auto* instance = static_cast<InstanceState*>(duckdb_bind_get_extra_info(info));
    duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
    uint64_t id = duckdb_get_uint64(parameter);
    duckdb_destroy_value(&parameter);
    auto bind = std::make_unique<SourceBind>();
    bind->source = instance->FindSource(id);
    if (bind->source == nullptr) return duckdb_bind_set_error(info, "there is no such source");
    const SourceState& source = *bind->source;
    for (size_t i = 0; i < source.types.size(); ++i) {
      duckdb_logical_type type = MakeLogicalType(source.types[i]);
      duckdb_bind_add_result_column(info, source.schema.columns[i].name.c_str(), type);
      duckdb_destroy_logical_type(&type);
    }
    if (source.expected_rows >= 0) {
      duckdb_bind_set_cardinality(info, static_cast<idx_t>(source.expected_rows), false);
    }
    duckdb_bind_set_bind_data(info, bind.release(),
                              [](void* data) { delete static_cast<SourceBind*>(data); });
  };
  Guarded(body, [&](const char* what) { duckdb_bind_set_error(info, what); });
}

void SourceInitCallback(duckdb_init_info info) {
  auto body = [&] {
    auto* bind = static_cast<SourceBind*>(duckdb_init_get_bind_data(info));
    SourceState& source = *bind->source;
    std::lock_guard lock(source.mutex);
    if (source.consumed) {
      source.error = InternalError("the rows of a source were asked for twice");
      source.error.error().code = "source_consumed";
      return duckdb_init_set_error(info, SourceFailed(source).c_str());
    }
    source.consumed = true;
    auto scan = std::make_unique<SourceScan>();
    scan->source = bind->source;
    // One thread: rows keep their order.
    duckdb_init_set_max_threads(info, 1);
    duckdb_init_set_init_data(info, scan.release(),
                              [](void* data) { delete static_cast<SourceScan*>(data); });
  };
  Guarded(body, [&](const char* what) { duckdb_init_set_error(info, what); });
}

// A view of some rows of a batch as an Arrow array that keeps the batch alive. DuckDB's vectors
// point into the batch's buffers; nothing is copied but the structs.
class Slice {
 public:
  static ArrowArray Make(const std::shared_ptr<Batch>& batch, int64_t from, int64_t rows) {
    auto* slice = new Slice;
    slice->batch_ = batch;
    const ArrowArray& whole = *batch->array.get();
    slice->children_.resize(static_cast<size_t>(whole.n_children));
    for (size_t i = 0; i < slice->children_.size(); ++i) {
      ArrowArray& child = slice->children_[i];
      child = *whole.children[i];
      child.offset += from;
      child.length = rows;
      child.null_count = child.null_count == 0 ? 0 : -1;
      child.release = [](ArrowArray* array) { array->release = nullptr; };
      slice->pointers_.push_back(&child);
    }
    ArrowArray out{};
    out.length = rows;
    out.n_buffers = 1;
    out.n_children = whole.n_children;
    out.buffers = slice->buffers_;
    out.children = slice->pointers_.data();
    out.private_data = slice;
    out.release = [](ArrowArray* array) {
      delete static_cast<Slice*>(array->private_data);
      array->release = nullptr;
    };
    return out;
  }

 private:
  std::shared_ptr<Batch> batch_;
  std::vector<ArrowArray> children_;
  std::vector<ArrowArray*> pointers_;
  const void* buffers_[1] = {nullptr};
};

// The next rows, at most a chunk full. False at the end; an error is kept in the source.
bool NextRows(SourceScan& scan, ArrowArray& out) {
  SourceState& source = *scan.source;
  if (scan.batch == nullptr || scan.at >= scan.batch->rows()) {
    Result<std::optional<Batch>> next = source.reader->Next();
    if (!next.ok()) {
      source.error = std::move(next).error();
      return false;
    }
    if (!next->has_value()) return false;
    scan.batch = std::make_shared<Batch>(std::move(**next));
    scan.at = 0;
  }
  auto most = static_cast<int64_t>(duckdb_vector_size());
  int64_t rows = std::min(scan.batch->rows() - scan.at, most);
  out = Slice::Make(scan.batch, scan.at, rows);
  scan.at += rows;
  return true;
}

void SourceCallback(duckdb_function_info info, duckdb_data_chunk output) {
  auto body = [&] {
    auto* scan = static_cast<SourceScan*>(duckdb_function_get_init_data(info));
    auto* instance = static_cast<InstanceState*>(duckdb_function_get_extra_info(info));
    SourceState& source = *scan->source;
    std::lock_guard lock(source.mutex);
    ArrowArray array{};
    if (!NextRows(*scan, array)) {
      if (!source.error.ok()) {
        duckdb_function_set_error(info, SourceFailed(source).c_str());
      }
      duckdb_data_chunk_set_size(output, 0);
      return;
    }
    int64_t rows = array.length;
    duckdb_data_chunk chunk = nullptr;
    duckdb_error_data failed = nullptr;
    {
      std::lock_guard control_lock(instance->mutex);
      failed = duckdb_data_chunk_from_arrow(instance->control, &array, source.converted, &chunk);
    }
    if (duckdb_error_data_has_error(failed)) {
      source.error = InternalError(duckdb_error_data_message(failed));
      duckdb_function_set_error(info, SourceFailed(source).c_str());
      duckdb_destroy_error_data(&failed);
      if (array.release != nullptr) array.release(&array);
      return;
    }
    duckdb_destroy_error_data(&failed);
    for (idx_t i = 0; i < duckdb_data_chunk_get_column_count(output); ++i) {
      duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(output, i),
                                     duckdb_data_chunk_get_vector(chunk, i));
    }
    duckdb_data_chunk_set_size(output, static_cast<idx_t>(rows));
    duckdb_destroy_data_chunk(&chunk);
  };
  Guarded(body, [&](const char* what) { duckdb_function_set_error(info, what); });
}

}  // namespace

Status RegisterSource(InstanceState& instance) {
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_table_function_set_name(function, "hr_source");
  duckdb_logical_type id = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
  duckdb_table_function_add_parameter(function, id);
  duckdb_destroy_logical_type(&id);
  duckdb_table_function_set_extra_info(function, &instance, nullptr);
  duckdb_table_function_set_bind(function, SourceBindCallback);
  duckdb_table_function_set_init(function, SourceInitCallback);
  duckdb_table_function_set_function(function, SourceCallback);
  duckdb_state state = duckdb_register_table_function(instance.control, function);
  duckdb_destroy_table_function(&function);
  if (state != DuckDBSuccess) return InternalError("DuckDB refused hr_source");
  return Ok();
}

std::optional<Error> SourceErrorOf(InstanceState& instance, std::string_view text) {
  size_t at = text.find(kSourceFailed);
  if (at == std::string_view::npos) return std::nullopt;
  uint64_t id = std::strtoull(text.data() + at + kSourceFailed.size(), nullptr, 10);
  std::shared_ptr<SourceState> source = instance.FindSource(id);
  if (source == nullptr) return std::nullopt;
  std::lock_guard lock(source->mutex);
  if (source->error.ok()) return std::nullopt;
  const Error& cause = source->error.error();
  Error error(cause.blame, "source_failed", "the rows of a source could not be read");
  error.retriable = cause.retriable;
  return error.Cause(cause);
}

}  // namespace internal

Status SourceHandle::error() const {
  auto* source = static_cast<internal::SourceState*>(registration_.get());
  if (source == nullptr) return Ok();
  std::lock_guard lock(source->mutex);
  if (source->error.ok()) return Ok();
  return Error(source->error.error());
}

Result<SourceHandle> DuckInstance::AddSource(std::unique_ptr<BatchReader> reader) {
  auto source = std::make_shared<internal::SourceState>();
  source->schema = reader->schema();
  source->expected_rows = reader->ExpectedRows();
  std::string casts;  // of UUIDs, which travel as their text
  for (Column& column : source->schema.columns) {
    if (column.type == "UUID") {
      const std::string name = QuoteIdentifier(column.name);
      casts += fmt::format("{}CAST({} AS UUID) AS {}", casts.empty() ? "" : ", ", name, name);
      column.type = "VARCHAR";
    }
    HR_ASSIGN(TypeTree type, ParseType(column.type));
    duckdb_logical_type known = internal::MakeLogicalType(type);
    if (known == nullptr) {
      return InternalError(
          fmt::format("a source can't deliver {} (column '{}')", column.type, column.name));
    }
    duckdb_destroy_logical_type(&known);
    source->types.push_back(std::move(type));
  }
  HR_ASSIGN(OwnedArrowSchema arrow, MakeArrowSchema(source->schema));
  source->reader = std::move(reader);
  std::shared_ptr<internal::InstanceState> state = state_;
  uint64_t id = 0;
  {
    std::lock_guard lock(state->mutex);
    duckdb_error_data failed =
        duckdb_schema_from_arrow(state->control, arrow.get(), &source->converted);
    bool bad = duckdb_error_data_has_error(failed);
    std::string message = bad ? duckdb_error_data_message(failed) : "";
    duckdb_destroy_error_data(&failed);
    if (bad) return InternalError(message);
    id = state->next_id++;
    source->id = id;
    state->sources[id] = source;
  }
  SourceHandle handle;
  handle.sql_ = fmt::format("hr_source({}::UBIGINT)", id);
  if (!casts.empty()) {
    handle.sql_ = fmt::format("(SELECT * REPLACE ({}) FROM {})", casts, handle.sql_);
  }
  handle.registration_ = std::shared_ptr<void>(source.get(), [state, source, id](void*) {
    std::lock_guard lock(state->mutex);
    state->sources.erase(id);
  });
  return handle;
}

}  // namespace headrace::data
