#include "components/postgres/postgres_reader.h"

#include <fmt/format.h>

#include <atomic>
#include <bit>
#include <charconv>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>

#include "components/sources/csv_scan.h"
#include "data/batch.h"

namespace headrace::components {
namespace {

using Wire = PostgresWire;

constexpr int64_t kBatchRows = 65536, kBatchBytes = 16 << 20;
constexpr size_t kAhead = 2;       // batches that wait to be taken
constexpr int kEpochDays = 10957;  // 2000-01-01
constexpr int64_t kEpochMicros = int64_t{kEpochDays} * 86'400'000'000;
constexpr uint16_t kNegative = 0x4000, kNaN = 0xC000, kPlusInfinity = 0xD000,
                   kMinusInfinity = 0xF000;

template <class T>
T BigEndian(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (sizeof value == 2) value = static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof value == 4) value = static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof value == 8) value = static_cast<T>(__builtin_bswap64(value));
  return value;
}

/// 10^38 - 1: the largest DECIMAL(38,0).
constexpr __int128 kAllNines =
    static_cast<__int128>(9'999'999'999'999'999'999ULL) * 10'000'000'000'000'000'000ULL +
    9'999'999'999'999'999'999ULL;

/// The head of a binary NUMERIC and its digits.
struct Numeric {
  int digits = 0, weight = 0, scale = 0;
  uint16_t sign = 0;
  const char* at = nullptr;
  bool valid = false;
  explicit Numeric(std::string_view bytes) {
    if (bytes.size() < 8) return;
    digits = BigEndian<uint16_t>(bytes.data());
    weight = BigEndian<int16_t>(bytes.data() + 2);
    sign = BigEndian<uint16_t>(bytes.data() + 4);
    scale = BigEndian<uint16_t>(bytes.data() + 6);
    at = bytes.data() + 8;
    valid = bytes.size() >= 8 + static_cast<size_t>(digits) * 2;
  }
  int Digit(int n) const { return n < digits ? BigEndian<uint16_t>(at + n * 2) : 0; }
};

std::string UuidOf(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (size_t n = 0; n < bytes.size(); ++n) {
    if (n == 4 || n == 6 || n == 8 || n == 10) text += '-';
    text += kHex[static_cast<uint8_t>(bytes[n]) >> 4];
    text += kHex[static_cast<uint8_t>(bytes[n]) & 15];
  }
  return text;
}

