#pragma once
//! Which bytes this process is writing right now.

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/thread_annotations.h"

namespace reel::tams {

//! The storage keys that uploads and copies of this process are writing. Thread-safe.
class Transfers {
 public:
  //! Holds a key until it goes away.
  class Claim {
   public:
    Claim(Transfers& transfers, std::string key) : transfers_(&transfers), key_(std::move(key)) {}
    ~Claim() {
      if (transfers_ != nullptr) transfers_->release(key_);
    }
    Claim(Claim&& other) noexcept
        : transfers_(std::exchange(other.transfers_, nullptr)), key_(std::move(other.key_)) {}
    Claim& operator=(Claim&&) = delete;
    const std::string& key() const { return key_; }

   private:
    Transfers* transfers_;
    std::string key_;
  };

  //! nullopt when somebody else writes to the key.
  std::optional<Claim> claim(const std::string& key) {
    const MutexLock lock(mutex_);
    if (!keys_.insert(key).second) return std::nullopt;
    return Claim(*this, key);
  }
  //! The keys that are claimed now.
  std::set<std::string> keys() const {
    const MutexLock lock(mutex_);
    return keys_;
  }

 private:
  void release(const std::string& key) {
    const MutexLock lock(mutex_);
    keys_.erase(key);
  }

  mutable Mutex mutex_;
  std::set<std::string> keys_ GUARDED_BY(mutex_);
};

}  // namespace reel::tams
