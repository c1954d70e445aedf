#pragma once
#include <vector>

#include "evaluate/scored_rows.h"

namespace headrace::learn {

/// The metrics people ask for first, in the order in which they are shown. `cost` is among them; it
/// is undefined without costs.
inline std::vector<const char*> HeadlineMetrics(evaluate::Task task) {
  switch (task) {
    case evaluate::Task::kBinary:
      return {"roc_auc",  "average_precision", "log_loss", "brier_score",
              "accuracy", "precision",         "recall",   "f1",
              "cost"};
    case evaluate::Task::kMulticlass:
      return {"log_loss", "accuracy", "balanced_accuracy", "f1_macro", "cost"};
    case evaluate::Task::kRegression:
      return {"rmse", "mae", "r2", "mape"};
  }
  return {};
}

}  // namespace headrace::learn
