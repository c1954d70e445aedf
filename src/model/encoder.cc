#include "model/encoder.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "model/column_values.h"
#include "model/text_hash.h"

namespace headrace::model {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<const char*, 4> kKinds = {"number", "category", "date_part", "text"};
constexpr std::array<const char*, 7> kParts = {"year", "month",      "day",          "weekday",
                                               "hour", "epoch_days", "second_of_day"};

Error Damaged(const std::string& what) {
  return DataError("damaged_model", "model.json: " + what)
      .Hint("restore the package from where it was made, or train the model again");
}

template <size_t kSize>
int IndexOf(const std::array<const char*, kSize>& names, const std::string& name) {
  for (size_t i = 0; i < kSize; ++i) {
    if (name == names[i]) return static_cast<int>(i);
  }
  return -1;
}

bool HasString(const Json& json, const char* key) {
  return json.contains(key) && json[key].is_string();
}

Result<Step> StepFromJson(const Json& json) {
  if (!json.is_object() || !HasString(json, "name") || !HasString(json, "kind") ||
      !json.contains("input") || !json["input"].is_number_integer()) {
    return Damaged("a step lacks its name, kind or input");
  }
  Step step;
  step.name = json["name"].get<std::string>();
  const int kind = IndexOf(kKinds, json["kind"].get<std::string>());
  if (kind < 0) return Damaged("step '" + step.name + "' has an unknown kind");
  step.kind = static_cast<StepKind>(kind);
  const auto input = json["input"].get<int64_t>();
  if (input < 0 || input > std::numeric_limits<int>::max()) {
    return Damaged("step '" + step.name + "' reads an input that is not there");
  }
  step.input = static_cast<int>(input);
  if (step.kind == StepKind::kDatePart) {
    const int part =
        HasString(json, "part") ? IndexOf(kParts, json["part"].get<std::string>()) : -1;
    if (part < 0) return Damaged("step '" + step.name + "' has an unknown part");
    step.part = static_cast<DatePart>(part);
  }
  if (step.kind == StepKind::kText) {
    const int64_t bucket = json.contains("bucket") && json["bucket"].is_number_integer()
                               ? json["bucket"].get<int64_t>()
                               : -1;
    if (bucket < 0 || bucket >= int64_t{TextHash::kBuckets}) {
      return Damaged("step '" + step.name + "' has no bucket of words");
    }
    step.bucket = static_cast<uint16_t>(bucket);
  }
  if (step.kind == StepKind::kCategory) {
    if (!json.contains("levels") || !json["levels"].is_array()) {
      return Damaged("step '" + step.name + "' has no levels");
    }
    for (const Json& level : json["levels"]) {
      if (!level.is_string())
        return Damaged("step '" + step.name + "' has a level that is no text");
      step.levels.push_back(level.get<std::string>());
    }
  } else {
    for (const auto& [key, to] : {std::pair("min", &step.min), std::pair("max", &step.max)}) {
      if (!json.contains(key) || !json[key].is_number()) {
        return Damaged("step '" + step.name + "' has no range");
      }
      *to = json[key].get<double>();
    }
  }
  return step;
}

}  // namespace

Result<Encoder> Encoder::Make(Signature signature, std::vector<Step> steps,
                              std::vector<LeftOut> left_out) {
  if (steps.size() > kMaxSteps) return Damaged("more steps than the limit");
  Encoder out;
  for (const Step& step : steps) {
    if (step.input < 0 || static_cast<size_t>(step.input) >= signature.inputs.size()) {
      return Damaged("step '" + step.name + "' reads an input that is not there");
    }
    if (!std::isfinite(step.min) || !std::isfinite(step.max) || step.min > step.max) {
      return Damaged("step '" + step.name + "' has a range that is none");
    }
    std::shared_ptr<Codes> codes;
    if (step.categorical()) {
      if (step.levels.size() > static_cast<size_t>(kMaxLevels)) {
        return Damaged("step '" + step.name + "' has more levels than the limit");
      }
      codes = std::make_shared<Codes>(step.levels.size());
      for (const std::string& level : step.levels) {
        if (!codes->emplace(level, static_cast<int32_t>(codes->size())).second) {
          return Damaged("step '" + step.name + "' has a level twice");
        }
      }
    }
    out.codes_.push_back(std::move(codes));
  }
  out.signature_ = std::move(signature);
  out.steps_ = std::move(steps);
  out.left_out_ = std::move(left_out);
  for (size_t s = 0; s < out.steps_.size(); ++s) {
    if (out.steps_[s].kind == StepKind::kText) HR_TRY(out.AddText(s));
  }
  return out;
}

/// Takes step `s` into the run of its neighbours of the same input.
Status Encoder::AddText(size_t s) {
  const Step& step = steps_[s];
  const bool more = !texts_.empty() && texts_.back().first + texts_.back().count == s &&
                    steps_[texts_.back().first].input == step.input;
  if (!more) {
    texts_.push_back({s, 0, std::make_shared<std::vector<int32_t>>(TextHash::kBuckets, -1)});
  }
  TextRun& run = texts_.back();
  int32_t& at = (*run.step_of)[step.bucket];
  if (at >= 0) return Damaged("step '" + step.name + "' reads a bucket of words twice");
  at = static_cast<int32_t>(run.count++);
  return Ok();
}

