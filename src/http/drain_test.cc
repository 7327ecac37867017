#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/test_soon.h"
#include "http/test_server_internal.h"

namespace reel::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kNoop = "GET /noop HTTP/1.1\r\nHost: x\r\n\r\n";

class DrainTest : public testing::Test {
 protected:
  DrainTest() {
    ServerOptions options;
    options.port = 0;
    options.limits.request_timeout_ms = 30'000;
    auto made = Server::make(options, app, metrics);
    server = *std::move(made);
    const Status started = server->start();
    EXPECT_TRUE(started);
  }
  ~DrainTest() override { app.release(); }

  milliseconds drain(milliseconds wait_max) {
    const auto begin = steady_clock::now();
    server->drain(wait_max);
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
  }

  obs::Registry metrics;
  TestApp app;
  std::unique_ptr<Server> server;
};

//! Asks until the server says that it closes. Counts answers; a missing one is a failure.
void ask_until_closed(std::uint16_t port, std::atomic<int>& answered, std::atomic<int>& failed) {
  RawClient client(port);
  while (client.connected()) {
    const bool sent =
        client.send(answered % 3 == 0 ? "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" : kNoop);
    const std::string answer = sent ? client.answer() : "";
    if (!answer.starts_with("HTTP/1.1 200 ")) {
      ++failed;
      return;
    }
    ++answered;
    if (answer.find("Connection: close") != std::string::npos) return;
  }
}

TEST_F(DrainTest, UnderLoadNoRequestFails) {
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  std::vector<std::jthread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] { ask_until_closed(server->port(), answered, failed); });
  }
  ASSERT_TRUE(soon([&] { return answered >= 500; }));
  EXPECT_LT(drain(milliseconds(5'000)), milliseconds(4'000));
  clients.clear();
  EXPECT_EQ(failed, 0);
  EXPECT_FALSE(RawClient(server->port()).connected());
}

TEST_F(DrainTest, LongIdleConnectionsCloseSoon) {
  RawClient idle(server->port());
  idle.send(kNoop);
  EXPECT_THAT(idle.answer(), StartsWith("HTTP/1.1 200 "));
  RawClient fresh(server->port());
  std::this_thread::sleep_for(milliseconds(400));
  EXPECT_LT(drain(milliseconds(5'000)), milliseconds(400));
  EXPECT_THAT(idle.rest(), IsEmpty());
  EXPECT_THAT(fresh.rest(), IsEmpty());
}

TEST_F(DrainTest, RequestsInFlightAreAnswered) {
  app.slow = milliseconds(500);
  RawClient client(server->port());
  client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(soon([&] { return app.handled > 0; }));
  std::jthread draining([&] { drain(milliseconds(5'000)); });
  const std::string answer = client.answer();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
}

TEST_F(DrainTest, WhatTakesTooLongIsCut) {
  RawClient client(server->port());
  client.send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(soon([&] { return app.handled > 0; }));
  EXPECT_LT(drain(milliseconds(200)), milliseconds(1'000));
  EXPECT_THAT(client.rest(), IsEmpty());
  app.release();
  server->stop();
  server->stop();
}

TEST_F(DrainTest, WhatTakesTooLongIsAskedToStop) {
  RawClient client(server->port());
  client.send("GET /block?stoppable HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(soon([&] { return app.handled > 0; }));
  drain(milliseconds(200));
  EXPECT_TRUE(soon([&] { return app.stopped == 1; }));
  EXPECT_THAT(client.rest(), IsEmpty());
  server->stop();
}

TEST_F(DrainTest, StopCutsReadersAndWriters) {
  app.large_body = std::string(64 << 20, '1');
  RawClient reader(server->port());
  reader.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  RawClient writer(server->port());
  writer.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  RawClient half(server->port());
  half.send("GET /ha");
  ASSERT_TRUE(soon([&] { return app.handled > 0; }));
  const auto begin = steady_clock::now();
  server->stop();
  EXPECT_LT(steady_clock::now() - begin, milliseconds(2'000));
}

}  // namespace
}  // namespace reel::http
