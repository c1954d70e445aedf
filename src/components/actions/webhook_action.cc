#include "components/actions/webhook_action.h"

#include <fmt/format.h>

#include "components/sources/http_source.h"
#include "data/quote.h"
#include "pipeline/project.h"

namespace headrace::components {

using spec::Affects;
using spec::Field;
using spec::Spec;

const spec::Options& SpecOptions(WebhookMethod*) {
  static const spec::Options options{{"POST", "", static_cast<int64_t>(WebhookMethod::kPost)},
                                     {"PUT", "", static_cast<int64_t>(WebhookMethod::kPut)},
                                     {"PATCH", "", static_cast<int64_t>(WebhookMethod::kPatch)}};
  return options;
}

namespace {

std::vector<Field> Fields() {
  std::vector<Field> fields = OutboxFields<WebhookOptions>();
  const std::vector<Field> own = {
      Field("url", &WebhookOptions::url, "Who is told.")
          .NotEmpty()
          .Secret()
          .Affects(Affects::kPolicy)
          .Example("${CRM_HOOK}"),
      Field("method", &WebhookOptions::method, "How.").Default().Affects(Affects::kPolicy),
      Field("headers", &WebhookOptions::headers, "More headers; credentials belong under `auth`.")
          .Optional()
          .Secret()
          .Affects(Affects::kPolicy),
      Field("auth", &WebhookOptions::auth, "Who tells.").Affects(Affects::kPolicy),
      Field("body", &WebhookOptions::body, "Columns that are sent; not given: all.")
          .Column()
          .Optional()
          .Example("customer_id"),
      Field("rate", &WebhookOptions::rate, "How often at most: 10/s, 100/min, 5000/hour.")
          .Optional()
          .Affects(Affects::kPolicy)
          .Example("10/s"),
      Field("retry", &WebhookOptions::retry, "How often a send is tried, and how long it may take.")
          .Default()
          .Affects(Affects::kPolicy),
      Field("allow_http", &WebhookOptions::allow_http,
            "Send credentials over http too, to machines other than this one.")
          .Default()
          .Affects(Affects::kPolicy)
          .Advanced()};
  fields.insert(fields.end(), own.begin(), own.end());
  return fields;
}

std::string MethodText(WebhookMethod method) {
  return method == WebhookMethod::kPost ? "POST" : method == WebhookMethod::kPut ? "PUT" : "PATCH";
}

class WebhookSender : public Sender {
 public:
  WebhookSender(const WebhookOptions& options, net::Url url, std::string shown,
                std::unique_ptr<net::Client> client)
      : options_(options), client_(std::move(client)) {
    request_.method = MethodText(options.method);
    request_.shown = std::move(shown);
    if (options.auth && !options.auth->param.empty()) {
      net::SetParameters(url, {{options.auth->param, options.auth->value}});
    }
    request_.url = std::move(url);
  }

  Result<Sent> Send(const OutboxRow& row, const std::string& idempotency_key) override {
    request_.headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", idempotency_key}};
    request_.credentials.clear();
    for (const auto& [name, value] : options_.headers) {
      request_.credentials.emplace_back(name, value);
    }
    if (options_.auth) options_.auth->AddTo(request_.credentials);
    request_.body = row.json;
    auto answered = client_->Fetch(request_);
    if (answered.ok()) return Sent{true, fmt::format("status {}", answered->status)};
    const Error& error = answered.error();
    if (error.code == "cancelled" || error.code == "bad_header") return error;
    Sent sent{false, error.message};
    // Tried as often as allowed and never heard of, or told to stay away: the next row would wait
    // as long for nothing.
    sent.unreachable = error.retriable || error.code == "tls_failed" ||
                       error.code == "unauthorized" || error.code == "redirect_loop";
    return sent;
  }

 private:
  const WebhookOptions& options_;
  std::unique_ptr<net::Client> client_;
  net::Request request_;
};

class WebhookAction : public OutboxAction {
 public:
  explicit WebhookAction(const spec::NodeSpec& node)
      : OutboxAction(node), options_(node.options.As<WebhookOptions>()) {}

