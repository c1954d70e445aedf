#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "base/budget.h"
#include "net/curl_api.h"

namespace headrace::net {
namespace {

constexpr size_t kMaxHeaderBytes = 1 << 20;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool SameNoCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

/// What the callbacks of one transfer fill.
struct Transfer {
  Response response;
  size_t header_bytes = 0;
  int64_t max_body = 0;
  bool too_big = false;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (static_cast<int64_t>(transfer.response.body.size() + size * count) > transfer.max_body) {
    transfer.too_big = true;
    return 0;
  }
  transfer.response.body.append(data, size * count);
  return size * count;
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string_view line(data, size * count);
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > kMaxHeaderBytes) {
    transfer.too_big = true;
    return 0;
  }
  // "100 Continue" or a proxy's answer comes before the real headers.
  if (line.starts_with("HTTP/")) transfer.response.headers.clear();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  std::string_view value = line.substr(colon + 1);
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  transfer.response.headers.emplace_back(line.substr(0, colon), value);
  return size * count;
}

std::string Named(const Request& request) {
  return request.method == "GET" ? request.shown : request.method + " " + request.shown;
}

/// A failed transfer in our words: libcurl's hold times and addresses, which change.
Error TransferError(CURLcode code, const Request& request, const ClientOptions& options,
                    const char* details) {
  const std::string host = request.url.Origin();
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return ExternalError("host_not_found",
                           fmt::format("{}: the name of the host is not known", Named(request)))
          .Hint("check the name, and that this machine reaches the network")
          .Retriable();
    case CURLE_COULDNT_CONNECT:
      return ExternalError("connect_failed",
                           fmt::format("{}: nobody answers there", Named(request)))
          .Hint("check host and port, and that the server runs")
          .Retriable();
    case CURLE_OPERATION_TIMEDOUT:
      return ExternalError("timeout",
                           fmt::format("{}: no whole answer within {}", Named(request),
                                       FormatSeconds(static_cast<double>(options.timeout) / 1e6)))
          .Retriable();
    case CURLE_PARTIAL_FILE:
      return ExternalError(
                 "connection_lost",
                 fmt::format("{}: the answer ended before its announced length", Named(request)))
          .Retriable();
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return ExternalError("connection_lost",
                           fmt::format("{}: the server broke the connection off", Named(request)))
          .Retriable();
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: {
      Error error =
          ExternalError("tls_failed", fmt::format("{}: no secure connection{}{}", Named(request),
                                                  *details == '\0' ? "" : ": ", details));
      error.Hint("a certificate of your own authority: name its file in SSL_CERT_FILE");
      return error;
    }
    default:
      return ExternalError("bad_answer", fmt::format("{}: the answer is no proper HTTP (error {} "
                                                     "of libcurl)",
                                                     Named(request), static_cast<int>(code)))
          .Retriable();
  }
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool IsToken(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f &&
           std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
}

Status CheckHeaders(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    const bool odd = std::any_of(value.begin(), value.end(), [](char c) {
      return c != '\t' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
    });
    if (IsToken(name) && !odd) continue;
    return UserError("bad_header", fmt::format("the header '{}' {}", name,
                                               odd ? "holds a line break or another control "
                                                     "character in its value"
                                                   : "has no proper name"))
        .Subject(name);
  }
  return Ok();
}

}  // namespace

struct Client::State {
  const CurlApi* curl = nullptr;
  ClientOptions options;
  const Clock* clock = nullptr;
  CURL* easy = nullptr;
  CURLM* multi = nullptr;
  std::shared_ptr<void> on_cancel;
  int64_t last_start = 0;  // monotonic nanoseconds
  bool started = false;
  std::minstd_rand random{std::random_device()()};
  std::map<std::string, int> repeated;
  int last_status = 0;

  ~State() {
    on_cancel.reset();  // waits while it runs: it uses `multi`
    if (easy != nullptr) curl->easy_cleanup(easy);
    if (multi != nullptr) curl->multi_cleanup(multi);
  }
  Status KeepPace();
  Result<Response> Once(const Request& request, int64_t deadline);
  Status Perform();
  CURLcode code = CURLE_OK;
};

