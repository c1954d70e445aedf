#include "data/observer.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "data/cell.h"
#include "data/row_hasher.h"

namespace headrace::data::internal {
namespace {

uint64_t Mix(uint64_t x) {  // the finalizer of MurmurHash3
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}
uint64_t MixOf(__int128 x) {
  return Mix(static_cast<uint64_t>(x)) ^ Mix(static_cast<uint64_t>(x >> 64) + 1);
}
template <class T>
uint64_t MixOf(T x) {
  return Mix(static_cast<uint64_t>(x));
}

// Sums are taken per chunk around its first value, which keeps the variance stable, then merged
// (Chan, Golub, LeVeque 1979).
struct Moments {
  double shift = 0, sum = 0, squares = 0;
  int64_t count = 0;
  void Add(double x) {
    if (count == 0) shift = x;
    double d = x - shift;
    sum += d;
    squares += d * d;
    ++count;
  }
  void MergeInto(ColumnStats& stats) const {
    if (count == 0) return;
    auto n = static_cast<double>(count), before = static_cast<double>(stats.finite);
    double mean = shift + sum / n;
    double m2 = std::max(0.0, squares - sum * sum / n);
    double difference = mean - stats.mean;
    stats.m2 += m2 + difference * difference * before * n / (before + n);
    stats.mean += difference * n / (before + n);
    stats.sum += shift * n + sum;
    stats.finite += count;
  }
};

template <class T>
void UpdateIntegers(const VectorView& view, idx_t rows, bool moments_wanted, ColumnStats& stats) {
  const T* values = view.Values<T>();
  T low = 0, high = 0;
  bool any = false;
  Moments moments;
  for (idx_t i = 0; i < rows; ++i) {
    if (view.IsNull(i)) {
      ++stats.nulls;
      continue;
    }
    T value = values[i];
    if (!any) low = high = value;
    any = true;
    low = value < low ? value : low;
    high = value > high ? value : high;
    stats.distinct.Add(MixOf(value));
    if (moments_wanted) moments.Add(static_cast<double>(value));
  }
  if (!any) return;
  stats.min = !stats.any || low < stats.min ? static_cast<__int128>(low) : stats.min;
  stats.max = !stats.any || high > stats.max ? static_cast<__int128>(high) : stats.max;
  stats.any = true;
  moments.MergeInto(stats);
}

template <class T>
void UpdateFloats(const VectorView& view, idx_t rows, ColumnStats& stats) {
  const T* values = view.Values<T>();
  Moments moments;
  for (idx_t i = 0; i < rows; ++i) {
    if (view.IsNull(i)) {
      ++stats.nulls;
      continue;
    }
    double value = values[i];
    if (std::isnan(value)) {
      ++stats.nans;
      continue;
    }
    value += 0.0;  // -0.0 becomes 0.0
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    stats.distinct.Add(Mix(bits));
    if (!stats.any) stats.min_double = stats.max_double = value;
    stats.any = true;
    stats.min_double = value < stats.min_double ? value : stats.min_double;
    stats.max_double = value > stats.max_double ? value : stats.max_double;
    if (std::isfinite(value)) moments.Add(value);
  }
  moments.MergeInto(stats);
}

void UpdateLength(int64_t length, ColumnStats& stats) {
  if (stats.min_length < 0 || length < stats.min_length) stats.min_length = length;
  if (length > stats.max_length) stats.max_length = length;
}

void UpdateTexts(const VectorView& view, idx_t rows, bool order_wanted, ColumnStats& stats) {
  for (idx_t i = 0; i < rows; ++i) {
    if (view.IsNull(i)) {
      ++stats.nulls;
      continue;
    }
    std::string_view text = view.Text(i);
    UpdateLength(static_cast<int64_t>(text.size()), stats);
    stats.distinct.Add(HashBytes64(text));
    if (!order_wanted) continue;
    if (!stats.any || text < stats.min_text) stats.min_text = text;
    if (!stats.any || text > stats.max_text) stats.max_text = text;
    stats.any = true;
  }
}

void UpdateNested(const VectorView& view, idx_t rows, ColumnStats& stats) {
  bool lists = view.plan->kind != Kind::kStruct;
  for (idx_t i = 0; i < rows; ++i) {
    if (view.IsNull(i)) {
      ++stats.nulls;
    } else if (lists) {
      UpdateLength(static_cast<int64_t>(view.Values<duckdb_list_entry>()[i].length), stats);
    }
  }
}

void UpdateIntegersOf(const VectorView& view, idx_t rows, ColumnStats& stats) {
  const TypePlan& plan = *view.plan;
  TypeClass c = plan.tree.type_class;
  bool moments = IsNumber(c) || c == TypeClass::kBoolean;
  if (plan.is_signed && plan.kind != Kind::kBool) {
    switch (plan.width) {
      case 1:
        return UpdateIntegers<int8_t>(view, rows, moments, stats);
      case 2:
        return UpdateIntegers<int16_t>(view, rows, moments, stats);
      case 4:
        return UpdateIntegers<int32_t>(view, rows, moments, stats);
      case 8:
        return UpdateIntegers<int64_t>(view, rows, moments, stats);
      default:
        return UpdateIntegers<__int128>(view, rows, moments, stats);
    }
  }
  switch (plan.width) {
    case 1:
      return UpdateIntegers<uint8_t>(view, rows, moments, stats);
    case 2:
      return UpdateIntegers<uint16_t>(view, rows, moments, stats);
    case 4:
      return UpdateIntegers<uint32_t>(view, rows, moments, stats);
    default:
      return UpdateIntegers<uint64_t>(view, rows, moments, stats);
  }
}

void UpdateColumn(const VectorView& view, idx_t rows, ColumnStats& stats) {
  switch (view.plan->kind) {
    case Kind::kBool:
    case Kind::kFixed:
    case Kind::kDecimal:
      return UpdateIntegersOf(view, rows, stats);
    case Kind::kFloat:
      return UpdateFloats<float>(view, rows, stats);
    case Kind::kDouble:
      return UpdateFloats<double>(view, rows, stats);
    case Kind::kText:
      return UpdateTexts(view, rows, view.plan->tree.name != "BLOB", stats);
    case Kind::kUuid:
      for (idx_t i = 0; i < rows; ++i) {
        if (view.IsNull(i)) {
          ++stats.nulls;
        } else {
          stats.distinct.Add(MixOf(view.Values<__int128>()[i]));
        }
      }
      return;
    default:
      return UpdateNested(view, rows, stats);
  }
}

// The first 64 bytes or fewer, not within a character.
std::string Shortened(const std::string& text) {
  if (text.size() <= 64) return text;
  size_t end = 64;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

ColumnProfile ProfileOf(const Column& column, const TypePlan& plan, const ColumnStats& stats) {
  ColumnProfile out;
  out.name = column.name;
  out.type = column.type;
  out.nulls = stats.nulls;
  out.nans = stats.nans;
  out.distinct = stats.distinct;
  out.min_length = stats.min_length;
  out.max_length = stats.max_length;
  double scale = std::pow(10.0, plan.kind == Kind::kDecimal ? plan.tree.scale : 0);
  out.finite = stats.finite;
  out.sum = stats.sum / scale;
  out.m2 = stats.m2 / scale / scale;
  if (!stats.any) return out;
  if (plan.kind == Kind::kFloat || plan.kind == Kind::kDouble) {
    out.min = stats.min_double, out.max = stats.max_double;
    out.min_text = DoubleText(stats.min_double);
    out.max_text = DoubleText(stats.max_double);
  } else if (plan.kind == Kind::kText) {
    out.min_text = Shortened(stats.min_text);
    out.max_text = Shortened(stats.max_text);
  } else {
    out.min = static_cast<double>(stats.min) / scale;
    out.max = static_cast<double>(stats.max) / scale;
    out.min_text = IntegerText(plan.tree, stats.min);
    out.max_text = IntegerText(plan.tree, stats.max);
    if (plan.tree.name == "TIMESTAMP_NS") *out.min /= 1000, *out.max /= 1000;
  }
  return out;
}

}  // namespace

struct Observer::Partial {
  RowHasher hasher;
  std::vector<Hash128> hashes;
  Digest digest;
  std::vector<ColumnStats> stats;
};

Observer::Observer(Schema schema) : schema_(std::move(schema)) {
  for (const Column& column : schema_.columns) {
    plans_.push_back(MakePlan(ParseType(column.type).value()));
  }
}

Observer::~Observer() = default;

std::unique_ptr<Observer::Partial> Observer::Take() {
  {
    std::lock_guard lock(mutex_);
    if (!partials_.empty()) {
      std::unique_ptr<Partial> partial = std::move(partials_.back());
      partials_.pop_back();
      return partial;
    }
  }
  auto partial = std::make_unique<Partial>();
  partial->stats.resize(plans_.size());
  return partial;
}

void Observer::Update(duckdb_data_chunk chunk, idx_t first) {
  idx_t rows = duckdb_data_chunk_get_size(chunk);
  if (rows == 0) return;
  std::unique_ptr<Partial> partial = Take();
  std::vector<FlatVector> vectors;
  std::vector<VectorView> views;
  vectors.reserve(plans_.size());
  views.reserve(plans_.size());
  for (size_t i = 0; i < plans_.size(); ++i) {
    vectors.emplace_back(plans_[i], duckdb_data_chunk_get_vector(chunk, first + i), rows);
    views.push_back(vectors.back().view());
    UpdateColumn(views.back(), rows, partial->stats[i]);
  }
  if (partial->hashes.size() < rows) partial->hashes.resize(rows);
  partial->hasher.Hash(views, rows, partial->hashes.data());
  Hash128 sum;
  for (idx_t i = 0; i < rows; ++i) sum += partial->hashes[i];
  partial->digest += Digest{sum, static_cast<int64_t>(rows)};
  std::lock_guard lock(mutex_);
  partials_.push_back(std::move(partial));
}

Digest Observer::digest() const {
  std::lock_guard lock(mutex_);
  Digest digest;
  for (const auto& partial : partials_) digest += partial->digest;
  return digest;
}

Profile Observer::profile() const {
  std::lock_guard lock(mutex_);
  Profile out;
  for (size_t p = 0; p == 0 || p < partials_.size(); ++p) {
    Profile part;
    static const ColumnStats kNoRows;
    for (size_t i = 0; i < plans_.size(); ++i) {
      const ColumnStats& stats = partials_.empty() ? kNoRows : partials_[p]->stats[i];
      part.columns.push_back(ProfileOf(schema_.columns[i], plans_[i], stats));
    }
    if (!partials_.empty()) part.rows = partials_[p]->digest.rows;
    if (p == 0) {
      out = std::move(part);
    } else {
      (void)out.Merge(part);  // same schema: can't fail
    }
  }
  return out;
}

}  // namespace headrace::data::internal
