#include "engine/report_models.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "engine/report_text.h"

namespace headrace::engine {
namespace {

constexpr int64_t kMostBytes = 64 << 20;

/// A text of the package; "" when it isn't there or is too large: the page does without.
std::string ReadText(FileSystem& fs, const std::string& path) {
  auto info = fs.Stat(path);
  if (!info.ok() || info->directory || info->size > kMostBytes) return "";
  auto text = fs.Read(path);
  return text.ok() ? std::move(*text) : "";
}

void AddVersions(const std::vector<store::ModelVersion>& versions, const std::string& metric,
                 report::ModelSection* out) {
  for (size_t i = versions.size(); i-- > 0;) {  // oldest first
    report::ModelSection::Past past;
    past.version = versions[i].version;
    past.status = versions[i].status == store::ModelStatus::kRefused ? "refused" : "accepted";
    past.value = past.low = past.high = NAN;
    auto metrics = ParseJson(versions[i].metrics, "metrics");
    if (metrics.ok() && metrics->is_object() && metrics->contains(metric)) {
      const Json& own = (*metrics)[metric];
      const auto number = [&](const char* key) {
        return own.is_object() && own.contains(key) && own[key].is_number() ? own[key].get<double>()
                                                                            : NAN;
      };
      past.value = number("value");
      past.low = number("low");
      past.high = number("high");
    }
    out->versions.push_back(past);
  }
}

}  // namespace

Result<std::vector<report::ModelSection>> CollectModels(
    const ReportSources& sources, const store::RunRecord& run,
    const std::vector<report::NodeLine>& nodes) {
  std::vector<report::ModelSection> out;
  const std::string& target = sources.project->target();
  const ReportWords words(*sources.project);
  for (const report::NodeLine& node : nodes) {
    if (node.kind != "model" || node.state == report::NodeState::kUnselected) continue;
    HR_ASSIGN(auto versions, sources.store->ListModelVersions(target, node.name));
    std::erase_if(versions, [&](const auto& version) { return version.run > run.id; });
    HR_ASSIGN(const auto moves, sources.store->ListMoves(target, node.name, 100));
    report::ModelSection section;
    section.model = node.name;
    section.description = node.description;
    for (const auto& move : moves) {  // newest first
      if (move.alias != "champion" || (run.finished != 0 && move.when > run.finished)) continue;
      section.champion_now = move.to;
      section.champion_before = move.run == run.id ? move.from : move.to;
      break;
    }
    const store::ModelVersion* shown = nullptr;
    for (const auto& version : versions) {
      if (version.run == run.id) {
        shown = &version;
        section.trained_now = true;
        break;
      }
    }
    if (shown == nullptr) {
      for (const auto& version : versions) {
        if (version.version == section.champion_now) shown = &version;
      }
    }
    if (shown == nullptr) continue;
    section.version = shown->version;
    section.status = section.champion_now == shown->version          ? "champion"
                     : shown->status == store::ModelStatus::kRefused ? "refused"
                                                                     : "candidate";
    if (!section.trained_now) section.why_not = node.reason;
    const std::string folder = JoinPath(sources.warehouse, shown->package);
    section.facts =
        report::ReadModelFacts(ReadText(*sources.fs, JoinPath(folder, "model.json")),
                               ReadText(*sources.fs, JoinPath(folder, "evaluation.json")));
    for (auto& finding : section.facts.findings) finding.message = words.Masked(finding.message);
    AddVersions(versions, section.facts.metric, &section);
    out.push_back(std::move(section));
  }
  return out;
}

}  // namespace headrace::engine
