#include "components/project_fixture.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace headrace::components {

headrace::Result<data::Snapshot> ProjectTest::ParseSnapshot(const std::string& manifest) {
  HR_ASSIGN(Json json, ParseJson(manifest, "manifest"));
  return data::SnapshotFromJson(json);
}

std::string ProjectTest::TypesOf(const std::string& schema_json) {
  auto json = ParseJson(schema_json, "schema");
  auto schema = data::SchemaFromJson(*json);
  std::string text;
  for (const auto& column : schema->columns) {
    text += (text.empty() ? "" : ", ") + column.name + " " + column.type;
  }
  return text;
}

int64_t ProjectTest::FileCount(const std::string& node) {
  auto state = store_->ReadNode("dev", node);
  auto record = store_->ReadSnapshot("dev", {node, (*state)->snapshot->build});
  return static_cast<int64_t>(ParseSnapshot(record->manifest)->files.size());
}

}  // namespace headrace::components
