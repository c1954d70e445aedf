#pragma once
// Versions of models as people read them; shared by `models` and `show`.
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "store/records.h"

namespace headrace::cli {

/// Version → "champion (pinned)" and the like.
std::map<int, std::vector<std::string>> AliasesByVersion(
    const std::vector<store::ModelAlias>& aliases, const std::string& model);
/// "roc_auc 0.847 [0.836, 0.858]" of the version's first default metric; "-" without metrics.
std::string MainMetric(const store::ModelVersion& version);
std::string MetricText(const std::string& name, const Json& metric);
/// A table with a header; `columns` of the terminal, 0 = no limit.
std::string VersionsTable(const std::vector<store::ModelVersion>& versions,
                          const std::vector<store::ModelAlias>& aliases, int columns, bool color);

}  // namespace headrace::cli
