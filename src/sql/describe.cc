#include "sql/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "data/quote.h"
#include "sql/compose.h"
#include "sql/describe_state.h"
#include "sql/faults.h"
#include "sql/lexer.h"
#include "sql/parameter.h"

namespace headrace::sql {
namespace {

constexpr int64_t kDayMicros = 86'400'000'000;

/// A value of the parameter's type; one that stands for any if the parameter has none. (A NULL of
/// DuckDB's C API has no type, and an unbound parameter collapses the columns to "unknown".)
OwnedValue ValueOf(const data::Parameter& parameter) {
  const std::string text = parameter.text.value_or("");
  const std::string type = Lower(parameter.type);
  if (type == "boolean") return OwnedValue(duckdb_create_bool(text == "true"));
  if (type == "bigint") {
    int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return OwnedValue(duckdb_create_int64(number));
  }
  if (type == "double") {
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return OwnedValue(duckdb_create_double(number));
  }
  if (type == "date" || type == "timestamp") {
    const Result<Timestamp> time = ParseTimestamp(text);
    const Timestamp micros = time.ok() ? *time : 0;
    if (type == "timestamp") return OwnedValue(duckdb_create_timestamp({micros}));
    return OwnedValue(duckdb_create_date({static_cast<int32_t>(micros / kDayMicros)}));
  }
  return OwnedValue(duckdb_create_varchar(text.c_str()));
}

const data::Parameter* FindParameter(const std::string& name, const data::Parameters& parameters) {
  for (const data::Parameters* list : {&parameters, &ReservedParameters()}) {
    for (const data::Parameter& parameter : *list) {
      if (Lower(parameter.name) == name) return &parameter;
    }
  }
  return nullptr;
}

void BindParameters(duckdb_prepared_statement statement, const data::Parameters& parameters) {
  for (idx_t i = 1; i <= duckdb_nparams(statement); ++i) {
    const char* name = duckdb_parameter_name(statement, i);
    const data::Parameter* parameter =
        FindParameter(Lower(name == nullptr ? "" : name), parameters);
    duckdb_free(const_cast<char*>(name));
    const OwnedValue value =
        parameter == nullptr ? OwnedValue(duckdb_create_null_value()) : ValueOf(*parameter);
    duckdb_bind_value(statement, i, value.get());
  }
}

data::Schema SchemaOf(duckdb_prepared_statement statement, const Keywords& keywords) {
  data::Schema schema;
  const idx_t columns = duckdb_prepared_statement_column_count(statement);
  for (idx_t i = 0; i < columns; ++i) {
    const char* name = duckdb_prepared_statement_column_name(statement, i);
    const OwnedType type(duckdb_prepared_statement_column_logical_type(statement, i));
    schema.columns.push_back(
        {name == nullptr ? "" : name, TypeText(type.get(), keywords), /*nullable=*/true});
    duckdb_free(const_cast<char*>(name));
  }
  return schema;
}

/// Whether a column could be a NULL without a type: that needs the word (but IS [NOT] NULL is a
/// condition), or an empty list.
bool MayMakeNull(std::string_view sql) {
  const std::vector<Token> tokens = Lex(sql);
  for (size_t i = 1; i < tokens.size(); ++i) {
    const bool condition = IsWord(sql, tokens[i - 1], "is") || IsWord(sql, tokens[i - 1], "not");
    if (IsWord(sql, tokens[i], "null") && !condition) return true;
    if (sql[tokens[i - 1].span.offset] == '[' && sql[tokens[i].span.offset] == ']') return true;
  }
  return false;
}

bool IsDouble(std::string_view type) {
  return type.starts_with("DOUBLE") || type.starts_with("FLOAT");
}

std::vector<Error> SumHints(const SqlText& text, const ParsedSelect& select,
                            const NodeSchemas& nodes) {
  std::vector<Error> hints;
  for (const DoubleSum& sum : select.sums) {
    bool doubles = sum.makes_double;
    for (const std::string& column : sum.columns) {
      for (const std::string& input : select.inputs) {
        const auto node = nodes.find(input);
        const data::Column* found = node == nodes.end() ? nullptr : node->second.Find(column);
        doubles = doubles || (found != nullptr && IsDouble(found->type));
      }
    }
    if (!doubles) continue;
    hints.push_back(
        OrderHint(text, sum.span,
                  fmt::format("{}() of doubles adds them in any order: its last digits may change",
                              sum.function),
                  "cast to DECIMAL, or set `deterministic: true`"));
  }
  return hints;
}

}  // namespace

Result<std::unique_ptr<SchemaCatalog>> SchemaCatalog::Open(SqlParser& parser) {
  return std::unique_ptr<SchemaCatalog>(
      new SchemaCatalog(std::unique_ptr<State>(new State{parser.state(), {}, {}})));
}

SchemaCatalog::SchemaCatalog(std::unique_ptr<State> state) : state_(std::move(state)) {}
SchemaCatalog::~SchemaCatalog() = default;

void SchemaCatalog::Define(std::string_view name, data::Schema schema) {
  state_->unknown.erase(Lower(name));
  state_->nodes[Lower(name)] = std::move(schema);
}

void SchemaCatalog::DefineUnknown(std::string_view name) {
  state_->nodes.erase(Lower(name));
  state_->unknown.insert(Lower(name));
}

const data::Schema* SchemaCatalog::Find(std::string_view name) const {
  const auto found = state_->nodes.find(Lower(name));
  return found == state_->nodes.end() ? nullptr : &found->second;
}

Status SchemaCatalog::State::ResolveTypes(const std::string& node, const data::Schema& schema) {
  for (const data::Column& column : schema.columns) {
    if (parser.TypeOf(column.type) != nullptr) continue;
    return UserError("bad_type", fmt::format("column '{}' of '{}' has the type '{}', which DuckDB "
                                             "does not know",
                                             column.name, node, column.type))
        .Node(node)
        .Subject(column.type)
        .Hint("types are DuckDB's: BIGINT, DOUBLE, VARCHAR, DATE, TIMESTAMP …");
  }
  return Ok();
}

Result<data::Schema> SchemaCatalog::State::Bind(const std::string& sql, const NodeSchemas& visible,
                                                const SqlText& text,
                                                const data::Parameters& parameters,
                                                const BindContext& context) {
  parser.nodes = &visible;
  const auto hide = std::shared_ptr<void>(nullptr, [this](void*) { parser.nodes = nullptr; });
  OwnedPrepared statement;
  if (duckdb_prepare(parser.connection.get(), sql.c_str(), statement.out()) != DuckDBSuccess) {
    const char* message = duckdb_prepare_error(statement.get());
    return ExplainBindError(message == nullptr ? "" : message, text, context);
  }
  if (duckdb_nparams(statement.get()) == 0) {
    data::Schema schema = SchemaOf(statement.get(), parser.keywords);
    if (MayMakeNull(sql)) MarkNulls(sql, schema);
    return schema;
  }
  HR_ASSIGN(data::Schema schema, DescribeBound(sql, text, parameters, context));
  if (MayMakeNull(sql)) MarkNulls(sql, schema);
  return schema;
}

/// At the end of a query DuckDB calls a NULL without a type INTEGER. It can be told apart: beside a
/// UUID, a NULL becomes one, while an INTEGER does not bind.
void SchemaCatalog::State::MarkNulls(const std::string& sql, data::Schema& schema) {
  for (data::Column& column : schema.columns) {
    if (column.type != "INTEGER" && column.type != "INTEGER[]") continue;
    const std::string brackets = column.type == "INTEGER" ? "" : "[]";
    const std::string probe =
        fmt::format("SELECT CASE WHEN true THEN {} ELSE CAST(NULL AS UUID{}) END FROM ({}\n)",
                    data::QuoteIdentifier(column.name), brackets, TrimStatement(sql));
    OwnedPrepared statement;
    if (duckdb_prepare(parser.connection.get(), probe.c_str(), statement.out()) == DuckDBSuccess) {
      column.type = "\"NULL\"" + brackets;
    }
  }
}

/// With parameters the columns have types only once values are bound, and the C API tells the types
/// of a statement as it was prepared; so DESCRIBE runs.
Result<data::Schema> SchemaCatalog::State::DescribeBound(const std::string& sql,
                                                         const SqlText& text,
                                                         const data::Parameters& parameters,
                                                         BindContext context) {
  constexpr std::string_view kDescribe = "DESCRIBE ";
  context.prefix += kDescribe.size();
  OwnedPrepared statement;
  const std::string describe = std::string(kDescribe) + sql;
  if (duckdb_prepare(parser.connection.get(), describe.c_str(), statement.out()) != DuckDBSuccess) {
    const char* message = duckdb_prepare_error(statement.get());
    return ExplainBindError(message == nullptr ? "" : message, text, context);
  }
  BindParameters(statement.get(), parameters);
  TextResult result;
  if (duckdb_execute_prepared(statement.get(), result.out()) != DuckDBSuccess) {
    return ExplainBindError(result.error(), text, context);
  }
  data::Schema schema;
  result.ForEach(
      [&](const std::vector<std::string_view>& row) {
        schema.columns.push_back({std::string(row[0]), std::string(row[1]), /*nullable=*/true});
      },
      2);
  return schema;
}

Result<std::optional<Description>> SchemaCatalog::Describe(const SqlText& text,
                                                           const ParsedSelect& select,
                                                           const data::Parameters& parameters) {
  BindContext context;
  context.nodes = [this] {
    std::vector<std::string> names;
    for (const auto& [name, schema] : state_->nodes) names.push_back(name);
    names.insert(names.end(), state_->unknown.begin(), state_->unknown.end());
    std::sort(names.begin(), names.end());
    return names;
  };
  for (const std::string& input : select.inputs) {
    if (state_->unknown.contains(input)) return std::optional<Description>();
  }
  for (const NameUse& table : select.tables) {
    if (!state_->nodes.contains(table.name)) {
      return UnknownNodeFault(text, table.span, table.name, context.nodes());
    }
  }
  for (const std::string& input : select.inputs) {
    const data::Schema& schema = state_->nodes.at(input);
    HR_TRY(state_->ResolveTypes(input, schema));
    context.tables.emplace_back(input, schema.Names());
  }
  HR_ASSIGN(data::Schema schema,
            state_->Bind(WithAsciiBlanks(text.text), state_->nodes, text, parameters, context));
  Description description{std::move(schema), SumHints(text, select, state_->nodes)};
  return std::optional(std::move(description));
}

}  // namespace headrace::sql
