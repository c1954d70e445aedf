#include "components/sources/http_download.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <set>

#include "base/budget.h"
#include "base/hash.h"

namespace headrace::components {
namespace {

using net::Url;

/// The pages of one parent.
/// A page that slips back overlaps these; more would cost memory for nothing.
constexpr size_t kRecentPages = 3;
constexpr int kAsksOfDoubtfulPage = 3;

struct Chain {
  Url first;  ///< with the user's parameters
  const HttpParent* parent = nullptr;
  int page = 1;
  int64_t rows = 0;
  std::string cursor;          ///< sent with this page
  std::optional<Url> link;     ///< of this page, when a link led here
  std::set<std::string> seen;  ///< digests of pages, links and cursors
  std::optional<int64_t> total;
  std::deque<std::set<uint64_t>> recent;  ///< digests of the rows of the last pages
};

/// Of the rows of a page.
std::set<uint64_t> RowDigests(const HttpPage& page) {
  std::set<uint64_t> digests;
  size_t begin = 0;
  for (const uint32_t end : page.ends) {
    Hasher row;
    for (size_t n = begin; n < end; ++n) {
      const HttpPage::Cell& cell = page.cells[n];
      row.Add(cell.column).Add(std::string_view(page.text).substr(cell.offset, cell.length));
    }
    digests.insert(row.Finish().low);
    begin = end;
  }
  return digests;
}

/// What a server that is out of sorts may answer to a page's number, and a sound one too: nothing,
/// though that is not all of `total`, or only rows of the pages before (an offset that slipped).
bool IsDoubtful(const Chain& chain, const HttpPage& page, const std::set<uint64_t>& digests) {
  if (page.rows() == 0) return !chain.total;
  return std::all_of(digests.begin(), digests.end(), [&](uint64_t row) {
    return std::any_of(chain.recent.begin(), chain.recent.end(),
                       [row](const std::set<uint64_t>& before) { return before.contains(row); });
  });
}

class Downloader {
 public:
  Downloader(const HttpOptions& options, std::string shown, const std::string& since,
             const pipeline::BuildContext& context)
      : options_(options), shown_(std::move(shown)), since_(since), context_(context) {}

  Result<HttpDownload> Run(const std::vector<HttpParent>& parents);

 private:
  Result<Url> FirstUrl(const HttpParent& parent) const;
  net::Request RequestOf(const Chain& chain) const;
  Status ReadChain(Chain& chain);
  Status ReadPage(Chain& chain, HttpPage& page, std::optional<std::string>& next);
  Status Take(const net::Response& response, Chain& chain, HttpPage& page,
              std::optional<std::string>& next);
  Result<bool> Advance(Chain& chain, const HttpPage& page, const std::optional<std::string>& next);
  Result<Url> LinkUrl(const Chain& chain, const std::string& link) const;
  void Keep(const HttpPage& page);
  std::string Called(const Chain& chain) const;
  Error Explain(const Chain& chain, Error error) const {
    error.message = Called(chain) + ": " + error.message;
    return error;
  }

