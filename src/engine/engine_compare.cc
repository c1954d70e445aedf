#include <fmt/format.h>

#include <algorithm>

#include "components/models/model_options.h"
#include "data/quote.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "model/package.h"

namespace headrace::engine {
namespace {

/// "", "" = the champion and the newest other version.
Result<std::pair<store::ModelVersion, store::ModelVersion>> ChooseVersions(
    store::Store& store, const std::string& target, const std::string& model, const std::string& a,
    const std::string& b) {
  const auto resolve = [&](const std::string& wish) -> Result<store::ModelVersion> {
    HR_ASSIGN(auto found, store.ResolveModel(target, model, wish));
    if (found) return std::move(*found);
    return UserError("unknown_version", "model '" + model + "' has no version '" + wish + "'")
        .Subject(wish)
        .Hint("headrace models " + model + " lists its versions");
  };
  HR_ASSIGN(store::ModelVersion first, resolve(a.empty() ? "champion" : a));
  if (!b.empty()) {
    HR_ASSIGN(store::ModelVersion second, resolve(b));
    return std::pair(std::move(first), std::move(second));
  }
  HR_ASSIGN(auto versions, store.ListModelVersions(target, model));  // newest first
  for (store::ModelVersion& version : versions) {
    if (version.version != first.version) return std::pair(std::move(first), std::move(version));
  }
  return UserError("one_version", "model '" + model + "' has only one version")
      .Hint("headrace run trains another when its rows or its definition change");
}

}  // namespace

Result<ModelComparison> Engine::CompareModels(const std::string& model, const std::string& a,
                                              const std::string& b) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  const pipeline::Node* node = project->FindNode(model);
  if (node == nullptr || node->kind != "model") return ShowModel(model).error();
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  if (store == nullptr) return ShowModel(model).error();
  HR_ASSIGN(auto chosen, ChooseVersions(*store, project->target(), model, a, b));
  ModelComparison out;
  out.a = std::move(chosen.first);
  out.b = std::move(chosen.second);
  std::vector<model::Package> packages;
  for (const store::ModelVersion* version : {&out.a, &out.b}) {
    HR_ASSIGN(auto package,
              model::ReadPackage(*state_->fs, JoinPath(state_->Warehouse(), version->package)));
    package.version = version->version;
    packages.push_back(std::move(package));
  }
  const auto& options = node->spec.options.As<components::ModelOptions>();
  const learn::ModelSpec spec = components::ToModelSpec(model, node->spec.type, options, nullptr);
  std::string sql = "SELECT * FROM " + data::QuoteIdentifier(options.from);
  for (size_t i = 0; i < options.key.size(); ++i) {
    sql += (i == 0 ? " ORDER BY " : ", ") + data::QuoteIdentifier(options.key[i]);
  }
  HR_ASSIGN(auto rows, Query(sql, ""));
  HR_ASSIGN(out.result, learn::CompareVersions(*rows, spec, packages[0], packages[1],
                                               budget().threads(), state_->cancel));
  return out;
}

}  // namespace headrace::engine
