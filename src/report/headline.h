#pragma once
// What a manager reads: what ran, whether the model is better, whether to act.
#include <string>
#include <vector>

#include "report/run_report.h"

namespace headrace::report {

/// One of the answers at the top of the page.
struct Answer {
  std::string question, answer, text;
  std::string tone;  ///< "" | quiet | warn | failed
  std::vector<std::string> points;
};

struct Headline {
  std::string title;  ///< one sentence
  std::string lead;   ///< two or three more
  std::vector<Answer> answers;
};

Headline MakeHeadline(const RunReport& report);

/// "Of 100 rows it flags, 66 are …": how good the decisions are; "" when it can't be said.
std::string InNaturalNumbers(const ModelFacts& model);
/// Whether the version is better than the champion before it, one sentence.
std::string AgainstChampion(const ModelSection& model);

}  // namespace headrace::report
