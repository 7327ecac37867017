#include "http/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/entity_tag.h"

namespace reel::http {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kGzipMin = 1'000;

api::RequestHead head_with(std::initializer_list<std::pair<std::string, std::string>> fields,
                           api::Method method = api::Method::get) {
  api::RequestHead head;
  head.method = method;
  for (const auto& [name, value] : fields) head.headers.add(name, value);
  return head;
}

std::string field(const api::Response& answer, std::string_view name) {
  const std::string* value = answer.headers.find(name);
  return value == nullptr ? "(none)" : *value;
}

TEST(FinishResponseTest, TagsOnlyReadsOfJson) {
  api::Response read = api::Response::json(200, "{}");
  finish_response(head_with({}), true, kGzipMin, read);
  EXPECT_EQ(field(read, "ETag"), api::strong_etag("{}"));
  api::Response written = api::Response::json(200, "{}");
  finish_response(head_with({}, api::Method::put), true, kGzipMin, written);
  EXPECT_EQ(field(written, "ETag"), "(none)");
  api::Response missing = api::Response::json(404, "{}");
  finish_response(head_with({}), true, kGzipMin, missing);
  EXPECT_EQ(field(missing, "ETag"), "(none)");
}

TEST(FinishResponseTest, KeepsTheApplicationsTag) {
  api::Response answer = api::Response::json(200, "{}");
  answer.headers.add("ETag", "\"v7\"");
  finish_response(head_with({{"If-None-Match", "\"v7\""}}), true, kGzipMin, answer);
  EXPECT_EQ(answer.status, 304);
  EXPECT_EQ(field(answer, "ETag"), "\"v7\"");
}

TEST(FinishResponseTest, TheTagOfTheGzipFormIsItsOwn) {
  const std::string body(kGzipMin, '1');
  api::Response answer = api::Response::json(200, body);
  finish_response(head_with({{"Accept-Encoding", "gzip"}}), true, kGzipMin, answer);
  const std::string etag = field(answer, "ETag");
  EXPECT_EQ(etag, api::gzip_etag(api::strong_etag(body)));
  EXPECT_EQ(field(answer, "Content-Encoding"), "gzip");
  api::Response again = api::Response::json(200, body);
  finish_response(head_with({{"Accept-Encoding", "gzip"}, {"If-None-Match", etag}}), true, kGzipMin,
                  again);
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(field(again, "Vary"), "Accept-Encoding");
  api::Response plain = api::Response::json(200, body);
  finish_response(head_with({{"If-None-Match", etag}}), true, kGzipMin, plain);
  EXPECT_EQ(plain.status, 200) << "these bytes the client does not have";
}

TEST(FinishResponseTest, GzipNeedsPermissionSizeAndType) {
  const api::RequestHead head = head_with({{"Accept-Encoding", "gzip"}});
  api::Response small = api::Response::json(200, std::string(kGzipMin - 1, '1'));
  finish_response(head, true, kGzipMin, small);
  EXPECT_EQ(field(small, "Content-Encoding"), "(none)");
  api::Response forbidden = api::Response::json(200, std::string(kGzipMin, '1'));
  finish_response(head, false, kGzipMin, forbidden);
  EXPECT_EQ(field(forbidden, "Content-Encoding"), "(none)");
  api::Response picture = api::Response::json(200, std::string(kGzipMin, '1'));
  picture.headers.set("Content-Type", "image/png");
  finish_response(head, true, kGzipMin, picture);
  EXPECT_EQ(field(picture, "Content-Encoding"), "(none)");
  api::Response encoded = api::Response::json(200, std::string(kGzipMin, '1'));
  encoded.headers.set("Content-Encoding", "br");
  finish_response(head, true, kGzipMin, encoded);
  EXPECT_EQ(field(encoded, "Content-Encoding"), "br");
}

TEST(HeadTextTest, EdgeFieldsWin) {
  api::Response answer = api::Response::json(200, "abc");
  answer.headers.add("content-length", "77");
  answer.headers.add("Transfer-Encoding", "chunked");
  answer.headers.add("Connection", "upgrade");
  AnswerContext context;
  context.date = "Sat, 21 Nov 2026 02:10:00 GMT";
  context.server_name = "s";
  context.request_id = "r";
  context.traceparent = "t";
  EXPECT_EQ(head_text(context, answer),
            "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 02:10:00 GMT\r\nServer: s\r\n"
            "Content-Length: 3\r\nX-Request-Id: r\r\ntraceparent: t\r\n"
            "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
            "Content-Security-Policy: frame-ancestors 'none'\r\n"
            "Content-Type: application/json\r\n\r\n");
}

TEST(HeadTextTest, UnderTlsBrowsersAreToldToStayThere) {
  AnswerContext context;
  EXPECT_THAT(head_text(context, api::Response::empty(204)),
              Not(HasSubstr("Strict-Transport-Security")));
  context.tls = true;
  EXPECT_THAT(head_text(context, api::Response::empty(204)),
              HasSubstr("\r\nStrict-Transport-Security: max-age=31536000\r\n"));
}

TEST(HeadTextTest, AHandlerMayHaveAPolicyOfItsOwn) {
  api::Response answer = api::Response::empty(204);
  answer.headers.add("Content-Security-Policy", "sandbox");
  EXPECT_THAT(head_text({}, answer), HasSubstr("Content-Security-Policy: sandbox\r\n"));
  EXPECT_THAT(head_text({}, answer), Not(HasSubstr("frame-ancestors")));
}

TEST(HeadTextTest, AHeadAnswerMayNameALengthItDoesNotSend) {
  api::Response answer = api::Response::empty(200);
  answer.headers.add("Content-Length", "77");
  AnswerContext context;
  EXPECT_THAT(head_text(context, answer), HasSubstr("Content-Length: 0\r\n"));
  context.method = api::Method::head;
  EXPECT_THAT(head_text(context, answer), HasSubstr("Content-Length: 77\r\n"));
}

TEST(HeadTextTest, NoLengthWhereThereIsNoBody) {
  for (const int status : {204, 304}) {
    EXPECT_THAT(head_text({}, api::Response::empty(status)), Not(HasSubstr("Content-Length")));
    EXPECT_FALSE(sends_body(api::Method::get, api::Response::empty(status)));
  }
  EXPECT_FALSE(sends_body(api::Method::head, api::Response::empty(200)));
}

TEST(HeadTextTest, UnknownStatusesHaveAPhraseToo) {
  EXPECT_THAT(head_text({}, api::Response::empty(299)), HasSubstr("HTTP/1.1 299 "));
}

}  // namespace
}  // namespace reel::http
