#include "components/sources/sqlite_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "components/sources/csv_scan.h"
#include "components/sources/csv_types.h"
#include "data/batch.h"

namespace headrace::components {
namespace {

using Class = SqliteStatement::Class;
constexpr int64_t kExactDouble = int64_t{1} << 53;
constexpr int64_t kMicrosOfDay = 86'400'000'000;

bool EqualsNoCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

/// Whether a value that is not NULL can be given as that type without a change.
bool Fits(const SqliteStatement& row, int column, Class value, SqliteType type) {
  switch (type) {
    case SqliteType::kNone:
      return false;
    case SqliteType::kBoolean:
      if (value == Class::kInteger) return row.Int(column) == 0 || row.Int(column) == 1;
      return value == Class::kText &&
             (EqualsNoCase(row.Bytes(column), "true") || EqualsNoCase(row.Bytes(column), "false"));
    case SqliteType::kInteger:
      return value == Class::kInteger;
    case SqliteType::kDouble:
      if (value == Class::kInteger) {
        return row.Int(column) >= -kExactDouble && row.Int(column) <= kExactDouble;
      }
      return value == Class::kReal;
    case SqliteType::kDate:
      return value == Class::kText && ParseSqliteDate(row.Bytes(column)).has_value();
    case SqliteType::kTimestamp:
      return value == Class::kText && ParseSqliteTimestamp(row.Bytes(column)).has_value();
    case SqliteType::kText:
      return value != Class::kBlob;
    case SqliteType::kBlob:
      return true;
  }
  return false;
}

std::string TextOf(const SqliteStatement& row, int column) {
  switch (row.ClassOf(column)) {
    case Class::kNull:
      return "";
    case Class::kInteger:
      return std::to_string(row.Int(column));
    case Class::kReal:
      return fmt::format("{}", row.Double(column));
    case Class::kText:
    case Class::kBlob:
      return std::string(row.Bytes(column));
  }
  return "";
}

std::string ShownValue(const SqliteStatement& row, int column) {
  if (row.ClassOf(column) == Class::kBlob) {
    return fmt::format("a blob of {} bytes", row.Bytes(column).size());
  }
  const std::string text = TextOf(row, column);
  return ShownLine(text.size() > 80 ? text.substr(0, 80) + "…" : text);
}

/// What is known of a column while it is looked through.
struct Seen {
  SqliteType promised = SqliteType::kNone;
  bool keeps_promise = true, timestamps = true;
  CsvType natural = CsvType::kNone;  // kInteger … kDouble, kText
  bool blob = false;
  std::optional<SqliteConflict> broken;

  void Add(const SqliteStatement& row, int column, int64_t number) {
    const Class value = row.ClassOf(column);
    if (value == Class::kNull) return;
    if (keeps_promise && promised != SqliteType::kNone && !Fits(row, column, value, promised)) {
      keeps_promise = false;
      broken = SqliteConflict{column, number, ShownValue(row, column)};
    }
    // Dates and times mixed in a column of dates are times.
    timestamps = timestamps && promised == SqliteType::kDate &&
                 Fits(row, column, value, SqliteType::kTimestamp);
    switch (value) {
      case Class::kInteger: {
        const bool exact = Fits(row, column, value, SqliteType::kDouble);
        natural = Join(natural, exact ? CsvType::kInteger : CsvType::kWideInteger);
        break;
      }
      case Class::kReal:
        natural = Join(natural, CsvType::kDouble);
        break;
      case Class::kText:
        natural = Join(natural, CsvType::kText);
        break;
      case Class::kBlob:
        blob = true;
        break;
      case Class::kNull:
        break;
    }
  }

