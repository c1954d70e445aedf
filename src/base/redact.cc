// Finding secrets in texts. A secret may stand there as it is, or in one of the forms in which
// programs pass values on:
//
//   p4ss/w"ord    p4ss%2Fw%22ord    p4ss\/w\"ord    dXNlcjpwNHNzL3cib3Jk (base64 of
//   user:p4ss/w"ord)
//
// Percent and JSON forms have many spellings (which characters are escaped, in which case of hex),
// so the text is decoded beside a table of positions and the plain secret is searched in the
// decoded text. Base64 can't be decoded without knowing where it starts, but three bytes are always
// four characters: the secret's characters depend only on its place modulo 3, so three needles per
// alphabet find it within any longer value. At its borders a character may hold bits of the secret
// and of its neighbour: those are masked too.
#include "base/redact.h"

#include <algorithm>
#include <array>
#include <mutex>

namespace headrace {
namespace {

constexpr size_t kShortest = 6;  // shorter values would mask innocent text
constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct Span {
  size_t begin, end;
};

/// The characters that depend on nothing but `value`, if it starts `shift` bytes into a triple.
std::string Base64Core(std::string_view value, int shift, std::string_view alphabet) {
  const std::string padded = std::string(shift, '\0') + std::string(value);
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : padded) {
    bits = bits << 8 | static_cast<uint8_t>(c);
    for (count += 8; count >= 6; count -= 6) out += alphabet[bits >> (count - 6) & 63];
  }
  // One byte before the value reaches into two characters, two bytes into three.
  return out.substr(shift == 0 ? 0 : shift + 1);
}

bool IsBase64(char c) {
  return kStandard.find(c) != std::string_view::npos || c == '-' || c == '_';
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Text after decoding, and where each of its bytes came from.
struct Decoded {
  std::string text;
  std::vector<size_t> begin;  // of each byte of `text`, in the original
  size_t original_size = 0;
  void Add(char c, size_t from) {
    text += c;
    begin.push_back(from);
  }
  Span Original(size_t from, size_t size) const {
    const size_t end = from + size;
    return {begin[from], end < begin.size() ? begin[end] : original_size};
  }
};

Decoded DecodePercent(std::string_view text, bool plus_is_blank) {
  Decoded out;
  out.original_size = text.size();
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t start = i;
    char c = text[i];
    if (c == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
        HexValue(text[i + 2]) >= 0) {
      c = static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    out.Add(c, start);
  }
  return out;
}

void AddUtf8(char32_t c, size_t from, Decoded* out) {
  const auto tail = [&](int shift) { out->Add(static_cast<char>(0x80 | (c >> shift & 63)), from); };
  if (c < 0x80) {
    out->Add(static_cast<char>(c), from);
  } else if (c < 0x800) {
    out->Add(static_cast<char>(0xC0 | c >> 6), from);
    tail(0);
  } else if (c < 0x10000) {
    out->Add(static_cast<char>(0xE0 | c >> 12), from);
    tail(6), tail(0);
  } else {
    out->Add(static_cast<char>(0xF0 | c >> 18), from);
    tail(12), tail(6), tail(0);
  }
}

/// The four hex digits behind "\u" at `i`, or -1.
int32_t HexEscape(std::string_view text, size_t i) {
  if (i + 6 > text.size() || text[i] != '\\' || text[i + 1] != 'u') return -1;
  int32_t value = 0;
  for (size_t k = i + 2; k < i + 6; ++k) {
    if (HexValue(text[k]) < 0) return -1;
    value = value * 16 + HexValue(text[k]);
  }
  return value;
}

Decoded DecodeBackslash(std::string_view text) {
  constexpr std::string_view kEscapes = "bfnrt", kMeanings = "\b\f\n\r\t";
  Decoded out;
  out.original_size = text.size();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.Add(text[i], i);
      continue;
    }
    const size_t start = i;
    if (const int32_t unit = HexEscape(text, i); unit >= 0) {
      const int32_t next = unit >= 0xD800 && unit < 0xDC00 ? HexEscape(text, i + 6) : -1;
      const bool pair = next >= 0xDC00 && next < 0xE000;
      AddUtf8(pair ? 0x10000 + ((unit - 0xD800) << 10) + (next - 0xDC00) : unit, start, &out);
      i += pair ? 11 : 5;
      continue;
    }
    const size_t escape = kEscapes.find(text[++i]);
    out.Add(escape == std::string_view::npos ? text[i] : kMeanings[escape], start);
  }
  return out;
}

