#include "engine/report_data.h"

#include <nlohmann/json.hpp>

namespace headrace::engine {

Result<report::RunReport> CollectReport(const ReportSources& sources, const std::string& run) {
  report::RunReport out;
  const std::string& target = sources.project->target();
  HR_ASSIGN(const store::RunRecord record, sources.store->ReadRun(target, run));
  out.project = sources.project->name();
  out.target = target;
  out.run = run;
  out.command = record.command;
  out.started = record.started;
  return out;
}

}  // namespace headrace::engine
