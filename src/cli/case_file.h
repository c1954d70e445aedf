#pragma once
// A .case file: one fresh project folder, files in it, commands, and what they must print.
//
//   # A misspelt field is named.              title: the comment lines at the top
//   --- file: pipeline/a.yml                  content until the next section
//   source: cvs
//   --- run: headrace lint                    the binary that runs the test
//   --- exit: 2                               0 when left out
//   --- stderr:                               the whole text, masked (see mask.h)
//   …
//
// Sections: file, append (PATH; `file: PATH base64` for bytes), remove, exists, missing (PATH) ·
// env (NAME=VALUE, for the runs below it) · postgres (SQL, run in a database of the case's own on
// the server that HEADRACE_TEST_POSTGRES names; PG_URI is its uri, PG_SERVER its host, port and
// database, which are printed as {postgres}) · run (words, '…' and "…" quote; {project} is the
// folder) · of the run above: exit, stdin, stdout, stderr (whole texts), stdout contains, stderr
// contains, stdout lacks, stderr lacks (every line of it somewhere, or nowhere). Blank lines before
// the next section belong to nobody.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace headrace::cli {

struct CaseSection {
  enum class Kind {
    kFile,
    kAppend,
    kRemove,
    kExists,
    kMissing,
    kEnv,
    kPostgres,
    kRun,
    kStdin,
    kExit,
    kStdout,
    kStderr,
    kStdoutContains,
    kStderrContains,
    kStdoutLacks,
    kStderrLacks,
  };
  Kind kind = Kind::kFile;
  std::string argument;       ///< behind the colon, without blanks around it
  std::string content;        ///< whole lines, or the bytes of base64
  int line = 0;               ///< of the section, 1-based
  size_t begin = 0, end = 0;  ///< where the content stands in the text, with its blank lines
};

struct CaseFile {
  std::string title;
  std::string text;  ///< as it was read
  std::vector<CaseSection> sections;
};

/// Error "bad_case" with the place.
Result<CaseFile> ParseCase(std::string text, const std::string& file);

/// Splits on blanks; '…' and "…" keep them. Error "bad_case" for an open quote.
Result<std::vector<std::string>> SplitWords(std::string_view line);

/// Standard alphabet, blanks and line feeds ignored. Error "bad_case".
Result<std::string> DecodeBase64(std::string_view text);

/// The text of the file with new contents of some sections (by index).
std::string Rewrite(const CaseFile& file, const std::map<size_t, std::string>& contents);

}  // namespace headrace::cli
