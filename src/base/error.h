#pragma once
// Errors are values with fields; their text is composed in one place (error.cc: Render).
#include <memory>
#include <string>
#include <vector>

namespace headrace {

/// Whose fault an error is. It decides the exit code (see ExitCode) and who should read it.
enum class Blame {
  kUser,      ///< the project, SQL or command line is wrong (exit code 2)
  kData,      ///< the data broke an expectation (exit code 1)
  kSystem,    ///< disk, memory, permissions of this machine (exit code 1)
  kExternal,  ///< another system failed (exit code 1)
  kInternal,  ///< a fault in Headrace itself (exit code 3)
};

enum class Severity { kError, kWarning, kHint };

/// Where an error is. Empty or zero members are unknown.
struct Place {
  std::string file = {};         ///< path relative to the project, or as the user typed it
  int line = 0;                  ///< 1-based
  int column = 0;                ///< 1-based, in characters
  int length = 0;                ///< characters to underline; 0 = 1
  std::string source_line = {};  ///< the text of that line, for the caret
  std::string node = {};         ///< name of the node
  std::string rows = {};         ///< e.g. "row 17", "rows 3, 9 and 35 more"
};

/// One fault. Plain data, freely copied; not thread-safe while it is being changed.
struct Error {
  std::string code;  ///< stable snake_case identifier, e.g. "unknown_field"
  std::string message;
  Blame blame = Blame::kInternal;
  Severity severity = Severity::kError;
  bool retriable = false;
  Place place;
  std::string subject;                  ///< the thing that is wrong, e.g. the misspelt word
  std::vector<std::string> candidates;  ///< what it could have been, best first
  std::string hint;                     ///< what to do; may stand beside candidates
  std::shared_ptr<const Error> cause;

  Error() = default;
  Error(Blame blame, std::string code, std::string message)
      : code(std::move(code)), message(std::move(message)), blame(blame) {}

  // Setters for fluent construction at the place of the fault.
  Error& At(Place p) {
    place = std::move(p);
    return *this;
  }
  Error& Node(std::string name) {
    place.node = std::move(name);
    return *this;
  }
  Error& Rows(std::string rows) {
    place.rows = std::move(rows);
    return *this;
  }
  Error& Subject(std::string s) {
    subject = std::move(s);
    return *this;
  }
  Error& Candidates(std::vector<std::string> c) {
    candidates = std::move(c);
    return *this;
  }
  Error& Hint(std::string h) {
    hint = std::move(h);
    return *this;
  }
  Error& Cause(Error e) {
    cause = std::make_shared<const Error>(std::move(e));
    return *this;
  }
  Error& Retriable() {
    retriable = true;
    return *this;
  }
  Error& As(Severity s) {
    severity = s;
    return *this;
  }
};

// Factories, one per blame.
Error UserError(std::string code, std::string message);
Error DataError(std::string code, std::string message);
Error SystemError(std::string code, std::string message);
/// SystemError from errno: code "no_space", "io_error", "permission_denied", "not_found" …;
/// message "`what`: No space left on device".
Error ErrnoError(int error_number, const std::string& what);
Error ExternalError(std::string code, std::string message);
Error InternalError(std::string message);  ///< code "internal"

struct RenderOptions {
  bool color = false;
};

/// The text people see, without a trailing newline:
///   pipeline/churn.yml:4:1: error[unknown_field]: model 'churn' has no field 'trget'
///     4 | trget: churned
///       | ^^^^^ did you mean 'target'?
/// Without a place the first line starts at "error[…]". Without a source line, candidates and
/// hint follow as "  hint: …" lines. Node and rows follow as "  node: churn, row 17". Causes
/// follow as "  because: …".
std::string Render(const Error& error, const RenderOptions& options = {});

/// One JSON object (one line) with all fields; for `--json` and run records.
std::string ErrorToJson(const Error& error);

/// 2 for kUser, 3 for kInternal, else 1.
int ExitCode(const Error& error);

}  // namespace headrace
