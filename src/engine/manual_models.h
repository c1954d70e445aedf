#pragma once
// Reference pages of what stands in a model's fields without being fields: metrics, gates,
// learners.
#include <string>

namespace headrace::engine {

/// "metrics.md": every metric, where it applies, which way is better.
std::string MetricsPage();
/// "gates.md": what a line of `gate:` may say and how it is judged.
std::string GatesPage();
/// "learners.md": learners and their options.
std::string LearnersPage();

}  // namespace headrace::engine