 private:
  const OutboxOptions& outbox() const override { return options_; }
  std::string FieldOfFailure() const override { return "url"; }
  std::string KeyName() const override { return "Idempotency-Key"; }

  std::string BodySql() const override {
    if (options_.body.empty()) return OutboxAction::BodySql();
    std::string items;
    for (const std::string& column : options_.body) {
      items += fmt::format("{}{}: r.{}", items.empty() ? "" : ", ", data::QuoteLiteral(column),
                           data::QuoteIdentifier(column));
    }
    return "CAST(to_json({" + items + "}) AS VARCHAR)";
  }

  void LintMore(const pipeline::LintContext& context, const data::Schema* input) const override {
    if (input != nullptr) LintColumns(context, *input, options_.from, options_.body, "body");
    if (spec::NeedsExpansion(options_.url)) return;
    const Status status = CheckUrl();
    if (!status.ok()) {
      context.diagnostics->Add(
          Error(status.error()).At(context.node->spec.PlaceOf("url")).Node(name()));
    }
  }

  Status CheckUrl() const {
    HR_ASSIGN(net::Url url, net::ParseUrl(options_.url));
    return net::CheckSecure(url, options_.auth.has_value(), options_.allow_http);
  }

  Result<std::unique_ptr<Sender>> OpenSender(pipeline::BuildContext& context) const override {
    const spec::NodeSpec& spec = context.node->spec;
    if (Status status = CheckUrl(); !status.ok()) {
      return Error(status.error()).At(spec.PlaceOf("url")).Node(name());
    }
    HR_ASSIGN(net::Url url, net::ParseUrl(options_.url));
    net::ClientOptions open;
    open.timeout = options_.retry.TimeoutMicros();
    open.retry = options_.retry.Policy();
    open.max_body_bytes = 1 << 20;
    open.max_redirects = 3;
    open.cancel = context.cancel;
    if (!options_.rate.empty()) {
      HR_ASSIGN(open.interval, net::ParseRate(options_.rate));
    }
    HR_ASSIGN(auto client, net::Client::Open(open));
    return std::unique_ptr<Sender>(std::make_unique<WebhookSender>(
        options_, std::move(url), ShownHook(spec, options_.url), std::move(client)));
  }

  /// A webhook's path often is its secret: only the host is shown.
  static std::string ShownHook(const spec::NodeSpec& spec, const std::string& url) {
    if (spec.options.unexpanded.count("url") > 0) return ShownUrl(spec, url);
    const auto parsed = net::ParseUrl(url);
    return parsed.ok() ? parsed->Origin() : "the webhook";
  }

  const WebhookOptions options_;
};

}  // namespace

const Spec& WebhookActionSpec() {
  static const Spec spec = [] {
    Spec s = Spec::For<WebhookOptions>("action", "webhook",
                                       "Sends every row as JSON to a URL, once per key.", Fields());
    s.Rule<WebhookOptions>([](const WebhookOptions& o) -> std::optional<spec::Fault> {
      if (!o.rate.empty() && !net::ParseRate(o.rate).ok()) {
        return spec::Fault{"rate", "'" + o.rate + "' is no rate", "write it like 10/s or 100/min"};
      }
      return std::nullopt;
    });
    s.Details(
        "The row is a JSON object. Every send carries the header Idempotency-Key: the same for "
        "each attempt at one key, also in later runs, so that the receiver can drop repeats; after "
        "`again_after` it is another one. 2xx is sent. After network faults and 408, 425, 429 and "
        "5xx it is tried again as `retry` says. What failed for good stands in the table "
        "NODE__failed, fails the run and is tried again by the next one. When nobody answers, the "
        "rows behind are not tried.\n\n"
        "Only the target prod (or the only one) sends; others record what they would have sent, "
        "unless they say `actions: send`.");
    s.Example(
        "action: webhook\nfrom: scores\nwhere: probability > 0.8\nonce_per: customer_id\n"
        "again_after: 30 days\nurl: \"${CRM_HOOK}\"\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Component> MakeWebhookAction(const spec::NodeSpec& node) {
  return std::make_unique<WebhookAction>(node);
}

}  // namespace headrace::components
