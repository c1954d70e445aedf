#include <zlib.h>

#include <cmath>
#include <filesystem>
#include <random>

#include "components/project_fixture.h"
#include "components/sources/csv_types.h"
#include "data/text_values.h"

namespace headrace::components {
namespace {

class CsvTest : public ProjectTest {
 protected:
  void Source(const std::string& fields) { Write("pipeline/people.yml", "source: csv\n" + fields); }
  /// Runs and gives the error's text; nothing may have been committed if there was one.
  std::string RunError() {
    const std::string before = Rows("people");
    Run();
    const std::string error = ErrorOf("people");
    if (!error.empty()) {
      EXPECT_EQ(Rows("people"), before);
    }
    return error;
  }
  /// A file of one source that can't be read.
  std::string Broken(std::string_view content, const std::string& fields = "") {
    Write("data/people.csv", content);
    Source("path: data/people.csv\n" + fields);
    return RunError();
  }
  void Gzip(const std::string& name, std::string_view content, double keep = 1) {
    gzFile file = gzopen(Path(name).c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
    const auto size = std::filesystem::file_size(Path(name));
    std::filesystem::resize_file(Path(name), static_cast<uintmax_t>(keep * size));
  }
};

TEST_F(CsvTest, TypesGiveValuesBackAsTheyWere) {
  Write("data/people.csv",
        "id,zip,big,x,day,at,ok,phone,none\n"
        "1,01234,9007199254740993,1.5,2024-01-31,2024-01-31 09:30:00,true,+49123,\n"
        "2,99999,-5,2,2024-02-29,2024-01-31T10:00:00.5,FALSE,+49124,\n");
  Source("path: data/people.csv\n");
  Run();
  EXPECT_EQ(ErrorOf("people"), "");
  EXPECT_EQ(Types("people"),
            "id BIGINT, zip VARCHAR, big BIGINT, x DOUBLE, day DATE, at TIMESTAMP, ok BOOLEAN, "
            "phone VARCHAR, none VARCHAR");
  EXPECT_EQ(Rows("people"),
            "id=1, zip=01234, big=9007199254740993, x=1.5, day=2024-01-31, at=2024-01-31 09:30:00, "
            "ok=true, phone=+49123, none=NULL\n"
            "id=2, zip=99999, big=-5, x=2, day=2024-02-29, at=2024-01-31 10:00:00.5, ok=false, "
            "phone=+49124, none=NULL\n");
  Run();
  EXPECT_EQ(Result("people").action, "reuse");
}

TEST_F(CsvTest, AConflictWidensAndIsReported) {
  std::string text = "id,age,day\n";
  for (int n = 0; n < 100; ++n) text += std::to_string(n) + ",30,2024-01-01\n";
  text += "100,30.5,2024-01-01\n101,n/a,2024-01-01 10:00:00\n";
  Write("data/people.csv", text);
  Source("path: data/people.csv\nsample_rows: 10\n");
  Run();
  EXPECT_EQ(ErrorOf("people"), "");
  EXPECT_EQ(Types("people"), "id BIGINT, age VARCHAR, day TIMESTAMP");
  EXPECT_EQ(NotesOf("people"),
            "data/people.csv:102: warning[type_widened]: column 'age' is VARCHAR, not BIGINT, "
            "because of '30.5'\n"
            "  hint: if '30.5' means that nothing is there, add it to `null_values`; a type under "
            "`columns:` makes such a value an error\n"
            "  node: people\n"
            "data/people.csv:103: warning[type_widened]: column 'day' is TIMESTAMP, not DATE, "
            "because of '2024-01-01 10:00:00'\n"
            "  hint: if '2024-01-01 10:00:00' means that nothing is there, add it to "
            "`null_values`; a type under `columns:` makes such a value an error\n"
            "  node: people\n");
}

TEST_F(CsvTest, FractionsInTheLastRowAreNotRounded) {
  std::string text = "id\n";
  for (int n = 0; n < 100; ++n) text += std::to_string(n) + "\n";
  Write("data/people.csv", text + "7.5");
  Source("path: data/people.csv\nsample_rows: 10\n");
  Run();
  EXPECT_EQ(Types("people"), "id DOUBLE");
  EXPECT_EQ(Result("people").rows, 101);
}

TEST_F(CsvTest, WideIntegersAmongFractionsStayText) {
  std::string text = "id\n0.5\n";
  for (int n = 0; n < 100; ++n) text += "1\n";
  Write("data/people.csv", text + "9007199254740993\n");
  Source("path: data/people.csv\nsample_rows: 10\n");
  Run();
  EXPECT_EQ(Types("people"), "id VARCHAR");
}

TEST_F(CsvTest, LeadingZerosFurtherDownMakeText) {
  std::string text = "id,x\n";
  for (int n = 0; n < 100; ++n) text += std::to_string(n) + ",0.5\n";
  Write("data/people.csv", text);
  Source("path: data/people.csv\nsample_rows: 10\n");
  Run();
  EXPECT_EQ(Types("people"), "id BIGINT, x DOUBLE");
  Append("data/people.csv", "007,1\n");
  Run();
  EXPECT_EQ(Types("people"), "id VARCHAR, x DOUBLE");
  EXPECT_EQ(Result("people").rows, 101);
}

TEST_F(CsvTest, ATypeDependsOnTheValuesNotOnTheSample) {
  const std::pair<const char*, const char*> cases[] = {{"1", "007"},
                                                       {"1", "-07"},
                                                       {"1", "+5"},
                                                       {"1", "1.0"},
                                                       {"1", "1e3"},
                                                       {"0.5", "+5.5"},
                                                       {"2024-01-31", "2024-2-1"},
                                                       {"true", "t"},
                                                       {"true", "1"},
                                                       {"0.5", "1e400"},
                                                       {"1", " 5 "},
                                                       {"2024-01-31", " 2024-02-01"}};
  for (const auto& [first, second] : cases) {
    std::string values = std::string("x\n") + first + "\n" + second + "\n";
    Write("data/people.csv", values);
    Source("path: data/people.csv\n");
    Run(true);
    const std::string all = Types("people"), rows = Rows("people");
    Source("path: data/people.csv\nsample_rows: 1\n");
    Run(true);
    EXPECT_EQ(Types("people"), all) << second;
    EXPECT_EQ(Rows("people"), rows) << second;
  }
}

// What the read takes and what types are found by must be the same, or a file could neither be read
// nor explained.
TEST(CsvValues, TheFoundTypeIsTheOneThatIsRead) {
  const char* seeds[] = {"-12",
                         "9007199254740993",
                         "0.5",
                         "-1.25e-3",
                         "2024-02-29",
                         "inf",
                         " 007 ",
                         "-0",
                         "2024-01-31 09:30:00.25+02:00",
                         "true",
                         "1e9",
                         "9223372036854775808",
                         "12345678901234567890.5",
                         "2024-12-31T23:59Z",
                         ".5"};
  const std::string letters = "0123456789-+.eE :TZtrufalsin ,\t";
  std::mt19937 random(11);
  for (int round = 0; round < 200000; ++round) {
    std::string text = seeds[random() % std::size(seeds)];
    for (unsigned edits = random() % 4; edits > 0 && !text.empty(); --edits) {
      const size_t at = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(at, 1);
      } else if (random() % 2 == 0) {
        text[at] = letters[random() % letters.size()];
      } else {
        text.insert(at, 1, letters[random() % letters.size()]);
      }
    }
    const CsvType found = TypeOfText(text, {});
    int64_t whole = 0, micros = 0;
    int32_t days = 0;
    double number = 0;
    bool truth = false;
    const bool integer = data::IntegerOf(text, whole), date = data::DateOf(text, days);
    const bool small = integer && std::abs(static_cast<double>(whole)) <= 9007199254740992.0 &&
                       whole != 9007199254740993 && whole != -9007199254740993;
    EXPECT_EQ(integer, found == CsvType::kInteger || found == CsvType::kWideInteger) << text;
    EXPECT_EQ(small, found == CsvType::kInteger) << text;
    EXPECT_EQ(data::DoubleOf(text, '.', number), small || found == CsvType::kDouble) << text;
    EXPECT_EQ(date, found == CsvType::kDate) << text;
    EXPECT_EQ(data::TimestampOf(text, micros),
              date || found == CsvType::kTimestamp || found == CsvType::kTimestampZone)
        << text;
    EXPECT_EQ(data::BooleanOf(text, truth), found == CsvType::kBoolean) << text;
  }
}

TEST_F(CsvTest, TimesWithOffsetsAreInUtc) {
  Write("data/people.csv",
        "a,b\n2024-01-31 09:30:00,2024-01-31 09:30:00\n2024-01-31 09:30,2024-01-31 "
        "09:30:00+02:00\n");
  Source("path: data/people.csv\nsample_rows: 1\n");
  Run();
  EXPECT_EQ(Types("people"), "a TIMESTAMP, b TIMESTAMP");
  EXPECT_EQ(Rows("people"),
            "a=2024-01-31 09:30:00, b=2024-01-31 07:30:00\n"
            "a=2024-01-31 09:30:00, b=2024-01-31 09:30:00\n");
}

TEST_F(CsvTest, OnlyNewRowsAreRead) {
  Write("data/people.csv", "id,name\n1,a\n2,b\n");
  Source("path: data/people.csv\n");
  Run();
  Append("data/people.csv", "3,\"c\nd\"\n4,e\n");
  Run();
  EXPECT_EQ(Result("people").action, "build");
  EXPECT_EQ(Result("people").reason, "people.csv grew by 12 B");
  EXPECT_EQ(Result("people").rows, 2);
  EXPECT_EQ(FileCount("people"), 2);
  EXPECT_EQ(Rows("people"), "id=1, name=a\nid=2, name=b\nid=3, name=c\nd\nid=4, name=e\n");
  // The rest of the file is broken: the line is the line of the file, and nothing was committed.
  Append("data/people.csv", "5,f\n6\n");
  EXPECT_EQ(RunError(),
            "data/people.csv:8: error[ragged_row]: the row has 1 value, the header has 2\n"
            "  8 | 6\n"
            "    | ^ is the file cut off, or a value missing? Empty values still need their "
            "delimiters\n"
            "  node: people");
}

TEST_F(CsvTest, AppendingGivesTheSameAsReadingEverything) {
  Write("data/people.csv", "id,name\n1,a\n");
  Source("path: data/people.csv\n");
  Run();
  Append("data/people.csv", "2,b\n");
  Run();
  const std::string appended = Result("people").snapshot;
  Run(true);
  EXPECT_EQ(Result("people").snapshot, appended);
}

TEST_F(CsvTest, AChangedBeginningMeansReadingEverything) {
  Write("data/people.csv", "id,name\n1,a\n2,b\n");
  Source("path: data/people.csv\n");
  Run();
  Write("data/people.csv", "id,name\n1,x\n2,b\n3,c\n");
  Run();
  EXPECT_EQ(Result("people").reason, "people.csv changed");
  EXPECT_EQ(Result("people").rows, 3);
  EXPECT_EQ(FileCount("people"), 1);
}

TEST_F(CsvTest, AnUnfinishedLastLineMeansReadingEverything) {
  Write("data/people.csv", "id\n1\n12");
  Source("path: data/people.csv\n");
  Run();
  Append("data/people.csv", "3\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=1\nid=123\n");
}

TEST_F(CsvTest, ANewTypeInAppendedRowsMeansReadingEverything) {
  Write("data/people.csv", "id,x\n1,\n");
  Source("path: data/people.csv\n");
  Run();
  EXPECT_EQ(Types("people"), "id BIGINT, x VARCHAR");
  Append("data/people.csv", "2,5\n");
  Run();
  EXPECT_EQ(Types("people"), "id BIGINT, x BIGINT");
  EXPECT_EQ(Result("people").reason,
            "people.csv grew by 4 B; all files were read, because column 'x' has its first values");
  Append("data/people.csv", "b,6\n");
  Run();
  EXPECT_EQ(Types("people"), "id VARCHAR, x BIGINT");
  EXPECT_EQ(Result("people").rows, 3);
}

TEST_F(CsvTest, GlobsFoldersAndNewFiles) {
  Write("data/a/2024.csv", "id,name\n1,a\n");
  Write("data/b/2025.csv", "name,id\nb,2\n");  // another order of the columns
  Write("data/b/notes.md", "x");
  Source("path: data/**/*.csv\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=1, name=a\nid=2, name=b\n");
  Write("data/b/2026.csv", "id,name\n3,c\n");
  Run();
  EXPECT_EQ(Result("people").reason, "2026.csv is new");
  EXPECT_EQ(Result("people").rows, 1);
  EXPECT_EQ(Rows("people"), "id=1, name=a\nid=2, name=b\nid=3, name=c\n");
  Run();
  EXPECT_EQ(Result("people").action, "reuse");
  std::filesystem::remove(Path("data/a/2024.csv"));
  Run();
  EXPECT_EQ(Result("people").reason, "2024.csv is gone");
  EXPECT_EQ(Rows("people"), "name=b, id=2\nname=c, id=3\n");  // the order of the first file
  Source("path: data/b\n");
  Run();
  EXPECT_EQ(Rows("people"), "name=b, id=2\nname=c, id=3\n");
}

TEST_F(CsvTest, LaterRowsOfAKeyReplaceEarlierOnes) {
  Write("data/1.csv", "id,name\n1,a\n2,b\n1,c\n");
  Source("path: data/*.csv\nkey: id\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=1, name=c\nid=2, name=b\n");
  EXPECT_EQ(NotesOf("people"),
            "hint[rows_replaced]: 1 row was replaced by later rows of the same key\n"
            "  node: people\n");
  Write("data/2.csv", "id,name\n3,d\n");
  Run();
  EXPECT_EQ(FileCount("people"), 2);
  Write("data/3.csv", "id,name\n2,e\n4,f\n");
  Run();
  EXPECT_EQ(Result("people").rows, 2);
  EXPECT_EQ(FileCount("people"), 2);  // the file of row 3 is not touched
  EXPECT_EQ(Rows("people"), "id=1, name=c\nid=2, name=e\nid=3, name=d\nid=4, name=f\n");
  const std::string merged = Result("people").snapshot;
  Run(true);
  EXPECT_EQ(Result("people").snapshot, merged);
}

TEST_F(CsvTest, GzipAndItsDamage) {
  std::string text = "id,name\n";
  for (int n = 0; n < 2000; ++n) text += std::to_string(n) + ",x" + std::to_string(n * 7919) + "\n";
  std::filesystem::create_directories(Path("data"));
  Gzip("data/people.csv.gz", text);
  Source("path: data/people.csv.gz\n");
  Run();
  EXPECT_EQ(Result("people").rows, 2000);
  Gzip("data/people.csv.gz", text, 0.5);
  EXPECT_EQ(RunError(),
            "data/people.csv.gz: error[bad_archive]: data/people.csv.gz: the gzip file is cut off\n"
            "  hint: copy the file again, or pack it again; nothing of it was used\n"
            "  node: people");
  Write("data/people.csv.gz", "id,name\n1,a\n");
  EXPECT_EQ(RunError(),
            "data/people.csv.gz: error[bad_archive]: data/people.csv.gz: is not a gzip file, as "
            "its name says\n"
            "  hint: copy the file again, or pack it again; nothing of it was used\n"
            "  node: people");
}

TEST_F(CsvTest, OptionsOfTheFormat) {
  Write(
      "data/people.csv",
      "written by hand\n# comment\nid;x;day;name\n1;1,5;31.01.2024;'a;b'\n2;NA;01.02.2024;c # d\n");
  Source(
      "path: data/people.csv\nskip: 1\ncomment: \"#\"\ndecimal_separator: \",\"\nquote: \"'\"\n"
      "escape: \"'\"\nnull_values: [\"\", NA]\ndate_format: \"%d.%m.%Y\"\n");
  Run();
  EXPECT_EQ(ErrorOf("people"), "");
  EXPECT_EQ(Types("people"), "id BIGINT, x DOUBLE, day DATE, name VARCHAR");
  EXPECT_EQ(Rows("people"),
            "id=1, x=1.5, day=2024-01-31, name=a;b\nid=2, x=NULL, day=2024-02-01, name=c \n");
}

TEST_F(CsvTest, Encodings) {
  Write("data/people.csv", "id,name\n1,J\xF6rg\n");
  Source("path: data/people.csv\nencoding: latin-1\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=1, name=Jörg\n");
  Append("data/people.csv", "2,M\xFCller\n");
  Run();
  EXPECT_EQ(Result("people").rows, 1);
  EXPECT_EQ(Rows("people"), "id=1, name=Jörg\nid=2, name=Müller\n");
  Write("data/people.csv", std::string_view("\xFF\xFEi\0d\0\n\0005\0\n\0", 12));
  Source("path: data/people.csv\nencoding: utf-16\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=5\n");
}

TEST_F(CsvTest, ByteOrderMarkCarriageReturnsAndNoHeader) {
  Write("data/people.csv", "\xEF\xBB\xBFid,name\r\n1,a\r\n");
  Source("path: data/people.csv\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=1, name=a\n");
  Append("data/people.csv", "2,b\r\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=1, name=a\nid=2, name=b\n");
  Write("data/people.csv", "1,a\n2,b\n");
  Source("path: data/people.csv\nheader: false\n");
  Run();
  EXPECT_EQ(Rows("people"), "column0=1, column1=a\ncolumn0=2, column1=b\n");
}

TEST_F(CsvTest, BlanksAroundQuotesAndDelimitersAtTheEnd) {
  Write("data/people.csv", "\"id\" , \"name\"\n1, \"a, b\" ,\n2,c,\n");
  Source("path: data/people.csv\n");
  Run();
  EXPECT_EQ(ErrorOf("people"), "");
  EXPECT_EQ(Rows("people"), "id=1, name=a, b\nid=2, name=c\n");
  EXPECT_EQ(Types("people"), "id BIGINT, name VARCHAR");
  Write("data/people.csv", "id|name\n1|\"a\"\n");
  Source("path: data/people.csv\nquote: \"\"\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=1, name=\"a\"\n");
}

TEST_F(CsvTest, HeaderOnlyIsATableWithoutRows) {
  Write("data/people.csv", "id,name\n");
  Source("path: data/people.csv\n");
  Run();
  EXPECT_EQ(Types("people"), "id VARCHAR, name VARCHAR");
  EXPECT_EQ(NotesOf("people"),
            "data/people.csv: hint[no_rows]: there are no rows: columns without a value are "
            "VARCHAR\n"
            "  node: people\n");
}

TEST_F(CsvTest, FixedTypes) {
  Write("data/people.csv", "id,price\n1,2.50\n2,3.10\n");
  Source(
      "path: data/people.csv\ncolumns:\n  price: {type: \"DECIMAL(10,2)\"}\n  id: {type: int}\n");
  Run();
  EXPECT_EQ(ErrorOf("people"), "");
  EXPECT_EQ(Types("people"), "id INTEGER, price DECIMAL(10,2)");
  Append("data/people.csv", "3.5,1\n");
  EXPECT_EQ(RunError(),
            "data/people.csv:4: error[bad_value]: '3.5' in column 'id' is not INTEGER\n"
            "  4 | 3.5,1\n"
            "    | ^ correct the file, change the type under `columns:`, or name the text in "
            "`null_values` if it means that nothing is there\n"
            "  node: people");
}

TEST_F(CsvTest, ChangedColumns) {
  Write("data/people.csv", "id,plan\n1,a\n");
  Source("path: data/people.csv\n");
  Run();
  Write("data/people.csv", "id,plan,city\n1,a,Bonn\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=1, plan=a, city=Bonn\n");
  EXPECT_EQ(NotesOf("people"),
            "data/people.csv:1: hint[schema_changed]: the columns of 'people' changed: 'city' is "
            "new\n"
            "  node: people\n");
  Write("data/people.csv", "id,plans,city\n1,a,Bonn\n");
  EXPECT_EQ(
      RunError(),
      "data/people.csv:1: error[schema_changed]: the columns of 'people' changed: 'plan' is gone, "
      "'plans' is new\n"
      "  hint: did you mean 'plans'?\n"
      "  hint: correct the source; or, to take the columns as they are now: headrace run --full "
      "people; or write `schema_change: ignore` to have NULL in columns that are gone\n"
      "  node: people");
  Source("path: data/people.csv\nschema_change: ignore\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=1, plan=NULL, city=Bonn\n");
  Run(true);
  EXPECT_EQ(Rows("people"), "id=1, plans=a, city=Bonn\n");
}

TEST_F(CsvTest, BrokenFilesAreNamed) {
  EXPECT_EQ(Broken("id,name\n1,a\n2,b,c\n"),
            "data/people.csv:3: error[ragged_row]: the row has 3 values, the header has 2\n"
            "  3 | 2,b,c\n"
            "    | ^ a value that holds the delimiter must stand in quotes\n"
            "  node: people");
  EXPECT_EQ(Broken("id,name\n1,\"a\n2,b\n"),
            "data/people.csv:2: error[unterminated_quote]: a quoted value starts here and never "
            "ends\n"
            "  2 | 1,\"a\n"
            "    | ^ add the missing quote, or set `quote:` to the character the file uses\n"
            "  node: people");
  EXPECT_EQ(Broken("id,name\n1,\"a\"b\n"),
            "data/people.csv:2: error[bad_quote]: text follows the closing quote of a value\n"
            "  2 | 1,\"a\"b\n"
            "    | ^ write a quote inside of a value twice, or set `quote:` and `escape:`\n"
            "  node: people");
  EXPECT_EQ(Broken(std::string_view("id,name\n1,a\n2,b\0c\n", 18)),
            "data/people.csv:3: error[nul_byte]: the line holds a NUL byte, which no text has\n"
            "  hint: the file is damaged, or not UTF-8 (`encoding: utf-16`?)\n"
            "  node: people");
  EXPECT_EQ(
      Broken("id,name\n1,a\n2,J\xF6rg\n"),
      "data/people.csv:3: error[bad_encoding]: the line is not UTF-8\n"
      "  3 | 2,J\xEF\xBF\xBDrg\n"
      "    | ^ write `encoding: latin-1` or `encoding: utf-16`, or convert the file to UTF-8\n"
      "  node: people");
  EXPECT_EQ(Broken(""),
            "data/people.csv: error[empty_file]: data/people.csv is empty\n"
            "  hint: a file without rows still needs its header line\n"
            "  node: people");
  EXPECT_EQ(Broken("\n\n"),
            "data/people.csv: error[empty_file]: data/people.csv holds no line but empty ones\n"
            "  hint: a file without rows still needs its header line\n"
            "  node: people");
  EXPECT_EQ(
      Broken("id,name,ID\n1,a,2\n"),
      "data/people.csv:1: error[duplicate_column]: columns 1 and 3 of the header are both "
      "named 'ID'\n"
      "  1 | id,name,ID\n"
      "    | ^ rename one in the file, or skip the header with `skip: 1` and `header: false`\n"
      "  node: people");
  EXPECT_EQ(
      Broken("id,name\r\n1,a\n2,b\r\n"),
      "data/people.csv:2: error[mixed_line_ends]: the line ends with \\n, the lines before it "
      "with \\r\\n\n"
      "  2 | 1,a\n"
      "    | ^ make all line ends the same, e.g. with dos2unix\n"
      "  node: people");
  EXPECT_EQ(Broken("id,name\n1,a\n,b\n3,c\n,d\n", "key: id\n"),
            "data/people.csv:3: error[null_key]: the key (id) is NULL in 2 rows\n"
            "  3 | ,b\n"
            "    | ^ correct the rows, or choose another `key`\n"
            "  node: people, data/people.csv:3, data/people.csv:5");
  EXPECT_EQ(
      Broken("id,name\n1,a\n", "encoding: utf-16\n"),
      "data/people.csv: error[bad_encoding]: data/people.csv: is not UTF-16, as `encoding:` says\n"
      "  hint: leave `encoding` out for UTF-8, or write latin-1\n"
      "  node: people");
  const std::string too_long = Broken("id,name\n1," + std::string(3'000'000, 'x') + "\n");
  EXPECT_TRUE(
      too_long.starts_with("data/people.csv:2: error[line_too_long]: the line has more than "
                           "2000000 bytes\n"))
      << too_long.substr(0, 300);
  EXPECT_EQ(Broken("\"id\",\"name\n1,a\n"),
            "data/people.csv:1: error[unterminated_quote]: a quoted value starts here and never "
            "ends\n"
            "  1 | \"id\",\"name\n"
            "    | ^ add the missing quote, or set `quote:` to the character the file uses\n"
            "  node: people");
  EXPECT_EQ(Rows("people"), "no snapshot");
}

TEST_F(CsvTest, DifferentColumnsInAGlob) {
  Write("data/a.csv", "id,name\n1,a\n");
  Write("data/b.csv", "id,names\n2,b\n");
  Source("path: data/*.csv\n");
  EXPECT_EQ(
      RunError(),
      "data/b.csv:1: error[missing_column]: data/b.csv lacks column 'name', which data/a.csv has\n"
      "  hint: did you mean 'names'?\n"
      "  hint: correct the file, or write `union_by_name: true` to have NULL there\n"
      "  node: people");
  Write("data/b.csv", "id,name,city\n2,b,Bonn\n");
  EXPECT_EQ(
      RunError(),
      "data/a.csv:1: error[missing_column]: data/a.csv lacks column 'city', which data/b.csv has\n"
      "  hint: correct the file, or write `union_by_name: true` to have NULL there\n"
      "  node: people");
  Source("path: data/*.csv\nunion_by_name: true\n");
  Run();
  EXPECT_EQ(Rows("people"), "id=1, name=a, city=NULL\nid=2, name=b, city=Bonn\n");
}

TEST_F(CsvTest, LintNamesWhatIsMissing) {
  Write("data/people.csv", "id,name\n1,a\n");
  Source("path: data/poeple.csv\n");
  EXPECT_EQ(Load(),
            "pipeline/people.yml:2:7: error[no_files]: there is no file 'data/poeple.csv'\n"
            "  2 | path: data/poeple.csv\n"
            "    |       ^^^^^^^^^^^^^^^ did you mean 'data/people.csv'?\n"
            "  node: people\n");
  Source("path: data/*.tsv\n");
  EXPECT_EQ(
      Load(),
      "pipeline/people.yml:2:7: error[no_files]: no file matches 'data/*.tsv'\n"
      "  2 | path: data/*.tsv\n"
      "    |       ^^^^^^^^^^ paths start at the folder of headrace.yml; `path` takes a file, "
      "a folder or a glob such as data/*.csv\n"
      "  node: people\n");
  Source("path: data/people.csv\nkey: [id, nam]\ncolumns: {id: {type: bigintt}}\n");
  EXPECT_EQ(Load(),
            "pipeline/people.yml:3:11: error[unknown_column]: the key names 'nam', which is no "
            "column\n"
            "  3 | key: [id, nam]\n"
            "    |           ^^^ did you mean 'name'?\n"
            "  node: people\n"
            "pipeline/people.yml:4:22: error[unknown_type]: column 'id' can't have the type "
            "'bigintt'\n"
            "  4 | columns: {id: {type: bigintt}}\n"
            "    |                      ^^^^^^^ did you mean 'BIGINT'?\n"
            "  node: people\n");
}

TEST_F(CsvTest, AFileThatDisappears) {
  Write("data/people.csv", "id,name\n1,a\n");
  Source("path: data\n");
  Run();
  std::filesystem::remove(Path("data/people.csv"));
  EXPECT_EQ(Load(),
            "pipeline/people.yml:2:7: error[no_files]: the folder 'data' holds no .csv, .tsv or "
            ".txt file\n"
            "  2 | path: data\n"
            "    |       ^^^^ paths start at the folder of headrace.yml; `path` takes a file, a "
            "folder or a glob such as data/*.csv\n"
            "  node: people\n");
  EXPECT_EQ(Rows("people"), "id=1, name=a\n");
}

TEST_F(CsvTest, LinksDoNotLeaveTheProject) {
  std::filesystem::create_directories(Path("data"));
  std::filesystem::create_symlink("/etc/passwd", Path("data/people.csv"));
  Source("path: data/people.csv\n");
  const std::string faults = Load();
  EXPECT_NE(faults.find("error[path_outside]"), std::string::npos) << faults;
}

TEST_F(CsvTest, AFreshFileIsNotTrusted) {
  Write("data/people.csv", "id\n1\n");
  Source("path: data/people.csv\n");
  const auto modified = RealFileSystem().Stat(Path("data/people.csv"))->modified;
  clock_.Advance(modified - clock_.Now() - 60'000'000);  // Run advances by 60 s
  Run();
  // The same size and time of change: a file system's clock is coarse.
  const auto time = std::filesystem::last_write_time(Path("data/people.csv"));
  Write("data/people.csv", "id\n2\n");
  std::filesystem::last_write_time(Path("data/people.csv"), time);
  Run();
  EXPECT_EQ(Rows("people"), "id=2\n");
}

}  // namespace
}  // namespace headrace::components
