#pragma once
// What a training found out about its data and its search, for people and for programs.
#include <string>
#include <utility>

namespace headrace::learn {

enum class FindingLevel {
  kNote,  ///< what was done: rows left out, which class is positive
  kHint,  ///< something that is likely wrong or will disappoint: look at it
};
const char* Name(FindingLevel level);  ///< "note", "hint"

/// Codes are stable: docs/guide and the tests of planted faults list them.
struct Finding {
  std::string code;          ///< e.g. "leak_suspect"
  std::string subject = {};  ///< column, class or learner
  std::string message = {};  ///< one sentence with the numbers, and what to do
  FindingLevel level = FindingLevel::kNote;
  std::string field = {};       ///< field of the model node it is about ("time"); "" = from
  std::string evidence = "{}";  ///< JSON object: the numbers behind the message
};

inline Finding Note(std::string code, std::string subject, std::string message) {
  return {std::move(code), std::move(subject), std::move(message)};
}
/// `evidence`: text of a JSON object.
inline Finding Hint(std::string code, std::string subject, std::string message,
                    std::string evidence, std::string field = "") {
  return {std::move(code),     std::move(subject), std::move(message),
          FindingLevel::kHint, std::move(field),   std::move(evidence)};
}

}  // namespace headrace::learn
