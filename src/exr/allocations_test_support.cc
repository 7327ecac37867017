#include "exr/allocations_test_support.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include <malloc.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REEL_SANITIZED
#endif
#endif

namespace {

thread_local bool watching = false;
thread_local std::ptrdiff_t taken = 0;
thread_local std::ptrdiff_t most = 0;

}  // namespace

#ifndef REEL_SANITIZED
// The other forms of new and delete come to these.
void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  if (watching) {
    taken += static_cast<std::ptrdiff_t>(::malloc_usable_size(memory));
    most = std::max(most, taken);
  }
  return memory;
}

void operator delete(void* memory) noexcept {
  if (watching) taken -= static_cast<std::ptrdiff_t>(::malloc_usable_size(memory));
  std::free(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept { operator delete(memory); }
#endif

namespace reel::exr::test {

AllocationWatch::AllocationWatch() {
  taken = 0;
  most = 0;
  watching = true;
}

AllocationWatch::~AllocationWatch() { watching = false; }

std::optional<std::size_t> AllocationWatch::peak_bytes() const {
#ifdef REEL_SANITIZED
  return std::nullopt;
#else
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(most, 0));
#endif
}

}  // namespace reel::exr::test
