// The functions that SQL of ours may call:
//   hr_row_hash(columns…)     → UHUGEINT, the row hash of digest.h
//   hr_observe(id, columns…)  → true; feeds an Observer (see snapshot_writer.cc)
//   hr_source(id)             → the rows of a BatchReader (source_scan.cc)
//   hr_boolean(text), hr_integer(text), hr_small_integer(text), hr_double(text, separator),
//   hr_date(text), hr_timestamp(text), hr_timestamptz(text)
//                             → the value of text_values.h; an error when the text is none. Small
//                               integers are those up to 2^53.
// User SQL can't call them: it is checked against a whitelist before it comes here.
#include <fmt/format.h>

#include <cstring>

#include "data/duck_internal.h"
#include "data/quote.h"
#include "data/row_hasher.h"
#include "data/text_values.h"

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

/// Texts of the first column as values; NULL stays NULL. `parse` is false for what is no value.
template <class T, class Parse>
void ParseTexts(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output,
                const char* what, const Parse& parse) {
  const idx_t rows = duckdb_data_chunk_get_size(input);
  duckdb_vector texts = duckdb_data_chunk_get_vector(input, 0);
  VectorView view;
  view.data = static_cast<const uint8_t*>(duckdb_vector_get_data(texts));
  view.validity = duckdb_vector_get_validity(texts);
  auto* values = static_cast<T*>(duckdb_vector_get_data(output));
  if (view.validity != nullptr) {
    duckdb_vector_ensure_validity_writable(output);
    std::memcpy(duckdb_vector_get_validity(output), view.validity,
                (rows + 63) / 64 * sizeof(uint64_t));
  }
  for (idx_t i = 0; i < rows; ++i) {
    if (view.IsNull(i)) {
      values[i] = T{};
    } else if (!parse(view.Text(i), values[i])) {
      duckdb_scalar_function_set_error(info, what);
      return;
    }
  }
}

void ParseBoolean(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  ParseTexts<bool>(info, input, output, "headrace: not true or false", BooleanOf);
}
void ParseInteger(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  ParseTexts<int64_t>(info, input, output, "headrace: not a whole number", IntegerOf);
}
void ParseSmallInteger(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  constexpr int64_t kMost = int64_t{1} << 53;
  ParseTexts<int64_t>(info, input, output, "headrace: not a whole number up to 2^53",
                      [](std::string_view text, int64_t& value) {
                        return IntegerOf(text, value) && value >= -kMost && value <= kMost;
                      });
}
void ParseDouble(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  if (duckdb_data_chunk_get_size(input) == 0) return;
  VectorView separators;
  separators.data =
      static_cast<const uint8_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1)));
  const char separator = separators.Text(0)[0];
  ParseTexts<double>(info, input, output, "headrace: not a number",
                     [separator](std::string_view text, double& value) {
                       return DoubleOf(text, separator, value);
                     });
}
void ParseDate(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  ParseTexts<int32_t>(info, input, output, "headrace: not a date", DateOf);
}
void ParseTimestamp(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  ParseTexts<int64_t>(info, input, output, "headrace: not a time", TimestampOf);
}

Status RegisterParser(InstanceState& instance, const char* name, duckdb_type returns,
                      duckdb_scalar_function_t function, int parameters = 1) {
  duckdb_scalar_function scalar = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(scalar, name);
  duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type type = duckdb_create_logical_type(returns);
  for (int n = 0; n < parameters; ++n) duckdb_scalar_function_add_parameter(scalar, text);
  duckdb_scalar_function_set_return_type(scalar, type);
  duckdb_scalar_function_set_function(scalar, function);
  duckdb_state state = duckdb_register_scalar_function(instance.control, scalar);
  duckdb_destroy_logical_type(&text);
  duckdb_destroy_logical_type(&type);
  duckdb_destroy_scalar_function(&scalar);
  if (state != DuckDBSuccess) return InternalError(fmt::format("DuckDB refused {}", name));
  return Ok();
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
  HR_TRY(RegisterParser(instance, "hr_boolean", DUCKDB_TYPE_BOOLEAN, ParseBoolean));
  HR_TRY(RegisterParser(instance, "hr_integer", DUCKDB_TYPE_BIGINT, ParseInteger));
  HR_TRY(RegisterParser(instance, "hr_small_integer", DUCKDB_TYPE_BIGINT, ParseSmallInteger));
  HR_TRY(RegisterParser(instance, "hr_double", DUCKDB_TYPE_DOUBLE, ParseDouble, 2));
  HR_TRY(RegisterParser(instance, "hr_date", DUCKDB_TYPE_DATE, ParseDate));
  HR_TRY(RegisterParser(instance, "hr_timestamp", DUCKDB_TYPE_TIMESTAMP, ParseTimestamp));
  HR_TRY(RegisterParser(instance, "hr_timestamptz", DUCKDB_TYPE_TIMESTAMP_TZ, ParseTimestamp));
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
