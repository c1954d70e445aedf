#include "components/http_fields.h"

#include <cstdint>

namespace headrace::components {
namespace {

using spec::Affects;
using spec::Field;
using spec::Spec;

std::string Base64(std::string_view text) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t n = 0; n < text.size(); n += 3) {
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (n + k < text.size() ? static_cast<unsigned char>(text[n + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += n + k > text.size() ? '=' : kAlphabet[bits >> (18 - 6 * k) & 63];
    }
  }
  return out;
}

int64_t Micros(const spec::Duration& given, int64_t otherwise) {
  return given.text.empty() ? otherwise : given.micros;
}

}  // namespace

const Spec& HttpAuth::Describe() {
  static const Spec spec = [] {
    Spec s{
        "",
        "auth",
        "Who asks.",
        {Field("bearer", &HttpAuth::bearer, "A token, sent as Authorization: Bearer.")
             .Optional()
             .Secret()
             .Example("${API_TOKEN}"),
         Field("header", &HttpAuth::header, "Name of a header that gets `value`.").Optional(),
         Field("param", &HttpAuth::param, "Name of a query parameter that gets `value`.")
             .Optional(),
         Field("value", &HttpAuth::value, "What the header or parameter gets.").Optional().Secret(),
         Field("basic", &HttpAuth::basic, "user:password, sent as Authorization: Basic.")
             .Optional()
             .Secret()
             .Example("${API_USER}:${API_PASSWORD}")}};
    s.ExactlyOne({"bearer", "header", "param", "basic"});
    s.Rule<HttpAuth>([](const HttpAuth& auth) -> std::optional<spec::Fault> {
      const bool named = !auth.header.empty() || !auth.param.empty();
      if (named && auth.value.empty()) {
        return spec::Fault{auth.header.empty() ? "param" : "header", "its `value` is missing",
                           "{header: X-Key, value: \"${API_KEY}\"}"};
      }
      if (!named && !auth.value.empty()) {
        return spec::Fault{"value", "value needs `header` or `param`", ""};
      }
      if (!auth.basic.empty() && auth.basic.find(':') == std::string::npos) {
        return spec::Fault{"basic", "it must be a user, a colon and a password", ""};
      }
      return std::nullopt;
    });
    return s;
  }();
  return spec;
}

void HttpAuth::AddTo(net::Headers& headers) const {
  if (!bearer.empty()) headers.emplace_back("Authorization", "Bearer " + bearer);
  if (!basic.empty()) headers.emplace_back("Authorization", "Basic " + Base64(basic));
  if (!header.empty()) headers.emplace_back(header, value);
}

const Spec& HttpRetry::Describe() {
  static const Spec spec = [] {
    Spec s{"",
           "retry",
           "How often a request is tried: after network faults, 408, 425, 429, 500, 502, 503, 504 "
           "and broken answers.",
           {Field("attempts", &HttpRetry::attempts, "Attempts, the first one included.")
                .Default()
                .Range(1, 100)
                .Short(),
            Field("wait", &HttpRetry::wait,
                  "Before the second attempt; doubles from then on. 0.5 seconds without it.")
                .Optional()
                .Example("1 second"),
            Field("longest", &HttpRetry::longest,
                  "Longest wait, also when the server's Retry-After asks for more: then the "
                  "request fails. 1 minute without it.")
                .Optional()
                .Example("10 minutes"),
            Field("timeout", &HttpRetry::timeout, "Of one attempt; 2 minutes without it.")
                .Optional()
                .Example("30 seconds")}};
    s.Rule<HttpRetry>([](const HttpRetry& retry) -> std::optional<spec::Fault> {
      const std::pair<const char*, const spec::Duration*> all[] = {
          {"wait", &retry.wait}, {"longest", &retry.longest}, {"timeout", &retry.timeout}};
      for (const auto& [name, duration] : all) {
        if (duration->months != 0) {
          return spec::Fault{name, std::string(name) + " can't be in months", "write days"};
        }
        if (!duration->text.empty() && duration->micros < 1000) {
          return spec::Fault{name, std::string(name) + " is too short", ""};
        }
      }
      return std::nullopt;
    });
    return s;
  }();
  return spec;
}

net::RetryPolicy HttpRetry::Policy() const {
  net::RetryPolicy policy;
  policy.attempts = attempts;
  policy.first_wait = Micros(wait, policy.first_wait);
  policy.longest_wait = std::max(policy.first_wait, Micros(longest, policy.longest_wait));
  return policy;
}

int64_t HttpRetry::TimeoutMicros() const { return Micros(timeout, 120'000'000); }

}  // namespace headrace::components
