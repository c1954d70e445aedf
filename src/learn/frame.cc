#include "learn/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/suggest.h"
#include "base/thread_pool.h"
#include "evaluate/random.h"
#include "learn/check_columns.h"
#include "learn/feature_builder.h"
#include "learn/row_order.h"
#include "learn/target_reader.h"
#include "learn/text_feature.h"
#include "model/column_values.h"

namespace headrace::learn {
namespace {

using model::InputClass;

constexpr int64_t kRowsAtOnce = 32768;  // the next ones are read meanwhile

/// Positions of the columns a spec names; −1 = none.
struct Columns {
  int target = -1, time = -1, group = -1, weight = -1;
  std::vector<int> key, features, slices;
};

class FrameReader {
 public:
  FrameReader(data::BatchReader& rows, const FrameOptions& options)
      : rows_(rows), schema_(rows.schema()), options_(options), spec_(*options.spec) {
    if (!options.with_order) return;
    order_schema_ = schema_;
    schema_.columns.pop_back();
  }

  Result<Frame> Read() {
    HR_TRY(Resolve());
    HR_TRY(ReserveMemory());
    HR_TRY(MakeBuilders());
    frame_.earlier.resize(options_.scorers.size());
    ResolveEarlier();
    for (const auto& [at, builder] : builders_) {
      frame_.hashed.push_back(schema_.columns[static_cast<size_t>(at)].name);
    }
    HR_ASSIGN(TargetReader target,
              TargetReader::Make(spec_, schema_.columns[static_cast<size_t>(at_.target)].type));
    HR_ASSIGN(std::vector<data::Batch> batches, ReadSome());
    while (!batches.empty()) {
      std::vector<data::Batch> next;
      HR_TRY(AddBatches(batches, &target, &next));
      batches = std::move(next);
    }
    if (options_.with_order) HR_TRY(SortRows(&target));
    HR_TRY(target.Finish(spec_, options_.known_positive, frame_.rows_without_target, &frame_));
    HR_TRY(CheckWeights());
    HR_TRY(FinishFeatures());
    if (frame_.rows_without_target == 0 && without_time_ == 0) frame_.input_row = {};
    NoteLeftOutRows();
    return std::move(frame_);
  }

 private:
  Result<int> Position(const std::string& name, const char* option) {
    const int at = schema_.IndexOf(name);
    if (at >= 0) return at;
    return UserError("unknown_column",
                     fmt::format("`{}: {}` of model '{}': {} has no such column", option, name,
                                 spec_.name, spec_.from.empty() ? "the input" : spec_.from))
        .Subject(name)
        .Candidates(Suggest(name, schema_.Names()))
        .Hint(fmt::format("its columns are {}", fmt::join(schema_.Names(), ", ")));
  }

  Status Resolve() {
    HR_ASSIGN(at_.target, Position(spec_.target, "target"));
    if (!spec_.time.empty()) {
      HR_ASSIGN(at_.time, Position(spec_.time, "time"));
    }
    if (!spec_.group.empty()) {
      HR_ASSIGN(at_.group, Position(spec_.group, "group"));
    }
    if (!spec_.weight.empty()) {
      HR_ASSIGN(at_.weight, Position(spec_.weight, "weight"));
    }
    for (const std::string& name : spec_.key) {
      HR_ASSIGN(const int at, Position(name, "key"));
      at_.key.push_back(at);
    }
    for (const std::string& name : options_.slices) {
      HR_ASSIGN(const int at, Position(name, "gate"));
      at_.slices.push_back(at);
      frame_.slices.push_back({name, {}, {}});
    }
    slice_index_.resize(at_.slices.size());
    HR_TRY(ResolveFeatures());
    auto faults = CheckColumns(spec_, schema_);
    return faults.empty() ? Ok() : Status(std::move(faults.front().error));
  }

