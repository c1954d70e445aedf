#pragma once
// From YAML to structs. All faults are collected; the places of given fields are kept so that later
// findings ("no such column") can point at them.
//
// ${NAME} in scalars: parsing without an Expander leaves such texts as they are (a text that must
// be a number stays at its default, is not checked, and is counted as pending). The YAML is kept
// beside the object, so Expand() parses it again with an Expander and gives a new, final object.
// Lint works on the first, a run on the second. Nothing is ever expanded twice, and an expanded
// text is never parsed as YAML: it can't create structure.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/redact.h"
#include "base/result.h"
#include "spec/spec.h"
#include "yaml/node.h"

namespace headrace::spec {

/// Teaches the redactor a secret and, if it is a URI, the password in it (also percent-decoded):
/// other programs quote parts of a URI.
void RegisterSecret(Redactor& redactor, std::string_view value);

/// Replaces ${NAME}, ${NAME:-default}, $${ in a text; config/secrets.h has the real one.
class Expander {
 public:
  virtual ~Expander() = default;
  virtual Result<std::string> Expand(std::string_view text) const = 0;
};
/// True when a text holds "${" (also as "$${").
bool NeedsExpansion(std::string_view text);
/// True when any scalar of the tree does.
bool HoldsVariable(const yaml::Node& node);

/// Places of the given fields by path: "column", "paging.next", "checks[2].min", "targets.dev".
class FieldPlaces {
 public:
  bool Has(std::string_view path) const { return marks_.find(path) != marks_.end(); }
  /// Of the value (or key) of a given field; of the whole object when the field wasn't given.
  Place Of(std::string_view path) const;
  Place Key(std::string_view path) const;
  Place Whole() const { return yaml::PlaceOf(source_.get(), whole_); }

  void Start(const yaml::Node& node);  ///< file and place of the whole object
  void StartAt(const yaml::Mark& mark) { whole_ = mark; }
  void Add(std::string path, const yaml::Mark& key, const yaml::Mark& value);

 private:
  struct Marks {
    yaml::Mark key, value;
  };
  std::shared_ptr<const yaml::Source> source_;
  yaml::Mark whole_;
  std::map<std::string, Marks, std::less<>> marks_;
};

/// An options struct with its spec: the result of parsing, and how a component stands in another
/// one's fields. A value; copies share the (no longer changing) structs.
struct ComponentRef {
  std::string type;                   ///< name of the spec: "between", "postgres"
  const Spec* spec = nullptr;         ///< null: nothing was parsed
  std::shared_ptr<void> options;      ///< the struct that `spec` describes
  const Spec* common_spec = nullptr;  ///< fields that all components of the kind have
  std::shared_ptr<void> common;       ///< their struct
  Place place;                        ///< of the component's name
  FieldPlaces places;                 ///< paths relative to this component
  /// Field path → text before expansion, for scalars that hold ${…}.
  std::map<std::string, std::string, std::less<>> unexpanded;
  bool expanded = true;  ///< no text waits for Expand

  /// The struct; T must be the type that spec (or common_spec) describes, else it aborts.
  template <class T>
  const T& As() const {
    RequireType(spec, typeid(T));
    return *static_cast<const T*>(options.get());
  }
  template <class T>
  const T& CommonAs() const {
    RequireType(common_spec, typeid(T));
    return *static_cast<const T*>(common.get());
  }

  /// What it was parsed from, for Expand.
  struct Origin {
    yaml::Node yaml;
    std::vector<std::string> ignored;  ///< keys that are somebody else's
    std::string subject, node, implied_column;
  };
  std::shared_ptr<const Origin> origin;

 private:
  static void RequireType(const Spec* spec, const std::type_info& type);
};

struct ParseContext {
  Diagnostics* diagnostics = nullptr;  ///< never null
  const SpecLookup* lookup = nullptr;  ///< for components; null: there are none
  const Expander* expander = nullptr;  ///< null: ${…} stays
  std::string subject = {};            ///< "model 'churn'"; messages start with it
  std::string node = {};               ///< goes into Place::node
  std::string implied_column = {};     ///< the column under which a check stands
  Redactor* redactor = nullptr;  ///< learns the secrets that stand in the file itself; may be null
};

/// One struct that takes part in a map.
struct Part {
  const Spec* spec;
  void* object;
};

/// Fills the parts from a map; each key belongs to the part(s) that have such a field, or is in
/// `ignored`, or is an unknown_field. Returns the places. `unexpanded` as in ComponentRef.
FieldPlaces ParseInto(const yaml::Node& node, const std::vector<Part>& parts,
                      const std::vector<std::string>& ignored, const ParseContext& context,
                      std::map<std::string, std::string, std::less<>>* unexpanded = nullptr);

/// One object (or its short form), with `common` fields merged in when given. Faults go to the
/// context; the returned object is complete (defaults) even after faults.
ComponentRef Parse(const Spec& spec, const yaml::Node& node, const ParseContext& context,
                   const Spec* common = nullptr, const std::vector<std::string>& ignored = {});

/// The final object: parses the kept YAML again with `context.expander`. A ref that holds no ${…}
/// is returned as it is. Faults (unset names too) go to the context.
ComponentRef Expand(const ComponentRef& ref, const ParseContext& context);

/// A text that a field of an object holds.
struct TextUse {
  std::string path;
  const Field* field;
  const std::string* text;
};
/// Every string of an object, lists, maps, nested structs and components included, e.g. to collect
/// all columns (field->meaning()) or nodes that it names.
std::vector<TextUse> TextsOf(const ComponentRef& ref);

}  // namespace headrace::spec
