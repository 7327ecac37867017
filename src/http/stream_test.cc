#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/test_soon.h"
#include "http/test_server_internal.h"

namespace reel::http {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kStream = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kNoop = "GET /noop HTTP/1.1\r\nHost: x\r\n\r\n";

class StreamTest : public testing::Test {
 protected:
  StreamTest() {
    options.port = 0;
    options.io_threads = 1;
    options.worker_threads = 2;
  }

  void start() {
    auto made = Server::make(options, app, metrics);
    ASSERT_TRUE(made) << made.error().message();
    server = *std::move(made);
    ASSERT_TRUE(server->start());
  }

  obs::Registry metrics;
  TestApp app;
  ServerOptions options;
  std::unique_ptr<Server> server;
};

TEST_F(StreamTest, PiecesAreSentAsTheyComeAndTheConnectionGoesOn) {
  start();
  RawClient client(server->port());
  client.send(kStream);
  EXPECT_THAT(client.until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("\r\nTransfer-Encoding: chunked\r\n"),
                    Not(HasSubstr("Content-Length")), Not(HasSubstr("Connection: close"))));
  app.stream.put("hello");
  EXPECT_EQ(client.until("5\r\nhello\r\n"), "5\r\nhello\r\n");
  ASSERT_TRUE(soon([&] { return app.stream.waited_for(); }));
  app.stream.put(std::string(300, 'x'));
  EXPECT_EQ(client.until("x\r\n"), "12c\r\n" + std::string(300, 'x') + "\r\n");
  app.stream.change([&] { app.stream.ended = true; });
  EXPECT_EQ(client.until("0\r\n\r\n"), "0\r\n\r\n");
  client.send(kNoop);
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(app.stream.closed, 1);
}

TEST_F(StreamTest, Http10EndsWithTheConnection) {
  start();
  app.stream.ready = "hello";
  app.stream.ended = true;
  RawClient client(server->port());
  client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.rest(), AllOf(EndsWith("\r\n\r\nhello"), HasSubstr("Connection: close"),
                                   Not(HasSubstr("Transfer-Encoding"))));
}

TEST_F(StreamTest, HeadHasNoBody) {
  start();
  RawClient client(server->port());
  client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.answer(true), StartsWith("HTTP/1.1 200 "));
  client.send(kNoop);
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(app.stream.reads, 0);
}

