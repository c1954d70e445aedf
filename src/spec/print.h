#pragma once
// From structs to JSON, reference pages and JSON Schema.
#include <string>

#include "spec/parse.h"

namespace headrace::spec {

/// The definition that goes into a fingerprint: keys sorted, only fields that affect `affects`,
/// fields equal to their default left out (so a field added later changes nothing). Texts with
/// ${…} appear as written, not expanded; a literal text in a secret field appears as "***". "{}"
/// when nothing is left.
std::string CanonicalJson(const ComponentRef& ref, Affects affects);
/// The same for a bare struct (no ${…} known: its texts appear as they are).
std::string CanonicalJson(const Spec& spec, const void* object, Affects affects);

/// Only the fields marked Identity(), expanded, with "type": the identity of a connection.
std::string IdentityJson(const ComponentRef& ref);

/// Everything, in the order of the table, defaults included; secrets are "***".
std::string ToJson(const ComponentRef& ref);
std::string ToJson(const Spec& spec, const void* object);

/// A scalar field's value as it would stand in YAML ("true", "0.5", "csv"); JSON for other types.
std::string TextOf(const Field& field, const void* object);

/// How a part of a reference page looks.
struct ReferenceStyle {
  int level = 1;                     ///< of the heading
  std::string title = {};            ///< "" = kind and name
  bool reruns = true;                ///< a column with what a change makes run again
  Affects affects = Affects::kData;  ///< of fields that don't say it
};

/// A (part of a) reference page: summary, examples, table of fields, options.
std::string ReferenceMarkdown(const Spec& spec, const ReferenceStyle& style = {});

/// JSON Schema (draft 2020-12) of one object; components are resolved through `lookup`.
std::string JsonSchema(const Spec& spec, const SpecLookup* lookup, const Spec* common = nullptr);

/// JSON Schema of a node's file, whatever its kind key says; without one it is the properties of a
/// .sql file.
std::string NodeJsonSchema(const SpecLookup& lookup);

}  // namespace headrace::spec
