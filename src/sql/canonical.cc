// The canonical form of a SELECT.
//
// Two texts with one meaning should have one digest, and two meanings must never share one.
// DuckDB's tree already forgets formatting, comments, parentheses and the case of keywords; what is
// left to forget are positions and the case of names. The latter with care: the name of a result
// column is part of the result. It comes from
//   SELECT x AS Total   the alias                          → the case of aliases counts
//   SELECT FOO          the table's column, e.g. "foo"     → the case written here does not
//   SELECT t.FOO        the same, if t is a table          → does not
//   SELECT s.FOO        the field as written, if s is a struct's column → counts
//   SELECT sum(FOO)     the expression as written: "sum(FOO)" → counts, as it has no alias
// Where in doubt the case counts: that costs a rebuild, whose identical rows stop there.
#include "sql/canonical.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "sql/lexer.h"
#include "sql/tree.h"

namespace headrace::sql {
namespace {

class Writer {
 public:
  std::string Take() { return std::move(text_); }

  void Write(const Json& part) {
    if (part.is_object()) return WriteObject(part);
    if (part.is_array()) return WriteList(part);
    if (part.is_string()) return WriteText(part.get_ref<const std::string&>());
    text_ += part.dump();
  }

 private:
  enum class Case { kIgnore, kKeep };

  /// With its length in front, so that no text can look like structure.
  void WriteText(std::string_view text) {
    text_ += std::to_string(text.size());
    text_ += '"';
    text_ += text;
  }

  void WriteList(const Json& list) {
    text_ += '[';
    for (const Json& item : list) {
      Write(item);
      text_ += ',';
    }
    text_ += ']';
  }

  void WriteObject(const Json& object) {
    const bool expression = object.contains("class");
    const bool select = TextMember(object, "type") == "SELECT_NODE";
    if (select) {
      tables_.emplace_back();
      if (const Json* from = Member(object, "from_table")) CollectTables(*from);
    }
    text_ += '{';
    for (const auto& [key, value] : object.items()) {
      // The map of parameters is unordered and says nothing that the tree does not.
      if (key == "query_location" || key == "named_param_map") continue;
      text_ += key;
      text_ += ':';
      if (select && key == "select_list") {
        WriteSelectList(value);
      } else if (IsName(key, expression)) {
        WriteName(value, key == "column_names" ? case_ : Case::kIgnore);
      } else {
        Write(value);
      }
      text_ += ';';
    }
    text_ += '}';
    if (select) tables_.pop_back();
  }

  /// Members that hold names whose case SQL ignores.
  static bool IsName(const std::string& key, bool expression) {
    return key == "column_names" || key == "table_name" || key == "schema_name" ||
           key == "catalog_name" || key == "relation_name" || key == "function_name" ||
           key == "schema" || key == "catalog" || key == "identifier" || key == "exclude_list" ||
           key == "using_columns" || key == "cte_name" || key == "collation" || (key == "key") ||
           (key == "alias" && !expression);
  }

  void WriteName(const Json& name, Case letters) {
    if (name.is_array()) {
      text_ += '[';
      for (const Json& part : name) {
        WriteName(part, letters);
        text_ += ',';
      }
      text_ += ']';
    } else if (name.is_string() && letters == Case::kIgnore) {
      WriteText(Lower(name.get_ref<const std::string&>()));
    } else {
      Write(name);
    }
  }

  void WriteSelectList(const Json& list) {
    text_ += '[';
    for (const Json& item : list) {
      const Case outer = case_;
      if (NamesItsColumn(item)) case_ = Case::kKeep;
      Write(item);
      case_ = outer;
      text_ += ',';
    }
    text_ += ']';
  }

  /// True if the result column is named by the case of the names in the expression.
  bool NamesItsColumn(const Json& item) const {
    if (!TextMember(item, "alias").empty()) return false;
    if (TextMember(item, "class") == "STAR") return false;
    const Json* names = Member(item, "column_names");
    if (names == nullptr || TextMember(item, "class") != "COLUMN_REF") return true;
    if (names->size() == 1) return false;
    return names->size() > 2 ||
           !tables_.back().contains(Lower((*names)[0].get_ref<const std::string&>()));
  }

  void CollectTables(const Json& from) {
    if (from.is_array()) {
      for (const Json& part : from) CollectTables(part);
      return;
    }
    if (!from.is_object() || from.contains("class")) return;
    for (const char* key : {"alias", "table_name"}) {
      const std::string_view name = TextMember(from, key);
      if (!name.empty()) tables_.back().insert(Lower(name));
    }
    for (const char* key : {"left", "right", "source"}) {
      if (const Json* part = Member(from, key)) CollectTables(*part);
    }
  }

  std::string text_;
  Case case_ = Case::kIgnore;
  std::vector<std::set<std::string>> tables_;  // names of FROM, of each SELECT we are in
};

}  // namespace

std::string CanonicalText(const Json& statement) {
  Writer writer;
  writer.Write(statement);
  return writer.Take();
}

Hash128 CanonicalHash(const Json& statement) { return HashBytes(CanonicalText(statement)); }

}  // namespace headrace::sql