class PostgresReader : public data::BatchReader {
 public:
  PostgresReader(PostgresSession& session, PostgresProgress& progress,
                 PostgresReaderOptions options, data::Schema schema, data::BatchBuilder builder)
      : session_(session),
        progress_(progress),
        options_(std::move(options)),
        schema_(std::move(schema)),
        builder_(std::move(builder)) {
    progress_.rounded.assign(options_.fields.size(), 0);
    thread_ = std::thread([this] { Receive(); });
  }
  ~PostgresReader() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    if (!ended_) session_.Abandon();  // or it would wait for a server that takes its time
    thread_.join();
  }

  const data::Schema& schema() const override { return schema_; }
  int64_t ExpectedRows() const override { return options_.expected_rows; }

  Result<std::optional<data::Batch>> Next() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || done_; });
    if (ready_.empty()) {
      if (!fault_.ok()) return Error(fault_.error());
      return std::optional<data::Batch>();
    }
    data::Batch batch = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    return std::optional<data::Batch>(std::move(batch));
  }

 private:
  void Receive() {
    Status status = ReceiveAll();
    std::lock_guard lock(mutex_);
    fault_ = std::move(status);
    done_ = true;
    changed_.notify_all();
  }

  Status ReceiveAll() {
    while (true) {
      HR_ASSIGN(auto piece, session_.CopyOut());
      if (!piece) break;
      HR_TRY(Take(*piece));
      if (builder_.rows() >= kBatchRows ||
          (builder_.rows() % 64 == 0 && builder_.bytes() >= kBatchBytes)) {
        if (!HandOver()) return Ok();
      }
    }
    if (!ended_) {
      return ExternalError("bad_answer", fmt::format("{} sent rows without an end", options_.shown))
          .Retriable();
    }
    if (builder_.rows() > 0) HandOver();
    return Ok();
  }

  /// False when nobody wants more.
  bool HandOver() {
    data::Batch batch = builder_.Finish();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_.size() < kAhead || stop_; });
    if (stop_) return false;
    ready_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
  }

  /// The rows of a piece; a row may go on in the next one.
  Status Take(std::string_view piece) {
    if (!carry_.empty()) {
      carry_.append(piece);
      piece = carry_;
    }
    size_t at = 0;
    while (!ended_) {
      HR_ASSIGN(size_t used, TakeOne(piece.substr(at)));
      if (used == 0) break;
      at += used;
    }
    std::string rest(piece.substr(at));
    carry_ = std::move(rest);
    return Ok();
  }

  /// Bytes used; 0 when more must come.
  Result<size_t> TakeOne(std::string_view bytes) {
    static constexpr std::string_view kSignature("PGCOPY\n\xff\r\n\0", 11);
    if (!begun_) {
      if (bytes.size() < 19) return size_t{0};
      const auto extension = BigEndian<uint32_t>(bytes.data() + 15);
      if (!bytes.starts_with(kSignature) || extension > (1U << 20)) return Broken();
      if (bytes.size() < 19 + extension) return size_t{0};
      begun_ = true;
      return size_t{19 + extension};
    }
    if (bytes.size() < 2) return size_t{0};
    const auto count = BigEndian<int16_t>(bytes.data());
    if (count == -1) {
      ended_ = true;
      return size_t{2};
    }
    if (count != static_cast<int>(options_.fields.size())) return Broken();
    // Whole rows only: nothing is appended before all of it is there.
    size_t at = 2;
    for (int n = 0; n < count; ++n) {
      if (bytes.size() < at + 4) return size_t{0};
      const auto length = BigEndian<int32_t>(bytes.data() + at);
      at += 4;
      if (length < -1) return Broken();
      if (length > 0) at += static_cast<size_t>(length);
      if (bytes.size() < at) return size_t{0};
    }
    ++progress_.rows;
    const char* value = bytes.data() + 2;
    for (size_t n = 0; n < options_.fields.size(); ++n) {
      const auto length = BigEndian<int32_t>(value);
      value += 4;
      if (length < 0) {
        builder_.AppendNull();
        continue;
      }
      HR_TRY(Append(n, {value, static_cast<size_t>(length)}));
      value += length;
    }
    return at;
  }

  Error Broken() const {
    return ExternalError("bad_answer",
                         fmt::format("{} sent rows that can't be understood", options_.shown))
        .At({.rows = fmt::format("row {}", progress_.rows + 1)});
  }

  Error BadValue(const PostgresField& field, const std::string& what) const {
    return DataError("bad_value",
                     fmt::format("column '{}' ({}) holds {}", field.name, field.declared, what))
        .At({.file = options_.shown, .rows = fmt::format("row {}", progress_.rows)})
        .Subject(field.name)
        .Hint(
            fmt::format("correct the row, or give the column another type: columns: {{{}: {{type: "
                        "DOUBLE}}}} (a number) or VARCHAR",
                        field.name));
  }

  Status Append(size_t column, std::string_view bytes) {
    const PostgresField& field = options_.fields[column];
    const auto sized = [&](size_t wanted) { return bytes.size() == wanted; };
    switch (field.wire) {
      case Wire::kBool:
        if (!sized(1)) return Broken();
        builder_.AppendInt64(bytes[0]);
        return Ok();
      case Wire::kInt2:
        if (!sized(2)) return Broken();
        builder_.AppendInt64(BigEndian<int16_t>(bytes.data()));
        return Ok();
      case Wire::kInt4:
        if (!sized(4)) return Broken();
        builder_.AppendInt64(BigEndian<int32_t>(bytes.data()));
        return Ok();
      case Wire::kOid:
        if (!sized(4)) return Broken();
        builder_.AppendInt64(BigEndian<uint32_t>(bytes.data()));
        return Ok();
      case Wire::kInt8:
      case Wire::kTime:
        if (!sized(8)) return Broken();
        builder_.AppendInt64(BigEndian<int64_t>(bytes.data()));
        return Ok();
      case Wire::kFloat4:
        if (!sized(4)) return Broken();
        builder_.AppendFloat(std::bit_cast<float>(BigEndian<uint32_t>(bytes.data())));
        return Ok();
      case Wire::kFloat8:
        if (!sized(8)) return Broken();
        builder_.AppendDouble(std::bit_cast<double>(BigEndian<uint64_t>(bytes.data())));
        return Ok();
      case Wire::kDate:
        if (!sized(4)) return Broken();
        return AppendDate(BigEndian<int32_t>(bytes.data()));
      case Wire::kTimestamp:
        if (!sized(8)) return Broken();
        return AppendTimestamp(field, BigEndian<int64_t>(bytes.data()));
      case Wire::kDecimal: {
        const auto value = DecodeDecimal(bytes, field.scale);
        if (!value) return BadValue(field, "NaN, infinity or more digits than its type has");
        builder_.AppendDecimal(*value);
        return Ok();
      }
      case Wire::kNumeric: {
        if (!Numeric(bytes).valid) return Broken();
        bool exact = true;
        builder_.AppendDouble(DecodeNumeric(bytes, &exact));
        if (!exact) ++progress_.rounded[column];
        return Ok();
      }
      case Wire::kUuid:
        if (!sized(16)) return Broken();
        builder_.AppendText(UuidOf(bytes));
        return Ok();
      case Wire::kBytes:
        builder_.AppendText(bytes);
        return Ok();
      case Wire::kJsonb:
        if (bytes.empty() || bytes[0] != 1) return Broken();
        bytes.remove_prefix(1);
        [[fallthrough]];
      case Wire::kText:
        if (options_.check_utf8 && FindBadUtf8(bytes) != std::string_view::npos) {
          return DataError("bad_encoding",
                           fmt::format("{}: '{}' in column '{}' is not UTF-8", options_.shown,
                                       ShownLine(bytes), field.name))
              .At({.file = options_.shown, .rows = fmt::format("row {}", progress_.rows)})
              .Subject(field.name)
              .Hint("correct the row, or read it with a `query` that casts the column to bytea");
        }
        builder_.AppendText(bytes);
        return Ok();
    }
    return Broken();
  }

  Status AppendDate(int32_t days) {
    constexpr auto kLast = std::numeric_limits<int32_t>::max();
    if (days == kLast || days == std::numeric_limits<int32_t>::min()) {
      builder_.AppendInt64(days == kLast ? kLast : -kLast);  // as DuckDB writes infinity
    } else {
      builder_.AppendInt64(int64_t{days} + kEpochDays);
    }
    return Ok();
  }

  Status AppendTimestamp(const PostgresField& field, int64_t micros) {
    constexpr auto kLast = std::numeric_limits<int64_t>::max();
    if (micros == kLast || micros == std::numeric_limits<int64_t>::min()) {
      builder_.AppendInt64(micros == kLast ? kLast : -kLast);
      return Ok();
    }
    int64_t moved = 0;
    if (__builtin_add_overflow(micros, kEpochMicros, &moved) || moved == kLast) {
      return BadValue(field, "a time after the year 294246");
    }
    builder_.AppendInt64(moved);
    return Ok();
  }

  PostgresSession& session_;
  PostgresProgress& progress_;
  const PostgresReaderOptions options_;
  const data::Schema schema_;
  data::BatchBuilder builder_;
  std::string carry_;
  bool begun_ = false;
  std::atomic<bool> ended_{false};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<data::Batch> ready_;
  Status fault_;
  bool done_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace

