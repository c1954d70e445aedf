// Runs a test: given rows become temporary tables, the node's own text runs over them, what comes
// out is compared as a bag of rows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text_table.h"
#include "data/quote.h"
#include "pipeline/build_context.h"
#include "pipeline/project.h"
#include "pipeline/user_test.h"
#include "spec/value.h"
#include "sql/compose.h"

namespace headrace::pipeline {
namespace {

using data::QuoteIdentifier;
using data::QuoteLiteral;
using data::Value;

constexpr size_t kShownRows = 20;
constexpr double kTolerance = 1e-9;

bool SameValue(const Value& a, const Value& b) {
  const auto number = [](const Value& v) { return std::get_if<double>(&v.value); };
  const double* x = number(a);
  const double* y = number(b);
  if (x == nullptr || y == nullptr) return a == b;
  if (std::isnan(*x) || std::isnan(*y)) return std::isnan(*x) && std::isnan(*y);
  if (*x == *y) return true;
  const double scale = std::max({1.0, std::abs(*x), std::abs(*y)});
  return std::abs(*x - *y) <= kTolerance * scale;
}

/// A value as YAML. Texts that would be read as something else are quoted.
std::string Yaml(const Value& value) {
  if (value.is_null()) return "null";
  if (const auto* text = std::get_if<std::string>(&value.value)) {
    const yaml::Node plain = yaml::MakeScalar(*text, false);
    const bool safe = !text->empty() &&
                      text->find_first_not_of(
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                          "wxyz0123456789_.-+ ") == std::string::npos &&
                      text->front() != ' ' && text->front() != '-' && text->back() != ' ' &&
                      yaml::TypeOf(plain) == yaml::ScalarType::kString;
    return safe ? *text : spec::ToJson(spec::Value(*text));
  }
  return value.Text();
}

/// A row that should come out: the columns it lists, by their index in the result.
struct Expected {
  std::vector<std::pair<size_t, Value>> cells;
};

class Runner {
 public:
  Runner(const Project& project, const UserTest& test, const UserTestOptions& options)
      : project_(project), test_(test), options_(options) {
    result_.test = test.name;
    result_.node = test.node;
    result_.file = test.file;
  }

  UserTestResult Run() {
    Status status = Try();
    if (!status.ok()) {
      result_.error = std::move(status).error();
      if (result_.error->place.file.empty()) result_.error->place.file = test_.file;
    }
    return std::move(result_);
  }

 private:
  Status Try() {
    node_ = project_.FindNode(test_.node);
    if (node_ == nullptr) return InternalError("no node '" + test_.node + "'");
    HR_ASSIGN(auto instance, options_.instances->Deterministic());
    HR_ASSIGN(auto connection, instance->Connect());
    HR_TRY(MakeTables(connection));
    HR_TRY(RunNode(connection));
    HR_TRY(ReadExpected(connection));
    Compare();
    return Ok();
  }

  const TestTable* GivenFor(const std::string& name) const {
    for (const TestTable& table : test_.given) {
      if (table.node == name) return &table;
    }
    return nullptr;
  }

  /// Tables for what the node reads; views that are not given are read as they are written.
  Status MakeTables(data::DuckConnection& connection) {
    std::vector<int> open = node_->inputs;
    std::set<int> views, seen;
    while (!open.empty()) {
      const int index = open.back();
      open.pop_back();
      const Node& input = project_.nodes()[index];
      if (!seen.insert(index).second || input.kind == "check") continue;
      const TestTable* given = GivenFor(input.name);
      if (given == nullptr && input.view) {
        views.insert(index);
        open.insert(open.end(), input.inputs.begin(), input.inputs.end());
        continue;
      }
      if (given == nullptr && !input.schema && !node_->ReadsRowsOf(index)) continue;
      HR_TRY(MakeTable(connection, input, given));
    }
    for (int index : views) {
      const Node& view = project_.nodes()[index];
      views_.push_back({view.name, view.text});
      parameter_names_.insert(view.select.parameter_names.begin(),
                              view.select.parameter_names.end());
    }
    return Ok();
  }

  Status MakeTable(data::DuckConnection& connection, const Node& input, const TestTable* given) {
    TestTable table;
    if (given != nullptr) {
      HR_ASSIGN(table, Rows(*given));
    }
    data::Schema schema = input.schema ? *input.schema : Guess(table);
    if (schema.columns.empty()) {
      return UserError("unknown_columns", "the columns of '" + input.name + "' are not known yet")
          .At(given == nullptr ? Place{.file = test_.file} : given->place)
          .Hint("run it once, declare them under 'columns:', or give a row with all of them");
    }
    return Fill(connection, input.name, schema, table);
  }

