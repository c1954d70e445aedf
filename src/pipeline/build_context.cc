#include "pipeline/build_context.h"

#include <set>

#include "data/quote.h"

namespace headrace::pipeline {

data::Parameters UsedParameters(const Project& project, const Node& node,
                                const data::Parameters& all) {
  std::set<std::string> names(node.select.parameter_names.begin(),
                              node.select.parameter_names.end());
  for (int index : project.ViewInputs(node)) {
    const auto& more = project.nodes()[index].select.parameter_names;
    names.insert(more.begin(), more.end());
  }
  data::Parameters used;
  for (const auto& parameter : all) {
    if (names.count(parameter.name) > 0) used.push_back(parameter);
  }
  return used;
}

Result<data::DuckConnection> BuildContext::ConnectInputs() const {
  HR_ASSIGN(auto instance,
            node->deterministic ? instances->Deterministic() : instances->Parallel());
  HR_ASSIGN(data::DuckConnection connection, instance->Connect());
  for (const auto& [name, snapshot] : inputs) {
    HR_TRY(connection.Execute("CREATE TEMP VIEW " + data::QuoteIdentifier(name) +
                              " AS SELECT * FROM (" + data::ReadSnapshotSql(warehouse, snapshot) +
                              ")"));
  }
  return connection;
}

Result<std::string> BuildContext::InputSql(const std::string& name) const {
  const Node* input = project->FindNode(name);
  if (input == nullptr) return InternalError("no node '" + name + "'");
  if (!input->view && input->kind != "check") return "SELECT * FROM " + data::QuoteIdentifier(name);
  std::vector<sql::View> views;
  for (int index : project->ViewInputs(*input)) {
    const Node& view = project->nodes()[index];
    views.push_back({view.name, view.text});
  }
  return sql::ComposeQuery(input->text, views).text;
}

namespace {

/// A stream whose number of rows is known.
class QueryReader : public data::BatchReader {
 public:
  QueryReader(std::unique_ptr<data::BatchReader> reader, int64_t rows)
      : reader_(std::move(reader)), rows_(rows) {}
  const data::Schema& schema() const override { return reader_->schema(); }
  Result<std::optional<data::Batch>> Next() override { return reader_->Next(); }
  int64_t ExpectedRows() const override { return rows_; }

 private:
  std::unique_ptr<data::BatchReader> reader_;
  int64_t rows_;
};

/// A SELECT over snapshots alone, for a stream on a connection of its own: tables and views as
/// CTEs.
std::string Standalone(const BuildContext& context, const Node& input, const std::string& text) {
  std::string with;
  for (int index : context.project->TableInputs(input)) {
    const Node& table = context.project->nodes()[index];
    auto found = context.inputs.find(table.name);
    if (found == context.inputs.end()) continue;
    with += (with.empty() ? "WITH " : ", ") + data::QuoteIdentifier(table.name) +
            " AS NOT MATERIALIZED (" + data::ReadSnapshotSql(context.warehouse, found->second) +
            ")";
  }
  return with + " SELECT * FROM (" + text + ")";
}

}  // namespace

Result<std::unique_ptr<data::BatchReader>> BuildContext::ReadInput(
    const std::string& name, const data::ReadOptions& options) const {
  const Node* input = project->FindNode(name);
  if (input == nullptr) return InternalError("no node '" + name + "'");
  HR_ASSIGN(auto instance,
            node->deterministic ? instances->Deterministic() : instances->Parallel());
  data::StreamOptions stream;
  stream.query.cancel = cancel;
  if (!input->view) {
    auto found = inputs.find(name);
    if (found == inputs.end()) return InternalError("no snapshot of '" + name + "'");
    HR_ASSIGN(auto reader,
              data::ReadSnapshot(*instance, warehouse, found->second, options, stream));
    const int64_t rows = options.where.empty() ? found->second.rows : -1;
    return std::unique_ptr<data::BatchReader>(
        std::make_unique<QueryReader>(std::move(reader), rows));
  }
  HR_ASSIGN(std::string text, InputSql(name));
  std::string query = "SELECT ";
  query += options.columns.empty() ? "*" : data::QuoteIdentifiers(options.columns);
  if (options.with_order) {
    std::vector<std::string> columns = options.columns;
    if (columns.empty() && input->schema) columns = input->schema->Names();
    query += ", " + data::RowOrderSql(options.order_by, columns);
  }
  query += " FROM (" + Standalone(*this, *input, text) + ")";
  if (!options.where.empty()) query += " WHERE " + options.where;
  HR_ASSIGN(auto reader,
            instance->Stream(query, UsedParameters(*project, *input, parameters), stream));
  return std::unique_ptr<data::BatchReader>(std::make_unique<QueryReader>(std::move(reader), -1));
}

data::QueryOptions BuildContext::Query() const {
  data::QueryOptions options;
  options.cancel = cancel;
  return options;
}

}  // namespace headrace::pipeline
