#include "components/sources/json_syntax.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "components/sources/csv_scan.h"

namespace headrace::components {
namespace {

/// The bytes of a file, and where the last one stood.
struct Cursor {
  Cursor(TextFile& file, const CancelToken& token, int64_t first)
      : text(file), cancel(token), line(first) {}

  TextFile& text;
  const CancelToken& cancel;
  std::string piece;
  size_t at = 0;
  bool end = false;
  int64_t line, column = 0;
  std::string shown_line;  // the start of the line
  std::optional<Error> fault;

  bool Fill() {
    while (at == piece.size() && !end && !fault) {
      piece.clear();
      at = 0;
      Result<bool> more = text.Read(piece);
      if (!more.ok()) fault = more.error();
      if (Status status = cancel.Check(); !status.ok()) fault = status.error();
      if (!more.ok() || !*more) end = true;
    }
    return at < piece.size();
  }
  char Take() {
    const char c = piece[at++];
    if (after_newline_) {
      ++line;
      column = 0;
      shown_line.clear();
    }
    after_newline_ = c == '\n';
    ++column;
    if (shown_line.size() < 200 && c != '\n' && c != '\r') shown_line += c;
    return c;
  }
  /// The rest of the line, for the message.
  void FinishLine() {
    while (Fill() && piece[at] != '\n' && shown_line.size() < 200) shown_line += piece[at++];
  }

 private:
  bool after_newline_ = false;
};

/// Input iterator for the parser: reads each byte once.
class Bytes {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;
  explicit Bytes(Cursor* cursor = nullptr) : cursor_(cursor) {}
  char operator*() const { return cursor_->Take(); }
  Bytes& operator++() { return *this; }
  Bytes operator++(int) { return *this; }
  bool operator==(const Bytes& other) const { return AtEnd() == other.AtEnd(); }
  bool operator!=(const Bytes& other) const { return !(*this == other); }

 private:
  bool AtEnd() const { return cursor_ == nullptr || !cursor_->Fill(); }
  Cursor* cursor_;
};

/// Takes no values; notes the first record that is no object.
class Watch : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Scalar("null"); }
  bool boolean(bool) override { return Scalar("a boolean"); }
  bool number_integer(number_integer_t) override { return Scalar("a number"); }
  bool number_unsigned(number_unsigned_t) override { return Scalar("a number"); }
  bool number_float(number_float_t, const string_t&) override { return Scalar("a number"); }
  bool string(string_t&) override { return Scalar("a text"); }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override {
    if (AtRecord()) keys_.clear();
    ++depth_;
    return true;
  }
  /// Of the record itself: these become columns.
  bool key(string_t& name) override {
    if (depth_ != (in_array_ ? 2 : 1)) return true;
    if (name.empty()) {
      bad_key = "a key of the record is empty, so the column would have no name";
    } else if (!keys_.insert(name).second) {
      bad_key = "the record has the key '" + name + "' twice";
    }
    return bad_key.empty();
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == 1 && in_array_) Wrong("an array");
    if (depth_ == 0) in_array_ = true;
    ++depth_;
    return wrong.empty();
  }
  bool end_array() override {
    if (--depth_ == 0) in_array_ = false;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    message = e.what();
    return false;
  }
  std::string wrong, bad_key, message;

 private:
  bool AtRecord() const { return depth_ == (in_array_ ? 1 : 0); }
  bool Scalar(const char* what) {
    if (AtRecord()) Wrong(what);
    return wrong.empty();
  }
  void Wrong(const char* what) {
    if (wrong.empty()) wrong = what;
  }
  int depth_ = 0;
  bool in_array_ = false;
  std::set<std::string> keys_;
};

/// Follows strings and brackets, byte by byte.
class Outline {
 public:
  static constexpr int kMaxDepth = 200;

  /// The fault that this byte makes; null: none.
  const char* Take(char c) {
    if (in_text_) {
      TakeText(c);
      return nullptr;
    }
    switch (c) {
      case '"':
        in_text_ = true;
        nul_ = false;
        return nullptr;
      case ' ':
      case '\t':
      case '\r':
      case '\n':
        return nullptr;
      case '{':
      case '[':
        if (depth_ == 0) array_ = c == '[';
        return ++depth_ > kMaxDepth ? "too_deep" : nullptr;
      case '}':
      case ']':
        if (depth_ > 0) --depth_;
        return nullptr;
      case ':':
        return nul_ ? "bad_key" : nullptr;
      case 'n':
        return depth_ == 0 || (depth_ == 1 && array_) ? "not_objects" : nullptr;
      default:
        nul_ = false;
        return nullptr;
    }
  }

  bool InText() const { return in_text_; }