  /// Of an input whose columns nobody knows: types by the looks of the values.
  static data::Schema Guess(const TestTable& table) {
    data::Schema schema;
    for (const TestRow& row : table.rows) {
      for (const TestCell& cell : row.cells) {
        if (schema.Find(cell.column) != nullptr) continue;
        const yaml::Node plain = yaml::MakeScalar(cell.text.value_or(""), false);
        const auto type = yaml::TypeOf(plain);
        schema.columns.push_back({cell.column,
                                  type == yaml::ScalarType::kInt     ? "BIGINT"
                                  : type == yaml::ScalarType::kFloat ? "DOUBLE"
                                  : type == yaml::ScalarType::kBool  ? "BOOLEAN"
                                                                     : "VARCHAR",
                                  true});
      }
    }
    return schema;
  }

  Status Fill(data::DuckConnection& connection, const std::string& name, const data::Schema& schema,
              const TestTable& table) {
    std::string columns;
    for (const data::Column& column : schema.columns) {
      columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", QuoteIdentifier(column.name),
                             column.type);
    }
    HR_TRY(connection.Execute(
        fmt::format("CREATE TEMP TABLE {} ({})", QuoteIdentifier(name), columns)));
    for (const TestRow& row : table.rows) {
      std::string names, values;
      for (const TestCell& cell : row.cells) {
        const data::Column* column = schema.Find(cell.column);
        if (column == nullptr) {
          return UserError("unknown_column", "'" + (table.node.empty() ? test_.node : table.node) +
                                                 "' has no column '" + cell.column + "'")
              .At(cell.place)
              .Subject(cell.column);
        }
        names += (names.empty() ? "" : ", ") + QuoteIdentifier(column->name);
        values += (values.empty() ? "" : ", ") + Literal(cell, column->type);
      }
      if (names.empty()) {
        names = QuoteIdentifier(schema.columns[0].name);
        values = "NULL";
      }
      auto inserted = connection.Execute(
          fmt::format("INSERT INTO {} ({}) VALUES ({})", QuoteIdentifier(name), names, values));
      if (!inserted.ok()) return BadCell(connection, row, schema, std::move(inserted).error());
    }
    return Ok();
  }

  static std::string Literal(const TestCell& cell, const std::string& type) {
    if (!cell.text) return "NULL";
    return fmt::format("CAST({} AS {})", QuoteLiteral(*cell.text), type);
  }

  /// Which value of the row it was.
  static Error BadCell(data::DuckConnection& connection, const TestRow& row,
                       const data::Schema& schema, Error error) {
    for (const TestCell& cell : row.cells) {
      const data::Column* column = schema.Find(cell.column);
      if (column == nullptr || !cell.text) continue;
      if (connection.Query("SELECT " + Literal(cell, column->type)).ok()) continue;
      return UserError("type_mismatch", fmt::format("column '{}' is {}: '{}' is no such value",
                                                    cell.column, column->type, *cell.text))
          .At(cell.place)
          .Subject(cell.column);
    }
    error.place = row.place;
    return error;
  }

  /// The rows of a fixture, or those of the file itself.
  Result<TestTable> Rows(const TestTable& table) {
    if (table.csv.empty()) return table;
    HR_ASSIGN(std::string path,
              config::ResolvePath(project_.root(), JoinPath("tests", table.csv), "", table.place));
    HR_ASSIGN(auto instance, options_.instances->Open());
    HR_ASSIGN(auto connection, instance->Connect());
    auto read = connection.Query(
        fmt::format("SELECT * FROM read_csv({}, all_varchar = true, header = true, nullstr = '') "
                    "LIMIT 100000",
                    QuoteLiteral(path)));
    if (!read.ok()) {
      return DataError("bad_fixture",
                       "'tests/" + table.csv + "' can't be read as CSV: " + read.error().message)
          .At(table.place);
    }
    TestTable rows = table;
    int line = 2;
    for (auto& values : read->rows) {
      TestRow row;
      row.place.file = "tests/" + table.csv;
      row.place.line = line++;
      for (size_t c = 0; c < values.size(); ++c) {
        TestCell cell;
        cell.column = read->schema.columns[c].name;
        if (!values[c].is_null()) cell.text = values[c].Text();
        cell.place = row.place;
        row.cells.push_back(std::move(cell));
      }
      rows.rows.push_back(std::move(row));
    }
    return rows;
  }

