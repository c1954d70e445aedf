// From tests/*.yml to UserTest, with all faults at once.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/suggest.h"
#include "pipeline/project.h"
#include "pipeline/user_test.h"
#include "spec/parse.h"

namespace headrace::pipeline {
namespace {

constexpr size_t kMostRows = 10'000;

class Parser {
 public:
  Parser(const Project& project, const config::LoadedTest& loaded, Diagnostics& diagnostics)
      : project_(project), yaml_(loaded.yaml), diagnostics_(diagnostics) {
    test_.file = loaded.path;
    test_.name = BaseName(loaded.path);
    test_.name = test_.name.substr(0, test_.name.rfind('.'));
    test_.source = yaml_.source;
  }

  UserTest Parse() {
    if (!yaml_.IsMap()) {
      Add("bad_test", "a test is a map of 'test', 'given' and 'expect'", yaml_);
      return std::move(test_);
    }
    std::vector<std::string> fields;
    for (const auto& [name, meaning] : UserTestFields()) fields.push_back(name);
    for (const yaml::Entry& entry : yaml_.entries) {
      if (std::find(fields.begin(), fields.end(), entry.key.text) != fields.end()) continue;
      Add("unknown_field", "a test has no field '" + entry.key.text + "'", entry.key)
          .Subject(entry.key.text)
          .Candidates(Suggest(entry.key.text, fields))
          .Hint(fmt::format("its fields: {}", fmt::join(fields, ", ")));
    }
    Subject();
    if (const yaml::Node* text = yaml_.Find("description")) test_.description = text->text;
    Params();
    Given();
    Expect();
    return std::move(test_);
  }

 private:
  Error& Add(const char* code, std::string message, const yaml::Node& at) {
    found_.push_back(UserError(code, std::move(message)).At(yaml::PlaceOf(at)));
    return found_.back();
  }

  void Subject() {
    const yaml::Node* subject = yaml_.Find("test");
    if (subject == nullptr || !subject->IsScalar()) {
      Add("missing_field", "a test needs the field 'test'", subject == nullptr ? yaml_ : *subject)
          .Hint("add 'test: NODE': the SQL node that is tested");
      return;
    }
    test_.node = subject->text;
    node_ = Find(*subject);
    if (node_ == nullptr) return;
    if (node_->kind != "sql") {
      Add("not_testable",
          "'" + test_.node + "' is a " + node_->kind + ", only SQL nodes are tested", *subject)
          .Subject(test_.node);
      node_ = nullptr;
    }
  }

  const Node* Find(const yaml::Node& name) {
    const Node* node = project_.FindNode(name.text);
    if (node != nullptr || project_.loaded().nodes.count(name.text) > 0) return node;
    std::vector<std::string> names;
    for (const Node& other : project_.nodes()) names.push_back(other.name);
    Add("unknown_node", "there is no node '" + name.text + "'", name)
        .Subject(name.text)
        .Candidates(Suggest(name.text, names));
    return nullptr;
  }

  void Params() {
    const yaml::Node* params = yaml_.Find("params");
    if (params == nullptr || params->IsNull()) return;
    if (!params->IsMap()) {
      Add("wrong_type", "'params' is a map of names and values", *params);
      return;
    }
    const auto& known = project_.settings().params;
    for (const yaml::Entry& entry : params->entries) {
      const std::string& name = entry.key.text;
      TestCell cell = Cell(name, entry.value);
      const auto found = known.find(name);
      if (found == known.end() && !config::IsReservedParam(name)) {
        std::vector<std::string> names;
        for (const auto& [one, unused] : known) names.push_back(one);
        Add("unknown_param", "there is no parameter '" + name + "'", entry.key)
            .Subject(name)
            .Candidates(Suggest(name, names))
            .Hint("'params:' of headrace.yml declares them");
        continue;
      }
      const auto type = found == known.end() ? config::ParamType::kTimestamp : found->second.type;
      auto value = config::ParseParam(type, cell.text.value_or(""));
      if (!value.ok()) {
        Error error = std::move(value).error();
        found_.push_back(std::move(error.At(yaml::PlaceOf(entry.value))));
        continue;
      }
      test_.params[name] = std::move(cell);
    }
  }

