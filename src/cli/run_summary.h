#pragma once
// What people read after a run.
#include <string>

#include "pipeline/run.h"

namespace headrace::cli {

struct SummaryOptions {
  int columns = 0;   ///< of the terminal; 0 = none
  std::string page;  ///< path of the report as shown; "" = none
  bool color = false;
  size_t many = 40;    ///< above so many nodes only those that did something are listed
  std::string target;  ///< "" = the default one; for the commands to type next
  std::string sample;  ///< "1%"; "" = all rows
};

/// The whole text, ending with a line feed: nodes, checks, models, sends, notes, errors, what to
/// type next. One line when everything was up to date.
std::string SummaryOf(const pipeline::RunReport& report, const SummaryOptions& options);

}  // namespace headrace::cli
