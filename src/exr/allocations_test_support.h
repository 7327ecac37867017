#pragma once
//! For tests only: how much memory a scope takes at most, beyond what was taken before.

#include <cstddef>
#include <optional>

namespace reel::exr::test {

//! Of this thread. One at a time.
class AllocationWatch {
 public:
  AllocationWatch();
  ~AllocationWatch();
  AllocationWatch(const AllocationWatch&) = delete;
  AllocationWatch& operator=(const AllocationWatch&) = delete;

  //! Nothing under a sanitizer, whose own allocator must stay in place.
  std::optional<std::size_t> peak_bytes() const;
};

}  // namespace reel::exr::test
