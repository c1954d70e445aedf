#include "pipeline/sql_node.h"

#include <algorithm>

#include "pipeline/build_context.h"
#include "pipeline/project.h"
#include "sql/compose.h"
#include "sql/describe.h"

namespace headrace::pipeline {
namespace {

/// The byte that stands at a line and column (in characters, 1-based).
size_t OffsetOf(const std::string& text, int line, int column) {
  size_t offset = 0;
  for (int i = 1; i < line && offset < text.size(); ++i) {
    size_t end = text.find('\n', offset);
    if (end == std::string::npos) return text.size();
    offset = end + 1;
  }
  for (int i = 1; i < column && offset < text.size(); ++i) {
    ++offset;
    while (offset < text.size() && (text[offset] & 0xC0) == 0x80) ++offset;
  }
  return offset;
}

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
      Error error = std::move(pending).error();
      if (error.place.line > 0 && error.place.file.empty()) {
        size_t offset = OffsetOf(query.text, error.place.line, error.place.column);
        error.place = query.PlaceAt(offset, static_cast<size_t>(std::max(error.place.length, 1)));
      }
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