  Result<data::Parameters> Parameters() {
    parameter_names_.insert(node_->select.parameter_names.begin(),
                            node_->select.parameter_names.end());
    data::Parameters used;
    for (data::Parameter& parameter : project_.Parameters(options_.now)) {
      if (parameter_names_.count(parameter.name) == 0) continue;
      const auto given = test_.params.find(parameter.name);
      if (given != test_.params.end()) parameter.text = given->second.text;
      parameter_names_.erase(parameter.name);
      used.push_back(std::move(parameter));
    }
    for (const std::string& name : parameter_names_) {
      const auto given = test_.params.find(name);
      if (given == test_.params.end()) {
        return UserError("missing_param", "the test gives no value for $" + name)
            .At({.file = test_.file})
            .Hint("add it under 'params:'");
      }
      used.push_back({name, "TIMESTAMP", given->second.text});
    }
    return used;
  }

  Status RunNode(data::DuckConnection& connection) {
    const sql::ComposedQuery query = sql::ComposeQuery(node_->text, views_);
    HR_ASSIGN(data::Parameters parameters, Parameters());
    data::QueryOptions options;
    options.cancel = options_.cancel;
    auto rows = connection.Query(query.text, parameters, options);
    if (!rows.ok()) return sql::PlaceError(std::move(rows).error(), query);
    actual_ = std::move(*rows);
    return Ok();
  }

  /// The expected rows go through the types of the result, so that 1, 1.0 and '1' mean the same.
  Status ReadExpected(data::DuckConnection& connection) {
    HR_ASSIGN(TestTable table, Rows(test_.expect));
    data::Schema listed;
    for (const TestRow& row : table.rows) {
      for (const TestCell& cell : row.cells) {
        const data::Column* column = actual_.schema.Find(cell.column);
        if (column == nullptr) {
          return UserError("unknown_column",
                           "'" + test_.node + "' has no column '" + cell.column + "'")
              .At(cell.place)
              .Subject(cell.column);
        }
        if (listed.Find(cell.column) == nullptr) listed.columns.push_back(*column);
      }
    }
    for (const data::Column& column : listed.columns) {
      columns_.push_back(static_cast<size_t>(actual_.schema.IndexOf(column.name)));
    }
    if (table.rows.empty() || listed.columns.empty()) {
      for (size_t c = 0; c < actual_.schema.size(); ++c) columns_.push_back(c);
      expected_.resize(table.rows.size());
      return Ok();
    }
    HR_TRY(Fill(connection, "hr_expected", listed, table));
    HR_ASSIGN(auto rows, connection.Query("SELECT * FROM hr_expected"));
    for (size_t r = 0; r < rows.size(); ++r) {
      Expected expected;
      for (const TestCell& cell : table.rows[r].cells) {
        const auto c = static_cast<size_t>(listed.IndexOf(cell.column));
        expected.cells.emplace_back(columns_[c], rows.at(r, c));
      }
      expected_.push_back(std::move(expected));
    }
    return Ok();
  }

  size_t Agreeing(const Expected& expected, size_t row) const {
    size_t same = 0;
    for (const auto& [column, value] : expected.cells) {
      same += SameValue(value, actual_.at(row, column)) ? 1 : 0;
    }
    return same;
  }

  /// Rows that list fewer columns fit more rows of the result: those that list most choose first.
  void Compare() {
    std::vector<size_t> order(expected_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return expected_[a].cells.size() > expected_[b].cells.size();
    });
    match_.assign(expected_.size(), -1);
    taken_.assign(actual_.size(), false);
    Assign(order, /*exact=*/true);
    int64_t exact = 0;
    for (int match : match_) exact += match >= 0 ? 1 : 0;
    Assign(order, /*exact=*/false);
    result_.expected = static_cast<int64_t>(expected_.size());
    result_.as_expected = exact;
    for (size_t i = 0; i < match_.size(); ++i) result_.missing += match_[i] < 0 ? 1 : 0;
    result_.changed = result_.expected - exact - result_.missing;
    result_.unexpected = std::count(taken_.begin(), taken_.end(), false);
    result_.passed = exact == result_.expected && result_.unexpected == 0;
    if (result_.passed) return;
    result_.diff = Diff();
    if (options_.update) Update();
  }

  void Assign(const std::vector<size_t>& order, bool exact) {
    for (size_t i : order) {
      if (match_[i] >= 0) continue;
      size_t best = 0;
      int found = -1;
      for (size_t row = 0; row < taken_.size(); ++row) {
        if (taken_[row]) continue;
        const size_t same = Agreeing(expected_[i], row);
        const bool fits = exact ? same == expected_[i].cells.size() : same > best;
        if (!fits) continue;
        best = same;
        found = static_cast<int>(row);
        if (exact) break;
      }
      if (found < 0) continue;
      match_[i] = found;
      taken_[static_cast<size_t>(found)] = true;
    }
  }

  std::vector<std::string> Line(const char* word) const { return {word}; }

