#include "store/record_text.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"

namespace headrace::store {

namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 5> kRunStatus = {"running", "done", "failed", "interrupted",
                                                        "lost"};
constexpr std::array<std::string_view, 3> kVerdictStatus = {"pass", "warn", "fail"};
constexpr std::array<std::string_view, 6> kModelStatus = {"candidate", "champion",   "refused",
                                                          "retired",   "challenger", "shadow"};
constexpr std::array<std::string_view, 4> kSendStatus = {"intent", "sent", "failed", "dry_run"};

template <class E, size_t N>
E Find(const std::array<std::string_view, N>& words, std::string_view text) {
  for (size_t i = 0; i < N; ++i) {
    if (words[i] == text) return static_cast<E>(i);
  }
  return static_cast<E>(N - 1);
}

Json Masked(const Json& json, const Redactor& redactor) {
  if (json.is_string()) return redactor.Redact(json.get_ref<const std::string&>());
  if (!json.is_structured()) return json;
  Json masked = json.is_object() ? Json::object() : Json::array();
  for (const auto& [key, value] : json.items()) {
    if (json.is_object()) {
      masked[redactor.Redact(key)] = Masked(value, redactor);
    } else {
      masked.push_back(Masked(value, redactor));
    }
  }
  return masked;
}

}  // namespace

std::string_view Text(RunStatus status) { return kRunStatus[static_cast<size_t>(status)]; }
std::string_view Text(VerdictStatus status) { return kVerdictStatus[static_cast<size_t>(status)]; }
std::string_view Text(ModelStatus status) { return kModelStatus[static_cast<size_t>(status)]; }
std::string_view Text(SendStatus status) { return kSendStatus[static_cast<size_t>(status)]; }

RunStatus RunStatusFrom(std::string_view text) { return Find<RunStatus>(kRunStatus, text); }
VerdictStatus VerdictStatusFrom(std::string_view text) {
  return Find<VerdictStatus>(kVerdictStatus, text);
}
ModelStatus ModelStatusFrom(std::string_view text) { return Find<ModelStatus>(kModelStatus, text); }
SendStatus SendStatusFrom(std::string_view text) { return Find<SendStatus>(kSendStatus, text); }

std::string JoinInputs(const std::map<std::string, std::string>& inputs) {
  std::string text;
  for (const auto& [node, snapshot] : inputs) text += node + "=" + snapshot + "\n";
  return text;
}

std::map<std::string, std::string> SplitInputs(std::string_view text) {
  std::map<std::string, std::string> inputs;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t equals = line.find('=');
    if (equals != std::string_view::npos) {
      inputs.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
  }
  return inputs;
}

Result<std::string> MaskStrings(const std::string& json, const Redactor& redactor) {
  HR_ASSIGN(const Json parsed, ParseJson(json, "text for the store"));
  return Masked(parsed, redactor).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string DefinitionDigest(std::string_view definition) {
  return definition.empty() ? std::string() : HashBytes(definition).Hex();
}

}  // namespace headrace::store
