#pragma once
// What was typed, as plain data. CLI11 stands in arguments.cc only.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace headrace::cli {

enum class Format { kAuto, kTable, kCsv, kJson, kParquet };

struct Arguments {
  std::string command;  ///< as in help.h: "run", "model promote"; "" = the overview
  bool help = false;    ///< print the help of `command`

  // Everywhere.
  std::string project, target;
  std::vector<std::string> params;
  int64_t sample = 0;  ///< millionths; 0 = all rows
  int threads = 0;
  int64_t memory_bytes = 0;
  bool quiet = false, json = false;

  // plan, run, list.
  std::vector<std::string> select, exclude;
  bool full = false, fail_fast = false, no_wait = false, watch = false;
  std::optional<Timestamp> from, to;

  std::string subject;  ///< show: node; models: name or ""; model …: reference; init: folder;
                        ///< report: run or ""
  std::string example;  ///< init
  std::string why;      ///< model promote, rollback
  int version = 0;      ///< model rollback --to; 0 = the champion before
  bool all = false;     ///< clean
  bool crash_points = false;  ///< doctor

  // query.
  std::string sql, at_run, output;
  Format format = Format::kAuto;
  std::optional<int64_t> limit;

  // test, reference, schema; model compare: versions.
  std::vector<std::string> paths;
  int jobs = 2;
  bool update = false;
};

/// Reads the words behind the program's name. Errors (blame user): "unknown_command",
/// "unknown_flag" (both with candidates), "missing_argument", "unexpected_argument", "bad_value",
/// "missing_value", "repeated_flag", "not_built" (what the design has and this version does not).
Result<Arguments> ParseArguments(const std::vector<std::string>& words);

/// The long flags that a command reads beside the global ones, sorted: "--full". For tests.
std::vector<std::string> FlagsOf(const std::string& command);

}  // namespace headrace::cli