TEST_F(StreamTest, IsNotCompressed) {
  options.gzip_bytes_min = 1;
  start();
  app.stream.ready = std::string(10'000, 'x');
  app.stream.ended = true;
  RawClient client(server->port());
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_THAT(client.until("0\r\n\r\n"),
              AllOf(HasSubstr(std::string(10'000, 'x')), Not(HasSubstr("Content-Encoding"))));
}

TEST_F(StreamTest, IdleStreamsOutliveTheIdleTimeoutAndHoldNothing) {
  options.limits.idle_timeout_ms = 100;
  options.limits.in_flight_max = 1;
  start();
  RawClient client(server->port());
  client.send(kStream);
  client.until("\r\n\r\n");
  ASSERT_TRUE(soon([&] { return app.stream.waited_for(); }));
  EXPECT_FALSE(client.closed_within(milliseconds(500)));
  // Neither a worker nor a place among the requests in flight is taken.
  RawClient other(server->port());
  other.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(other.answer(), StartsWith("HTTP/1.1 200 "));
  app.stream.put("still here");
  EXPECT_THAT(client.until("here\r\n"), HasSubstr("still here"));
}

TEST_F(StreamTest, TheEndOfTheClientIsNoticedWithoutAWrite) {
  start();
  for (const bool reset : {false, true}) {
    const int closed = app.stream.closed;
    RawClient client(server->port());
    client.send(kStream);
    client.until("\r\n\r\n");
    ASSERT_TRUE(soon([&] { return app.stream.waited_for(); }));
    reset ? client.abort() : client.close();
    EXPECT_TRUE(soon([&] { return app.stream.closed == closed + 1; }));
  }
}

TEST_F(StreamTest, ARequestThatFollowsIsServedAfterwards) {
  start();
  RawClient client(server->port());
  client.send(kStream);
  client.until("\r\n\r\n");
  ASSERT_TRUE(soon([&] { return app.stream.waited_for(); }));
  client.send(kNoop);
  app.stream.put("text");
  client.until("text\r\n");
  app.stream.change([&] { app.stream.ended = true; });
  client.until("0\r\n\r\n");
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(StreamTest, MoreInputThanTheBufferHoldsDoesNoHarm) {
  options.limits.header_bytes_max = 1'024;
  start();
  RawClient client(server->port());
  client.send(kStream);
  client.until("\r\n\r\n");
  ASSERT_TRUE(soon([&] { return app.stream.waited_for(); }));
  client.send(std::string(100'000, 'x'));
  app.stream.put("text");
  EXPECT_THAT(client.until("text\r\n"), HasSubstr("text"));
}

TEST_F(StreamTest, ASlowClientIsNotReadAheadForAndThenCut) {
  options.limits.write_stall_timeout_ms = 300;
  start();
  app.stream.endless = std::string(64 << 10, 'x');
  RawClient client(server->port());
  client.send(kStream);
  EXPECT_TRUE(soon([&] { return app.stream.closed == 1; }));
  // What the sockets' buffers took, and not more.
  EXPECT_LT(app.stream.reads, 1'000);
}

TEST_F(StreamTest, AnErrorCutsTheConnection) {
  start();
  RawClient client(server->port());
  client.send(kStream);
  client.until("\r\n\r\n");
  app.stream.change([&] { app.stream.broken = true; });
  EXPECT_THAT(client.rest(), Not(HasSubstr("0\r\n\r\n")));
}

TEST_F(StreamTest, DrainEndsStreamsAtOnce) {
  start();
  RawClient client(server->port());
  client.send(kStream);
  client.until("\r\n\r\n");
  ASSERT_TRUE(soon([&] { return app.stream.waited_for(); }));
  const auto begin = std::chrono::steady_clock::now();
  server->drain(milliseconds(20'000));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(10'000));
  EXPECT_EQ(client.rest(), "0\r\n\r\n");
}

TEST_F(StreamTest, DrainSendsAFiniteStreamToItsEnd) {
  app.stream.finite = true;
  start();
  RawClient client(server->port());
  client.send(kStream);
  client.until("\r\n\r\n");
  ASSERT_TRUE(soon([&] { return app.stream.waited_for(); }));
  std::jthread draining([&] { server->drain(milliseconds(20'000)); });
  ASSERT_TRUE(soon([&] { return !RawClient(server->port()).connected(); }));
  app.stream.change([&] {
    app.stream.ready = "the rest";
    app.stream.ended = true;
  });
  EXPECT_EQ(client.rest(), "8\r\nthe rest\r\n0\r\n\r\n");
}

TEST_F(StreamTest, AFiniteStreamIsCutWhenTheDrainIsOver) {
  app.stream.finite = true;
  start();
  RawClient client(server->port());
  client.send(kStream);
  client.until("\r\n\r\n");
  ASSERT_TRUE(soon([&] { return app.stream.waited_for(); }));
  server->drain(milliseconds(100));
  EXPECT_EQ(client.rest(), "");
  EXPECT_TRUE(soon([&] { return app.stream.closed == 1; }));
}

TEST_F(StreamTest, DrainDoesNotWaitForAClientThatTakesNothing) {
  start();
  app.stream.endless = std::string(64 << 10, 'x');
  RawClient client(server->port());
  client.send(kStream);
  int reads = -1;
  // Until the buffers are full.
  ASSERT_TRUE(soon([&] {
    std::this_thread::sleep_for(milliseconds(50));
    return std::exchange(reads, app.stream.reads.load()) == app.stream.reads && reads > 0;
  }));
  const auto begin = std::chrono::steady_clock::now();
  server->drain(milliseconds(20'000));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(10'000));
}

TEST_F(StreamTest, ManyStreamsWithOneWorkerEach) {
  start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->port()));
    clients.back()->send(kStream);
    clients.back()->until("\r\n\r\n");
  }
  EXPECT_EQ(app.stream.opened, 50);
  server->stop();
  EXPECT_EQ(app.stream.closed, 50);
}

}  // namespace
}  // namespace reel::http
