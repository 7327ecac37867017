#pragma once
//! Background work that makes way for what clients want.

#include <atomic>
#include <chrono>
#include <cstdint>

namespace reel {

//! Counts what clients ask for. Thread-safe.
class Demand {
 public:
  void note() { count_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> count_ = 0;
};

//! Paces the work of one thread that is done in short pieces: while clients ask for anything, it
//! rests `times` as long as each piece took; else not at all. The demand must outlive it.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Pace(const Demand& demand, int times = 4) : demand_(demand), times_(times) {}

  //! After a piece. At most 100 ms; how long it was to be.
  Clock::duration rest();

 private:
  const Demand& demand_;
  const int times_;
  std::uint64_t seen_ = demand_.count();
  Clock::time_point wanted_ = {};  //!< when the count was last another one
  Clock::time_point begun_ = Clock::now();
};

//! Lets the calling thread step back behind those of requests when processors are short. `nice`: as
//! of nice(1). A refusal does no harm.
void lower_priority(int nice);

}  // namespace reel
