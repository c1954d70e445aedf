#include "pipeline/sql_node.h"

#include "pipeline/build_context.h"
#include "pipeline/project.h"
#include "sql/compose.h"
#include "sql/describe.h"

namespace headrace::pipeline {
namespace {

class SqlNode : public Component {
 public:
  explicit SqlNode(bool view) : view_(view) {}

  std::optional<data::Schema> Lint(const LintContext&) const override {
    return std::nullopt;  // the loader describes SQL itself: it has the parse trees
  }
  bool HasTable() const override { return !view_; }

  Result<Outcome> Build(BuildContext& context) const override {
    const Node& node = *context.node;
    std::vector<sql::View> views;
    for (int index : context.project->ViewInputs(node)) {
      const Node& view = context.project->nodes()[index];
      views.push_back({view.name, view.text});
    }
    const sql::ComposedQuery query = sql::ComposeQuery(node.text, views);
    HR_ASSIGN(data::DuckConnection connection, context.ConnectInputs());
    data::Parameters parameters = UsedParameters(*context.project, node, context.parameters);
    Outcome outcome;
    if (view_) return outcome;
    data::MaterializeRequest request;
    request.node = node.name;
    request.build_id = context.build_id;
    request.select = query.text;
    request.parameters = std::move(parameters);
    request.ordered = node.deterministic;
    request.aggregates = context.aggregates;
    request.query = context.Query();
    auto pending = context.writer->Materialize(connection, request);
    if (!pending.ok()) {
      Error error = sql::PlaceError(std::move(pending).error(), query);
      if (error.place.file.empty()) error.place.file = node.file;
      return std::move(error.Node(node.name));
    }
    outcome.rows = pending->snapshot().rows;
    outcome.pending.emplace(std::move(*pending));
    return outcome;
  }

 private:
  bool view_;
};

}  // namespace

std::unique_ptr<Component> MakeSqlNode(bool view) { return std::make_unique<SqlNode>(view); }

}  // namespace headrace::pipeline
