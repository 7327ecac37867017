#pragma once
//! For this module's tests and benches: a small application, a server around it, a raw client.

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "http/server.h"

namespace reel::http {

//! Collects an upload; "!" in a piece is an error, and destruction without finish() is counted.
class TestSink final : public api::BodySink {
 public:
  explicit TestSink(std::atomic<int>& undone) : undone_(undone) {}
  ~TestSink() override {
    if (!finished_) ++undone_;
  }
  Status append(ByteSpan bytes) override {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.find('!') != std::string_view::npos) return conflict("no exclamation marks");
    total_ += text.size();
    return {};
  }
  api::Response finish() override {
    finished_ = true;
    return api::Response::json(201, fmt::format("{{\"bytes\":{}}}", total_));
  }

 private:
  std::atomic<int>& undone_;
  std::size_t total_ = 0;
  bool finished_ = false;
};

//! Gives what a test puts in.
class TestStream final : public api::BodyStream {
 public:
  //! What a test shares with the streams of an application; one stream at a time.
  struct Source {
    std::mutex mutex;
    std::string ready;
    bool ended = false;
    bool broken = false;
    std::atomic<bool> finite = false;
    std::string endless;  //!< given again with every read
    std::function<void()> wake;
    std::atomic<int> opened{0};
    std::atomic<int> closed{0};
    std::atomic<int> reads{0};

    void put(std::string_view text) {
      change([&] { ready += text; });
    }
    template <class Change>
    void change(const Change& apply) {
      const std::lock_guard lock(mutex);
      apply();
      if (auto call = std::exchange(wake, nullptr)) call();
    }
    bool waited_for() {
      const std::lock_guard lock(mutex);
      return wake != nullptr;
    }
  };

  explicit TestStream(Source& source) : source_(source) { ++source_.opened; }
  ~TestStream() override {
    const std::lock_guard lock(source_.mutex);
    source_.wake = nullptr;
    ++source_.closed;
  }
  Result<bool> read(std::string& out) override {
    const std::lock_guard lock(source_.mutex);
    ++source_.reads;
    if (source_.broken) return io("broken");
    out += std::exchange(source_.ready, {}) + source_.endless;
    return !source_.ended;
  }
  void when_ready(std::function<void()> wake) override {
    const std::lock_guard lock(source_.mutex);
    if (!source_.ready.empty() || source_.ended || source_.broken) return wake();
    source_.wake = std::move(wake);
  }
  bool endless() const override { return !source_.finite; }

 private:
  Source& source_;
};

//! GET /hello, /large, /slow, /block, /file, /noop, /throw, /stream; POST /echo, PUT
//! /upload. The query "undecided": admission takes patience; "stoppable": it can be.
class TestApp final : public api::Application {
 public:
  tl::expected<api::Admission, api::Response> admit(const api::RequestHead& head,
                                                    auth::Patience patience) override {
    api::Admission admission;
    if (patience == auth::Patience::some) ++patient;
    admission.undecided = head.query == "undecided" && patience == auth::Patience::none;
    if (admission.undecided) return admission;
    admission.route = "/unknown";
    for (const std::string_view route : {"/hello", "/large", "/slow", "/block", "/file", "/noop",
                                         "/throw", "/echo", "/upload", "/split", "/stream"}) {
      if (head.path == route) admission.route = route;
    }
    if (admission.route == "/unknown") {
      return tl::unexpected(refuse(404, "no such path", head.request_id));
    }
    admission.inline_read = head.path == "/noop";
    admission.stoppable = head.query == "stoppable";
    if (head.path == "/echo") admission.body_bytes_max = body_bytes_max;
    if (head.path == "/upload") {
      admission.body_bytes_max = upload_bytes_max;
      admission.sink = std::make_unique<TestSink>(undone);
    }
    return admission;
  }

