#include "pipeline/notify.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "net/http.h"

namespace headrace::pipeline {
namespace {

constexpr size_t kMostFailures = 50;
constexpr size_t kMostBytes = 1000;

/// One receiver and what it is told about.
struct Receiver {
  spec::Notify notify;
  Place place;
  std::vector<const NodeResult*> failed;
};

bool HasFailed(const NodeResult& node) { return node.action == "fail" || node.error.has_value(); }

/// A failed check shows the values of some rows, each on a line that is indented twice. They are
/// for who may read the tables, not for every reader of a chat.
std::string WithoutRows(const std::string& message) {
  std::string kept;
  for (size_t begin = 0; begin <= message.size();) {
    const size_t end = std::min(message.find('\n', begin), message.size());
    const std::string line = message.substr(begin, end - begin);
    if (!line.starts_with("    ")) kept += (kept.empty() ? "" : "\n") + line;
    begin = end + 1;
  }
  return kept;
}

std::string OneLine(std::string text) {
  for (size_t at; (at = text.find('\n')) != std::string::npos;) {
    const size_t next = std::min(text.find_first_not_of(" \n", at), text.size());
    text.replace(at, next - at, "; ");
  }
  return text;
}

Json SummaryFor(const Project& project, const RunReport& report, const Receiver& receiver) {
  Json json;
  json["event"] = "run_failed";
  json["project"] = project.name();
  json["target"] = project.target();
  json["run"] = report.run;
  json["status"] = std::string(store::Text(report.status));
  json["seconds"] = report.seconds;
  json["exit_code"] = report.exit_code;
  json["failed"] = Json::array();
  std::string names;
  for (const NodeResult* node : receiver.failed) {
    if (json["failed"].size() == kMostFailures) break;
    Json one;
    one["node"] = node->node;
    one["kind"] = node->kind;
    if (node->error) {
      one["code"] = node->error->code;
      one["message"] = WithoutRows(node->error->message).substr(0, kMostBytes);
    }
    json["failed"].push_back(std::move(one));
    names += fmt::format(
        "{}{}{}", names.empty() ? "" : "; ", node->node,
        node->error ? " (" + OneLine(WithoutRows(node->error->message)).substr(0, 200) + ")" : "");
  }
  json["failures"] = receiver.failed.size();
  json["skipped"] = Json::array();
  for (const NodeResult& node : report.nodes) {
    if (node.action == "skip" && json["skipped"].size() < kMostFailures) {
      json["skipped"].push_back(node.node);
    }
  }
  if (!report.page.empty()) json["report"] = report.page;
  json["text"] =
      fmt::format(
          "{} ({}): {} failed: {}", project.name(), project.target(),
          receiver.failed.size() == 1 ? "1 node" : fmt::format("{} nodes", receiver.failed.size()),
          names)
          .substr(0, 2 * kMostBytes);
  return json;
}

/// ${…} that no component's expansion reached: properties of SQL nodes, headrace.yml.
Status Expand(const Project& project, spec::Notify& notify) {
  const auto expand = [&](std::string& text) -> Status {
    if (!spec::NeedsExpansion(text)) return Ok();
    HR_ASSIGN(text, project.secrets().Expand(text));
    return Ok();
  };
  HR_TRY(expand(notify.url));
  for (auto& [name, value] : notify.headers) HR_TRY(expand(value));
  return Ok();
}

Status Post(const Project& project, const RunServices& services, const RunReport& report,
            Receiver& receiver) {
  HR_TRY(Expand(project, receiver.notify));
  net::Request request;
  request.method = "POST";
  HR_ASSIGN(request.url, net::ParseUrl(receiver.notify.url));
  request.shown = request.url.Origin();  // the path of such URLs often is their secret
  HR_TRY(net::CheckSecure(request.url, !receiver.notify.headers.empty(), false));
  request.headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", report.run}};
  for (const auto& [name, value] : receiver.notify.headers) {
    request.credentials.emplace_back(name, value);
  }
  request.body = DumpJson(RedactJson(*services.redactor, SummaryFor(project, report, receiver)));
  net::ClientOptions options;
  options.connect_timeout = 5'000'000;
  options.timeout = 8'000'000;
  options.max_body_bytes = 1 << 20;
  options.retry.attempts = 3;
  options.retry.longest_wait = 3'000'000;
  options.cancel = services.cancel;
  HR_ASSIGN(auto client, net::Client::Open(options));
  auto answered = client->Fetch(request);
  return answered.ok() ? Ok() : Status(std::move(answered).error());
}

}  // namespace

void NotifyFailures(const Project& project, const RunServices& services, RunReport& report) {
  if (report.status != store::RunStatus::kFailed || !project.Sends()) return;
  std::vector<Receiver> receivers;
  const auto add = [&](const spec::Notify& notify, const Place& place, const NodeResult* node) {
    for (Receiver& receiver : receivers) {
      if (receiver.notify.url != notify.url) continue;
      const auto& failed = receiver.failed;
      if (std::find(failed.begin(), failed.end(), node) == failed.end()) {
        receiver.failed.push_back(node);
      }
      return;
    }
    receivers.push_back({notify, place, {node}});
  };
  const config::Settings& settings = project.settings();
  for (const NodeResult& node : report.nodes) {
    if (!HasFailed(node)) continue;
    if (settings.on_failure.notify) {
      add(*settings.on_failure.notify, settings.places.Of("on_failure.notify"), &node);
    }
    const Node* known = project.FindNode(node.node);
    if (known == nullptr || !known->common().on_failure.notify) continue;
    add(*known->common().on_failure.notify, known->spec.PlaceOf("on_failure.notify"), &node);
  }
  for (Receiver& receiver : receivers) {
    Status posted = Post(project, services, report, receiver);
    if (posted.ok()) continue;
    Error error = ExternalError(
        "notify_failed", "nobody could be told of the failed run: " + posted.error().message);
    error.At(receiver.place).As(Severity::kWarning).Hint(posted.error().hint);
    report.warnings.push_back(services.redactor->Redact(std::move(error)));
  }
}

}  // namespace headrace::pipeline
