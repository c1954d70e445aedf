// The functions that SQL of ours may call:
//   hr_row_hash(columns…)     → UHUGEINT, the row hash of digest.h
//   hr_observe(id, columns…)  → true; feeds an Observer (see snapshot_writer.cc)
//   hr_source(id)             → the rows of a BatchReader (source_scan.cc)
// User SQL can't call them: it is checked against a whitelist before it comes here.
#include <fmt/format.h>

#include <cstring>

#include "data/duck_internal.h"
#include "data/quote.h"
#include "data/row_hasher.h"

namespace headrace::data::internal {
namespace {

void RowHash(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  auto body = [&] {
    idx_t rows = duckdb_data_chunk_get_size(input);
    idx_t columns = duckdb_data_chunk_get_column_count(input);
    std::vector<TypePlan> plans;
    std::vector<FlatVector> vectors;
    std::vector<VectorView> views;
    plans.reserve(columns);
    for (idx_t i = 0; i < columns; ++i) {
      duckdb_vector vector = duckdb_data_chunk_get_vector(input, i);
      duckdb_logical_type type = duckdb_vector_get_column_type(vector);
      plans.push_back(MakePlan(TreeOf(type)));
      duckdb_destroy_logical_type(&type);
      if (plans.back().kind == Kind::kNone) {
        std::string text = fmt::format("hr_row_hash can't hash {}", plans.back().tree.Text());
        duckdb_scalar_function_set_error(info, text.c_str());
        return;
      }
      vectors.emplace_back(plans.back(), vector, rows);
      views.push_back(vectors.back().view());
    }
    RowHasher hasher;
    static_assert(sizeof(Hash128) == sizeof(duckdb_uhugeint));
    hasher.Hash(views, rows, static_cast<Hash128*>(duckdb_vector_get_data(output)));
  };
  Guarded(body, [&](const char* what) { duckdb_scalar_function_set_error(info, what); });
}

void Observe(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  auto body = [&] {
    idx_t rows = duckdb_data_chunk_get_size(input);
    if (rows == 0) return;
    auto* instance = static_cast<InstanceState*>(duckdb_scalar_function_get_extra_info(info));
    duckdb_vector ids = duckdb_data_chunk_get_vector(input, 0);
    uint64_t id = *static_cast<uint64_t*>(duckdb_vector_get_data(ids));
    Observer* observer = nullptr;
    {
      std::lock_guard lock(instance->mutex);
      auto found = instance->observers.find(id);
      if (found != instance->observers.end()) observer = found->second;
    }
    if (observer == nullptr ||
        observer->schema().size() + 1 != duckdb_data_chunk_get_column_count(input)) {
      duckdb_scalar_function_set_error(info, "hr_observe has no such observer");
      return;
    }
    observer->Update(input, 1);
    std::memset(duckdb_vector_get_data(output), 1, rows);
  };
  Guarded(body, [&](const char* what) { duckdb_scalar_function_set_error(info, what); });
}

Status RegisterScalar(InstanceState& instance, const char* name, duckdb_type returns,
                      duckdb_scalar_function_t function, bool with_id) {
  duckdb_scalar_function scalar = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(scalar, name);
  if (with_id) {
    duckdb_logical_type id = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
    duckdb_scalar_function_add_parameter(scalar, id);
    duckdb_destroy_logical_type(&id);
    duckdb_scalar_function_set_volatile(scalar);
  }
  duckdb_logical_type any = duckdb_create_logical_type(DUCKDB_TYPE_ANY);
  duckdb_logical_type type = duckdb_create_logical_type(returns);
  duckdb_scalar_function_set_varargs(scalar, any);
  duckdb_scalar_function_set_return_type(scalar, type);
  duckdb_scalar_function_set_special_handling(scalar);
  duckdb_scalar_function_set_extra_info(scalar, &instance, nullptr);
  duckdb_scalar_function_set_function(scalar, function);
  duckdb_state state = duckdb_register_scalar_function(instance.control, scalar);
  duckdb_destroy_logical_type(&any);
  duckdb_destroy_logical_type(&type);
  duckdb_destroy_scalar_function(&scalar);
  if (state != DuckDBSuccess) return InternalError(fmt::format("DuckDB refused {}", name));
  return Ok();
}

}  // namespace

Status RegisterFunctions(InstanceState& instance) {
  HR_TRY(RegisterScalar(instance, "hr_row_hash", DUCKDB_TYPE_UHUGEINT, RowHash, false));
  HR_TRY(RegisterScalar(instance, "hr_observe", DUCKDB_TYPE_BOOLEAN, Observe, true));
  return RegisterSource(instance);
}

ObserverHandle::ObserverHandle(InstanceState& instance, Observer& observer) : instance_(instance) {
  std::lock_guard lock(instance.mutex);
  id_ = instance.next_id++;
  instance.observers[id_] = &observer;
}

ObserverHandle::~ObserverHandle() {
  std::lock_guard lock(instance_.mutex);
  instance_.observers.erase(id_);
}

std::string ObserverHandle::Sql(const Schema& schema) const {
  return fmt::format("hr_observe({}::UBIGINT, {})", id_, QuoteIdentifiers(schema.Names()));
}

}  // namespace headrace::data::internal
