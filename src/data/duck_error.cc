// With errors_as_json DuckDB returns
//   {"exception_type": "Binder", "exception_message": "Referenced column \"abcd\" not found …",
//    "position": "39", "candidates": "abc", "error_subtype": "COLUMN_NOT_FOUND", "name": "abcd"}
// sometimes behind "Parser Error: ". Some errors have no position; the token is then looked up by
// its name and used if it stands in the text once.
#include "data/duck_error.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/json.h"

namespace headrace::data::internal {
namespace {

struct Fields {
  std::string type, message, subtype, name, kind;
  std::vector<std::string> candidates;
  std::optional<size_t> position;
};

// "a, b" or a single name; names may be quoted.
std::vector<std::string> SplitCandidates(const std::string& text) {
  std::vector<std::string> out;
  size_t start = 0;
  while (start < text.size()) {
    size_t end = text.find(',', start);
    if (end == std::string::npos) end = text.size();
    std::string one = text.substr(start, end - start);
    one.erase(0, one.find_first_not_of(" \""));
    one.erase(one.find_last_not_of(" \"") + 1);
    if (!one.empty()) out.push_back(std::move(one));
    start = end + 1;
  }
  return out;
}

std::string Get(const Json& json, const char* key) {
  return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

Fields ParseFields(std::string_view text) {
  Fields out;
  size_t brace = text.find('{');
  if (brace != std::string_view::npos && brace < 40) {
    Result<Json> json = ParseJson(text.substr(brace), "DuckDB's error");
    if (json.ok() && json->is_object() && json->contains("exception_message")) {
      out.type = Get(*json, "exception_type");
      out.message = Get(*json, "exception_message");
      out.subtype = Get(*json, "error_subtype");
      out.name = Get(*json, "name");
      out.kind = Get(*json, "type");
      out.candidates = SplitCandidates(Get(*json, "candidates"));
      std::string position = Get(*json, "position");
      if (!position.empty()) out.position = std::strtoull(position.c_str(), nullptr, 10);
      return out;
    }
  }
  size_t error = text.find(" Error: ");
  if (error != std::string_view::npos && error < 30) {
    out.type = text.substr(0, error);
    out.message = text.substr(error + 8);
  } else {
    out.message = text;
  }
  return out;
}

// Without DuckDB's suggestions (we have the candidates) and its excerpt of the text.
std::string Plain(std::string message) {
  for (const char* tail : {"\n\nLINE ", "\nCandidate bindings", "\nDid you mean", "\nLINE "}) {
    size_t at = message.find(tail);
    if (at != std::string::npos) message.resize(at);
  }
  // Possible solutions, links and the like: our hints say what to do.
  size_t advice = message.find("\n");
  if (message.starts_with("could not allocate") || message.starts_with("failed to")) {
    message.resize(std::min(message.size(), advice));
  }
  while (!message.empty() && (message.back() == '\n' || message.back() == '!')) message.pop_back();
  return message;
}

// The first "quoted" word of a message: what it is about.
std::string QuotedWord(const std::string& message) {
  size_t open = message.find('"');
  if (open == std::string::npos) return "";
  size_t close = message.find('"', open + 1);
  return close == std::string::npos ? "" : message.substr(open + 1, close - open - 1);
}

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}

bool EqualAt(std::string_view text, size_t at, std::string_view word) {
  if (at + word.size() > text.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(text[at + i])) !=
        std::tolower(static_cast<unsigned char>(word[i]))) {
      return false;
    }
  }
  return true;
}

