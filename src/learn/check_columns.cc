#include "learn/check_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"

namespace headrace::learn {
namespace {

using model::InputClass;

class Checker {
 public:
  Checker(const ModelSpec& spec, const data::Schema& schema)
      : spec_(spec), schema_(schema), target_(schema.IndexOf(spec.target)) {}

  std::vector<ColumnFault> Run() && {
    Role("time", spec_.time);
    Role("group", spec_.group);
    Role("weight", spec_.weight);
    for (size_t i = 0; i < spec_.key.size(); ++i) Role(fmt::format("key[{}]", i), spec_.key[i]);
    Types();
    Features();
    return std::move(faults_);
  }

 private:
  void Add(const std::string& field, Error error) { faults_.push_back({field, std::move(error)}); }

  int At(const std::string& column) const { return column.empty() ? -1 : schema_.IndexOf(column); }
  InputClass ClassAt(int at) const {
    return model::InputClassOf(schema_.columns[static_cast<size_t>(at)].type);
  }

  /// What is to be predicted can't also say how: its value is not known for new rows.
  void Role(const std::string& field, const std::string& column) {
    if (target_ < 0 || At(column) != target_) return;
    const std::string name = field.substr(0, field.find('['));
    Add(field,
        UserError("target_as_" + name, fmt::format("model '{}' has its target '{}' as `{}:` too",
                                                   spec_.name, column, name))
            .Subject(column)
            .Hint("name another column, or leave it out: the target is what new rows lack"));
  }

  void Types() {
    if (const int at = At(spec_.time); at >= 0) {
      const InputClass c = ClassAt(at);
      if (c != InputClass::kDate && c != InputClass::kTimestamp) {
        Add("time",
            UserError("wrong_type", fmt::format("`time: {}` of model '{}' is {}; a date or a "
                                                "timestamp is needed",
                                                spec_.time, spec_.name,
                                                schema_.columns[static_cast<size_t>(at)].type))
                .Subject(spec_.time)
                .Hint(fmt::format("cast it in SQL: {}::TIMESTAMP", spec_.time)));
      }
    }
    if (const int at = At(spec_.weight); at >= 0 && ClassAt(at) != InputClass::kNumber) {
      Add("weight", UserError("wrong_type", fmt::format("`weight: {}` of model '{}' is no number",
                                                        spec_.weight, spec_.name))
                        .Subject(spec_.weight)
                        .Hint(fmt::format("it is {}; a weight is a number of 0 or more",
                                          schema_.columns[static_cast<size_t>(at)].type)));
    }
    for (const auto& [column, type] : spec_.features.types) {
      const int at = At(column);
      if (at < 0) continue;
      const std::string field = "features.types." + column;
      if (at == target_) {
        Add(field, TargetListed(column, "features.types"));
      } else if (auto role = RoleOf(spec_, column, type, ClassAt(at)); !role.ok()) {
        Add(field, std::move(role).error());
      }
    }
  }

  Error TargetListed(const std::string& column, const char* field) const {
    return UserError("target_as_feature", fmt::format("model '{}' lists its target '{}' under {}",
                                                      spec_.name, column, field))
        .Subject(column)
        .Hint("remove it: a model can't see what it is to predict");
  }

  void Features() {
    const FeatureSpec& wish = spec_.features;
    const auto excluded = [&](int at) {
      return std::any_of(wish.exclude.begin(), wish.exclude.end(),
                         [&](const std::string& name) { return At(name) == at; });
    };
    bool any = false, known = true;
    for (size_t i = 0; i < wish.include.size(); ++i) {
      const std::string& name = wish.include[i];
      const std::string field = fmt::format("features.include[{}]", i);
      const int at = At(name);
      known = known && at >= 0;
      if (at < 0) continue;
      if (at == target_) Add(field, TargetListed(name, "features.include"));
      any = any || !excluded(at);
    }
    if (wish.include.empty()) {
      for (int at = 0; at < static_cast<int>(schema_.size()); ++at) {
        const bool special = at == target_ || at == At(spec_.time) || at == At(spec_.group) ||
                             at == At(spec_.weight) ||
                             std::any_of(spec_.key.begin(), spec_.key.end(),
                                         [&](const std::string& key) { return At(key) == at; });
        any = any || (!special && !excluded(at));
      }
    }
    if (any || !known) return;
    Add(wish.exclude.empty() ? "from" : "features.exclude",
        UserError("no_features", fmt::format("model '{}' has no column to learn from", spec_.name))
            .Hint("add columns to the input, or list some under features.include"));
  }

  const ModelSpec& spec_;
  const data::Schema& schema_;
  const int target_;
  std::vector<ColumnFault> faults_;
};

}  // namespace

std::vector<ColumnFault> CheckColumns(const ModelSpec& spec, const data::Schema& schema) {
  return Checker(spec, schema).Run();
}

Result<FeatureRole> RoleOf(const ModelSpec& spec, const std::string& column,
                           const std::string& type, InputClass found) {
  const bool date = found == InputClass::kDate || found == InputClass::kTimestamp;
  if (type == "category") return FeatureRole::kCategory;
  if (type == "text" && found == InputClass::kText) return FeatureRole::kText;
  if (type == "number" || type == "boolean") {
    if (!date) return FeatureRole::kNumber;
  } else if (type == "date") {
    if (date || found == InputClass::kText || found == InputClass::kTime) return FeatureRole::kDate;
  } else if (type != "text") {
    return UserError("unknown_type",
                     fmt::format("features.types of model '{}': '{}' is no type of a feature",
                                 spec.name, type))
        .Subject(type)
        .Candidates(Suggest(type, {"number", "category", "boolean", "date", "text"}))
        .Hint("the types are number, category, boolean, date and text");
  }
  return UserError("wrong_type",
                   fmt::format("features.types of model '{}': '{}' can't be read as a "
                               "{}, it is a {}",
                               spec.name, column, type, model::Name(found)))
      .Subject(column);
}

}  // namespace headrace::learn