 private:
  void TakeText(char c) {
    if (escaped_) {
      escaped_ = false;
      hex_ = c == 'u' ? 0 : -1;
    } else if (hex_ >= 0) {
      hex_ = c == '0' ? hex_ + 1 : -1;
      if (hex_ == 4) {
        nul_ = true;
        hex_ = -1;
      } else if (hex_ < 0) {
        TakeText(c);
      }
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_text_ = false;
    }
  }

  int depth_ = 0;
  int hex_ = -1;        // zeros seen behind \u; -1: not there
  bool array_ = false;  // the outermost bracket
  bool in_text_ = false, escaped_ = false;
  bool nul_ = false;  // the last text has a \u0000
};

Error UnreadableJson(std::string_view code) {
  if (code == "too_deep") {
    return DataError("too_deep",
                     fmt::format("the JSON is nested deeper than {}", Outline::kMaxDepth))
        .Hint("leave such records out, or write the nested value as a text");
  }
  if (code == "bad_key") {
    return DataError("bad_key", "a key holds the character NUL (\\u0000)")
        .Hint("each key of a record becomes a column: give it another name");
  }
  return DataError("not_objects", "a record is null, not an object")
      .Hint("each record is one object: {\"id\": 1, …}, one a line or all in one array");
}

}  // namespace

std::optional<Error> FindUnreadableJson(TextFile& text, const std::string& shown,
                                        int64_t first_line, const CancelToken& cancel) {
  Outline outline;
  std::string piece, before;  // before: the start of a line that began in an earlier piece
  int64_t line = first_line, column = 0;
  while (true) {
    piece.clear();
    Result<bool> more = text.Read(piece);
    if (!more.ok()) return more.error();
    if (!*more) return std::nullopt;
    if (Status status = cancel.Check(); !status.ok()) return status.error();
    size_t begin = 0;
    for (size_t at = 0; at < piece.size(); ++at) {
      ++column;
      if (const char* code = outline.Take(piece[at])) {
        const size_t end = std::min(piece.find('\n', at), piece.size());
        return UnreadableJson(code).At(
            {.file = shown,
             .line = static_cast<int>(line),
             .column = static_cast<int>(column),
             .source_line = ShownLine((before + piece.substr(begin, end - begin)).substr(0, 200))});
      }
      if (piece[at] != '\n') continue;
      if (outline.InText()) return std::nullopt;  // broken: what follows can't be told apart
      ++line;
      column = 0;
      begin = at + 1;
      before.clear();
    }
    if (before.size() < 200) before += piece.substr(begin, 200);
  }
}

std::optional<Error> FindJsonFault(TextFile& text, const std::string& shown, int64_t first_line,
                                   const CancelToken& cancel) {
  Cursor cursor(text, cancel, first_line);
  while (true) {
    while (cursor.Fill() && std::strchr(" \t\r\n", cursor.piece[cursor.at]) != nullptr) {
      cursor.Take();
    }
    if (cursor.fault) return cursor.fault;
    if (!cursor.Fill()) return cursor.fault;
    Watch watch;
    const bool good = nlohmann::json::sax_parse(Bytes(&cursor), Bytes(), &watch,
                                                nlohmann::json::input_format_t::json, false);
    if (cursor.fault) return cursor.fault;
    if (good && watch.wrong.empty()) continue;
    Place place{.file = shown,
                .line = static_cast<int>(cursor.line),
                .column = static_cast<int>(cursor.column)};
    cursor.FinishLine();
    place.source_line = ShownLine(cursor.shown_line);
    if (!watch.wrong.empty()) {
      return DataError("not_objects", fmt::format("a record is {}, not an object", watch.wrong))
          .At(place)
          .Hint("each record is one object: {\"id\": 1, …}, one a line or all in one array");
    }
    if (!watch.bad_key.empty()) {
      return DataError("bad_key", watch.bad_key)
          .At(place)
          .Hint("each key of a record becomes a column: give it a name of its own");
    }
    std::string message = watch.message;
    const size_t colon = message.find(": ", message.find("column"));
    if (colon != std::string::npos) message.erase(0, colon + 2);
    if (const size_t read = message.find("; last read: "); read != std::string::npos) {
      const size_t next = message.find("; expected", read);
      message.erase(read, next == std::string::npos ? std::string::npos : next - read);
    }
    if (message.find("control character U+000A") != std::string::npos) {
      message = "the line ends within a text";
    }
    const bool end = !cursor.Fill() && message.find("end of input") != std::string::npos;
    return DataError("bad_json", end ? "the file ends within a value" : message)
        .At(place)
        .Hint(end ? "the file is cut off; copy or write it again" : "correct the file");
  }
}

}  // namespace headrace::components