  /// Nodes that a given table can stand for: what the node reads, directly or through views.
  std::vector<std::string> Readable() const {
    std::set<std::string> names;
    if (node_ == nullptr) return {};
    std::vector<int> open = node_->inputs;
    while (!open.empty()) {
      const Node& input = project_.nodes()[open.back()];
      const int index = open.back();
      open.pop_back();
      if (input.kind == "check" || !names.insert(input.name).second) continue;
      (void)index;
      if (input.view) open.insert(open.end(), input.inputs.begin(), input.inputs.end());
    }
    return {names.begin(), names.end()};
  }

  void Given() {
    const yaml::Node* given = yaml_.Find("given");
    if (given == nullptr || given->IsNull()) return;
    if (!given->IsMap()) {
      Add("wrong_type", "'given' is a map of nodes and their rows", *given);
      return;
    }
    const auto readable = Readable();
    for (const yaml::Entry& entry : given->entries) {
      const Node* node = Find(entry.key);
      const bool reads =
          std::find(readable.begin(), readable.end(), entry.key.text) != readable.end();
      if (node != nullptr && node_ != nullptr && !reads) {
        Add("not_read", "'" + test_.node + "' does not read '" + entry.key.text + "'", entry.key)
            .Subject(entry.key.text)
            .Hint("it reads " +
                  (readable.empty() ? "nothing" : fmt::format("{}", fmt::join(readable, ", "))));
      }
      const data::Schema* schema = node != nullptr && node->schema ? &*node->schema : nullptr;
      test_.given.push_back(Table(entry.key.text, entry.value, schema, entry.key.text));
    }
  }

  void Expect() {
    const yaml::Node* expect = yaml_.Find("expect");
    if (expect == nullptr) {
      Add("missing_field", "a test needs the field 'expect'", yaml_)
          .Hint("list the rows that must come out: expect: [{id: 1}]; [] for none");
      return;
    }
    const data::Schema* schema = node_ != nullptr && node_->schema ? &*node_->schema : nullptr;
    test_.expect = Table("", *expect, schema, test_.node);
  }

  TestTable Table(const std::string& name, const yaml::Node& yaml, const data::Schema* schema,
                  const std::string& owner) {
    TestTable table;
    table.node = name;
    table.place = yaml::PlaceOf(yaml);
    if (yaml.IsNull()) return table;
    if (yaml.IsMap()) {
      const yaml::Node* csv = yaml.Find("csv");
      if (csv != nullptr && csv->IsScalar() && yaml.entries.size() == 1) {
        table.csv = csv->text;
        table.place = yaml::PlaceOf(*csv);
        CheckFile(table);
        return table;
      }
    }
    if (!yaml.IsList()) {
      Add("wrong_type",
          fmt::format("expected a list of rows or {{csv: FILE}}, found {}", yaml::Describe(yaml)),
          yaml)
          .Hint("write rows as maps: [{id: 1, name: ann}]");
      return table;
    }
    if (yaml.items.size() > kMostRows) {
      Add("too_large", fmt::format("{} rows are too many for a test", yaml.items.size()), yaml);
      return table;
    }
    for (const yaml::Node& item : yaml.items) {
      if (!item.IsMap()) {
        Add("wrong_type", "a row is a map of columns and values, this is " + yaml::Describe(item),
            item);
        continue;
      }
      TestRow row;
      row.place = yaml::PlaceOf(item);
      for (const yaml::Entry& entry : item.entries) {
        if (schema != nullptr) CheckCell(entry, *schema, owner);
        row.cells.push_back(Cell(entry.key.text, entry.value));
      }
      table.rows.push_back(std::move(row));
    }
    return table;
  }

