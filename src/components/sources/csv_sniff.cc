#include "components/sources/csv_sniff.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"

namespace headrace::components {
namespace {

Result<CsvScanner> Scan(FileSystem& fs, const CsvFile& file, const CsvOptions& options,
                        char delimiter) {
  HR_ASSIGN(auto text, TextFile::Open(fs, file.path, file.shown, options.encoding));
  return CsvScanner(std::move(text), DialectOf(options, delimiter), file.shown);
}

/// The candidate with which most of the first records have as many values as the first one; the
/// one that gives more values on a tie. ',' when none gives two.
Result<char> FindDelimiter(FileSystem& fs, const CsvFile& file, const CsvOptions& options) {
  constexpr int kRecords = 100;
  char best = ',';
  double best_share = 0;
  size_t best_values = 1;
  for (char candidate : {',', ';', '\t', '|'}) {
    HR_ASSIGN(CsvScanner scanner, Scan(fs, file, options, candidate));
    CsvRecord record;
    size_t values = 0;
    int all = 0, equal = 0;
    while (all < kRecords) {
      auto more = scanner.Next(record);
      if (!more.ok()) {
        // The wrong candidate may break quotes; what is wrong with the right one is said later.
        ++all;
        break;
      }
      if (!*more) break;
      if (record.blank) continue;
      if (all++ == 0) values = record.fields.size();
      equal += record.HasColumns(values) ? 1 : 0;
    }
    if (values < 2) continue;
    const double share = static_cast<double>(equal) / all;
    if (share > best_share || (share == best_share && values > best_values)) {
      best = candidate;
      best_share = share;
      best_values = values;
    }
  }
  return best;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string LowerCase(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

Result<std::vector<std::string>> HeaderOf(const CsvRecord& record, const CsvOptions& options,
                                          const CsvFile& file) {
  std::vector<std::string> names;
  std::map<std::string, size_t> seen;
  for (size_t n = 0; n < record.fields.size(); ++n) {
    std::string name(options.header ? Trim(record.fields[n].text) : "");
    if (name.empty()) name = fmt::format("column{}", n);
    auto [other, fresh] = seen.emplace(LowerCase(name), n);
    if (!fresh) {
      Place place{.file = file.shown, .line = static_cast<int>(record.line)};
      place.source_line = ShownLine(record.raw);
      return DataError("duplicate_column",
                       fmt::format("columns {} and {} of the header are both named '{}'",
                                   other->second + 1, n + 1, name))
          .At(place)
          .Subject(name)
          .Hint("rename one in the file, or skip the header with `skip: 1` and `header: false`");
    }
    names.push_back(std::move(name));
  }
  return names;
}

/// What the values of one column are, apart from those that are only text.
struct ColumnSample {
  CsvType narrow = CsvType::kNone;
  int64_t typed = 0, texts = 0;
  CsvSniffNote first;  // of the texts
};

/// Finds the few values because of which a column of numbers or dates would be text.
class StrayValues {
 public:
  explicit StrayValues(size_t columns) : columns_(columns) {}

  void Add(size_t column, CsvType type, std::string_view value, const CsvRecord& record) {
    ColumnSample& sample = columns_[column];
    if (type != CsvType::kText) {
      ++sample.typed;
      sample.narrow = Join(sample.narrow, type);
    } else if (sample.texts++ == 0) {
      sample.first = {record.line, ShownLine(record.raw), static_cast<int>(column), CsvType::kNone,
                      std::string(value)};
    }
  }

  void Report(std::vector<CsvSniffNote>* notes) const {
    constexpr int64_t kFewest = 20;  // of fewer values nobody can say what they were meant to be
    for (const ColumnSample& sample : columns_) {
      const bool stray = sample.texts > 0 && sample.typed >= kFewest &&
                         sample.texts <= std::max<int64_t>(1, sample.typed / 100);
      if (!stray || sample.narrow == CsvType::kText) continue;
      notes->push_back(sample.first);
      notes->back().narrow = sample.narrow;
    }
  }

 private:
  std::vector<ColumnSample> columns_;
};

bool RepeatsHeader(const CsvRecord& record, const std::vector<std::string>& header) {
  if (record.fields.size() != header.size()) return false;
  for (size_t n = 0; n < header.size(); ++n) {
    if (Trim(record.fields[n].text) != header[n]) return false;
  }
  return true;
}

}  // namespace

Result<CsvSniff> SniffCsv(FileSystem& fs, const CsvFile& file, const CsvOptions& options,
                          char delimiter, int64_t rows) {
  if (file.size == 0) {
    return DataError("empty_file", fmt::format("{} is empty", file.shown))
        .At({.file = file.shown})
        .Hint(options.header ? "a file without rows still needs its header line"
                             : "remove it, or write its rows");
  }
  CsvSniff sniff;
  sniff.delimiter = delimiter;
  if (!options.delimiter.empty()) {
    sniff.delimiter = options.delimiter[0];
  } else if (delimiter == 0) {
    HR_ASSIGN(sniff.delimiter, FindDelimiter(fs, file, options));
  }
  HR_ASSIGN(CsvScanner scanner, Scan(fs, file, options, sniff.delimiter));
  CsvRecord record;
  bool more = true;
  do {
    HR_ASSIGN(more, scanner.Next(record));
  } while (more && record.blank);
  if (!more) {
    return DataError("empty_file", fmt::format("{} holds no line but empty ones{}", file.shown,
                                               options.skip > 0 ? " behind those skipped" : ""))
        .At({.file = file.shown})
        .Hint("a file without rows still needs its header line");
  }
  sniff.header_line = record.line;
  HR_ASSIGN(sniff.header, HeaderOf(record, options, file));
  sniff.types.assign(sniff.header.size(), CsvType::kNone);
  const CsvTypeRules rules = RulesOf(options);
  if (options.header && rows > 0) {
    HR_ASSIGN(more, scanner.Next(record));
  }
  StrayValues stray(sniff.header.size());
  while (more && sniff.rows < rows) {
    // Rows that are broken otherwise are explained when they are read.
    if (record.HasColumns(sniff.types.size())) {
      const bool again = options.header && RepeatsHeader(record, sniff.header);
      if (again) sniff.notes.push_back({record.line, ShownLine(record.raw), -1, {}, {}});
      for (size_t n = 0; n < sniff.types.size(); ++n) {
        const std::string_view text = record.fields[n].text;
        if (IsNullText(options, text)) continue;
        const CsvType type = TypeOfText(text, rules);
        sniff.types[n] = Join(sniff.types[n], type);
        if (!again) stray.Add(n, type, text, record);
      }
    }
    ++sniff.rows;
    auto next = scanner.Next(record);
    if (!next.ok()) break;
    more = *next;
  }
  stray.Report(&sniff.notes);
  return sniff;
}

Result<CsvSniff> CsvSchemaSniffer::Sniff(const CsvFile& file, const CsvOptions& options,
                                         const std::string& options_digest) {
  const std::string key = Hasher()
                              .Add("csv 1")
                              .Add(file.path)
                              .Add(file.size)
                              .Add(file.modified)
                              .Add(options_digest)
                              .Finish()
                              .Hex();
  const std::string path =
      cache_folder_.empty() ? "" : JoinPath(cache_folder_, "csv-" + key + ".json");
  if (!path.empty()) {
    auto text = fs_.Read(path);
    if (text.ok()) {
      auto json = ParseJson(*text, path);
      try {
        if (json.ok()) {
          CsvSniff sniff;
          sniff.delimiter = json->at("delimiter").get<std::string>().at(0);
          sniff.header = json->at("header").get<std::vector<std::string>>();
          for (const Json& type : json->at("types")) {
            sniff.types.push_back(static_cast<CsvType>(type.get<int>()));
          }
          sniff.rows = json->at("rows").get<int64_t>();
          if (sniff.header.size() == sniff.types.size()) return sniff;
        }
      } catch (const std::exception&) {  // another format: find it again
      }
    }
  }
  HR_ASSIGN(CsvSniff sniff, SniffCsv(fs_, file, options, 0, options.sample_rows));
  if (!path.empty()) {
    Json json;
    json["delimiter"] = std::string(1, sniff.delimiter);
    json["header"] = sniff.header;
    json["types"] = Json::array();
    for (CsvType type : sniff.types) json["types"].push_back(static_cast<int>(type));
    json["rows"] = sniff.rows;
    // A cache that can't be written costs time, nothing else; a torn one is found again.
    if (fs_.CreateDirectories(cache_folder_).ok()) fs_.Write(path, DumpJson(json)).ok();
  }
  return sniff;
}

}  // namespace headrace::components
