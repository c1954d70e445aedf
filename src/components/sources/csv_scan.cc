#include "components/sources/csv_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text_width.h"

namespace headrace::components {

std::string ShownLine(std::string_view raw) {
  constexpr size_t kMost = 160;
  raw = raw.substr(0, raw.find_first_of("\r\n"));
  std::string text = Printable(raw.substr(0, kMost), false);
  if (raw.size() > kMost) text += "…";
  return text;
}

size_t FindBadUtf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    if (at + 8 <= text.size()) {
      uint64_t eight;
      std::memcpy(&eight, text.data() + at, 8);
      if ((eight & 0x8080808080808080ULL) == 0) {
        at += 8;
        continue;
      }
    }
    if (static_cast<uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    size_t next = at;
    // A broken sequence gives U+FFFD and moves by one byte; a real U+FFFD moves by three.
    if (NextCodePoint(text, &next) == 0xFFFD && next == at + 1) return at;
    at = next;
  }
  return std::string_view::npos;
}

CsvScanner::CsvScanner(std::unique_ptr<TextFile> text, const CsvDialect& dialect, std::string shown,
                       int64_t first_line)
    : text_(std::move(text)), dialect_(dialect), shown_(std::move(shown)), line_(first_line) {}

Result<bool> CsvScanner::Fill() {
  if (end_) return false;
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  HR_ASSIGN(bool more, text_->Read(buffer_));
  end_ = !more;
  return more;
}

Error CsvScanner::Fault(std::string code, std::string message, size_t begin, int64_t line) const {
  Place place;
  place.file = shown_;
  place.line = static_cast<int>(line);
  place.source_line = ShownLine(std::string_view(buffer_).substr(begin));
  return DataError(std::move(code), std::move(message)).At(std::move(place));
}

Status CsvScanner::SkipLines() {
  for (int64_t n = 0; n < dialect_.skip; ++n) {
    size_t found;
    while ((found = buffer_.find('\n', begin_)) == std::string::npos) {
      HR_ASSIGN(bool more, Fill());
      if (!more) {
        begin_ = buffer_.size();
        return Ok();
      }
    }
    begin_ = found + 1;
    ++line_;
  }
  return Ok();
}

/// True at a line end; `after` is behind it. `more` when the next byte must be known first.
bool CsvScanner::AtNewline(size_t at, size_t* after, bool* more) const {
  if (buffer_[at] == '\n') {
    *after = at + 1;
    return true;
  }
  if (buffer_[at] != '\r') return false;
  if (at + 1 == buffer_.size() && !end_) {
    *more = true;
    return false;
  }
  *after = at + 1 < buffer_.size() && buffer_[at + 1] == '\n' ? at + 2 : at + 1;
  return true;
}

/// Checks the bytes of a whole record and moves behind it.
Status CsvScanner::EndRecord(CsvRecord& record, size_t end, size_t line_end) {
  record.raw = std::string_view(buffer_).substr(begin_, end - begin_);
  record.blank = record.raw.empty();
  const int64_t lines = std::count(buffer_.begin() + static_cast<ptrdiff_t>(begin_),
                                   buffer_.begin() + static_cast<ptrdiff_t>(end), '\n');
  if (record.raw.find('\0') != std::string_view::npos) {
    return Fault("nul_byte", "the line holds a NUL byte, which no text has", begin_, line_)
        .Hint("the file is damaged, or not UTF-8 (`encoding: utf-16`?)");
  }
  if (FindBadUtf8(record.raw) != std::string_view::npos) {
    return Fault("bad_encoding", "the line is not UTF-8", begin_, line_)
        .Hint("write `encoding: latin-1` or `encoding: utf-16`, or convert the file to UTF-8");
  }
  if (static_cast<int64_t>(record.raw.size()) > kMaxRecordBytes) {
    return Fault("line_too_long", fmt::format("the line has more than {} bytes", kMaxRecordBytes),
                 begin_, line_)
        .Hint("is a quote missing, or the wrong file named?");
  }
  const std::string_view newline = std::string_view(buffer_).substr(end, line_end - end);
  if (!newline.empty()) {
    if (line_end_.empty()) line_end_ = newline;
    if (newline != line_end_ && !record.blank) {
      const auto name = [](std::string_view text) {
        return text == "\n" ? "\\n" : text == "\r" ? "\\r" : "\\r\\n";
      };
      return Fault("mixed_line_ends",
                   fmt::format("the line ends with {}, the lines before it with {}", name(newline),
                               name(line_end_)),
                   begin_, line_)
          .Hint("make all line ends the same, e.g. with dos2unix");
    }
  }
  record.line = line_;
  line_ += lines + (newline.empty() ? 0 : 1);
  begin_ = line_end;
  return Ok();
}