  Status ResolveFeatures() {
    const FeatureSpec& wish = spec_.features;
    std::vector<uint8_t> excluded(schema_.size(), 0);
    listed_.assign(schema_.size(), 0);
    role_.assign(schema_.size(), FeatureRole::kAuto);
    for (const auto& name : wish.exclude) {
      HR_ASSIGN(const int at, Position(name, "features.exclude"));
      excluded[static_cast<size_t>(at)] = 1;
    }
    for (const auto& [name, type] : wish.types) {
      HR_ASSIGN(const int at, Position(name, "features.types"));
      HR_ASSIGN(role_[static_cast<size_t>(at)], RoleOf(spec_, name, type, ClassAt(at)));
      listed_[static_cast<size_t>(at)] = 1;
    }
    if (!wish.include.empty()) {
      for (const auto& name : wish.include) {
        HR_ASSIGN(const int at, Position(name, "features.include"));
        listed_[static_cast<size_t>(at)] = 1;
        if (excluded[static_cast<size_t>(at)] == 0) at_.features.push_back(at);
      }
      std::sort(at_.features.begin(), at_.features.end());
      at_.features.erase(std::unique(at_.features.begin(), at_.features.end()), at_.features.end());
    } else {
      for (int at = 0; at < static_cast<int>(schema_.size()); ++at) {
        const bool special = at == at_.target || at == at_.time || at == at_.group ||
                             at == at_.weight ||
                             std::find(at_.key.begin(), at_.key.end(), at) != at_.key.end();
        if (!special && excluded[static_cast<size_t>(at)] == 0) at_.features.push_back(at);
      }
    }
    return Ok();
  }

  InputClass ClassAt(int column) const {
    return model::InputClassOf(schema_.columns[static_cast<size_t>(column)].type);
  }

  /// 8 bytes a value and 96 a row at most; nothing when the number of rows is unknown.
  Status ReserveMemory() {
    const int64_t rows = rows_.ExpectedRows();
    if (options_.budget == nullptr || rows <= 0) return Ok();
    const auto texts = std::count(role_.begin(), role_.end(), FeatureRole::kText);
    const int64_t bytes =
        rows * (static_cast<int64_t>(at_.features.size()) * 8 + texts * kBytesOfText + 96);
    HR_ASSIGN(Budget::Memory memory,
              options_.budget->TakeMemory(
                  bytes, fmt::format("the training rows of model '{}' ({} rows × {} columns)",
                                     spec_.name, rows, at_.features.size())));
    frame_.memory.push_back(std::make_shared<Budget::Memory>(std::move(memory)));
    frame_.id.reserve(static_cast<size_t>(rows));
    frame_.content.reserve(static_cast<size_t>(rows));
    frame_.input_row.reserve(static_cast<size_t>(rows));
    if (options_.with_order) order_.Reserve(rows);
    return Ok();
  }

  Status MakeBuilders() {
    for (const int at : at_.features) {
      const data::Column& column = schema_.columns[static_cast<size_t>(at)];
      const model::InputColumn input{column.name, column.type, ClassAt(at)};
      auto builder = FeatureBuilder::Make(input, 0, role_[static_cast<size_t>(at)],
                                          listed_[static_cast<size_t>(at)] != 0,
                                          std::max<int64_t>(rows_.ExpectedRows(), 0));
      if (builder == nullptr) {
        left_out_.push_back({column.name, fmt::format("is of type {}, which no model reads; derive "
                                                      "numbers or text from it in SQL",
                                                      column.type)});
        frame_.findings.push_back(
            Note("left_out", column.name,
                 fmt::format("'{}' is not used: it {}", column.name, left_out_.back().reason)));
        continue;
      }
      builders_.push_back({at, std::move(builder)});
    }
    return Ok();
  }

  /// Hashes of the key (or features), of the whole row and of the group.
  struct Identities {
    std::vector<Hash128> row, content, group;
    struct Earlier {
      std::vector<Hash128> row, content;
    };
    std::vector<Earlier> earlier;  // empty vectors where not known
  };

  /// The next kRowsAtOnce rows or a few more; empty at the end.
  Result<std::vector<data::Batch>> ReadSome() {
    std::vector<data::Batch> batches;
    for (int64_t rows = 0; rows < kRowsAtOnce && !at_end_;) {
      HR_TRY(options_.cancel.Check());
      HR_ASSIGN(std::optional<data::Batch> batch, rows_.Next());
      at_end_ = !batch.has_value();
      if (at_end_) break;
      rows += batch->rows();
      batches.push_back(std::move(*batch));
    }
    return batches;
  }

