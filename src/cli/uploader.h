#pragma once
//! Brings segments into flows: uploads in parallel, registers in order and in bulk.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/thread_annotations.h"
#include "cli/flow_document.h"
#include "cli/progress.h"
#include "cli/tams_client.h"

namespace reel::cli {

//! A segment on its way: an object's bytes, and what is registered about it.
struct UploadJob {
  std::string bytes;
  std::string file;          //!< where the bytes wait instead; removed after the upload
  json::Value registration;  //!< body of POST segments but for object_id and init_object_id
  std::int64_t duration_nanoseconds = 0;
  std::uint64_t sequence = 0;  //!< given by the uploader
};

//! One flow being filled. Thread-safe.
class FlowWriter {
 public:
  struct Options {
    std::string flow_id = {};
    std::size_t allocation_batch = 20;
    std::size_t registration_batch = 20;
    //! Makes the object's bytes of the fragment's, for containers that are not fragmented MP4.
    std::function<Result<std::string>(std::string)> convert = {};
  };

  FlowWriter(TamsClient& client, Options options, Progress& progress)
      : options_(std::move(options)), client_(client), progress_(progress) {}

  //! Uploads the initialisation segment, unless the flow's last segment already uses the same
  //! bytes. Called once, before any segment.
  Status set_init(const std::string& bytes, const std::string& content_type,
                  const std::optional<Segment>& last_registered);

  //! Uploads, then registers everything that is complete up to the first missing segment, if it
  //! is a batch or `more_coming` is false.
  Status write(UploadJob job, bool more_coming);

  //! Registers what is left.
  Status flush() { return register_ready(false); }

  std::uint64_t next_sequence() { return issued_++; }
  //! Of what this writer registered, as stored.
  BitRates bit_rates() const;
  const std::string& flow_id() const { return options_.flow_id; }

 private:
  struct Registration {
    json::Value body;
    std::int64_t duration_nanoseconds;
    std::uint64_t bytes;
  };

  Result<Allocation> take_place();
  Result<std::string> upload(const UploadJob& job);
  Status register_ready(bool more_coming);
  std::vector<Registration> take_ready(bool more_coming) REQUIRES(mutex_);

  const Options options_;
  TamsClient& client_;
  Progress& progress_;
  std::string init_id_;       // set before the first write
  std::uint64_t issued_ = 0;  // by the one thread that submits

  mutable Mutex mutex_;
  BitRates bit_rates_ GUARDED_BY(mutex_);
  std::deque<Allocation> places_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point places_from_ GUARDED_BY(mutex_);
  std::map<std::uint64_t, Registration> uploaded_ GUARDED_BY(mutex_);
  std::uint64_t next_ GUARDED_BY(mutex_) = 0;  // sequence of the next to register
  bool registering_ GUARDED_BY(mutex_) = false;
};

//! Threads that write jobs to their flows. The queue is bounded by bytes in memory; jobs whose
//! bytes are in a file do not count.
class Uploader {
 public:
  Uploader(std::size_t threads, std::size_t queued_bytes_max);
  ~Uploader();

  //! Waits while the queue is full. Fails with what made an earlier job fail, or Code::cancelled
  //! when `stop` comes first.
  Status submit(FlowWriter& flow, UploadJob job, const std::stop_token& stop);
  //! Waits for every job, then registers what is left of `flows`. When `stop` comes first, jobs
  //! that have not started are forgotten, and the result is Code::cancelled.
  Status drain(const std::vector<FlowWriter*>& flows, const std::stop_token& stop);
  //! Has a job failed?
  bool failed() const;

 private:
  struct Entry {
    FlowWriter* flow;
    UploadJob job;
  };

  void run(const std::stop_token& stop);
  //! Waits for a job; nullopt when there will be none. `more` tells whether others wait.
  std::optional<Entry> next(const std::stop_token& stop, bool& more);
  void done(Status result);

  const std::size_t queued_bytes_max_;
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Entry> queue_ GUARDED_BY(mutex_);
  std::size_t queued_bytes_ GUARDED_BY(mutex_) = 0;
  std::size_t running_ GUARDED_BY(mutex_) = 0;
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;
};

}  // namespace reel::cli
