#include "net/url.h"

#include <gtest/gtest.h>

namespace headrace::net {
namespace {

std::string Parsed(std::string_view text) {
  auto url = ParseUrl(text);
  return url.ok() ? url->Text() : url.error().code;
}
std::string Resolved(std::string_view base, std::string_view link) {
  auto url = ResolveLink(*ParseUrl(base), link);
  return url.ok() ? url->Text() : url.error().code;
}

TEST(Url, IsTakenApart) {
  EXPECT_EQ(Parsed("https://API.example.com/a/b?x=1#f"), "https://api.example.com/a/b?x=1");
  EXPECT_EQ(Parsed("api.example.com/a?u=http://x"), "https://api.example.com/a?u=http://x");
  EXPECT_EQ(Parsed("http://u:p@h:8080"), "http://u:p@h:8080/");
  EXPECT_EQ(Parsed("http://[::1]:80/x"), "http://[::1]/x");
  for (const char* bad :
       {"", "ftp://h/x", "https://", "https://h:0/", "https://h:99999", "https://h x/",
        "https://a\\b/", "https://h/\n", "https://{host}/", "file:///etc/passwd"}) {
    EXPECT_EQ(Parsed(bad), "bad_url") << bad;
  }
}

TEST(Url, ErrorsNeverRepeatIt) {
  auto url = ParseUrl("https://user:secret-password@h:no/");
  ASSERT_FALSE(url.ok());
  EXPECT_EQ(Render(url.error()).find("secret-password"), std::string::npos);
}

TEST(Url, LinksSeenFromAPage) {
  const char* base = "https://h/a/b?page=1";
  EXPECT_EQ(Resolved(base, "?page=2"), "https://h/a/b?page=2");
  EXPECT_EQ(Resolved(base, "c?page=2"), "https://h/a/c?page=2");
  EXPECT_EQ(Resolved(base, "../c"), "https://h/c");
  EXPECT_EQ(Resolved(base, "/../../c"), "https://h/c");
  EXPECT_EQ(Resolved(base, "//other/c"), "https://other/c");
  EXPECT_EQ(Resolved(base, "http://other:1/c"), "http://other:1/c");
  EXPECT_EQ(Resolved(base, "/c?u=https://x"), "https://h/c?u=https://x");
  EXPECT_EQ(Resolved(base, "javascript://x"), "bad_url");
}

TEST(Url, Loopback) {
  EXPECT_TRUE(ParseUrl("http://127.0.0.1/")->IsLoopback());
  EXPECT_TRUE(ParseUrl("http://[::1]/")->IsLoopback());
  EXPECT_FALSE(ParseUrl("http://127.0.0.1.example.com/")->IsLoopback());
}

TEST(Url, Parameters) {
  Url url = *ParseUrl("https://h/a?x=1&after=old&y");
  SetParameters(url, {{"after", "a b/&="}, {"ü", "1"}});
  EXPECT_EQ(url.query, "x=1&y&after=a%20b%2F%26%3D&%C3%BC=1");
}

TEST(Url, LinkHeader) {
  EXPECT_EQ(NextOfLinkHeader("<https://h/1>; rel=\"first\", <https://h/2,3>; rel=\"next\""),
            "https://h/2,3");
  EXPECT_EQ(NextOfLinkHeader("<a>; title=\"x, rel=next\"; rel=prev, <b>; REL=next"), "b");
  EXPECT_EQ(NextOfLinkHeader("<b>; rel=\"last next\""), "b");
  EXPECT_EQ(NextOfLinkHeader("<a>; rel=prev"), "");
  EXPECT_EQ(NextOfLinkHeader("<a"), "");
  EXPECT_EQ(NextOfLinkHeader(""), "");
}

}  // namespace
}  // namespace headrace::net
