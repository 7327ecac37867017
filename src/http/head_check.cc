#include "http/head_check.h"

#include <charconv>
#include <limits>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace reel::http {
namespace {

namespace beast = boost::beast;

constexpr std::size_t kFieldsReserved = 16;

constexpr Refusal kMalformed{400, "malformed", "the request head is malformed"};
constexpr Refusal kBadTarget{400, "bad_target", "the request target is not a valid path"};
constexpr Refusal kBadHost{400, "bad_host", "HTTP/1.1 needs exactly one valid Host field"};
constexpr Refusal kBadLength{400, "bad_length", "Content-Length must be one decimal number"};
constexpr Refusal kBadFraming{400, "bad_framing",
                              "a request has either Content-Length or Transfer-Encoding"};
constexpr Refusal kBadCoding{501, "bad_coding", "the only transfer coding is 'chunked'"};
constexpr Refusal kChunkedOn10{400, "bad_framing", "HTTP/1.0 has no chunked coding"};
constexpr Refusal kBadVersion{505, "bad_version", "only HTTP/1.0 and HTTP/1.1 are spoken here"};
constexpr Refusal kUrlTooLong{414, "url_too_long", "the request target is too long"};
constexpr Refusal kTooManyFields{431, "header_too_large", "the request has too many header fields"};
constexpr Refusal kBadExpectation{417, "bad_expectation",
                                  "the only expectation met is '100-continue'"};

//! Receives what Beast's parser finds and collects the head; the first refusal stays.
class HeadParser final : public beast::http::basic_parser<true> {
 public:
  explicit HeadParser(const HeadLimits& limits) : limits_(limits) {
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(boost::none);
    out.head.headers.reserve(kFieldsReserved);
  }

  ParsedHead out;
  std::optional<Refusal> refusal;
  std::string authority;  //!< of an absolute-form target
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  bool exactly_chunked = false;

 private:
  using error_code = beast::error_code;
  using string_view = beast::string_view;

  void refuse(const Refusal& why) {
    if (!refusal) refusal = why;
  }

  void on_request_impl(beast::http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    out.http_1_1 = version == 11;
    out.head.method = api::parse_method({method.data(), method.size()});
    read_target({target.data(), target.size()});
  }

  void read_target(std::string_view target);
  void read_length(std::string_view value);

  void on_field_impl(beast::http::field field, string_view name, string_view text,
                     error_code&) override {
    const std::string_view value(text.data(), text.size());
    if (out.head.headers.all().size() >= limits_.header_fields_max) return refuse(kTooManyFields);
    switch (field) {
      case beast::http::field::host: ++hosts; break;
      case beast::http::field::content_length:
        ++lengths;
        read_length(value);
        break;
      case beast::http::field::transfer_encoding:
        ++codings;
        exactly_chunked = beast::iequals(text, "chunked");
        break;
      case beast::http::field::expect:
        if (!beast::iequals(text, "100-continue")) refuse(kBadExpectation);
        out.expects_continue = true;
        break;
      default: break;
    }
    out.head.headers.add(std::string(name.data(), name.size()), std::string(value));
  }

  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}

  const HeadLimits& limits_;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

//! Visible ASCII without '#', whole percent escapes, no escaped NUL in the path. Brackets, braces
//! and bars are let through: clients send time ranges unescaped.
bool valid_target(std::string_view target) {
  const std::size_t path_size = std::min(target.find('?'), target.size());
  for (std::size_t i = 0; i < target.size(); ++i) {
    const char c = target[i];
    if (c <= ' ' || c > '~' || c == '#') return false;
    if (c != '%') continue;
    if (i + 2 >= target.size()) return false;
    const int high = hex_digit(target[i + 1]);
    const int low = hex_digit(target[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0 && i < path_size)) return false;
  }
  return true;
}

//! host [":" port]; empty is allowed (RFC 9110 7.2). Names are not resolved, only kept harmless.
bool valid_host(std::string_view host) {
  for (const char c : host) {
    const bool letter_or_digit =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter_or_digit && std::string_view(".-_~:[]%!$&'()*+,;=").find(c) == std::string::npos) {
      return false;
    }
  }
  return true;
}

beast::string_view beast_view(std::string_view text) { return {text.data(), text.size()}; }

//! The length of "http://" or "https://" in front, 0 when there is neither.
std::size_t scheme_size(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() > scheme.size() &&
        beast::iequals(beast_view(target.substr(0, scheme.size())), beast_view(scheme))) {
      return scheme.size();
    }
  }
  return 0;
}

