#include "model/member_runtime.h"

#include <fmt/format.h>

#include <cmath>

namespace headrace::model {
namespace {

Error Damaged(const std::string& what) {
  return DataError("damaged_model", "model package: " + what)
      .Hint("restore the package from where it was made, or train the model again");
}

}  // namespace

Result<MemberRuntime> MemberRuntime::Make(const Member& member, int64_t features, int outputs) {
  MemberRuntime out;
  out.weight_ = member.weight;
  int has = 0;
  if (member.kind == "lightgbm") {
    HR_ASSIGN(Forest forest, Forest::ParseLightGbm(member.text));
    if (forest.features() != features) {
      return Damaged(fmt::format("member '{}' wants {} features, the encoder gives {}", member.name,
                                 forest.features(), features));
    }
    has = forest.outputs();
    out.forest_ = std::make_shared<const Forest>(std::move(forest));
  } else if (member.kind == "linear" || member.kind == "baseline") {
    HR_ASSIGN(LinearScorer linear, LinearScorer::Parse(member.text, static_cast<int>(features)));
    has = linear.outputs();
    out.linear_ = std::make_shared<const LinearScorer>(std::move(linear));
  } else {
    return Damaged(
        fmt::format("member '{}' is of the unknown kind '{}'", member.name, member.kind));
  }
  if (has != outputs) {
    return Damaged(fmt::format("member '{}' gives {} margins a row, the model has {}", member.name,
                               has, outputs));
  }
  return out;
}

void MemberRuntime::Margins(const double* rows, int64_t count, int64_t stride,
                            double* margins) const {
  if (forest_ != nullptr) {
    forest_->Margins(rows, count, stride, margins);
  } else {
    linear_->Margins(rows, count, stride, margins);
  }
}

Result<std::vector<MemberRuntime>> BuildMembers(const Package& package) {
  const size_t classes = package.classes.size();
  if ((package.task == Task::kBinary && classes != 2) ||
      (package.task == Task::kMulticlass && (classes < 3 || classes > Forest::kMaxOutputs)) ||
      (package.task == Task::kRegression && classes != 0)) {
    return Damaged(fmt::format("{} classes do not suit the task {}", classes, Name(package.task)));
  }
  const int outputs = package.outputs();
  if (package.calibration.offsets.size() != static_cast<size_t>(outputs) ||
      !std::isfinite(package.calibration.scale)) {
    return Damaged("the calibration has a wrong size or is not finite");
  }
  for (const double offset : package.calibration.offsets) {
    if (!std::isfinite(offset)) return Damaged("the calibration is not finite");
  }
  if (!(package.threshold >= 0 && package.threshold <= 1)) {
    return Damaged("the threshold is not between 0 and 1");
  }
  if (package.members.empty() || package.members.size() > 1000) {
    return Damaged(fmt::format("it has {} members", package.members.size()));
  }
  double sum = 0;
  std::vector<MemberRuntime> out;
  for (const Member& member : package.members) {
    if (!(member.weight > 0 && member.weight <= 1)) {
      return Damaged(fmt::format("member '{}' has a weight outside of (0, 1]", member.name));
    }
    sum += member.weight;
    HR_ASSIGN(MemberRuntime runtime, MemberRuntime::Make(member, package.encoder.width(), outputs));
    out.push_back(std::move(runtime));
  }
  if (std::fabs(sum - 1) > 1e-9) return Damaged("the members' weights do not add up to 1");
  return out;
}

}  // namespace headrace::model
