#pragma once
// A HTTP client: bounded in time and size, retries what may succeed later, keeps to a rate, and
// names what went wrong. On libcurl, which is loaded when the first client is opened.
//
// What stands in errors. A URL may be a secret as a whole (a webhook's is), so the client never
// prints one: errors call the request by Request::shown, other hosts by their origin. Texts of the
// server are quoted, shortened; the engine's Redactor masks what they echo.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/retry.h"
#include "net/url.h"

namespace headrace::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  Url url;
  std::string shown;    ///< what errors call it: the URL as the user wrote it, unexpanded
  Headers headers;      ///< that any host may see
  Headers credentials;  ///< all others: dropped when a redirect leads to another origin
  std::string body;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
  Url url;  ///< that answered, after redirects

  /// Value of a header, without regard to case; "" when there is none.
  std::string Find(std::string_view name) const;
};

struct ClientOptions {
  int64_t connect_timeout = 10'000'000;  ///< microseconds
  int64_t timeout = 120'000'000;         ///< of one attempt, redirects included
  int64_t max_body_bytes = 64 << 20;     ///< after decompression
  int max_redirects = 5;
  int64_t interval = 0;  ///< microseconds between the starts of two requests; 0 = no limit
  RetryPolicy retry;
  const Clock* clock = nullptr;  ///< default SystemClock()
  CancelToken cancel;
};

/// A connection pool and its pace. One request at a time: not thread-safe.
class Client {
 public:
  /// Error "no_libcurl" (blame system).
  static Result<std::unique_ptr<Client>> Open(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;

  /// One attempt. Any status is a response. Errors (blame external, retriable where it may go
  /// better next time): "host_not_found", "connect_failed", "connection_lost" (reset, or cut off
  /// before the announced end), "timeout", "tls_failed", "bad_answer", "answer_too_big",
  /// "redirect_loop", "insecure_redirect"; "bad_header" (user), "cancelled".
  Result<Response> Send(const Request& request);

  /// Tries again, as the policy says, after errors that are retriable and statuses that are, until
  /// `accept` takes the response (its retriable errors are tried again too). Other statuses than
  /// 2xx are errors: "rate_limited" (429), "server_error" (5xx), "unauthorized" (401), "forbidden"
  /// (403), "not_found" (404, 410), "refused" (any other). The error after the last attempt says
  /// how many there were.
  using Accept = std::function<Status(const Response&)>;
  Result<Response> Fetch(const Request& request, const Accept& accept = nullptr);

  /// Attempts that had to be repeated so far, by error code.
  const std::map<std::string, int>& repeated() const;
  /// What the last attempt of Fetch ended with; 0 when there was no response.
  int last_status() const;

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The error of a response that is not 2xx.
Error StatusError(const Request& request, const Response& response);

/// Credentials over http would be readable on the way: allowed to this machine only, unless
/// `allowed`. Error "insecure_url" (blame user).
Status CheckSecure(const Url& url, bool has_credentials, bool allowed);

/// The start of a server's text for people: one line, at most 200 bytes; of HTML its title.
std::string QuoteBody(std::string_view body);

}  // namespace headrace::net
