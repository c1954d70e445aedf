#include <nlohmann/json.hpp>

#include "base/id.h"
#include "base/suggest.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "model/package.h"

namespace headrace::engine {

std::pair<std::string, std::string> SplitReference(const std::string& reference) {
  const size_t at = reference.find('@');
  if (at == std::string::npos) return {reference, "champion"};
  return {reference.substr(0, at), reference.substr(at + 1)};
}

namespace {

Status RequireModel(const pipeline::Project& project, const std::string& name) {
  const pipeline::Node* node = project.FindNode(name);
  if (node != nullptr && node->kind == "model") return Ok();
  std::vector<std::string> models;
  for (const auto& other : project.nodes()) {
    if (other.kind == "model") models.push_back(other.name);
  }
  return UserError("unknown_model", "there is no model '" + name + "'")
      .Subject(name)
      .Candidates(Suggest(name, models))
      .Hint(models.empty() ? "this project has no model node" : "");
}

std::string Person(const EngineOptions& options) {
  for (const char* name : {"USER", "LOGNAME"}) {
    auto found = options.environment.find(name);
    if (found != options.environment.end() && !found->second.empty()) return found->second;
  }
  return "unknown";
}

}  // namespace

Result<std::vector<store::ModelVersion>> Engine::Models(const std::string& model) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  if (!model.empty()) HR_TRY(RequireModel(*project, model));
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  if (store == nullptr) return std::vector<store::ModelVersion>{};
  return store->ListModelVersions(project->target(), model);
}

Result<std::vector<store::ModelAlias>> Engine::Aliases(const std::string& model) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  if (store == nullptr) return std::vector<store::ModelAlias>{};
  return store->ListAliases(project->target(), model);
}

Result<ModelDetails> Engine::ShowModel(const std::string& reference) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  const auto [name, version] = SplitReference(reference);
  HR_TRY(RequireModel(*project, name));
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  std::optional<store::ModelVersion> found;
  if (store != nullptr) {
    HR_ASSIGN(found, store->ResolveModel(project->target(), name, version));
    if (!found && reference.find('@') == std::string::npos) {  // no champion: the newest
      HR_ASSIGN(auto versions, store->ListModelVersions(project->target(), name));
      if (!versions.empty()) found = std::move(versions.front());
    }
  }
  if (!found) {
    return UserError("unknown_version", "model '" + name + "' has no version '" + version + "'")
        .Subject(version)
        .Hint("headrace models " + name + " lists its versions");
  }
  ModelDetails details;
  details.version = *found;
  HR_ASSIGN(auto aliases, store->ListAliases(project->target(), name));
  for (const auto& alias : aliases) {
    if (alias.version != found->version) continue;
    details.aliases.push_back(alias.alias);
    details.pinned = details.pinned || alias.pinned;
  }
  const std::string folder = JoinPath(state_->Warehouse(), found->package);
  HR_ASSIGN(auto package, model::ReadPackage(*state_->fs, folder));
  details.report = package.report;
  auto card = state_->fs->Read(JoinPath(folder, "card.md"));
  if (card.ok()) details.card = *card;
  HR_ASSIGN(details.moves, store->ListMoves(project->target(), name, 20));
  return details;
}

Status Engine::Promote(const std::string& reference, const std::string& why) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  const auto [name, version] = SplitReference(reference);
  HR_TRY(RequireModel(*project, name));
  if (reference.find('@') == std::string::npos) {
    return UserError("missing_version", "which version of '" + name + "' shall be champion?")
        .Hint("headrace model promote " + name + "@VERSION; headrace models " + name +
              " lists them");
  }
  HR_ASSIGN(store::Store * store, state_->OpenStore(true));
  HR_ASSIGN(auto found, store->ResolveModel(project->target(), name, version));
  if (!found) {
    return UserError("unknown_version", "model '" + name + "' has no version '" + version + "'")
        .Subject(version)
        .Hint("headrace models " + name + " lists its versions");
  }
  store::LeaseOptions options;
  options.cancel = state_->cancel;
  HR_ASSIGN(auto lease, store->AcquireLease(project->target(), NewId(*state_->clock), options));
  HR_TRY(store->Promote(lease->claim(), name, "champion", found->version, Person(state_->options),
                        why));
  return lease->Release();
}

Result<int> Engine::Rollback(const std::string& model, int version, const std::string& why) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  HR_TRY(RequireModel(*project, model));
  HR_ASSIGN(store::Store * store, state_->OpenStore(true));
  store::LeaseOptions options;
  options.cancel = state_->cancel;
  HR_ASSIGN(auto lease, store->AcquireLease(project->target(), NewId(*state_->clock), options));
  HR_ASSIGN(int now, store->Rollback(lease->claim(), model, version, Person(state_->options), why));
  HR_TRY(lease->Release());
  return now;
}

}  // namespace headrace::engine