Result<std::unique_ptr<Client>> Client::Open(ClientOptions options) {
  HR_ASSIGN(const CurlApi* api, LoadCurlApi());
  auto state = std::make_unique<State>();
  state->curl = api;
  state->options = std::move(options);
  state->clock = state->options.clock != nullptr ? state->options.clock : &SystemClock();
  state->easy = api->easy_init();
  state->multi = api->multi_init();
  if (state->easy == nullptr || state->multi == nullptr) {
    return SystemError("no_libcurl", "libcurl could not be set up: is there memory left?");
  }
  state->on_cancel =
      state->options.cancel.OnCancel([api, multi = state->multi] { api->multi_wakeup(multi); });
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;
const std::map<std::string, int>& Client::repeated() const { return state_->repeated; }
int Client::last_status() const { return state_->last_status; }

Status Client::State::KeepPace() {
  if (options.interval > 0 && started) {
    const int64_t passed = (clock->MonotonicNanos() - last_start) / 1000;
    if (passed < options.interval)
      HR_TRY(WaitFor(*clock, options.cancel, options.interval - passed));
  }
  started = true;
  last_start = clock->MonotonicNanos();
  return options.cancel.Check();
}

/// Runs the prepared handle; `code` has the result. Errors: "cancelled" only.
Status Client::State::Perform() {
  code = CURLE_FAILED_INIT;
  if (curl->multi_add_handle(multi, easy) != CURLM_OK) return Ok();
  int running = 1;
  Status status;
  while (running > 0) {
    if (curl->multi_perform(multi, &running) != CURLM_OK) break;
    if (status = options.cancel.Check(); !status.ok()) break;
    if (running > 0 && curl->multi_poll(multi, nullptr, 0, 1000, nullptr) != CURLM_OK) break;
  }
  int left = 0;
  while (CURLMsg* message = curl->multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  curl->multi_remove_handle(multi, easy);
  return status;
}

/// One exchange without redirects.
Result<Response> Client::State::Once(const Request& request, int64_t deadline) {
  HR_TRY(KeepPace());
  Transfer transfer;
  transfer.max_body = options.max_body_bytes;
  char details[CURL_ERROR_SIZE] = "";
  const auto set = curl->easy_setopt;
  const std::string url = request.url.Text();
  const int64_t left = std::max<int64_t>(1'000, (deadline - clock->MonotonicNanos()) / 1'000'000);
  curl->easy_reset(easy);
  set(easy, CURLOPT_URL, url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PATH_AS_IS, 1L);  // %2e%2e is a value, not a way up
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout / 1000));
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(left));
  set(easy, CURLOPT_ACCEPT_ENCODING, "");
  set(easy, CURLOPT_USERAGENT, "headrace");
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (const char* file = std::getenv("SSL_CERT_FILE"); file != nullptr && *file != '\0') {
    set(easy, CURLOPT_CAINFO, file);
  }
  set(easy, CURLOPT_ERRORBUFFER, details);
  set(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  set(easy, CURLOPT_WRITEDATA, &transfer);
  set(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  set(easy, CURLOPT_HEADERDATA, &transfer);
  if (request.method != "GET" || !request.body.empty()) {
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(easy, CURLOPT_POSTFIELDS, request.body.data());
    set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  curl_slist* lines = curl->slist_append(nullptr, "Expect:");  // no wait for "100 Continue"
  for (const Headers* headers : {&request.headers, &request.credentials}) {
    for (const auto& [name, value] : *headers) {
      // "Name;" is how libcurl takes a header without a value.
      const std::string line = value.empty() ? name + ";" : name + ": " + value;
      lines = curl->slist_append(lines, line.c_str());
    }
  }
  set(easy, CURLOPT_HTTPHEADER, lines);
  Status performed = Perform();
  curl->slist_free_all(lines);
  if (!performed.ok()) return std::move(performed).error();
  if (transfer.too_big) {
    return ExternalError("answer_too_big",
                         fmt::format("{}: the answer is larger than {}", Named(request),
                                     FormatBytes(options.max_body_bytes)))
        .Hint("ask for smaller pages");
  }
  if (code != CURLE_OK) return TransferError(code, request, options, details);
  long status = 0;
  curl->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  transfer.response.url = request.url;
  return std::move(transfer.response);
}

Result<Response> Client::Send(const Request& request) {
  HR_TRY(CheckHeaders(request.headers));
  HR_TRY(CheckHeaders(request.credentials));
  State& state = *state_;
  Request now = request;
  std::set<std::string> seen;
  const int64_t deadline = state.clock->MonotonicNanos() + state.options.timeout * 1000;
  for (int hop = 0;; ++hop) {
    HR_ASSIGN(Response response, state.Once(now, deadline));
    const std::string location = response.Find("location");
    if (!IsRedirect(response.status) || location.empty()) return response;
    if (now.method != "GET" && now.method != "HEAD" && response.status < 307) {
      // Browsers would go on with GET and drop the body; a send must not vanish like that.
      return response;
    }
    seen.insert(now.url.Text());
    auto next = ResolveLink(now.url, location);
    if (!next.ok()) {
      return ExternalError("bad_answer",
                           fmt::format("{}: it redirects to something that is no URL of http or "
                                       "https",
                                       Named(request)));
    }
    if (seen.count(next->Text()) > 0 || hop >= state.options.max_redirects) {
      return ExternalError("redirect_loop",
                           seen.count(next->Text()) > 0
                               ? fmt::format("{}: its redirects lead in a circle", Named(request))
                               : fmt::format("{}: more than {} redirects", Named(request),
                                             state.options.max_redirects))
          .Hint("name the final URL");
    }
    if (now.url.scheme == "https" && next->scheme == "http") {
      return ExternalError("insecure_redirect", fmt::format("{}: it redirects from https to {}",
                                                            Named(request), next->Origin()));
    }
    if (!next->SameOrigin(request.url)) {
      now.credentials.clear();
      next->userinfo.clear();
    }
    now.url = std::move(*next);
  }
}

Result<Response> Client::Fetch(const Request& request, const Accept& accept) {
  State& state = *state_;
  const RetryPolicy& policy = state.options.retry;
  for (int attempt = 1;; ++attempt) {
    state.last_status = 0;
    auto sent = Send(request);
    int64_t wait = 0;
    std::optional<Error> error;
    if (!sent.ok()) {
      error = std::move(sent).error();
    } else {
      const Response& response = *sent;
      state.last_status = response.status;
      if (response.status >= 200 && response.status < 300) {
        Status accepted = accept ? accept(response) : Status();
        if (accepted.ok()) return sent;
        error = std::move(accepted).error();
      } else {
        error = StatusError(request, response);
        const Timestamp now = ParseHttpDate(response.Find("date")).value_or(state.clock->Now());
        wait = ParseRetryAfter(response.Find("retry-after"), now).value_or(0);
      }
    }
    if (!error->retriable) return *error;
    if (wait > policy.longest_wait) {
      return error->Hint(fmt::format(
          "the server asks to wait {}: raise the longest wait (now {}), or run again later",
          FormatSeconds(static_cast<double>(wait) / 1e6),
          FormatSeconds(static_cast<double>(policy.longest_wait) / 1e6)));
    }
    if (attempt >= policy.attempts) {
      if (attempt > 1) error->message += fmt::format(" (tried {} times)", attempt);
      return *error;
    }
    ++state.repeated[error->code];
    const double random = std::uniform_real_distribution<double>(0, 1)(state.random);
    wait = std::max(wait, BackoffMicros(policy, attempt + 1, random));
    HR_TRY(WaitFor(*state.clock, state.options.cancel, wait));
  }
}

std::string Response::Find(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (SameNoCase(key, name)) return value;
  }
  return "";
}

Error StatusError(const Request& request, const Response& response) {
  const int status = response.status;
  const std::string said = QuoteBody(response.body);
  std::string text = fmt::format("{}: status {}", Named(request), status);
  if (!said.empty()) text += ", '" + said + "'";
  const auto make = [&](const char* code) { return ExternalError(code, text); };
  Error error = status == 429                    ? make("rate_limited")
                : status >= 500                  ? make("server_error")
                : status == 401                  ? make("unauthorized")
                : status == 403                  ? make("forbidden")
                : status == 404 || status == 410 ? make("not_found")
                                                 : make("refused");
  if (IsRetriable(status)) error.Retriable();
  if (status == 401) error.Hint("the credentials are wrong or have expired: renew them");
  if (status == 403) error.Hint("the credentials are not enough for this");
  if (status == 429) error.Hint("ask less often: `rate:`");
  if (IsRedirect(status)) {
    auto target = ResolveLink(request.url, response.Find("location"));
    if (target.ok()) error.Hint("it redirects to " + target->Origin() + ": name the final URL");
  }
  return error;
}

Status CheckSecure(const Url& url, bool has_credentials, bool allowed) {
  if (url.scheme == "https" || url.IsLoopback() || allowed) return Ok();
  if (!has_credentials && url.userinfo.empty()) return Ok();
  return UserError("insecure_url",
                   fmt::format("credentials would go to {} unencrypted", url.Origin()))
      .Hint("use https, or write `allow_http: true` if the network in between is trusted");
}

std::string QuoteBody(std::string_view body) {
  std::string text;
  std::string lower(body.substr(0, 4096));
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  if (const size_t title = lower.find("<title"); title != std::string::npos) {
    const size_t begin = std::min(lower.find('>', title), lower.size() - 1) + 1;
    const size_t end = lower.find("</title", begin);
    body = body.substr(begin, end == std::string::npos ? 200 : end - begin);
  }
  for (char c : body.substr(0, 400)) {
    const bool blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    if (blank && (text.empty() || text.back() == ' ')) continue;
    text += blank ? ' ' : c;
    if (text.size() >= 200) break;
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  // A character cut in two, or bytes that are no text at all.
  std::string clean;
  for (size_t n = 0; n < text.size();) {
    const auto byte = static_cast<unsigned char>(text[n]);
    const size_t length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    bool whole = byte < 0x80 || (byte >= 0xC2 && byte < 0xF5 && n + length <= text.size());
    for (size_t k = 1; whole && k < length; ++k) {
      whole = (static_cast<unsigned char>(text[n + k]) & 0xC0) == 0x80;
    }
    clean += whole ? text.substr(n, length) : "?";
    n += whole ? length : 1;
  }
  return clean;
}

}  // namespace headrace::net
