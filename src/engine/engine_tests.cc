#include <fnmatch.h>

#include <algorithm>

#include "base/suggest.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "pipeline/user_test.h"

namespace headrace::engine {
namespace {

bool Matches(const pipeline::UserTest& test, const std::string& word) {
  return fnmatch(word.c_str(), test.name.c_str(), 0) == 0 ||
         fnmatch(word.c_str(), test.node.c_str(), 0) == 0 || word == test.file;
}

}  // namespace

Result<std::vector<pipeline::UserTestResult>> Engine::Test(const std::vector<std::string>& select,
                                                           bool update) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  const auto& tests = project->tests();
  std::vector<std::string> names;
  for (const auto& test : tests) names.push_back(test.name);
  for (const std::string& word : select) {
    const bool any = std::any_of(tests.begin(), tests.end(),
                                 [&](const auto& test) { return Matches(test, word); });
    if (any) continue;
    return UserError("unknown_test", "there is no test '" + word + "', and no test of such a node")
        .Subject(word)
        .Candidates(Suggest(word, names))
        .Hint("tests are files of tests/: tests/NAME.yml");
  }
  if (tests.empty()) {
    return UserError("no_tests", "the project has no tests")
        .Hint("a test is a file tests/NAME.yml with 'test: NODE', 'given:' and 'expect:'");
  }
  budget();
  HR_TRY(state_->OpenInstances());
  pipeline::UserTestOptions options;
  options.instances = state_->instances.get();
  options.cancel = state_->cancel;
  options.now = state_->clock->Now();
  options.update = update;
  std::vector<pipeline::UserTestResult> results;
  for (const auto& test : tests) {
    const bool wanted =
        select.empty() || std::any_of(select.begin(), select.end(),
                                      [&](const auto& word) { return Matches(test, word); });
    if (!wanted) continue;
    if (state_->cancel.Cancelled()) return SystemError("cancelled", "interrupted");
    results.push_back(pipeline::RunUserTest(*project, test, options));
    auto& result = results.back();
    if (result.error) result.error = state_->redactor.Redact(std::move(*result.error));
    result.diff = state_->redactor.Redact(result.diff);
    if (!update || !result.updated) continue;
    HR_TRY(state_->fs->WriteAtomically(JoinPath(state_->root, test.file), *result.updated));
  }
  return results;
}

}  // namespace headrace::engine