  /// Columns are independent of each other, and hashes of rows too: some batches at a time go to
  /// several threads, and what they give is appended in order. One task reads the batches after
  /// them into `next`.
  Status AddBatches(const std::vector<data::Batch>& batches, TargetReader* target,
                    std::vector<data::Batch>* next) {
    std::vector<std::vector<uint8_t>> keep(batches.size());
    for (size_t b = 0; b < batches.size(); ++b) {
      const data::Batch& batch = batches[b];
      keep[b].resize(static_cast<size_t>(batch.rows()));
      const model::ColumnValues values(batch, schema_, at_.target);
      frame_.rows_without_target += target->Mask(values, batch.rows(), keep[b].data());
      if (at_.time >= 0) MaskTime(batch, keep[b]);
      HR_TRY(target->Add(values, batch.rows(), keep[b].data()));
    }
    std::vector<Identities> identities(batches.size());
    const auto columns = static_cast<int64_t>(builders_.size());
    HR_TRY(ParallelFor(options_.threads, columns + static_cast<int64_t>(batches.size()) + 1,
                       options_.cancel, [&](int64_t index) -> Status {
                         if (index == 0) {
                           HR_ASSIGN(*next, ReadSome());
                           return Ok();
                         }
                         const int64_t task = index - 1;
                         if (task < columns) {
                           AddFeature(static_cast<size_t>(task), batches, keep);
                         } else {
                           const auto b = static_cast<size_t>(task - columns);
                           identities[b] = Identify(batches[b]);
                         }
                         return Ok();
                       }));
    for (size_t b = 0; b < batches.size(); ++b) {
      AppendIdentities(identities[b], keep[b]);
      AddExtras(batches[b], keep[b]);
      AddOrder(batches[b]);
      HR_TRY(AddEarlier(batches[b], keep[b]));
      frame_.input_rows += batches[b].rows();
    }
    return Ok();
  }

  void AddFeature(size_t feature, const std::vector<data::Batch>& batches,
                  const std::vector<std::vector<uint8_t>>& keep) {
    auto& [at, builder] = builders_[feature];
    for (size_t b = 0; b < batches.size(); ++b) {
      const bool all = std::find(keep[b].begin(), keep[b].end(), 0) == keep[b].end();
      builder->Add(model::ColumnValues(batches[b], schema_, at), batches[b].rows(),
                   all ? nullptr : keep[b].data());
    }
  }

  void MaskTime(const data::Batch& batch, std::vector<uint8_t>& keep) {
    const model::ColumnValues time(batch, schema_, at_.time);
    for (int64_t i = 0; i < batch.rows(); ++i) {
      if (keep[static_cast<size_t>(i)] != 0 && time.IsNull(i)) {
        keep[static_cast<size_t>(i)] = 0;
        ++without_time_;
      }
    }
  }

  /// Column by column.
  Identities Identify(const data::Batch& batch) const {
    const auto rows = static_cast<size_t>(batch.rows());
    Identities out;
    const auto add = [&](int at, std::vector<Hash128>* to) {
      const model::ColumnValues values(batch, schema_, at);
      to->resize(rows);
      for (size_t i = 0; i < rows; ++i) Mix(values.Hash(static_cast<int64_t>(i)), &(*to)[i]);
    };
    out.content.resize(rows);
    for (const auto& [at, builder] : builders_) add(at, &out.content);
    if (at_.key.empty()) out.row = out.content;
    for (const int at : at_.key) add(at, &out.row);
    add(at_.target, &out.content);
    if (at_.group >= 0) add(at_.group, &out.group);
    out.earlier.resize(earlier_.size());
    for (size_t v = 0; v < earlier_.size(); ++v) {
      if (!earlier_[v].known) continue;
      Identities::Earlier& to = out.earlier[v];
      for (const int at : earlier_[v].columns) add(at, &to.content);
      if (earlier_[v].key.empty()) to.row = to.content;
      for (const int at : earlier_[v].key) add(at, &to.row);
      add(at_.target, &to.content);
    }
    return out;
  }

  void AppendIdentities(const Identities& of, const std::vector<uint8_t>& keep) {
    for (size_t i = 0; i < keep.size(); ++i) {
      if (keep[i] == 0) continue;
      frame_.id.push_back(of.row[i]);
      frame_.content.push_back(of.content[i].low);
      frame_.input_row.push_back(
          static_cast<uint32_t>(frame_.input_rows + static_cast<int64_t>(i)));
      if (at_.group >= 0) frame_.group.push_back(of.group[i]);
      for (size_t v = 0; v < earlier_.size(); ++v) {
        if (!earlier_[v].known) continue;
        frame_.earlier[v].id.push_back(of.earlier[v].row[i].low);
        frame_.earlier[v].content.push_back(of.earlier[v].content[i].low);
      }
    }
  }

