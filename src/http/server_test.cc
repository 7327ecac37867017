#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>
#include <vector>

#include "base/test_soon.h"
#include "http/test_server_internal.h"

namespace reel::http {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

//! A server around TestApp whose options a test may change before start().
class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    options.port = 0;
    options.io_threads = 2;
    options.worker_threads = 4;
  }
  ~ServerTest() override { app.release(); }

  void start() {
    auto made = Server::make(options, app, metrics);
    ASSERT_TRUE(made) << made.error().message();
    server = *std::move(made);
    const Status started = server->start();
    ASSERT_TRUE(started) << started.error().message();
  }

  //! One request on a connection of its own.
  std::string ask(std::string_view request) {
    RawClient client(server->port());
    client.send(request);
    return client.answer();
  }

  bool rejected(std::string_view reason, int count = 1) {
    return metrics.render().find(fmt::format("tams_http_rejected_total{{reason=\"{}\"}} {}\n",
                                             reason, count)) != std::string::npos;
  }

  obs::Registry metrics;
  TestApp app;
  ServerOptions options;
  std::unique_ptr<Server> server;
};

std::string get(std::string_view path, std::string_view fields = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n{}\r\n", path, fields);
}

std::string post(std::string_view path, std::string_view body, std::string_view fields = "") {
  return fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{}\r\n{}", path,
                     body.size(), fields, body);
}

std::string_view status_line(std::string_view answer) {
  return answer.substr(0, answer.find('\r'));
}

TEST_F(ServerTest, AnswersWithTheEdgesFields) {
  start();
  const std::string answer = ask(get("/hello?a=b",
                                     "X-Request-Id: mine-1\r\n"
                                     "traceparent: 00-0af7651916cd43dd8448eb211c80319c-"
                                     "b7ad6b7169203331-01\r\n"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(answer, HasSubstr("\r\nServer: reelhouse\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Request-Id: mine-1\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-"));
  EXPECT_THAT(answer, Not(HasSubstr("b7ad6b7169203331")));
  EXPECT_THAT(answer, Not(HasSubstr("Connection:")));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n{\"query\":\"a=b\"}"));
}

TEST_F(ServerTest, KeepsTheConnection) {
  start();
  RawClient client(server->port());
  for (int i = 0; i < 40; ++i) {
    client.send(get(fmt::format("/{}?{}", i % 2 == 0 ? "hello" : "noop", i)));
    EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 OK"));
  }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  options.limits.pipelined_in_a_row_max = 3;
  start();
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += get(fmt::format("/hello?{}", i));
    all += post("/echo", fmt::format("body {}", i));
    all += get("/noop");
  }
  client.send(all);
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(client.answer(), EndsWith(fmt::format("{{\"query\":\"{}\"}}", i)));
    EXPECT_THAT(client.answer(), EndsWith(fmt::format("\r\n\r\nbody {}", i)));
    EXPECT_THAT(client.answer(), EndsWith("{\"ok\":true}"));
  }
}

TEST_F(ServerTest, RequestsMayArriveByteByByte) {
  start();
  RawClient client(server->port());
  const std::string request = "\r\n" + post("/echo", "abc") + get("/noop");
  for (const char byte : request) client.send(std::string_view(&byte, 1));
  EXPECT_THAT(client.answer(), EndsWith("abc"));
  EXPECT_THAT(client.answer(), EndsWith("{\"ok\":true}"));
}

TEST_F(ServerTest, Http10ClosesUnlessAsked) {
  start();
  RawClient plain(server->port());
  plain.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_THAT(plain.rest(), HasSubstr("\r\nConnection: close\r\n"));
  RawClient kept(server->port());
  kept.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(kept.answer(), HasSubstr("\r\nConnection: keep-alive\r\n"));
  kept.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_THAT(kept.rest(), HasSubstr("\r\nConnection: close\r\n"));
}

