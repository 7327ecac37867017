#pragma once
//! The life of one connection: heads, bodies, answers, in order, within the limits.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "api/message.h"
#include "http/answer.h"
#include "http/asio_internal.h"
#include "http/chunked.h"
#include "http/head_check.h"
#include "http/io_thread_internal.h"
#include "http/read_buffer_internal.h"
#include "http/transport_internal.h"
#include "obs/trace.h"

namespace reel::http {

//! A connection that had a request so recently may have the next one on its way when draining
//! begins: it is given this long to arrive. An endless stream is given as long to say that it ends.
inline constexpr std::chrono::milliseconds kDrainGrace{250};

//! One request with its answer. Shared between the session and the worker that handles it: the
//! worker keeps it alive when the session gives up first. One of them touches it at a time; what is
//! below `response` no handler changes.
struct Exchange {
  api::Request request;
  api::Admission admission;
  api::Response response;
  obs::TraceContext trace;
  std::string parent_span_id;  //!< the caller's, when it is traced
  TimePoint started;
  std::string_view route = "unmatched";  //!< for metrics; a view into what the application owns
  std::string request_id;
  api::Method method = api::Method::get;
  bool readable = true;  //!< false: the head could not be read, there is no method or path
  bool admitted = false;
  std::string piece;  //!< of a streamed body, on its way into the sink
  Status appended;    //!< what the sink said of the last piece
  bool http_1_1 = true;
  bool keep_alive = true;
  bool expects_continue = false;
};

//! Counts a request as in flight for a scope.
class InFlight {
 public:
  explicit InFlight(std::atomic<std::size_t>& count) : count_(count), now_(++count) {}
  ~InFlight() { --count_; }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  std::size_t now() const { return now_; }

 private:
  std::atomic<std::size_t>& count_;
  const std::size_t now_;
};

//! One connection, owned by its own coroutine. For its I/O thread only; workers post back to it.
class Session : public std::enable_shared_from_this<Session> {
 public:
  //! `tls` as in Transport.
  Session(Edge& edge, IoThread& io, Socket socket, std::shared_ptr<asio::ssl::context> tls,
          std::string peer);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  //! Serves until the connection ends. Called once.
  Awaitable<void> run();

  // For the I/O thread's tick and drain.
  void check_deadline(TimePoint now);
  void begin_drain(TimePoint now);
  void cut();
  void set_slot(std::size_t slot) { slot_ = slot; }
  std::size_t slot() const { return slot_; }

 private:
  using ExchangePtr = std::shared_ptr<Exchange>;
  enum class HeadEnd : std::uint8_t {
    complete,
    closed,
    malformed,
    too_large,
    url_too_large,
    timeout
  };
  enum class BodyEnd : std::uint8_t {
    complete,
    more,  //!< the room is used, the body is not
    closed,
    malformed,
    too_large,
    timeout,
    no_worker,
    abandoned,  //!< a job still uses the exchange
  };
  //! True once it has happened. Shared with who makes it happen; written on the I/O thread only.
  using Flag = std::shared_ptr<bool>;
  using Job = Flag;  //!< a job of a worker has run

  // session.cc: one request after the other
  Awaitable<bool> serve_one();
  Awaitable<bool> serve_exchange(ExchangePtr exchange);
  Awaitable<HeadEnd> receive_head();
  Awaitable<HeadEnd> read_more(bool idle);
  ExchangePtr open_exchange(ParsedHead parsed);
  Awaitable<bool> handle(ExchangePtr exchange);
  Awaitable<bool> give_up(ExchangePtr abandoned);
  Awaitable<bool> refuse_head(Refusal refusal);
  Awaitable<bool> refuse(ExchangePtr exchange, Refusal refusal);

