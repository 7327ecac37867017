#include "http/client/client.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread_annotations.h"

namespace reel::http {
namespace {

//! A server that answers every request of each connection with the next of its canned answers.
class CannedServer {
 public:
  explicit CannedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    REEL_CHECK(listener_ >= 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, generic, size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { run(); });
  }
  ~CannedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    {
      const MutexLock lock(mutex_);
      ::shutdown(open_, SHUT_RDWR);  // the client keeps it
    }
    thread_ = {};
    ::close(listener_);
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  std::vector<std::string> requests() {
    const MutexLock lock(mutex_);
    return requests_;
  }
  int connections() {
    const MutexLock lock(mutex_);
    return connections_;
  }

 private:
  void run() {
    while (true) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      {
        const MutexLock lock(mutex_);
        ++connections_;
        open_ = connection;
      }
      while (serve(connection)) {
      }
      const MutexLock lock(mutex_);
      open_ = -1;
      ::close(connection);
    }
  }

  //! Reads one request, whole if it names its length, and answers. False at the end.
  bool serve(int connection) {
    std::string request;
    std::size_t wanted = std::string::npos;
    while (request.size() < wanted) {
      char buffer[4096];
      const ssize_t got = ::read(connection, buffer, sizeof buffer);
      if (got <= 0) return false;
      request.append(buffer, static_cast<std::size_t>(got));
      const auto head = request.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      const auto length = request.find("Content-Length: ");
      wanted = head + 4 + (length < head ? std::stoul(request.substr(length + 16)) : 0);
    }
    std::string answer;
    {
      const MutexLock lock(mutex_);
      requests_.push_back(request);
      if (answers_.empty()) return false;
      answer = answers_.front();
      answers_.erase(answers_.begin());
    }
    if (answer.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(answer.size());
  }

  int listener_ = -1;
  std::uint16_t port_ = 0;
  Mutex mutex_;
  std::vector<std::string> answers_ GUARDED_BY(mutex_);
  std::vector<std::string> requests_ GUARDED_BY(mutex_);
  int connections_ GUARDED_BY(mutex_) = 0;
  int open_ GUARDED_BY(mutex_) = -1;
  std::jthread thread_;
};

std::string answer(const std::string& status, const std::string& body,
                   const std::string& headers = {}) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class ClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = Client::make();
    ASSERT_TRUE(made);
    client_ = *std::move(made);
    path_ = ::testing::TempDir() + "client_test_" + std::to_string(::getpid());
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string file_text() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::unique_ptr<Client> client_;
  std::string path_;
};

TEST_F(ClientTest, SendsAndReceives) {
  CannedServer server({answer("201 Created", "made", "X-A: 1\r\nLink: <u>; rel=\"next\"\r\n")});
  ClientRequest request{.method = "POST", .url = server.url("/things?a=b")};
  request.headers = {{"Content-Type", "text/plain"}, {"X-Empty", ""}};
  request.body = "hello";
  const auto response = client_->send(request);
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 201);
  EXPECT_TRUE(response->ok());
  EXPECT_EQ(response->body, "made");
  EXPECT_EQ(*response->find_header("x-a"), "1");
  EXPECT_EQ(response->find_header("x-b"), nullptr);
  const std::string sent = server.requests().at(0);
  EXPECT_TRUE(sent.starts_with("POST /things?a=b HTTP/1.1\r\n")) << sent;
  EXPECT_NE(sent.find("Content-Type: text/plain\r\n"), std::string::npos);
  EXPECT_NE(sent.find("X-Empty:"), std::string::npos);
  EXPECT_EQ(sent.find("Expect:"), std::string::npos);
  EXPECT_TRUE(sent.ends_with("\r\n\r\nhello"));
}

TEST_F(ClientTest, KeepsItsConnection) {
  CannedServer server({answer("200 OK", "1"), answer("404 Not Found", "2"), answer("200 OK", "3")});
  for (const char* body : {"1", "2", "3"}) {
    const auto response = client_->send({.url = server.url("/")});
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, body);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientTest, SendsFilesAndEmptyBodies) {
  CannedServer server({answer("200 OK", ""), answer("200 OK", ""), answer("204 No Content", "")});
  std::ofstream(path_) << "from a file";
  ClientRequest request{.method = "PUT", .url = server.url("/a")};
  request.body_file = path_;
  ASSERT_TRUE(client_->send(request));
  ASSERT_TRUE(client_->send({.method = "PUT", .url = server.url("/b")}));
  ASSERT_TRUE(client_->send({.method = "DELETE", .url = server.url("/c")}));
  const auto sent = server.requests();
  EXPECT_TRUE(sent.at(0).ends_with("\r\n\r\nfrom a file"));
  EXPECT_NE(sent.at(1).find("Content-Length: 0\r\n"), std::string::npos);
  EXPECT_EQ(sent.at(2).find("Content-Length"), std::string::npos);
  request.body_file = path_ + "-none";
  EXPECT_EQ(client_->send(request).error().code(), Code::io);
}