  void CheckFile(const TestTable& table) {
    auto path = config::ResolvePath(project_.root(), JoinPath("tests", table.csv), "", table.place);
    if (!path.ok()) {
      found_.push_back(std::move(path).error());
    } else if (!RealFileSystem().Exists(*path)) {
      found_.push_back(UserError("missing_file", "there is no file 'tests/" + table.csv + "'")
                           .At(table.place)
                           .Subject(table.csv)
                           .Hint("fixtures are looked for beneath tests/"));
    }
  }

  void CheckCell(const yaml::Entry& entry, const data::Schema& schema, const std::string& owner) {
    const data::Column* column = schema.Find(entry.key.text);
    if (column == nullptr) {
      Add("unknown_column", "'" + owner + "' has no column '" + entry.key.text + "'", entry.key)
          .Subject(entry.key.text)
          .Candidates(Suggest(entry.key.text, schema.Names()));
      return;
    }
    const std::string expected = WhyNot(column->type, entry.value);
    if (expected.empty()) return;
    Add("type_mismatch",
        fmt::format(
            "column '{}' of '{}' is {}; expected {}, found {}", column->name, owner, column->type,
            expected,
            entry.value.IsScalar() ? "'" + entry.value.text + "'" : yaml::Describe(entry.value)),
        entry.value)
        .Subject(column->name);
  }

  /// What a value of the type would look like; "" when this is one, or may be.
  static std::string WhyNot(const std::string& type, const yaml::Node& value) {
    using data::TypeClass;
    if (value.IsNull()) return "";
    const TypeClass type_class = data::ClassOf(type);
    const bool scalar = value.IsScalar();
    if (data::IsNumber(type_class)) {
      const bool whole = type_class == TypeClass::kInteger;
      const bool number = scalar && (whole ? yaml::AsInt(value).has_value() ||
                                                 (yaml::AsDouble(value) && value.text.size() > 18)
                                           : yaml::AsDouble(value).has_value());
      return number ? "" : whole ? "a whole number" : "a number";
    }
    if (type_class == TypeClass::kBoolean) {
      return scalar && yaml::AsBool(value) ? "" : "true or false";
    }
    if (type_class == TypeClass::kDate || type_class == TypeClass::kTimestamp) {
      return scalar && ParseTimestamp(value.text).ok() ? "" : "a date like 2026-01-31";
    }
    if (type_class == TypeClass::kText) return scalar ? "" : "text";
    return "";
  }

  static TestCell Cell(const std::string& column, const yaml::Node& value) {
    TestCell cell;
    cell.column = column;
    cell.place = yaml::PlaceOf(value);
    if (!value.IsNull()) cell.text = Literal(value, false);
    cell.list = value.IsList() || value.IsMap();
    return cell;
  }

  /// As DuckDB reads it when it casts a text.
  static std::string Literal(const yaml::Node& value, bool inside) {
    if (value.IsNull()) return "NULL";
    if (value.IsScalar()) {
      if (!inside || yaml::TypeOf(value) != yaml::ScalarType::kString) return value.text;
      std::string text = "'";
      for (const char c : value.text) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
      }
      return text + "'";
    }
    std::string text;
    for (const yaml::Node& item : value.items) {
      text += (text.empty() ? "" : ", ") + Literal(item, true);
    }
    if (value.IsList()) return "[" + text + "]";
    for (const yaml::Entry& entry : value.entries) {
      text += (text.empty() ? "'" : ", '") + entry.key.text + "': " + Literal(entry.value, true);
    }
    return "{" + text + "}";
  }

 public:
  void Report() {
    for (Error& error : found_) diagnostics_.Add(std::move(error));
  }

 private:
  const Project& project_;
  const yaml::Node& yaml_;
  Diagnostics& diagnostics_;
  std::vector<Error> found_;
  UserTest test_;
  const Node* node_ = nullptr;
};

}  // namespace

std::vector<UserTest> ParseUserTests(const Project& project, Diagnostics& diagnostics) {
  std::vector<UserTest> tests;
  for (const auto& loaded : project.loaded().tests) {
    Parser parser(project, loaded, diagnostics);
    tests.push_back(parser.Parse());
    parser.Report();
  }
  return tests;
}

}  // namespace headrace::pipeline
