#pragma once
#include "pipeline/project.h"
#include "pipeline/run.h"

namespace headrace::pipeline {

/// POSTs a summary of a failed run to whom `on_failure: {notify: …}` of the project and of its
/// failed nodes names, each URL once; nothing when the run went well, was interrupted, or its
/// target does not send. A receiver that can't be reached becomes a warning of the report, after
/// half a minute at most.
///
/// The JSON: event "run_failed", project, target, run, status, seconds, exit_code, failed (a list
/// of node, kind, code, message), skipped (names), report (path of the page, if there is one), and
/// `text`, one line for chats.
void NotifyFailures(const Project& project, const RunServices& services, RunReport& report);

}  // namespace headrace::pipeline
