#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <utility>

#include <duckdb/common/allocator.hpp>

#include "base/thread_annotations.h"
#include "sql/memory_guard_internal.h"

namespace reel::sql {
namespace {

//! Sanitizers have allocators of their own, which keep much of what was freed.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REEL_OWN_ALLOCATORS 0
#else
#define REEL_OWN_ALLOCATORS 1
#endif

//! Smaller pieces are given without a look at the process.
constexpr std::size_t kLarge = std::size_t{1} << 20;

struct Statements {
  Mutex mutex;
  std::size_t running GUARDED_BY(mutex) = 0;
  // Read without the lock, while memory is asked for:
  std::atomic<std::uint64_t> bytes_max = 0;  //!< 0: none runs
  std::atomic<std::uint64_t> resident_before = 0;
};

Statements& statements() {
  static Statements all;
  return all;
}

thread_local bool on_sql_thread = false;

//! Bytes of the process in memory; 0 when the system does not tell. Allocates nothing.
std::uint64_t resident_bytes() {
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 128> text{};
  const ssize_t length = ::read(file, text.data(), text.size());
  ::close(file);
  if (length <= 0) return 0;
  const char* const end = text.data() + length;
  const char* const second =
      std::find<const char*>(text.data(), end, ' ');  // the first is the address space
  std::uint64_t pages = 0;
  if (second != end) std::from_chars(second + 1, end, pages);
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return pages * page;
}

bool exceeded_with(std::uint64_t more) {
  Statements& all = statements();
  const std::uint64_t allowed = all.bytes_max;
  if (!REEL_OWN_ALLOCATORS || allowed == 0) return false;
  const std::uint64_t resident = resident_bytes();
  std::uint64_t before = all.resident_before;
  while (resident < before && !all.resident_before.compare_exchange_weak(before, resident)) {
  }
  before = std::min(before, resident);
  return resident - before + more > allowed;
}

[[maybe_unused]] bool is_refused(std::size_t bytes) {
  return bytes >= kLarge && on_sql_thread && exceeded_with(bytes);
}

}  // namespace

MemoryUse::MemoryUse(std::uint64_t bytes_max) {
  Statements& all = statements();
  const std::uint64_t resident = resident_bytes();
  const MutexLock lock(all.mutex);
  if (all.running++ == 0) all.resident_before = resident;
  all.bytes_max = std::max<std::uint64_t>(all.bytes_max, bytes_max);
}

MemoryUse::~MemoryUse() {
  Statements& all = statements();
  const MutexLock lock(all.mutex);
  if (--all.running == 0) all.bytes_max = 0;
}

SqlThread::SqlThread() : was_(std::exchange(on_sql_thread, true)) {}
SqlThread::~SqlThread() { on_sql_thread = was_; }

bool memory_exceeded() { return exceeded_with(0); }

void release_memory() {
  duckdb::Allocator::FlushAll();
  ::malloc_trim(0);
}

}  // namespace reel::sql

// The two ways in which allocators (the program's and DuckDB's own) ask the system for memory.
#if REEL_OWN_ALLOCATORS

extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming,readability-function-size)
// Names and parameters are the C library's.

//! What the C library calls its own sbrk().
void* __sbrk(intptr_t increment) noexcept;

__attribute__((visibility("default"))) void* mmap(void* address, std::size_t bytes, int protection,
                                                  int flags, int file, off_t offset) noexcept {
  if ((flags & MAP_ANONYMOUS) != 0 && reel::sql::is_refused(bytes)) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): this is what the call is.
  return reinterpret_cast<void*>(
      ::syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}

__attribute__((visibility("default"))) void* sbrk(intptr_t increment) noexcept {
  if (increment > 0 && reel::sql::is_refused(static_cast<std::size_t>(increment))) {
    errno = ENOMEM;
    return MAP_FAILED;  // both failures are -1
  }
  return __sbrk(increment);
}

// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming,readability-function-size)
}  // extern "C"

#endif