void HeadParser::read_target(std::string_view target) {
  if (target.size() > limits_.url_bytes_max) return refuse(kUrlTooLong);
  if (!valid_target(target)) return refuse(kBadTarget);
  if (const std::size_t scheme = scheme_size(target); scheme > 0) {
    const std::size_t end = std::min(target.find_first_of("/?", scheme), target.size());
    authority = target.substr(scheme, end - scheme);
    if (authority.empty() || !valid_host(authority)) return refuse(kBadTarget);
    target.remove_prefix(end);
    if (target.empty() || target.front() == '?') out.head.path = "/";
  } else if (target.front() != '/') {
    return refuse(kBadTarget);
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  out.head.path.append(target.substr(0, question));
  if (question < target.size()) out.head.query = target.substr(question + 1);
}

void HeadParser::read_length(std::string_view value) {
  std::uint64_t number = 0;
  const char* begin = value.data();
  const char* end = begin + value.size();
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (value.empty() || error != std::errc() || stop != end) return refuse(kBadLength);
  out.head.content_length = number;
}

//! What only the whole head shows.
std::optional<Refusal> check_whole(HeadParser& parser) {
  ParsedHead& out = parser.out;
  if (parser.hosts > 1 || (out.http_1_1 && parser.hosts != 1)) return kBadHost;
  if (const std::string* host = out.head.headers.find("Host"); host && !valid_host(*host)) {
    return kBadHost;
  }
  if (parser.lengths > 1) return kBadLength;
  if (parser.codings > 0) {
    if (parser.lengths > 0) return kBadFraming;
    if (!out.http_1_1) return kChunkedOn10;
    if (parser.codings > 1 || !parser.exactly_chunked) return kBadCoding;
  }
  return std::nullopt;
}

//! Which refusal a syntax error of Beast's parser is.
Refusal from_beast(beast::error_code error, std::string_view head) {
  using beast::http::error;
  if (error == error::multiple_content_length) return kBadLength;
  if (error == error::bad_content_length || error == error::bad_transfer_encoding) {
    // Beast also says this for a length after "chunked" and for the coding after a length.
    return kBadFraming;
  }
  if (error == error::bad_target) return kBadTarget;
  if (error != error::bad_version) return kMalformed;
  // A known version in its place means that something else is in between ("GET /a b HTTP/1.1").
  const std::string_view line = head.substr(0, head.find('\r'));
  const std::size_t space = std::min(line.rfind(' '), line.size());
  const std::string_view version = line.substr(space);
  const bool other = version.size() == 9 && version.starts_with(" HTTP/") &&
                     version != " HTTP/1.0" && version != " HTTP/1.1";
  return other ? kBadVersion : kMalformed;
}

}  // namespace

HeadScanner::Outcome HeadScanner::scan(std::string_view bytes) {
  for (; next_ < bytes.size(); ++next_) {
    const char c = bytes[next_];
    const bool control = (c >= 0 && c < ' ' && c != '\t') || c == 0x7f;
    switch (state_) {
      case State::leading:
        if (c == '\r') {
          state_ = State::leading_cr;
          break;
        }
        if (control || c == ' ' || c == '\t') return Outcome::malformed;
        begin_ = next_;
        state_ = State::request_line;
        break;
      case State::leading_cr:
      case State::request_line_cr:
      case State::line_cr:
      case State::end_cr:
        if (c != '\n') return Outcome::malformed;
        if (state_ == State::end_cr) {
          ++next_;
          return Outcome::complete;
        }
        state_ = state_ == State::leading_cr ? State::leading : State::line_start;
        break;
      case State::request_line:
      case State::line:
        if (c == '\r') {
          state_ = state_ == State::line ? State::line_cr : State::request_line_cr;
        } else if (control) {
          return Outcome::malformed;
        }
        break;
      case State::line_start:
        if (c == ' ' || c == '\t' || (control && c != '\r')) return Outcome::malformed;
        state_ = c == '\r' ? State::end_cr : State::line;
        break;
    }
  }
  return Outcome::need_more;
}

tl::expected<ParsedHead, Refusal> parse_head(std::string_view head, const HeadLimits& limits) {
  HeadParser parser(limits);
  beast::error_code error;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (parser.refusal) return tl::unexpected(*parser.refusal);
  if (error) return tl::unexpected(from_beast(error, head));
  if (!parser.is_header_done()) return tl::unexpected(kMalformed);
  if (const auto refusal = check_whole(parser)) return tl::unexpected(*refusal);
  ParsedHead& out = parser.out;
  if (!parser.authority.empty()) out.head.headers.set("Host", std::move(parser.authority));
  out.head.chunked = parser.codings > 0;
  out.keep_alive = parser.keep_alive();
  out.expects_continue = out.expects_continue && out.http_1_1;
  return std::move(out);
}

}  // namespace reel::http
