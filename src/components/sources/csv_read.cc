#include "components/sources/csv_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>

#include "data/quote.h"
#include "data/types.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;
using data::QuoteLiteral;

constexpr const char* kNotWhole = "headrace: not a whole number";

int IndexOf(const std::vector<std::string>& names, std::string_view name) {
  for (size_t n = 0; n < names.size(); ++n) {
    if (data::SameName(names[n], name)) return static_cast<int>(n);
  }
  return -1;
}

/// What DuckDB's reader makes of a column, and what the SELECT makes of that.
struct Reading {
  std::string type, expression;
};

/// Casts a text to an integer type unless that would cut off a fraction.
std::string WholeCast(const std::string& name, const std::string& type) {
  const std::string exact = fmt::format("CAST({} AS DECIMAL(38,9))", name);
  return fmt::format(
      "CASE WHEN {0} IS NULL OR {1} = trunc({1}) THEN CAST({0} AS {2}) ELSE "
      "error({3}) END",
      name, exact, type, QuoteLiteral(kNotWhole));
}

/// A text with an offset as UTC: a cast to TIMESTAMP alone would drop the offset. The usual forms
/// without one (2024-01-31, 2024-01-31 09:30:00) take the cast that is twice as fast.
std::string UtcCast(const std::string& name) {
  return fmt::format(
      "CASE WHEN length({0}) = 10 OR (length({0}) = 19 AND {0}[17] = ':') THEN CAST({0} AS "
      "TIMESTAMP) ELSE CAST(CAST({0} AS TIMESTAMP WITH TIME ZONE) AS TIMESTAMP) END",
      name);
}

Reading ReadingOf(const CsvColumn& column, const CsvOptions& options) {
  const std::string name = QuoteIdentifier(column.name);
  if (!column.fixed.empty()) {
    const data::TypeClass type_class = data::ClassOf(column.fixed);
    if (type_class == data::TypeClass::kInteger) {
      return {"VARCHAR", WholeCast(name, column.fixed)};
    }
    if (type_class == data::TypeClass::kTimestamp && options.timestamp_format.empty()) {
      return {"VARCHAR", column.fixed == "TIMESTAMP"
                             ? UtcCast(name)
                             : fmt::format("CAST({} AS {})", name, column.fixed)};
    }
    return {column.fixed, name};
  }
  const auto parsed = [&](const char* function) {
    return Reading{"VARCHAR", fmt::format("{}({})", function, name)};
  };
  switch (column.found) {
    case CsvType::kBoolean:
      return parsed("hr_boolean");
    case CsvType::kInteger:
      return parsed("hr_small_integer");
    case CsvType::kWideInteger:
      return parsed("hr_integer");
    case CsvType::kDouble:
      return {"VARCHAR",
              fmt::format("hr_double({}, {})", name, QuoteLiteral(options.decimal_separator))};
    case CsvType::kDate:
      if (!options.date_format.empty()) return {"DATE", name};
      return parsed("hr_date");
    case CsvType::kTimestamp:
      if (!options.timestamp_format.empty()) return {"TIMESTAMP", name};
      return parsed("hr_timestamp");
    case CsvType::kTimestampZone:
      return parsed("hr_timestamptz");
    default:
      return {"VARCHAR", name};
  }
}

std::string OneCharacter(char c) { return c == 0 ? "''" : QuoteLiteral(std::string(1, c)); }

/// SELECT over parts that have the same columns in the same order.
std::string GroupSelect(const CsvReadPlan& plan, size_t begin, size_t end) {
  const CsvOptions& options = *plan.options;
  const CsvPart& first = plan.parts[begin];
  const bool header = first.HasHeader(options);
  const CsvDialect dialect = DialectOf(options, plan.delimiter);
  std::vector<std::string> types(first.header.size(), "VARCHAR");
  std::string items;
  for (const CsvColumn& column : plan.columns) {
    const int index = IndexOf(first.header, column.name);
    const Reading reading = ReadingOf(column, options);
    if (index >= 0) types[index] = reading.type;
    items += fmt::format(
        "{}{} AS {}", items.empty() ? "" : ", ",
        index < 0 ? fmt::format("CAST(NULL AS {})", column.SqlType()) : reading.expression,
        QuoteIdentifier(column.name));
  }
  std::string files, columns, nulls;
  for (size_t n = begin; n < end; ++n) {
    files += (n == begin ? "" : ", ") + QuoteLiteral(plan.parts[n].read_path);
  }
  for (size_t n = 0; n < first.header.size(); ++n) {
    columns += fmt::format("{}{}: {}", n == 0 ? "" : ", ", QuoteLiteral(first.header[n]),
                           QuoteLiteral(types[n]));
  }
  for (const std::string& text : options.null_values) {
    nulls += (nulls.empty() ? "" : ", ") + QuoteLiteral(text);
  }
  std::string sql = fmt::format(
      "SELECT {} FROM read_csv([{}], auto_detect = false, strict_mode = true, header = {}, skip = "
      "{}, delim = {}, quote = {}, escape = {}, columns = {{{}}}, dateformat = {}",
      items, files, header, first.skip, OneCharacter(dialect.delimiter),
      OneCharacter(dialect.quote), OneCharacter(dialect.escape), columns,
      QuoteLiteral(options.date_format.empty() ? "%Y-%m-%d" : options.date_format));
  if (!nulls.empty()) sql += fmt::format(", nullstr = [{}]", nulls);
  if (dialect.comment != 0) sql += fmt::format(", comment = {}", OneCharacter(dialect.comment));
  if (options.decimal_separator == ",") sql += ", decimal_separator = ','";
  if (!options.timestamp_format.empty()) {
    sql += fmt::format(", timestampformat = {}", QuoteLiteral(options.timestamp_format));
  }
  // A copy has no ending that says how it is packed; the others are what their ending says.
  if (CompressionOf(first.read_path) == Compression::kNone) sql += ", compression = 'none'";
  return sql + ")";
}

