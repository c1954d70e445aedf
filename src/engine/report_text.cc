#include "engine/report_text.h"

#include <algorithm>

namespace headrace::engine {

ReportWords::ReportWords(const pipeline::Project& project) {
  names_.insert({project.name(), project.target()});
  for (const auto& node : project.nodes()) {
    names_.insert({node.name, node.kind, node.file});
    if (node.schema) {
      for (const auto& column : node.schema->columns) names_.insert(column.name);
    }
    for (const auto& [column, fields] : node.spec.common.columns) names_.insert(column);
    for (const auto& check : node.checks) {
      for (const auto& column : check.check->columns()) names_.insert(column);
    }
  }
  for (const auto& [name, value] : project.params()) names_.insert(name);
}

/// Names of the project, files beneath it, types, flags and fields (`retrain:`).
bool ReportWords::Known(std::string_view word) const {
  if (word.empty() || names_.contains(word)) return true;
  const bool upper = std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '(' || c == ')' || c == ',' || c == ' ' ||
           (c >= '0' && c <= '9');
  });
  const bool type = upper && word[0] >= 'A' && word[0] <= 'Z' &&
                    (word.starts_with("VARCHAR") || word.starts_with("DECIMAL") ||
                     word.starts_with("TIMESTAMP") || word == "INTEGER" || word == "BIGINT" ||
                     word == "DOUBLE" || word == "DATE" || word == "BOOLEAN" || word == "TIME");
  return type || word.starts_with("--") || word.ends_with(':');
}

std::string ReportWords::Masked(std::string_view text) const {
  std::string out;
  size_t at = 0;
  while (at < text.size()) {
    const size_t open = text.find('\'', at);
    // An apostrophe within a word opens nothing: "can't".
    const bool apostrophe = open != std::string_view::npos && open > 0 &&
                            std::isalnum(static_cast<unsigned char>(text[open - 1])) != 0;
    if (open == std::string_view::npos) break;
    if (apostrophe) {
      out += text.substr(at, open + 1 - at);
      at = open + 1;
      continue;
    }
    size_t close = text.find('\'', open + 1);
    // "'it's'": an apostrophe inside; the closing one is followed by no letter.
    while (close != std::string_view::npos && close + 1 < text.size() &&
           std::isalnum(static_cast<unsigned char>(text[close + 1])) != 0) {
      close = text.find('\'', close + 1);
    }
    if (close == std::string_view::npos) {
      out += text.substr(at, open - at);
      out += "'…";
      return out;
    }
    const std::string_view word = text.substr(open + 1, close - open - 1);
    out += text.substr(at, open - at);
    out += Known(word) ? std::string(text.substr(open, close + 1 - open)) : "'…'";
    at = close + 1;
  }
  out += text.substr(at);
  return out;
}

std::string FirstLineOf(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string ErrorLine(std::string_view code, std::string_view message) {
  std::string line = FirstLineOf(message);
  if (code == "send_failed") line = line.substr(0, line.find(';'));
  return line;
}

}  // namespace headrace::engine
