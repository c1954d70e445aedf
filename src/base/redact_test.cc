#include "base/redact.h"

#include <gtest/gtest.h>

#include <random>

namespace headrace {
namespace {

std::string Base64(std::string_view bytes, bool url) {
  const std::string_view alphabet =
      url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
          : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t triple = 0;
    for (size_t k = 0; k < 3; ++k) {
      triple = triple << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += i + k <= bytes.size() ? alphabet[triple >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

std::string Percent(std::string_view text, const char* hex, bool all) {
  std::string out;
  for (char c : text) {
    if (!all && std::isalnum(static_cast<unsigned char>(c)) != 0) {
      out += c;
    } else {
      out += '%';
      out += hex[static_cast<uint8_t>(c) >> 4];
      out += hex[static_cast<uint8_t>(c) & 15];
    }
  }
  return out;
}

TEST(Redactor, MasksPlainValues) {
  Redactor redactor;
  EXPECT_TRUE(redactor.empty());
  redactor.AddSecret("short");
  EXPECT_TRUE(redactor.empty());
  redactor.AddSecret("hunter22");
  redactor.AddSecret("hunter22-long");
  EXPECT_EQ(redactor.Redact("a hunter22, hunter22-long b"), "a ***, *** b");
  EXPECT_EQ(redactor.Redact("hunter22hunter22"), "******");
  EXPECT_EQ(redactor.Redact("hunter2"), "hunter2");
  EXPECT_EQ(redactor.Redact(""), "");
}

TEST(Redactor, OverlappingSecretsLeaveNothing) {
  Redactor redactor;
  redactor.AddSecret("abcdefgh");
  redactor.AddSecret("efghijkl");
  EXPECT_EQ(redactor.Redact("-abcdefghijkl-"), "-***-");
}

TEST(Redactor, MasksUrlEncodedValues) {
  const std::string secret = "p4ss/w\"ö rd+%";
  Redactor redactor;
  redactor.AddSecret(secret);
  for (const char* hex : {"0123456789ABCDEF", "0123456789abcdef"}) {
    EXPECT_EQ(redactor.Redact("postgres://u:" + Percent(secret, hex, false) + "@h"),
              "postgres://u:***@h");
    EXPECT_EQ(redactor.Redact("x=" + Percent(secret, hex, true)), "x=***");
  }
  EXPECT_EQ(redactor.Redact("p4ss/w%22%C3%b6+rd%2B%25&y"), "***&y");
}

TEST(Redactor, MasksJsonEscapedValues) {
  Redactor redactor;
  redactor.AddSecret("p4\"s/ö\n😀");
  EXPECT_EQ(redactor.Redact(R"({"a":"p4\"s\/ö\n😀"})"), R"({"a":"***"})");
  EXPECT_EQ(redactor.Redact(R"("p4\u0022s/\u00f6\u000A\ud83d\uDE00")"), "\"***\"");
  EXPECT_EQ(redactor.Redact("\\"), "\\");
  EXPECT_EQ(redactor.Redact("\\u12"), "\\u12");
}

// Whatever stands before and behind the secret, nothing of its base64 form stays.
TEST(Redactor, MasksBase64AtEveryAlignment) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string secret, before, after;
    for (size_t i = 0; i < 6 + random() % 20; ++i) secret += static_cast<char>(random());
    for (size_t i = 0; i < random() % 7; ++i) before += static_cast<char>('a' + random() % 26);
    for (size_t i = 0; i < random() % 7; ++i) after += static_cast<char>('a' + random() % 26);
    Redactor redactor;
    redactor.AddSecret(secret);
    for (bool url : {false, true}) {
      const std::string text = "Basic " + Base64(before + secret + after, url) + " .";
      const std::string masked = redactor.Redact(text);
      const size_t mask = masked.find("***");
      ASSERT_NE(mask, std::string::npos) << text;
      // What is left are characters that depend on the neighbours alone.
      const std::string left = masked.substr(6, mask - 6);
      EXPECT_LE(left.size() * 6, before.size() * 8) << text << " → " << masked;
      const size_t end = masked.find_last_not_of("= .") + 1;
      const size_t behind = end > mask + 3 ? end - mask - 3 : 0;
      EXPECT_LE(behind * 6, after.size() * 8 + 5) << text << " → " << masked;
    }
  }
}

TEST(Redactor, ErrorsAreMaskedWithTheirCauses) {
  Redactor redactor;
  redactor.AddSecret("hunter22");
  Error error = ExternalError("x", "no hunter22")
                    .At({.file = "a.yml",
                         .line = 1,
                         .column = 6,
                         .length = 8,
                         .source_line = "uri: hunter22"})
                    .Candidates({"hunter22"})
                    .Hint("hunter22")
                    .Cause(ExternalError("y", "because of hunter22"));
  EXPECT_EQ(Render(redactor.Redact(error)),
            "a.yml:1: error[x]: no ***\n"
            "  1 | uri: ***\n"
            "    | ^ did you mean '***'?\n"
            "  hint: ***\n"
            "  because: because of ***");
}

}  // namespace
}  // namespace headrace
