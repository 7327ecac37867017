#pragma once
//! What travels between the sockets (http) and the handlers (api): plain values, no sockets.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "auth/identity.h"
#include "base/hash.h"
#include "base/result.h"

namespace reel::api {

//! `other`: a method that no route has; its own name is not kept.
enum class Method : std::uint8_t { get, head, post, put, patch, del, options, trace, other };
inline constexpr std::size_t kMethodCount = 9;
std::string_view method_name(Method method);
//! Names are case-sensitive (RFC 9110, 9.1).
Method parse_method(std::string_view name);

//! Header fields in order; names compare without case.
class Headers {
 public:
  void reserve(std::size_t count) { fields_.reserve(count); }
  void add(std::string name, std::string value);
  //! Replaces every field of that name.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  //! The first field of that name, nullptr when there is none.
  const std::string* find(std::string_view name) const;
  //! Every field of that name as one list (RFC 9110 5.3); nullopt when there is none.
  std::optional<std::string> list(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

//! A request before its body was read.
struct RequestHead {
  Method method = Method::get;
  std::string path;   //!< raw, still percent-encoded, begins with '/'
  std::string query;  //!< raw, without '?'
  Headers headers;
  std::string peer;  //!< address of the client, without the port
  bool tls = false;
  std::string request_id;
  std::optional<std::uint64_t> content_length;  //!< nullopt: chunked or no body
  bool chunked = false;
};

struct Request {
  RequestHead head;
  std::string body;
  //! Asked when nobody waits for the answer any more: the client is gone, or the server's patience
  //! is. Only of an Admission that is stoppable.
  std::stop_token stop = {};
};

//! Bytes of an open file. The handle keeps the descriptor open.
struct FileBody {
  std::shared_ptr<const void> keep_alive;
  int descriptor = -1;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

//! A body whose length nobody knows: it goes on until it ends, or until the client goes. Destroyed
//! on an I/O thread once it has ended, else on a worker; once that is done no wake comes any more.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  //! Appends what is ready now, a bounded piece, possibly nothing. False: that was the end. On a
  //! worker, one call at a time. An error cuts the connection, for the status was sent long ago.
  virtual Result<bool> read(std::string& out) = 0;
  //! Calls `wake` once when read() may have more, from any thread, possibly before this returns,
  //! and after a bounded time in any case: a heartbeat is how a silent client's end is noticed.
  //! Must not block. Called after a read() that gave nothing.
  virtual void when_ready(std::function<void()> wake) = 0;
  //! Whether only the client ends it. Such a stream is ended, as if complete, when the server
  //! drains; any other is sent to its end, or cut.
  virtual bool endless() const = 0;
};

struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, FileBody, std::shared_ptr<BodyStream>> body;
  std::string_view problem = {};  //!< the type of the error that it tells; static text

  static Response json(int status, std::string text);
  static Response empty(int status);
};

//! Takes a streamed body (media upload) piece by piece. Destroying it before finish() undoes
//! everything. Called from worker threads, one call at a time.
class BodySink {
 public:
  virtual ~BodySink() = default;
  //! An error ends the upload; it becomes the answer.
  virtual Status append(ByteSpan bytes) = 0;
  virtual Response finish() = 0;
};

//! How to take a request, decided from its head alone.
struct Admission {
  std::string_view route;             //!< template, e.g. "/flows/{flowId}"; for metrics and logs
  std::uint64_t body_bytes_max = 0;   //!< more is 413
  bool inline_read = false;           //!< short point read: may run on an I/O thread
  bool compressible = true;           //!< gzip may be applied to a large answer
  bool stoppable = false;             //!< handler and stream end early when Request::stop asks
  std::unique_ptr<BodySink> sink;     //!< set: the body goes here, handle() is not called
  const void* route_entry = nullptr;  //!< the application's own note
  auth::IdentityPtr identity;         //!< who asks
  //! Nothing was decided: that may take long (a password hash, keys of a token's issuer). To be
  //! asked again on a worker, with Patience::some.
  bool undecided = false;
};

//! What the HTTP server serves. Thread-safe; neither call throws.
class Application {
 public:
  virtual ~Application() = default;
  //! An answer instead of an admission ends the request before its body is read (404, 405, 401).
  virtual tl::expected<Admission, Response> admit(const RequestHead& head,
                                                  auth::Patience patience) = 0;
  virtual Response handle(const Admission& admission, Request& request) = 0;
  //! The answer for an error that the edge itself found (400, 408, 413, 431, 503, …).
  virtual Response refuse(int status, std::string_view message, std::string_view request_id) = 0;
};

}  // namespace reel::api