void Encoder::EncodeText(const ColumnValues& values, const TextRun& run, int64_t first,
                         int64_t count, double* out, int64_t row_stride, int64_t step_stride) {
  TextHash hash;
  std::string buffer;
  for (int64_t i = 0; i < count; ++i) {
    double* row = out + i * row_stride;
    const bool missing = values.IsNull(first + i);
    for (size_t s = 0; s < run.count; ++s) {
      row[static_cast<int64_t>(s) * step_stride] = missing ? kNan : 0.0;
    }
    if (missing) continue;
    for (const uint16_t bucket : hash.Of(values.Text(first + i, &buffer))) {
      const int32_t s = (*run.step_of)[bucket];
      if (s >= 0) row[s * step_stride] += 1;
    }
  }
}

Status Encoder::EncodeInto(const data::Schema& schema, const data::Batch& batch,
                           const std::vector<int>& columns, int64_t first, int64_t count,
                           double* out, int64_t row_stride, int64_t step_stride) const {
  if (columns.size() != signature_.inputs.size() || first < 0 || first + count > batch.rows()) {
    return InternalError("Encoder::EncodeInto: columns or rows do not belong to the batch");
  }
  std::string buffer;
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    const ColumnValues values(batch, schema, columns[static_cast<size_t>(step.input)]);
    double* to = out + static_cast<int64_t>(s) * step_stride;
    switch (step.kind) {
      case StepKind::kNumber:
        values.Numbers(first, count, to, row_stride);
        break;
      case StepKind::kText:
        break;  // below, all steps of a text at once
      case StepKind::kDatePart:
        for (int64_t i = 0; i < count; ++i) {
          to[i * row_stride] = values.Part(first + i, step.part);
        }
        break;
      case StepKind::kCategory: {
        const Codes& codes = *codes_[s];
        const auto unseen = static_cast<double>(codes.size());
        for (int64_t i = 0; i < count; ++i) {
          if (values.IsNull(first + i)) {
            to[i * row_stride] = kNan;
            continue;
          }
          const auto code = codes.find(values.Text(first + i, &buffer));
          to[i * row_stride] = code == codes.end() ? unseen : code->second;
        }
        break;
      }
    }
  }
  for (const TextRun& run : texts_) {
    const int input = steps_[run.first].input;
    const ColumnValues values(batch, schema, columns[static_cast<size_t>(input)]);
    EncodeText(values, run, first, count, out + static_cast<int64_t>(run.first) * step_stride,
               row_stride, step_stride);
  }
  return Ok();
}

Result<RowBlock> Encoder::Encode(const data::Schema& schema, const data::Batch& batch) const {
  HR_ASSIGN(const std::vector<int> columns, signature_.Bind(schema));
  RowBlock block{batch.rows(), width(), {}};
  block.values.resize(static_cast<size_t>(block.rows * block.width));
  HR_TRY(EncodeInto(schema, batch, columns, 0, block.rows, block.values.data(), block.width, 1));
  return block;
}

Json Encoder::ToJson() const {
  Json steps = Json::array(), left_out = Json::array();
  for (const Step& step : steps_) {
    Json entry = {{"name", step.name},
                  {"input", step.input},
                  {"kind", kKinds[static_cast<size_t>(step.kind)]}};
    if (step.kind == StepKind::kDatePart) entry["part"] = kParts[static_cast<size_t>(step.part)];
    if (step.kind == StepKind::kText) entry["bucket"] = step.bucket;
    if (step.categorical()) {
      entry["levels"] = step.levels;
    } else {
      entry["min"] = step.min;
      entry["max"] = step.max;
    }
    steps.push_back(std::move(entry));
  }
  for (const LeftOut& column : left_out_) {
    left_out.push_back({{"column", column.column}, {"reason", column.reason}});
  }
  return {{"inputs", signature_.ToJson()},
          {"steps", std::move(steps)},
          {"left_out", std::move(left_out)}};
}

Result<Encoder> Encoder::FromJson(const Json& json) {
  if (!json.is_object() || !json.contains("inputs") || !json.contains("steps") ||
      !json["steps"].is_array() || !json.contains("left_out") || !json["left_out"].is_array()) {
    return Damaged("the encoder lacks inputs, steps or left_out");
  }
  HR_ASSIGN(Signature signature, Signature::FromJson(json["inputs"]));
  std::vector<Step> steps;
  for (const Json& entry : json["steps"]) {
    HR_ASSIGN(Step step, StepFromJson(entry));
    steps.push_back(std::move(step));
  }
  std::vector<LeftOut> left_out;
  for (const Json& entry : json["left_out"]) {
    if (!entry.is_object() || !HasString(entry, "column") || !HasString(entry, "reason")) {
      return Damaged("an entry of left_out lacks its column or reason");
    }
    left_out.push_back({entry["column"].get<std::string>(), entry["reason"].get<std::string>()});
  }
  return Make(std::move(signature), std::move(steps), std::move(left_out));
}

}  // namespace headrace::model