  std::string Diff() const {
    std::vector<std::string> header = {""};
    for (size_t c : columns_) header.push_back(actual_.schema.columns[c].name);
    TextTable table(header);
    size_t shown = 0, hidden = 0;
    const auto add = [&](std::vector<std::string> line) {
      if (++shown > kShownRows) {
        ++hidden;
      } else {
        table.AddRow(std::move(line));
      }
    };
    for (size_t i = 0; i < expected_.size(); ++i) {
      const auto row = static_cast<size_t>(std::max(match_[i], 0));
      if (match_[i] >= 0 && Agreeing(expected_[i], row) == expected_[i].cells.size()) continue;
      std::vector<std::string> line = {match_[i] < 0 ? "missing" : "changed"};
      for (size_t c : columns_) line.push_back(CellText(expected_[i], match_[i], c));
      add(std::move(line));
    }
    for (size_t row = 0; row < taken_.size(); ++row) {
      if (taken_[row]) continue;
      std::vector<std::string> line = {"unexpected"};
      for (size_t c : columns_) line.push_back(actual_.at(row, c).Text());
      add(std::move(line));
    }
    std::string text = table.Render({});
    if (hidden > 0) text += fmt::format("… and {} more\n", hidden);
    return text;
  }

  std::string CellText(const Expected& expected, int match, size_t column) const {
    for (const auto& [c, value] : expected.cells) {
      if (c != column) continue;
      if (match < 0) return value.Text();
      const Value& actual = actual_.at(static_cast<size_t>(match), column);
      return SameValue(value, actual) ? value.Text() : value.Text() + " → " + actual.Text();
    }
    return match < 0 ? "" : actual_.at(static_cast<size_t>(match), column).Text();
  }

  /// Rows in the order of the file as far as they have a counterpart, then the others.
  void Update() {
    if (!test_.expect.csv.empty() || test_.source == nullptr) return;
    std::vector<std::string> lines;
    const auto add = [&](size_t row, const std::vector<size_t>& columns) {
      std::string line;
      for (size_t c : columns) {
        line += fmt::format("{}{}: {}", line.empty() ? "" : ", ", actual_.schema.columns[c].name,
                            Yaml(actual_.at(row, c)));
      }
      lines.push_back("{" + line + "}");
    };
    for (size_t i = 0; i < expected_.size(); ++i) {
      if (match_[i] < 0) continue;
      std::vector<size_t> columns;
      for (const auto& [c, unused] : expected_[i].cells) columns.push_back(c);
      add(static_cast<size_t>(match_[i]), columns.empty() ? columns_ : columns);
    }
    for (size_t row = 0; row < taken_.size(); ++row) {
      if (!taken_[row]) add(row, columns_);
    }
    result_.updated = ReplaceExpect(*test_.source, lines);
  }

  const Project& project_;
  const UserTest& test_;
  const UserTestOptions& options_;
  UserTestResult result_;
  const Node* node_ = nullptr;
  std::vector<sql::View> views_;
  std::set<std::string> parameter_names_;
  data::Rows actual_;
  std::vector<size_t> columns_;     ///< of the result, that are compared and shown
  std::vector<Expected> expected_;  ///< in the order of the file
  std::vector<int> match_;          ///< by expected row: the row of the result, or -1
  std::vector<bool> taken_;         ///< by row of the result
};

}  // namespace

UserTestResult RunUserTest(const Project& project, const UserTest& test,
                           const UserTestOptions& options) {
  return Runner(project, test, options).Run();
}

std::string ReplaceExpect(const yaml::Source& source, const std::vector<std::string>& rows) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < source.text.size();) {
    const size_t end = std::min(source.text.find('\n', begin), source.text.size());
    lines.push_back(source.text.substr(begin, end - begin));
    begin = end + 1;
  }
  size_t first = 0;
  while (first < lines.size() && !lines[first].starts_with("expect:")) ++first;
  // The value ends where a line begins a new key; blank lines and comments before that stay.
  size_t last = first + 1;
  while (last < lines.size() &&
         (lines[last].empty() || lines[last][0] == ' ' || lines[last][0] == '-' ||
          lines[last][0] == '#' || lines[last][0] == ']')) {
    ++last;
  }
  while (last > first + 1 && (lines[last - 1].find_first_not_of(' ') == std::string::npos ||
                              lines[last - 1][0] == '#')) {
    --last;
  }
  std::string text;
  for (size_t i = 0; i < first; ++i) text += lines[i] + "\n";
  text += rows.empty() ? "expect: []\n" : "expect:\n";
  for (const std::string& row : rows) text += "  - " + row + "\n";
  for (size_t i = last; i < lines.size(); ++i) text += lines[i] + "\n";
  return text;
}

}  // namespace headrace::pipeline
