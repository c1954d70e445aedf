#include "model/score_columns.h"

#include <charconv>
#include <limits>
#include <memory>

namespace headrace::model {
namespace {

/// What an array's private_data points to: all that its buffers and children need.
struct Holder {
  std::vector<std::vector<uint8_t>> bytes;
  std::vector<double> doubles;
  std::vector<int64_t> integers;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> child_pointers;
};

void Release(ArrowArray* array) {
  auto* holder = static_cast<Holder*>(array->private_data);
  for (ArrowArray& child : holder->children) {
    if (child.release != nullptr) child.release(&child);
  }
  delete holder;
  array->release = nullptr;
}

ArrowArray Wrap(std::unique_ptr<Holder> holder, int64_t length) {
  ArrowArray array{};
  array.length = length;
  array.n_buffers = static_cast<int64_t>(holder->buffers.size());
  array.buffers = holder->buffers.data();
  array.n_children = static_cast<int64_t>(holder->child_pointers.size());
  array.children = holder->child_pointers.empty() ? nullptr : holder->child_pointers.data();
  array.release = Release;
  array.private_data = holder.release();
  return array;
}

template <class T>
Result<ArrowArray> Integers(const std::vector<std::string>& texts,
                            const std::vector<int32_t>& codes) {
  std::vector<T> values(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const char* end = texts[i].data() + texts[i].size();
    const auto [at, fault] = std::from_chars(texts[i].data(), end, values[i]);
    if (fault != std::errc() || at != end) {
      return DataError("damaged_model",
                       "class '" + texts[i] + "' is no value of the target's type");
    }
  }
  auto holder = std::make_unique<Holder>();
  std::vector<uint8_t> bytes(codes.size() * sizeof(T));
  auto* to = reinterpret_cast<T*>(bytes.data());
  for (size_t i = 0; i < codes.size(); ++i) to[i] = values[static_cast<size_t>(codes[i])];
  holder->bytes.push_back(std::move(bytes));
  holder->buffers = {nullptr, holder->bytes[0].data()};
  return Wrap(std::move(holder), static_cast<int64_t>(codes.size()));
}

Result<ArrowArray> Booleans(const std::vector<std::string>& texts,
                            const std::vector<int32_t>& codes) {
  auto holder = std::make_unique<Holder>();
  std::vector<uint8_t> bits((codes.size() + 7) / 8 + 1);
  for (size_t i = 0; i < codes.size(); ++i) {
    if (texts[static_cast<size_t>(codes[i])] == "true") {
      bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | (1U << (i % 8)));
    }
  }
  holder->bytes.push_back(std::move(bits));
  holder->buffers = {nullptr, holder->bytes[0].data()};
  return Wrap(std::move(holder), static_cast<int64_t>(codes.size()));
}

Result<ArrowArray> Texts(const std::vector<std::string>& texts, const std::vector<int32_t>& codes) {
  int64_t size = 0;
  for (const int32_t code : codes)
    size += static_cast<int64_t>(texts[static_cast<size_t>(code)].size());
  if (size > std::numeric_limits<int32_t>::max()) {
    return UserError("batch_too_large", "the predictions of one batch exceed 2 GB of text")
        .Hint("score fewer rows at once");
  }
  auto holder = std::make_unique<Holder>();
  std::vector<uint8_t> offsets((codes.size() + 1) * sizeof(int32_t));
  std::vector<uint8_t> bytes;
  bytes.reserve(static_cast<size_t>(size) + 1);
  auto* offset = reinterpret_cast<int32_t*>(offsets.data());
  offset[0] = 0;
  for (size_t i = 0; i < codes.size(); ++i) {
    const std::string& text = texts[static_cast<size_t>(codes[i])];
    bytes.insert(bytes.end(), text.begin(), text.end());
    offset[i + 1] = static_cast<int32_t>(bytes.size());
  }
  holder->bytes.push_back(std::move(offsets));
  holder->bytes.push_back(std::move(bytes));
  holder->buffers = {nullptr, holder->bytes[0].data(), holder->bytes[1].data()};
  return Wrap(std::move(holder), static_cast<int64_t>(codes.size()));
}

}  // namespace

ArrowArray DoubleColumn(std::vector<double> values) {
  auto holder = std::make_unique<Holder>();
  holder->doubles = std::move(values);
  holder->buffers = {nullptr, holder->doubles.data()};
  const auto length = static_cast<int64_t>(holder->doubles.size());
  return Wrap(std::move(holder), length);
}

ArrowArray Int64Column(std::vector<int64_t> values) {
  auto holder = std::make_unique<Holder>();
  holder->integers = std::move(values);
  holder->buffers = {nullptr, holder->integers.data()};
  const auto length = static_cast<int64_t>(holder->integers.size());
  return Wrap(std::move(holder), length);
}

Result<ArrowArray> CodedColumn(const std::string& type, const std::vector<std::string>& texts,
                               const std::vector<int32_t>& codes) {
  if (type == "BOOLEAN") return Booleans(texts, codes);
  if (type == "TINYINT") return Integers<int8_t>(texts, codes);
  if (type == "SMALLINT") return Integers<int16_t>(texts, codes);
  if (type == "INTEGER") return Integers<int32_t>(texts, codes);
  if (type == "BIGINT") return Integers<int64_t>(texts, codes);
  if (type == "UTINYINT") return Integers<uint8_t>(texts, codes);
  if (type == "USMALLINT") return Integers<uint16_t>(texts, codes);
  if (type == "UINTEGER") return Integers<uint32_t>(texts, codes);
  if (type == "UBIGINT") return Integers<uint64_t>(texts, codes);
  return Texts(texts, codes);
}

data::Batch BatchOf(std::vector<ArrowArray> columns, int64_t rows) {
  auto holder = std::make_unique<Holder>();
  holder->children = std::move(columns);
  for (ArrowArray& child : holder->children) holder->child_pointers.push_back(&child);
  holder->buffers = {nullptr};
  return data::Batch{data::OwnedArrowArray(Wrap(std::move(holder), rows))};
}

}  // namespace headrace::model
