#include "cli/case_file.h"

#include <fmt/format.h>

#include "base/suggest.h"

namespace headrace::cli {
namespace {

using Kind = CaseSection::Kind;

struct KindName {
  const char* name;
  Kind kind;
  bool argument;  ///< needs one
  bool content;   ///< has lines below it
};
constexpr KindName kKinds[] = {
    {"file", Kind::kFile, true, true},
    {"append", Kind::kAppend, true, true},
    {"remove", Kind::kRemove, true, false},
    {"exists", Kind::kExists, true, false},
    {"missing", Kind::kMissing, true, false},
    {"env", Kind::kEnv, true, false},
    {"postgres", Kind::kPostgres, false, true},
    {"run", Kind::kRun, true, false},
    {"stdin", Kind::kStdin, false, true},
    {"exit", Kind::kExit, true, false},
    {"stdout", Kind::kStdout, false, true},
    {"stderr", Kind::kStderr, false, true},
    {"stdout contains", Kind::kStdoutContains, false, true},
    {"stderr contains", Kind::kStderrContains, false, true},
    {"stdout lacks", Kind::kStdoutLacks, false, true},
    {"stderr lacks", Kind::kStderrLacks, false, true},
};

const KindName* FindKind(std::string_view name) {
  for (const KindName& kind : kKinds) {
    if (name == kind.name) return &kind;
  }
  return nullptr;
}

const KindName& NameOf(Kind kind) {
  for (const KindName& each : kKinds) {
    if (each.kind == kind) return each;
  }
  return kKinds[0];
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

Error Bad(const std::string& file, int line, const std::string& message) {
  Place place;
  place.file = file;
  place.line = line;
  place.column = 1;
  return UserError("bad_case", message).At(place);
}

bool NamesPath(Kind kind) {
  return kind == Kind::kFile || kind == Kind::kAppend || kind == Kind::kRemove ||
         kind == Kind::kExists || kind == Kind::kMissing;
}

/// A path of a case must stay in its folder.
bool StaysInside(std::string_view path) {
  if (path.empty() || path.front() == '/') return false;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (path.substr(begin, end - begin) == "..") return false;
    begin = end + 1;
  }
  return true;
}

class Parser {
 public:
  Parser(CaseFile& out, const std::string& file) : out_(out), file_(file) {}

  Status Parse() {
    const std::string_view text = out_.text;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      ++line_;
      const std::string_view line = text.substr(begin, end - begin);
      const size_t next = std::min(end + 1, text.size());
      if (line.starts_with("--- ")) {
        HR_TRY(Close(begin));
        HR_TRY(Open(line.substr(4), next));
      } else if (out_.sections.empty()) {
        HR_TRY(Title(line));
      }
      begin = next;
    }
    HR_TRY(Close(text.size()));
    for (const auto& section : out_.sections) {
      if (section.kind == Kind::kRun) return Ok();
    }
    return Bad(file_, std::max(line_, 1),
               "the case runs nothing: '--- run: headrace …' is missing");
  }

 private:
  Status Title(std::string_view line) {
    if (line.starts_with('#')) {
      const std::string_view words = Trim(line.substr(1));
      out_.title += (out_.title.empty() ? "" : " ") + std::string(words);
    } else if (!Trim(line).empty()) {
      return Bad(file_, line_, "above the first section ('--- file: …') only # lines may stand");
    }
    return Ok();
  }

  Status Open(std::string_view header, size_t content_begin) {
    const size_t colon = header.find(':');
    const std::string name(Trim(header.substr(0, colon)));
    const KindName* kind = FindKind(name);
    if (kind == nullptr) {
      std::vector<std::string> names;
      for (const KindName& each : kKinds) names.emplace_back(each.name);
      return Bad(file_, line_, fmt::format("there is no section '{}'", name))
          .Subject(name)
          .Candidates(Suggest(name, names));
    }
    if (colon == std::string_view::npos) {
      return Bad(file_, line_, fmt::format("a colon is missing: '--- {}:'", name));
    }
    CaseSection section;
    section.kind = kind->kind;
    section.argument = Trim(header.substr(colon + 1));
    section.line = line_;
    section.begin = content_begin;
    if (kind->kind == Kind::kRun) running_ = true;
    const bool of_run = kind->kind >= Kind::kStdin;
    if (of_run && !running_) {
      return Bad(file_, line_, fmt::format("'{}' stands before any run", name));
    }
    if (kind->argument == section.argument.empty()) {
      return Bad(file_, line_,
                 kind->argument
                     ? fmt::format("'--- {}:' needs something behind it", name)
                     : fmt::format("'--- {}:' takes its text from the lines below it", name));
    }
    out_.sections.push_back(std::move(section));
    return Ok();
  }

