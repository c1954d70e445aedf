#pragma once
// What happens in a run, as named JSON objects: `--json`, run records and tests listen to them.
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/redact.h"

namespace headrace::telemetry {

/// Takes the events of a run. Emit never fails and may be called from any thread.
class EventSink {
 public:
  virtual ~EventSink() = default;
  /// `event` is a name such as "node_finished"; `fields` an object without a key "event".
  virtual void Emit(std::string_view event, const Json& fields) = 0;
};

/// Drops everything.
class NullSink : public EventSink {
 public:
  void Emit(std::string_view, const Json&) override {}
};

/// One object a line, {"event": …, fields…}, written at once to `fd` (not owned). After a failed
/// write (a closed pipe, a full disk) it stays silent: a run doesn't die of its listener.
class JsonLinesSink : public EventSink {
 public:
  /// `redactor` may be null, else must outlive the sink.
  JsonLinesSink(int fd, const Redactor* redactor) : fd_(fd), redactor_(redactor) {}
  void Emit(std::string_view event, const Json& fields) override;
  /// errno of the first write that failed; 0 = none.
  int failed() const;

 private:
  const int fd_;
  const Redactor* const redactor_;
  mutable std::mutex mutex_;
  int failed_ = 0;
};

/// Passes everything on to several sinks (not owned), in their order.
class TeeSink : public EventSink {
 public:
  explicit TeeSink(std::vector<EventSink*> sinks) : sinks_(std::move(sinks)) {}
  void Emit(std::string_view event, const Json& fields) override;

 private:
  const std::vector<EventSink*> sinks_;
};

/// Keeps what came: for tests.
class RecordingSink : public EventSink {
 public:
  RecordingSink();
  ~RecordingSink() override;
  void Emit(std::string_view event, const Json& fields) override;
  /// In order of arrival; the text is the object with "event" first, as JsonLinesSink prints it.
  std::vector<std::string> lines() const;
  /// The fields of the events of that name.
  std::vector<Json> Of(std::string_view event) const;
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, Json>> events_;
};

}  // namespace headrace::telemetry
