#include "obs/trace.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "base/uuid.h"
#include "obs/trace_internal.h"

namespace reel::obs {
namespace {

// INVARIANT: set by the innermost living TraceScope or Span of this thread.
thread_local Work work;

bool lower_hex(std::string_view text) {
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool all_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

//! xoshiro256**, seeded from the kernel once per thread: identifiers must be unique, not secret,
//! and a system call per request would cost more than the request.
class IdGenerator {
 public:
  IdGenerator() {
    std::array<unsigned char, sizeof(state_)> seed;
    system_random().fill(seed.data(), seed.size());
    std::memcpy(state_.data(), seed.data(), seed.size());
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

 private:
  static std::uint64_t rotate(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }
  std::array<std::uint64_t, 4> state_;
};

//! `words` times 16 hex digits that are not all zero.
std::string random_hex(int words) {
  static constexpr char kDigits[] = "0123456789abcdef";
  thread_local IdGenerator generator;
  std::string out;
  out.reserve(static_cast<std::size_t>(words) * 16);
  for (int i = 0; i < words; ++i) {
    std::uint64_t word = generator.next() | (i == 0 ? 1U : 0U);
    for (int digit = 0; digit < 16; ++digit, word >>= 4) out.push_back(kDigits[word & 15]);
  }
  return out;
}

}  // namespace

std::optional<TraceContext> TraceContext::parse(std::string_view traceparent) {
  // version "-" 32 hex "-" 16 hex "-" 2 hex; a later version may append "-" and more.
  constexpr std::size_t kSize = 55;
  if (traceparent.size() < kSize) return std::nullopt;
  const std::string_view version = traceparent.substr(0, 2);
  const std::string_view trace = traceparent.substr(3, 32);
  const std::string_view span = traceparent.substr(36, 16);
  const std::string_view flags = traceparent.substr(53, 2);
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') {
    return std::nullopt;
  }
  if (!lower_hex(version) || !lower_hex(trace) || !lower_hex(span) || !lower_hex(flags)) {
    return std::nullopt;
  }
  if (version == "ff" || all_zero(trace) || all_zero(span)) return std::nullopt;
  if (traceparent.size() > kSize && (version == "00" || traceparent[kSize] != '-')) {
    return std::nullopt;
  }
  const int low = flags[1] <= '9' ? flags[1] - '0' : flags[1] - 'a' + 10;
  return TraceContext{std::string(trace), std::string(span), (low & 1) != 0};
}

TraceContext TraceContext::start() { return {random_hex(2), random_hex(1), false}; }

TraceContext TraceContext::child() const { return {trace_id, random_hex(1), sampled}; }

std::string TraceContext::to_traceparent() const {
  std::string out;
  out.reserve(55);
  out.append("00-").append(trace_id).append("-").append(span_id);
  out.append(sampled ? "-01" : "-00");
  return out;
}

std::string choose_request_id(std::string_view from_client) {
  constexpr std::size_t kBytesMax = 128;
  bool usable = !from_client.empty() && from_client.size() <= kBytesMax;
  for (const char c : from_client) {
    usable = usable && c > ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\';
  }
  return usable ? std::string(from_client) : random_hex(1);
}

Work exchange_work(const Work& next) { return std::exchange(work, next); }

const Work& current_work() { return work; }

TraceScope::TraceScope(std::string_view request_id, const TraceContext& trace, Tracer* tracer)
    : outer_(exchange_work({.request_id = request_id,
                            .trace = &trace,
                            .tracer = trace.sampled ? tracer : nullptr})) {}

TraceScope::~TraceScope() { exchange_work(outer_); }

std::string_view current_request_id() { return work.request_id; }

std::string_view current_trace_id() {
  return work.trace == nullptr ? std::string_view() : std::string_view(work.trace->trace_id);
}

}  // namespace reel::obs