std::optional<__int128> DecodeDecimal(std::string_view bytes, int scale) {
  const Numeric number(bytes);
  if (!number.valid || (number.sign != 0 && number.sign != kNegative)) return std::nullopt;
  // Digit n stands for d × 10000^(weight - n); wanted is the sum × 10^scale. Decimal digits below
  // the scale can only be zeros, since the column's type has no more.
  __int128 value = 0;
  bool fits = true;
  // 10^38 - 1 divided by the factor, whatever the digit: no division for each.
  static constexpr __int128 kMost[] = {kAllNines, kAllNines / 10, kAllNines / 100, kAllNines / 1000,
                                       kAllNines / 10000};
  static constexpr int kTens[] = {1, 10, 100, 1000, 10000};
  const auto take = [&](int digits, int digit) {
    fits = fits && value <= kMost[digits];
    if (fits) value = value * kTens[digits] + digit;
  };
  int shift = scale;  // decimal digits that are still to be taken behind the point
  for (int n = 0; fits && (n <= number.weight || n < number.digits); ++n) {
    const int behind = n - number.weight;  // 1 and more: behind the point
    const int digit = number.Digit(n);
    // Zeros between the point and the first digit are not sent.
    if (n == 0 && behind > 1) shift -= 4 * (behind - 1);
    if (behind <= 0) {
      take(4, digit);
    } else if (shift >= 4) {
      take(4, digit);
      shift -= 4;
    } else if (shift > 0) {
      if (digit % kTens[4 - shift] != 0) return std::nullopt;
      take(shift, digit / kTens[4 - shift]);
      shift = 0;
    } else if (digit != 0) {
      return std::nullopt;
    }
  }
  for (; fits && shift > 0; --shift) take(1, 0);
  if (!fits) return std::nullopt;
  return number.sign == kNegative ? -value : value;
}

