#pragma once
#include <vector>

#include "engine/report_data.h"

namespace headrace::engine {

/// One section for every model of the project that has a version to speak of: the one that the run
/// trained, else the one in use when it ended.
Result<std::vector<report::ModelSection>> CollectModels(const ReportSources& sources,
                                                        const store::RunRecord& run,
                                                        const std::vector<report::NodeLine>& nodes);

}  // namespace headrace::engine
