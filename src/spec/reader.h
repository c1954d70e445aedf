#pragma once
// The parser behind spec/parse.h: one object of it reads one component.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/parse.h"

namespace headrace::spec {

/// A table that its author got wrong; prints and aborts, since every test would meet it.
[[noreturn]] void TableFault(std::string_view what);

/// Sets the fields that have a Default(value).
void FillDefaults(const Spec& spec, void* object);

/// "text", "a whole number", "a list of columns" …
std::string ExpectedOf(const TypeOps& ops, const Field& field);

/// All methods report faults to the context and go on; bool results say whether a value is there.
class Reader {
 public:
  using Texts = std::map<std::string, std::string, std::less<>>;
  Reader(const ParseContext& context, FieldPlaces* places, Texts* unexpanded)
      : context_(context), places_(places), unexpanded_(unexpanded) {}

  /// The fields of one map. `path` is the place inside the component, "" at its top.
  void ReadFields(const yaml::Node& node, const std::vector<Part>& parts,
                  const std::vector<std::string>& ignored, const std::string& path);
  /// A map, or the short form.
  void ReadObject(const yaml::Node& node, const std::vector<Part>& parts,
                  const std::vector<std::string>& ignored, const std::string& path);
  bool Read(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
            const std::string& path);
  /// Some text waits for an Expander.
  bool pending() const { return pending_; }

 private:
  struct Given {
    size_t part;
    const Field* field;
  };

  // read_scalar.cc
  bool ReadScalar(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
                  const std::string& path);
  bool ReadText(const Field& field, const yaml::Node& node, std::string* target,
                const std::string& path, bool checked);
  void LiteralSecret(const yaml::Node& node, const std::string& path);
  bool ReadNumber(const Field& field, const yaml::Node& node, double* target,
                  const std::string& path);
  bool ReadInt(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
               const std::string& path);
  bool ReadEnum(const TypeOps& ops, const yaml::Node& node, const Field& field, void* target,
                const std::string& path);
  bool ReadSpan(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
                const std::string& path);
  bool InRange(const Field& field, double number, const yaml::Node& node, const std::string& path);
  /// The node with ${…} replaced; nullopt when it has to wait, or when a name is unset (reported).
  std::optional<yaml::Node> Expanded(const yaml::Node& node, const std::string& path);
  Value ExpandedValue(const yaml::Node& node, const std::string& path);

  // read_choice.cc
  bool ReadVariant(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
                   const std::string& path);
  bool ReadTagged(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
                  const std::string& path);
  bool ReadComponent(const Field& field, const yaml::Node& node, ComponentRef* target,
                     const std::string& path);
  /// How well a node suits a type; below 0: not at all.
  int Fit(const TypeOps& ops, const Field& field, const yaml::Node& node) const;

  // reader.cc
  bool ReadList(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
                const std::string& path);
  bool ReadMap(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
               const std::string& path);
  const Field* ShortField(const Spec& spec) const;
  /// False when no part has such a field.
  bool ReadEntry(const yaml::Entry& entry, const std::vector<Part>& parts, const std::string& path,
                 std::vector<Given>& given);
  void FillColumn(const Part& part, size_t index, std::vector<Given>& given);
  void CheckFields(const yaml::Node& node, const std::vector<Part>& parts,
                   const std::vector<Given>& given, const std::vector<std::string>& misspelt,
                   const std::string& path, bool clean);
  bool Applies(const Field& field, const Part& part) const;
  void CheckGroups(const yaml::Node& node, const Part& part, size_t index,
                   const std::vector<Given>& given, const std::string& path);
  void CheckRules(const yaml::Node& node, const Part& part, const std::string& path);

  // Faults. `node` gives the place.
  void Add(Error error, const yaml::Node& node);
  void WrongType(const TypeOps& ops, const Field& field, const yaml::Node& node,
                 const std::string& path, std::string hint = {});
  void BadOption(const Field& field, const Options& options, const yaml::Node& node,
                 const std::string& path);
  /// "model 'churn'", or "'budget' of model 'churn'".
  std::string SubjectAt(const std::string& path) const;
  size_t ErrorCount() const { return context_.diagnostics->ErrorCount(); }

  const ParseContext& context_;
  FieldPlaces* places_;
  Texts* unexpanded_;
  bool pending_ = false;
};

}  // namespace headrace::spec
