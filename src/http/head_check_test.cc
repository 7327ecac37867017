#include "http/head_check.h"

#include <gtest/gtest.h>

namespace reel::http {
namespace {

using Outcome = HeadScanner::Outcome;

Outcome scan_all(std::string_view bytes) {
  HeadScanner scanner;
  return scanner.scan(bytes);
}

//! The status with which a complete head is refused, 0 when it is accepted.
int status_of(std::string_view head, HeadLimits limits = {}) {
  const auto parsed = parse_head(head, limits);
  return parsed ? 0 : parsed.error().status;
}

ParsedHead accepted(std::string_view head) {
  auto parsed = parse_head(head, {});
  EXPECT_TRUE(parsed) << head;
  return parsed ? *std::move(parsed) : ParsedHead();
}

TEST(HeadScannerTest, FindsTheEndBytewise) {
  constexpr std::string_view kHead = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  HeadScanner scanner;
  for (std::size_t n = 0; n < kHead.size(); ++n) {
    ASSERT_EQ(scanner.scan(kHead.substr(0, n)), Outcome::need_more) << n;
  }
  EXPECT_EQ(scanner.scan(kHead), Outcome::complete);
  EXPECT_EQ(scanner.head_bytes(), kHead.size());
}

TEST(HeadScannerTest, LeavesWhatFollows) {
  HeadScanner scanner;
  EXPECT_EQ(scanner.scan("\r\n\r\nGET / HTTP/1.1\r\n\r\nPOST"), Outcome::complete);
  EXPECT_EQ(scanner.head_begin(), 4U);
  EXPECT_EQ(scanner.head_bytes(), 18U);
}

TEST(HeadScannerTest, RefusesAtTheFirstBadByte) {
  EXPECT_EQ(scan_all("GET / HTTP/1.1\n"), Outcome::malformed);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\nHost: x\n"), Outcome::malformed);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\r"), Outcome::malformed);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\nHost: x\rY"), Outcome::malformed);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\nHost: x\r\n\r\r"), Outcome::malformed);
  EXPECT_EQ(scan_all(std::string_view("GET /\0", 6)), Outcome::malformed);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\nX: \x01"), Outcome::malformed);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\nX: \x7f"), Outcome::malformed);
  EXPECT_EQ(scan_all("\x16\x03\x01"), Outcome::malformed) << "a TLS hello";
  EXPECT_EQ(scan_all(" GET"), Outcome::malformed);
  EXPECT_EQ(scan_all("\n"), Outcome::malformed);
}

TEST(HeadScannerTest, RefusesFoldedLines) {
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\nX: a\r\n b"), Outcome::malformed);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\nX: a\r\n\tb"), Outcome::malformed);
  EXPECT_EQ(scan_all("GET / HTTP/1.1\r\n X: a"), Outcome::malformed);
}

TEST(ParseHeadTest, ReadsARequest) {
  const ParsedHead parsed = accepted(
      "PUT /a%20b/c?x=1&y=%2F?z HTTP/1.1\r\nHost: h:8000\r\nContent-Length: 12\r\n"
      "X-Thing:  \tv w\t \r\nX-Empty:\r\n\r\n");
  EXPECT_EQ(parsed.head.method, api::Method::put);
  EXPECT_EQ(parsed.head.path, "/a%20b/c");
  EXPECT_EQ(parsed.head.query, "x=1&y=%2F?z");
  EXPECT_EQ(parsed.head.content_length, 12U);
  EXPECT_FALSE(parsed.head.chunked);
  EXPECT_EQ(*parsed.head.headers.find("x-thing"), "v w");
  EXPECT_EQ(*parsed.head.headers.find("x-empty"), "");
  EXPECT_TRUE(parsed.keep_alive);
  EXPECT_FALSE(parsed.expects_continue);
}

TEST(ParseHeadTest, KeepAliveFollowsVersionAndConnection) {
  EXPECT_FALSE(accepted("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(accepted("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  EXPECT_FALSE(accepted("GET / HTTP/1.1\r\nHost: x\r\nConnection: a, Close\r\n\r\n").keep_alive);
}

TEST(ParseHeadTest, NeedsExactlyOneHostOn11) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
}

TEST(ParseHeadTest, NeedsOnePlainLength) {
  for (const std::string_view bad :
       {"5, 5", "5,5", "+5", "-5", "0x5", "5 5", "", "5;", "99999999999999999999"}) {
    EXPECT_EQ(
        status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::string(bad) + "\r\n\r\n"),
        400)
        << bad;
  }
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                      "Content-Length: 5\r\n\r\n"),
            400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                      "Content-Length: 6\r\n\r\n"),
            400);
}