double DecodeNumeric(std::string_view bytes, bool* exact) {
  *exact = true;
  const Numeric number(bytes);
  if (number.sign == kPlusInfinity) return std::numeric_limits<double>::infinity();
  if (number.sign == kMinusInfinity) return -std::numeric_limits<double>::infinity();
  if (number.sign == kNaN) return std::numeric_limits<double>::quiet_NaN();
  if (number.digits == 0) return 0;
  // As a decimal text: "d" groups of four, and an exponent. from_chars rounds correctly.
  std::string text;
  for (int n = 0; n < number.digits; ++n) text += fmt::format("{:04}", number.Digit(n));
  const size_t first = text.find_first_not_of('0');
  const size_t last = text.find_last_not_of('0');
  if (first == std::string::npos) return 0;
  *exact = last - first < 15;
  text += fmt::format("e{}", 4 * (number.weight - number.digits + 1));
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault == std::errc::result_out_of_range) {
    *exact = false;
    value = number.weight > 0 ? std::numeric_limits<double>::infinity() : 0;
  }
  return number.sign == kNegative ? -value : value;
}

Result<std::unique_ptr<data::BatchReader>> ReadPostgres(PostgresSession& session,
                                                        PostgresProgress& progress,
                                                        PostgresReaderOptions options) {
  data::Schema schema;
  for (const PostgresField& field : options.fields) {
    schema.columns.push_back({field.name, field.delivered, true});
  }
  HR_ASSIGN(auto builder, data::BatchBuilder::Make(schema));
  HR_TRY(session.BeginCopyOut(options.copy));
  progress = {};
  return std::unique_ptr<data::BatchReader>(std::make_unique<PostgresReader>(
      session, progress, std::move(options), std::move(schema), std::move(builder)));
}

}  // namespace headrace::components
