#include "learn/learner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "evaluate/deterministic_math.h"
#include "evaluate/random.h"
#include "model/member_runtime.h"

namespace headrace::learn {

std::string ConfigText(const Config& config) {
  Json json = Json::object();
  for (const auto& [name, value] : config) {
    const bool whole = value == std::floor(value) && std::fabs(value) < 1e15;
    json[name] = whole ? Json(static_cast<int64_t>(value)) : Json(value);
  }
  return json.dump();
}

Result<Config> ParseOptions(std::string_view learner, std::span<const Parameter> parameters,
                            const std::string& options) {
  HR_ASSIGN(const Json json, ParseJson(options, fmt::format("options of {}", learner)));
  if (!json.is_object()) {
    return UserError("bad_options", fmt::format("the options of learner '{}' are no map", learner));
  }
  Config out;
  for (const auto& [name, value] : json.items()) {
    const auto at = std::find_if(
        parameters.begin(), parameters.end(),
        [&, key = std::string_view(name)](const Parameter& p) { return p.name == key; });
    if (at == parameters.end()) {
      std::vector<std::string> known;
      for (const Parameter& p : parameters) known.emplace_back(p.name);
      return UserError("unknown_option",
                       fmt::format("learner '{}' has no option '{}'", learner, name))
          .Subject(name)
          .Candidates(Suggest(name, known))
          .Hint(known.empty() ? "it has no options"
                              : fmt::format("its options are {}", fmt::join(known, ", ")));
    }
    if (!value.is_number() && !value.is_boolean()) {
      return UserError("bad_options",
                       fmt::format("option '{}' of learner '{}' is no number", name, learner))
          .Subject(name);
    }
    const double number = value.is_boolean() ? (value.get<bool>() ? 1 : 0) : value.get<double>();
    if (!(number >= at->low && number <= at->high) || (at->whole && number != std::floor(number))) {
      return UserError(
                 "out_of_range",
                 fmt::format("option '{}' of learner '{}' is {}; it must be a {}number from {} "
                             "to {}",
                             name, learner, number, at->whole ? "whole " : "", at->low, at->high))
          .Subject(name);
    }
    out[name] = number;
  }
  return out;
}

Config DrawConfig(std::span<const Parameter> parameters, const Config& fixed, uint64_t seed,
                  int64_t number) {
  evaluate::Random random(seed, static_cast<uint64_t>(number));
  Config out = fixed;
  for (const Parameter& p : parameters) {
    if (!(p.search_low < p.search_high)) continue;
    double value = random.Uniform();  // drawn even if it is fixed: the others stay what they were
    if (p.log_scale) {
      value = evaluate::Exp(evaluate::Log(p.search_low) +
                            value * (evaluate::Log(p.search_high) - evaluate::Log(p.search_low)));
    } else {
      value = p.search_low + value * (p.search_high - p.search_low);
    }
    // Three digits are enough and read better in the leaderboard.
    const double scale =
        evaluate::Pow(10, 2 - std::floor(evaluate::Log(value) / evaluate::Log(10)));
    value = p.whole ? std::round(value) : std::round(value * scale) / scale;
    out.emplace(p.name, std::clamp(value, p.low, p.high));
  }
  return out;
}

double MeanLoss(const Frame& frame, std::span<const uint32_t> rows, const double* margins) {
  const auto outputs = static_cast<size_t>(frame.outputs());
  evaluate::CompensatedSum loss, weight;
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t row = rows[i];
    const double w = frame.FitWeight().empty() ? 1 : frame.FitWeight()[row];
    const double* m = margins + i * outputs;
    double l = 0;
    switch (frame.task) {
      case model::Task::kRegression:
        l = (frame.target[row] - m[0]) * (frame.target[row] - m[0]);
        break;
      case model::Task::kBinary:
        l = evaluate::Softplus(frame.label[row] == 1 ? -m[0] : m[0]);
        break;
      case model::Task::kMulticlass:
        l = evaluate::LogSumExp({m, outputs}) - m[frame.label[row]];
        break;
    }
    loss.Add(w * l);
    weight.Add(w);
  }
  return weight.Value() > 0 ? loss.Value() / weight.Value() : 0;
}

Status ScoreMember(const Frame& frame, const std::string& kind, const std::string& text,
                   std::span<const uint32_t> rows, double* margins) {
  constexpr size_t kBlock = 512;
  HR_ASSIGN(const model::MemberRuntime runtime,
            model::MemberRuntime::Make({"member", kind, 1, text}, frame.width(), frame.outputs()));
  std::vector<double> block(std::min(kBlock, rows.size()) * frame.features.size());
  for (size_t first = 0; first < rows.size(); first += kBlock) {
    const auto count = static_cast<int64_t>(std::min(kBlock, rows.size() - first));
    frame.Gather(rows.data() + first, count, block.data());
    runtime.Margins(block.data(), count, frame.width(),
                    margins + first * static_cast<size_t>(frame.outputs()));
  }
  return Ok();
}

}  // namespace headrace::learn