Result<CsvScanner> ScanPart(FileSystem& fs, const CsvReadPlan& plan, const CsvPart& part) {
  HR_ASSIGN(auto text, TextFile::Open(fs, part.file.path, part.file.shown, plan.options->encoding,
                                      part.offset));
  CsvDialect dialect = DialectOf(*plan.options, plan.delimiter);
  if (part.offset > 0) dialect.skip = 0;
  return CsvScanner(std::move(text), dialect, part.file.shown, part.first_line);
}

/// Calls `visit` for every row of the parts; stops when it returns false.
template <class Visit>
Status ForEachRow(FileSystem& fs, const CsvReadPlan& plan, const CancelToken& cancel,
                  const Visit& visit) {
  CsvRecord record;
  for (const CsvPart& part : plan.parts) {
    HR_ASSIGN(CsvScanner scanner, ScanPart(fs, plan, part));
    bool header = part.HasHeader(*plan.options);
    for (int64_t n = 0;; ++n) {
      if (n % 4096 == 0) HR_TRY(cancel.Check());
      HR_ASSIGN(bool more, scanner.Next(record));
      if (!more) break;
      // DuckDB takes empty lines for rows only where there is one column.
      if (record.blank && (part.header.size() > 1 || header)) continue;
      if (header) {
        header = false;
        continue;
      }
      HR_ASSIGN(bool go_on, visit(part, record));
      if (!go_on) return Ok();
    }
  }
  return Ok();
}

Error RaggedRow(const CsvPart& part, const CsvRecord& record) {
  const size_t have = record.fields.size(), want = part.header.size();
  Place place{.file = part.file.shown, .line = static_cast<int>(record.line)};
  place.source_line = ShownLine(record.raw);
  Error error = DataError("ragged_row", fmt::format("the row has {} value{}, the header has {}",
                                                    have, have == 1 ? "" : "s", want));
  error.At(place);
  if (have < want) {
    error.Hint("is the file cut off, or a value missing? Empty values still need their delimiters");
  } else {
    error.Hint("a value that holds the delimiter must stand in quotes");
  }
  return error;
}

/// Asks DuckDB if a text can't be read as a fixed type.
Result<bool> Refused(data::DuckConnection& connection, const CsvColumn& column,
                     std::string_view value, const CsvOptions& options) {
  const std::string literal = QuoteLiteral(value);
  std::string condition = fmt::format("TRY_CAST({} AS {}) IS NULL", literal, column.fixed);
  const data::TypeClass type_class = data::ClassOf(column.fixed);
  if (type_class == data::TypeClass::kInteger) {
    const std::string exact = fmt::format("TRY_CAST({} AS DECIMAL(38,9))", literal);
    condition += fmt::format(" OR {0} IS NULL OR {0} <> trunc({0})", exact);
  } else if (type_class == data::TypeClass::kDate) {
    condition =
        fmt::format("try_strptime({}, {}) IS NULL", literal,
                    QuoteLiteral(options.date_format.empty() ? "%Y-%m-%d" : options.date_format));
  } else if (type_class == data::TypeClass::kTimestamp && !options.timestamp_format.empty()) {
    condition = fmt::format("try_strptime({}, {}) IS NULL", literal,
                            QuoteLiteral(options.timestamp_format));
  } else if (IsNumber(type_class) && options.decimal_separator == ",") {
    condition = fmt::format("TRY_CAST(replace({}, ',', '.') AS {}) IS NULL OR contains({}, '.')",
                            literal, column.fixed, literal);
  }
  HR_ASSIGN(auto rows, connection.Query("SELECT " + condition));
  return rows.at(0, 0).AsBool();
}

