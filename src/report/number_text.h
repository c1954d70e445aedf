#pragma once
// Numbers as people read them in a report. Locale plays no part.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace headrace::report {

std::string Short(double value, int digits = 3);             ///< "0.849", "12,300", "1.2e-07"
std::string Signed(double value, int digits = 2);            ///< "+0.012", "−0.3"
std::string Percent(double share, int decimals = 0);         ///< 0.267 → "27 %"
std::string Range(double low, double high, int digits = 3);  ///< "0.841 to 0.859"
std::string DayAndTime(Timestamp time);                      ///< "22 November 2026, 17:57 UTC"
std::string CutText(std::string_view text, size_t most);     ///< whole characters, then …
std::string FirstLine(std::string_view text);
/// "a", "a and b", "a, b and 3 more" beyond `most`.
std::string Listed(const std::vector<std::string>& names, size_t most = 4);
/// "roc_auc" → "ROC AUC"; what isn't known keeps its name.
std::string MetricTitle(std::string_view metric);

}  // namespace headrace::report
