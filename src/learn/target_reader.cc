#include "learn/target_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/suggest.h"
#include "learn/row_order.h"

namespace headrace::learn {
namespace {

using model::InputClass;

/// More classes than this are a mistake (an amount, an identifier).
constexpr size_t kMostClasses = 1000;

std::string Lower(const std::string& text) {
  std::string lower;
  for (const char c : text) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

bool IsPositiveWord(const std::string& text) {
  const std::string lower = Lower(text);
  return lower == "true" || lower == "1" || lower == "yes" || lower == "y" || lower == "t";
}

bool IsNegativeWord(const std::string& text) {
  const std::string lower = Lower(text);
  return lower == "false" || lower == "0" || lower == "no" || lower == "n" || lower == "f";
}

}  // namespace

Result<TargetReader> TargetReader::Make(const ModelSpec& spec, const std::string& type) {
  const bool classification = spec.task == "classification";
  const InputClass c = model::InputClassOf(type);
  const auto data_class = data::ClassOf(type);
  const auto refuse = [&](const std::string& want, const std::string& hint) {
    return UserError("bad_target", fmt::format("target '{}' of model '{}' is {}; {} needs {}",
                                               spec.target, spec.name, type, spec.task, want))
        .Subject(spec.target)
        .Hint(hint);
  };
  if (classification) {
    const bool fine = c == InputClass::kText || c == InputClass::kBoolean ||
                      data_class == data::TypeClass::kInteger;
    if (!fine) {
      return refuse(
          "a boolean, whole number or text",
          c == InputClass::kNumber
              ? fmt::format("write `model: regression`, or cast '{}' to INTEGER or VARCHAR "
                            "if its values are classes",
                            spec.target)
              : "derive a column of classes in SQL and name it as the target");
    }
  } else if (c != InputClass::kNumber) {
    return refuse("a number", c == InputClass::kText || c == InputClass::kBoolean
                                  ? "write `model: classification`, or cast the target to a number"
                                  : "derive a number in SQL and name it as the target");
  }
  return TargetReader(spec.target, type, classification);
}

int64_t TargetReader::Mask(const model::ColumnValues& values, int64_t rows, uint8_t* keep) const {
  int64_t without = 0;
  std::vector<double> numbers;
  if (!classification_) {
    numbers.resize(static_cast<size_t>(rows));
    values.Numbers(0, rows, numbers.data(), 1);
  }
  for (int64_t i = 0; i < rows; ++i) {
    const bool has =
        classification_ ? !values.IsNull(i) : !std::isnan(numbers[static_cast<size_t>(i)]);
    keep[i] = has ? 1 : 0;
    if (!has) ++without;
  }
  return without;
}

Status TargetReader::Add(const model::ColumnValues& values, int64_t rows, const uint8_t* keep) {
  if (!classification_) {
    std::vector<double> numbers(static_cast<size_t>(rows));
    values.Numbers(0, rows, numbers.data(), 1);
    for (int64_t i = 0; i < rows; ++i) {
      if (keep[i] == 0) continue;
      target_.push_back(numbers[static_cast<size_t>(i)]);
      if (std::fabs(target_.back()) >= model::kLargest) ++infinite_;
    }
    return Ok();
  }
  for (int64_t i = 0; i < rows; ++i) {
    if (keep[i] == 0) continue;
    const std::string_view text = values.Text(i, &buffer_);
    size_t code = 0;
    while (code < classes_.size() && classes_[code] != text) ++code;
    if (code == classes_.size()) {
      if (code == kMostClasses) {
        return DataError(
                   "bad_target",
                   fmt::format("target '{}' has more than {} different values; a classification "
                               "has a few classes",
                               name_, kMostClasses))
            .Subject(name_)
            .Hint("write `model: regression` for an amount, or group rare values in SQL");
      }
      classes_.emplace_back(text);
      counts_.push_back(0);
    }
    label_.push_back(static_cast<int32_t>(code));
    ++counts_[code];
  }
  return Ok();
}

void TargetReader::Reorder(std::span<const uint32_t> order) {
  learn::Reorder(&target_, order);
  learn::Reorder(&label_, order);
  NumberByAppearance(&label_, &classes_, &counts_);
}

Status TargetReader::Finish(const ModelSpec& spec, const std::string& known_positive,
                            int64_t without, Frame* frame) {
  frame->target_type = type_;
  const size_t rows = classification_ ? label_.size() : target_.size();
  if (rows == 0) {
    return DataError("no_rows", fmt::format("model '{}' has no rows to learn from: {} rows, target "
                                            "'{}' is NULL in {} of them",
                                            spec.name, frame->input_rows, name_, without))
        .Subject(name_)
        .Hint("check the query of the input, or wait for rows whose target is known");
  }
  if (classification_) return FinishClasses(spec, known_positive, frame);
  frame->task = model::Task::kRegression;
  if (infinite_ > 0) {
    return DataError("bad_target",
                     fmt::format("target '{}' is infinite (or beyond 1e300) in {} of {} "
                                 "rows",
                                 name_, infinite_, rows))
        .Subject(name_)
        .Hint("leave these rows out in SQL or cap the values");
  }
  const auto [low, high] = std::minmax_element(target_.begin(), target_.end());
  if (*low == *high) {
    return DataError("constant_target", fmt::format("target '{}' is {:g} in all {} rows: there is "
                                                    "nothing to learn",
                                                    name_, *low, rows))
        .Subject(name_)
        .Hint("check the query of the input");
  }
  frame->target = std::move(target_);
  return Ok();
}

Status TargetReader::FinishClasses(const ModelSpec& spec, const std::string& known_positive,
                                   Frame* frame) {
  if (classes_.size() == 1) {
    return DataError("one_class",
                     fmt::format("target '{}' is '{}' in all {} rows: there is nothing "
                                 "to learn",
                                 name_, classes_[0], label_.size()))
        .Subject(name_)
        .Hint("check the query of the input; a classification needs rows of two classes");
  }
  std::vector<int32_t> order(classes_.size());
  std::iota(order.begin(), order.end(), 0);
  const bool numeric = model::InputClassOf(type_) == InputClass::kNumber;
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    const std::string &x = classes_[static_cast<size_t>(a)], &y = classes_[static_cast<size_t>(b)];
    if (!numeric) return x < y;
    const double u = model::ParseNumber(x).value_or(0), v = model::ParseNumber(y).value_or(0);
    return u != v ? u < v : x < y;
  });
  const bool binary = classes_.size() == 2;
  frame->task = binary ? model::Task::kBinary : model::Task::kMulticlass;
  if (spec.positive && !binary) {
    return UserError("positive_class", fmt::format("model '{}' names a positive class, but target "
                                                   "'{}' has {} classes",
                                                   spec.name, name_, classes_.size()))
        .Hint("remove `positive:`, or make the target one of two classes in SQL");
  }
  if (binary) {
    const auto place = [&](const std::string& text) {
      return static_cast<int32_t>(std::find(classes_.begin(), classes_.end(), text) -
                                  classes_.begin());
    };
    int32_t positive = -1;
    if (spec.positive) {
      positive = place(*spec.positive);
      // Readers of CSV files turn yes and no into booleans; what is written stays as it was.
      const bool yes = IsPositiveWord(*spec.positive), no = IsNegativeWord(*spec.positive);
      if (positive == 2 && type_ == "BOOLEAN" && (yes || no))
        positive = place(yes ? "true" : "false");
      if (positive == 2) {
        return UserError("unknown_class",
                         fmt::format("positive class '{}' of model '{}' is no value of target '{}'",
                                     *spec.positive, spec.name, name_))
            .Subject(*spec.positive)
            .Candidates(classes_)
            .Hint(fmt::format("its values are '{}' and '{}'", classes_[0], classes_[1]));
      }
    } else if (!known_positive.empty() && place(known_positive) < 2) {
      positive = place(known_positive);
    } else {
      const bool first = IsPositiveWord(classes_[0]), second = IsPositiveWord(classes_[1]);
      if (first != second) {
        positive = first ? 0 : 1;
      } else if (counts_[0] != counts_[1]) {
        positive = counts_[0] < counts_[1] ? 0 : 1;
      } else {
        positive = order[1];
      }
      frame->findings.push_back(
          {"positive_class", classes_[static_cast<size_t>(positive)],
           fmt::format("the positive class is '{}' ({} of {} rows); `positive:` chooses another",
                       classes_[static_cast<size_t>(positive)],
                       counts_[static_cast<size_t>(positive)], label_.size())});
    }
    order = {1 - positive, positive};
  }
  std::vector<int32_t> code_of(classes_.size());
  for (size_t i = 0; i < order.size(); ++i) {
    code_of[static_cast<size_t>(order[i])] = static_cast<int32_t>(i);
    frame->classes.push_back(classes_[static_cast<size_t>(order[i])]);
  }
  for (int32_t& label : label_) label = code_of[static_cast<size_t>(label)];
  frame->label = std::move(label_);
  return Ok();
}

}  // namespace headrace::learn
