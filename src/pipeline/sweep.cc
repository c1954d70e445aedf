#include "pipeline/sweep.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/crash_point.h"

namespace headrace::pipeline {
namespace {

Result<std::vector<FileInfo>> ListIfThere(FileSystem& fs, const std::string& path) {
  if (!fs.Exists(path)) return std::vector<FileInfo>{};
  return fs.List(path);
}

Status SweepTables(const std::string& target, const RunServices& services) {
  HR_ASSIGN(auto known_list, services.store->KnownBuilds(target));
  std::set<store::BuildRef> known(known_list.begin(), known_list.end());
  const std::string tables = JoinPath(services.warehouse, "tables");
  HR_ASSIGN(auto nodes, ListIfThere(*services.fs, tables));
  for (const FileInfo& node : nodes) {
    if (!node.directory) continue;
    HR_ASSIGN(auto builds, services.fs->List(node.path));
    for (const FileInfo& build : builds) {
      if (!build.directory) continue;
      if (known.count({BaseName(node.path), BaseName(build.path)}) > 0) continue;
      CrashPoint("sweep.before_remove");
      HR_TRY(services.fs->RemoveAll(build.path));
    }
  }
  return Ok();
}

Status SweepModels(const std::string& target, const RunServices& services) {
  const std::string models = JoinPath(services.warehouse, "models");
  HR_ASSIGN(auto folders, ListIfThere(*services.fs, models));
  if (folders.empty()) return Ok();
  HR_ASSIGN(auto versions, services.store->ListModelVersions(target, ""));
  std::set<std::string> known;
  for (const auto& version : versions) known.insert(version.package);
  for (const FileInfo& model : folders) {
    if (!model.directory) continue;
    HR_ASSIGN(auto packages, services.fs->List(model.path));
    for (const FileInfo& package : packages) {
      const std::string relative = "models/" + BaseName(model.path) + "/" + BaseName(package.path);
      if (known.count(relative) > 0) continue;
      CrashPoint("sweep.before_remove");
      HR_TRY(services.fs->RemoveAll(package.path));
    }
  }
  return Ok();
}

}  // namespace

Status SweepEverythingLeft(const store::Claim& claim, const std::string& target,
                           const RunServices& services) {
  HR_TRY(SweepTables(target, services));
  HR_TRY(SweepModels(target, services));
  return SweepLeftovers(claim, target, services);
}

Status SweepLeftovers(const store::Claim& claim, const std::string& target,
                      const RunServices& services) {
  // Every run keeps a folder tmp/<epoch> until its clean end: where none is left, nothing else is.
  const std::string tmp = JoinPath(services.warehouse, "tmp");
  HR_ASSIGN(auto epochs, ListIfThere(*services.fs, tmp));
  bool left = false;
  for (const FileInfo& epoch : epochs) {
    left = left || std::atoll(BaseName(epoch.path).c_str()) < claim.epoch;
  }
  if (left) {
    HR_TRY(SweepTables(target, services));
    HR_TRY(SweepModels(target, services));
    for (const FileInfo& epoch : epochs) {
      if (std::atoll(BaseName(epoch.path).c_str()) >= claim.epoch) continue;
      CrashPoint("sweep.before_remove");
      HR_TRY(services.fs->RemoveAll(epoch.path));
    }
  }
  return services.fs->CreateDirectories(JoinPath(tmp, std::to_string(claim.epoch)));
}

Result<int64_t> Sweep(const store::Claim& claim, const RunServices& services,
                      const store::Retention& retention) {
  HR_ASSIGN(auto builds, services.store->DoomBuilds(claim, retention));
  if (builds.empty()) return int64_t{0};
  int64_t bytes = 0;
  for (const auto& build : builds) {
    const std::string folder =
        JoinPath(JoinPath(JoinPath(services.warehouse, "tables"), build.node), build.build);
    if (services.fs->Exists(folder)) {
      HR_ASSIGN(auto files, services.fs->List(folder));
      for (const auto& file : files) bytes += file.size;
    }
    CrashPoint("sweep.before_remove");
    HR_TRY(services.fs->RemoveAll(folder));
  }
  HR_TRY(services.store->ForgetBuilds(claim, builds));
  return bytes;
}

}  // namespace headrace::pipeline
