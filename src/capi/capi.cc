// The C border: texts in, texts out, and no exception passes.
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>

#include "base/process.h"
#include "config/secrets.h"
#include "data/arrow_abi.h"
#include "engine/engine.h"
#include "headrace/headrace.h"
#include "headrace/version.h"

using headrace::Error;
using headrace::Json;
using headrace::Ok;
using headrace::Result;
using headrace::Status;

struct headrace_engine {
  std::unique_ptr<headrace::engine::Engine> engine;
  std::string last_error;
};

namespace {

/// Calls the listener with each event, one at a time.
class Listener : public headrace::telemetry::EventSink {
 public:
  Listener(headrace_on_event on_event, void* user, const headrace::Redactor& redactor)
      : on_event_(on_event), user_(user), redactor_(redactor) {}
  void Emit(std::string_view event, const Json& fields) override {
    if (on_event_ == nullptr) return;
    Json line = {{"event", event}};
    line.update(fields);
    const std::string text = headrace::DumpJson(headrace::RedactJson(redactor_, line));
    std::lock_guard lock(mutex_);
    on_event_(text.c_str(), user_);
  }

 private:
  const headrace_on_event on_event_;
  void* const user_;
  const headrace::Redactor& redactor_;
  std::mutex mutex_;
};

int Give(const Json& json, char** result) {
  if (result == nullptr) return HEADRACE_OK;
  *result = strdup(headrace::DumpJson(json).c_str());
  return *result != nullptr ? HEADRACE_OK : HEADRACE_FAILED;
}

/// Runs `body` (which returns a Result<int>: the status), keeps its error, stops exceptions.
template <class Body>
int Guarded(headrace_engine* engine, Body&& body) {
  if (engine == nullptr) return HEADRACE_WRONG;
  try {
    engine->last_error.clear();
    Result<int> status = body();
    if (status.ok()) return *status;
    engine->last_error = headrace::ErrorToJson(status.error());
    const bool stopped = engine->engine != nullptr && engine->engine->cancel().Cancelled();
    return stopped ? HEADRACE_INTERRUPTED : headrace::ExitCode(status.error());
  } catch (const std::bad_alloc&) {
    engine->last_error = R"({"code":"out_of_memory","message":"there is not enough memory"})";
    return HEADRACE_FAILED;
  } catch (const std::exception& fault) {
    engine->last_error = headrace::ErrorToJson(headrace::InternalError(fault.what()));
    return HEADRACE_INTERNAL;
  }
}

Result<headrace::engine::Engine*> Opened(headrace_engine* engine) {
  if (engine->engine == nullptr) {
    return headrace::UserError("not_open", "the engine could not be opened");
  }
  return engine->engine.get();
}

Error Unexpected(const std::string& key) {
  return headrace::UserError("unknown_field", "'" + key + "' is not known, or of another type")
      .Subject(key);
}

Result<Json> ParseObject(const char* text, const char* name) {
  if (text == nullptr) return Json::object();
  HR_ASSIGN(Json json, headrace::ParseJson(text, name));
  if (!json.is_object()) return headrace::UserError("bad_json", "a JSON object is expected");
  return json;
}

Result<headrace::engine::EngineOptions> ReadOptions(const char* text) {
  HR_ASSIGN(const Json json, ParseObject(text, "options"));
  headrace::engine::EngineOptions options;
  options.environment = headrace::config::ProcessEnvironment();
  for (const auto& [key, value] : json.items()) {
    if (key == "directory" && value.is_string()) {
      options.directory = value.get<std::string>();
    } else if (key == "target" && value.is_string()) {
      options.target = value.get<std::string>();
    } else if (key == "threads" && value.is_number_unsigned()) {
      options.threads = value.get<int>();
    } else if (key == "memory" && value.is_string()) {
      HR_ASSIGN(options.memory_bytes, headrace::ParseMemory(value.get<std::string>()));
    } else if (key == "params" && value.is_object()) {
      for (const auto& [name, param] : value.items()) {
        options.params.push_back(name + "=" +
                                 (param.is_string() ? param.get<std::string>() : param.dump()));
      }
    } else {
      return Unexpected(key);
    }
  }
  return options;
}

Result<headrace::engine::RunRequest> ReadRequest(const char* text, const char* command) {
  HR_ASSIGN(const Json json, ParseObject(text, "request"));
  headrace::engine::RunRequest request;
  request.command = command;
  for (const auto& [key, value] : json.items()) {
    if ((key == "select" || key == "exclude") && value.is_array()) {
      auto& list = key == "select" ? request.selection.select : request.selection.exclude;
      for (const auto& item : value) {
        if (!item.is_string()) return Unexpected(key);
        list.push_back(item.get<std::string>());
      }
    } else if (key == "full" && value.is_boolean()) {
      request.decide.full = value.get<bool>();
    } else if ((key == "from" || key == "to") && value.is_string()) {
      HR_ASSIGN(const headrace::Timestamp time, headrace::ParseTimestamp(value.get<std::string>()));
      (key == "from" ? request.decide.from : request.decide.to) = time;
    } else if (key == "fail_fast" && value.is_boolean()) {
      request.fail_fast = value.get<bool>();
    } else if (key == "no_wait" && value.is_boolean()) {
      request.no_wait = value.get<bool>();
    } else {
      return Unexpected(key);
    }
  }
  return request;
}

Json ReportJson(const headrace::pipeline::RunReport& report) {
  Json nodes = Json::array();
  for (const auto& node : report.nodes) {
    Json line = {{"node", node.node}, {"kind", node.kind}, {"action", node.action}};
    line["reason"] = node.reason;
    line["rows"] = node.rows < 0 ? Json() : Json(node.rows);
    line["seconds"] = node.seconds;
    line["snapshot"] = node.snapshot.empty() ? Json() : Json(node.snapshot);
    line["error"] = node.error ? headrace::ErrorToJsonValue(*node.error) : Json();
    nodes.push_back(std::move(line));
  }
  return {{"run", report.run},
          {"status", std::string(headrace::store::Text(report.status))},
          {"seconds", report.seconds},
          {"nodes", std::move(nodes)}};
}

}  // namespace