TEST(ParseHeadTest, KnowsOnlyTheChunkedCodingOn11) {
  const std::string begin = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ";
  EXPECT_TRUE(accepted(begin + "chunked\r\n\r\n").head.chunked);
  EXPECT_TRUE(accepted(begin + "Chunked\r\n\r\n").head.chunked);
  for (const std::string_view bad : {"gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked",
                                     "identity", "chunkedx", "", "chunked;q=1", "\"chunked\""}) {
    EXPECT_EQ(status_of(begin + std::string(bad) + "\r\n\r\n"), 501) << bad;
  }
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(ParseHeadTest, RefusesTwoFramings) {
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n"),
            400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                      "Content-Length: 5\r\n\r\n"),
            400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n"),
            400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n"
                      "Content-Length: 5\r\n\r\n"),
            400);
}

TEST(ParseHeadTest, RefusesBadTargets) {
  for (const std::string_view bad :
       {"*", "x", "x:80", "/a%", "/a%2", "/a%zz", "/a%00", "/?%", "/?a=%0", "/a#b", "/\xc3\xa9",
        "http://", "http:///x", "http://a@b/", "ftp://x/", "?x"}) {
    EXPECT_EQ(status_of("GET " + std::string(bad) + " HTTP/1.1\r\nHost: x\r\n\r\n"), 400) << bad;
  }
  EXPECT_EQ(status_of("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
}

TEST(ParseHeadTest, LetsTimerangesThroughUnescaped) {
  EXPECT_EQ(accepted("GET /s?timerange=[0:0_10:0) HTTP/1.1\r\nHost: x\r\n\r\n").head.query,
            "timerange=[0:0_10:0)");
}

TEST(ParseHeadTest, CutsAbsoluteTargets) {
  const ParsedHead parsed = accepted("GET HTTP://real:81/a?b=//c HTTP/1.1\r\nHost: other\r\n\r\n");
  EXPECT_EQ(parsed.head.path, "/a");
  EXPECT_EQ(parsed.head.query, "b=//c");
  EXPECT_EQ(*parsed.head.headers.find("Host"), "real:81");
  EXPECT_EQ(accepted("GET https://real HTTP/1.1\r\nHost: x\r\n\r\n").head.path, "/");
  const ParsedHead bare = accepted("GET http://real?q HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(bare.head.path, "/");
  EXPECT_EQ(bare.head.query, "q");
}

TEST(ParseHeadTest, LeavesUnknownMethodsToTheApplication) {
  for (const std::string_view method : {"get", "QUERY", "BREW", "OTHER"}) {
    const ParsedHead parsed = accepted(std::string(method) + " / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(parsed.head.method, api::Method::other) << method;
  }
  EXPECT_EQ(status_of("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(status_of("G(T / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
}

TEST(ParseHeadTest, RefusesUnknownVersions) {
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/1.2\r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/0.9\r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTPS/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\n"), 505) << "the HTTP/2 preface";
}

TEST(ParseHeadTest, RefusesBadFields) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost : x\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nA\xc3: y\r\n\r\n"), 400);
}

TEST(ParseHeadTest, ExpectationsAreMetOrRefused) {
  EXPECT_TRUE(accepted("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                       "Expect: 100-Continue\r\n\r\n")
                  .expects_continue);
  EXPECT_FALSE(accepted("PUT / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
                   .expects_continue);
  EXPECT_EQ(status_of("PUT / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n"), 417);
}

TEST(ParseHeadTest, UrlLimit) {
  const HeadLimits limits{10, 100};
  EXPECT_EQ(status_of("GET /23456789a HTTP/1.1\r\nHost: x\r\n\r\n", limits), 0);
  EXPECT_EQ(status_of("GET /23456789ab HTTP/1.1\r\nHost: x\r\n\r\n", limits), 414);
}

TEST(ParseHeadTest, FieldLimit) {
  const HeadLimits limits{100, 3};
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\n\r\n", limits), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", limits), 431);
}

}  // namespace
}  // namespace reel::http
