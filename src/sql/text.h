#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace headrace::sql {

/// A piece of SQL and where people find it: a whole file, or one scalar of a YAML file.
/// Plain data.
struct SqlText {
  std::string text;
  std::string file;  ///< as errors should show it, e.g. "pipeline/features.sql"; may be empty
  std::string node;  ///< name of the node, for errors; may be empty
  /// For a scalar of a YAML file: the scalar's own place (line, column, source_line). Places are
  /// then found inside that line; for a block scalar (`|`) on the lines below it. For a whole
  /// file: leave as it is.
  Place origin = {};
};

/// Bytes of a text.
struct Span {
  size_t offset = 0;
  size_t length = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

/// The place of a span: file, line, column and length in characters (UTF-8), the source line, node.
/// A span behind the end is the last character.
Place PlaceOf(const SqlText& text, Span span);

}  // namespace headrace::sql
