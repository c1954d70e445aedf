#include "data/arrow_builder.h"

#include <cstring>

#include "data/cell.h"

namespace headrace::data::internal {
namespace {

/// What an array owns.
struct Buffers {
  std::vector<uint8_t> validity, data;
  std::vector<int32_t> offsets;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  const void* buffers[3] = {nullptr, nullptr, nullptr};
};

void ReleaseBuffers(ArrowArray* array) {
  auto* buffers = static_cast<Buffers*>(array->private_data);
  for (ArrowArray& child : buffers->children) {
    if (child.release != nullptr) child.release(&child);
  }
  delete buffers;
  array->release = nullptr;
}

bool HasOffsets(Kind kind) {
  return kind == Kind::kText || kind == Kind::kUuid || kind == Kind::kList || kind == Kind::kMap;
}

ArrowArray Export(std::unique_ptr<Buffers> owned, int64_t rows, int64_t nulls, int64_t buffers) {
  ArrowArray out{};
  for (ArrowArray& child : owned->children) owned->pointers.push_back(&child);
  out.length = rows;
  out.null_count = nulls;
  out.n_buffers = buffers;
  out.buffers = owned->buffers;
  out.n_children = static_cast<int64_t>(owned->children.size());
  out.children = owned->pointers.empty() ? nullptr : owned->pointers.data();
  out.release = ReleaseBuffers;
  out.private_data = owned.release();
  return out;
}

void SetBit(std::vector<uint8_t>& bits, int64_t at, bool value) {
  auto byte = static_cast<size_t>(at >> 3);
  if (bits.size() <= byte) bits.resize(byte + 1);
  if (value) bits[byte] = static_cast<uint8_t>(bits[byte] | (1U << (at & 7)));
}

}  // namespace

ArrowBuilder::ArrowBuilder(const TypePlan& plan) : plan_(&plan) {
  for (const TypePlan& child : plan.children) children_.emplace_back(child);
  if (HasOffsets(plan.kind)) offsets_.push_back(0);
}

void ArrowBuilder::PushValid(bool valid) {
  if (!valid && validity_.empty()) {
    validity_.assign(static_cast<size_t>(rows_ / 8 + 1), 0xFF);
    // Bits behind the last row must be 0 before they are set.
    validity_.back() = static_cast<uint8_t>((1U << (rows_ & 7)) - 1);
  }
  if (!validity_.empty()) SetBit(validity_, rows_, valid);
  if (!valid) ++nulls_;
  ++rows_;
}

void ArrowBuilder::AppendValidity(const VectorView& view, idx_t from, idx_t count) {
  if (view.validity == nullptr && validity_.empty()) {
    rows_ += static_cast<int64_t>(count);
    return;
  }
  for (idx_t i = 0; i < count; ++i) PushValid(!view.IsNull(from + i));
}

void ArrowBuilder::AppendDecimals(const VectorView& view, idx_t from, idx_t count) {
  size_t old = data_.size();
  data_.resize(old + count * 16);
  for (idx_t i = 0; i < count; ++i) {
    __int128 value = 0;
    if (!view.IsNull(from + i)) {
      switch (plan_->width) {
        case 2:
          value = view.Values<int16_t>()[from + i];
          break;
        case 4:
          value = view.Values<int32_t>()[from + i];
          break;
        case 8:
          value = view.Values<int64_t>()[from + i];
          break;
        default:
          value = view.Values<__int128>()[from + i];
          break;
      }
    }
    std::memcpy(data_.data() + old + i * 16, &value, 16);
  }
}

void ArrowBuilder::AppendLists(const VectorView& view, idx_t from, idx_t count) {
  for (idx_t i = 0; i < count; ++i) {
    if (!view.IsNull(from + i)) {
      duckdb_list_entry entry = view.Values<duckdb_list_entry>()[from + i];
      if (entry.length > 0) children_[0].Append(view.children[0], entry.offset, entry.length);
    }
    offsets_.push_back(static_cast<int32_t>(children_[0].rows()));
  }
}

void ArrowBuilder::Append(const VectorView& view, idx_t from, idx_t count) {
  switch (plan_->kind) {
    case Kind::kBool:
      for (idx_t i = 0; i < count; ++i) {
        SetBit(data_, rows_ + static_cast<int64_t>(i),
               !view.IsNull(from + i) && view.data[from + i] != 0);
      }
      break;
    case Kind::kFixed:
    case Kind::kFloat:
    case Kind::kDouble: {
      auto width = static_cast<size_t>(plan_->width);
      const uint8_t* start = view.data + from * width;
      data_.insert(data_.end(), start, start + count * width);
      break;
    }
    case Kind::kDecimal:
      AppendDecimals(view, from, count);
      break;
    case Kind::kUuid:
    case Kind::kText:
      for (idx_t i = 0; i < count; ++i) {
        if (!view.IsNull(from + i)) {
          if (plan_->kind == Kind::kText) {
            std::string_view text = view.Text(from + i);
            data_.insert(data_.end(), text.begin(), text.end());
          } else {
            const duckdb_hugeint& uuid = view.Values<duckdb_hugeint>()[from + i];
            std::string text = UuidText(static_cast<uint64_t>(uuid.upper), uuid.lower);
            data_.insert(data_.end(), text.begin(), text.end());
          }
        }
        offsets_.push_back(static_cast<int32_t>(data_.size()));
      }
      break;
    case Kind::kStruct:
      for (size_t c = 0; c < children_.size(); ++c) {
        children_[c].Append(view.children[c], from, count);
      }
      break;
    case Kind::kList:
    case Kind::kMap:
      AppendLists(view, from, count);
      break;
    case Kind::kNone:
      break;
  }
  AppendValidity(view, from, count);
}

void ArrowBuilder::AppendNull() {
  if (HasOffsets(plan_->kind)) {
    offsets_.push_back(offsets_.back());
  } else if (plan_->kind == Kind::kBool) {
    SetBit(data_, rows_, false);
  } else {
    // Arrow's decimals have 16 bytes, whatever DuckDB needs for theirs.
    const int width = plan_->kind == Kind::kDecimal ? 16 : plan_->width;
    data_.resize(data_.size() + static_cast<size_t>(width));
  }
  PushValid(false);
}

void ArrowBuilder::AppendBytes(const void* value, size_t width) {
  const auto* bytes = static_cast<const uint8_t*>(value);
  data_.insert(data_.end(), bytes, bytes + width);
  PushValid(true);
}

void ArrowBuilder::AppendBool(bool value) {
  SetBit(data_, rows_, value);
  PushValid(true);
}

void ArrowBuilder::AppendText(std::string_view value) {
  data_.insert(data_.end(), value.begin(), value.end());
  offsets_.push_back(static_cast<int32_t>(data_.size()));
  PushValid(true);
}

int64_t ArrowBuilder::bytes() const {
  auto total = static_cast<int64_t>(data_.size() + validity_.size() + offsets_.size() * 4);
  for (const ArrowBuilder& child : children_) total += child.bytes();
  return total;
}

ArrowArray ArrowBuilder::Finish() {
  auto owned = std::make_unique<Buffers>();
  for (ArrowBuilder& child : children_) owned->children.push_back(child.Finish());
  size_t capacity = data_.size();
  owned->validity = std::move(validity_);
  owned->data = std::move(data_);
  owned->offsets = std::move(offsets_);
  if (owned->data.empty()) owned->data.resize(1);  // buffers must not be null
  owned->buffers[0] = owned->validity.empty() ? nullptr : owned->validity.data();
  int64_t buffers = 2;
  if (plan_->kind == Kind::kText || plan_->kind == Kind::kUuid) {
    owned->buffers[1] = owned->offsets.data();
    owned->buffers[2] = owned->data.data();
    buffers = 3;
  } else if (HasOffsets(plan_->kind)) {
    owned->buffers[1] = owned->offsets.data();
  } else if (plan_->kind == Kind::kStruct) {
    buffers = 1;
  } else {
    owned->buffers[1] = owned->data.data();
  }
  ArrowArray out = Export(std::move(owned), rows_, nulls_, buffers);
  rows_ = nulls_ = 0;
  validity_.clear();
  data_.clear();
  data_.reserve(capacity);  // the next batch will be like this one
  offsets_.clear();
  if (HasOffsets(plan_->kind)) offsets_.push_back(0);
  return out;
}

Batch MakeBatch(std::vector<ArrowArray> columns, int64_t rows) {
  auto owned = std::make_unique<Buffers>();
  owned->children = std::move(columns);
  return Batch{OwnedArrowArray(Export(std::move(owned), rows, 0, 1))};
}

}  // namespace headrace::data::internal