void FindPlain(const Decoded& decoded, const std::vector<std::string>& secrets,
               std::vector<Span>* found) {
  for (const std::string& secret : secrets) {
    for (size_t at = 0; (at = decoded.text.find(secret, at)) != std::string::npos; ++at) {
      found->push_back(decoded.Original(at, secret.size()));
    }
  }
}

void FindAll(std::string_view text, const std::vector<std::string>& secrets,
             const std::vector<std::string>& cores, std::vector<Span>* found) {
  for (const std::string& secret : secrets) {
    for (size_t at = 0; (at = text.find(secret, at)) != std::string_view::npos; ++at) {
      found->push_back({at, at + secret.size()});
    }
  }
  for (const std::string& core : cores) {
    for (size_t at = 0; (at = text.find(core, at)) != std::string_view::npos; ++at) {
      size_t begin = at, end = at + core.size();
      if (begin > 0 && IsBase64(text[begin - 1])) --begin;
      if (end < text.size() && IsBase64(text[end])) ++end;
      while (end < text.size() && text[end] == '=') ++end;
      found->push_back({begin, end});
    }
  }
  if (text.find('%') != std::string_view::npos) {
    FindPlain(DecodePercent(text, false), secrets, found);
  }
  if (text.find('+') != std::string_view::npos) {
    FindPlain(DecodePercent(text, true), secrets, found);
  }
  if (text.find('\\') != std::string_view::npos) FindPlain(DecodeBackslash(text), secrets, found);
}

void InsertLongestFirst(std::string value, std::vector<std::string>* values) {
  if (std::find(values->begin(), values->end(), value) != values->end()) return;
  const auto place = std::find_if(values->begin(), values->end(), [&](const std::string& other) {
    return other.size() < value.size();
  });
  values->insert(place, std::move(value));
}

}  // namespace

void Redactor::AddSecret(std::string_view value) {
  if (value.size() < kShortest) return;
  std::unique_lock lock(mutex_);
  InsertLongestFirst(std::string(value), &secrets_);
  for (std::string_view alphabet : {kStandard, kUrl}) {
    for (int shift = 0; shift < 3; ++shift) {
      InsertLongestFirst(Base64Core(value, shift, alphabet), &cores_);
    }
  }
}

bool Redactor::empty() const {
  std::shared_lock lock(mutex_);
  return secrets_.empty();
}

std::string Redactor::Redact(std::string_view text) const {
  std::vector<Span> found;
  {
    std::shared_lock lock(mutex_);
    if (secrets_.empty()) return std::string(text);
    FindAll(text, secrets_, cores_, &found);
  }
  if (found.empty()) return std::string(text);
  std::sort(found.begin(), found.end(), [](Span a, Span b) { return a.begin < b.begin; });
  std::string out;
  size_t done = 0;
  for (size_t i = 0; i < found.size();) {
    Span merged = found[i];
    while (++i < found.size() && found[i].begin < merged.end) {
      merged.end = std::max(merged.end, found[i].end);
    }
    out += text.substr(done, merged.begin - done);
    out += "***";
    done = merged.end;
  }
  return out + std::string(text.substr(done));
}

Error Redactor::Redact(Error error) const {
  if (empty()) return error;
  const auto mask = [this](std::string* text) { *text = Redact(std::string_view(*text)); };
  const std::string before = error.place.source_line;
  for (std::string* text : {&error.message, &error.subject, &error.hint, &error.place.file,
                            &error.place.source_line, &error.place.node, &error.place.rows}) {
    mask(text);
  }
  // The column and length count characters of the line as it was: past a mask they would point
  // somewhere else, and the length would tell the secret's.
  if (before != error.place.source_line) error.place.column = error.place.length = 0;
  for (std::string& candidate : error.candidates) mask(&candidate);
  if (error.cause) error.cause = std::make_shared<const Error>(Redact(Error(*error.cause)));
  return error;
}

}  // namespace headrace
