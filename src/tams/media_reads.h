#pragma once
//! How often the media of objects is read, until it is written down.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/thread_annotations.h"

namespace reel::tams {

//! Counts of this process. Thread-safe.
class MediaReads {
 public:
  using Counts = std::vector<std::pair<std::string, std::int64_t>>;

  void count(const std::string& object_id) {
    const MutexLock lock(mutex_);
    add(object_id, 1);
  }
  //! Everything that was counted; it is forgotten here.
  Counts take() {
    const MutexLock lock(mutex_);
    Counts counts(counts_.begin(), counts_.end());
    counts_.clear();
    return counts;
  }
  //! Counts these as well: they could not be written down.
  void give_back(const Counts& counts) {
    const MutexLock lock(mutex_);
    for (const auto& [object_id, reads] : counts) add(object_id, reads);
  }

 private:
  //! Objects at the same time; reads of further ones are not counted.
  static constexpr std::size_t kObjectsMax = 100'000;

  void add(const std::string& object_id, std::int64_t reads) REQUIRES(mutex_) {
    const auto known = counts_.find(object_id);
    if (known != counts_.end()) {
      known->second += reads;
    } else if (counts_.size() < kObjectsMax) {
      counts_.emplace(object_id, reads);
    }
  }

  Mutex mutex_;
  std::unordered_map<std::string, std::int64_t> counts_ GUARDED_BY(mutex_);
};

}  // namespace reel::tams
