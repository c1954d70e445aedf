#pragma once
#include <set>
#include <string>
#include <string_view>

#include "pipeline/project.h"

namespace headrace::engine {

/// Messages may quote a value of a row ('abc' is no number). In a report, which is mailed on, only
/// quoted names that the project itself uses stay; other quoted texts become '…'.
class ReportWords {
 public:
  explicit ReportWords(const pipeline::Project& project);
  std::string Masked(std::string_view text) const;

 private:
  bool Known(std::string_view word) const;
  std::set<std::string, std::less<>> names_;
};

std::string FirstLineOf(std::string_view text);
/// First line of an error's message; without what a receiver said or a program printed.
std::string ErrorLine(std::string_view code, std::string_view message);

}  // namespace headrace::engine
