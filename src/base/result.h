#pragma once
//! Result<T>, the one way a Reelhouse function says that it failed.

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/core.h>
#include <tl/expected.hpp>

namespace reel {

//! What kind of failure it was. Stable: clients, metrics and logs rely on the names.
enum class Code : std::uint8_t {
  invalid,              //!< the caller's input breaks a rule
  not_found,            //!< what was asked for does not exist
  conflict,             //!< it clashes with what is stored (overlap, changed meanwhile, exists)
  precondition_failed,  //!< the client's own condition (If-Match) does not hold
  key_reused,           //!< the client's key (Idempotency-Key) belongs to another request
  too_large,            //!< above a named limit
  unsupported,          //!< understood, but not offered here
  corrupt,              //!< stored bytes are not what they must be
  io,                   //!< disk or network refused
  timeout,              //!< the deadline passed
  cancelled,            //!< the caller went away
  shutting_down,        //!< the service is stopping
  unauthorized,         //!< who are you?
  forbidden,            //!< you may not
  overloaded,           //!< a bounded queue is full; try again later
  read_only,            //!< the store refuses writes until its disk is healthy again
  unknown_outcome,      //!< the commit may or may not have happened
  internal,             //!< a defect of ours
};

//! The stable lower-case name of a code, e.g. "not_found".
std::string_view code_name(Code code);

//! One failure: code, message, where in the input, and where in our source. Move-only and one
//! pointer wide, so that Result<int> is 16 bytes.
class [[nodiscard]] Error {
 public:
  Error(Code code, std::string message,
        std::source_location where = std::source_location::current());

  Code code() const { return detail_->code; }
  const std::string& message() const { return detail_->message; }

  //! Where in the input the rule was broken: a JSON pointer ("/tags/x"), a query parameter
  //! ("?timerange") or a header name; empty when it concerns the whole.
  const std::string& pointer() const { return detail_->pointer; }

  //! "file.cc:12", the line that made the error.
  std::string origin() const;

  //! Names the place in the input. Returns itself; the free function at() does it to a Failure.
  Error&& at(std::string pointer) &&;

  //! Puts what was being done in front: "reading flow x: <message>".
  Error&& while_doing(std::string_view what) &&;

  //! A deep copy, for an error that several waiters receive.
  Error clone() const;

 private:
  struct Detail {
    Code code;
    std::string message;
    std::string pointer;
    std::source_location where;
  };
  std::unique_ptr<Detail> detail_;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

//! A failure that converts to any Result<T>.
using Failure = tl::unexpected<Error>;

//! A format string that remembers the line that wrote it.
template <class... Args>
struct LocatedFormat {
  fmt::format_string<Args...> format;
  std::source_location where;

  template <class S>
  consteval LocatedFormat(const S& text,  // NOLINT(google-explicit-constructor): like fmt's own
                          std::source_location at = std::source_location::current())
      : format(text), where(at) {}
};

template <class... Args>
Failure fail(Code code, LocatedFormat<std::type_identity_t<Args>...> text, Args&&... args) {
  return Failure(Error(code, fmt::format(text.format, std::forward<Args>(args)...), text.where));
}

// One factory per kind: `return not_found("flow {}", id);`
#define REEL_ERROR_FACTORY(name)                                                               \
  template <class... Args>                                                                     \
  Failure name(LocatedFormat<std::type_identity_t<Args>...> text, Args&&... args) {            \
    return Failure(                                                                            \
        Error(Code::name, fmt::format(text.format, std::forward<Args>(args)...), text.where)); \
  }
REEL_ERROR_FACTORY(invalid)
REEL_ERROR_FACTORY(not_found)
REEL_ERROR_FACTORY(conflict)
REEL_ERROR_FACTORY(precondition_failed)
REEL_ERROR_FACTORY(key_reused)
REEL_ERROR_FACTORY(too_large)
REEL_ERROR_FACTORY(unsupported)
REEL_ERROR_FACTORY(corrupt)
REEL_ERROR_FACTORY(io)
REEL_ERROR_FACTORY(timeout)
REEL_ERROR_FACTORY(cancelled)
REEL_ERROR_FACTORY(shutting_down)
REEL_ERROR_FACTORY(unauthorized)
REEL_ERROR_FACTORY(forbidden)
REEL_ERROR_FACTORY(overloaded)
REEL_ERROR_FACTORY(read_only)
REEL_ERROR_FACTORY(unknown_outcome)
REEL_ERROR_FACTORY(internal)
#undef REEL_ERROR_FACTORY

//! `return at("/tags", invalid("…"));`: names the place in the input.
inline Failure at(std::string pointer, Failure failure) {
  return Failure(std::move(failure.value()).at(std::move(pointer)));
}

//! Aborts with a message and the line. For programmer errors only; never reachable from input.
[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace reel

#define REEL_CONCAT_INNER(a, b) a##b
#define REEL_CONCAT(a, b) REEL_CONCAT_INNER(a, b)

//! Leaves the function with the error if `expr` failed. A statement, not an expression.
#define REEL_TRY(expr)                                                        \
  do {                                                                        \
    if (auto reel_status = (expr); !reel_status)                              \
      return ::tl::unexpected<::reel::Error>(std::move(reel_status).error()); \
  } while (false)

#define REEL_ASSIGN_INNER(tmp, decl, expr)                                  \
  auto tmp = (expr);                                                        \
  if (!tmp) return ::tl::unexpected<::reel::Error>(std::move(tmp).error()); \
  decl = *std::move(tmp)

//! `REEL_ASSIGN(auto flow, load(id));`: the value, or leaves the function with the error.
#define REEL_ASSIGN(decl, expr) REEL_ASSIGN_INNER(REEL_CONCAT(reel_result_, __LINE__), decl, expr)

//! Stays on in release builds.
#define REEL_CHECK(expression)                               \
  do {                                                       \
    if (!(expression)) [[unlikely]]                          \
      ::reel::check_failed(#expression, __FILE__, __LINE__); \
  } while (false)
