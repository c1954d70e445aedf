#pragma once
// ${NAME} in project files. A name is looked for in the environment, then as a file in the folder
// HEADRACE_SECRETS_DIR, then in the project's .env; when it is used, not before.
//   ${NAME}             the value; unset = error "unset_variable" that lists every place tried
//   ${NAME:-default}    the default when unset or empty
//   $${                 a literal ${
// The value replaces text inside a scalar that was parsed already: it can't create structure.
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/redact.h"
#include "base/result.h"
#include "spec/parse.h"

namespace headrace::config {

struct SecretsOptions {
  std::string project_root;                        ///< where .env is looked for
  std::map<std::string, std::string> environment;  ///< the process's, see ProcessEnvironment()
  FileSystem* fs = nullptr;                        ///< never null
  Redactor* redactor = nullptr;                    ///< learns every resolved value; never null
};

/// Copy of the process's environment.
std::map<std::string, std::string> ProcessEnvironment();

/// Looks names up and expands texts. Values are read once and kept. Thread-safe.
class Secrets : public spec::Expander {
 public:
  explicit Secrets(SecretsOptions options);

  Result<std::string> Expand(std::string_view text) const override;

  struct Found {
    std::string value;
    std::string where;  ///< "environment", "file /run/secrets/CRM_URI", ".env line 3"
  };
  /// nullopt: nowhere. Errors: an unreadable or too large file, a broken .env.
  Result<std::optional<Found>> Lookup(const std::string& name) const;

  /// The names in `text` that have no value and no default, for warnings of lint.
  std::vector<std::string> Unset(std::string_view text) const;
  /// "environment variable CRM_URI", "file /run/secrets/CRM_URI", ".env (no such file)"
  std::vector<std::string> PlacesTried(const std::string& name) const;

 private:
  SecretsOptions options_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::optional<Found>> known_;
  mutable bool dotenv_read_ = false;
  mutable std::string dotenv_missing_;  ///< why there is nothing in it
  mutable std::map<std::string, Found> dotenv_;

  Result<std::optional<Found>> LookupLocked(const std::string& name) const;
  Status ReadDotenv() const;
};

struct DotenvEntry {
  std::string name, value;
  int line = 0;
};
/// NAME=value, `export NAME=value`, # comments, 'single' and "double" quotes (\n \t \" \\ \$ in
/// double ones, both may span lines). Nothing is expanded. Error "bad_dotenv" has the line.
Result<std::vector<DotenvEntry>> ParseDotenv(std::string_view text, std::string_view file);

/// Adds a warning for each name in the texts of `ref` that has no value now ("unset_variable").
void WarnUnset(const spec::ComponentRef& ref, const Secrets& secrets, Diagnostics& diagnostics);

}  // namespace headrace::config
