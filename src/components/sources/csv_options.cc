#include "components/sources/csv_options.h"

#include <algorithm>

namespace headrace::components {
namespace {

using spec::Field;
using spec::Spec;

std::optional<spec::Fault> CheckCharacters(const CsvOptions& o) {
  const auto one = [](const std::string& text) {
    return text.size() <= 1 && text != "\n" && text != "\r";
  };
  if (!one(o.delimiter)) {
    return spec::Fault{"delimiter", "delimiter must be one character",
                       "write the character itself, \"\\t\" for a tab"};
  }
  if (!one(o.quote)) return spec::Fault{"quote", "quote must be one character, or empty", ""};
  if (!one(o.escape)) return spec::Fault{"escape", "escape must be one character, or empty", ""};
  if (!one(o.comment)) return spec::Fault{"comment", "comment must be one character", ""};
  if (o.decimal_separator != "." && o.decimal_separator != ",") {
    return spec::Fault{"decimal_separator", "decimal_separator must be '.' or ','", ""};
  }
  if (!o.delimiter.empty() && o.delimiter == o.decimal_separator) {
    return spec::Fault{"decimal_separator", "delimiter and decimal_separator are the same", ""};
  }
  if (!o.delimiter.empty() && (o.delimiter == o.quote || o.delimiter == o.comment)) {
    return spec::Fault{"delimiter", "delimiter is the same as quote or comment", ""};
  }
  return std::nullopt;
}

}  // namespace

const spec::Options& SpecOptions(TextEncoding*) {
  static const spec::Options options{
      {"utf-8", "UTF-8, with or without byte order mark.",
       static_cast<int64_t>(TextEncoding::kUtf8)},
      {"latin-1", "ISO 8859-1.", static_cast<int64_t>(TextEncoding::kLatin1)},
      {"utf-16", "UTF-16; little endian unless a byte order mark says otherwise.",
       static_cast<int64_t>(TextEncoding::kUtf16)}};
  return options;
}

const Spec& CsvSourceSpec() {
  using enum spec::Affects;
  static const Spec spec = [] {
    Spec s(
        "source", "csv", "Rows of CSV files.",
        {Field("path", &CsvOptions::path,
               "File, folder or glob (`*`, `?`, `[…]`, `**`), relative to the project; .gz and "
               ".zst are unpacked.")
             .Path()
             .NotEmpty()
             .Example("data/customers/*.csv.gz"),
         Field("connection", &CsvOptions::connection,
               "Connection of type folder: the path starts in its `root:` and not in the project.")
             .Optional()
             .Connection()
             .Example("shared"),
         Field("key", &CsvOptions::key,
               "Columns that identify a row: later rows replace earlier ones of the same key.")
             .Optional()
             .Column()
             .NotEmpty()
             .Example("customer_id"),
         Field("delimiter", &CsvOptions::delimiter,
               "Character between values; without it , ; | and tab are tried.")
             .Optional(),
         Field("quote", &CsvOptions::quote, "Character around values; empty = none.").Default(),
         Field("escape", &CsvOptions::escape, "Character before a quote inside of a quoted value.")
             .Default()
             .Advanced(),
         Field("header", &CsvOptions::header,
               "The first line holds the names of the columns; else they are column0, column1 …")
             .Default(),
         Field("null_values", &CsvOptions::null_values,
               "Texts that mean that nothing is there, e.g. [\"\", NA].")
             .Default(),
         Field("encoding", &CsvOptions::encoding, "Encoding of the text.").Default(),
         Field("decimal_separator", &CsvOptions::decimal_separator, "`.` or `,`.")
             .Default()
             .Advanced(),
         Field("date_format", &CsvOptions::date_format,
               "How dates are written, e.g. %d.%m.%Y; without it 2026-01-31.")
             .Optional(),
         Field("timestamp_format", &CsvOptions::timestamp_format,
               "How times are written, e.g. %d.%m.%Y %H:%M; without it 2026-01-31 09:30:00, "
               "with or without offset.")
             .Optional(),
         Field("skip", &CsvOptions::skip, "Lines before the header.").Default().Min(0),
         Field("comment", &CsvOptions::comment,
               "Character that starts a comment; it lasts to the end of the line.")
             .Optional()
             .Advanced(),
         Field("sample_rows", &CsvOptions::sample_rows,
               "Rows from which types are found. A value further down that does not fit widens "
               "the type, and is reported.")
             .Default()
             .Min(1)
             .Advanced(),
         Field("union_by_name", &CsvOptions::union_by_name,
               "Columns that a file lacks are NULL there; else it is an error.")
             .Default(),
         Field("schema_change", &CsvOptions::schema_change,
               "What may change in the columns from one run to the next.")
             .Default()
             .Affects(kPolicy)});
    s.Rule<CsvOptions>(CheckCharacters);
    s.Details(
        "Only what is new is read: new files, and the end of files that have grown. A changed or "
        "missing file means that everything is read again.\n\n"
        "Types are found from a sample: BOOLEAN, BIGINT, DOUBLE, DATE, TIMESTAMP, TIMESTAMP WITH "
        "TIME ZONE, else VARCHAR. A type must give every value back as it was written: 007 and "
        "+49 stay text. `columns:` of the node fixes types; then a value that does not fit is an "
        "error.");
    s.Example("source: csv\npath: data/customers/*.csv.gz\nkey: customer_id\n");
    s.Example(
        "source: csv\npath: data/sales.csv\ndelimiter: \";\"\ndecimal_separator: \",\"\n"
        "date_format: \"%d.%m.%Y\"\nnull_values: [\"\", \"NA\"]\n");
    return s;
  }();
  return spec;
}

CsvDialect DialectOf(const CsvOptions& options, char delimiter) {
  const auto first = [](const std::string& text) { return text.empty() ? '\0' : text[0]; };
  CsvDialect dialect;
  dialect.delimiter = options.delimiter.empty() ? delimiter : options.delimiter[0];
  dialect.quote = first(options.quote);
  dialect.escape = dialect.quote == 0 ? '\0' : first(options.escape);
  dialect.comment = first(options.comment);
  dialect.skip = options.skip;
  return dialect;
}

CsvTypeRules RulesOf(const CsvOptions& options) {
  return {options.decimal_separator == "," ? ',' : '.', options.date_format,
          options.timestamp_format};
}

bool IsNullText(const CsvOptions& options, std::string_view text) {
  return std::find(options.null_values.begin(), options.null_values.end(), text) !=
         options.null_values.end();
}

}  // namespace headrace::components