  // session_body.cc: request bodies
  void begin_body(const Exchange& exchange);
  Awaitable<bool> receive_body(ExchangePtr exchange);
  Awaitable<bool> receive_buffered(ExchangePtr exchange);
  Awaitable<bool> receive_streamed(ExchangePtr exchange);
  Awaitable<BodyEnd> fill(std::string* out, std::size_t bytes_max);
  Awaitable<BodyEnd> fill_counted(std::string* out, std::size_t bytes_max);
  Awaitable<BodyEnd> fill_chunked(std::string* out, std::size_t bytes_max);
  Awaitable<IoResult> read_body_bytes(asio::mutable_buffer into);
  Awaitable<bool> say_continue(const Exchange* exchange);
  Awaitable<bool> refuse_body(ExchangePtr exchange, BodyEnd end);
  Awaitable<bool> refuse_error(ExchangePtr exchange, const Error* error);
  Awaitable<Job> start_job_patiently(std::function<void()> work);
  Awaitable<BodyEnd> pump(ExchangePtr exchange);
  Awaitable<bool> discard_body();
  void drop_sink(Exchange& exchange);
  bool body_done() const { return chunked_ ? decoder_.done() : body_left_ == 0; }

  // session_answer.cc: answers
  Awaitable<bool> answer(ExchangePtr exchange);
  Awaitable<bool> send_text(ExchangePtr exchange, std::string head);
  Awaitable<bool> send_file(ExchangePtr exchange, std::string head);
  Awaitable<std::size_t> read_file(ExchangePtr exchange, std::string* piece, std::uint64_t done);
  Awaitable<bool> write_all(WriteBuffers buffers);
  std::chrono::milliseconds stall_timeout() const;
  void record(const Exchange& exchange, bool sent);
  //! A span below the request's: a body on its way.
  void record_part(const Exchange& exchange, std::string_view name, std::string_view size_name,
                   TimePoint began, std::uint64_t bytes);
  Awaitable<void> linger();

  // session_stream.cc: answers of unknown length
  Awaitable<bool> send_stream(ExchangePtr exchange, std::string head);
  Awaitable<bool> pump_stream(ExchangePtr exchange);
  Awaitable<bool> send_piece(bool chunked, std::string* piece);
  Awaitable<bool> wait_for_more(std::shared_ptr<api::BodyStream> stream);
  void drop_stream(Exchange& exchange);
  Awaitable<bool> peer_stays_until(Flag done);
  Awaitable<bool> take_input();

  // Worker jobs
  Job start_job(std::function<void()> work);
  //! False when the request timed out or the connection was cut; the job goes on alone. A job that
  //! can be stopped is asked to stop then, and when the peer has ended its side of the connection.
  Awaitable<bool> wait_for(Job job);
  //! What a flag that was set means: who waits looks again.
  void wake();

  void set_deadline(std::chrono::milliseconds from_now);
  void no_deadline() { deadline_ = TimePoint::max(); }

  Edge& edge_;
  IoThread& io_;
  Transport transport_;
  const std::string peer_;
  ReadBuffer in_;
  HeadScanner scanner_;
  Timer wake_;  //!< never expires; cancelled to wake the coroutine that waits for a job

  TimePoint deadline_ = TimePoint::max();
  bool timed_out_ = false;  //!< the deadline passed; reset when the next one is set
  bool cut_ = false;
  bool lingers_ = false;       //!< the peer may still be sending when the connection is closed
  bool streams_ = false;       //!< an endless answer is being sent
  bool watches_peer_ = false;  //!< waits for what the peer does, while it waits for a flag
  std::stop_source stop_{std::nostopstate};  //!< of the request, when it can be stopped
  std::optional<InFlight> in_flight_;
  bool waits_idle_ = false;  //!< between two requests, no byte of the next one seen
  std::size_t slot_ = 0;
  std::size_t answered_in_a_row_ = 0;

  // The body being received.
  bool chunked_ = false;
  std::uint64_t body_left_ = 0;  //!< of a counted body
  ChunkedDecoder decoder_;
};

}  // namespace reel::http
