#include "components/sources/http_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "data/batch.h"

namespace headrace::components {
namespace {

constexpr size_t kInMemory = 8 << 20;
constexpr int64_t kMicrosOfDay = 86'400'000'000;

// A row: number of cells, then column, kind, length and text of each.
template <class T>
void Put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void PutCell(std::string& out, int column, JsonKind kind, std::string_view text) {
  Put(out, static_cast<int32_t>(column));
  Put(out, static_cast<uint8_t>(kind));
  Put(out, static_cast<uint32_t>(text.size()));
  out += text;
}

int64_t DayOf(int64_t micros) {
  return micros >= 0 ? micros / kMicrosOfDay : -((-micros + kMicrosOfDay - 1) / kMicrosOfDay);
}

}  // namespace

HttpSpool::~HttpSpool() {
  if (file_ >= 0) close(file_);
}

Status HttpSpool::Add(const HttpPage& page, const std::vector<Extra>& extras) {
  size_t begin = 0;
  std::vector<const Extra*> missing;
  for (const uint32_t end : page.ends) {
    missing.clear();
    for (const Extra& extra : extras) {
      const auto is_it = [&](const HttpPage::Cell& cell) { return cell.column == extra.column; };
      if (std::none_of(page.cells.begin() + static_cast<long>(begin),
                       page.cells.begin() + static_cast<long>(end), is_it)) {
        missing.push_back(&extra);
      }
    }
    Put(buffer_, static_cast<uint32_t>(end - begin + missing.size()));
    for (size_t n = begin; n < end; ++n) {
      const HttpPage::Cell& cell = page.cells[n];
      PutCell(buffer_, cell.column, cell.kind,
              std::string_view(page.text).substr(cell.offset, cell.length));
    }
    for (const Extra* extra : missing) PutCell(buffer_, extra->column, extra->kind, extra->text);
    ++rows_;
    begin = end;
    if (buffer_.size() >= kInMemory) HR_TRY(Flush());
  }
  return Ok();
}

Status HttpSpool::Flush() {
  const std::string what = "rows of a HTTP source in " + folder_;
  if (file_ < 0) {
    HR_TRY(RealFileSystem().CreateDirectories(folder_));
    std::string path = JoinPath(folder_, "http-XXXXXX");
    file_ = mkostemp(path.data(), O_CLOEXEC);
    if (file_ < 0) return ErrnoError(errno, what);
    unlink(path.c_str());
  }
  if (const int fault = WriteAll(file_, buffer_); fault != 0) return ErrnoError(fault, what);
  written_ += static_cast<int64_t>(buffer_.size());
  buffer_.clear();
  return Ok();
}

/// Rows as batches.
class HttpSpoolReader : public data::BatchReader {
 public:
  HttpSpoolReader(const HttpSpool& spool, std::vector<HttpTarget> targets, CancelToken cancel,
                  bool& conflict)
      : spool_(spool),
        targets_(std::move(targets)),
        cancel_(std::move(cancel)),
        conflict_(conflict) {
    for (size_t n = 0; n < targets_.size(); ++n) {
      schema_.columns.push_back({targets_[n].name, std::string(SqlTypeOf(targets_[n].type)), true});
      if (targets_[n].column < 0) continue;
      const auto column = static_cast<size_t>(targets_[n].column);
      if (by_column_.size() <= column) by_column_.resize(column + 1, -1);
      by_column_[column] = static_cast<int>(n);
    }
    row_.resize(targets_.size());
  }

  const data::Schema& schema() const override { return schema_; }
  int64_t ExpectedRows() const override { return spool_.rows(); }

  Result<std::optional<data::Batch>> Next() override {
    constexpr int64_t kRows = 65536, kBytes = 32 << 20;
    HR_TRY(cancel_.Check());
    HR_ASSIGN(auto builder, data::BatchBuilder::Make(schema_));
    while (read_ < spool_.rows() && builder.rows() < kRows && builder.bytes() < kBytes) {
      HR_TRY(ReadRow());
      for (size_t n = 0; n < targets_.size(); ++n) HR_TRY(Append(builder, n));
      ++read_;
    }
    if (builder.rows() == 0) return std::optional<data::Batch>();
    return std::optional<data::Batch>(builder.Finish());
  }

 private:
  struct Value {
    bool there = false;
    JsonKind kind = JsonKind::kNull;
    std::string text;
  };