  api::Response handle(const api::Admission& admission, api::Request& request) override {
    ++handled;
    if (admission.route == "/noop") return api::Response::json(200, noop_body);
    if (admission.route == "/large") return api::Response::json(200, large_body);
    if (admission.route == "/echo") return api::Response::json(200, std::move(request.body));
    if (admission.route == "/throw") throw std::runtime_error("thrown");
    if (admission.route == "/file") return file_answer();
    if (admission.route == "/stream") {
      api::Response answer;
      answer.headers.add("Content-Type", "text/event-stream");
      answer.body = std::make_shared<TestStream>(stream);
      return answer;
    }
    if (admission.route == "/split") {
      auto answer = api::Response::json(200, "1");
      answer.headers.add("X-Evil", "a\r\nX-Injected: b");
      return answer;
    }
    if (admission.route == "/slow") std::this_thread::sleep_for(slow);
    if (admission.route == "/block") wait_for_release(request.stop);
    return api::Response::json(200, "{\"query\":\"" + request.head.query + "\"}");
  }

  api::Response refuse(int status, std::string_view message, std::string_view) override {
    return api::Response::json(status, fmt::format("{{\"message\":\"{}\"}}", message));
  }

  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    wake_.notify_all();
  }

  std::size_t body_bytes_max = 1'000;
  std::size_t upload_bytes_max = 1 << 30;
  std::chrono::milliseconds slow{50};
  std::string noop_body = R"({"ok":true})";
  std::string large_body = "[" + std::string(100'000, '1') + "]";
  std::string file_path;
  std::atomic<int> undone{0};
  std::atomic<int> handled{0};
  std::atomic<int> stopped{0};  //!< handlers of /block that were asked to end
  std::atomic<int> patient{0};  //!< admissions that were allowed to take long
  TestStream::Source stream;

 private:
  void wait_for_release(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, stop, [&] { return released_; });
    if (stop.stop_requested()) ++stopped;
  }

  api::Response file_answer() const {
    const int descriptor = ::open(file_path.c_str(), O_RDONLY | O_CLOEXEC);
    api::Response answer = api::Response::empty(200);
    answer.headers.add("Content-Type", "video/mp4");
    answer.headers.add("ETag", "\"file-1\"");
    api::FileBody body;
    body.keep_alive =
        std::shared_ptr<const void>(this, [descriptor](const void*) { ::close(descriptor); });
    body.descriptor = descriptor;
    body.length = static_cast<std::uint64_t>(::lseek(descriptor, 0, SEEK_END));
    answer.body = std::move(body);
    return answer;
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool released_ = false;
};

//! A blocking TCP client that speaks bytes.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }

  //! One answer: status line to the end of its Content-Length body (none with `head`). Interim
  //! answers (1xx) are returned by themselves. Empty when the connection ended first.
  std::string answer(bool head = false) {
    std::size_t end = std::string::npos;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return {};
    }
    end += 4;
    const std::size_t field = received_.find("Content-Length: ");
    const bool bare = received_.compare(9, 1, "1") == 0 || received_.compare(9, 3, "304") == 0;
    if (!head && !bare && field < end) {
      end += static_cast<std::size_t>(std::strtoull(received_.c_str() + field + 16, nullptr, 10));
    }
    while (received_.size() < end) {
      if (!receive()) return {};
    }
    std::string out = received_.substr(0, end);
    received_.erase(0, end);
    return out;
  }

  //! The bytes received so far, once they contain `text`; empty when the connection ended first.
  std::string until(std::string_view text) {
    std::size_t end = 0;
    while ((end = received_.find(text)) == std::string::npos) {
      if (!receive()) return {};
    }
    std::string out = received_.substr(0, end + text.size());
    received_.erase(0, out.size());
    return out;
  }

  //! Everything until the server closes.
  std::string rest() {
    while (receive()) {
    }
    return std::move(received_);
  }

  //! Whether the server ended the connection within the time.
  bool closed_within(std::chrono::milliseconds wait) {
    pollfd entry{socket_, POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(wait.count())) <= 0) return false;
    char byte = 0;
    return ::recv(socket_, &byte, 1, MSG_PEEK) <= 0;
  }

  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  //! Closes with a reset.
  void abort() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }

 private:
  bool receive() {
    char buffer[65'536];
    const ssize_t got = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  bool connected_ = false;
  std::string received_;
};

}  // namespace reel::http
