#include "learn/lightgbm/lightgbm_api.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/file_system.h"

namespace headrace::learn {
namespace {

constexpr const char* kFile = "lib_lightgbm.so";

void Ignore(const char*) {}

void AddSitePackages(const std::string& root, std::vector<std::string>* out) {
  std::error_code fault;
  std::vector<std::string> found;
  for (std::filesystem::directory_iterator at(JoinPath(root, "lib"), fault), end;
       !fault && at != end; at.increment(fault)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with("python3")) {
      found.push_back(at->path().string() + "/site-packages/lightgbm/lib");
    }
  }
  std::sort(found.begin(), found.end());
  out->insert(out->end(), found.begin(), found.end());
}

std::vector<std::string> Places(const std::string& folder) {
  std::vector<std::string> out;
  if (!folder.empty()) out.push_back(folder);
  if (const char* env = std::getenv("HEADRACE_RUNTIME"); env != nullptr && *env != 0) {
    out.emplace_back(env);
  }
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&Ignore), &info) != 0 && info.dli_fname != nullptr) {
    const std::string beside = DirName(info.dli_fname);
    for (const char* relative :
         {"runtime", "../lib/runtime", "../lightgbm/lib", "../../lightgbm/lib"}) {
      out.push_back(JoinPath(beside.empty() ? "." : beside, relative));
    }
  }
  if (const char* venv = std::getenv("VIRTUAL_ENV"); venv != nullptr && *venv != 0) {
    AddSitePackages(venv, &out);
  }
  return out;
}

template <class F>
bool Resolve(void* library, const char* name, F* function) {
  *function = reinterpret_cast<F>(dlsym(library, name));
  return *function != nullptr;
}

bool ResolveAll(void* library, LightGbmApi* api) {
  return Resolve(library, "LGBM_GetLastError", &api->GetLastError) &&
         Resolve(library, "LGBM_RegisterLogCallback", &api->RegisterLogCallback) &&
         Resolve(library, "LGBM_DatasetCreateFromArrowStream",
                 &api->DatasetCreateFromArrowStream) &&
         Resolve(library, "LGBM_DatasetSetField", &api->DatasetSetField) &&
         Resolve(library, "LGBM_DatasetGetSubset", &api->DatasetGetSubset) &&
         Resolve(library, "LGBM_DatasetFree", &api->DatasetFree) &&
         Resolve(library, "LGBM_BoosterCreate", &api->BoosterCreate) &&
         Resolve(library, "LGBM_BoosterFree", &api->BoosterFree) &&
         Resolve(library, "LGBM_BoosterAddValidData", &api->BoosterAddValidData) &&
         Resolve(library, "LGBM_BoosterUpdateOneIter", &api->BoosterUpdateOneIter) &&
         Resolve(library, "LGBM_BoosterGetEvalCounts", &api->BoosterGetEvalCounts) &&
         Resolve(library, "LGBM_BoosterGetEval", &api->BoosterGetEval) &&
         Resolve(library, "LGBM_BoosterSaveModelToString", &api->BoosterSaveModelToString);
}

}  // namespace

void LightGbmApi::Silence() const { RegisterLogCallback(&Ignore); }

Error LightGbmApi::Failure(const std::string& what) const {
  const char* text = GetLastError();
  return SystemError("learner_failed",
                     fmt::format("LightGBM failed to {}: {}", what, text == nullptr ? "" : text));
}

Result<std::shared_ptr<const LightGbmApi>> LoadLightGbm(const std::string& folder) {
  std::vector<std::string> tried;
  std::string fault;
  for (const std::string& place : Places(folder)) {
    const std::string path = JoinPath(place, kFile);
    tried.push_back(path);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
      const char* text = dlerror();
      fault = text == nullptr ? "it can't be loaded" : text;
      continue;
    }
    auto api = std::make_shared<LightGbmApi>();
    if (ResolveAll(library, api.get())) {
      api->Silence();
      return std::shared_ptr<const LightGbmApi>(std::move(api));
    }
    dlclose(library);
    fault = path + " is older than version 4.7";
  }
  return SystemError("learner_missing",
                     fmt::format("LightGBM's library was not found{}{}; looked for {}",
                                 fault.empty() ? "" : ": ", fault, fmt::join(tried, ", ")))
      .Subject("lightgbm")
      .Hint(
          "run `pip install lightgbm` in the active virtual environment, or set HEADRACE_RUNTIME "
          "to "
          "the folder that holds lib_lightgbm.so; `learners: [linear]` does without");
}

}  // namespace headrace::learn
