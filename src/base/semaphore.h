#pragma once
//! A counting semaphore.

#include <cerrno>

#include <semaphore.h>

#include "base/result.h"

namespace reel {

//! POSIX's own. Other than std's semaphores and condition variables it may be destroyed as soon as
//! wait() has returned, also while post() is still on its way out; and it takes no lock that the
//! woken thread would meet the waking one at.
class Semaphore {
 public:
  Semaphore() { REEL_CHECK(::sem_init(&semaphore_, 0, 0) == 0); }
  ~Semaphore() { ::sem_destroy(&semaphore_); }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  void post() { ::sem_post(&semaphore_); }
  void wait() {
    while (::sem_wait(&semaphore_) != 0 && errno == EINTR) {
    }
  }

 private:
  sem_t semaphore_;
};

}  // namespace reel
