#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "api/event_stream.h"
#include "events/change_log.h"
#include "store/sqlite/sqlite_store.h"
#include "tams/tables.h"

namespace reel::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr milliseconds kLong{600'000};

//! A store with a change log, and those who follow it.
class EventsTest : public testing::Test {
 protected:
  EventsTest() : folder_(testing::TempDir() + Uuid::random().to_string()) {
    std::filesystem::create_directories(folder_);
    store_ = *store::open_sqlite_store(
        {.path = folder_ + "/store.db", .committed = [this] { signal_.notify(); }});
    EXPECT_TRUE(tams::ensure_tables(*store_));
    feed_ = std::make_unique<events::ChangeFeed>(*store_, signal_);
    context_ = std::make_unique<tams::Context>(tams::Context{.store = *store_,
                                                             .storage = storage_,
                                                             .clock = clock_,
                                                             .random = system_random(),
                                                             .changes = signal_});
  }
  ~EventsTest() override {
    feed_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void write(const char* type = "flows/deleted") {
    store::Batch batch;
    events::append_change(batch, {.at = clock_.now(),
                                  .type = type,
                                  .actor = "x",
                                  .flow_id = FlowId::random(),
                                  .payload = R"({"flow_id":"y"})"});
    EXPECT_TRUE(store_->commit(std::move(batch)));
  }

  std::shared_ptr<api::EventStream> open(std::optional<std::int64_t> last) {
    events::EventFilter filter{.types = {"flows/deleted"}};
    auto stream = api::EventStream::open(
        *context_, *feed_,
        {.caller = {}, .filter = std::move(filter), .shaping = {}, .last_event_id = last});
    EXPECT_TRUE(stream);
    return *stream;
  }

  static std::string read(api::EventStream& stream) {
    std::string text;
    EXPECT_TRUE(stream.read(text));
    return text;
  }

  std::int64_t newest() { return *events::newest_change(**store_->snapshot()); }

  const std::string folder_;
  ManualClock clock_;
  events::ChangeSignal signal_;
  tams::Storage storage_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<events::ChangeFeed> feed_;
  std::unique_ptr<tams::Context> context_;
};

TEST_F(EventsTest, AStreamTellsWhatComesBehindItsId) {
  write();
  write();
  const auto stream = open(newest() - 1);
  EXPECT_THAT(
      read(*stream),
      AllOf(StartsWith(":\nid: "),
            HasSubstr(fmt::format("\n\nid: {}\nevent: flows/deleted\ndata: {{", newest()))));
  EXPECT_THAT(read(*stream), IsEmpty());
  const auto now = open(std::nullopt);
  EXPECT_EQ(read(*now), fmt::format(":\nid: {}\n\n", newest()));
}

TEST_F(EventsTest, AnIdThatTheLogHasForgottenIsAnError) {
  write();
  const std::int64_t first = newest();
  write();
  clock_.advance(seconds(10));
  write();
  ASSERT_EQ(*events::trim_changes(*store_, clock_.now(), 100), 2U);
  EXPECT_THAT(read(*open(first)),
              AllOf(StartsWith(fmt::format("id: {}\nevent: error\n", newest() - 1)),
                    HasSubstr("unknown_event_id"), HasSubstr("event: flows/deleted")));
  EXPECT_THAT(read(*open(newest() - 1)), Not(HasSubstr("event: error")));
  EXPECT_THAT(read(*open(newest() + 1)), HasSubstr("event: error"));
}

TEST_F(EventsTest, FilteredChangesMoveTheId) {
  const auto stream = open(std::nullopt);
  read(*stream);
  write("flows/created");
  EXPECT_EQ(read(*stream), fmt::format(":\nid: {}\n\n", newest()));
  EXPECT_THAT(read(*stream), IsEmpty());
}

TEST_F(EventsTest, AReaderIsWokenByAChangeBeforeAndAfterItWaits) {
  std::promise<void> first;
  feed_->wait(newest(), kLong, [&] { first.set_value(); });
  write();
  EXPECT_EQ(first.get_future().wait_for(kLong), std::future_status::ready);
  std::promise<void> second;
  feed_->wait(newest() - 1, kLong, [&] { second.set_value(); });
  EXPECT_EQ(second.get_future().wait_for(kLong), std::future_status::ready);
}

TEST_F(EventsTest, AReaderIsWokenAfterItsTime) {
  std::promise<void> woken;
  feed_->wait(newest(), milliseconds(1), [&] { woken.set_value(); });
  EXPECT_EQ(woken.get_future().wait_for(kLong), std::future_status::ready);
}

TEST_F(EventsTest, ACancelledWakeNeverComes) {
  std::atomic<bool> woken{false};
  feed_->cancel(feed_->wait(newest(), kLong, [&] { woken = true; }));
  std::promise<void> other;
  feed_->wait(newest(), kLong, [&] { other.set_value(); });
  write();
  EXPECT_EQ(other.get_future().wait_for(kLong), std::future_status::ready);
  EXPECT_FALSE(woken);
}

}  // namespace
}  // namespace reel::server
