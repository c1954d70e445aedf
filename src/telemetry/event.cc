#include "telemetry/event.h"

#include <nlohmann/json.hpp>

#include "base/file_system.h"

namespace headrace::telemetry {
namespace {

/// {"event": name, fields…}
Json WithName(std::string_view event, const Json& fields) {
  Json out;
  out["event"] = event;
  if (fields.is_object()) out.update(fields);
  return out;
}

}  // namespace

void JsonLinesSink::Emit(std::string_view event, const Json& fields) {
  const Json masked = redactor_ == nullptr ? fields : RedactJson(*redactor_, fields);
  const std::string line = DumpJson(WithName(event, masked)) + "\n";
  std::lock_guard lock(mutex_);
  if (failed_ == 0) failed_ = WriteAll(fd_, line);
}

int JsonLinesSink::failed() const {
  std::lock_guard lock(mutex_);
  return failed_;
}

void TeeSink::Emit(std::string_view event, const Json& fields) {
  for (EventSink* sink : sinks_) sink->Emit(event, fields);
}

RecordingSink::RecordingSink() = default;
RecordingSink::~RecordingSink() = default;

void RecordingSink::Emit(std::string_view event, const Json& fields) {
  std::lock_guard lock(mutex_);
  events_.emplace_back(event, fields);
}

std::vector<std::string> RecordingSink::lines() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [event, fields] : events_) out.push_back(DumpJson(WithName(event, fields)));
  return out;
}

std::vector<Json> RecordingSink::Of(std::string_view event) const {
  std::lock_guard lock(mutex_);
  std::vector<Json> out;
  for (const auto& [name, fields] : events_) {
    if (name == event) out.push_back(fields);
  }
  return out;
}

size_t RecordingSink::size() const {
  std::lock_guard lock(mutex_);
  return events_.size();
}

}  // namespace headrace::telemetry
