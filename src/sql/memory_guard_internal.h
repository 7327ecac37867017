#pragma once
//! Bounds the memory that DuckDB does not count: single values and the states of aggregates.
//!
//! `memory_limit` counts the blocks of rows that DuckDB holds for joins, sorting and grouping, and
//! nothing else: `repeat('x', 3000000000)` has its way. What counts here is how much the process
//! has grown since statements began to run. Past the limit, threads of SQL get no more large
//! pieces of memory, which DuckDB reports as "out of memory", and the watchdog interrupts what
//! takes it in small pieces.

#include <cstddef>
#include <cstdint>

namespace reel::sql {

//! The rows that DuckDB counts, and as much again that it does not count.
inline constexpr std::uint64_t kMemoryFactor = 2;

//! A statement that runs, as far as memory is concerned. `bytes_max` is for all statements that
//! run at once; where they differ, the largest counts.
class MemoryUse {
 public:
  explicit MemoryUse(std::uint64_t bytes_max);
  ~MemoryUse();
  MemoryUse(const MemoryUse&) = delete;
  MemoryUse& operator=(const MemoryUse&) = delete;
};

//! While it lives, this thread executes SQL, and may be refused memory.
class SqlThread {
 public:
  SqlThread();
  ~SqlThread();
  SqlThread(const SqlThread&) = delete;
  SqlThread& operator=(const SqlThread&) = delete;

 private:
  bool was_;
};

//! Whether the running statements have more than they may.
bool memory_exceeded();

//! Gives back to the system what allocators keep for later.
void release_memory();

}  // namespace reel::sql
