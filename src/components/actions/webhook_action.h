#pragma once
// `action: webhook`: sends a row as JSON to a URL, once for every key.
#include <map>
#include <memory>

#include "components/actions/outbox.h"
#include "components/http_fields.h"

namespace headrace::components {

enum class WebhookMethod { kPost, kPut, kPatch };
const spec::Options& SpecOptions(WebhookMethod*);

struct WebhookOptions : OutboxOptions {
  std::string url;
  WebhookMethod method = WebhookMethod::kPost;
  std::map<std::string, std::string> headers;
  std::optional<HttpAuth> auth;
  std::vector<std::string> body;  ///< columns; empty = all
  std::string rate;
  HttpRetry retry;
  bool allow_http = false;
};
const spec::Spec& WebhookActionSpec();
std::unique_ptr<pipeline::Component> MakeWebhookAction(const spec::NodeSpec& node);

}  // namespace headrace::components
