#pragma once
// Field and Spec: the one table in which an option stands. Parsing, lint, fingerprints, reference
// pages and the JSON Schema are made from it.
//
//   struct Between { std::string column; std::optional<double> min, max; };
//   const Spec& BetweenSpec() {
//     static const Spec spec{"check", "between", "Values of a column lie in a range.", {
//         Field("column", &Between::column, "Column to check.").Column().Short(),
//         Field("min", &Between::min, "Smallest allowed value."),
//         Field("max", &Between::max, "Largest allowed value.")}};
//     return spec;
//   }
//
// A field is required unless it says Optional() or Default(), or its member is a std::optional. The
// default is the member's own initialiser; Default(value) overrides it.
#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "spec/type_ops.h"

namespace headrace::spec {

/// What a change of the field makes stale. kData: the fingerprint. kChecks: only checks rerun.
/// kPolicy (how runs behave) and kNothing (words for people): no rebuild.
enum class Affects { kData, kChecks, kPolicy, kNothing };

/// What the text of a string field names; lint, graph and UI use it.
enum class Meaning { kText, kPath, kColumn, kNode, kConnection, kSqlExpression, kSqlQuery };
/// For people and for editors: "column", "SQL query".
std::string_view WordOf(Meaning meaning);

enum class Scale { kLinear, kLog };

/// The tuner's search space of a numeric field.
struct Tuning {
  double low = 0, high = 0;
  Scale scale = Scale::kLinear;
};

/// How a component stands in YAML.
enum class ComponentForm {
  kKey,  ///< `lightgbm`, or `lightgbm: {…}`, or `not_null: id`
  kTag,  ///< `{type: postgres, …}`; the text alone means {type: text}
};

class Field {
 public:
  template <class T, class M>
  Field(std::string_view name, M T::*member, std::string_view doc)
      : name_(name),
        doc_(doc),
        ops_(&OpsOf<M>()),
        owner_(&typeid(T)),
        make_(&Make<T>),
        at_([](void* object, const Bytes& bytes) -> void* {
          M T::*m;
          std::memcpy(&m, bytes.data(), sizeof m);
          return &(static_cast<T*>(object)->*m);
        }) {
    static_assert(sizeof(member) <= sizeof(Bytes));
    std::memcpy(bytes_.data(), &member, sizeof member);
  }

  // Facts, set where the table stands.
  Field& Required();
  Field& Optional();
  Field& Default();                       ///< optional; the member's initialiser is the default
  Field& Default(Value value);            ///< optional; `value` as it would stand in YAML
  Field& Range(double low, double high);  ///< both allowed
  Field& Min(double low);
  Field& Max(double high);
  Field& Above(double low);       ///< `low` itself is not allowed
  Field& OneOf(Options options);  ///< of a string (or list of strings); {{"add", "summary"}, …}
  Field& NotEmpty();              ///< a text, list or map with something in it
  Field& Secret();                ///< masked wherever it is printed
  Field& Example(Value value);
  Field& Advanced();  ///< reference pages and forms show it last
  Field& Tunable(double low, double high, Scale scale = Scale::kLinear);
  Field& Affects(spec::Affects affects);  ///< unset: as the enclosing field; kData at the top
  Field& Identity();                      ///< part of a connection's identity (never a Secret)
  /// The field a scalar or list given instead of the whole map sets: `not_null: id`.
  Field& Short();
  /// The same under `columns:`, where the column is known: `accepted: [a, b]`.
  Field& ShortUnderColumn();
  Field& Path();        ///< a path, relative to the project
  Field& Column();      ///< a column's name; filled in by itself under `columns:`
  Field& Node();        ///< a node's name: an edge of the graph
  Field& Connection();  ///< name of a connection
  Field& SqlExpression();
  Field& SqlQuery();
  Field& Percent();  ///< of a double: "10%" is read as 0.1
  Field& Components(std::string_view kind, ComponentForm form = ComponentForm::kKey,
                    const Spec& (*common)() = nullptr);  ///< `common`: fields each of them has too
  Field& Tag(
      std::string_view tag);  ///< of a variant of structs: the key that names the alternative
  Field& Alias(std::string_view old_name);  ///< accepted with a warning
  Field& Deprecated(std::string_view instead);
  Field& Since(std::string_view version);
  /// Exists only if the other field has that value (as text).
  Field& When(std::string_view field, std::string_view value);

  const std::string& name() const { return name_; }
  const std::string& doc() const { return doc_; }
  const TypeOps& ops() const { return *ops_; }
  const std::type_info& owner() const { return *owner_; }
  bool required() const { return required_; }
  bool required_given() const { return required_given_; }
  const std::optional<Value>& default_value() const { return default_; }
  const std::optional<double>& low() const { return low_; }
  const std::optional<double>& high() const { return high_; }
  bool low_open() const { return low_open_; }
  const Options& options() const { return options_; }
  bool not_empty() const { return not_empty_; }
  /// A column, node or connection: "" is none.
  bool is_name() const {
    return meaning_ == Meaning::kColumn || meaning_ == Meaning::kNode ||
           meaning_ == Meaning::kConnection;
  }
  bool secret() const { return secret_; }
  bool advanced() const { return advanced_; }
  bool identity() const { return identity_; }
  bool is_short() const { return short_; }
  bool is_short_under_column() const { return short_under_column_; }
  bool percent() const { return percent_; }
  Meaning meaning() const { return meaning_; }
  const std::optional<Value>& example() const { return example_; }
  const std::optional<Tuning>& tuning() const { return tuning_; }
  const std::optional<spec::Affects>& affects() const { return affects_; }
  const std::string& component_kind() const { return component_kind_; }
  ComponentForm component_form() const { return component_form_; }
  const Spec* common() const { return common_ == nullptr ? nullptr : &common_(); }
  const std::string& tag() const { return tag_; }
  const std::vector<std::string>& aliases() const { return aliases_; }
  const std::string& deprecated() const { return deprecated_; }
  const std::string& since() const { return since_; }
  const std::string& when_field() const { return when_field_; }
  const std::string& when_value() const { return when_value_; }

