#pragma once
// All pages of a HTTP source, for all parents, into a spool. Nothing is taken over unless every
// page came whole.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "components/sources/http_options.h"
#include "components/sources/http_spool.h"
#include "pipeline/component.h"

namespace headrace::components {

/// One row of `for_each`, as far as the request needs it.
struct HttpParent {
  std::map<std::string, std::string> values;  ///< by place
  std::vector<std::pair<std::string, JsonKind>> kinds;
};

/// The highest value of the cursor column.
struct HttpHighest {
  JsonKind kind = JsonKind::kNull;  ///< kNull: none; kNumber or kString
  std::string text;
  bool mixed = false;  ///< numbers and texts

  void See(JsonKind kind, std::string_view text);
};

struct HttpDownload {
  HttpColumns columns;
  std::unique_ptr<HttpSpool> spool;
  HttpHighest highest;
  Timestamp server_time = 0;  ///< of the first answer; 0 = not said
  std::vector<Error> notes;
};

/// `since` is the value for the parameter, "" = everything. Errors: those of net::Client (Fetch)
/// and ParseHttpPage, and "repeated_page", "page_loop" (a link or cursor seen before),
/// "next_elsewhere" (a link to another host), "rows_missing" (fewer than `total`),
/// "too_many_requests"; all name the page.
Result<HttpDownload> DownloadHttp(const HttpOptions& options, const std::string& shown,
                                  const std::vector<HttpParent>& parents, const std::string& since,
                                  const pipeline::BuildContext& context);

}  // namespace headrace::components
