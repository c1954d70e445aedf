#include "components/project_fixture.h"

namespace headrace::components {
namespace {

class ChecksTest : public ProjectTest {
 protected:
  void SetUp() override {
    ProjectTest::SetUp();
    Write("data/usage.csv",
          "id,day,plan,minutes,share\n"
          "1,2024-01-01,basic,10,0.5\n"
          "1,2024-01-02,pro,-5,nan\n"
          "2,,trial,2000,\n"
          "2,,,,0.25\n");
  }
  void Checks(const std::string& checks) {
    Write("pipeline/usage.yml", "source: csv\npath: data/usage.csv\n" + checks);
  }
  /// "id: failing rows: message" of every verdict.
  std::string Verdicts(const std::string& checks) {
    Checks(checks);
    Run();
    std::string text;
    for (const auto& verdict : Result("usage").verdicts) {
      text += verdict.check + ": " + std::to_string(verdict.failing_rows) +
              (verdict.message.empty() ? "" : ": " + verdict.message) + "\n";
    }
    return text;
  }
};

TEST_F(ChecksTest, Verdicts) {
  EXPECT_EQ(
      Verdicts("checks:\n"
               "  - not_null: id\n"
               "  - not_null: [day, plan]\n"
               "  - unique: id\n"
               "  - unique: [id, day]\n"
               "  - accepted: {column: plan, values: [basic, pro]}\n"
               "  - accepted: {column: minutes, values: [10, 2000, -5]}\n"
               "  - between: {column: minutes, min: 0, max: 1440}\n"
               "  - between: {column: minutes, min: 10, exclusive: true}\n"
               "  - between: {column: share, min: 0}\n"
               "  - between: {column: day, min: 2024-01-02}\n"
               "  - expression: minutes >= 0 and day is not null -- both\n"),
      "usage.not_null(id): 0\n"
      "usage.not_null(day, plan): 2: day: 2 values are missing, plan: 1 value is missing\n"
      "usage.unique(id): 2: id: 2 rows have a value that another row has already\n"
      "usage.unique(id, day): 0\n"
      "usage.accepted(plan): 1: plan: 1 value is not one of 'basic', 'pro'\n"
      "usage.accepted(minutes): 0\n"
      "usage.between(minutes): 2: minutes: 2 values are not at least 0 and at most 1440\n"
      "usage.between(minutes)#2: 2: minutes: 2 values are not above 10\n"
      "usage.between(share): 1: share: 1 value is not at least 0\n"
      "usage.between(day): 1: day: 1 value is not at least '2024-01-02'\n"
      "usage.expression(minutes >= 0 and day is not null -- both): 3: 3 rows break minutes >= 0 "
      "and day is not null -- both\n");
}

TEST_F(ChecksTest, ChecksOfColumns) {
  EXPECT_EQ(Verdicts("columns:\n"
                     "  id: {checks: [not_null, unique]}\n"
                     "  plan: {checks: [{accepted: [basic, pro, trial]}]}\n"
                     "  minutes: {checks: [{between: {min: -10}}]}\n"),
            "usage.not_null(id): 0\n"
            "usage.unique(id): 2: id: 2 rows have a value that another row has already\n"
            "usage.between(minutes): 0\n"
            "usage.accepted(plan): 0\n");
}

TEST_F(ChecksTest, Samples) {
  Verdicts("checks: [unique: id, {accepted: {column: plan, values: [basic]}}]\n");
  EXPECT_EQ(Result("usage").verdicts[0].sample, "id=1, rows=2\nid=2, rows=2");
  EXPECT_EQ(Result("usage").verdicts[1].sample, "plan=pro, rows=1\nplan=trial, rows=1");
}

TEST_F(ChecksTest, AppendedRowsAreJudgedWithTheOldOnes) {
  Write("data/usage.csv", "id\n1\n2\n");
  EXPECT_EQ(Verdicts("checks: [unique: id]\n"), "usage.unique(id): 0\n");
  Append("data/usage.csv", "3\n");
  Run();
  EXPECT_EQ(ErrorOf("usage"), "");
  EXPECT_EQ(FileCount("usage"), 2);
  Append("data/usage.csv", "1\n");
  Run();
  EXPECT_EQ(ErrorOf("usage"),
            "pipeline/usage.yml:3:10: error[check_failed]: a check failed, so the rows of 'usage' "
            "were not passed on\n"
            "    usage.unique(id): id: 1 row has a value that another row has already\n"
            "      id=1, rows=2\n"
            "  3 | checks: [unique: id]\n"
            "    |          ^^^^^^ the rows that were there before stay; correct the source or the "
            "check and run again\n"
            "  node: usage");
  EXPECT_EQ(Rows("usage"), "id=1\nid=2\nid=3\n");
}

TEST_F(ChecksTest, LintNamesWhatIsWrong) {
  Checks(
      "checks:\n"
      "  - not_null: [id, dday]\n"
      "  - unique: idd\n"
      "  - accepted: {column: minutes, values: [a, 1]}\n"
      "  - accepted: {column: plan, values: [1, null]}\n"
      "  - between: {column: plan, min: 0}\n"
      "  - between: {column: minutes, min: 5, max: 3}\n"
      "  - between: {column: day, min: soon}\n"
      "  - expression: minute > 0\n"
      "  - expression: minutes + 1\n"
      "  - expression: minutes >\n"
      "  - between: {column: minutes}\n");
  EXPECT_EQ(
      Load(),
      "pipeline/usage.yml:4:20: error[unknown_column]: 'usage' has no column 'dday'\n"
      "  4 |   - not_null: [id, dday]\n"
      "    |                    ^^^^ did you mean 'day'?\n"
      "  node: usage\n"
      "pipeline/usage.yml:5:13: error[unknown_column]: 'usage' has no column 'idd'\n"
      "  5 |   - unique: idd\n"
      "    |             ^^^ did you mean 'id'?\n"
      "  node: usage\n"
      "pipeline/usage.yml:6:42: error[type_mismatch]: column 'minutes' is BIGINT, so 'a' can't be "
      "compared with it; expected a number\n"
      "  6 |   - accepted: {column: minutes, values: [a, 1]}\n"
      "    |                                          ^\n"
      "  node: usage\n"
      "pipeline/usage.yml:7:39: error[type_mismatch]: column 'plan' is VARCHAR, so 1 can't be "
      "compared with it; expected text: put it in quotes\n"
      "  7 |   - accepted: {column: plan, values: [1, null]}\n"
      "    |                                       ^\n"
      "  node: usage\n"
      "pipeline/usage.yml:7:42: error[bad_value]: NULL passes this check: it needs no mention\n"
      "  7 |   - accepted: {column: plan, values: [1, null]}\n"
      "    |                                          ^^^^ leave it out; `not_null` is the check "
      "that refuses NULL\n"
      "  node: usage\n"
      "pipeline/usage.yml:8:34: error[type_mismatch]: column 'plan' is VARCHAR, so 0 can't be "
      "compared with it; expected text: put it in quotes\n"
      "  8 |   - between: {column: plan, min: 0}\n"
      "    |                                  ^\n"
      "  node: usage\n"
      "pipeline/usage.yml:9:37: error[bad_value]: check 'between' of source 'usage': min 5 is "
      "above max 3\n"
      "  9 |   - between: {column: minutes, min: 5, max: 3}\n"
      "    |                                     ^ no value can pass\n"
      "  node: usage\n"
      "pipeline/usage.yml:10:33: error[type_mismatch]: column 'day' is DATE, so 'soon' can't be "
      "compared with it; expected a date like 2026-01-31\n"
      "  10 |   - between: {column: day, min: soon}\n"
      "     |                                 ^^^^\n"
      "  node: usage\n"
      "pipeline/usage.yml:11:17: error[unknown_column]: 'usage' has no column 'minute'\n"
      "  11 |   - expression: minute > 0\n"
      "     |                 ^^^^^^ did you mean 'minutes'?\n"
      "  node: usage\n"
      "pipeline/usage.yml:12:17: error[not_boolean]: the condition gives BIGINT, not true or "
      "false\n"
      "  12 |   - expression: minutes + 1\n"
      "     |                 ^^^^^^^^^^^ compare it, for instance: amount > 0\n"
      "  node: usage\n"
      "pipeline/usage.yml:13:25: error[syntax]: the SQL ends too early\n"
      "  13 |   - expression: minutes >\n"
      "     |                         ^ something is missing at the end: a name, a closing bracket "
      "or quote?\n"
      "  node: usage\n"
      "pipeline/usage.yml:14:14: error[missing_field]: check 'between' of source 'usage' needs at "
      "least one of 'min', 'max'\n"
      "  14 |   - between: {column: minutes}\n"
      "     |              ^^^^^^^^^^^^^^^^^\n"
      "  node: usage\n");
}

}  // namespace
}  // namespace headrace::components
