#pragma once
// How wide UTF-8 text is on a terminal, without asking the locale.
#include <string>
#include <string_view>

namespace headrace {

/// Reads the code point at `*position` (< text.size()) and moves behind it. A broken sequence gives
/// U+FFFD and moves by one byte.
char32_t NextCodePoint(std::string_view text, size_t* position);

/// Columns a code point takes: 0 for combining marks, 2 for East Asian wide ones and emoji, else 1.
int CodePointWidth(char32_t code_point);

/// Columns of the whole text; control characters count 1 (see Printable).
int TextWidth(std::string_view text);

/// Cuts to at most `columns`, with "…" as the last one where something was cut.
std::string CutToWidth(std::string_view text, int columns);

/// What may go to a terminal: control characters and broken UTF-8 become U+FFFD, so that data can't
/// move the cursor. Line feeds and tabs stay when `keep_lines`, else they become blanks.
std::string Printable(std::string_view text, bool keep_lines);

}  // namespace headrace