  void AddOrder(const data::Batch& batch) {
    if (!options_.with_order) return;
    const data::ColumnView keys(batch, order_schema_, static_cast<int>(schema_.size()));
    for (int64_t i = 0; i < batch.rows(); ++i) order_.Add(keys.AsText(i));
  }

  /// Puts the rows into their order: everything that was appended row by row.
  Status SortRows(TargetReader* target) {
    HR_ASSIGN(const std::vector<uint32_t> sorted, order_.Sort(options_.threads, options_.cancel));
    constexpr uint32_t kLeftOut = std::numeric_limits<uint32_t>::max();
    std::vector<uint32_t> kept(sorted.size(), kLeftOut);  // of a row that was read: its number here
    for (size_t i = 0; i < frame_.input_row.size(); ++i) {
      kept[frame_.input_row[i]] = static_cast<uint32_t>(i);
    }
    std::vector<uint32_t> order;
    order.reserve(frame_.id.size());
    frame_.input_row.clear();
    for (size_t i = 0; i < sorted.size(); ++i) {
      if (kept[sorted[i]] == kLeftOut) continue;
      order.push_back(kept[sorted[i]]);
      frame_.input_row.push_back(static_cast<uint32_t>(i));
    }
    std::vector<uint32_t>().swap(kept);
    HR_TRY(ParallelFor(options_.threads, static_cast<int64_t>(builders_.size()), options_.cancel,
                       [&](int64_t i) -> Status {
                         builders_[static_cast<size_t>(i)].second->Reorder(order);
                         return Ok();
                       }));
    target->Reorder(order);
    Reorder(&frame_.id, order);
    Reorder(&frame_.content, order);
    Reorder(&frame_.group, order);
    Reorder(&frame_.time, order);
    Reorder(&frame_.weight, order);
    frame_.key_number.Reorder(order);
    for (std::vector<uint64_t>& part : frame_.key_parts) Reorder(&part, order);
    for (SliceCodes& slice : frame_.slices) {
      Reorder(&slice.codes, order);
      NumberByAppearance<std::string>(&slice.codes, &slice.values, nullptr);
    }
    for (EarlierRows& earlier : frame_.earlier) {
      ReorderBlocks(&earlier.margins, order);
      Reorder(&earlier.id, order);
      Reorder(&earlier.content, order);
    }
    return Ok();
  }

  /// Several values a row.
  static void ReorderBlocks(std::vector<double>* values, std::span<const uint32_t> order) {
    if (values->empty()) return;
    const size_t width = values->size() / order.size();
    std::vector<double> moved;
    moved.reserve(values->size());
    for (const uint32_t row : order) {
      const auto first = values->begin() + static_cast<std::ptrdiff_t>(row * width);
      moved.insert(moved.end(), first, first + static_cast<std::ptrdiff_t>(width));
    }
    values->swap(moved);
  }

  static void Mix(uint64_t value, Hash128* to) {
    to->low = evaluate::Mix64(to->low * 0x9e3779b97f4a7c15ULL + value);
    to->high = evaluate::Mix64((to->high ^ value) * 0xd1342543de82ef95ULL + 1);
  }

  void AddExtras(const data::Batch& batch, const std::vector<uint8_t>& keep) {
    const int64_t rows = batch.rows();
    if (at_.time >= 0) {
      const data::ColumnView view(batch, schema_, at_.time);
      const int64_t unit = ClassAt(at_.time) == InputClass::kDate ? 86'400'000'000 : 1;
      for (int64_t i = 0; i < rows; ++i) {
        if (keep[static_cast<size_t>(i)] != 0) frame_.time.push_back(view.AsInt64(i) * unit);
      }
    }
    if (at_.weight >= 0) {
      std::vector<double> weights(static_cast<size_t>(rows));
      model::ColumnValues(batch, schema_, at_.weight).Numbers(0, rows, weights.data(), 1);
      for (int64_t i = 0; i < rows; ++i) {
        if (keep[static_cast<size_t>(i)] != 0)
          frame_.weight.push_back(weights[static_cast<size_t>(i)]);
      }
    }
    AddKeys(batch, keep);
    for (size_t s = 0; s < at_.slices.size(); ++s) {
      const model::ColumnValues values(batch, schema_, at_.slices[s]);
      for (int64_t i = 0; i < rows; ++i) {
        if (keep[static_cast<size_t>(i)] != 0) AddSlice(values, i, s);
      }
    }
  }

