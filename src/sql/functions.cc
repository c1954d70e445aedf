#include "sql/functions.h"

#include <algorithm>
#include <iterator>

#include "base/suggest.h"

namespace headrace::sql {
namespace {

struct Rule {
  std::string_view name;
  FunctionFault fault;
};

// DuckDB calls some of these CONSISTENT (current_setting, getvariable, version) or macros without
// any stability (ago, current_user); the parts of PostgreSQL's catalogue read DuckDB's own.
constexpr Rule kRules[] = {
    {"ago", FunctionFault::kTime},
    {"current_date", FunctionFault::kTime},
    {"current_localtime", FunctionFault::kTime},
    {"current_localtimestamp", FunctionFault::kTime},
    {"current_time", FunctionFault::kTime},
    {"current_timestamp", FunctionFault::kTime},
    {"get_current_time", FunctionFault::kTime},
    {"get_current_timestamp", FunctionFault::kTime},
    {"localtime", FunctionFault::kTime},
    {"localtimestamp", FunctionFault::kTime},
    {"now", FunctionFault::kTime},
    {"pg_conf_load_time", FunctionFault::kTime},
    {"pg_postmaster_start_time", FunctionFault::kTime},
    {"today", FunctionFault::kTime},
    {"transaction_timestamp", FunctionFault::kTime},

    {"gen_random_uuid", FunctionFault::kRandom},
    {"random", FunctionFault::kRandom},
    {"uuid", FunctionFault::kRandom},
    {"uuidv4", FunctionFault::kRandom},
    {"uuidv7", FunctionFault::kRandom},

    {"current_catalog", FunctionFault::kSession},
    {"current_connection_id", FunctionFault::kSession},
    {"current_database", FunctionFault::kSession},
    {"current_query", FunctionFault::kSession},
    {"current_query_id", FunctionFault::kSession},
    {"current_role", FunctionFault::kSession},
    {"current_schema", FunctionFault::kSession},
    {"current_schemas", FunctionFault::kSession},
    {"current_transaction_id", FunctionFault::kSession},
    {"current_user", FunctionFault::kSession},
    {"format_type", FunctionFault::kSession},
    {"get_block_size", FunctionFault::kSession},
    {"in_search_path", FunctionFault::kSession},
    {"pg_get_constraintdef", FunctionFault::kSession},
    {"pg_get_viewdef", FunctionFault::kSession},
    {"session_user", FunctionFault::kSession},
    {"stats", FunctionFault::kSession},
    {"txid_current", FunctionFault::kSession},
    {"user", FunctionFault::kSession},
    {"vector_type", FunctionFault::kSession},
    {"version", FunctionFault::kSession},

    {"current_setting", FunctionFault::kSetting},
    {"currval", FunctionFault::kSetting},
    {"getenv", FunctionFault::kSetting},
    {"getvariable", FunctionFault::kSetting},
    {"nextval", FunctionFault::kSetting},
    {"pg_sleep", FunctionFault::kSetting},
    {"setseed", FunctionFault::kSetting},
    {"setval", FunctionFault::kSetting},
    {"sleep_ms", FunctionFault::kSetting},
    {"write_log", FunctionFault::kSetting},

    {"json_deserialize_sql", FunctionFault::kHiddenSql},
    {"json_execute_serialized_sql", FunctionFault::kHiddenSql},
    {"json_serialize_plan", FunctionFault::kHiddenSql},
    {"json_serialize_sql", FunctionFault::kHiddenSql},
    {"query", FunctionFault::kHiddenSql},
    {"query_table", FunctionFault::kHiddenSql},
};

struct Dependence {
  std::string_view name;
  std::string_view why;
};

constexpr std::string_view kWhichRow = "takes a value from whichever row comes first";
constexpr std::string_view kOrderOfItems = "keeps its items in the order in which the rows come";
constexpr std::string_view kTies = "numbers rows that tie in its ORDER BY in any order";
constexpr std::string_view kTiedRow = "picks among rows that tie in its ORDER BY in any order";
constexpr std::string_view kSketch = "is an approximation that depends on the order of the rows";

constexpr Dependence kDependences[] = {
    {"any_value", kWhichRow},
    {"approx_quantile", kSketch},
    {"approx_top_k", kSketch},
    {"arbitrary", kWhichRow},
    {"arg_max", "takes a value from any of the rows that tie"},
    {"arg_max_null", "takes a value from any of the rows that tie"},
    {"arg_min", "takes a value from any of the rows that tie"},
    {"arg_min_null", "takes a value from any of the rows that tie"},
    {"array_agg", kOrderOfItems},
    {"first", kWhichRow},
    {"first_value", kTiedRow},
    {"group_concat", kOrderOfItems},
    {"json_group_array", kOrderOfItems},
    {"json_group_object", kOrderOfItems},
    {"lag", kTiedRow},
    {"last", kWhichRow},
    {"last_value", kTiedRow},
    {"lead", kTiedRow},
    {"list", kOrderOfItems},
    {"listagg", kOrderOfItems},
    {"max_by", "takes a value from any of the rows that tie"},
    {"min_by", "takes a value from any of the rows that tie"},
    {"mode", "picks among equally frequent values in any order"},
    {"nth_value", kTiedRow},
    {"ntile", kTies},
    {"reservoir_quantile", kSketch},
    {"row_number", kTies},
    {"string_agg", kOrderOfItems},
};

constexpr std::string_view kDoubleSums[] = {
    "avg",      "corr",       "covar_pop",     "covar_samp",   "favg",        "fsum",
    "geomean",  "kahan_sum",  "kurtosis",      "kurtosis_pop", "mad",         "mean",
    "median",   "product",    "quantile_cont", "regr_avgx",    "regr_avgy",   "regr_intercept",
    "regr_r2",  "regr_slope", "regr_sxx",      "regr_sxy",     "regr_syy",    "sem",
    "skewness", "stddev",     "stddev_pop",    "stddev_samp",  "sum",         "sumkahan",
    "var_pop",  "var_samp",   "variance",      "wavg",         "weighted_avg"};

template <class Table>
auto Find(const Table& table, std::string_view name) {
  return std::find_if(std::begin(table), std::end(table),
                      [name](const auto& entry) { return entry.name == name; });
}

}  // namespace

FunctionFault FaultOf(std::string_view name, size_t arguments) {
  if (name == "age" && arguments == 1) return FunctionFault::kTime;  // until the current date
  const auto* rule = Find(kRules, name);
  return rule == std::end(kRules) ? FunctionFault::kNone : rule->fault;
}

bool IsPseudoColumn(std::string_view name) {
  if (name != "localtime" && name != "localtimestamp" && name != "session_user" &&
      !name.starts_with("current_")) {
    return false;
  }
  static constexpr std::string_view kNames[] = {
      "current_catalog",   "current_date", "current_role", "current_schema", "current_time",
      "current_timestamp", "current_user", "localtime",    "localtimestamp", "session_user"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

const std::vector<std::string>& AllowedTableFunctions() {
  static const std::vector<std::string> names{"generate_series", "json_each",  "json_tree", "range",
                                              "repeat",          "repeat_row", "unnest"};
  return names;
}

TableFunctionKind KindOfTableFunction(std::string_view name) {
  const auto& allowed = AllowedTableFunctions();
  if (std::binary_search(allowed.begin(), allowed.end(), name)) return TableFunctionKind::kAllowed;
  if (name == "query" || name == "query_table" || name == "json_execute_serialized_sql" ||
      name == "histogram" || name == "histogram_values") {
    return TableFunctionKind::kHiddenSql;
  }
  for (const std::string_view database : {"postgres_", "mysql_", "sqlite_", "iceberg_", "delta_",
                                          "odbc_", "ducklake_", "bigquery_", "snowflake_"}) {
    if (name.starts_with(database)) return TableFunctionKind::kDatabase;
  }
  if (name.starts_with("read_") || name.starts_with("parquet_") || name == "glob" ||
      name == "sniff_csv" || name == "st_read" || name.ends_with("_scan")) {
    return TableFunctionKind::kFile;
  }
  if (name.starts_with("duckdb_") || name.starts_with("pragma_") || name == "which_secret" ||
      name == "summary") {
    return TableFunctionKind::kCatalog;
  }
  return TableFunctionKind::kOther;
}

std::string_view OrderDependence(std::string_view name) {
  const auto* found = Find(kDependences, name);
  return found == std::end(kDependences) ? std::string_view() : found->why;
}

bool AddsDoubles(std::string_view name) {
  return std::find(std::begin(kDoubleSums), std::end(kDoubleSums), name) != std::end(kDoubleSums);
}

bool TakesLambda(std::string_view name) {
  for (const std::string_view prefix : {"list_", "array_"}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  return name == "transform" || name == "apply" || name == "filter" || name == "reduce";
}

void FunctionCatalog::Add(std::string_view name, std::string_view type,
                          std::string_view stability) {
  unsigned bits = 0;
  if (type == "scalar") bits = kScalar;
  if (type == "aggregate") bits = kAggregate;
  if (type == "macro") bits = kMacro;
  if (bits == 0) return;  // table functions have a whitelist, pragmas are no expressions
  if (stability == "VOLATILE" || stability == "CONSISTENT_WITHIN_QUERY") bits |= kVolatile;
  kinds_[std::string(name)] |= bits;
}

unsigned FunctionCatalog::KindsOf(std::string_view name) const {
  if (name == "unnest" || name == "unlist") return kScalar;  // known to the binder only
  const auto found = kinds_.find(name);
  return found == kinds_.end() ? 0 : found->second;
}

std::vector<std::string> FunctionCatalog::Suggest(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& [known, kinds] : kinds_) {
    if (FaultOf(known, 0) == FunctionFault::kNone && !known.starts_with("__") &&
        !known.starts_with("icu_"))
      names.push_back(known);
  }
  return headrace::Suggest(name, names);
}

}  // namespace headrace::sql
