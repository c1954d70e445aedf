// Writing: all files below a temporary folder, each synced, then the folders from the inside out,
// one rename, and the parent. A reader finds the whole package or none.
// Reading trusts nothing: model.json carries a digest of its own text and of every other file, and
// what passes these is still checked for shape, since a package may come from elsewhere.
#include "model/package.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "model/member_runtime.h"
#include "model/model_card.h"
#include "model/package_json.h"

namespace headrace::model {
namespace {

constexpr int64_t kMaxJsonBytes = int64_t{1} << 30;
constexpr int64_t kMaxFileBytes = int64_t{1} << 34;
constexpr std::string_view kNoDigest = "00000000000000000000000000000000";
constexpr std::string_view kDigestKey = "\"digest\": \"";

Error Damaged(const std::string& directory, const std::string& what) {
  return DataError("damaged_model", fmt::format("model package {}: {}", directory, what))
      .Subject(directory)
      .Hint("restore the package from where it was made, or train the model again");
}

/// Sets the digest of a text over itself: computed with zeros in its place.
std::string Sealed(std::string text) {
  const size_t at = text.rfind(kDigestKey) + kDigestKey.size();
  text.replace(at, kNoDigest.size(), kNoDigest);
  text.replace(at, kNoDigest.size(), HashBytes(text).Hex());
  return text;
}

bool SealHolds(const std::string& text) {
  const size_t key = text.rfind(kDigestKey);
  if (key == std::string::npos || key + kDigestKey.size() + kNoDigest.size() > text.size()) {
    return false;
  }
  return Sealed(text) == text;
}

Result<std::string> ReadFile(FileSystem& fs, const std::string& directory, const std::string& name,
                             int64_t limit) {
  const std::string path = JoinPath(directory, name);
  const auto info = fs.Stat(path);
  if (!info.ok()) return Damaged(directory, name + " can't be read").Cause(info.error());
  if (info->directory) return Damaged(directory, name + " is a folder");
  if (info->size > limit) return Damaged(directory, name + " is larger than the limit");
  return fs.Read(path);
}

/// Reads a file that model.json lists and compares its digest.
Result<std::string> ReadListed(FileSystem& fs, const std::string& directory,
                               const std::string& name, const Json& files) {
  if (!files.contains(name) || !files[name].is_string()) {
    return Damaged(directory, "model.json does not list " + name);
  }
  HR_ASSIGN(std::string bytes, ReadFile(fs, directory, name, kMaxFileBytes));
  if (HashBytes(bytes).Hex() != files[name].get<std::string>()) {
    return Damaged(directory, name + " was changed after it was written");
  }
  return bytes;
}

}  // namespace

Hash128 ContentHash(const Package& package) {
  Hasher hasher;
  hasher.Add("headrace.model.1").Add(Name(package.task)).Add(package.target_type);
  hasher.Add(static_cast<int64_t>(package.classes.size()));
  for (const std::string& name : package.classes) hasher.Add(name);
  hasher.Add(package.encoder.ToJson().dump());
  hasher.Add(static_cast<int64_t>(package.members.size()));
  for (const Member& member : package.members) {
    hasher.Add(member.kind).Add(WithoutParameters(member.text)).Add(Json(member.weight).dump());
  }
  hasher.Add(Json(package.calibration.scale).dump()).Add(Json(package.calibration.offsets).dump());
  hasher.Add(Json(package.threshold).dump());
  if (!package.costs.empty()) hasher.Add("costs").Add(Json(package.costs).dump());
  return hasher.Finish();
}

std::map<std::string, std::string> PackageFiles(const Package& package) {
  std::map<std::string, std::string> files;
  for (const Member& member : package.members) files[MemberPath(member)] = member.text;
  files["profile.json"] = package.profile + "\n";
  if (!package.evaluation.empty()) files["evaluation.json"] = package.evaluation + "\n";
  files["rows.bin"] = SeenToBytes(package.seen);
  files["card.md"] = ModelCard(package);
  files["MLmodel"] = MlflowFile(package);
  Json json = PackageToJson(package);
  Json digests = Json::object();
  for (const auto& [path, bytes] : files) digests[path] = HashBytes(bytes).Hex();
  json["files"] = std::move(digests);
  json["digest"] = kNoDigest;
  files["model.json"] =
      Sealed(json.dump(1, ' ', false, nlohmann::detail::error_handler_t::replace) + "\n");
  return files;
}

Status WritePackage(FileSystem& fs, const Package& package, const std::string& temporary,
                    const std::string& directory) {
  if (fs.Exists(directory)) {
    return SystemError("already_there",
                       fmt::format("model package {}: the folder is already there", directory));
  }
  HR_TRY(BuildMembers(package));  // never publish what can't be read again
  HR_TRY(fs.RemoveAll(temporary));
  HR_TRY(fs.CreateDirectories(JoinPath(temporary, "members")));
  const auto files = PackageFiles(package);
  for (const auto& [path, bytes] : files) HR_TRY(fs.Write(JoinPath(temporary, path), bytes));
  CrashPoint("model.written");
  for (const auto& [path, bytes] : files) HR_TRY(fs.SyncFile(JoinPath(temporary, path)));
  HR_TRY(fs.SyncDirectory(JoinPath(temporary, "members")));
  HR_TRY(fs.SyncDirectory(temporary));
  CrashPoint("model.synced");
  HR_TRY(fs.CreateDirectories(DirName(directory)));
  HR_TRY(fs.Rename(temporary, directory));
  CrashPoint("model.renamed");
  HR_TRY(fs.SyncDirectory(DirName(directory)));
  HR_TRY(fs.SyncDirectory(DirName(DirName(directory))));  // models/<name> may be new
  CrashPoint("model.dir_synced");
  return Ok();
}

Result<Package> ReadPackage(FileSystem& fs, const std::string& directory) {
  HR_ASSIGN(const std::string text, ReadFile(fs, directory, "model.json", kMaxJsonBytes));
  auto parsed = ParseJson(text, "model.json");
  if (!parsed.ok()) return Damaged(directory, "model.json is no JSON").Cause(parsed.error());
  const Json& json = *parsed;
  if (!SealHolds(text)) return Damaged(directory, "model.json was changed after it was written");
  HR_ASSIGN(Package package, PackageFromJson(json));
  if (!json.contains("files") || !json["files"].is_object()) {
    return Damaged(directory, "model.json lists no files");
  }
  const Json& files = json["files"];
  for (Member& member : package.members) {
    HR_ASSIGN(member.text, ReadListed(fs, directory, MemberPath(member), files));
  }
  HR_ASSIGN(package.profile, ReadListed(fs, directory, "profile.json", files));
  if (package.profile.ends_with('\n')) package.profile.pop_back();
  if (files.contains("evaluation.json")) {
    HR_ASSIGN(package.evaluation, ReadListed(fs, directory, "evaluation.json", files));
    if (package.evaluation.ends_with('\n')) package.evaluation.pop_back();
  }
  HR_ASSIGN(const std::string seen, ReadListed(fs, directory, "rows.bin", files));
  model::SeenRows rows = std::move(package.seen);
  HR_ASSIGN(package.seen, SeenFromBytes(seen));
  package.seen.columns = std::move(rows.columns);
  package.seen.key = std::move(rows.key);
  HR_TRY(BuildMembers(package));
  if (!json.contains("content_hash") || json["content_hash"] != ContentHash(package).Hex()) {
    return Damaged(directory, "its content hash does not match its content");
  }
  return package;
}

}  // namespace headrace::model