/// One record from begin_, if the buffer holds it whole.
Result<CsvScanner::Step> CsvScanner::TryRecord(CsvRecord& record) {
  record.fields.clear();
  unescaped_.clear();
  size_t at = begin_;
  if (at == buffer_.size()) return end_ ? Step::kEnd : Step::kMore;
  bool more = false;
  size_t after = 0;
  const std::string_view all = buffer_;
  while (true) {  // one field each
    CsvField field;
    // As DuckDB does, blanks around a quoted value are no part of it.
    const size_t unblank = all.find_first_not_of(' ', at);
    if (dialect_.quote != 0 && unblank != std::string_view::npos &&
        all[unblank] == dialect_.quote) {
      at = unblank;
    }
    if (dialect_.quote != 0 && at < all.size() && all[at] == dialect_.quote) {
      field.quoted = true;
      size_t start = at + 1;
      std::string* owned = nullptr;
      for (++at;; ++at) {
        at = std::min(all.find(dialect_.quote, at),
                      dialect_.escape == dialect_.quote || dialect_.escape == 0
                          ? std::string_view::npos
                          : all.find(dialect_.escape, at));
        const bool inside = at == std::string_view::npos;
        if (inside || (at + 1 == all.size() && !end_)) {
          if (!end_) return Step::kMore;
          return Fault("unterminated_quote", "a quoted value starts here and never ends", begin_,
                       line_)
              .Hint("add the missing quote, or set `quote:` to the character the file uses");
        }
        const char next = at + 1 < all.size() ? all[at + 1] : '\n';
        const bool escaped = all[at] == dialect_.escape && at + 1 < all.size() &&
                             (next == dialect_.quote || next == dialect_.escape);
        if (escaped) {
          if (owned == nullptr) owned = &unescaped_.emplace_back();
          owned->append(all.substr(start, at - start));
          *owned += next;
          ++at;
          start = at + 1;
          continue;
        }
        if (all[at] == dialect_.quote) break;
      }
      if (owned != nullptr) owned->append(all.substr(start, at - start));
      field.text = owned != nullptr ? std::string_view() : all.substr(start, at - start);
      ++at;  // behind the closing quote
      while (at < all.size() && all[at] == ' ' && dialect_.delimiter != ' ') ++at;
      if (at < all.size() && all[at] != dialect_.delimiter && all[at] != '\n' && all[at] != '\r' &&
          (dialect_.comment == 0 || all[at] != dialect_.comment)) {
        return Fault("bad_quote", "text follows the closing quote of a value", begin_, line_)
            .Hint("write a quote inside of a value twice, or set `quote:` and `escape:`");
      }
    } else {
      const size_t start = at;
      while (at < all.size() && all[at] != dialect_.delimiter && all[at] != '\n' &&
             all[at] != '\r' && (dialect_.comment == 0 || all[at] != dialect_.comment)) {
        ++at;
      }
      field.text = all.substr(start, at - start);
    }
    record.fields.push_back(field);
    if (at == all.size()) {
      if (!end_) return Step::kMore;
      HR_TRY(EndRecord(record, at, at));
      break;
    }
    if (all[at] == dialect_.delimiter) {
      ++at;
      if (at == all.size() && !end_) return Step::kMore;
      continue;
    }
    if (dialect_.comment != 0 && all[at] == dialect_.comment) {
      size_t end = at;
      while (end < all.size() && all[end] != '\n' && all[end] != '\r') ++end;
      if (end == all.size() && !end_) return Step::kMore;
      after = end;
      if (end < all.size() && !AtNewline(end, &after, &more)) return Step::kMore;
      const bool whole = at == begin_;
      HR_TRY(EndRecord(record, end, after));
      if (whole) record.fields.clear();  // nothing but a comment
      break;
    }
    if (AtNewline(at, &after, &more)) {
      HR_TRY(EndRecord(record, at, after));
      break;
    }
    return Step::kMore;
  }
  size_t next_owned = 0;
  for (CsvField& field : record.fields) {
    if (field.quoted && field.text.data() == nullptr) field.text = unescaped_[next_owned++];
  }
  return Step::kRecord;
}

Result<bool> CsvScanner::Next(CsvRecord& record) {
  if (!skipped_) {
    skipped_ = true;
    HR_TRY(SkipLines());
  }
  while (true) {
    HR_ASSIGN(Step step, TryRecord(record));
    if (step == Step::kEnd) return false;
    if (step == Step::kRecord) {
      if (record.fields.empty()) continue;
      return true;
    }
    if (static_cast<int64_t>(buffer_.size() - begin_) > 4 * kMaxRecordBytes) {
      return Fault("line_too_long", fmt::format("the line has more than {} bytes", kMaxRecordBytes),
                   begin_, line_)
          .Hint("is a quote missing, or the wrong file named?");
    }
    HR_TRY(Fill());
  }
}

}  // namespace headrace::components
