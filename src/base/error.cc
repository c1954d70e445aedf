#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/json.h"
#include "base/text_width.h"

namespace headrace {
namespace {

constexpr int kWidestExcerpt = 120;  // columns of a source line that are shown

struct Style {
  bool color;
  std::string operator()(const char* code, std::string_view text) const {
    return color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
};

const char* SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kWarning:
      return "warning";
    case Severity::kHint:
      return "hint";
    case Severity::kError:
      break;
  }
  return "error";
}

const char* SeverityColor(Severity severity) {
  switch (severity) {
    case Severity::kWarning:
      return "1;33";
    case Severity::kHint:
      return "1;36";
    case Severity::kError:
      break;
  }
  return "1;31";
}

const char* BlameName(Blame blame) {
  switch (blame) {
    case Blame::kUser:
      return "user";
    case Blame::kData:
      return "data";
    case Blame::kSystem:
      return "system";
    case Blame::kExternal:
      return "external";
    case Blame::kInternal:
      break;
  }
  return "internal";
}

/// Printable text whose further lines start below the first.
std::string Indented(std::string_view text, size_t columns) {
  std::string out;
  for (char c : Printable(text, /*keep_lines=*/true)) {
    out += c;
    if (c == '\n') out.append(columns, ' ');
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '\n')) out.pop_back();
  return out;
}

/// "file:line:column: ", as far as known.
std::string PlacePrefix(const Place& place) {
  if (place.file.empty()) return "";
  std::string out = Printable(place.file, false);
  if (place.line > 0) out += fmt::format(":{}", place.line);
  if (place.line > 0 && place.column > 0) out += fmt::format(":{}", place.column);
  return out + ": ";
}

/// "did you mean 'a', 'b' or 'c'?"
std::string DidYouMean(const std::vector<std::string>& candidates) {
  std::string out = "did you mean ";
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (i > 0) out += i + 1 == candidates.size() ? " or " : ", ";
    out += "'" + Printable(candidates[i], false) + "'";
  }
  return out + "?";
}

struct Excerpt {
  std::string text;    // the source line, or the part of it around the place
  int indent = 0;      // columns before the first underlined one
  int underlined = 1;  // columns
};

/// Cuts a long source line to the part around `column` and measures in terminal columns: tabs
/// become two blanks, wide characters take two.
Excerpt CutExcerpt(const Place& place) {
  std::vector<std::string> cells;  // one for each character
  const std::string line = Printable(place.source_line, true);
  for (size_t i = 0; i < line.size();) {
    const size_t start = i;
    const char32_t c = NextCodePoint(line, &i);
    if (c == '\n') break;
    cells.push_back(c == '\t' ? "  " : line.substr(start, i - start));
  }
  const size_t first = std::min<size_t>(std::max(place.column - 1, 0), cells.size());
  const size_t last = std::min<size_t>(first + std::max(place.length, 1), cells.size());

  size_t begin = 0, end = cells.size();
  if (cells.size() > kWidestExcerpt) {
    begin = first > kWidestExcerpt / 2 ? first - kWidestExcerpt / 2 : 0;
    end = std::min(cells.size(), begin + kWidestExcerpt);
  }
  Excerpt excerpt;
  if (begin > 0) excerpt.text = "…";
  for (size_t i = begin; i < end; ++i) excerpt.text += cells[i];
  if (end < cells.size()) excerpt.text += "…";
  while (!excerpt.text.empty() && excerpt.text.back() == ' ') excerpt.text.pop_back();
  excerpt.indent = begin > 0 ? 1 : 0;
  for (size_t i = begin; i < first; ++i) excerpt.indent += TextWidth(cells[i]);
  excerpt.underlined = 0;
  for (size_t i = first; i < std::min(last, end); ++i) excerpt.underlined += TextWidth(cells[i]);
  excerpt.underlined = std::max(excerpt.underlined, 1);
  return excerpt;
}

/// The source line and the carets, with `remark` behind them.
std::string RenderSource(const Place& place, const std::string& remark, const Style& style) {
  const Excerpt excerpt = CutExcerpt(place);
  const std::string number = place.line > 0 ? fmt::format("{}", place.line) : "";
  std::string out = fmt::format("\n  {} | {}", number, excerpt.text);
  while (out.back() == ' ') out.pop_back();
  out += fmt::format("\n  {:{}} | {:{}}", "", number.size(), "", excerpt.indent);
  out += style("1;32", std::string(excerpt.underlined, '^'));
  if (!remark.empty()) out += " " + style("32", remark);
  return out;
}

void AppendCauses(const Error& error, std::string* out) {
  std::string hints = "\n" + error.hint + "\n";
  for (const Error* cause = error.cause.get(); cause != nullptr; cause = cause->cause.get()) {
    *out +=
        fmt::format("\n  because: {}{}", PlacePrefix(cause->place), Indented(cause->message, 11));
    if (!cause->candidates.empty()) *out += "\n  hint: " + DidYouMean(cause->candidates);
    if (cause->hint.empty() || hints.find("\n" + cause->hint + "\n") != std::string::npos) continue;
    hints += cause->hint + "\n";
    *out += "\n  hint: " + Indented(cause->hint, 8);
  }
}