  /// The member inside an object of the struct.
  void* At(void* object) const { return at_(object, bytes_); }
  const void* At(const void* object) const { return at_(const_cast<void*>(object), bytes_); }
  std::shared_ptr<void> MakeOwner() const { return make_(); }

 private:
  using Bytes = std::array<std::byte, sizeof(void*)>;
  template <class T>
  static std::shared_ptr<void> Make() {
    return std::make_shared<T>();
  }

  std::string name_, doc_;
  const TypeOps* ops_;
  const std::type_info* owner_;
  std::shared_ptr<void> (*make_)();
  void* (*at_)(void*, const Bytes&);
  Bytes bytes_{};
  bool required_ = true, required_given_ = false, not_empty_ = false, secret_ = false;
  bool advanced_ = false, identity_ = false, short_ = false, short_under_column_ = false;
  bool percent_ = false, low_open_ = false;
  Meaning meaning_ = Meaning::kText;
  std::optional<Value> default_, example_;
  std::optional<double> low_, high_;
  Options options_;
  std::optional<Tuning> tuning_;
  std::optional<spec::Affects> affects_;
  std::string component_kind_;
  ComponentForm component_form_ = ComponentForm::kKey;
  const Spec& (*common_)() = nullptr;
  std::string tag_, deprecated_, since_, when_field_, when_value_;
  std::vector<std::string> aliases_;
};

/// A fault that a Rule found: the field to point at, and what is wrong.
struct Fault {
  std::string field;
  std::string message;  ///< e.g. "min 5 is above max 3"
  std::string hint;
};

/// The fields of one options struct. Make it a static const inside a function; immutable
/// afterwards, so thread-safe.
class Spec {
 public:
  /// kind: "check", "source", "learner" … ; name: the type users write ("between"); "" for a kind
  /// whose key holds a subject (predict) or for a plain nested struct.
  Spec(std::string_view kind, std::string_view name, std::string_view summary,
       std::vector<Field> fields);
  /// For structs without fields of their own or with inherited ones: Spec::For<Csv>("source", …).
  template <class T>
  static Spec For(std::string_view kind, std::string_view name, std::string_view summary,
                  std::vector<Field> fields) {
    Spec spec(kind, name, summary, std::move(fields));
    spec.type_ = &typeid(T);
    spec.make_ = [] { return std::shared_ptr<void>(std::make_shared<T>()); };
    return spec;
  }

  // Rules over several fields; each is a fault of its own.
  Spec& ExactlyOne(std::vector<std::string> fields);  ///< "needs one of 'table', 'query'"
  Spec& AtMostOne(std::vector<std::string> fields);
  Spec& AtLeastOne(std::vector<std::string> fields);
  /// Runs when the object has no other fault; not while a text still holds ${…}.
  template <class T>
  Spec& Rule(std::optional<Fault> (*rule)(const T&)) {
    rules_.push_back([rule](const void* object) { return rule(*static_cast<const T*>(object)); });
    return *this;
  }
  Spec& Details(std::string_view markdown);  ///< longer text for the reference page
  Spec& Example(std::string_view yaml);      ///< a whole example; tests parse it

  const std::string& kind() const { return kind_; }
  const std::string& name() const { return name_; }
  const std::string& summary() const { return summary_; }
  const std::string& details() const { return details_; }
  const std::vector<std::string>& examples() const { return examples_; }
  const std::vector<Field>& fields() const { return fields_; }
  const Field* Find(std::string_view name) const;  ///< also by alias
  const std::type_info& type() const { return *type_; }

  struct Group {
    enum class Need { kExactlyOne, kAtMostOne, kAtLeastOne } need;
    std::vector<std::string> fields;
  };
  const std::vector<Group>& groups() const { return groups_; }
  const std::vector<std::function<std::optional<Fault>(const void*)>>& rules() const {
    return rules_;
  }

  /// A new struct with its defaults filled in.
  std::shared_ptr<void> Make() const;

 private:
  std::string kind_, name_, summary_, details_;
  std::vector<std::string> examples_;
  std::vector<Field> fields_;
  const std::type_info* type_ = nullptr;
  std::function<std::shared_ptr<void>()> make_;
  std::vector<Group> groups_;
  std::vector<std::function<std::optional<Fault>(const void*)>> rules_;
};

/// Finds specs by kind and name; the engine's registry is one. Thread-safe once filled.
class SpecLookup {
 public:
  virtual ~SpecLookup() = default;
  /// nullptr when there is none. The name "" finds the spec of a kind that takes a subject.
  virtual const Spec* Find(std::string_view kind, std::string_view name) const = 0;
  virtual std::vector<std::string> Names(std::string_view kind) const = 0;  ///< sorted
  virtual std::vector<std::string> Kinds() const = 0;                       ///< sorted
};

/// The plain SpecLookup.
class SpecTable : public SpecLookup {
 public:
  /// `spec` must live as long as the table. False when kind and name are taken.
  bool Add(const Spec& spec);
  const Spec* Find(std::string_view kind, std::string_view name) const override;
  std::vector<std::string> Names(std::string_view kind) const override;
  std::vector<std::string> Kinds() const override;

 private:
  std::map<std::string, std::map<std::string, const Spec*, std::less<>>, std::less<>> specs_;
};

}  // namespace headrace::spec