  SqliteType Type() const {
    if (natural == CsvType::kNone && !blob) return promised;
    if (promised != SqliteType::kNone && keeps_promise) return promised;
    if (timestamps) return SqliteType::kTimestamp;
    if (blob) return SqliteType::kBlob;
    switch (natural) {
      case CsvType::kInteger:
      case CsvType::kWideInteger:
        return SqliteType::kInteger;
      case CsvType::kDouble:
        return SqliteType::kDouble;
      default:
        return SqliteType::kText;
    }
  }
};

std::string StoredType(SqliteType type) {
  switch (type) {
    case SqliteType::kBoolean:
      return "BOOLEAN";
    case SqliteType::kInteger:
      return "BIGINT";
    case SqliteType::kDouble:
      return "DOUBLE";
    case SqliteType::kDate:
      return "DATE";
    case SqliteType::kTimestamp:
      return "TIMESTAMP";
    case SqliteType::kBlob:
      return "BLOB";
    case SqliteType::kNone:
    case SqliteType::kText:
      break;
  }
  return "VARCHAR";
}

class SqliteReader : public data::BatchReader {
 public:
  SqliteReader(SqliteStatement& statement, SqliteProgress& progress, SqliteReaderOptions options)
      : statement_(statement), progress_(progress), options_(std::move(options)) {
    for (size_t n = 0; n < options_.columns.size(); ++n) {
      schema_.columns.push_back({options_.columns[n].name, StoredType(options_.types[n]), true});
    }
  }

  const data::Schema& schema() const override { return schema_; }

  Result<std::optional<data::Batch>> Next() override {
    constexpr int64_t kRows = 65536, kBytes = 32 << 20;
    if (done_) return std::optional<data::Batch>();
    HR_TRY(options_.cancel.Check());
    HR_ASSIGN(auto builder, data::BatchBuilder::Make(schema_));
    while (builder.rows() < kRows && (builder.rows() % 64 != 0 || builder.bytes() < kBytes)) {
      HR_ASSIGN(bool more, statement_.Step());
      if (!more) {
        done_ = true;
        break;
      }
      ++progress_.rows;
      for (int n = 0; n < static_cast<int>(options_.types.size()); ++n) {
        HR_TRY(Append(builder, n));
      }
      if (options_.cursor >= 0) NoteCursor();
    }
    if (builder.rows() == 0) return std::optional<data::Batch>();
    return std::optional<data::Batch>(builder.Finish());
  }

 private:
  Status Append(data::BatchBuilder& builder, int column) {
    const Class value = statement_.ClassOf(column);
    const SqliteType type = options_.types[column];
    if (value == Class::kNull) {
      builder.AppendNull();
      return Ok();
    }
    if (!Fits(statement_, column, value, type)) {
      progress_.conflict = {column, progress_.rows, ShownValue(statement_, column)};
      return DataError("type_conflict", "a value does not fit the type of its column");
    }
    switch (type) {
      case SqliteType::kBoolean:
        builder.AppendInt64(value == Class::kInteger
                                ? statement_.Int(column)
                                : EqualsNoCase(statement_.Bytes(column), "true"));
        break;
      case SqliteType::kInteger:
        builder.AppendInt64(statement_.Int(column));
        break;
      case SqliteType::kDouble:
        builder.AppendDouble(statement_.Double(column));
        break;
      case SqliteType::kDate:
        builder.AppendInt64(*ParseSqliteDate(statement_.Bytes(column)));
        break;
      case SqliteType::kTimestamp:
        builder.AppendInt64(*ParseSqliteTimestamp(statement_.Bytes(column)));
        break;
      case SqliteType::kNone:
      case SqliteType::kText: {
        if (value != Class::kText) {
          builder.AppendText(TextOf(statement_, column));
          break;
        }
        const std::string_view text = statement_.Bytes(column);
        if (FindBadUtf8(text) != std::string_view::npos) {
          return DataError("bad_encoding",
                           fmt::format("{}: '{}' in column '{}' is not UTF-8", options_.shown,
                                       ShownLine(text), options_.columns[column].name))
              .At({.file = options_.shown, .rows = fmt::format("row {}", progress_.rows)})
              .Subject(options_.columns[column].name)
              .Hint("correct the row, or read it with a `query` that casts the column to BLOB");
        }
        builder.AppendText(text);
        break;
      }
      case SqliteType::kBlob:
        builder.AppendText(TextOf(statement_, column));
        break;
    }
    return Ok();
  }