  /// The open section ends before `end`.
  Status Close(size_t end) {
    if (out_.sections.empty()) return Ok();
    CaseSection& section = out_.sections.back();
    section.end = end;
    std::string_view content =
        std::string_view(out_.text).substr(section.begin, end - section.begin);
    const bool empty = Trim(content).empty();
    if (!NameOf(section.kind).content) {
      if (empty) return Ok();
      return Bad(file_, section.line + 1,
                 fmt::format("'--- {}:' takes no lines below it", NameOf(section.kind).name));
    }
    while (content.ends_with("\n\n")) content.remove_suffix(1);
    section.content = empty ? "" : std::string(content);
    if (!section.content.empty() && section.content.back() != '\n') section.content += '\n';
    if (NamesPath(section.kind)) {
      HR_TRY(Base64(section));
    }
    if (NamesPath(section.kind) && !StaysInside(section.argument)) {
      return Bad(file_, section.line,
                 fmt::format("'{}' leaves the case's folder", section.argument));
    }
    return Ok();
  }

  Status Base64(CaseSection& section) {
    constexpr std::string_view kSuffix = " base64";
    if (!section.argument.ends_with(kSuffix)) return Ok();
    section.argument = Trim(
        std::string_view(section.argument).substr(0, section.argument.size() - kSuffix.size()));
    auto bytes = DecodeBase64(section.content);
    if (!bytes.ok()) return Bad(file_, section.line, bytes.error().message);
    section.content = std::move(*bytes);
    return Ok();
  }

  CaseFile& out_;
  const std::string& file_;
  int line_ = 0;
  bool running_ = false;
};

}  // namespace

Result<CaseFile> ParseCase(std::string text, const std::string& file) {
  CaseFile out;
  out.text = std::move(text);
  HR_TRY(Parser(out, file).Parse());
  return out;
}

Result<std::vector<std::string>> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;  // a word has begun, maybe an empty one in quotes
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == ' ' || c == '\t') {
      if (open) words.push_back(std::move(word));
      word.clear();
      open = false;
    } else if (c == '\'' || c == '"') {
      const size_t close = line.find(c, i + 1);
      if (close == std::string_view::npos) {
        return UserError("bad_case", fmt::format("the quote {} is not closed", c));
      }
      word += line.substr(i + 1, close - i - 1);
      open = true;
      i = close;
    } else {
      word += c;
      open = true;
    }
  }
  if (open) words.push_back(std::move(word));
  return words;
}

Result<std::string> DecodeBase64(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '\n' || c == ' ' || c == '\r' || c == '=') continue;
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) {
      return UserError("bad_case", fmt::format("'{}' is no letter of base64", c));
    }
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 0xFF);
  }
  return bytes;
}

std::string Rewrite(const CaseFile& file, const std::map<size_t, std::string>& contents) {
  std::string out;
  size_t copied = 0;
  for (const auto& [index, content] : contents) {
    const CaseSection& section = file.sections[index];
    out += file.text.substr(copied, section.begin - copied);
    if (!out.empty() && out.back() != '\n') out += '\n';
    out += content;
    const std::string_view old =
        std::string_view(file.text).substr(section.begin, section.end - section.begin);
    // Blank lines that set sections apart stay.
    const size_t last = old.find_last_not_of('\n');
    const size_t from = last == std::string_view::npos ? 0 : last + 2;
    if (from < old.size()) out += old.substr(from);
    copied = section.end;
  }
  return out + file.text.substr(copied);
}

}  // namespace headrace::cli
