#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>

namespace headrace::net {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string LowerText(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

Error BadUrl(const std::string& why) {
  return UserError("bad_url", "this is no URL of http or https: " + why)
      .Hint("write it like https://api.example.com/tickets");
}

int DefaultPort(const std::string& scheme) { return scheme == "http" ? 80 : 443; }

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

Status ReadAuthority(std::string_view text, Url& url) {
  if (const size_t at = text.rfind('@'); at != std::string_view::npos) {
    url.userinfo = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return BadUrl("the bracket of the host is not closed");
    url.host = LowerText(text.substr(1, close - 1));
    port = text.substr(close + 1);
    if (!port.empty() && port.front() != ':') return BadUrl("text behind the host");
  } else {
    const size_t colon = text.find(':');
    url.host = LowerText(text.substr(0, colon));
    if (colon != std::string_view::npos) port = text.substr(colon);
    const bool odd = url.host.find_first_of("[]{}|^`<>\"'%$,;!*()&=+") != std::string::npos;
    if (odd) return BadUrl("the host holds a character that no host has");
  }
  if (url.host.empty()) return BadUrl("there is no host");
  url.port = DefaultPort(url.scheme);
  if (port.size() > 1) {
    port.remove_prefix(1);
    int number = 0;
    for (char c : port) {
      if (c < '0' || c > '9' || number > 65535) return BadUrl("the port is no number");
      number = number * 10 + (c - '0');
    }
    if (number < 1 || number > 65535) return BadUrl("the port is not between 1 and 65535");
    url.port = number;
  }
  return Ok();
}

void ReadPath(std::string_view rest, Url& url) {
  rest = rest.substr(0, rest.find('#'));
  const size_t question = rest.find('?');
  url.path = rest.substr(0, question);
  url.query = question == std::string_view::npos ? "" : std::string(rest.substr(question + 1));
}

bool HoldsOddBytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '\\';
  });
}

/// "." and ".." as RFC 3986 §5.2.4 removes them.
std::string RemoveDots(const std::string& path) {
  std::vector<std::string_view> parts;
  const std::string_view text = path;
  size_t begin = 1;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    const bool last = end == text.size();
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
      if (last) parts.push_back("");
    } else if (part == ".") {
      if (last) parts.push_back("");
    } else {
      parts.push_back(part);
    }
    begin = end + 1;
  }
  std::string out;
  for (std::string_view part : parts) out += "/" + std::string(part);
  return out.empty() ? "/" : out;
}

}  // namespace

std::string Url::Origin() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return scheme + "://" + name + (port == DefaultPort(scheme) ? "" : fmt::format(":{}", port));
}

bool Url::SameOrigin(const Url& other) const {
  return scheme == other.scheme && host == other.host && port == other.port;
}

bool Url::IsLoopback() const {
  const auto is_part_of_address = [](char c) { return c == '.' || (c >= '0' && c <= '9'); };
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && std::all_of(host.begin(), host.end(), is_part_of_address));
}

std::string Url::Text() const {
  std::string text = Origin();
  if (!userinfo.empty()) text.insert(scheme.size() + 3, userinfo + "@");
  text += path.empty() ? "/" : path;
  return query.empty() ? text : text + "?" + query;
}

Result<Url> ParseUrl(std::string_view text) {
  if (text.empty()) return BadUrl("it is empty");
  if (HoldsOddBytes(text)) return BadUrl("it holds a blank, a line break or a backslash");
  Url url;
  url.scheme = "https";
  if (const size_t colon = text.find("://");
      colon != std::string_view::npos && text.find_first_of("/?#") == colon + 1) {
    url.scheme = LowerText(text.substr(0, colon));
    if (url.scheme != "http" && url.scheme != "https") {
      return BadUrl(fmt::format("the scheme is '{}'", url.scheme.substr(0, 20)));
    }
    text.remove_prefix(colon + 3);
  }
  const size_t end = std::min(text.find_first_of("/?#"), text.size());
  HR_TRY(ReadAuthority(text.substr(0, end), url));
  ReadPath(text.substr(end), url);
  return url;
}

Result<Url> ResolveLink(const Url& base, std::string_view link) {
  if (link.find("://") != std::string_view::npos &&
      link.find_first_of("/?#") == link.find("://") + 1) {
    return ParseUrl(link);
  }
  if (link.empty() || HoldsOddBytes(link)) return BadUrl("the link is empty or holds a blank");
  if (link.starts_with("//")) return ParseUrl(base.scheme + ":" + std::string(link));
  Url url = base;
  if (link.starts_with('?')) {
    url.query = link.substr(
        1, link.find('#') == std::string_view::npos ? std::string_view::npos : link.find('#') - 1);
    return url;
  }
  if (link.starts_with('/')) {
    ReadPath(link, url);
  } else {
    const std::string folder = base.path.substr(0, base.path.rfind('/') + 1);
    ReadPath((folder.empty() ? "/" : folder) + std::string(link), url);
  }
  url.path = RemoveDots(url.path);
  return url;
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (IsUnreserved(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

void SetParameters(Url& url, const std::vector<std::pair<std::string, std::string>>& parameters) {
  for (const auto& [name, value] : parameters) {
    const std::string encoded = PercentEncode(name);
    std::string query;
    std::string_view rest = url.query;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('&'), rest.size());
      const std::string_view one = rest.substr(0, end);
      const std::string_view its_name = one.substr(0, one.find('='));
      if (!one.empty() && its_name != encoded && its_name != name) {
        query += (query.empty() ? "" : "&") + std::string(one);
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    url.query = query + (query.empty() ? "" : "&") + encoded + "=" + PercentEncode(value);
  }
}

std::string NextOfLinkHeader(std::string_view header) {
  // <url>; rel="next"; title="a, b", <url>; rel=prev
  while (true) {
    const size_t open = header.find('<');
    if (open == std::string_view::npos) return "";
    const size_t close = header.find('>', open);
    if (close == std::string_view::npos) return "";
    const std::string target(header.substr(open + 1, close - open - 1));
    header.remove_prefix(close + 1);
    size_t end = 0;
    for (bool quoted = false; end < header.size(); ++end) {
      if (header[end] == '"') quoted = !quoted;
      if (header[end] == ',' && !quoted) break;
    }
    const std::string attributes = LowerText(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    size_t rel = attributes.find("rel=");
    if (rel == std::string::npos) continue;
    std::string words = attributes.substr(rel + 4);
    if (words.starts_with('"')) {
      words = words.substr(1, words.find('"', 1) - 1);
    } else {
      words = words.substr(0, words.find_first_of("; "));
    }
    words = " " + words + " ";
    if (words.find(" next ") != std::string::npos) return target;
  }
}

}  // namespace headrace::net
