#pragma once
#include <string>

#include "pipeline/project.h"
#include "report/run_report.h"
#include "store/store.h"

namespace headrace::engine {

struct ReportSources {
  const pipeline::Project* project = nullptr;
  store::Store* store = nullptr;
  FileSystem* fs = nullptr;
  std::string warehouse;
};

/// Everything the report of a run shows, from the store and the model packages alone, as it was
/// when the run ended: a report made later says the same. Error "unknown_run".
Result<report::RunReport> CollectReport(const ReportSources& sources, const std::string& run);

}  // namespace headrace::engine
