#include "components/sources/http_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/budget.h"

namespace headrace::components {
namespace {

using spec::Affects;
using spec::Field;
using spec::Spec;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Calls back for each piece: plain text, or the name of a place.
template <class F>
Status EachPiece(const std::string& text, F piece) {
  for (size_t at = 0; at < text.size();) {
    const size_t open = std::min(text.find('{', at), text.size());
    piece(text.substr(at, open - at), false);
    if (open == text.size()) break;
    const size_t close = text.find('}', open);
    const std::string name =
        close == std::string::npos ? "" : text.substr(open + 1, close - open - 1);
    if (open > 0 && text[open - 1] == '$' && close != std::string::npos) {  // not expanded yet
      piece(text.substr(open, close + 1 - open), false);
    } else if (name.empty() || !std::all_of(name.begin(), name.end(), IsNameCharacter)) {
      return UserError("bad_url", "a '{' that is not the start of a {column}")
          .Hint("write %7B for the character itself");
    } else {
      piece(name, true);
    }
    at = close + 1;
  }
  return Ok();
}

std::optional<spec::Fault> PagingRule(const HttpPaging& paging) {
  if (paging.cursor.empty() != paging.param.empty()) {
    return spec::Fault{paging.cursor.empty() ? "param" : "cursor",
                       "`cursor` (a path) and `param` (a parameter) go together",
                       "{cursor: meta.cursor, param: after}"};
  }
  if (paging.size > 0 && paging.page.empty()) {
    return spec::Fault{"size", "size needs `page`, the parameter that counts pages", ""};
  }
  if (paging.limit > 0 && paging.offset.empty()) {
    return spec::Fault{"limit", "limit needs `offset`, the parameter that counts rows", ""};
  }
  return std::nullopt;
}

std::optional<spec::Fault> SourceRule(const HttpOptions& o) {
  if (!o.since.empty() && o.cursor.empty()) {
    return spec::Fault{"since", "since needs a cursor", "name the column as `cursor:`"};
  }
  if (!o.since.empty() && !o.for_each.empty()) {
    return spec::Fault{"since", "since can't stand beside `for_each`",
                       "rows of a new parent may be older than the cursor: leave `since` out"};
  }
  if (!o.lookback.text.empty() && o.since.empty()) {
    return spec::Fault{"lookback", "lookback needs `since`, the parameter it is sent in", ""};
  }
  if (o.lookback.months != 0) {
    return spec::Fault{"lookback", "lookback can't be in months",
                       "write days: months have no fixed length"};
  }
  if (!o.rate.empty() && !net::ParseRate(o.rate).ok()) {
    return spec::Fault{"rate", "'" + o.rate + "' is no rate", "write it like 10/s or 100/min"};
  }
  if (!ParseBytes(o.max_page).ok()) {
    return spec::Fault{"max_page", "'" + o.max_page + "' is no size", "write it like 64MB"};
  }
  if (!o.body.IsNull() && o.method != HttpMethod::kPost) {
    return spec::Fault{"body", "a body needs `method: POST`", ""};
  }
  if (o.for_each.empty()) {
    auto places = PlacesOf(o.url);
    if (places.ok() && !places->empty()) {
      return spec::Fault{
          "url",
          fmt::format("{{{}}} needs `for_each`, the node whose rows fill it", places->front()), ""};
    }
  }
  return std::nullopt;
}

std::vector<Field> SourceFields() {
  return {
      Field("url", &HttpOptions::url, "Where the rows are; {column} is filled from `for_each`.")
          .NotEmpty()
          .Example("https://api.example.com/tickets"),
      Field("method", &HttpOptions::method, "GET or POST.").Default(),
      Field("params", &HttpOptions::params, "Parameters of the query, encoded as they must be.")
          .Optional()
          .Example(spec::Value::Map{{"status", "open"}}),
      Field("headers", &HttpOptions::headers, "More headers; credentials belong under `auth`.")
          .Optional()
          .Secret(),
      Field("body", &HttpOptions::body, "What a POST sends, as JSON.").Optional(),
      Field("records", &HttpOptions::records,
            "Path to the rows in the answer; not given: the answer is a list. `.` takes an object "
            "as one row.")
          .Optional()
          .Example("data.items"),
      Field("paging", &HttpOptions::paging, "How pages follow each other; not given: one page."),
      Field("auth", &HttpOptions::auth, "Who asks. Dropped when a redirect leads elsewhere.")
          .Affects(Affects::kPolicy),
      Field("rate", &HttpOptions::rate, "How often it is asked at most: 10/s, 100/min, 5000/hour.")
          .Optional()
          .Affects(Affects::kPolicy)
          .Example("10/s"),
      Field("for_each", &HttpOptions::for_each,
            "Node whose rows fill the {column}s of `url` and `params`: one request for each "
            "distinct value. The columns become columns of the rows.")
          .Optional()
          .Node(),
      Field("cursor", &HttpOptions::cursor,
            "Column that only grows; of two rows of one key the one with the later cursor wins.")
          .Optional()
          .Column()
          .Example("updated_at"),
      Field("since", &HttpOptions::since,
            "Parameter that gets the last value of the cursor, so that only newer rows come. "
            "Without it everything is read each time.")
          .Optional()
          .Example("updated_since"),
      Field("lookback", &HttpOptions::lookback,
            "How far before its last value the cursor is read again, for rows that arrive late; "
            "15 minutes without it.")
          .Optional()
          .Example("1 hour"),
      Field("key", &HttpOptions::key,
            "Columns that identify a row: the row with the latest cursor wins, then the last one "
            "read.")
          .Optional()
          .Column()
          .NotEmpty()
          .Example("id"),
      Field("schema_change", &HttpOptions::schema_change,
            "What may change in the columns from one run to the next.")
          .Default()
          .Affects(Affects::kPolicy),
      Field("retry", &HttpOptions::retry, "How often a request is tried, and how long it may take.")
          .Default()
          .Affects(Affects::kPolicy),
      Field("max_page", &HttpOptions::max_page, "Largest answer that is taken, unpacked.")
          .Default()
          .Affects(Affects::kPolicy)
          .Advanced(),
      Field("max_requests", &HttpOptions::max_requests,
            "Most requests of one read: a paging without end is an error.")
          .Default()
          .Min(1)
          .Affects(Affects::kPolicy)
          .Advanced(),
      Field("allow_http", &HttpOptions::allow_http,
            "Send credentials over http too, to machines other than this one.")
          .Default()
          .Affects(Affects::kPolicy)
          .Advanced()};
}

}  // namespace

const spec::Options& SpecOptions(HttpMethod*) {
  static const spec::Options options{
      {"GET", "Asks.", static_cast<int64_t>(HttpMethod::kGet)},
      {"POST", "Asks with a body.", static_cast<int64_t>(HttpMethod::kPost)}};
  return options;
}

const Spec& HttpPaging::Describe() {
  static const Spec spec = [] {
    Spec s{
        "",
        "paging",
        "How pages follow each other.",
        {Field("next", &HttpPaging::next, "Path to the link of the next page in the answer.")
             .Optional()
             .Example("links.next"),
         Field("header", &HttpPaging::header, "`next`: that link of the Link header.")
             .Optional()
             .OneOf({{"next", "The link with rel=\"next\"."}}),
         Field("page", &HttpPaging::page, "Parameter that counts pages.").Optional(),
         Field("first", &HttpPaging::first, "Number of the first page.").Default().Min(0),
         Field("size", &HttpPaging::size, "Rows of a page, sent as `size_param`.")
             .Optional()
             .Min(1),
         Field("size_param", &HttpPaging::size_param, "Parameter that gets `size`.").Default(),
         Field("offset", &HttpPaging::offset, "Parameter that counts rows.").Optional(),
         Field("limit", &HttpPaging::limit, "Rows of a page, sent as `limit_param`.")
             .Optional()
             .Min(1),
         Field("limit_param", &HttpPaging::limit_param, "Parameter that gets `limit`.").Default(),
         Field("cursor", &HttpPaging::cursor,
               "Path to a value of the answer that leads to the next page.")
             .Optional()
             .Example("meta.cursor"),
         Field("param", &HttpPaging::param, "Parameter that gets the value of `cursor`.")
             .Optional()
             .Example("after"),
         Field("total", &HttpPaging::total,
               "Path to the number of all rows: fewer rows are an error.")
             .Optional()
             .Example("meta.total")}};
    s.ExactlyOne({"next", "header", "page", "offset", "cursor"});
    s.Rule<HttpPaging>(&PagingRule);
    return s;
  }();
  return spec;
}

const Spec& HttpSourceSpec() {
  static const Spec spec = [] {
    Spec s("source", "http", "Rows of a HTTP API that answers with JSON.", SourceFields());
    s.Rule<HttpOptions>(&SourceRule);
    s.Details(
        "A field is a column. Numbers, booleans and ISO dates and times get the narrowest type "
        "that holds all values; a field that is an object or a list is its JSON text, unless "
        "`columns:` gives it a type such as VARCHAR[] or STRUCT(a BIGINT). Numbers beyond 64 bits "
        "stay text.\n\n"
        "Pages counted by `page` or `offset` end with an empty page (asked for twice) or, with "
        "`total`, when all rows are there; a short page is no end. The same page, link or cursor "
        "again is an error. Nothing is stored unless all pages came.\n\n"
        "It is asked in every run. With `cursor` and `since` only for what is new: such rows are "
        "added to those that are there, rows that are there already are not doubled. The cursor "
        "never passes the server's own clock. Rows without a value in it are set aside in "
        "NODE__quarantine.\n\n"
        "A child request (`for_each`) that answers 404 or 410 has no rows; how many there were is "
        "reported.");
    s.Example(
        "source: http\nurl: https://api.example.com/tickets\nrecords: data.items\npaging: {next: "
        "links.next}\nauth: {bearer: \"${API_TOKEN}\"}\nrate: 10/s\ncursor: updated_at\nsince: "
        "updated_since\nkey: id\n");
    s.Example(
        "source: http\nurl: https://api.example.com/tickets/{id}/comments\nfor_each: tickets\n"
        "paging: {page: page, size: 100, size_param: per_page}\n");
    return s;
  }();
  return spec;
}

Result<std::vector<std::string>> PlacesOf(const std::string& text) {
  std::vector<std::string> names;
  HR_TRY(EachPiece(text, [&](const std::string& piece, bool place) {
    if (place && std::find(names.begin(), names.end(), piece) == names.end()) {
      names.push_back(piece);
    }
  }));
  return names;
}

std::string FillPlaces(const std::string& text, const std::map<std::string, std::string>& values,
                       bool encode) {
  std::string out;
  const Status status = EachPiece(text, [&](const std::string& piece, bool place) {
    if (!place) {
      out += piece;
    } else if (const auto found = values.find(piece); found != values.end()) {
      out += encode ? net::PercentEncode(found->second) : found->second;
    }
  });
  return status.ok() ? out : text;
}

}  // namespace headrace::components
