#pragma once
// Unit tests of a project: tests/*.yml. One SQL node, given rows for what it reads, the rows that
// must come out. They run in the sealed instance on tables of their own: no snapshot is read, none
// is written.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/diagnostics.h"
#include "base/result.h"
#include "data/instances.h"
#include "yaml/node.h"

namespace headrace::pipeline {

class Project;

/// A value as it stands in the file, to be cast to its column's type.
struct TestCell {
  std::string column;
  std::optional<std::string> text;  ///< nullopt = NULL
  bool list = false;                ///< a list or map, as DuckDB writes it
  Place place;
};

struct TestRow {
  std::vector<TestCell> cells;
  Place place;
};

/// Rows of a node: in the file, or in a CSV file beside it.
struct TestTable {
  std::string node;  ///< "" for `expect`
  std::string csv;   ///< as written; relative to tests/
  std::vector<TestRow> rows;
  Place place;
};

struct UserTest {
  std::string name;  ///< file stem
  std::string file;
  std::string node;
  std::string description;
  std::map<std::string, TestCell> params;
  std::vector<TestTable> given;
  TestTable expect;
  std::shared_ptr<const yaml::Source> source;
};

/// The fields of a file of tests/: name and meaning.
const std::vector<std::pair<std::string, std::string>>& UserTestFields();

/// JSON Schema of such a file.
std::string UserTestJsonSchema();

/// Reads tests/*.yml of a loaded project; everything that can be said without running them goes to
/// `diagnostics`: unknown nodes and columns, values that don't fit their column.
std::vector<UserTest> ParseUserTests(const Project& project, Diagnostics& diagnostics);

struct UserTestResult {
  std::string test, node, file;
  bool passed = false;
  int64_t expected = 0, as_expected = 0, missing = 0, unexpected = 0, changed = 0;
  std::string diff;            ///< for people; empty when it passed
  std::optional<Error> error;  ///< the node could not be run
  /// The file with `expect` as it came out; set when asked for and it differs.
  std::optional<std::string> updated;
};

struct UserTestOptions {
  data::Instances* instances = nullptr;
  CancelToken cancel;
  Timestamp now = 0;    ///< $run_time, unless the test's params say otherwise
  bool update = false;  ///< fill in `updated`
};
UserTestResult RunUserTest(const Project& project, const UserTest& test,
                           const UserTestOptions& options);

/// `source` with the rows of `expect` replaced by these lines ("{a: 1}"). Everything else stays as
/// it is, comments too.
std::string ReplaceExpect(const yaml::Source& source, const std::vector<std::string>& rows);

}  // namespace headrace::pipeline
