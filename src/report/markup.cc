#include "report/markup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace headrace::report {
namespace {

/// Length of the UTF-8 character at the front; 0 when there is none.
size_t CharacterLength(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  const size_t length = first < 0x80   ? 1
                        : first < 0xC2 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond Unicode, and what XML has no place for.
  if (first == 0xE0 && at(1) < 0xA0) return 0;
  if (first == 0xED && at(1) >= 0xA0) return 0;
  if (first == 0xF0 && at(1) < 0x90) return 0;
  if (first == 0xF4 && at(1) >= 0x90) return 0;
  if (first == 0xEF && at(1) == 0xBF && at(2) >= 0xBE) return 0;
  return length;
}

bool IsVoid(std::string_view tag) { return tag == "meta" || tag == "br" || tag == "col"; }

}  // namespace

std::string Escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const char c = text[0];
    const auto byte = static_cast<unsigned char>(c);
    if (length == 0 || (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) {
      out += "\xEF\xBF\xBD";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

std::string IdOf(std::string_view prefix, std::string_view text) {
  std::string out(prefix);
  out += '-';
  for (const char c : text) out += Tag::IsNameChar(c) ? c : '-';
  return out;
}

std::string Coordinate(double value) {
  if (!std::isfinite(value)) return "0";
  std::string text = fmt::format("{:.2f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

Markup& Markup::Attr(AttributeName name, std::string_view value) {
  attributes_.emplace_back(name.name(), Escape(value));
  return *this;
}

Markup& Markup::Attr(AttributeName name, double value) {
  return Attr(name, std::string_view(Coordinate(value)));
}

Markup& Markup::LinkTo(std::string_view id) {
  attributes_.emplace_back("href", "#" + Escape(id));
  return *this;
}

Markup& Markup::Add(Markup child) {
  children_.push_back(std::move(child));
  return *this;
}

Markup& Markup::Text(std::string_view text) {
  Markup child;
  child.text_ = text;
  children_.push_back(std::move(child));
  return *this;
}

Markup& Markup::Style(Css css) {
  Markup sheet(Tag("style"));
  sheet.text_ = css.text();
  return Add(std::move(sheet));
}

void Markup::Write(std::string* out, const Redactor* redactor) const {
  if (tag_.empty()) {
    *out += Escape(redactor == nullptr ? text_ : redactor->Redact(text_));
    return;
  }
  *out += '<';
  *out += tag_;
  for (const auto& [name, value] : attributes_) {
    *out += fmt::format(" {}=\"{}\"", name, value);
  }
  if (IsVoid(tag_)) {
    *out += "/>";
    return;
  }
  *out += '>';
  *out += text_;
  for (const Markup& child : children_) child.Write(out, redactor);
  *out += "</";
  *out += tag_;
  *out += '>';
}

std::string Markup::Page(const Redactor* redactor) const {
  std::string out = "<!DOCTYPE html>\n";
  Write(&out, redactor);
  out += '\n';
  return out;
}

}  // namespace headrace::report