extern "C" {

const char* headrace_version(void) { return HEADRACE_VERSION; }

int headrace_open(const char* options, headrace_engine** engine) {
  if (engine == nullptr) return HEADRACE_WRONG;
  *engine = new (std::nothrow) headrace_engine;
  if (*engine == nullptr) return HEADRACE_FAILED;
  headrace_engine* made = *engine;
  return Guarded(made, [&]() -> Result<int> {
    headrace::InitProcess();
    HR_ASSIGN(auto read, ReadOptions(options));
    HR_ASSIGN(made->engine, headrace::engine::Engine::Open(std::move(read)));
    return HEADRACE_OK;
  });
}

void headrace_close(headrace_engine* engine) { delete engine; }

const char* headrace_last_error(const headrace_engine* engine) {
  return engine != nullptr ? engine->last_error.c_str() : "";
}

int headrace_lint(headrace_engine* engine, char** result) {
  return Guarded(engine, [&]() -> Result<int> {
    HR_ASSIGN(auto* opened, Opened(engine));
    const auto report = opened->Lint();
    Json findings = Json::array();
    for (const auto& finding : report.findings) {
      findings.push_back(headrace::ErrorToJsonValue(finding));
    }
    const int given = Give({{"nodes", report.nodes},
                            {"findings", std::move(findings)},
                            {"not_checked", report.not_checked}},
                           result);
    return given != HEADRACE_OK ? given : report.ok() ? HEADRACE_OK : HEADRACE_WRONG;
  });
}

int headrace_plan(headrace_engine* engine, const char* request, char** result) {
  return Guarded(engine, [&]() -> Result<int> {
    HR_ASSIGN(auto* opened, Opened(engine));
    HR_ASSIGN(auto read, ReadRequest(request, "plan"));
    HR_ASSIGN(auto plan, opened->Plan(read.selection, read.decide));
    Json lines = Json::array();
    for (const auto& planned : plan) {
      lines.push_back({{"node", planned.node->name},
                       {"kind", planned.node->kind},
                       {"action", headrace::pipeline::Name(planned.decision.action)},
                       {"reason", planned.decision.reason},
                       {"certain", planned.decision.certain}});
    }
    return Give(headrace::RedactJson(opened->redactor(), lines), result);
  });
}

int headrace_run(headrace_engine* engine, const char* request, headrace_on_event on_event,
                 void* user, char** result) {
  return Guarded(engine, [&]() -> Result<int> {
    HR_ASSIGN(auto* opened, Opened(engine));
    HR_ASSIGN(auto read, ReadRequest(request, "run (C API)"));
    Listener listener(on_event, user, opened->redactor());
    opened->SetEvents(&listener);
    auto report = opened->Run(read);
    opened->SetEvents(nullptr);
    if (!report.ok()) return std::move(report).error();
    const int given = Give(headrace::RedactJson(opened->redactor(), ReportJson(*report)), result);
    return given != HEADRACE_OK ? given : report->exit_code;
  });
}

int headrace_query(headrace_engine* engine, const char* sql, struct ArrowArrayStream* stream) {
  return Guarded(engine, [&]() -> Result<int> {
    HR_ASSIGN(auto* opened, Opened(engine));
    if (sql == nullptr || stream == nullptr) {
      return headrace::UserError("missing_argument", "headrace_query needs a SELECT and a stream");
    }
    HR_ASSIGN(auto reader, opened->Query(sql, ""));
    *stream = headrace::data::ExportStream(std::move(reader)).Take();
    return HEADRACE_OK;
  });
}

void headrace_cancel(headrace_engine* engine) {
  if (engine != nullptr && engine->engine != nullptr) engine->engine->cancel().Cancel();
}

void headrace_free(char* text) { std::free(text); }

}  // extern "C"