Error BadValue(const CsvPart& part, const CsvRecord& record, const CsvColumn& column,
               std::string_view value) {
  Place place{.file = part.file.shown, .line = static_cast<int>(record.line)};
  place.source_line = ShownLine(record.raw);
  return DataError("bad_value", fmt::format("'{}' in column '{}' is not {}", ShownLine(value),
                                            column.name, column.fixed))
      .At(place)
      .Subject(column.name)
      .Hint(
          "correct the file, change the type under `columns:`, or name the text in `null_values` "
          "if it means that nothing is there");
}

/// True when the found type of a text says for sure that it can be read as the fixed one.
bool SurelyFits(CsvType found, data::TypeClass fixed) {
  switch (fixed) {
    case data::TypeClass::kText:
    case data::TypeClass::kBlob:
      return true;
    case data::TypeClass::kFloating:
      return found == CsvType::kInteger || found == CsvType::kWideInteger ||
             found == CsvType::kDouble;
    case data::TypeClass::kDate:
      return found == CsvType::kDate;
    case data::TypeClass::kTimestamp:
      return found == CsvType::kTimestamp || found == CsvType::kTimestampZone;
    case data::TypeClass::kBoolean:
      return found == CsvType::kBoolean;
    default:
      return false;
  }
}

}  // namespace

std::string CsvSelect(const CsvReadPlan& plan, bool numbered) {
  std::string sql;
  for (size_t begin = 0; begin < plan.parts.size();) {
    const CsvPart& first = plan.parts[begin];
    size_t end = begin + 1;
    while (end < plan.parts.size() && plan.parts[end].header == first.header &&
           plan.parts[end].HasHeader(*plan.options) == first.HasHeader(*plan.options) &&
           plan.parts[end].skip == first.skip &&
           CompressionOf(plan.parts[end].read_path) == CompressionOf(first.read_path)) {
      ++end;
    }
    sql += (sql.empty() ? "" : " UNION ALL ") + GroupSelect(plan, begin, end);
    begin = end;
  }
  if (numbered) sql = "SELECT *, row_number() OVER () AS \"__order\" FROM (" + sql + ")";
  return sql;
}

Result<CsvDiagnosis> DiagnoseCsv(FileSystem& fs, const CsvReadPlan& plan,
                                 data::DuckConnection& connection, const CancelToken& cancel) {
  constexpr int kMostQuestions = 1000;
  const CsvOptions& options = *plan.options;
  const CsvTypeRules rules = RulesOf(options);
  CsvDiagnosis diagnosis;
  for (const CsvColumn& column : plan.columns) diagnosis.types.push_back(column.found);
  const CsvPart* current = nullptr;
  std::vector<int> indices;
  int questions = 0;
  Status status = ForEachRow(
      fs, plan, cancel, [&](const CsvPart& part, const CsvRecord& record) -> Result<bool> {
        if (current != &part) {
          current = &part;
          indices.clear();
          for (const CsvColumn& column : plan.columns) {
            indices.push_back(IndexOf(part.header, column.name));
          }
        }
        if (!record.HasColumns(part.header.size())) {
          diagnosis.fault = RaggedRow(part, record);
          return false;
        }
        for (size_t n = 0; n < plan.columns.size(); ++n) {
          if (indices[n] < 0) continue;
          const std::string_view value = record.fields[indices[n]].text;
          CsvType& type = diagnosis.types[n];
          const CsvColumn& column = plan.columns[n];
          if ((column.fixed.empty() && type == CsvType::kText) || IsNullText(options, value)) {
            continue;
          }
          const CsvType found = TypeOfText(value, rules);
          if (!column.fixed.empty()) {
            if (SurelyFits(found, data::ClassOf(column.fixed)) || questions >= kMostQuestions) {
              continue;
            }
            if (found == CsvType::kInteger && column.fixed == "BIGINT") continue;
            ++questions;
            HR_ASSIGN(bool refused, Refused(connection, column, value, options));
            if (refused) {
              diagnosis.fault = BadValue(part, record, column, value);
              return false;
            }
            continue;
          }
          const CsvType joined = Join(type, found);
          if (joined == type) continue;
          // Only what the read could not know is a conflict; the first one tells the story.
          const bool told = std::any_of(diagnosis.conflicts.begin(), diagnosis.conflicts.end(),
                                        [n](const CsvConflict& c) { return c.column == n; });
          if (!told) {
            diagnosis.conflicts.push_back({n, part.file.shown, record.line, ShownLine(value)});
          }
          type = joined;
        }
        return true;
      });
  if (!status.ok()) {
    if (status.error().blame != Blame::kData) return std::move(status).error();
    diagnosis.fault = std::move(status).error();
  }
  return diagnosis;
}