struct ErrnoCode {
  int number;
  const char* code;
  const char* hint;
};
constexpr ErrnoCode kErrnoCodes[] = {
    {ENOSPC, "no_space", "make room on that file system and run again"},
    {EDQUOT, "no_space", "your quota is used up: remove files or ask for more, then run again"},
    {EIO, "io_error", "the disk or its connection is faulty: see the system's log (dmesg)"},
    {EACCES, "permission_denied", "check who owns it and its mode (ls -l)"},
    {EPERM, "permission_denied", "check who owns it and its mode (ls -l)"},
    {EROFS, "read_only", "the file system is mounted read-only"},
    {ENOENT, "not_found", ""},
    {ENOTDIR, "not_a_directory", ""},
    {EISDIR, "is_a_directory", ""},
    {EEXIST, "already_exists", ""},
    {ENOTEMPTY, "not_empty", ""},
    {EMFILE, "too_many_files", "raise the limit of open files (ulimit -n)"},
    {ENFILE, "too_many_files", "the whole machine has too many open files"},
    {ENAMETOOLONG, "name_too_long", ""},
    {ELOOP, "symlink_loop", ""},
    {EXDEV, "cross_device", "both paths must be on one file system"},
    {EFBIG, "file_too_big", "raise the limit of file sizes (ulimit -f)"},
    {ENOMEM, "out_of_memory", "close other programs or give the machine more memory"},
    {EBUSY, "busy", ""},
    {ETXTBSY, "busy", ""},
};

}  // namespace

Error UserError(std::string code, std::string message) {
  return Error(Blame::kUser, std::move(code), std::move(message));
}
Error DataError(std::string code, std::string message) {
  return Error(Blame::kData, std::move(code), std::move(message));
}
Error SystemError(std::string code, std::string message) {
  return Error(Blame::kSystem, std::move(code), std::move(message));
}
Error ExternalError(std::string code, std::string message) {
  return Error(Blame::kExternal, std::move(code), std::move(message));
}
Error InternalError(std::string message) {
  return Error(Blame::kInternal, "internal", std::move(message));
}

Error ErrnoError(int error_number, const std::string& what) {
  const std::string text = std::generic_category().message(error_number);
  Error error = SystemError("system_error", fmt::format("{}: {}", what, text));
  for (const ErrnoCode& known : kErrnoCodes) {
    if (known.number != error_number) continue;
    error.code = known.code;
    error.hint = known.hint;
  }
  return error;
}

std::string Render(const Error& error, const RenderOptions& options) {
  const Style style{options.color};
  std::string out = style("1", PlacePrefix(error.place));
  if (error.place.file.empty()) out.clear();  // no empty escape sequences
  const std::string label = fmt::format("{}[{}]:", SeverityName(error.severity), error.code);
  out += style(SeverityColor(error.severity), label);
  out += " " + Indented(error.message, 2);

  // The remark at the carets is the suggestion, or a hint that fits there.
  std::string remark = error.candidates.empty() ? "" : DidYouMean(error.candidates);
  std::string hint = error.hint;
  if (!error.place.source_line.empty()) {
    if (remark.empty() && hint.find('\n') == std::string::npos) remark.swap(hint);
    out += RenderSource(error.place, Printable(remark, false), style);
    remark.clear();
  }
  if (!remark.empty()) out += "\n  hint: " + remark;
  if (!hint.empty()) out += "\n  hint: " + Indented(hint, 8);

  std::string where = error.place.node.empty() ? "" : "node: " + error.place.node;
  if (!error.place.rows.empty()) where += (where.empty() ? "" : ", ") + error.place.rows;
  if (!where.empty()) out += "\n  " + Printable(where, false);
  AppendCauses(error, &out);
  return out;
}

Json ErrorToJsonValue(const Error& error) {
  Json json;
  const auto text = [&json](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  const auto number = [&json](const char* key, int value) {
    if (value > 0) json[key] = value;
  };
  json["severity"] = SeverityName(error.severity);
  json["code"] = error.code;
  json["message"] = error.message;
  json["blame"] = BlameName(error.blame);
  json["retriable"] = error.retriable;
  text("file", error.place.file);
  number("line", error.place.line);
  number("column", error.place.column);
  number("length", error.place.length);
  text("source_line", error.place.source_line);
  text("node", error.place.node);
  text("rows", error.place.rows);
  text("subject", error.subject);
  if (!error.candidates.empty()) json["candidates"] = error.candidates;
  text("hint", error.hint);
  if (error.cause) json["cause"] = ErrorToJsonValue(*error.cause);
  return json;
}

std::string ErrorToJson(const Error& error) { return DumpJson(ErrorToJsonValue(error)); }

int ExitCode(const Error& error) {
  switch (error.blame) {
    case Blame::kUser:
      return 2;
    case Blame::kInternal:
      return 3;
    case Blame::kData:
    case Blame::kSystem:
    case Blame::kExternal:
      break;
  }
  return 1;
}

}  // namespace headrace
