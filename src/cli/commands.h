#pragma once
// One function per command; each returns the exit code. Those that take a Session have an engine.
#include "cli/arguments.h"
#include "cli/console.h"
#include "cli/session.h"

namespace headrace::cli {

int Lint(Session& session, Console& console);
int Plan(const Arguments& arguments, Session& session, Console& console);
int Run(const Arguments& arguments, const std::string& typed, Session& session, Console& console);
int List(const Arguments& arguments, Session& session, Console& console);
int Show(const Arguments& arguments, Session& session, Console& console);
int Report(const Arguments& arguments, Session& session, Console& console);
int Query(const Arguments& arguments, Session& session, Console& console);
int Models(const Arguments& arguments, Session& session, Console& console);
int ModelShow(const Arguments& arguments, Session& session, Console& console);
int ModelCompare(const Arguments& arguments, Session& session, Console& console);
int ModelPromote(const Arguments& arguments, Session& session, Console& console);
int ModelRollback(const Arguments& arguments, Session& session, Console& console);
int Clean(const Arguments& arguments, Session& session, Console& console);

/// A path as a person would type it: relative to the current folder when it lies beneath it.
std::string ShownPath(const std::string& path);

int Init(const Arguments& arguments, Console& console);
int Reference(const Arguments& arguments, Console& console);
int Schema(const Arguments& arguments, Console& console);
int Doctor(const Arguments& arguments, Console& console);
int Version(Console& console);
/// A project's tests/*.yml, or cases (*.case) below the folders that are named.
int Test(const Arguments& arguments, Console& console);
int UserTests(const Arguments& arguments, Session& session, Console& console);

}  // namespace headrace::cli