  const HttpOptions& options_;
  const std::string shown_;
  const std::string& since_;
  const pipeline::BuildContext& context_;
  HttpPageShape shape_;
  std::unique_ptr<net::Client> client_;
  HttpDownload result_;
  std::vector<HttpSpool::Extra> extras_;
  int64_t requests_ = 0;
  int64_t gone_ = 0;  // parents that answered 404
  std::string first_gone_;
};

/// "https://…/tickets, page 3"
std::string Downloader::Called(const Chain& chain) const {
  std::string text = shown_;
  if (chain.parent != nullptr && !chain.parent->values.empty()) {
    text += " (";
    bool first = true;
    for (const auto& [name, value] : chain.parent->values) {
      text += fmt::format("{}{} = {}", first ? "" : ", ", name, value.substr(0, 60));
      first = false;
    }
    text += ")";
  }
  return chain.page > 1 ? fmt::format("{}, page {}", text, chain.page) : text;
}

Result<Url> Downloader::FirstUrl(const HttpParent& parent) const {
  auto url = net::ParseUrl(FillPlaces(options_.url, parent.values, true));
  if (!url.ok()) return std::move(url).error();
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const auto& [name, value] : options_.params) {
    parameters.emplace_back(name, FillPlaces(value, parent.values, false));
  }
  if (!since_.empty()) parameters.emplace_back(options_.since, since_);
  SetParameters(*url, parameters);
  return url;
}

net::Request Downloader::RequestOf(const Chain& chain) const {
  net::Request request;
  request.shown = Called(chain);
  request.url = chain.link ? *chain.link : chain.first;
  std::vector<std::pair<std::string, std::string>> parameters;
  if (options_.paging && !chain.link) {
    const HttpPaging& paging = *options_.paging;
    if (!paging.page.empty()) {
      parameters.emplace_back(paging.page, std::to_string(paging.first + chain.page - 1));
      if (paging.size > 0) parameters.emplace_back(paging.size_param, std::to_string(paging.size));
    }
    if (!paging.offset.empty()) {
      parameters.emplace_back(paging.offset, std::to_string(chain.rows));
      if (paging.limit > 0) {
        parameters.emplace_back(paging.limit_param, std::to_string(paging.limit));
      }
    }
    if (!chain.cursor.empty()) parameters.emplace_back(paging.param, chain.cursor);
  }
  if (options_.auth && !options_.auth->param.empty()) {
    parameters.emplace_back(options_.auth->param, options_.auth->value);
  }
  SetParameters(request.url, parameters);
  request.headers.emplace_back("Accept", "application/json");
  for (const auto& [name, value] : options_.headers) request.credentials.emplace_back(name, value);
  if (options_.auth) options_.auth->AddTo(request.credentials);
  if (options_.method == HttpMethod::kPost) {
    request.method = "POST";
    if (!options_.body.IsNull()) {
      request.body = spec::ToJson(options_.body);
      request.headers.emplace_back("Content-Type", "application/json");
    }
  }
  return request;
}

/// A page's link, which must stay where the credentials belong.
Result<Url> Downloader::LinkUrl(const Chain& chain, const std::string& link) const {
  auto url = ResolveLink(chain.link ? *chain.link : chain.first, link);
  if (!url.ok()) {
    return Explain(chain, ExternalError("bad_answer", "the link to the next page is no URL"));
  }
  // Behind a proxy servers often believe that they are asked over http.
  if (chain.first.scheme == "https" && url->scheme == "http" && url->host == chain.first.host &&
      (url->port == 80 || url->port == chain.first.port)) {
    url->scheme = "https";
    url->port = chain.first.port;
  }
  if (!url->SameOrigin(chain.first)) {
    return Explain(chain, ExternalError("next_elsewhere",
                                        fmt::format("the link to the next page leads to {}, not to "
                                                    "{}: credentials are not sent there",
                                                    url->Origin(), chain.first.Origin())))
        .Hint("name that host in `url`, or page by number or offset");
  }
  url->userinfo = chain.first.userinfo;
  return url;
}

/// Whether a response is a page that may follow those before. Faults that may go away with another
/// attempt are retriable.
Status Downloader::Take(const net::Response& response, Chain& chain, HttpPage& page,
                        std::optional<std::string>& next) {
  page = HttpPage();
  next.reset();
  if (result_.server_time == 0) {
    result_.server_time = net::ParseHttpDate(response.Find("date")).value_or(0);
  }
  if (response.status != 204) {
    auto parsed = ParseHttpPage(response.body, shape_, result_.columns);
    if (!parsed.ok()) return Explain(chain, std::move(parsed).error());
    page = std::move(*parsed);
  }
  if (!options_.paging) return Ok();
  const HttpPaging& paging = *options_.paging;
  const auto found = [&](const std::string& path) -> std::optional<std::string> {
    const auto at = page.found.find(path);
    if (path.empty() || at == page.found.end() || at->second.empty()) return std::nullopt;
    return at->second;
  };
  if (!paging.header.empty()) {
    const std::string link = net::NextOfLinkHeader(response.Find("link"));
    if (!link.empty()) next = link;
  }
  if (!paging.next.empty()) next = found(paging.next);
  if (!paging.cursor.empty()) next = found(paging.cursor);
  if (const auto total = found(paging.total)) {
    int64_t number = 0;
    const auto read = std::from_chars(total->data(), total->data() + total->size(), number);
    if (read.ec != std::errc() || read.ptr != total->data() + total->size()) {
      return Explain(chain,
                     ExternalError("bad_answer", fmt::format("'{}' at {} is no number of "
                                                             "rows",
                                                             total->substr(0, 40), paging.total)));
    }
    chain.total = number;
  }
  const bool counted = !paging.page.empty() || !paging.offset.empty();
  const bool end = counted ? page.rows() == 0 : !next;
  const bool same_cursor_at_end =
      !paging.cursor.empty() && next && *next == chain.cursor && page.rows() == 0;
  if (same_cursor_at_end) next.reset();
  if (next && chain.seen.count("next " + *next) > 0) {
    return Explain(
        chain, ExternalError("page_loop", "the way to the next page leads back to an earlier one")
                   .Hint("the pages were not stored; tell the API's people, or page "
                         "by number or offset")
                   .Retriable());
  }
  if (page.rows() > 0) {
    const std::string digest = "rows " + Hasher().Add(page.text).Add(page.rows()).Finish().Hex();
    if (chain.seen.count(digest) > 0) {
      return Explain(chain, ExternalError("repeated_page",
                                          "it has the rows of an earlier page: the server does "
                                          "not heed the paging")
                                .Hint("check the names of the parameters under `paging:`")
                                .Retriable());
    }
  }
  if ((end || same_cursor_at_end) && chain.total && chain.rows + page.rows() < *chain.total) {
    return Explain(chain, ExternalError("rows_missing",
                                        fmt::format("it is the last page, and {} of {} rows came",
                                                    chain.rows + page.rows(), *chain.total))
                              .Retriable());
  }
  return Ok();
}

Status Downloader::ReadPage(Chain& chain, HttpPage& page, std::optional<std::string>& next) {
  if (++requests_ > options_.max_requests) {
    return Explain(
        chain, ExternalError("too_many_requests", fmt::format("more than {} requests in one read",
                                                              options_.max_requests))
                   .Hint("if that is right, raise `max_requests`"));
  }
  auto response = client_->Fetch(RequestOf(chain), [&](const net::Response& answer) {
    return Take(answer, chain, page, next);
  });
  if (!response.ok()) return std::move(response).error();
  return Ok();
}

/// False after the last page.
Result<bool> Downloader::Advance(Chain& chain, const HttpPage& page,
                                 const std::optional<std::string>& next) {
  chain.rows += page.rows();
  if (!options_.paging) return false;
  const HttpPaging& paging = *options_.paging;
  if (!paging.page.empty() || !paging.offset.empty()) {
    if (page.rows() == 0) return false;
    if (chain.total && chain.rows >= *chain.total) return false;
    ++chain.page;
    return true;
  }
  if (!next) return false;
  chain.seen.insert("next " + *next);
  if (!paging.cursor.empty()) {
    chain.cursor = *next;
  } else {
    HR_ASSIGN(Url url, LinkUrl(chain, *next));
    chain.link = std::move(url);
  }
  ++chain.page;
  return true;
}

void Downloader::Keep(const HttpPage& page) {
  for (const int column : page.fields) result_.columns.SetPresent(column);
  const int cursor_column = options_.cursor.empty() ? -1 : result_.columns.Find(options_.cursor);
  size_t begin = 0;
  for (const uint32_t end : page.ends) {
    for (size_t n = begin; n < end; ++n) {
      const HttpPage::Cell& cell = page.cells[n];
      const std::string_view text = std::string_view(page.text).substr(cell.offset, cell.length);
      result_.columns.See(cell.column, cell.kind, text);
      if (cell.column == cursor_column) result_.highest.See(cell.kind, text);
    }
    begin = end;
  }
  for (const auto& extra : extras_) {
    result_.columns.See(extra.column, extra.kind, extra.text);
    result_.columns.SetPresent(extra.column);
  }
}

Status Downloader::ReadChain(Chain& chain) {
  while (true) {
    HttpPage page;
    std::optional<std::string> next;
    Status read = ReadPage(chain, page, next);
    if (!read.ok()) {
      const int status = client_->last_status();
      if (chain.parent != nullptr && chain.page == 1 && (status == 404 || status == 410)) {
        if (++gone_ == 1) first_gone_ = Called(chain);
        return Ok();
      }
      return read;
    }
    const bool counted =
        options_.paging && (!options_.paging->page.empty() || !options_.paging->offset.empty());
    std::set<uint64_t> digests;
    if (counted) digests = RowDigests(page);
    // Asked again, until two answers agree.
    for (int left = kAsksOfDoubtfulPage; counted && left > 0 && IsDoubtful(chain, page, digests);
         --left) {
      const HttpPage before = std::move(page);
      HR_TRY(ReadPage(chain, page, next));
      if (page.text == before.text && page.ends == before.ends) break;
      digests = RowDigests(page);
    }
    if (counted) {
      chain.recent.push_back(std::move(digests));
      if (chain.recent.size() > kRecentPages) chain.recent.pop_front();
    }
    if (page.rows() > 0) {
      chain.seen.insert("rows " + Hasher().Add(page.text).Add(page.rows()).Finish().Hex());
      Keep(page);
      HR_TRY(result_.spool->Add(page, extras_));
      if (context_.progress != nullptr) context_.progress->Advance(page.rows());
    }
    HR_ASSIGN(bool more, Advance(chain, page, next));
    if (!more) return Ok();
  }
}

Result<HttpDownload> Downloader::Run(const std::vector<HttpParent>& parents) {
  result_.spool = std::make_unique<HttpSpool>(JoinPath(context_.warehouse, "tmp"));
  shape_.records = options_.records == "." ? "" : options_.records;
  shape_.top_is_row = options_.records == ".";
  if (options_.paging) {
    for (const std::string& path :
         {options_.paging->next, options_.paging->cursor, options_.paging->total}) {
      if (!path.empty()) shape_.wanted.push_back(path);
    }
  }
  net::ClientOptions open;
  open.timeout = options_.retry.TimeoutMicros();
  open.retry = options_.retry.Policy();
  HR_ASSIGN(open.max_body_bytes, ParseBytes(options_.max_page));
  if (!options_.rate.empty()) {
    HR_ASSIGN(open.interval, net::ParseRate(options_.rate));
  }
  open.cancel = context_.cancel;
  HR_ASSIGN(client_, net::Client::Open(open));
  if (context_.progress != nullptr) context_.progress->SetStage("reading");
  for (const HttpParent& parent : parents) {
    Chain chain;
    if (!options_.for_each.empty()) chain.parent = &parent;
    HR_ASSIGN(chain.first, FirstUrl(parent));
    extras_.clear();
    for (const auto& [name, kind] : parent.kinds) {
      extras_.push_back({result_.columns.Add(name), kind, parent.values.at(name)});
    }
    HR_TRY(ReadChain(chain));
  }
  if (gone_ > 0 && gone_ == static_cast<int64_t>(parents.size())) {
    return ExternalError("not_found",
                         first_gone_ + ": status 404, as for all rows of " + options_.for_each)
        .Hint("check the `url`");
  }
  if (gone_ > 0) {
    result_.notes.push_back(
        ExternalError("not_found", fmt::format("{} of {} child requests answered 404, the first: "
                                               "{}",
                                               gone_, parents.size(), first_gone_))
            .As(Severity::kWarning));
  }
  std::string repeated;
  for (const auto& [code, count] : client_->repeated()) {
    repeated += fmt::format("{}{} {}", repeated.empty() ? "" : ", ", code, count);
  }
  if (!repeated.empty()) {
    result_.notes.push_back(ExternalError("requests_repeated",
                                          "requests that went well only when repeated: " + repeated)
                                .As(Severity::kHint));
  }
  return std::move(result_);
}

}  // namespace