  /// The next `size` bytes.
  Result<std::string_view> Take(size_t size) {
    if (chunk_.size() - at_ < size) {
      chunk_.erase(0, at_);
      at_ = 0;
      while (chunk_.size() < size) HR_TRY(Fill(size));
    }
    const std::string_view bytes = std::string_view(chunk_).substr(at_, size);
    at_ += size;
    return bytes;
  }
  template <class T>
  Result<T> TakeNumber() {
    HR_ASSIGN(const std::string_view bytes, Take(sizeof(T)));
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  Status Fill(size_t least) {
    const size_t want = std::max<size_t>(least, 1 << 20);
    const size_t old = chunk_.size();
    if (position_ < spool_.written_) {
      chunk_.resize(old + std::min<size_t>(want, static_cast<size_t>(spool_.written_ - position_)));
      const ssize_t got = pread(spool_.file_, chunk_.data() + old, chunk_.size() - old, position_);
      if (got <= 0) {
        return got < 0 && errno != EINTR ? Status(ErrnoError(errno, "rows of a HTTP source"))
               : got < 0                 ? (chunk_.resize(old), Status())
                         : Status(InternalError("the spool of a HTTP source is cut off"));
      }
      chunk_.resize(old + static_cast<size_t>(got));
      position_ += got;
      return Ok();
    }
    const auto from = static_cast<size_t>(position_ - spool_.written_);
    const std::string_view rest = std::string_view(spool_.buffer_).substr(from, want);
    if (rest.empty()) return InternalError("the spool of a HTTP source ends early");
    chunk_ += rest;
    position_ += static_cast<int64_t>(rest.size());
    return Ok();
  }

  Status ReadRow() {
    for (Value& value : row_) value.there = false;
    HR_ASSIGN(const uint32_t cells, TakeNumber<uint32_t>());
    for (uint32_t n = 0; n < cells; ++n) {
      HR_ASSIGN(const int32_t column, TakeNumber<int32_t>());
      HR_ASSIGN(const uint8_t kind, TakeNumber<uint8_t>());
      HR_ASSIGN(const uint32_t length, TakeNumber<uint32_t>());
      HR_ASSIGN(const std::string_view text, Take(length));
      const auto index = static_cast<size_t>(column);
      if (index >= by_column_.size() || by_column_[index] < 0) continue;
      Value& value = row_[static_cast<size_t>(by_column_[index])];
      value.there = true;
      value.kind = static_cast<JsonKind>(kind);
      value.text = text;
    }
    return Ok();
  }

  Status Conflict() {
    conflict_ = true;
    return DataError("type_conflict", "a value does not fit the type of its column");
  }

  Status Append(data::BatchBuilder& builder, size_t index) {
    const Value& value = row_[index];
    if (!value.there) {
      builder.AppendNull();
      return Ok();
    }
    const CsvType type = targets_[index].type;
    if (type == CsvType::kNone || type == CsvType::kText) {
      builder.AppendText(value.text);
      return Ok();
    }
    const CsvType joined = Join(TypeOfJson(value.kind, value.text), type);
    const bool wide = type == CsvType::kInteger && joined == CsvType::kWideInteger;
    if (joined != type && !wide) return Conflict();
    const char* begin = value.text.data();
    const char* end = begin + value.text.size();
    switch (type) {
      case CsvType::kBoolean:
        builder.AppendInt64(value.text == "true");
        break;
      case CsvType::kInteger:
      case CsvType::kWideInteger: {
        int64_t number = 0;
        std::from_chars(begin, end, number);
        builder.AppendInt64(number);
        break;
      }
      case CsvType::kDouble: {
        double number = 0;
        if (std::from_chars(begin, end, number).ec != std::errc()) return Conflict();
        builder.AppendDouble(number);
        break;
      }
      default: {
        auto micros = ParseTimestamp(value.text);
        if (!micros.ok()) return Conflict();
        builder.AppendInt64(type == CsvType::kDate ? DayOf(*micros) : *micros);
      }
    }
    return Ok();
  }

  const HttpSpool& spool_;
  const std::vector<HttpTarget> targets_;
  const CancelToken cancel_;
  bool& conflict_;
  data::Schema schema_;
  std::vector<int> by_column_;
  std::vector<Value> row_;
  std::string chunk_;
  size_t at_ = 0;
  int64_t position_ = 0, read_ = 0;
};

std::unique_ptr<data::BatchReader> ReadSpool(const HttpSpool& spool,
                                             std::vector<HttpTarget> targets, CancelToken cancel,
                                             bool& conflict) {
  return std::make_unique<HttpSpoolReader>(spool, std::move(targets), std::move(cancel), conflict);
}

}  // namespace headrace::components
