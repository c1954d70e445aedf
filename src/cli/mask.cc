#include "cli/mask.h"

#include <array>
#include <cctype>

namespace headrace::cli {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }
bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Length of a text of that shape at the front: 9 = digit, x = hex digit, others themselves; 0 if
/// it isn't there.
size_t Shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == '9'   ? IsDigit(text[i])
                      : shape[i] == 'x' ? IsHex(text[i])
                                        : text[i] == shape[i];
    if (!fits) return 0;
  }
  return shape.size();
}

size_t Digits(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && IsDigit(text[n])) ++n;
  return n;
}

/// "12 ms", "1.2 s", "3 m 20 s", "1 h 5 m": the length, or 0.
size_t Duration(std::string_view text) {
  size_t at = 0, good = 0;
  for (;;) {
    const size_t whole = Digits(text.substr(at));
    if (whole == 0) return good;
    at += whole;
    if (at < text.size() && text[at] == '.' && Digits(text.substr(at + 1)) > 0) {
      at += 1 + Digits(text.substr(at + 1));
    }
    if (at >= text.size() || text[at] != ' ') return good;
    ++at;
    size_t unit = 0;
    for (const std::string_view name : {"ms", "s", "m", "h", "d"}) {
      const std::string_view rest = text.substr(at);
      if (unit == 0 && rest.starts_with(name) &&
          (rest.size() == name.size() || !IsWord(rest[name.size()]))) {
        unit = name.size();
      }
    }
    if (unit == 0) return good;
    at += unit;
    good = at;
    if (at >= text.size() || text[at] != ' ') return good;
    ++at;
  }
}

size_t Time(std::string_view text) {
  size_t n = Shape(text, "9999-99-99T99:99:99");
  if (n == 0) return 0;
  if (n < text.size() && text[n] == '.') n += 1 + Digits(text.substr(n + 1));
  return n < text.size() && text[n] == 'Z' ? n + 1 : 0;
}

size_t Id(std::string_view text) {
  const size_t n = Shape(text, "99999999-999999-xxxxxx");
  if (n == 0) return 0;
  size_t end = n;
  while (end < text.size() && IsHex(text[end])) ++end;
  return end;
}

size_t Hash(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && IsHex(text[n])) ++n;
  return n == 32 ? n : 0;
}

size_t Number(std::string_view text) {
  size_t n = 0;
  while (n < text.size() &&
         (IsDigit(text[n]) || std::string_view(".e+-").find(text[n]) != std::string_view::npos))
    ++n;
  return n;
}

/// Copies `text` with masks.
class Masker {
 public:
  Masker(std::string_view text, const std::string& folder)
      : text_(text),
        folder_(folder),
        parent_(std::string_view(folder).substr(0, folder.rfind('/') + 1)) {
    if (!parent_.empty()) parent_.remove_suffix(1);
  }

  std::string Run() {
    while (at_ < text_.size()) {
      if (!Step()) out_ += text_[at_++];
    }
    return std::move(out_);
  }

 private:
  bool Step() {
    const std::string_view rest = text_.substr(at_);
    if (!folder_.empty() && rest.starts_with(folder_)) {
      return Put(folder_.size(), "{project}");
    }
    if (!parent_.empty() && rest.starts_with(parent_)) return Put(parent_.size(), "{temp}");
    constexpr std::string_view kSeconds = "\"seconds\":";
    if (rest.starts_with(kSeconds)) {
      const size_t n = Number(rest.substr(kSeconds.size()));
      return n > 0 && Put(kSeconds.size() + n, "\"seconds\":N");
    }
    // What follows starts a word.
    if (at_ > 0 && (IsWord(text_[at_ - 1]) || text_[at_ - 1] == '.')) return false;
    if (const size_t n = Time(rest)) return PutCell(rest, n, "{time}");
    if (const size_t n = Id(rest)) return PutCell(rest, n, "{id}");
    if (const size_t n = Hash(rest); n > 0 && (n == rest.size() || !IsWord(rest[n]))) {
      return PutCell(rest, n, "{hash}");
    }
    constexpr std::string_view kProcess = "process ";
    if (rest.starts_with(kProcess) && Digits(rest.substr(kProcess.size())) > 0) {
      return Put(kProcess.size() + Digits(rest.substr(kProcess.size())), "process N");
    }
    if (const size_t n = Duration(rest)) return PutCell(rest, n, "N s");
    return false;
  }

  bool Put(size_t length, std::string_view mask) {
    out_ += mask;
    at_ += length;
    return true;
  }

  /// In a column the next one starts two blanks or more behind: it stays where it is.
  bool PutCell(std::string_view rest, size_t length, std::string_view mask) {
    size_t blanks = 0;
    while (length + blanks < rest.size() && rest[length + blanks] == ' ') ++blanks;
    out_ += mask;
    if (blanks >= 2 && length + blanks >= mask.size() + 2) {
      out_.append(length + blanks - mask.size(), ' ');
      length += blanks;
    }
    at_ += length;
    return true;
  }

  const std::string_view text_;
  const std::string& folder_;
  std::string_view parent_;  // "" when there is none
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string Mask(std::string_view text, const std::string& folder) {
  return Masker(text, folder).Run();
}

}  // namespace headrace::cli
