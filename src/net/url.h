#pragma once
// URLs as text: taken apart strictly, put together safely.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace headrace::net {

/// An http or https URL. Plain data.
struct Url {
  std::string scheme;    ///< "http" or "https"
  std::string userinfo;  ///< "user:password", as written
  std::string host;      ///< lower case; IPv6 without brackets
  int port = 0;          ///< the scheme's own when the URL says none
  std::string path;      ///< starts with "/" (or is empty)
  std::string query;     ///< without "?"

  /// "https://host" or "https://host:8443": what errors may show.
  std::string Origin() const;
  bool SameOrigin(const Url& other) const;
  /// The machine itself: localhost, 127.0.0.0/8, ::1.
  bool IsLoopback() const;
  std::string Text() const;
};

/// Error "bad_url" (blame user; the message never repeats the URL). Without a scheme it is https.
/// A fragment is dropped.
Result<Url> ParseUrl(std::string_view text);

/// A link as a page or a Location header gives it, seen from `base`: absolute, //host/…, /path,
/// ?query or relative. Error "bad_url".
Result<Url> ResolveLink(const Url& base, std::string_view link);

/// Everything but letters, digits, - . _ ~ as %XX.
std::string PercentEncode(std::string_view text);
/// Adds or replaces parameters of the query, in order.
void SetParameters(Url& url, const std::vector<std::pair<std::string, std::string>>& parameters);

/// The target of `rel="next"` in a Link header (RFC 8288), "" when there is none.
std::string NextOfLinkHeader(std::string_view header);

}  // namespace headrace::net
