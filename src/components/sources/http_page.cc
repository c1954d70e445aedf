#include "components/sources/http_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "net/http.h"

namespace headrace::components {
namespace {

constexpr size_t kMaxDepth = 200;
constexpr size_t kMaxColumns = 2000;

std::string LowerText(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

std::string Quoted(const std::string& text) { return DumpJson(Json(text)); }

/// Takes the parser's events. Outside of the rows it follows the path; inside a row it collects
/// cells; inside a field of a row it writes the JSON text again.
class PageHandler : public nlohmann::json_sax<Json> {
 public:
  PageHandler(const HttpPageShape& shape, HttpColumns& columns, HttpPage& page)
      : shape_(shape), columns_(columns), page_(page) {}

  bool null() override { return Scalar(JsonKind::kNull, "", "null"); }
  bool boolean(bool value) override {
    return Scalar(JsonKind::kBool, value ? "true" : "false", value ? "true" : "false");
  }
  bool number_integer(number_integer_t value) override { return Number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return Number(text); }
  bool string(string_t& value) override {
    return Scalar(JsonKind::kString, value, nested_depth_ > 0 ? Quoted(value) : "");
  }
  bool binary(binary_t&) override { return false; }

  bool start_object(size_t) override { return Open(true); }
  bool start_array(size_t) override { return Open(false); }
  bool end_object() override { return Close(true); }
  bool end_array() override { return Close(false); }

  bool key(string_t& name) override {
    if (nested_depth_ > 0) {
      Comma();
      nested_ += Quoted(name) + ":";
      after_key_ = true;
    } else if (in_row_) {
      if (name.empty()) return Fail("bad_record", "a field of a row has no name");
      if (name.find('\0') != std::string::npos) {
        return Fail("bad_record", "the name of a field holds the character NUL");
      }
      field_ = columns_.Add(name);
      if (columns_.all().size() > kMaxColumns) {
        return Fail("too_many_columns",
                    fmt::format("the rows have more than {} fields: their names seem to be data",
                                kMaxColumns));
      }
      if (spelling_.size() < columns_.all().size()) spelling_.resize(columns_.all().size());
      auto& [row, spelt] = spelling_[static_cast<size_t>(field_)];
      if (row == 0) page_.fields.push_back(field_);
      if (row == page_.rows() + 1 && spelt != name) {
        return Fail("ambiguous_fields", fmt::format("a row has the fields '{}' and '{}': columns "
                                                    "differ in more than case",
                                                    spelt, name));
      }
      if (row == page_.rows() + 1) {
        return Fail("bad_record", fmt::format("a row has the field '{}' twice", name));
      }
      row = page_.rows() + 1;
      spelt = name;
    } else {
      path_.back() = name;
    }
    return true;
  }

  bool parse_error(size_t position, const std::string&, const Json::exception&) override {
    if (!error) {
      error = ExternalError("bad_json", fmt::format("the answer is broken or cut-off JSON (at byte "
                                                    "{})",
                                                    position))
                  .Retriable();
    }
    return false;
  }

  std::optional<Error> error;
  bool records_found = false;
  std::vector<std::string> lists;  // paths outside of the rows that are lists

 private:
  bool Fail(const char* code, const std::string& message) {
    error = ExternalError(code, message);
    return false;
  }

  /// "a.b" of where the next value stands; "" at the top. Lists outside of the rows have no names.
  std::string Path() const {
    std::string text;
    for (const std::string& part : path_) text += (text.empty() ? "" : ".") + part;
    return text;
  }
  bool AtRecords() const { return !shape_.top_is_row && Path() == shape_.records; }

  /// A plain value beside objects would become a row without any of their fields.
  bool SameRows(bool plain) {
    if (page_.rows() > 0 && plain != plain_rows_) {
      return Fail("bad_record", "some rows are objects and others plain values");
    }
    plain_rows_ = plain;
    return true;
  }

  bool Number(const std::string& text) { return Scalar(JsonKind::kNumber, text, text); }

  void Comma() {
    if (after_key_) {
      after_key_ = false;
    } else if (!nested_.empty() && nested_.back() != '[' && nested_.back() != '{') {
      nested_ += ',';
    }
  }

  bool Scalar(JsonKind kind, std::string_view text, std::string_view json) {
    if (nested_depth_ > 0) {
      Comma();
      nested_ += json;
    } else if (in_row_) {
      AddCell(field_, kind, text);
    } else if (in_list_) {
      if (kind == JsonKind::kNull) return Fail("bad_record", "a row is null");
      if (!SameRows(true)) return false;
      AddCell(PlainColumn(), kind, text);  // a list of plain values
      EndRow();
    } else {
      const std::string path = Path();
      if (AtRecords() && kind == JsonKind::kNull) records_found = true;  // as good as []
      const bool wanted =
          std::find(shape_.wanted.begin(), shape_.wanted.end(), path) != shape_.wanted.end();
      if (wanted && kind != JsonKind::kNull) page_.found[path] = std::string(text);
    }
    return true;
  }

  bool Open(bool object) {
    if (++depth_ > kMaxDepth) {
      return Fail("too_deep", fmt::format("the JSON is nested deeper than {}", kMaxDepth));
    }
    if (nested_depth_ > 0) {
      Comma();
      nested_ += object ? '{' : '[';
      ++nested_depth_;
      return true;
    }
    if (in_row_) {
      nested_ = object ? "{" : "[";
      nested_depth_ = 1;
      return true;
    }
    if (in_list_) {
      if (!SameRows(!object)) return false;
      if (object) {
        in_row_ = true;
      } else {  // a list of lists
        field_ = PlainColumn();
        plain_row_ = in_row_ = true;
        nested_ = "[";
        nested_depth_ = 1;
      }
      return true;
    }
    const bool top = depth_ == 1;
    if (!object && (AtRecords() || (top && shape_.top_is_row))) {
      in_list_ = records_found = true;
      list_depth_ = depth_;
      return true;
    }
    if (object && ((AtRecords() && !shape_.records.empty()) || (top && shape_.top_is_row))) {
      in_row_ = single_ = records_found = true;
      return true;
    }
    if (!object) lists.push_back(Path());
    path_.push_back(object ? "" : "[]");
    return true;
  }

  bool Close(bool object) {
    --depth_;
    if (nested_depth_ > 0) {
      nested_ += object ? '}' : ']';
      if (--nested_depth_ == 0) {
        AddCell(field_, JsonKind::kNested, nested_);
        if (plain_row_) {
          plain_row_ = in_row_ = false;
          EndRow();
        }
      }
      return true;
    }
    if (in_row_) {
      in_row_ = false;
      EndRow();
      if (single_) single_ = false;
      return true;
    }
    if (in_list_ && depth_ + 1 == list_depth_) {
      in_list_ = false;
      return true;
    }
    path_.pop_back();
    return true;
  }

  int PlainColumn() {
    const int column = columns_.Add("value");
    if (page_.fields.empty()) page_.fields.push_back(column);
    return column;
  }

  void AddCell(int column, JsonKind kind, std::string_view text) {
    if (kind == JsonKind::kNull) return;
    page_.cells.push_back({column, kind, static_cast<uint32_t>(page_.text.size()),
                           static_cast<uint32_t>(text.size())});
    page_.text += text;
  }
  void EndRow() { page_.ends.push_back(static_cast<uint32_t>(page_.cells.size())); }

  const HttpPageShape& shape_;
  HttpColumns& columns_;
  HttpPage& page_;
  std::vector<std::string> path_;
  std::vector<std::pair<int64_t, std::string>> spelling_;  // by column: row it was last in, name
  std::string nested_;
  size_t depth_ = 0, list_depth_ = 0, nested_depth_ = 0;
  int field_ = 0;
  bool after_key_ = false, in_list_ = false, in_row_ = false, single_ = false, plain_row_ = false;
  bool plain_rows_ = false;  // what the rows so far were
};

Error NotJson(const std::string& body) {
  const std::string said = net::QuoteBody(body);
  const size_t first = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  const bool html = first != std::string::npos && body[first] == '<';
  return ExternalError("not_json", html ? fmt::format("the answer is HTML, not JSON: '{}'", said)
                                        : fmt::format("the answer is no JSON: '{}'", said))
      .Retriable();
}

}  // namespace

int HttpColumns::Add(std::string_view name) {
  std::string lower = LowerText(name);
  const auto found = by_lower_.find(lower);
  if (found != by_lower_.end()) return found->second;
  const int index = static_cast<int>(columns_.size());
  columns_.push_back({std::string(name)});
  by_lower_.emplace(std::move(lower), index);
  return index;
}

int HttpColumns::Find(std::string_view name) const {
  const auto found = by_lower_.find(LowerText(name));
  return found == by_lower_.end() ? -1 : found->second;
}

CsvType TypeOfJson(JsonKind kind, std::string_view text) {
  switch (kind) {
    case JsonKind::kNull:
      return CsvType::kNone;
    case JsonKind::kBool:
      return CsvType::kBoolean;
    case JsonKind::kNumber: {
      const CsvType type = TypeOfText(text, {});
      return type == CsvType::kInteger || type == CsvType::kWideInteger || type == CsvType::kDouble
                 ? type
                 : CsvType::kText;  // more than 64 bits
    }
    case JsonKind::kString: {
      // "42" is a text in JSON; times have no type of their own there.
      const CsvType type = TypeOfText(text, {});
      return type == CsvType::kDate || type == CsvType::kTimestamp ||
                     type == CsvType::kTimestampZone
                 ? type
                 : CsvType::kText;
    }
    case JsonKind::kNested:
      break;
  }
  return CsvType::kText;
}

void HttpColumns::See(int column, JsonKind kind, std::string_view text) {
  Column& seen = columns_[static_cast<size_t>(column)];
  if (seen.type != CsvType::kText) seen.type = Join(seen.type, TypeOfJson(kind, text));
}

Result<HttpPage> ParseHttpPage(const std::string& body, const HttpPageShape& shape,
                               HttpColumns& columns) {
  HttpPage page;
  if (body.size() >= UINT32_MAX) return InternalError("a page of 4 GB");
  const size_t first = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first == std::string::npos) {
    return ExternalError("bad_json", "the answer is empty where JSON is expected").Retriable();
  }
  if (body[first] != '{' && body[first] != '[') return NotJson(body);
  PageHandler handler(shape, columns, page);
  bool whole = false;
  try {
    whole = Json::sax_parse(body, &handler);
  } catch (const std::exception& fault) {
    return InternalError(std::string("JSON of a page: ") + fault.what());
  }
  if (handler.error) return *handler.error;
  if (!whole) return ExternalError("bad_json", "the answer is broken JSON").Retriable();
  if (!handler.records_found) {
    Error error = ExternalError("no_records",
                                shape.records.empty()
                                    ? "the answer is an object, not a list of rows"
                                    : fmt::format("the answer has nothing at '{}'", shape.records));
    std::vector<std::string> lists;
    for (const std::string& path : handler.lists) {
      if (path.find("[]") == std::string::npos && lists.size() < 5) lists.push_back(path);
    }
    if (!lists.empty()) {
      error.Hint(
          fmt::format("it has lists at '{}': name one as `records:`", fmt::join(lists, "', '")));
    } else if (shape.records.empty()) {
      error.Hint("`records: .` takes the object as one row");
    } else {
      error.Hint("it starts with " + net::QuoteBody(body));
    }
    return error.Retriable();
  }
  return page;
}

}  // namespace headrace::components
