#include "pipeline/interval_rules.h"

#include <algorithm>

#include "base/suggest.h"
#include "pipeline/project.h"

namespace headrace::pipeline {
namespace {

constexpr int64_t kHour = 3'600'000'000;

bool IsZero(const spec::Duration& duration) { return duration.months == 0 && duration.micros == 0; }

const SqlProperties* PropertiesOf(const spec::NodeSpec& spec) {
  return spec.options.spec == nullptr ? nullptr : &spec.options.As<SqlProperties>();
}

/// Any place at all: where the field stands, else where the node says that it is incremental.
Place PlaceOf(const spec::NodeSpec& spec, const std::string& field) {
  return spec.PlaceOf(spec.options.places.Has(field) ? field : "materialize");
}

Error Missing(const spec::NodeSpec& spec, const std::string& field, const std::string& why,
              const std::string& example) {
  return UserError("missing_field", "an incremental node needs '" + field + "': " + why)
      .At(PlaceOf(spec, "materialize"))
      .Node(spec.name)
      .Subject(field)
      .Hint("write '" + field + ": " + example + "'");
}

void LintNames(const Project& project, const Node& node, const std::string& field,
               const std::set<std::string>& names, Diagnostics& diagnostics) {
  std::vector<std::string> inputs;
  for (int index : project.TableInputs(node, Project::Reads::kRows))
    inputs.push_back(project.nodes()[index].name);
  for (const std::string& name : names) {
    if (std::find(inputs.begin(), inputs.end(), name) != inputs.end()) continue;
    diagnostics.Add(UserError("unknown_node", "'" + node.name + "' does not read '" + name + "'")
                        .At(PlaceOf(node.spec, field))
                        .Node(node.name)
                        .Subject(name)
                        .Candidates(Suggest(name, inputs)));
  }
}

void LintTime(const Node& node, Diagnostics& diagnostics) {
  const std::string& time = node.spec.common.time;
  if (time.empty() || node.kind == "model") return;
  const auto add = [&](Error error) {
    diagnostics.Add(std::move(error.At(node.spec.PlaceOf("time")).Node(node.name).Subject(time)));
  };
  if (!node.has_table) {
    return add(UserError("no_rows", node.view ? "'time' says nothing at a view, which keeps no rows"
                                              : "'time' says nothing at a node without rows")
                   .Hint(node.view ? "give it to the tables that the view reads" : ""));
  }
  if (!node.schema) return;
  const data::Column* column = node.schema->Find(time);
  if (column == nullptr) {
    return add(
        UserError("unknown_column", node.kind + " '" + node.name + "' has no column '" + time + "'")
            .Candidates(Suggest(time, node.schema->Names())));
  }
  if (!data::IsTime(column->type)) {
    add(UserError("column_type", "'time' needs a date or a timestamp; '" + time + "' of '" +
                                     node.name + "' is " + column->type)
            .Hint(node.kind == "sql" ? "cast it in " + node.file
                                     : "give its type under 'columns:', or cast it in a SQL node "
                                       "and read that"));
  }
}

}  // namespace

const spec::Spec& SqlPropertiesSpec() {
  using spec::Field;
  static const spec::Spec spec =
      spec::Spec{
          "sql",
          "",
          "Properties of a .sql file.",
          {Field("every", &SqlProperties::every,
                 "Length of the intervals of an incremental node: whole hours, days, weeks, months "
                 "or years, in UTC.")
               .Example("1 day"),
           Field("start", &SqlProperties::start, "Where the first interval begins, in UTC.")
               .Optional()
               .Affects(spec::Affects::kPolicy)
               .Example("2024-01-01"),
           Field("lookback", &SqlProperties::lookback,
                 "How far before $from an interval reads inputs that have a `time:`.")
               .Example("2 days"),
           Field("static", &SqlProperties::fixed,
                 "Inputs that are read whole and whose change makes no interval stale.")
               .Optional()
               .Node(),
           Field("whole", &SqlProperties::whole,
                 "Inputs that are read whole although they have a `time:`; a change of one makes "
                 "all intervals stale.")
               .Optional()
               .Node(),
           Field(
               "batch", &SqlProperties::batch,
               "How many neighbouring intervals one query builds; 1 if not said. Only for queries "
               "whose rows depend on nothing but their own interval.")
               .Range(1, 10'000)
               .Affects(spec::Affects::kPolicy)}}
          .Details(
              "With `materialize: incremental` the table is built in intervals `[$from, $to)` of "
              "its `time:`. Inputs that have a `time:` show rows of `[$from - lookback, $to)` "
              "only; "
              "all others are read whole. A change of rows makes those intervals stale that read "
              "them, however old; the interval that holds the present is built by every run; a "
              "changed definition makes all stale.");
  return spec;
}

std::optional<IntervalRules> ReadIntervalRules(const spec::NodeSpec& spec,
                                               Diagnostics& diagnostics) {
  bool sound = true;
  const auto add = [&](Error error) {
    diagnostics.Add(std::move(error.Node(spec.name)));
    sound = false;
  };
  IntervalRules rules;
  const SqlProperties none;
  const SqlProperties* properties = PropertiesOf(spec);
  if (properties == nullptr) properties = &none;
  rules.time = spec.common.time;
  if (rules.time.empty()) {
    add(Missing(spec, "time", "the column that says to which interval a row belongs", "day"));
  }
  if (!properties->every) {
    add(Missing(spec, "every", "the length of its intervals", "1 day"));
  } else {
    rules.every = *properties->every;
    const bool whole_hours = rules.every.micros % kHour == 0;
    if (IsZero(rules.every) || !whole_hours || (rules.every.months > 0 && rules.every.micros > 0)) {
      add(UserError("bad_value", "'every' takes whole hours, days, weeks, months or years, not '" +
                                     rules.every.text + "'")
              .At(spec.PlaceOf("every"))
              .Subject("every")
              .Hint("for example '1 hour', '1 day', '1 week', '3 months'"));
    }
  }
  if (properties->start.empty()) {
    add(Missing(spec, "start", "where the first interval begins", "2024-01-01"));
  } else if (auto start = ParseTimestamp(properties->start); !start.ok()) {
    add(UserError("bad_value", "'start' takes a date or a time, not '" + properties->start + "'")
            .At(spec.PlaceOf("start"))
            .Subject("start")
            .Hint("for example '2024-01-01' or '2024-01-01T06:00:00Z'"));
  } else {
    rules.start = *start;
  }
  if (properties->lookback) rules.lookback = *properties->lookback;
  rules.fixed.insert(properties->fixed.begin(), properties->fixed.end());
  rules.whole.insert(properties->whole.begin(), properties->whole.end());
  rules.batch = properties->batch.value_or(1);
  if (!sound) return std::nullopt;
  return rules;
}

void RefuseIntervalOptions(const spec::NodeSpec& spec, Diagnostics& diagnostics) {
  for (const char* field : {"every", "start", "lookback", "static", "whole", "batch"}) {
    if (!spec.options.places.Has(field)) continue;
    diagnostics.Add(UserError("unused_field", "'" + std::string(field) +
                                                  "' is for incremental nodes; '" + spec.name +
                                                  "' is not one")
                        .At(spec.options.places.Key(field))
                        .Node(spec.name)
                        .Subject(field)
                        .Hint("add 'materialize: incremental', or remove the line"));
  }
}

void LintIntervals(const Project& project, const Node& node, Diagnostics& diagnostics) {
  LintTime(node, diagnostics);
  if (!node.intervals) return;
  LintNames(project, node, "static", node.intervals->fixed, diagnostics);
  LintNames(project, node, "whole", node.intervals->whole, diagnostics);
  const auto& parameters = node.select.parameter_names;
  bool bounded = std::any_of(parameters.begin(), parameters.end(), [](const std::string& name) {
    return name == "from" || name == "to";
  });
  for (int index : project.TableInputs(node, Project::Reads::kRows)) {
    bounded = bounded || !WindowColumn(*node.intervals, project.nodes()[index]).empty();
  }
  if (!bounded && node.select.ok()) {
    diagnostics.Add(UserError("no_bounds", "every interval of '" + node.name +
                                               "' would have the same rows: it uses neither $from "
                                               "and $to nor an input with a 'time:'")
                        .At(PlaceOf(node.spec, "materialize"))
                        .Node(node.name)
                        .Hint("give an input its 'time:', or filter: WHERE " +
                              node.intervals->time + " >= $from AND " + node.intervals->time +
                              " < $to"));
  }
}

std::string WindowColumn(const IntervalRules& rules, const Node& input) {
  if (rules.fixed.contains(input.name) || rules.whole.contains(input.name)) return "";
  return input.has_table ? input.spec.common.time : "";
}

bool FeedsIntervals(const Project& project, const Node& node) {
  if (node.spec.common.time.empty() || !node.has_table) return false;
  return std::any_of(project.nodes().begin(), project.nodes().end(), [&](const Node& reader) {
    if (!reader.intervals || WindowColumn(*reader.intervals, node).empty()) return false;
    const auto inputs = project.TableInputs(reader, Project::Reads::kRows);
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](int index) { return project.nodes()[index].name == node.name; });
  });
}

}  // namespace headrace::pipeline
