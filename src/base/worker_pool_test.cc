#include "base/worker_pool.h"

#include <atomic>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

namespace reel {
namespace {

TEST(WorkerPool, RunsJobsOnItsThreads) {
  WorkerPool pool({.threads = 2, .queue_max = 10});
  std::latch both_running(2);
  std::atomic<bool> elsewhere = true;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(pool.submit([&, caller = std::this_thread::get_id()] {
      both_running.arrive_and_wait();
      if (std::this_thread::get_id() == caller) elsewhere = false;
    }));
  }
  both_running.wait();
  pool.stop();
  EXPECT_TRUE(elsewhere);
}

TEST(WorkerPool, RefusesWhenTheQueueIsFull) {
  WorkerPool pool({.threads = 1, .queue_max = 2});
  std::latch started(1);
  std::latch release(1);
  std::atomic<int> ran = 0;
  ASSERT_TRUE(pool.submit([&] {
    started.count_down();
    release.wait();
    ++ran;
  }));
  started.wait();
  EXPECT_TRUE(pool.submit([&] { ++ran; }));
  EXPECT_TRUE(pool.submit([&] { ++ran; }));
  EXPECT_EQ(pool.queued(), 2U);
  EXPECT_FALSE(pool.submit([&] { ran += 100; }));
  release.count_down();
  pool.stop();
  EXPECT_EQ(ran, 3);
}

TEST(WorkerPool, StopFinishesEveryAcceptedJob) {
  WorkerPool pool({.threads = 3, .queue_max = 1000});
  std::atomic<int> ran = 0;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(pool.submit([&] { ++ran; }));
  pool.stop();
  EXPECT_EQ(ran, 1000);
  EXPECT_EQ(pool.queued(), 0U);
}

TEST(WorkerPool, RefusesAfterStopWhichIsIdempotent) {
  WorkerPool pool({.threads = 1, .queue_max = 10});
  pool.stop();
  pool.stop();
  EXPECT_FALSE(pool.submit([] {}));
}

TEST(WorkerPool, JobsMaySubmitJobs) {
  std::atomic<int> ran = 0;
  {
    WorkerPool pool({.threads = 1, .queue_max = 10});
    std::latch done(1);
    ASSERT_TRUE(pool.submit([&] {
      EXPECT_TRUE(pool.submit([&] {
        ++ran;
        done.count_down();
      }));
    }));
    done.wait();
  }
  EXPECT_EQ(ran, 1);
}

TEST(WorkerPool, SurvivesManySubmitters) {
  WorkerPool pool({.threads = 2, .queue_max = 8});
  std::atomic<int> ran = 0;
  std::atomic<int> accepted = 0;
  const auto submit_many = [&] {
    for (int i = 0; i < 500; ++i) {
      if (pool.submit([&] { ++ran; })) ++accepted;
    }
  };
  std::vector<std::jthread> submitters(4);
  for (auto& submitter : submitters) submitter = std::jthread(submit_many);
  submitters.clear();
  pool.stop();
  EXPECT_EQ(ran, accepted);
}

}  // namespace
}  // namespace reel
