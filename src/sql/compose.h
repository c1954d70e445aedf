#pragma once
// The text that runs: the user's own, with the views it needs in front as CTEs.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/text.h"

namespace headrace::sql {

/// A view node to inline. `name` is the node's name.
struct View {
  std::string name;
  SqlText text;
};

/// A piece of the composed text that is a user's text, byte for byte.
struct ComposedPart {
  size_t offset = 0;         ///< in ComposedQuery::text
  size_t source_offset = 0;  ///< of that byte in `source.text`
  size_t length = 0;
  SqlText source;
};

struct ComposedQuery {
  std::string text;  ///< no trailing semicolon; may be put in parentheses or behind COPY ( … )
  std::vector<ComposedPart> parts;

  /// The place in the user's text of a byte of `text`; the node's first character for bytes that
  /// are not the user's.
  Place PlaceAt(size_t offset, size_t length = 1) const;
};

/// `views` in dependency order (a view comes after those it uses), all views that `node` needs,
/// directly or through other views. Texts must have parsed without faults. Without views the text
/// is the node's own. Parameters stay `$name`: bind them typed.
ComposedQuery ComposeQuery(const SqlText& node, std::span<const View> views);

/// Removes trailing blanks, comments and semicolons, so that the text can stand in parentheses.
std::string_view TrimStatement(std::string_view text);

/// An error of data::DuckConnection for `query.text` (its place is relative to that text), as
/// people should see it: the place is in the user's file, with file and node.
Error PlaceError(Error error, const ComposedQuery& query);

}  // namespace headrace::sql
