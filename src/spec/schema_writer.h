#pragma once
// Builds JSON Schema from the table of fields; for schema.cc and node_schema.cc.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "spec/json_value.h"
#include "spec/spec.h"

namespace headrace::spec {

/// One document's worth of schema. Components become definitions that are referred to by name.
///
/// The shape is made for editors: they complete and name faults best where one object schema
/// applies, so a choice among components is one object with a property for each name, and a choice
/// by type is an `if` on that type, never an `anyOf` of whole objects.
class SchemaWriter {
 public:
  explicit SchemaWriter(const SpecLookup* lookup);

  /// A map with the fields of all `specs`; the first that names a field wins. `tag`: a key beside
  /// the fields that holds the first spec's name ("" = none).
  Json Object(const std::vector<const Spec*>& specs, const std::string& tag);

  /// The same for a kind key: `source: csv` beside the fields.
  Json NodeObject(const std::string& kind, const std::vector<const Spec*>& specs);

  /// What `$ref`s point to, by name.
  Json& defs() { return *defs_; }

 private:
  /// The map or its short form.
  Json ObjectOrShort(const std::vector<const Spec*>& specs, bool may_be_empty);
  void AddGroups(Json& schema, const std::vector<const Spec*>& specs);
  Json Property(const Spec& spec, const Field& field);
  Json Type(const TypeOps& ops, const Field& field);
  Json List(const TypeOps& ops, const Field& field);
  Json Struct(const Spec& spec);
  Json Variant(const TypeOps& ops, const Field& field);
  Json Component(const Field& field);
  Json KeyedComponent(const Field& field);
  Json TaggedComponent(const Field& field);

  const SpecLookup* lookup_;
  std::shared_ptr<Json> defs_;
  bool under_column_ = false;  ///< checks there know their column
  std::set<const Spec*> open_, recursive_;
};

/// `if` the key holds that word, `then` the schema.
Json When(const std::string& key, const std::string& word, Json then);

/// With $schema, title and description in front and the definitions behind.
std::string SchemaText(const std::string& title, const std::string& description, const Json& schema,
                       const Json& defs);

}  // namespace headrace::spec
