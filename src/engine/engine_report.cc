// The report of a run: written when the run ends, or made again later.
#include <algorithm>

#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/report_data.h"
#include "report/page.h"

namespace headrace::engine {
namespace {

/// Reports kept of a target.
constexpr size_t kKeep = 50;

/// The oldest reports go; run ids sort by time.
Status DropOld(FileSystem& fs, const std::string& folder) {
  HR_ASSIGN(const auto files, fs.List(folder));
  std::vector<std::string> reports;
  for (const FileInfo& file : files) {
    const std::string name = BaseName(file.path);
    if (name.ends_with(".html") && name != "latest.html") reports.push_back(file.path);
  }
  std::sort(reports.begin(), reports.end());
  for (size_t i = 0; i + kKeep < reports.size(); ++i) HR_TRY(fs.Remove(reports[i]));
  return Ok();
}

}  // namespace

bool NothingDone(const pipeline::RunReport& report) {
  return std::all_of(report.nodes.begin(), report.nodes.end(), [](const auto& node) {
    return (node.action == "reuse" || node.action == "skip") && !node.error.has_value();
  });
}

Result<std::string> Engine::State::WriteReport(const std::string& run, bool latest) {
  ReportSources sources;
  sources.project = project.get();
  sources.store = store.get();
  sources.fs = fs;
  sources.warehouse = Warehouse();
  HR_ASSIGN(const report::RunReport data, CollectReport(sources, run));
  const std::string page = report::RenderPage(data, &redactor);
  const std::string folder = JoinPath(JoinPath(state_folder, project->target()), "reports");
  HR_TRY(fs->CreateDirectories(folder));
  const std::string path = JoinPath(folder, data.run + ".html");
  HR_TRY(fs->WriteAtomically(path, page));
  if (latest) HR_TRY(fs->WriteAtomically(JoinPath(folder, "latest.html"), page));
  HR_TRY(DropOld(*fs, folder));
  return path;
}

std::string Engine::State::ReportOf(pipeline::RunReport& run) {
  if (NothingDone(run)) return "";
  auto written = WriteReport(run.run, /*latest=*/true);
  if (written.ok()) return *written;
  run.warnings.push_back(SystemError("no_report", "the report of the run could not be written")
                             .As(Severity::kWarning)
                             .Cause(written.error())
                             .Hint("headrace report " + run.run + " tries again"));
  return "";
}

Result<std::string> Engine::Report(const std::string& run) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  std::vector<store::RunRecord> runs;
  if (store != nullptr) {
    HR_ASSIGN(runs, store->ListRuns(project->target(), 1));
  }
  if (runs.empty()) {
    return UserError("no_runs", "there was no run of target '" + project->target() + "' yet")
        .Hint("headrace run");
  }
  const std::string& wanted = run.empty() ? runs.front().id : run;
  return state_->WriteReport(wanted, wanted == runs.front().id);
}

}  // namespace headrace::engine
