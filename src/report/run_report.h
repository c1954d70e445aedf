#pragma once
// What the report of a run shows, as plain data: aggregates and names only, no value of a row. The
// engine fills it from the store and the model packages (engine/report_data.h); page.h draws it.
// Two calls with the same data give the same bytes.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "report/evaluation.h"

namespace headrace::report {

/// What the run did with a node.
enum class NodeState {
  kBuilt,
  kTrained,
  kChecked,  ///< only its checks ran
  kReused,
  kSkipped,
  kStopped,  ///< the run was stopped meanwhile
  kFailed,
  kUnselected
};

struct CheckLine {
  std::string check, severity, status;  ///< status: pass | warn | fail
  std::string message;
  int64_t failing = 0, rows = 0;
};

/// One check over the last runs that judged it, oldest first.
struct CheckHistory {
  std::string node, check;
  struct Point {
    std::string run;
    Timestamp when = 0;
    std::string status;  ///< pass | warn | fail
    int64_t failing = 0, rows = 0;
  };
  std::vector<Point> points;
};

struct NodeLine {
  std::string name, kind, type, description, owner;
  std::vector<std::string> inputs;
  NodeState state = NodeState::kUnselected;
  std::string reason;
  int64_t rows = -1;         ///< -1 = none
  int64_t rows_before = -1;  ///< of the snapshot before this run; -1 = there was none
  double seconds = 0;
  bool new_rows = false;  ///< the run committed another snapshot than the one before
  std::vector<std::string> columns_added, columns_removed, columns_changed;
  std::string error_code, error, hint;  ///< first lines
  std::vector<CheckLine> checks;
  std::map<std::string, int64_t> counts;  ///< what it counted: sent, failed, quarantined …
  std::vector<int64_t> rows_history;      ///< of the last runs, oldest first, this one included
};

/// A warning or hint of the run.
struct Note {
  std::string node, severity, code, subject, message;  ///< severity: warning | hint
};

/// A version of a model: the one this run trained, else the one in use.
struct ModelSection {
  std::string model, description;
  int version = 0;
  bool trained_now = false;
  std::string status;       ///< champion | refused | candidate, when the run ended
  int champion_before = 0;  ///< version in use before the run; 0 = none
  int champion_now = 0;     ///< after it
  std::string why_not;      ///< why it was not trained now
  ModelFacts facts;
  struct Past {
    int version = 0;
    std::string status;
    double value = 0, low = 0, high = 0;  ///< of the metric, NaN = unknown
  };
  std::vector<Past> versions;  ///< oldest first, this one included; each on its own rows
};

struct RunReport {
  std::string project, target, run, command, version, engine, status;
  std::string params;  ///< JSON object
  Timestamp started = 0;
  double seconds = 0;
  bool sends = true;            ///< actions of the target send
  std::string previous_run;     ///< the one before it; "" = the first
  std::vector<NodeLine> nodes;  ///< in topological order, unselected ones too
  std::vector<CheckHistory> check_history;
  std::vector<Note> notes;
  std::vector<ModelSection> models;
};

}  // namespace headrace::report
