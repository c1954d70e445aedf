#include <fmt/format.h>

#include "data/cell.h"
#include "data/duck_internal.h"
#include "data/quote.h"

namespace headrace::data {
namespace internal {
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
  for (idx_t i = 0; i < extracted.count(); ++i) {
    internal::Statement statement;
    HR_TRY(statement.PrepareExtracted(*state_, extracted.all(), i, sql, options));
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
    std::string_view bare = WithoutSemicolon(sql);
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