  void NoteCursor() {
    const Class value = statement_.ClassOf(options_.cursor);
    if (value == Class::kNull) return;
    SqliteProgress& p = progress_;
    const bool first = p.cursor_class == Class::kNull;
    if (!first && value != p.cursor_class) {
      p.cursor_mixed = true;
      return;
    }
    p.cursor_class = value;
    if (value == Class::kInteger) {
      const int64_t number = statement_.Int(options_.cursor);
      p.cursor_int = first ? number : std::max(p.cursor_int, number);
    } else if (value == Class::kReal) {
      const double number = statement_.Double(options_.cursor);
      p.cursor_double = first ? number : std::max(p.cursor_double, number);
    } else {
      const std::string_view text = statement_.Bytes(options_.cursor);
      if (first || text > p.cursor_text) p.cursor_text = text;
    }
  }

  SqliteStatement& statement_;
  SqliteProgress& progress_;
  SqliteReaderOptions options_;
  data::Schema schema_;
  bool done_ = false;
};

}  // namespace

std::optional<int64_t> ParseSqliteTimestamp(std::string_view text) {
  const CsvType type = TypeOfText(text, {});
  if (type != CsvType::kDate && type != CsvType::kTimestamp && type != CsvType::kTimestampZone) {
    return std::nullopt;
  }
  auto parsed = ParseTimestamp(text);
  if (!parsed.ok()) return std::nullopt;
  return *parsed;
}

std::optional<int64_t> ParseSqliteDate(std::string_view text) {
  if (TypeOfText(text, {}) != CsvType::kDate) return std::nullopt;
  const auto micros = ParseSqliteTimestamp(text);
  if (!micros) return std::nullopt;
  return *micros >= 0 ? *micros / kMicrosOfDay : -((-*micros + kMicrosOfDay - 1) / kMicrosOfDay);
}

SqliteType DeclaredType(const std::string& declared) {
  std::string upper = declared;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  const auto has = [&upper](std::string_view word) {
    return upper.find(word) != std::string::npos;
  };
  if (has("BOOL")) return SqliteType::kBoolean;
  if (has("TIMESTAMP") || has("DATETIME")) return SqliteType::kTimestamp;
  if (has("DATE")) return SqliteType::kDate;
  // The rules of https://www.sqlite.org/datatype3.html §3.1, in their order.
  if (has("INT")) return SqliteType::kInteger;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return SqliteType::kText;
  if (has("BLOB")) return SqliteType::kBlob;
  if (has("REAL") || has("FLOA") || has("DOUB")) return SqliteType::kDouble;
  if (has("DEC") || has("NUM")) return SqliteType::kDouble;
  return SqliteType::kNone;
}

std::string SqlTypeOf(SqliteType type) { return StoredType(type); }

Result<SqliteScan> ScanSqlite(SqliteStatement& statement, const CancelToken& cancel,
                              int64_t limit_micros) {
  const auto columns = statement.Columns();
  std::vector<Seen> seen(columns.size());
  for (size_t n = 0; n < columns.size(); ++n) {
    seen[n].promised = DeclaredType(columns[n].declared);
  }
  SqliteScan scan;
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    if (scan.rows % 256 == 0) {
      HR_TRY(cancel.Check());
      const auto spent = std::chrono::duration_cast<std::chrono::microseconds>(
          std::chrono::steady_clock::now() - start);
      if (limit_micros > 0 && spent.count() > limit_micros) {
        scan.whole = false;
        break;
      }
    }
    HR_ASSIGN(bool more, statement.Step());
    if (!more) break;
    ++scan.rows;
    for (size_t n = 0; n < columns.size(); ++n) {
      seen[n].Add(statement, static_cast<int>(n), scan.rows);
    }
  }
  for (Seen& column : seen) {
    scan.types.push_back(column.Type());
    if (column.broken) scan.conflicts.push_back(*column.broken);
  }
  return scan;
}

std::unique_ptr<data::BatchReader> ReadSqlite(SqliteStatement& statement, SqliteProgress& progress,
                                              SqliteReaderOptions options) {
  return std::make_unique<SqliteReader>(statement, progress, std::move(options));
}

}  // namespace headrace::components