  /// The columns by which earlier versions know rows, where all of them are still there.
  void ResolveEarlier() {
    earlier_.resize(options_.seen.size());
    for (size_t v = 0; v < options_.seen.size(); ++v) {
      const model::SeenRows* seen = options_.seen[v];
      if (seen == nullptr || seen->columns.empty()) continue;
      EarlierColumns found;
      found.known = true;
      const auto add = [&](const std::vector<std::string>& names, std::vector<int>* to) {
        for (const std::string& name : names) {
          to->push_back(schema_.IndexOf(name));
          found.known = found.known && to->back() >= 0;
        }
      };
      add(seen->columns, &found.columns);
      add(seen->key, &found.key);
      earlier_[v] = std::move(found);
    }
  }

  /// What the findings need of the key: its number beside a time, else the parts of a composite
  /// one.
  void AddKeys(const data::Batch& batch, const std::vector<uint8_t>& keep) {
    const int64_t rows = batch.rows();
    if (at_.time >= 0) {
      if (at_.key.size() != 1 || ClassAt(at_.key[0]) != InputClass::kNumber) return;
      key_numbers_.resize(static_cast<size_t>(rows));
      model::ColumnValues(batch, schema_, at_.key[0]).Numbers(0, rows, key_numbers_.data(), 1);
      for (int64_t i = 0; i < rows; ++i) {
        if (keep[static_cast<size_t>(i)] != 0) {
          frame_.key_number.Append(key_numbers_[static_cast<size_t>(i)]);
        }
      }
      return;
    }
    if (at_.key.size() < 2 || at_.group >= 0) return;
    frame_.key_parts.resize(at_.key.size());
    for (size_t k = 0; k < at_.key.size(); ++k) {
      const model::ColumnValues values(batch, schema_, at_.key[k]);
      for (int64_t i = 0; i < rows; ++i) {
        if (keep[static_cast<size_t>(i)] != 0) frame_.key_parts[k].push_back(values.Hash(i));
      }
    }
  }

  Status AddEarlier(const data::Batch& batch, const std::vector<uint8_t>& keep) {
    for (size_t v = 0; v < options_.scorers.size(); ++v) {
      const auto& scorer = options_.scorers[v];
      if (scorer == nullptr || !scorer->CheckInput(schema_).ok()) continue;
      HR_ASSIGN(const model::ScoreBlock block,
                scorer->ScoreBatch(schema_, batch, options_.threads));
      const auto outputs = static_cast<size_t>(block.outputs);
      for (size_t i = 0; i < static_cast<size_t>(block.rows); ++i) {
        if (keep[i] == 0) continue;
        const double* from = block.margins.data() + i * outputs;
        frame_.earlier[v].margins.insert(frame_.earlier[v].margins.end(), from, from + outputs);
      }
    }
    return Ok();
  }

  void AddSlice(const model::ColumnValues& values, int64_t row, size_t s) {
    SliceCodes& slice = frame_.slices[s];
    if (values.IsNull(row)) {
      slice.codes.push_back(-1);
      return;
    }
    std::string text(values.Text(row, &buffer_));
    const auto [at, added] =
        slice_index_[s].emplace(std::move(text), static_cast<int32_t>(slice.values.size()));
    if (added) slice.values.push_back(at->first);
    slice.codes.push_back(at->second);
  }

  Status CheckWeights() {
    int64_t bad = 0;
    double sum = 0;
    for (const double weight : frame_.weight) {
      if (!(weight >= 0) || weight >= model::kLargest) ++bad;
      sum += weight > 0 ? weight : 0;
    }
    if (bad > 0 || (!frame_.weight.empty() && sum <= 0)) {
      return DataError(
                 "bad_weight",
                 fmt::format("weight '{}' of model '{}' is NULL, negative or infinite in {} of "
                             "{} rows, or nowhere above 0",
                             spec_.weight, spec_.name, bad, frame_.weight.size()))
          .Subject(spec_.weight)
          .Hint("give every row a weight of 0 or more");
    }
    return Ok();
  }

