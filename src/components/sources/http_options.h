#pragma once
// The fields of `source: http`. Those about a request (auth, retry) are shared with actions.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "components/http_fields.h"
#include "components/sources/schema_change.h"
#include "spec/spec.h"

namespace headrace::components {

/// How pages follow each other; exactly one of next, header, page, offset, cursor.
struct HttpPaging {
  std::string next;    ///< path to the next page's link in the body
  std::string header;  ///< "next": the link is in the Link header
  std::string page;    ///< parameter that counts pages
  int first = 1;       ///< number of the first page
  int64_t size = 0;    ///< rows of a page; 0 = not sent
  std::string size_param = "size";
  std::string offset;  ///< parameter that counts rows
  int64_t limit = 0;   ///< rows of a page; 0 = not sent
  std::string limit_param = "limit";
  std::string cursor;  ///< path to what the next request sends …
  std::string param;   ///< … under this parameter
  std::string total;   ///< path to the number of all rows, to check that all came
  static const spec::Spec& Describe();
};

enum class HttpMethod { kGet, kPost };
const spec::Options& SpecOptions(HttpMethod*);

struct HttpOptions {
  std::string url;
  HttpMethod method = HttpMethod::kGet;
  std::map<std::string, std::string> params;
  std::map<std::string, std::string> headers;
  spec::Value body;
  std::string records;
  std::optional<HttpPaging> paging;
  std::optional<HttpAuth> auth;
  std::string rate;
  std::string for_each;  ///< node whose rows fill {column} in url and params
  std::string cursor;
  std::string since;  ///< parameter that gets the last value of the cursor
  spec::Duration lookback;
  std::vector<std::string> key;
  SchemaChange schema_change = SchemaChange::kAdd;
  HttpRetry retry;
  std::string max_page = "64MB";
  int64_t max_requests = 100'000;
  bool allow_http = false;
};
const spec::Spec& HttpSourceSpec();

/// The names in {…} of a text, in order, each once; "${…}" is no such place. Error "bad_url" when a
/// brace is not closed or holds no name.
Result<std::vector<std::string>> PlacesOf(const std::string& text);
/// The text with the places filled. `encode`: percent-encoded.
std::string FillPlaces(const std::string& text, const std::map<std::string, std::string>& values,
                       bool encode);

}  // namespace headrace::components
