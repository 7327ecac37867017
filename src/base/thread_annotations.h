#pragma once
//! Clang's thread-safety analysis, and a mutex that it understands.

#include <mutex>

#if defined(__clang__)
#define REEL_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define REEL_THREAD_ANNOTATION(x)
#endif

#define CAPABILITY(x) REEL_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY REEL_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) REEL_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(...) REEL_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) REEL_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) REEL_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) REEL_THREAD_ANNOTATION(release_capability(__VA_ARGS__))

namespace reel {

//! std::mutex, visible to the analysis. Usable with std::condition_variable_any.
class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

//! Holds a Mutex for a scope; may be released and taken again, for waiting.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace reel