bool NeedsCopy(const CsvPart& part, const CsvOptions& options) {
  return part.offset > 0 || options.encoding != TextEncoding::kUtf8;
}

Error NulByte(const std::string& shown, int64_t line) {
  return DataError("nul_byte", "the line holds a NUL byte, which no text has")
      .At({.file = shown, .line = static_cast<int>(line)})
      .Hint("the file is damaged, or not UTF-8 (`encoding: utf-16`?)");
}

namespace {
template <class Sink>
Status PassText(FileSystem& fs, const CsvPart& part, const CsvOptions& options,
                const CancelToken& cancel, const Sink& sink) {
  HR_ASSIGN(auto text,
            TextFile::Open(fs, part.file.path, part.file.shown, options.encoding, part.offset));
  std::string piece;
  int64_t line = part.first_line;
  while (true) {
    HR_TRY(cancel.Check());
    piece.clear();
    HR_ASSIGN(bool more, text->Read(piece));
    if (!more) return Ok();
    const size_t nul = piece.find('\0');
    const auto end =
        nul == std::string::npos ? piece.end() : piece.begin() + static_cast<ptrdiff_t>(nul);
    line += std::count(piece.begin(), end, '\n');
    if (nul != std::string::npos) return NulByte(part.file.shown, line);
    HR_TRY(sink(piece));
  }
}
}  // namespace

Status CopyCsvText(FileSystem& fs, const CsvPart& part, const CsvOptions& options,
                   const std::string& path, const CancelToken& cancel) {
  HR_TRY(fs.CreateDirectories(DirName(path)));
  // Not through FileSystem, which writes whole files: this is no state, and may be large.
  errno = 0;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  const auto failed = [&path] {
    return ErrnoError(errno != 0 ? errno : EIO, fmt::format("cannot write '{}'", path));
  };
  if (!out) return failed();
  HR_TRY(PassText(fs, part, options, cancel, [&](const std::string& piece) -> Status {
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (!out) return failed();
    return Ok();
  }));
  out.close();
  if (!out) return failed();
  return Ok();
}

Status CheckCsvText(FileSystem& fs, const CsvPart& part, const CsvOptions& options,
                    const CancelToken& cancel) {
  return PassText(fs, part, options, cancel, [](const std::string&) -> Status { return Ok(); });
}

Result<std::vector<CsvLine>> FindNullKeys(FileSystem& fs, const CsvReadPlan& plan,
                                          const CancelToken& cancel) {
  constexpr size_t kMost = 3;
  std::vector<CsvLine> lines;
  HR_TRY(ForEachRow(
      fs, plan, cancel, [&](const CsvPart& part, const CsvRecord& record) -> Result<bool> {
        for (const std::string& key : plan.options->key) {
          const int index = IndexOf(part.header, key);
          const bool missing = index < 0 || index >= static_cast<int>(record.fields.size()) ||
                               IsNullText(*plan.options, record.fields[index].text);
          if (!missing) continue;
          lines.push_back({part.file.shown, record.line, ShownLine(record.raw)});
          break;
        }
        return lines.size() < kMost;
      }));
  return lines;
}

Error CsvDuckError(Error error, const CsvReadPlan& plan) {
  Place place;
  std::string message = error.message;
  const std::string mark = "CSV Error on Line: ";
  const size_t at = message.find(mark);
  std::string file;
  const size_t file_at = message.find("\n  file = ");
  if (file_at != std::string::npos) {
    const size_t begin = file_at + 10;
    file = message.substr(begin, message.find('\n', begin) - begin);
  }
  const CsvPart* part = plan.parts.empty() ? nullptr : &plan.parts.front();
  for (const CsvPart& candidate : plan.parts) {
    if (candidate.read_path == file) part = &candidate;
  }
  if (part != nullptr) place.file = part->file.shown;
  if (at != std::string::npos) {
    int line = 0;
    std::from_chars(message.data() + at + mark.size(), message.data() + message.size(), line);
    place.line = line + static_cast<int>(part != nullptr ? part->first_line - 1 : 0);
    message.erase(0, message.find('\n', at) + 1);
    const std::string original = "Original Line: ";
    if (message.starts_with(original)) {
      const size_t end = message.find('\n');
      place.source_line = ShownLine(std::string_view(message).substr(original.size(), end));
      message.erase(0, end == std::string::npos ? message.size() : end + 1);
    }
  }
  for (const char* tail : {"\nPossible", "\n\n", "\n  file = ", "\nColumn "}) {
    const size_t end = message.find(tail);
    if (end != std::string::npos) message.resize(end);
  }
  error.code = "bad_csv";
  error.blame = Blame::kData;
  error.message = message;
  error.candidates.clear();
  error.subject.clear();
  error.hint.clear();
  return error.At(place);
}

}  // namespace headrace::components
