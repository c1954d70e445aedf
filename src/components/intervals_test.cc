// The ledger of intervals: after every story the tables are what a full rebuild gives.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "components/project_fixture.h"

namespace headrace::components {
namespace {

class IntervalTest : public ProjectTest {
 protected:
  void SetUp() override {
    ProjectTest::SetUp();
    Source("t", "ts TIMESTAMP", "time: ts\n");
    Write("pipeline/daily.sql",
          "SELECT CAST(ts AS DATE) AS day, count(*) AS n, sum(v) AS v FROM t GROUP BY ALL");
    Incremental("daily", "time: day\nevery: 1 day\n");
  }

  void Source(const std::string& name, const std::string& column, const std::string& more) {
    const size_t blank = column.find(' ');
    Write("pipeline/" + name + ".yml",
          "source: csv\npath: data/" + name + "*.csv\ncolumns: {v: bigint, " +
              column.substr(0, blank) + ": " + column.substr(blank + 1) + "}\n" + more);
  }
  void Incremental(const std::string& node, const std::string& more,
                   const std::string& start = "2024-01-01") {
    Write("pipeline/" + node + ".yml", "materialize: incremental\nstart: " + start + "\n" + more);
  }
  void Data(const std::string& rows, const std::string& file = "t1") {
    Write("data/" + file + ".csv", "ts,v\n" + rows);
  }
  /// One row at noon of each of these days.
  void Days(int first, int last, const std::string& month = "2024-01") {
    std::string rows;
    for (int day = first; day <= last; ++day) {
      rows += month + (day < 10 ? "-0" : "-") + std::to_string(day) + " 12:00:00," +
              std::to_string(day) + "\n";
    }
    Data(rows);
  }
  void Backfill(const std::string& from, const std::string& to) {
    Run({false, *ParseTimestamp(from), *ParseTimestamp(to)});
  }

