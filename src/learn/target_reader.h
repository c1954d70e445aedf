#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "learn/frame.h"
#include "model/column_values.h"

namespace headrace::learn {

/// Reads the target column and decides what the task is. Not thread-safe.
class TargetReader {
 public:
  /// Error "bad_target" when the type does not suit the task of the spec.
  static Result<TargetReader> Make(const ModelSpec& spec, const std::string& type);

  /// keep[i] = 0 for rows without a target; returns how many these are.
  int64_t Mask(const model::ColumnValues& values, int64_t rows, uint8_t* keep) const;
  /// Takes the rows with keep[i] != 0. Error "bad_target": infinite, too many classes.
  Status Add(const model::ColumnValues& values, int64_t rows, const uint8_t* keep);
  /// Row i becomes what row order[i] was.
  void Reorder(std::span<const uint32_t> order);
  /// Sets task, classes, label or target. Errors: "no_rows", "one_class", "constant_target",
  /// "unknown_class" (positive).
  Status Finish(const ModelSpec& spec, const std::string& known_positive, int64_t without,
                Frame* frame);

 private:
  TargetReader(std::string name, std::string type, bool classification)
      : name_(std::move(name)), type_(std::move(type)), classification_(classification) {}
  Status FinishClasses(const ModelSpec& spec, const std::string& known_positive, Frame* frame);

  std::string name_, type_;
  bool classification_;
  std::vector<std::string> classes_;  // in order of appearance
  std::vector<int64_t> counts_;
  std::vector<int32_t> label_;
  std::vector<double> target_;
  int64_t infinite_ = 0;
  std::string buffer_;
};

}  // namespace headrace::learn
