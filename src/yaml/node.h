#pragma once
// A YAML document as a tree that remembers where everything stood. YAML 1.2, core schema: `yes` and
// `no` are text, `true`, `null`, `12`, `1.5`, `.inf` are not. Third-party headers stay in parse.cc.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace headrace::yaml {

/// The text a tree came from; shared by all its nodes.
struct Source {
  std::string name;                 ///< as shown in errors, e.g. "pipeline/churn.yml"
  std::string text;                 ///< valid UTF-8, without BOM, lines end in \n
  std::vector<size_t> line_starts;  ///< byte offset of each line

  /// The text of a line (1-based) without its end; "" outside the file.
  std::string_view Line(int line) const;
};

/// A place inside a Source. line 0 = unknown (a node that was made, not read).
struct Mark {
  int line = 0;    ///< 1-based
  int column = 0;  ///< 1-based, in characters
  int length = 0;  ///< characters on that line
};

enum class Kind { kNull, kScalar, kList, kMap };
/// What an unquoted scalar means in the core schema; quoted and block scalars are kString.
enum class ScalarType { kNull, kBool, kInt, kFloat, kString };

struct Entry;

/// A value type: copies are deep, the source is shared. Aliases are replaced by copies.
struct Node {
  Kind kind = Kind::kNull;
  std::string text;     ///< scalar: its value (quotes and escapes resolved); null: as written
  bool quoted = false;  ///< quoted or block scalar, or tagged !!str: text, whatever it looks like
  std::vector<Node> items;     ///< list
  std::vector<Entry> entries;  ///< map, in the order of the file; keys are unique scalars
  Mark mark;
  std::shared_ptr<const Source> source;

  bool IsNull() const { return kind == Kind::kNull; }
  bool IsScalar() const { return kind == Kind::kScalar; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsMap() const { return kind == Kind::kMap; }
  /// The value of a key of a map, or nullptr.
  const Node* Find(std::string_view key) const;
  const Entry* FindEntry(std::string_view key) const;
};

struct Entry {
  Node key;
  Node value;
};

/// A scalar made by a program (no place).
Node MakeScalar(std::string text, bool quoted);

ScalarType TypeOf(const Node& node);
/// The values of scalars of that type; nullopt when the text isn't one (or an int leaves 64 bits).
std::optional<bool> AsBool(const Node& node);
std::optional<int64_t> AsInt(const Node& node);    ///< 12, -3, 0x1F, 0o17
std::optional<double> AsDouble(const Node& node);  ///< ints too; .inf, .nan

/// "text", "a number", "a list", "a map", "nothing" …: for messages.
std::string Describe(const Node& node);

Place PlaceOf(const Source* source, const Mark& mark);
Place PlaceOf(const Node& node);
/// A file as a whole.
Place FilePlace(std::string file);

}  // namespace headrace::yaml