// Where `word` stands as a whole word, if it does so exactly once.
std::optional<size_t> OnlyPlace(std::string_view text, std::string_view word) {
  std::optional<size_t> found;
  for (size_t i = 0; !word.empty() && i + word.size() <= text.size(); ++i) {
    if (!EqualAt(text, i, word)) continue;
    if (i > 0 && IsWordByte(text[i - 1])) continue;
    if (i + word.size() < text.size() && IsWordByte(text[i + word.size()])) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

int CountCharacters(std::string_view text) {
  int count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

size_t TokenLength(std::string_view text, size_t at, const std::string& name) {
  if (!name.empty() && EqualAt(text, at, name)) return name.size();
  if (at < text.size() && text[at] == '"') {
    size_t close = text.find('"', at + 1);
    return close == std::string_view::npos ? 1 : close + 1 - at;
  }
  size_t end = at;
  while (end < text.size() && IsWordByte(text[end])) ++end;
  return std::max<size_t>(1, end - at);
}

Place PlaceOf(const Fields& fields, const ErrorContext& context) {
  Place place;
  std::string_view text = context.sql;
  text.remove_prefix(std::min(context.prefix_bytes, text.size()));
  std::optional<size_t> at;
  if (fields.position && *fields.position >= context.prefix_bytes) {
    at = std::min(*fields.position - context.prefix_bytes, text.size());
  } else if (!fields.name.empty()) {
    at = OnlyPlace(text, fields.name);
  }
  if (!at) return place;
  size_t line_start = *at == 0 ? 0 : text.rfind('\n', *at - 1);
  line_start = line_start == std::string_view::npos || *at == 0 ? 0 : line_start + 1;
  size_t line_end = text.find('\n', *at);
  if (line_end == std::string_view::npos) line_end = text.size();
  place.line = 1;
  for (char c : text.substr(0, line_start)) place.line += c == '\n' ? 1 : 0;
  place.column = CountCharacters(text.substr(line_start, *at - line_start)) + 1;
  place.source_line = text.substr(line_start, line_end - line_start);
  if (!place.source_line.empty() && place.source_line.back() == '\r') place.source_line.pop_back();
  size_t length = std::min(TokenLength(text, *at, fields.name), line_end - *at);
  place.length = std::max(1, CountCharacters(text.substr(*at, length)));
  return place;
}

bool Has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

Error SystemFault(const std::string& message) {
  if (Has(message, "No space left") || Has(message, "max_temp_directory_size")) {
    return SystemError("no_space", message).Hint("free disk space and run again");
  }
  if (Has(message, "Permission denied")) return SystemError("permission_denied", message);
  if (Has(message, "No such file") || Has(message, "No files found")) {
    return SystemError("not_found", message);
  }
  return SystemError("io_error", message);
}

Error Classify(const Fields& fields, const std::string& message, const ErrorContext& context) {
  const std::string& type = fields.type;
  auto user = [&](const char* code) { return UserError(code, message); };
  auto value = [&](const char* code) {
    return context.running ? DataError(code, message) : UserError(code, message);
  };
  if (type == "Parser" || type == "Syntax") return user("syntax");
  if (type == "INTERRUPT" || type == "Interrupt") return SystemError("cancelled", "cancelled");
  if (fields.subtype == "COLUMN_NOT_FOUND") return user("unknown_column");
  if (type == "Catalog" && Has(fields.kind, "Function")) return user("unknown_function");
  if (type == "Catalog" && Has(message, "does not exist")) return user("unknown_table");
  if (type == "Conversion" || type == "Mismatch Type") return value("conversion");
  if (type == "Out of Range" || type == "Decimal" || type == "Divide by Zero") {
    return value("out_of_range");
  }
  if (type == "Constraint") return value("constraint");
  if (type == "Invalid Input" || type == "Invalid") return value("bad_input");
  if (type == "Out of Memory") {
    if (Has(message, "max_temp_directory_size")) return SystemFault(message);
    return SystemError("out_of_memory", message)
        .Hint("give more memory with --memory, or make the query smaller");
  }
  if (type == "Permission" || (context.sealed && Has(message, "disabled"))) {
    return UserError("sealed", message)
        .Hint("SQL of a project sees tables only: make a file or database a source");
  }
  if (type == "IO") return SystemFault(message);
  if (type == "HTTP" || type == "Network" || type == "Connection") {
    return ExternalError("connection_failed", message).Retriable();
  }
  if (type == "INTERNAL" || type == "FATAL") return InternalError(message);
  return user("bad_sql");
}

}  // namespace

Error ErrorFromDuck(std::string_view text, const ErrorContext& context) {
  Fields fields = ParseFields(text);
  if (fields.name.empty() && !fields.position) fields.name = QuotedWord(Plain(fields.message));
  Error error = Classify(fields, Plain(fields.message), context);
  bool in_text = error.blame == Blame::kUser || error.blame == Blame::kData;
  if (in_text) error.place = PlaceOf(fields, context);
  error.subject = fields.name;
  error.candidates = fields.candidates;
  if (error.message.starts_with("No function matches")) {
    // The signatures that DuckDB lists are no candidates for a name.
    const size_t open = error.message.find('\'') + 1;  // 'sum(VARCHAR)'
    const size_t close = error.message.find('\'', open);
    const std::string call =
        open == 0 || close == std::string::npos ? "" : error.message.substr(open, close - open);
    const size_t bracket = call.find('(');
    error.code = "wrong_arguments";
    error.candidates.clear();
    if (bracket != std::string::npos) {
      error.message = call.substr(0, bracket) + "() can't take " + call.substr(bracket);
    }
    error.Hint("CAST(x AS type) changes a type");
  }
  return error;
}

}  // namespace headrace::data::internal
