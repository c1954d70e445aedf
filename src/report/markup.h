#pragma once
// HTML and SVG that can't be malformed and can't carry markup from outside. A document is a tree of
// Markup; text and attribute values are escaped when they enter it, names of tags and attributes
// are literals that the compiler checks, and there is no way to put ready markup in. So a node
// described as "<script>" shows as that text.
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "base/redact.h"

namespace headrace::report {

/// A literal name of a tag: lower-case letters, digits and dashes (SVG's camel case too). Scripts
/// and what loads something from outside do not compile.
class Tag {
 public:
  template <size_t N>
  consteval Tag(const char (&name)[N]) : name_(name, N - 1) {
    for (const char c : name_) Require(IsNameChar(c));
    for (const std::string_view bad : {"script", "iframe", "object", "embed", "link", "base"}) {
      Require(name_ != bad);
    }
  }
  std::string_view name() const { return name_; }

  static constexpr bool IsNameChar(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  }
  /// Not constexpr-callable with false: the compiler stops there.
  static constexpr void Require(bool holds) {
    if (!holds) throw "no such name in a report";
  }

 private:
  std::string_view name_;
};

/// A literal name of an attribute; event handlers, sources and inline styles do not compile. A link
/// is made by Markup::LinkTo.
class AttributeName {
 public:
  template <size_t N>
  consteval AttributeName(const char (&name)[N]) : name_(name, N - 1) {
    for (const char c : name_) Tag::Require(Tag::IsNameChar(c));
    for (const std::string_view bad : {"src", "href", "style", "action", "srcset"}) {
      Tag::Require(name_ != bad);
    }
    Tag::Require(!name_.starts_with("on"));
  }
  std::string_view name() const { return name_; }

 private:
  std::string_view name_;
};

/// A style sheet: a literal without `<`, `&` and url(), so that it reads the same as HTML and XML
/// and loads nothing.
class Css {
 public:
  template <size_t N>
  consteval Css(const char (&text)[N]) : text_(text, N - 1) {
    for (const char c : text_) Tag::Require(c != '<' && c != '&');
    Tag::Require(text_.find("url(") == std::string_view::npos);
    Tag::Require(text_.find("@import") == std::string_view::npos);
  }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

/// `&<>"'` as entities; bytes that are no UTF-8 and control characters as U+FFFD.
std::string Escape(std::string_view text);
/// A text as an id and a target of LinkTo: letters, digits and dashes.
std::string IdOf(std::string_view prefix, std::string_view text);

/// One element with what is in it. A value: copy it, move it.
class Markup {
 public:
  explicit Markup(Tag tag) : tag_(tag.name()) {}
  Markup(Tag tag, std::string_view text) : tag_(tag.name()) { Text(text); }

  Markup& Attr(AttributeName name, std::string_view value);
  Markup& Attr(AttributeName name, const char* value) {
    return Attr(name, std::string_view(value));
  }
  template <std::integral T>
  Markup& Attr(AttributeName name, T value) {
    return Attr(name, std::string_view(std::to_string(value)));
  }
  /// Numbers of drawings: two decimals at most.
  Markup& Attr(AttributeName name, double value);
  Markup& Class(std::string_view value) { return Attr("class", value); }
  Markup& Id(std::string_view value) { return Attr("id", value); }
  /// href to an id on the same page.
  Markup& LinkTo(std::string_view id);
  /// An element without content (an empty list, a figure that has no data) is left out if `drop`.
  Markup& Add(Markup child);
  Markup& Text(std::string_view text);
  Markup& Style(Css css);

  bool empty() const { return children_.empty() && text_.empty(); }
  /// With a doctype in front: a whole page. Secrets in texts are masked before they are escaped.
  std::string Page(const Redactor* redactor = nullptr) const;
  void Write(std::string* out, const Redactor* redactor = nullptr) const;

 private:
  std::string_view tag_;                                              // "" = a text
  std::string text_;                                                  // escaped
  std::vector<std::pair<std::string_view, std::string>> attributes_;  // values escaped
  std::vector<Markup> children_;

  Markup() = default;
};

/// A coordinate as SVG has it: "12", "12.5", "-0.25".
std::string Coordinate(double value);

}  // namespace headrace::report