TEST_F(ServerTest, ClosesWhenTheClientSaysSo) {
  start();
  RawClient client(server->port());
  client.send(get("/hello", "Connection: close\r\n") + get("/hello?second"));
  const std::string all = client.rest();
  EXPECT_THAT(all, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(all, Not(HasSubstr("second")));
}

TEST_F(ServerTest, HeadHasTheLengthButNoBody) {
  app.large_body = "[1]";
  start();
  RawClient client(server->port());
  client.send("HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n" + get("/noop"));
  const std::string answer = client.answer(true);
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 3\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
  EXPECT_THAT(client.answer(), EndsWith("{\"ok\":true}"));
}

TEST_F(ServerTest, FieldsCannotSplitTheAnswer) {
  start();
  const std::string answer = ask(get("/split"));
  EXPECT_THAT(answer, HasSubstr("X-Evil: a  X-Injected: b\r\n"));
}

struct Refused {
  std::string_view request;
  std::string_view status;

  friend void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.request; }
};

class RefusalTest : public ServerTest, public testing::WithParamInterface<Refused> {};

TEST_P(RefusalTest, IsAnsweredAndClosed) {
  start();
  RawClient client(server->port());
  client.send(GetParam().request);
  const std::string all = client.rest();
  EXPECT_THAT(all, StartsWith(fmt::format("HTTP/1.1 {} ", GetParam().status)));
  EXPECT_THAT(all, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(all, HasSubstr("{\"message\":\""));
  EXPECT_EQ(all.find("X-Request-Id"), all.rfind("X-Request-Id")) << "a second answer: " << all;
  EXPECT_EQ(app.handled, 0);
}

//! Each is followed by a request that must not be served.
#define REEL_SMUGGLED "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
INSTANTIATE_TEST_SUITE_P(
    All, RefusalTest,
    testing::Values(
        Refused{"GET /hello HTTP/1.1\r\n\r\n" REEL_SMUGGLED, "400"},
        Refused{"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" REEL_SMUGGLED, "400"},
        Refused{"GET /hello HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n" REEL_SMUGGLED, "400"},
        Refused{"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nabcde" REEL_SMUGGLED,
                "400"},
        Refused{"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"
                "abcde" REEL_SMUGGLED,
                "400"},
        Refused{"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
                "0\r\n\r\n" REEL_SMUGGLED,
                "501"},
        Refused{"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" REEL_SMUGGLED,
                "400"},
        Refused{"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" REEL_SMUGGLED,
                "400"},
        Refused{"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                "Content-Length: 5\r\n\r\n0\r\n\r\n" REEL_SMUGGLED,
                "400"},
        Refused{"GET /a%zz HTTP/1.1\r\nHost: x\r\n\r\n" REEL_SMUGGLED, "400"},
        Refused{"GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n" REEL_SMUGGLED, "400"},
        Refused{"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n" REEL_SMUGGLED, "400"},
        Refused{std::string_view("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 28), "400"},
        Refused{"GET * HTTP/1.1\r\nHost: x\r\n\r\n" REEL_SMUGGLED, "400"},
        Refused{"GET /hello HTTP/1.1\nHost: x\n\n" REEL_SMUGGLED, "400"},
        Refused{"GET /hello HTTP/1.1\r\nHost : x\r\n\r\n" REEL_SMUGGLED, "400"},
        Refused{"GET /hello HTTP/3.0\r\nHost: x\r\n\r\n" REEL_SMUGGLED, "505"},
        Refused{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
        Refused{"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: "
                "x\r\n\r\n" REEL_SMUGGLED,
                "417"},
        Refused{"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                "chunked\r\n\r\nzz\r\n" REEL_SMUGGLED,
                "400"},
        Refused{"\x16\x03\x01 hello", "400"}));

TEST_F(ServerTest, HeaderLimit) {
  options.limits.header_bytes_max = 512;
  start();
  const auto head_of = [](std::size_t bytes) {
    std::string head = get("/hello", "X: \r\n");
    return head.insert(head.size() - 4, bytes - head.size(), 'a');
  };
  ASSERT_EQ(head_of(512).size(), 512U);
  EXPECT_EQ(status_line(ask(head_of(512))), "HTTP/1.1 200 OK");
  EXPECT_EQ(status_line(ask(head_of(513))), "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(status_line(ask(head_of(5'000))), "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_TRUE(rejected("header_too_large", 2));
}

TEST_F(ServerTest, FieldCountLimit) {
  options.limits.header_fields_max = 3;
  start();
  EXPECT_EQ(status_line(ask(get("/hello", "A: 1\r\nB: 2\r\n"))), "HTTP/1.1 200 OK");
  EXPECT_EQ(status_line(ask(get("/hello", "A: 1\r\nB: 2\r\nC: 3\r\n"))),
            "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_F(ServerTest, UrlLimit) {
  options.limits.url_bytes_max = 20;
  options.limits.header_bytes_max = 512;
  start();
  EXPECT_EQ(status_line(ask(get("/hello?4567890123456"))), "HTTP/1.1 200 OK");
  EXPECT_EQ(status_line(ask(get("/hello?45678901234567"))), "HTTP/1.1 414 URI Too Long");
  EXPECT_EQ(status_line(ask(get("/" + std::string(5'000, 'a')))), "HTTP/1.1 414 URI Too Long");
}

TEST_F(ServerTest, BodyLimit) {
  app.body_bytes_max = 10;
  start();
  EXPECT_THAT(ask(post("/echo", "0123456789")), EndsWith("0123456789"));
  EXPECT_THAT(ask(post("/echo", "0123456789a")), StartsWith("HTTP/1.1 413 "));
  const std::string begin = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(ask(begin + "a\r\n0123456789\r\n0\r\n\r\n"), EndsWith("0123456789"));
  EXPECT_THAT(ask(begin + "b\r\n0123456789a\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask(post("/hello", "x")), StartsWith("HTTP/1.1 413 ")) << "GET routes take no body";
  EXPECT_TRUE(rejected("body_too_large", 3));
}

TEST_F(ServerTest, ASmallRefusedBodyKeepsTheConnection) {
  app.body_bytes_max = 10;
  options.limits.refused_body_bytes_max = 100;
  start();
  RawClient client(server->port());
  client.send(post("/echo", std::string(100, 'a')) + get("/noop"));
  EXPECT_THAT(client.answer(), Not(HasSubstr("Connection: close")));
  EXPECT_THAT(client.answer(), EndsWith("{\"ok\":true}"));
  client.send(post("/echo", std::string(101, 'a')) + get("/noop"));
  EXPECT_THAT(client.rest(), HasSubstr("Connection: close"));
}

TEST_F(ServerTest, AClientThatSendsALargeRefusedBodyReadsTheAnswer) {
  start();
  RawClient client(server->port());
  const std::string body(900'000, 'a');
  client.send(fmt::format("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
                          body.size() * 2));
  client.send(body);
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 404 "));
}

TEST_F(ServerTest, ContinueOnlyWhenAdmitted) {
  start();
  RawClient client(server->port());
  const std::string rest =
      " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  client.send("POST /echo" + rest);
  EXPECT_EQ(client.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_THAT(client.answer(), EndsWith("abc"));
  client.send("POST /no" + rest);
  EXPECT_THAT(client.rest(), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n"
                  "Expect: 100-continue\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, ContinueIsNotSaidWhenTheBodyIsThere) {
  start();
  EXPECT_THAT(ask(post("/echo", "abc", "Expect: 100-continue\r\n")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, ChunkedBodiesArriveWhole) {
  start();
  RawClient client(server->port());
  const std::string_view request =
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n";
  for (const char byte : request) client.send(std::string_view(&byte, 1));
  EXPECT_THAT(client.answer(), EndsWith("\r\n\r\nabcdefg"));
  client.send(get("/noop"));
  EXPECT_THAT(client.answer(), EndsWith("{\"ok\":true}"));
}

TEST_F(ServerTest, TruncatedBodiesAreNotHandled) {
  start();
  for (const std::string_view framing :
       {"Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc"}) {
    RawClient client(server->port());
    client.send(fmt::format("POST /echo HTTP/1.1\r\nHost: x\r\n{}", framing));
    client.finish_sending();
    EXPECT_THAT(client.rest(), IsEmpty());
  }
  EXPECT_EQ(app.handled, 0);
  EXPECT_TRUE(rejected("body_closed", 2));
}

TEST_F(ServerTest, UploadsStreamIntoTheSink) {
  start();
  const std::string body(3'000'000, 'a');
  EXPECT_THAT(ask(post("/upload", body)), EndsWith("{\"bytes\":3000000}"));
  std::string chunked = "PUT /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 30; ++i) chunked += "186a0\r\n" + body.substr(0, 100'000) + "\r\n";
  EXPECT_THAT(ask(chunked + "0\r\n\r\n"), EndsWith("{\"bytes\":3000000}"));
  EXPECT_THAT(ask(post("/upload", "")), EndsWith("{\"bytes\":0}"));
  EXPECT_EQ(app.undone, 0);
}

TEST_F(ServerTest, UploadsAreUndoneWhenTheyFail) {
  app.upload_bytes_max = 1'000'000;
  start();
  EXPECT_THAT(ask(post("/upload", "no!")), StartsWith("HTTP/1.1 409 Conflict"));
  EXPECT_THAT(ask(post("/upload", std::string(1'000'000, 'a'))), StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(ask(post("/upload", std::string(1'000'001, 'a'))), StartsWith("HTTP/1.1 413 "));
  RawClient cut(server->port());
  cut.send("PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n" +
           std::string(500'000, 'a'));
  cut.abort();
  EXPECT_TRUE(soon([&] { return app.undone == 3; })) << app.undone;
}

TEST_F(ServerTest, SlowHeadsAreCut) {
  options.limits.header_timeout_ms = 200;
  start();
  RawClient client(server->port());
  client.send("GET /hello HTTP/1.1\r\nHost:");
  EXPECT_THAT(client.rest(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(rejected("header_timeout"));
}

TEST_F(ServerTest, TrickledHeadsAreCutToo) {
  options.limits.header_timeout_ms = 300;
  start();
  RawClient client(server->port());
  const auto begin = std::chrono::steady_clock::now();
  client.send("GET /hello HTTP/1.1\r\nX: ");
  while (client.send("a") && !client.closed_within(milliseconds(20))) {
    if (std::chrono::steady_clock::now() - begin > milliseconds(1'500)) break;
    if (rejected("header_timeout")) break;
  }
  EXPECT_TRUE(rejected("header_timeout"));
}

TEST_F(ServerTest, IdleConnectionsAreClosedSilently) {
  options.limits.idle_timeout_ms = 200;
  start();
  RawClient never(server->port());
  RawClient once(server->port());
  once.send(get("/noop"));
  EXPECT_THAT(once.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(never.rest(), IsEmpty());
  EXPECT_THAT(once.rest(), IsEmpty());
}

TEST_F(ServerTest, SlowBodiesAreCut) {
  options.limits.body_grace_ms = 200;
  options.limits.body_min_bytes_per_second = 1'000'000;
  start();
  RawClient client(server->port());
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nabc");
  for (int i = 0; i < 100 && !client.closed_within(milliseconds(10)); ++i) client.send("a");
  EXPECT_THAT(client.rest(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(rejected("body_timeout"));
}

TEST_F(ServerTest, AHandlerThatTakesTooLongIsLeftAlone) {
  options.limits.request_timeout_ms = 200;
  start();
  RawClient client(server->port());
  client.send(get("/block"));
  EXPECT_THAT(client.rest(), StartsWith("HTTP/1.1 504 "));
  app.release();
  EXPECT_THAT(ask(get("/hello")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, AHandlerThatThrowsIsA500) {
  start();
  EXPECT_THAT(ask(get("/throw")), StartsWith("HTTP/1.1 500 "));
}

TEST_F(ServerTest, AFullQueueIsOverload) {
  options.worker_threads = 1;
  options.worker_queue_max = 1;
  start();
  RawClient running(server->port());
  running.send(get("/block"));
  ASSERT_TRUE(soon([&] { return app.handled == 1; }));
  RawClient waiting(server->port());
  waiting.send(get("/hello"));
  std::this_thread::sleep_for(milliseconds(50));
  const std::string refused = ask(get("/hello"));
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refused, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_THAT(ask(get("/noop")), StartsWith("HTTP/1.1 200 ")) << "inline reads need no worker";
  app.release();
  EXPECT_THAT(running.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(waiting.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(rejected("worker_queue"));
}

TEST_F(ServerTest, InFlightLimit) {
  options.limits.in_flight_max = 2;
  start();
  RawClient first(server->port());
  RawClient second(server->port());
  first.send(get("/block"));
  second.send(get("/block"));
  ASSERT_TRUE(soon([&] { return app.handled == 2; }));
  EXPECT_THAT(ask(get("/noop")), StartsWith("HTTP/1.1 503 "));
  app.release();
  EXPECT_THAT(first.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(second.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(soon([&] { return ask(get("/noop")).starts_with("HTTP/1.1 200 "); }));
}

TEST_F(ServerTest, ConnectionLimit) {
  options.limits.connections_max = 2;
  start();
  RawClient first(server->port());
  RawClient second(server->port());
  first.send(get("/noop"));
  second.send(get("/noop"));
  EXPECT_THAT(first.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(second.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(RawClient(server->port()).rest(), StartsWith("HTTP/1.1 503 "));
  EXPECT_TRUE(rejected("connections"));
}

TEST_F(ServerTest, ConnectionLimitOfOnePeer) {
  options.limits.connections_per_peer_max = 2;
  start();
  auto first = std::make_unique<RawClient>(server->port());
  RawClient second(server->port());
  first->send(get("/noop"));
  second.send(get("/noop"));
  EXPECT_THAT(first->answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(second.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(RawClient(server->port()).rest(), StartsWith("HTTP/1.1 503 "));
  EXPECT_TRUE(rejected("connections_per_peer"));
  first.reset();
  EXPECT_TRUE(soon([&] { return ask(get("/noop")).starts_with("HTTP/1.1 200 "); }));
}

TEST_F(ServerTest, AClientMayLeaveWhileItsHandlerRuns) {
  start();
  for (int i = 0; i < 20; ++i) {
    RawClient client(server->port());
    client.send(get("/slow"));
    if (i % 2 == 0) client.abort();
  }
  ASSERT_TRUE(soon([&] { return app.handled >= 10; }));
  EXPECT_THAT(ask(get("/hello")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, AHandlerIsAskedToStopWhenItsClientLeaves) {
  start();
  for (const bool reset : {false, true}) {
    const int stopped = app.stopped;
    const int handled = app.handled;
    RawClient client(server->port());
    client.send(get("/block?stoppable"));
    ASSERT_TRUE(soon([&] { return app.handled > handled; }));
    reset ? client.abort() : client.close();
    EXPECT_TRUE(soon([&] { return app.stopped == stopped + 1; }));
  }
}

TEST_F(ServerTest, AHandlerThatCanBeStoppedAnswersAndTheConnectionGoesOn) {
  start();
  app.release();
  RawClient client(server->port());
  client.send(get("/block?stoppable") + get("/block?stoppable"));
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 "));
  client.send(get("/block?stoppable"));
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(app.stopped, 0);
}

TEST_F(ServerTest, AHandlerIsAskedToStopWhenItTakesTooLong) {
  options.limits.request_timeout_ms = 200;
  start();
  EXPECT_THAT(ask(get("/block?stoppable")), StartsWith("HTTP/1.1 504 "));
  EXPECT_TRUE(soon([&] { return app.stopped == 1; }));
}

TEST_F(ServerTest, WhatTakesLongToAdmitIsAdmittedOnAWorker) {
  start();
  EXPECT_THAT(ask(post("/echo?undecided", R"({"a":1})")), HasSubstr("\r\n\r\n{\"a\":1}"));
  EXPECT_THAT(ask(get("/nothing?undecided")), StartsWith("HTTP/1.1 404 "));
  EXPECT_EQ(app.patient, 2);
  EXPECT_THAT(ask(get("/hello")), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(app.patient, 2);
}

TEST_F(ServerTest, JsonHasAnEtagAnd304) {
  start();
  const std::string answer = ask(get("/noop"));
  const std::size_t at = answer.find("\r\nETag: ");
  ASSERT_NE(at, std::string::npos);
  const std::string etag = answer.substr(at + 8, 34);
  RawClient client(server->port());
  client.send(get("/noop", "If-None-Match: \"x\", W/" + etag + "\r\n") + get("/hello"));
  const std::string not_modified = client.answer();
  EXPECT_THAT(not_modified, StartsWith("HTTP/1.1 304 Not Modified\r\n"));
  EXPECT_THAT(not_modified, HasSubstr("\r\nETag: " + etag));
  EXPECT_THAT(not_modified, Not(HasSubstr("\r\nContent-Length")));
  EXPECT_THAT(not_modified, Not(HasSubstr("\r\nContent-Type")));
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(get("/noop", "If-None-Match: \"x\"\r\n")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(post("/echo", "{}")), Not(HasSubstr("ETag")));
}

TEST_F(ServerTest, LargeJsonIsCompressedWhenWanted) {
  options.gzip_bytes_min = 100;
  app.large_body = std::string(100, '1');
  start();
  const std::string zipped = ask(get("/large", "Accept-Encoding: gzip\r\n"));
  EXPECT_THAT(zipped, HasSubstr("\r\nContent-Encoding: gzip\r\n"));
  EXPECT_THAT(zipped, HasSubstr("\r\nVary: Accept-Encoding\r\n"));
  EXPECT_THAT(zipped, HasSubstr("-gzip\"\r\n"));
  EXPECT_LT(zipped.size() - zipped.find("\r\n\r\n"), 60U);
  const std::string plain = ask(get("/large"));
  EXPECT_THAT(plain, HasSubstr("\r\nVary: Accept-Encoding\r\n"));
  EXPECT_THAT(plain, Not(HasSubstr("gzip")));
  app.large_body.pop_back();
  EXPECT_THAT(ask(get("/large", "Accept-Encoding: gzip\r\n")), Not(HasSubstr("gzip")));
}

TEST_F(ServerTest, PreflightsNeverReachTheApplication) {
  start();
  const std::string answer =
      ask("OPTIONS /anything HTTP/1.1\r\nHost: x\r\nOrigin: https://ui\r\n"
          "Access-Control-Request-Method: PUT\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nAccess-Control-Allow-Origin: *\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(ask(get("/nope", "Origin: https://ui\r\n")),
              HasSubstr("\r\nAccess-Control-Allow-Origin: *\r\n"));
}

TEST_F(ServerTest, RequestsAreCounted) {
  start();
  ask(get("/hello"));
  ask(get("/hello"));
  ask(get("/nope"));
  EXPECT_TRUE(soon(
      [&] { return metrics.render().find("tams_active_connections 0\n") != std::string::npos; }));
  const std::string page = metrics.render();
  EXPECT_THAT(page, HasSubstr("tams_http_requests_total{method=\"GET\",route=\"/hello\","
                              "status=\"200\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("tams_http_requests_total{method=\"GET\",route=\"unmatched\","
                              "status=\"404\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("tams_http_request_duration_seconds_count{method=\"GET\","
                              "route=\"/hello\"} 2\n"));
}

TEST_F(ServerTest, APortInUseIsAnError) {
  start();
  ServerOptions same = options;
  same.port = server->port();
  auto second = Server::make(same, app, metrics);
  ASSERT_TRUE(second);
  const Status started = (*second)->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), Code::io);
  EXPECT_THAT(started.error().message(), HasSubstr("Address already in use"));
}

TEST_F(ServerTest, ABadAddressIsAnError) {
  options.address = "localhost";
  auto made = Server::make(options, app, metrics);
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->start().error().code(), Code::invalid);
}

class FileServerTest : public ServerTest {
 protected:
  FileServerTest() : path_(testing::TempDir() + "/http_file_test") {
    for (int i = 0; content_.size() < 1'000'000; ++i) content_ += std::to_string(i);
    std::ofstream(path_, std::ios::binary) << content_;
    app.file_path = path_;
  }
  ~FileServerTest() override { std::remove(path_.c_str()); }

  static std::string body_of(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  const std::string path_;
  std::string content_;
};

TEST_F(FileServerTest, SendsTheWholeFile) {
  start();
  RawClient client(server->port());
  client.send(get("/file") + get("/noop"));
  const std::string answer = client.answer();
  EXPECT_THAT(answer, HasSubstr("\r\nAccept-Ranges: bytes\r\n"));
  EXPECT_TRUE(body_of(answer) == content_);
  EXPECT_THAT(client.answer(), EndsWith("{\"ok\":true}"));
}

TEST_F(FileServerTest, SendsRanges) {
  start();
  const std::string part = ask(get("/file", "Range: bytes=300000-800000\r\n"));
  EXPECT_THAT(part, StartsWith("HTTP/1.1 206 Partial Content\r\n"));
  EXPECT_THAT(part, HasSubstr(fmt::format("\r\nContent-Range: bytes 300000-800000/{}\r\n",
                                          content_.size())));
  EXPECT_TRUE(body_of(part) == content_.substr(300'000, 500'001));
  EXPECT_EQ(body_of(ask(get("/file", "Range: bytes=-5\r\n"))),
            content_.substr(content_.size() - 5));
  EXPECT_THAT(ask(get("/file", "Range: bytes=0-1,4-5\r\n")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(get("/file", "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n")),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(body_of(ask(get("/file", "Range: bytes=0-1\r\nIf-Range: \"file-1\"\r\n"))), "01");
  const std::string outside = ask(get("/file", "Range: bytes=9999999-\r\n"));
  EXPECT_THAT(outside, StartsWith("HTTP/1.1 416 "));
  EXPECT_THAT(outside,
              HasSubstr(fmt::format("\r\nContent-Range: bytes */{}\r\n", content_.size())));
}

TEST_F(FileServerTest, HeadAndConditionsReadNothing) {
  start();
  RawClient client(server->port());
  client.send("HEAD /file HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\n\r\n");
  const std::string head = client.answer(true);
  EXPECT_THAT(head, StartsWith("HTTP/1.1 206 "));
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 10\r\n"));
  client.send(get("/file", "If-None-Match: \"file-1\"\r\n") + get("/noop"));
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 304 "));
  EXPECT_THAT(client.answer(), EndsWith("{\"ok\":true}"));
}

TEST_F(FileServerTest, AnEmptyFileIsAnEmptyAnswer) {
  std::ofstream(path_, std::ios::trunc).close();
  start();
  RawClient client(server->port());
  client.send(get("/file") + get("/noop"));
  EXPECT_THAT(client.answer(), HasSubstr("\r\nContent-Length: 0\r\n"));
  EXPECT_THAT(client.answer(), EndsWith("{\"ok\":true}"));
}

TEST_F(FileServerTest, AReaderThatStopsIsCut) {
  for (int i = 0; i < 5; ++i) content_ += content_;
  std::ofstream(path_, std::ios::binary) << content_;
  options.limits.write_stall_timeout_ms = 200;
  start();
  RawClient client(server->port());
  client.send(get("/file"));
  std::this_thread::sleep_for(milliseconds(800));
  EXPECT_LT(client.rest().size(), content_.size());
}

}  // namespace
}  // namespace reel::http