  Status FinishFeatures() {
    model::Signature used;
    std::vector<model::Step> steps;
    Json profile = Json::array();
    std::vector<BuiltFeature> features(builders_.size());
    HR_TRY(ParallelFor(options_.threads, static_cast<int64_t>(features.size()), options_.cancel,
                       [&](int64_t i) -> Status {
                         auto& builder = builders_[static_cast<size_t>(i)].second;
                         features[static_cast<size_t>(i)] = builder->Finish();
                         builder.reset();
                         return Ok();
                       }));
    for (size_t f = 0; f < features.size(); ++f) {
      const int at = builders_[f].first;
      BuiltFeature& built = features[f];
      profile.push_back(Json::parse(built.profile, nullptr, false));
      for (Finding& finding : built.findings) frame_.findings.push_back(std::move(finding));
      const data::Column& column = schema_.columns[static_cast<size_t>(at)];
      if (!built.left_out.empty()) {
        left_out_.push_back({column.name, built.left_out});
        frame_.findings.push_back(LeftOutFinding(column.name, built));
        if (built.serial) frame_.serials.push_back({column.name, std::move(*built.serial)});
        continue;
      }
      const auto index = static_cast<int>(used.inputs.size());
      used.inputs.push_back({column.name, column.type, ClassAt(at)});
      for (size_t s = 0; s < built.steps.size(); ++s) {
        built.steps[s].input = index;
        steps.push_back(std::move(built.steps[s]));
        frame_.features.push_back(std::move(built.columns[s]));
      }
    }
    if (steps.empty()) return NoFeatures();
    frame_.profile = Json{{"rows", frame_.rows()}, {"columns", std::move(profile)}}.dump(
        -1, ' ', false, nlohmann::detail::error_handler_t::replace);
    HR_ASSIGN(frame_.encoder,
              model::Encoder::Make(std::move(used), std::move(steps), std::move(left_out_)));
    return Ok();
  }

  static Finding LeftOutFinding(const std::string& column, const BuiltFeature& built) {
    std::string message = fmt::format("'{}' is not used: it {}", column, built.left_out);
    if (built.left_out_code.empty()) return Note("left_out", column, std::move(message));
    return Hint(built.left_out_code, column, std::move(message), built.evidence);
  }

  Error NoFeatures() const {
    std::vector<std::string> reasons;
    for (const model::LeftOut& out : left_out_) {
      reasons.push_back(fmt::format("'{}' {}", out.column, out.reason));
    }
    return DataError("no_features",
                     fmt::format("model '{}' has no column to learn from{}{}", spec_.name,
                                 reasons.empty() ? "" : ": ", fmt::join(reasons, "; ")))
        .Hint("add columns to the input, or list some under features.include");
  }

  void NoteLeftOutRows() {
    if (frame_.rows_without_target > 0) {
      frame_.findings.push_back(
          {"null_target", spec_.target,
           fmt::format("{} of {} rows have no value in '{}' and are left out",
                       frame_.rows_without_target, frame_.input_rows, spec_.target)});
    }
    if (without_time_ > 0) {
      frame_.findings.push_back({"null_time", spec_.time,
                                 fmt::format("{} of {} rows have no value in '{}' and are left out",
                                             without_time_, frame_.input_rows, spec_.time)});
    }
  }

  data::BatchReader& rows_;
  data::Schema schema_, order_schema_;  // without and with the row order
  const FrameOptions& options_;
  const ModelSpec& spec_;
  Columns at_;
  std::vector<uint8_t> listed_;
  std::vector<FeatureRole> role_;
  std::vector<std::pair<int, std::unique_ptr<FeatureBuilder>>> builders_;  // column, its builder
  std::vector<model::LeftOut> left_out_;
  std::vector<std::unordered_map<std::string, int32_t>> slice_index_;
  struct EarlierColumns {
    bool known = false;
    std::vector<int> columns, key;
  };
  std::vector<EarlierColumns> earlier_;
  bool at_end_ = false;
  RowOrder order_;
  int64_t without_time_ = 0;
  std::vector<double> key_numbers_;  // of one batch
  std::string buffer_;
  Frame frame_;
};

}  // namespace

void Frame::Gather(const uint32_t* rows, int64_t count, double* out) const {
  const int64_t stride = width();
  for (int64_t f = 0; f < stride; ++f) {
    const NumberColumn& column = features[static_cast<size_t>(f)];
    if (column.wide()) {
      const auto* from = static_cast<const double*>(column.data());
      for (int64_t i = 0; i < count; ++i) out[i * stride + f] = from[rows[i]];
    } else {
      const auto* from = static_cast<const float*>(column.data());
      for (int64_t i = 0; i < count; ++i) out[i * stride + f] = static_cast<double>(from[rows[i]]);
    }
  }
}

Result<Frame> ReadFrame(data::BatchReader& rows, const FrameOptions& options) {
  return FrameReader(rows, options).Read();
}

}  // namespace headrace::learn