TEST_F(ClientTest, OnlyGoodAnswersGoToTheFile) {
  CannedServer server(
      {answer("200 OK", "media"), answer("403 Forbidden", "why"), answer("200 OK", "")});
  ClientRequest request{.url = server.url("/")};
  request.answer_file = path_;
  const auto good = client_->send(request);
  ASSERT_TRUE(good);
  EXPECT_TRUE(good->body.empty());
  EXPECT_EQ(file_text(), "media");
  const auto refused = client_->send(request);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->body, "why");
  EXPECT_EQ(file_text(), "media");
  ASSERT_TRUE(client_->send(request));
  EXPECT_EQ(file_text(), "");
}

TEST_F(ClientTest, BoundsAnswersInMemory) {
  CannedServer server({answer("200 OK", "12345"), answer("200 OK", "123456")});
  ClientRequest request{.url = server.url("/")};
  request.answer_bytes_max = 5;
  EXPECT_TRUE(client_->send(request));
  const auto refused = client_->send(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::too_large);
}

TEST_F(ClientTest, FailuresNameTheUrlButNoSecrets) {
  const auto refused = client_->send({.url = "http://user:secret@127.0.0.1:1/p?signature=secret"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::io);
  EXPECT_NE(refused.error().message().find("GET http://127.0.0.1:1/p: "), std::string::npos)
      << refused.error().message();
  EXPECT_EQ(refused.error().message().find("secret"), std::string::npos);
  EXPECT_EQ(client_->send({.url = "file:///etc/passwd"}).error().code(), Code::invalid);
  EXPECT_EQ(client_->send({.url = "http://"}).error().code(), Code::invalid);
}

TEST_F(ClientTest, GivesUpInTimeAndOnRequest) {
  CannedServer slow({"", "", ""});
  ClientRequest request{.url = slow.url("/")};
  request.total_timeout = std::chrono::milliseconds(100);
  EXPECT_EQ(client_->send(request).error().code(), Code::timeout);
  std::stop_source stop;
  stop.request_stop();
  request.total_timeout = {};
  request.stop = stop.get_token();
  EXPECT_EQ(client_->send(request).error().code(), Code::cancelled);
}

TEST(GuardedClient, ConnectsToPermittedAddressesOnly) {
  CannedServer server({answer("200 OK", "1")});
  const std::string local = server.url("/");
  const auto guarded = [](std::vector<Network> networks) {
    return *Client::make({.only_public_and = std::move(networks)});
  };
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0",
                           "[::1]", "[::ffff:127.0.0.1]", "[::]"}) {
    std::string url = local;
    url.replace(url.find("127.0.0.1"), 9, host);
    const auto refused = guarded({})->send({.url = url});
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().code(), Code::forbidden) << url << refused.error().message();
  }
  const auto allowed = guarded({*Network::parse("127.0.0.0/8")})->send({.url = local});
  ASSERT_TRUE(allowed) << allowed.error().message();
  EXPECT_EQ(allowed->body, "1");
}

TEST(Urls, LinkNext) {
  EXPECT_EQ(link_next("<http://h/a?page=x&limit=2>; rel=\"next\""), "http://h/a?page=x&limit=2");
  EXPECT_EQ(link_next("<http://h/first>; rel=\"first\", <http://h/n>; rel=next"), "http://h/n");
  EXPECT_EQ(link_next("<http://h/first>; rel=\"first\""), "");
  EXPECT_EQ(link_next(""), "");
  EXPECT_EQ(link_next("<broken"), "");
}

TEST(Urls, Origin) {
  EXPECT_EQ(url_origin("HTTP://Host:80/Path"), "http://host:80");
  EXPECT_EQ(url_origin("https://user:pw@host/?q"), "https://host");
  EXPECT_EQ(url_origin("/path"), "");
}

TEST(Urls, Authority) {
  using Parts = std::pair<std::string_view, std::uint16_t>;
  EXPECT_EQ(split_authority("a.example:8000"), Parts("a.example", 8000));
  EXPECT_EQ(split_authority("a.example"), Parts("a.example", 0));
  EXPECT_EQ(split_authority("[::1]:80"), Parts("::1", 80));
  EXPECT_EQ(split_authority("[::1]"), Parts("::1", 0));
  EXPECT_EQ(split_authority("a:99999"), Parts("a", 0));
  EXPECT_EQ(split_authority(""), Parts("", 0));
}

}  // namespace
}  // namespace reel::http