void HttpHighest::See(JsonKind seen, std::string_view value) {
  if (seen != JsonKind::kNumber && seen != JsonKind::kString) {
    mixed = true;
    return;
  }
  if (kind == JsonKind::kNull) {
    kind = seen;
    text = value;
    return;
  }
  if (kind != seen) {
    mixed = true;
    return;
  }
  bool later = value > text;
  if (kind == JsonKind::kNumber) {
    long double old_number = 0, number = 0;  // 64 bits of digits: exact for all integers
    std::from_chars(text.data(), text.data() + text.size(), old_number);
    std::from_chars(value.data(), value.data() + value.size(), number);
    later = number > old_number;
  } else if (TypeOfJson(kind, text) != CsvType::kText &&
             TypeOfJson(kind, value) != CsvType::kText) {
    // As times: texts with and without fractions or offsets have no order of their own.
    const auto old_time = ParseTimestamp(text), time = ParseTimestamp(value);
    later = old_time.ok() && time.ok() ? *time > *old_time : later;
  }
  if (later) text = value;
}

Result<HttpDownload> DownloadHttp(const HttpOptions& options, const std::string& shown,
                                  const std::vector<HttpParent>& parents, const std::string& since,
                                  const pipeline::BuildContext& context) {
  return Downloader(options, shown, since, context).Run(parents);
}

}  // namespace headrace::components