  /// "3/10": intervals built and intervals there should be; else the action.
  std::string Built(const std::string& node = "daily") {
    const auto& result = Result(node);
    if (result.action != "intervals") return result.action;
    auto details = ParseJson(result.details, "details");
    if (!details.ok() || !details->contains("intervals")) return "?";
    const auto& intervals = (*details)["intervals"];
    return intervals["built"].dump() + "/" + intervals["of"].dump();
  }
  /// Runs what is left, then everything anew: nothing may differ.
  void ExpectFull(bool run = true) {
    if (run) Run();
    std::map<std::string, std::string> before;
    for (const auto& node : report_.nodes) {
      EXPECT_FALSE(node.error) << node.node << ": " << Render(*node.error);
      before[node.node] = Rows(node.node);
    }
    Run(true);
    for (const auto& node : report_.nodes) EXPECT_EQ(Rows(node.node), before[node.node]);
  }
};

// ---- What is built

TEST_F(IntervalTest, TheFirstRunBuildsUpToTheLastRow) {
  Days(1, 10);
  Run();
  EXPECT_EQ(Built(), "10/10");
  EXPECT_EQ(Result("daily").reason, "10 of 10 intervals: never built");
  EXPECT_EQ(Rows("daily").substr(0, 27), "day=2024-01-01, n=1, v=1\nd" + std::string("a"));
  ExpectFull(false);
}

TEST_F(IntervalTest, NothingChanged) {
  Days(1, 10);
  Run();
  Run();
  EXPECT_EQ(Built(), "reuse");
  EXPECT_EQ(Result("daily").reason, "no interval is stale");
}

TEST_F(IntervalTest, ANewDay) {
  Days(1, 10);
  Run();
  Append("data/t1.csv", "2024-01-11 00:00:00,5\n");
  Run();
  EXPECT_EQ(Built(), "1/11");
  EXPECT_EQ(Result("daily").reason, "1 of 11 intervals: never built");
  ExpectFull(false);
}

TEST_F(IntervalTest, ALateRow) {
  Days(1, 20);
  Run();
  Append("data/t1.csv", "2024-01-03 23:59:59.999999,5\n");
  Run();
  EXPECT_EQ(Built(), "1/20");
  EXPECT_EQ(Result("daily").reason, "1 of 20 intervals: t changed");
  ExpectFull(false);
}

TEST_F(IntervalTest, LateRowsOlderThanTheLookback) {
  Incremental("daily", "time: day\nevery: 1 day\nlookback: 2 days\n");
  Write("pipeline/daily.sql",
        "SELECT d.day, (SELECT sum(v) FROM t) AS v FROM (SELECT DISTINCT CAST(ts AS DATE) AS day "
        "FROM t) AS d WHERE day >= $from AND day < $to");
  Days(1, 31);
  Run();
  Append("data/t1.csv", "2024-01-04 05:00:00,100\n");
  Run();
  EXPECT_EQ(Built(), "3/33");  // the day and the two that look back at it
  ExpectFull(false);
}

TEST_F(IntervalTest, ARowBeforeTheStart) {
  Days(1, 5);
  Run();
  Append("data/t1.csv", "2023-12-31 23:59:59,5\n");
  Run();
  EXPECT_EQ(Built(), "reuse");
  ExpectFull();
}

TEST_F(IntervalTest, AHoleInTheData) {
  Data("2024-01-01 00:00:00,1\n2024-01-05 00:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "5/5");
  Data("2024-01-03 07:00:00,1\n", "t2");
  Run();
  EXPECT_EQ(Built(), "1/5");
  ExpectFull(false);
}

TEST_F(IntervalTest, AFewDaysWithoutRowsComeWithTheNext) {
  Days(1, 3);
  Run();
  Append("data/t1.csv", "2024-01-09 07:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "6/9");
  ExpectFull(false);
}

TEST_F(IntervalTest, NoRowsAtAll) {
  Data("");
  Run();
  EXPECT_EQ(Rows("daily"), "");
  Append("data/t1.csv", "2024-01-02 07:00:00,1\n");
  ExpectFull();
}

TEST_F(IntervalTest, OneDayInManyFiles) {
  for (int i = 1; i < 9; ++i) {
    Data("2024-01-0" + std::to_string(i) + " 01:00:00,1\n2024-01-08 02:00:00,2\n",
         "t" + std::to_string(i));
    Run();
  }
  EXPECT_EQ(Built(), "1/8");
  ExpectFull(false);
}

// ---- Deletes and updates

TEST_F(IntervalTest, DeletedRows) {
  Days(1, 10);
  Run();
  Data("2024-01-01 12:00:00,1\n2024-01-10 12:00:00,10\n");
  Run();
  EXPECT_EQ(Built(), "8/10");
  ExpectFull(false);
}

TEST_F(IntervalTest, TheLastDaysAreDeleted) {
  Days(1, 10);
  Run();
  Days(1, 7);
  Run();
  EXPECT_EQ(Built(), "0/7");
  ExpectFull(false);
}

TEST_F(IntervalTest, AllRowsAreDeleted) {
  Days(1, 10);
  Run();
  Data("");
  ExpectFull();
  EXPECT_EQ(Rows("daily"), "");
}

TEST_F(IntervalTest, AnUpdateMovesARowToAnotherDay) {
  Days(1, 10);
  Run();
  Data("2024-01-09 12:00:00,2\n2024-01-10 12:00:00,10\n2024-01-03 12:00:00,3\n");
  Run();
  Data("2024-01-09 12:00:00,2\n2024-01-10 12:00:00,10\n2024-01-05 12:00:00,3\n");
  Run();
  EXPECT_EQ(Built(), "2/10");
  ExpectFull(false);
}

TEST_F(IntervalTest, AnUpdateOverTheBorderByAMicrosecond) {
  Data("2024-01-01 00:00:00,1\n2024-01-02 00:00:00,2\n2024-01-04 00:00:00,2\n");
  Run();
  Data("2024-01-01 00:00:00,1\n2024-01-01 23:59:59.999999,2\n2024-01-04 00:00:00,2\n");
  Run();
  EXPECT_EQ(Built(), "2/4");
  ExpectFull(false);
}

TEST_F(IntervalTest, AnUpdateOfAValue) {
  Days(1, 10);
  Run();
  Data("2024-01-01 12:00:00,1\n2024-01-02 12:00:00,7\n");
  Run();
  Data("2024-01-01 12:00:00,1\n2024-01-02 12:00:00,8\n");
  Run();
  EXPECT_EQ(Built(), "1/2");
  ExpectFull(false);
}

TEST_F(IntervalTest, RowsOfAKeyAreReplaced) {
  Source("t", "ts TIMESTAMP", "time: ts\nkey: v\n");
  Days(1, 10);
  Run();
  Data("2024-01-08 12:00:00,2\n", "t2");  // the row of January 2nd is one of the 8th now
  Run();
  EXPECT_EQ(Built(), "2/10");
  ExpectFull(false);
}

TEST_F(IntervalTest, ARewrittenFileWithTheSameRows) {
  Days(1, 3);
  Run();
  Data("2024-01-03 12:00:00,3\n2024-01-01 12:00:00,1\n2024-01-02 12:00:00,2\n");
  Run();
  EXPECT_EQ(Built(), "reuse");
}

// ---- Definitions

TEST_F(IntervalTest, AChangedDefinition) {
  Days(1, 10);
  Run();
  Write("pipeline/daily.sql",
        "SELECT CAST(ts AS DATE) AS day, count(*) AS n, max(v) AS v FROM t GROUP BY ALL");
  Run();
  EXPECT_EQ(Built(), "10/10");
  EXPECT_EQ(Result("daily").reason, "10 of 10 intervals: its definition changed");
  ExpectFull(false);
}

TEST_F(IntervalTest, AReformattedDefinition) {
  Days(1, 10);
  Run();
  Write("pipeline/daily.sql",
        "-- by day\nSELECT CAST(ts AS DATE) AS day,\n count(*) AS n, sum(v) AS v\nFROM t\nGROUP BY "
        "ALL");
  Run();
  EXPECT_EQ(Built(), "reuse");
}

TEST_F(IntervalTest, AnotherColumn) {
  Days(1, 10);
  Run();
  Write("data/t1.csv", "ts,v,w\n2024-01-01 12:00:00,1,x\n2024-01-02 12:00:00,2,y\n");
  Write("pipeline/daily.sql",
        "SELECT CAST(ts AS DATE) AS day, count(*) AS n, min(w) AS w FROM t GROUP BY ALL");
  ExpectFull();
}

TEST_F(IntervalTest, AViewInBetween) {
  Write("pipeline/few.sql", "SELECT * FROM t WHERE v > 3");
  Write("pipeline/few.yml", "materialize: view\n");
  Write("pipeline/daily.sql",
        "SELECT CAST(ts AS DATE) AS day, count(*) AS n FROM few GROUP BY ALL");
  Days(1, 10);
  Run();
  Append("data/t1.csv", "2024-01-02 05:00:00,100\n");
  Run();
  EXPECT_EQ(Built(), "1/10");
  Write("pipeline/few.sql", "SELECT * FROM t WHERE v > 5");
  Run();
  EXPECT_EQ(Built(), "10/10");
  ExpectFull(false);
}

TEST_F(IntervalTest, AnEarlierStartLeavesTheRest) {
  Days(1, 20);
  Incremental("daily", "time: day\nevery: 1 day\n", "2024-01-11");
  Run();
  EXPECT_EQ(Built(), "10/10");
  Incremental("daily", "time: day\nevery: 1 day\n", "2024-01-06");
  Run();
  EXPECT_EQ(Built(), "5/15");
  Incremental("daily", "time: day\nevery: 1 day\n", "2024-01-16");
  Run();
  EXPECT_EQ(Built(), "0/5");
  ExpectFull(false);
}

TEST_F(IntervalTest, AnotherLength) {
  Days(1, 20);
  Run();
  Incremental("daily", "time: day\nevery: 1 week\n");
  Run();
  EXPECT_EQ(Built(), "3/3");
  ExpectFull(false);
}

TEST_F(IntervalTest, ATableBecomesIncrementalAndATableAgain) {
  Write("pipeline/daily.yml", "description: all of it\n");
  Days(1, 10);
  Run();
  EXPECT_EQ(Built(), "build");
  Incremental("daily", "time: day\nevery: 1 day\n");
  Run();
  EXPECT_EQ(Built(), "10/10");
  Write("pipeline/daily.yml", "description: all of it\n");
  Run();
  Incremental("daily", "time: day\nevery: 1 day\n");
  Append("data/t1.csv", "2024-01-02 05:00:00,100\n");
  ExpectFull();
}

// ---- Inputs

TEST_F(IntervalTest, AnInputWithoutTimeMakesAllStale) {
  Write("data/names.csv", "v,name\n1,one\n2,two\n");
  Write("pipeline/names.yml", "source: csv\npath: data/names.csv\n");
  Write("pipeline/daily.sql",
        "SELECT CAST(ts AS DATE) AS day, name FROM t LEFT JOIN names USING (v)");
  Days(1, 10);
  Run();
  Append("data/names.csv", "3,three\n");
  Run();
  EXPECT_EQ(Built(), "10/10");
  EXPECT_EQ(Result("daily").reason, "10 of 10 intervals: names changed");
  ExpectFull(false);
}

TEST_F(IntervalTest, AStaticInputMakesNothingStale) {
  Write("data/names.csv", "v,name\n1,one\n2,two\n");
  Write("pipeline/names.yml", "source: csv\npath: data/names.csv\n");
  Write("pipeline/daily.sql",
        "SELECT CAST(ts AS DATE) AS day, name FROM t LEFT JOIN names USING (v)");
  Incremental("daily", "time: day\nevery: 1 day\nstatic: [names]\n");
  Days(1, 5);
  Run();
  Append("data/names.csv", "3,three\n4,four\n");
  Run();
  EXPECT_EQ(Built(), "reuse");
  Backfill("2024-01-03", "2024-01-04");
  EXPECT_EQ(Built(), "1/5");
  EXPECT_EQ(Rows("daily"),
            "day=2024-01-01, name=one\nday=2024-01-02, name=two\nday=2024-01-03, name=three\n"
            "day=2024-01-04, name=NULL\nday=2024-01-05, name=NULL\n");
  Run(true);
  EXPECT_NE(Rows("daily").find("name=four"), std::string::npos);
}

TEST_F(IntervalTest, AnInputThatIsReadWhole) {
  Write("pipeline/daily.sql",
        "SELECT CAST(range AS DATE) AS day, (SELECT sum(v) FROM t WHERE ts < $to)::BIGINT AS v "
        "FROM range($from, $to, INTERVAL 1 DAY)");
  Incremental("daily", "time: day\nevery: 1 day\nwhole: [t]\n", "2096-09-25");
  Days(1, 3);
  Run();
  EXPECT_EQ(Built(), "8/8");
  Append("data/t1.csv", "2024-01-02 05:00:00,100\n");
  Run();
  EXPECT_EQ(Built(), "8/8");
  ExpectFull(false);
}

TEST_F(IntervalTest, TwoInputsWithTimes) {
  Source("u", "ts TIMESTAMP", "time: ts\n");
  Write("pipeline/daily.sql",
        "SELECT CAST(t.ts AS DATE) AS day, t.v, u.v AS uv FROM t LEFT JOIN u ON "
        "CAST(t.ts AS DATE) = CAST(u.ts AS DATE)");
  Days(1, 10);
  Data("2024-01-05 01:00:00,7\n", "u1");
  Run();
  Append("data/u1.csv", "2024-01-08 01:00:00,7\n");
  Append("data/t1.csv", "2024-01-02 01:00:00,7\n");
  Run();
  EXPECT_EQ(Built(), "2/10");
  ExpectFull(false);
}

TEST_F(IntervalTest, AChainFollowsOnlyWhatChanged) {
  Write("pipeline/monthly.sql",
        "SELECT date_trunc('month', day) AS month, sum(v) AS v FROM daily GROUP BY ALL");
  Incremental("monthly", "time: month\nevery: 1 month\n");
  Data("2024-01-05 00:00:00,1\n2024-02-05 00:00:00,1\n2024-03-05 00:00:00,1\n");
  Run();
  EXPECT_EQ(Built("monthly"), "3/3");
  Append("data/t1.csv", "2024-02-29 00:00:00,1\n");
  Run();
  EXPECT_EQ(Built("daily"), "1/65");
  EXPECT_EQ(Built("monthly"), "1/3");
  ExpectFull(false);
}

TEST_F(IntervalTest, ATableWithATimeInBetween) {
  Write("pipeline/kept.sql", "SELECT ts, v FROM t WHERE v <> 5");
  Write("pipeline/kept.yml", "time: ts\n");
  Write("pipeline/daily.sql", "SELECT CAST(ts AS DATE) AS day, v FROM kept");
  Days(1, 10);
  Run();
  Append("data/t1.csv", "2024-01-02 00:00:00,5\n2024-01-03 00:00:00,6\n");
  Run();
  EXPECT_EQ(Built(), "1/10");
  ExpectFull(false);
}

TEST_F(IntervalTest, TheTimeOfAnInputComesLaterAndGoes) {
  Source("t", "ts TIMESTAMP", "");
  Write("pipeline/daily.sql",
        "SELECT CAST(ts AS DATE) AS day, v FROM t WHERE ts >= $from AND ts < $to");
  Incremental("daily", "time: day\nevery: 1 month\n", "2096-06-01");
  Data("2096-06-05 00:00:00,1\n2096-08-05 00:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "5/5");
  Source("t", "ts TIMESTAMP", "time: ts\n");
  Run();
  EXPECT_EQ(Built(), "3/3");
  Append("data/t1.csv", "2096-07-05 00:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "1/3");
  Source("t", "ts TIMESTAMP", "");
  ExpectFull();
}

TEST_F(IntervalTest, RowsWithoutATimeAreReported) {
  Data("2024-01-01 00:00:00,1\n,2\n");
  Run();
  EXPECT_NE(NotesOf("t").find("1 row of 't' without a 'ts': no interval reads it"),
            std::string::npos);
  Append("data/t1.csv", ",3\n");
  Run();
  EXPECT_EQ(Built(), "reuse");
  ExpectFull();
}

// ---- The calendar

TEST_F(IntervalTest, MonthsThatStartOnThe31st) {
  Write("pipeline/daily.sql", "SELECT ts, v FROM t");
  Incremental("daily", "time: ts\nevery: 1 month\n", "2023-12-31");
  Data(
      "2023-12-31 00:00:00,1\n2024-01-30 23:00:00,1\n2024-01-31 00:00:00,1\n"
      "2024-02-28 23:59:59,1\n2024-02-29 00:00:00,1\n2024-03-30 23:00:00,1\n"
      "2024-03-31 00:00:00,1\n2024-04-30 00:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "5/5");
  auto ledger = store_->ReadIntervals("dev", "daily");
  std::string borders;
  for (const auto& interval : *ledger) {
    borders +=
        FormatTimestamp(interval.from).substr(5, 5) + ":" + std::to_string(interval.rows) + " ";
  }
  EXPECT_EQ(borders, "12-31:2 01-31:2 02-29:2 03-31:1 04-30:1 ");
  Append("data/t1.csv", "2024-02-29 12:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "1/5");
  ExpectFull(false);
}

TEST_F(IntervalTest, TheLeapDay) {
  Data("2024-02-28 12:00:00,1\n2024-03-01 12:00:00,1\n");
  Incremental("daily", "time: day\nevery: 1 day\n", "2024-02-27");
  Run();
  EXPECT_EQ(Built(), "4/4");
  Append("data/t1.csv", "2024-02-29 23:00:00,9\n");
  Run();
  EXPECT_EQ(Built(), "1/4");
  ExpectFull(false);
}

TEST_F(IntervalTest, YearsFromALeapDay) {
  Write("pipeline/daily.sql", "SELECT ts, v FROM t");
  Incremental("daily", "time: ts\nevery: 1 year\n", "2020-02-29");
  Data(
      "2020-02-29 00:00:00,1\n2021-02-27 00:00:00,1\n2021-02-28 00:00:00,1\n"
      "2024-02-28 00:00:00,1\n2024-02-29 00:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "5/5");
  Append("data/t1.csv", "2024-02-28 12:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "1/5");
  ExpectFull(false);
}

TEST_F(IntervalTest, WeeksAndHours) {
  for (const char* every : {"1 week", "6 hours", "36 hours", "2 weeks"}) {
    Write("pipeline/daily.sql", "SELECT ts, v FROM t");
    Incremental("daily", std::string("time: ts\nevery: ") + every + "\n", "2024-01-01T05:00:00Z");
    Days(1, 20);
    Run();
    Append("data/t1.csv", "2024-01-15 05:00:00,1\n");
    Run();
    EXPECT_EQ(Built().substr(0, 2), "1/") << every;
    ExpectFull(false);
  }
}

TEST_F(IntervalTest, DaysThatStartAtSix) {
  Incremental("daily", "time: ts\nevery: 1 day\n", "2024-01-01T06:00:00Z");
  Write("pipeline/daily.sql", "SELECT ts, v FROM t");
  Data(
      "2024-01-01 05:59:59,1\n2024-01-01 06:00:00,2\n2024-01-02 05:59:59,3\n2024-01-02 "
      "06:00:00,4\n");
  Run();
  EXPECT_EQ(Built(), "2/2");
  EXPECT_EQ(Rows("daily").find("v=1"), std::string::npos);
  ExpectFull(false);
}

TEST_F(IntervalTest, TheClocksGoForward) {
  Source("t", "ts TIMESTAMP WITH TIME ZONE", "time: ts\n");
  Write("pipeline/daily.sql", "SELECT CAST(ts AS TIMESTAMP) AS ts, v FROM t");
  Incremental("daily", "time: ts\nevery: 1 hour\n", "2024-03-30T22:00:00Z");
  Data("2024-03-31 00:30:00+01:00,1\n2024-03-31 01:59:59+01:00,2\n2024-03-31 03:00:00+02:00,3\n");
  Run();
  EXPECT_EQ(Built(), "4/4");  // 22, 23, 0 and 1 o'clock in UTC
  Append("data/t1.csv", "2024-03-31 03:00:01+02:00,4\n");
  Run();
  EXPECT_EQ(Built(), "1/4");
  ExpectFull(false);
}

TEST_F(IntervalTest, TheClocksGoBack) {
  Source("t", "ts TIMESTAMP WITH TIME ZONE", "time: ts\n");
  Write("pipeline/daily.sql", "SELECT CAST(ts AS TIMESTAMP) AS ts, v FROM t");
  Incremental("daily", "time: ts\nevery: 1 hour\n", "2024-10-27T00:00:00Z");
  Data("2024-10-27 02:30:00+02:00,1\n2024-10-27 02:30:00+01:00,2\n2024-10-27 03:30:00+01:00,3\n");
  Run();
  EXPECT_EQ(Built(), "3/3");
  EXPECT_NE(Rows("daily").find("ts=2024-10-27 01:30:00, v=2"), std::string::npos);
  Append("data/t1.csv", "2024-10-27 02:45:00+02:00,4\n");
  Run();
  EXPECT_EQ(Built(), "1/3");
  ExpectFull(false);
}

TEST_F(IntervalTest, AZoneMovesARowToTheDayBefore) {
  Source("t", "ts TIMESTAMP WITH TIME ZONE", "time: ts\n");
  Write("pipeline/daily.sql",
        "SELECT CAST(CAST(ts AS TIMESTAMP) AS DATE) AS day, count(*) AS n FROM t GROUP BY ALL");
  Data("2024-01-02 00:30:00+02:00,1\n2024-01-02 23:30:00-05:00,2\n");
  Run();
  EXPECT_EQ(Rows("daily"), "day=2024-01-01, n=1\nday=2024-01-03, n=1\n");
  ExpectFull(false);
}

// ---- The present

TEST_F(IntervalTest, TheOpenIntervalIsBuiltByEveryRun) {
  Incremental("daily", "time: day\nevery: 1 day\n", "2096-09-30");
  Data("2096-10-01 12:00:00,1\n2096-10-02 03:00:00,1\n2096-10-09 03:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "3/3");  // what lies in the future waits
  Run();
  EXPECT_EQ(Built(), "1/3");
  EXPECT_EQ(Result("daily").reason, "1 of 3 intervals: open");
  clock_.Advance(INT64_C(3) * 24 * 3'600'000'000);
  Run();
  EXPECT_EQ(Result("daily").reason, "3 of 6 intervals: never built");
  ExpectFull(false);
}

TEST_F(IntervalTest, ACalendarNeedsNoInput) {
  Write("pipeline/daily.sql",
        "SELECT CAST(range AS DATE) AS day FROM range($from, $to, INTERVAL 1 DAY)");
  Incremental("daily", "time: day\nevery: 1 month\n", "2096-08-01");
  Days(1, 2);
  Run();
  EXPECT_EQ(Built(), "3/3");
  ExpectFull();
}

// ---- Backfills

TEST_F(IntervalTest, ABackfillThenTheRest) {
  Days(1, 10);
  Backfill("2024-01-03", "2024-01-05");
  EXPECT_EQ(Built(), "2/10");
  EXPECT_EQ(Rows("daily"), "day=2024-01-03, n=1, v=3\nday=2024-01-04, n=1, v=4\n");
  Run();
  EXPECT_EQ(Built(), "8/10");
  ExpectFull(false);
}

TEST_F(IntervalTest, BackfillsInReverseOrder) {
  Days(1, 20);
  for (int day = 20; day > 0; day -= 5) {
    const auto text = [](int d) {
      return std::string("2024-01-") + (d < 10 ? "0" : "") + std::to_string(d);
    };
    Backfill(text(day - 4), text(day + 1));
    EXPECT_EQ(Built(), "5/20");
  }
  Run();
  EXPECT_EQ(Built(), "reuse");
  ExpectFull(false);
}

TEST_F(IntervalTest, WhatABackfillLeavesOutStaysStale) {
  Days(1, 10);
  Run();
  Append("data/t1.csv", "2024-01-02 05:00:00,1\n2024-01-07 05:00:00,1\n");
  Backfill("2024-01-02", "2024-01-03");
  EXPECT_EQ(Built(), "1/10");
  Backfill("2024-02-02", "2024-02-03");
  EXPECT_EQ(Built(), "reuse");
  Run();
  EXPECT_EQ(Built(), "1/10");
  EXPECT_EQ(Result("daily").reason, "1 of 10 intervals: t changed");
  ExpectFull(false);
}

TEST_F(IntervalTest, ABackfillOfFreshIntervals) {
  Days(1, 10);
  Run();
  Backfill("2024-01-04", "2024-01-06");
  EXPECT_EQ(Result("daily").reason, "2 of 10 intervals: asked for");
  ExpectFull();
}

TEST_F(IntervalTest, ABackfillWithAChangedDefinitionBuildsAll) {
  Days(1, 10);
  Run();
  Write("pipeline/daily.sql", "SELECT CAST(ts AS DATE) AS day, v FROM t");
  Backfill("2024-01-04", "2024-01-06");
  EXPECT_EQ(Built(), "10/10");
  ExpectFull(false);
}

TEST_F(IntervalTest, AnInterruptedBackfillGoesOn) {
  Write("pipeline/daily.sql",
        "SELECT CAST(ts AS DATE) AS day, 100 / (v - 8) AS x, CAST(CASE v "
        "WHEN 8 THEN 'no number' ELSE '1' END AS BIGINT) AS y FROM t");
  Days(1, 10);
  Run();
  EXPECT_NE(ErrorOf("daily"), "");
  EXPECT_EQ(Rows("daily"), "no snapshot");
  EXPECT_EQ(store_->ReadIntervalParts("dev", "daily")->size(), 7u);
  std::string rows;
  for (int day = 1; day <= 10; ++day) {
    rows += std::string("2024-01-") + (day < 10 ? "0" : "") + std::to_string(day) + " 12:00:00," +
            std::to_string(day == 8 || day == 3 ? 50 : day) + "\n";
  }
  Data(rows);
  Run();
  EXPECT_EQ(Result("daily").reason,
            "10 of 10 intervals: never built; 6 were built before the last run ended");
  EXPECT_EQ(ErrorOf("daily"), "");
  EXPECT_TRUE(store_->ReadIntervalParts("dev", "daily")->empty());
  ExpectFull(false);
}

TEST_F(IntervalTest, Batches) {
  Incremental("daily", "time: day\nevery: 1 day\nbatch: 4\n");
  Days(1, 10);
  Run();
  EXPECT_EQ(Built(), "10/10");
  auto ledger = store_->ReadIntervals("dev", "daily");
  for (const auto& interval : *ledger) EXPECT_EQ(interval.rows, 1);
  Append("data/t1.csv", "2024-01-02 05:00:00,1\n2024-01-03 05:00:00,1\n2024-01-09 05:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "3/10");
  ExpectFull(false);
}

TEST_F(IntervalTest, ManyIntervalsAreKeptOnTheWay) {
  Incremental("daily", "time: day\nevery: 1 hour\n", "2024-01-01");
  Write("pipeline/daily.sql", "SELECT ts AS day, v FROM t");
  Days(1, 6);
  Run();
  EXPECT_EQ(Built(), "133/133");
  ExpectFull(false);
}

// ---- Checks and faults

TEST_F(IntervalTest, ARejectedBuildIsNotRepeated) {
  Incremental("daily", "time: day\nevery: 1 day\nchecks:\n  - between: {column: n, max: 1}\n");
  Days(1, 5);
  Run();
  Append("data/t1.csv", "2024-01-02 05:00:00,1\n");
  Run();
  EXPECT_EQ(Built(), "fail");
  Run();
  EXPECT_EQ(Built(), "fail");
  EXPECT_NE(Result("daily").reason.find("its checks failed on the same rows"), std::string::npos);
  Days(1, 6);
  Run();
  EXPECT_EQ(Built(), "2/6");
  ExpectFull(false);
}

TEST_F(IntervalTest, RowsOutsideOfTheirIntervalAreRefused) {
  Write("pipeline/daily.sql", "SELECT CAST(ts AS DATE) + 1 AS day, v FROM t");
  Days(1, 3);
  Run();
  EXPECT_NE(ErrorOf("daily").find("pipeline/daily.yml:3:7: error[outside_interval]: 1 of 1 rows of "
                                  "the interval 2024-01-01 … 2024-01-02 lie outside of it: day is "
                                  "2024-01-02\n"),
            std::string::npos)
      << ErrorOf("daily");
}

TEST_F(IntervalTest, ARejectedSourceIsReadOnce) {
  Source("t", "ts TIMESTAMP", "time: ts\nchecks:\n  - between: {column: v, max: 50}\n");
  Days(1, 3);
  Run();
  Append("data/t1.csv", "2024-01-02 05:00:00,100\n");
  Run();
  EXPECT_EQ(Result("t").action, "fail");
  EXPECT_EQ(Result("t").reason, "t1.csv grew by 24 B");
  Run();
  EXPECT_EQ(Result("t").action, "fail");
  EXPECT_NE(Result("t").reason.find("its checks failed on the same rows"), std::string::npos);
  Days(1, 4);
  ExpectFull();
}

}  // namespace
}  // namespace headrace::components
