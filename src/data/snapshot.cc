#include "data/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "data/quote.h"

namespace headrace::data {

Json ToJson(const Snapshot& snapshot) {
  Json files = Json::array();
  for (const SnapshotFile& file : snapshot.files) {
    files.push_back({{"path", file.path}, {"rows", file.rows}, {"bytes", file.bytes}});
  }
  return {{"format", 1},
          {"id", snapshot.id},
          {"node", snapshot.node},
          {"build", snapshot.build_id},
          {"rows", snapshot.rows},
          {"bytes", snapshot.bytes},
          {"digest", snapshot.digest.sum.Hex()},
          {"files", std::move(files)},
          {"schema", ToJson(snapshot.schema)},
          {"profile", ToJson(snapshot.profile)}};
}

namespace {

Error BadManifest(std::string_view why) {
  Error error = InternalError(fmt::format("a snapshot's manifest can't be read: {}", why));
  error.code = "bad_manifest";
  return error;
}

Hash128 HashFromHex(const std::string& hex) {
  Hash128 out;
  if (hex.size() != 32) return out;
  out.high = std::stoull(hex.substr(0, 16), nullptr, 16);
  out.low = std::stoull(hex.substr(16), nullptr, 16);
  return out;
}

}  // namespace

Result<Snapshot> SnapshotFromJson(const Json& json) {
  try {
    if (json.at("format").get<int>() != 1) {
      return BadManifest("it was written by a newer version of Headrace");
    }
    Snapshot out;
    out.id = json.at("id").get<std::string>();
    out.node = json.at("node").get<std::string>();
    out.build_id = json.at("build").get<std::string>();
    out.rows = json.at("rows").get<int64_t>();
    out.bytes = json.at("bytes").get<int64_t>();
    out.digest = {HashFromHex(json.at("digest").get<std::string>()), out.rows};
    for (const Json& file : json.at("files")) {
      out.files.push_back({file.at("path").get<std::string>(), file.at("rows").get<int64_t>(),
                           file.at("bytes").get<int64_t>()});
    }
    HR_ASSIGN(out.schema, SchemaFromJson(json.at("schema")));
    HR_ASSIGN(out.profile, ProfileFromJson(json.at("profile")));
    return out;
  } catch (const std::exception& e) {
    return BadManifest(e.what());
  }
}

std::string RowHashSql(const std::vector<std::string>& columns) {
  return fmt::format("hr_row_hash({})", QuoteIdentifiers(columns));
}

std::string RowOrderSql(const std::vector<std::string>& order_by,
                        const std::vector<std::string>& columns) {
  std::string out = "create_sort_key(";
  for (const std::string& column : order_by)
    out += QuoteIdentifier(column) + ", 'ASC NULLS LAST', ";
  return out + RowHashSql(columns) + ", 'ASC NULLS LAST')";
}

Result<std::string> SampleCondition(const RowSample& sample, const Schema& schema) {
  // Not the row hash's own low digits of one column: it depends on the type, and a key may be a
  // number in a file and a text in a database.
  const std::string by_row =
      fmt::format("{} % 1000000 < {}", RowHashSql(schema.Names()), sample.millionths);
  if (sample.column.empty()) return by_row;
  const Column* column = schema.Find(sample.column);
  if (column == nullptr) {
    return UserError("unknown_column", "there is no column '" + sample.column + "' to sample by")
        .Subject(sample.column)
        .Candidates(Suggest(sample.column, schema.Names()));
  }
  return fmt::format("coalesce(md5_number_lower(CAST({} AS VARCHAR)) % 1000000 < {}, {})",
                     QuoteIdentifier(column->name), sample.millionths, by_row);
}

std::string ReadSnapshotSql(const std::string& warehouse, const Snapshot& snapshot,
                            const ReadOptions& options) {
  const auto read = [&](const std::vector<SnapshotFile>& list) {
    std::string files;
    for (const SnapshotFile& file : list) {
      if (!files.empty()) files += ", ";
      files += QuoteLiteral(JoinPath(warehouse, file.path));
    }
    return fmt::format("read_parquet([{}])", files);
  };
  std::string columns = options.columns.empty() ? "*" : QuoteIdentifiers(options.columns);
  std::string rows = read(snapshot.files);
  if (!snapshot.aside.empty()) {
    rows = fmt::format("(SELECT * FROM {} UNION ALL SELECT {} FROM {})", rows,
                       QuoteIdentifiers(snapshot.schema.Names()), read(snapshot.aside));
  }
  if (options.with_order) columns += ", " + RowOrderSql(options.order_by, snapshot.schema.Names());
  std::string sql = fmt::format("SELECT {} FROM {}", columns, rows);
  if (!options.where.empty()) sql += fmt::format(" WHERE (\n{}\n)", options.where);
  return sql;
}

Result<std::unique_ptr<BatchReader>> ReadSnapshot(DuckInstance& instance,
                                                  const std::string& warehouse,
                                                  const Snapshot& snapshot,
                                                  const ReadOptions& options,
                                                  const StreamOptions& stream) {
  return instance.Stream(ReadSnapshotSql(warehouse, snapshot, options), {}, stream);
}

namespace {

// Every expression starts on a line of its own, behind a line of ours: a place in the whole
// statement becomes one in the expression. The caller knows which by `source_line`.
Error InAggregate(Error error, const std::vector<std::string>& aggregates) {
  int line = 2;
  for (const std::string& aggregate : aggregates) {
    auto lines = static_cast<int>(std::count(aggregate.begin(), aggregate.end(), '\n')) + 1;
    if (error.place.line >= line && error.place.line < line + lines) {
      error.place.line -= line - 1;
      return error;
    }
    line += lines + 1;
  }
  error.place = {};
  return error;
}

}  // namespace

Result<std::vector<Value>> EvaluateOn(DuckConnection& connection, const std::string& warehouse,
                                      const Snapshot& snapshot,
                                      const std::vector<std::string>& aggregates,
                                      const Parameters& parameters, const QueryOptions& options) {
  if (aggregates.empty()) return std::vector<Value>();
  std::string items;
  for (const std::string& aggregate : aggregates) {
    items += fmt::format("{}(\n{}\n)", items.empty() ? "" : ",", aggregate);
  }
  std::string sql = fmt::format("SELECT {} FROM ({})", items, ReadSnapshotSql(warehouse, snapshot));
  Result<Rows> result = connection.Query(sql, parameters, options);
  if (!result.ok()) return InAggregate(std::move(result).error(), aggregates);
  Rows rows = std::move(*result);
  if (rows.size() != 1) return InternalError("aggregates gave more than one row");
  return std::move(rows.rows[0]);
}

}  // namespace headrace::data
