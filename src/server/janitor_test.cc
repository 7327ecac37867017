#include "server/janitor.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "events/change_signal.h"
#include "media/test_folder.h"
#include "store/sqlite/sqlite_store.h"
#include "tams/deletions.h"
#include "tams/flows.h"
#include "tams/garbage.h"
#include "tams/idempotency.h"
#include "tams/instances.h"
#include "tams/objects.h"
#include "tams/segments.h"
#include "tams/tables.h"
#include "tams/trash.h"
#include "tams/uploads.h"

namespace reel::server {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr std::string_view kFlow = "10000000-0000-4000-8000-000000000001";

json::Value parsed(const std::string& text) { return *json::parse(text); }

//! A store with two backends and a flow, at a time of the test's choice.
class GarbageTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(tams::ensure_tables(*store_));
    for (const char* label : {"fast", "slow"}) {
      const StorageId id = StorageId::random();
      storage_.backends.emplace(
          id, *media::open_local_backend({.id = id,
                                          .label = label,
                                          .provider = "test",
                                          .region = {},
                                          .availability_zone = {},
                                          .store_product = "test",
                                          .tags = {},
                                          .default_storage = std::string_view(label) == "fast"},
                                         folder_ / label));
      (std::string_view(label) == "fast" ? fast_ : slow_) = id;
    }
    storage_.signer = media::UrlSigner::with_key(std::string(32, 'k'));
    const json::Value flow = parsed(fmt::format(
        R"({{"id":"{0}","source_id":"{0}","format":"urn:x-nmos:format:data","codec":"a/b",)"
        R"("container":"a/b","essence_parameters":{{}}}})",
        kFlow));
    ASSERT_TRUE(tams::put_flow(context_, caller_, flow_, flow));
  }

  Status allocate(const std::string& ids) {
    auto answer =
        tams::allocate_storage(context_, caller_, flow_, parsed("{\"object_ids\":" + ids + "}"));
    return answer ? Status() : Status(Failure(std::move(answer).error()));
  }
  Status upload(const std::string& id, std::string_view content) {
    REEL_ASSIGN(const auto upload, tams::begin_object_upload(context_, fast_, id, ""));
    REEL_TRY(upload->append(as_bytes(content)));
    return upload->finish();
  }
  //! Whether the segment could be registered.
  bool add_segment(const std::string& id, int start) {
    const auto body = parsed(
        fmt::format(R"-({{"object_id":"{}","timerange":"[{}:0_{}:0)"}})-", id, start, start + 1));
    return tams::register_segments(context_, caller_, flow_, body).has_value();
  }
  bool has_object(const std::string& id) {
    const auto snapshot = store_->snapshot();
    return (*snapshot)->get(tams::table::kObjects, {id})->has_value();
  }
  std::size_t rows(std::string_view table) {
    std::size_t count = 0;
    const auto snapshot = store_->snapshot();
    EXPECT_TRUE((*snapshot)->scan_all(table, 0, 1, [&](const store::RowView&) { return ++count; }));
    return count;
  }
  std::size_t files(const std::string& label = "fast") {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / label)) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }
  void pass_timeout() { clock_.advance(seconds(context_.limits.min_object_timeout_s + 301)); }
  static ByteSpan as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
  }
  std::string key_of(const std::string& id) {
    const auto snapshot = store_->snapshot();
    tams::InstanceCache cache(**snapshot);
    return (*cache.find(id))->front().storage_key;
  }
  //! Bytes at a key, as an upload leaves them when the process ends before its commit.
  void leave_bytes(const std::string& key) {
    const auto upload = storage_.find(fast_)->begin_upload(key);
    ASSERT_TRUE((*upload)->append(as_bytes("left")));
    ASSERT_TRUE((*upload)->finish());
  }

  const media::TestFolder folder_;
  ManualClock clock_;
  const std::unique_ptr<store::Store> store_ =
      *store::open_sqlite_store({.path = folder_ / "store.db", .clock = &clock_});
  tams::Storage storage_;
  StorageId fast_;
  StorageId slow_;
  const FlowId flow_ = *FlowId::parse(kFlow);
  const tams::Caller caller_{.principal = "test", .base_url = "http://x"};
  events::ChangeSignal changes_;
  const tams::Context context_{.store = *store_,
                               .storage = storage_,
                               .clock = clock_,
                               .random = system_random(),
                               .changes = changes_};
};

TEST_F(GarbageTest, UnregisteredObjectsGoAfterTheTimeout) {
  ASSERT_TRUE(allocate(R"(["kept","lost","empty"])"));
  for (const char* id : {"kept", "lost"}) ASSERT_TRUE(upload(id, id));
  ASSERT_TRUE(add_segment("kept", 0));
  clock_.advance(seconds(context_.limits.min_object_timeout_s + 299));
  ASSERT_TRUE(tams::collect_unregistered(context_));
  EXPECT_TRUE(has_object("lost") && has_object("empty"));
  EXPECT_EQ(files(), 2U);
  clock_.advance(seconds(2));
  ASSERT_TRUE(tams::collect_unregistered(context_));
  EXPECT_TRUE(has_object("kept"));
  EXPECT_FALSE(has_object("lost") || has_object("empty"));
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(rows(tams::table::kAllocations), 0U);
  EXPECT_EQ(rows(tams::table::kMediaGarbage), 0U);
  EXPECT_FALSE(add_segment("lost", 5));
}

TEST_F(GarbageTest, DeletionRequestsAreForgottenAfterADay) {
  ASSERT_TRUE(allocate(R"(["a"])"));
  ASSERT_TRUE(add_segment("a", 0));
  json::Value body;
  body.set("flow_id", kFlow);
  const auto request = tams::request_deletion(context_, caller_, body);
  ASSERT_TRUE(request) << request.error().message();
  const std::stop_token never;
  clock_.advance(seconds(100'000));  // one that is not finished stays, however old
  ASSERT_TRUE(tams::carry_out_deletions(context_, never));
  EXPECT_EQ(rows(tams::table::kSegments), 0U);
  EXPECT_EQ(rows(tams::table::kDeletionRequests), 1U);
  clock_.advance(seconds(86'300));
  ASSERT_TRUE(tams::carry_out_deletions(context_, never));
  EXPECT_EQ(rows(tams::table::kDeletionRequests), 1U);
  clock_.advance(seconds(101));
  ASSERT_TRUE(tams::carry_out_deletions(context_, never));
  EXPECT_EQ(rows(tams::table::kDeletionRequests), 0U);
}

TEST_F(GarbageTest, TheTrashIsPurgedAfterItsTime) {
  ASSERT_TRUE(allocate(R"(["a"])"));
  ASSERT_TRUE(upload("a", "a"));
  ASSERT_TRUE(add_segment("a", 0));
  ASSERT_TRUE(tams::trash_flow(context_, caller_, flow_));
  const std::stop_token never;
  clock_.advance(seconds(context_.limits.trash_days * 86'400 - 1));
  ASSERT_TRUE(tams::purge_expired_trash(context_, never));
  ASSERT_TRUE(tams::collect_unused(context_));
  EXPECT_EQ(rows(tams::table::kTrash), 1U);
  EXPECT_EQ(files(), 1U);
  clock_.advance(seconds(2));
  ASSERT_TRUE(tams::purge_expired_trash(context_, never));
  EXPECT_EQ(rows(tams::table::kTrash), 0U);
  EXPECT_EQ(rows(tams::table::kSegments), 0U);
  EXPECT_EQ(files(), 0U);
}

TEST_F(GarbageTest, WhatWasDroppedIsPurgedAfterItsTime) {
  const store::Type text = store::Type::of(store::TypeKind::string);
  for (const char* name : {"kept", "gone"}) {
    ASSERT_TRUE(store_->create_table({.name = name,
                                      .columns = {{.name = "id", .type = text, .nullable = false},
                                                  {.name = "note", .type = text}},
                                      .partition_key = {"id"}},
                                     {}));
    store::Batch batch;
    for (int i = 0; i < 450; ++i) {  // more than two steps
      batch.insert(name, {std::to_string(i)}, {{"note", "x"}});
    }
    ASSERT_TRUE(store_->commit(std::move(batch)));
  }
  ASSERT_TRUE(store_->migrate({.table = "kept", .operations = {store::DropColumn{"note"}}}, {}));
  ASSERT_TRUE(store_->drop_table("gone", {}));
  const auto work = [&] {
    for (const Janitor::Chore& chore : deleting_chores(context_, *store_))
      ASSERT_TRUE(chore.work({}));
  };
  const auto dropped_columns = [&] {
    return (*store_->catalog()->table("kept"))->tombstones.size();
  };
  clock_.advance(seconds(context_.limits.undrop_days * 86'400));
  work();
  EXPECT_EQ(dropped_columns(), 1U) << "not yet: it was dropped at this moment";
  EXPECT_EQ(store_->dropped_tables()->size(), 1U);
  clock_.advance(seconds(1));
  work();
  EXPECT_EQ(dropped_columns(), 0U);
  EXPECT_TRUE(store_->dropped_tables()->empty());
  EXPECT_EQ(rows("kept"), 450U);
  const auto snapshot = store_->snapshot();
  EXPECT_EQ(*(*snapshot)->ledger("kept"), *store_->recount("kept"));
}

TEST_F(GarbageTest, AnIdThatIsAllocatedAnewHasItsOwnTimeout) {
  ASSERT_TRUE(allocate(R"(["x"])"));
  clock_.advance(seconds(1000));
  ASSERT_TRUE(add_segment("x", 0));
  ASSERT_TRUE(
      tams::delete_segments(context_, caller_, flow_, time::TimeRange::eternity(), std::nullopt));
  ASSERT_FALSE(has_object("x"));
  ASSERT_TRUE(allocate(R"(["x"])"));
  clock_.advance(seconds(context_.limits.min_object_timeout_s + 301 - 1000));
  ASSERT_TRUE(tams::collect_unregistered(context_));
  EXPECT_TRUE(has_object("x"));
  EXPECT_EQ(rows(tams::table::kAllocations), 1U);
  clock_.advance(seconds(1000));
  ASSERT_TRUE(tams::collect_unregistered(context_));
  EXPECT_FALSE(has_object("x"));
}

TEST_F(GarbageTest, AnUploadThatOutlivesItsObjectLeavesNothing) {
  ASSERT_TRUE(allocate(R"(["x"])"));
  {
    const auto upload = tams::begin_object_upload(context_, fast_, "x", "");
    ASSERT_TRUE(upload);
    ASSERT_TRUE((*upload)->append(as_bytes("late")));
    pass_timeout();
    ASSERT_TRUE(tams::collect_unregistered(context_));
    EXPECT_FALSE((*upload)->finish());
    ASSERT_TRUE(tams::remove_garbage(context_));
    EXPECT_EQ(files(), 1U) << "the upload has not ended yet";
  }
  ASSERT_TRUE(tams::remove_garbage(context_));
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(rows(tams::table::kMediaGarbage), 0U);
}

TEST_F(GarbageTest, BytesOfAnUploadThatACrashInterruptedGo) {
  ASSERT_TRUE(allocate(R"(["first","second"])"));
  leave_bytes(key_of("first"));  // a first upload: its object names the key
  ASSERT_TRUE(upload("second", "content"));
  ASSERT_TRUE(add_segment("second", 0));
  store::Batch batch;  // a later upload: it has noted its own key
  const std::string key = tams::new_storage_key(context_, "second");
  tams::note_garbage(batch, fast_, key);
  ASSERT_TRUE(store_->commit(std::move(batch)));
  leave_bytes(key);
  {
    const auto claim = context_.transfers->claim(key);
    ASSERT_TRUE(tams::remove_garbage(context_));
    EXPECT_EQ(files(), 3U) << "somebody is writing there";
  }
  ASSERT_TRUE(tams::remove_garbage(context_));
  EXPECT_EQ(files(), 2U);
  pass_timeout();
  ASSERT_TRUE(tams::collect_unregistered(context_));
  EXPECT_EQ(files(), 1U);
  EXPECT_TRUE(tams::open_object(context_, fast_, "second"));
}

TEST_F(GarbageTest, AFirstUploadAfterACrashReplacesWhatWasLeft) {
  ASSERT_TRUE(allocate(R"(["x"])"));
  leave_bytes(key_of("x"));
  EXPECT_FALSE(tams::open_object(context_, fast_, "x")) << "nobody has finished that upload";
  ASSERT_TRUE(upload("x", "whole content"));
  EXPECT_EQ(tams::open_object(context_, fast_, "x")->file.size_bytes, 13U);
  EXPECT_EQ(files(), 1U);
}

TEST_F(GarbageTest, RegistrationAndCollectionDoNotCross) {
  constexpr int kObjects = 60;
  for (int i = 0; i < kObjects; ++i) {
    const std::string id = fmt::format("o{}", i);
    ASSERT_TRUE(allocate(fmt::format(R"(["{}"])", id)));
    ASSERT_TRUE(upload(id, id));
  }
  pass_timeout();
  std::vector<bool> registered(kObjects);
  std::thread client([&] {
    // From the end: the collection begins with the oldest, so that they meet.
    for (int i = kObjects - 1; i >= 0; --i) {
      registered[static_cast<std::size_t>(i)] = add_segment(fmt::format("o{}", i), i);
    }
  });
  EXPECT_TRUE(tams::collect_unregistered(context_));
  client.join();
  EXPECT_TRUE(tams::collect_unregistered(context_));
  std::size_t kept = 0;
  for (int i = 0; i < kObjects; ++i) {
    const std::string id = fmt::format("o{}", i);
    const bool expected = registered[static_cast<std::size_t>(i)];
    EXPECT_EQ(has_object(id), expected) << id;
    EXPECT_EQ(tams::open_object(context_, fast_, id).has_value(), expected) << id;
    if (expected) ++kept;
  }
  EXPECT_EQ(files(), kept);
}

TEST_F(GarbageTest, UploadsAndTheRemovalOfGarbageDoNotCross) {
  ASSERT_TRUE(allocate(R"(["x"])"));
  std::atomic<bool> done = false;
  std::thread remover([&] {
    while (!done) EXPECT_TRUE(tams::remove_garbage(context_));
  });
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      for (int round = 0; round < 15; ++round) {
        EXPECT_TRUE(upload("x", std::string(static_cast<std::size_t>(100 + i), 'x')));
      }
    });
  }
  for (std::thread& client : clients) client.join();
  done = true;
  remover.join();
  EXPECT_TRUE(tams::remove_garbage(context_));
  EXPECT_TRUE(tams::open_object(context_, fast_, "x"));
  EXPECT_EQ(files(), 1U);
}

TEST_F(GarbageTest, ACopyThatIsNotWantedAnyMoreLeavesNothing) {
  ASSERT_TRUE(allocate(R"(["x"])"));
  ASSERT_TRUE(upload("x", "content"));
  ASSERT_TRUE(add_segment("x", 0));
  const json::Value body = parsed("{\"storage_id\":\"" + slow_.to_string() + "\"}");
  ASSERT_TRUE(tams::add_instance(context_, "x", body));
  EXPECT_FALSE(tams::open_object(context_, slow_, "x")) << "it is not complete";
  EXPECT_FALSE(tams::begin_object_upload(context_, slow_, "x", ""));
  EXPECT_FALSE(tams::remove_instance(context_, "x", fast_)) << "the copy needs it";
  ASSERT_TRUE(tams::remove_instance(context_, "x", slow_));
  ASSERT_TRUE(tams::add_instance(context_, "x", body));
  ASSERT_TRUE(tams::make_copies(context_, {}));
  EXPECT_TRUE(tams::open_object(context_, slow_, "x"));
  EXPECT_EQ(rows(tams::table::kObjectCopies), 0U);
  ASSERT_TRUE(
      tams::delete_segments(context_, caller_, flow_, time::TimeRange::eternity(), std::nullopt));
  EXPECT_EQ(files("fast") + files("slow"), 0U);
}

TEST_F(GarbageTest, KeysOfRequestsGoAfterADay) {
  tams::Caller once = caller_;
  once.once = {.key = "k", .fingerprint = "f"};
  const auto allocate_once = [&] {
    return tams::allocate_storage(context_, once, flow_, parsed(R"({"limit":1})"));
  };
  const auto object_of = [](const std::string& answer) {
    return *parsed(answer).find("media_objects")->as_array()->front().find("object_id");
  };
  const auto first = allocate_once();
  ASSERT_TRUE(first);
  clock_.advance(seconds(86'400));
  ASSERT_TRUE(tams::forget_old_keys(context_));
  EXPECT_EQ(object_of(*allocate_once()), object_of(*first));
  EXPECT_NE(*allocate_once(), *first) << "the first signature has expired long ago";
  clock_.advance(seconds(1));
  ASSERT_TRUE(tams::forget_old_keys(context_));
  EXPECT_EQ(rows(tams::table::kIdempotencyKeys), 0U);
  EXPECT_NE(object_of(*allocate_once()), object_of(*first));
}

TEST_F(GarbageTest, ManyOldKeysGo) {
  store::Batch batch;
  for (int i = 0; i < 2500; ++i) {
    tams::Caller once = caller_;
    once.once = {.key = std::to_string(i), .fingerprint = "f"};
    tams::remember_outcome(context_, once, json::Object{}, batch);
  }
  ASSERT_TRUE(store_->commit(std::move(batch)));
  clock_.advance(seconds(86'401));
  ASSERT_TRUE(tams::forget_old_keys(context_));
  EXPECT_EQ(rows(tams::table::kIdempotencyKeys), 0U);
}

TEST_F(GarbageTest, DamagedBytesAreNotCopied) {
  ASSERT_TRUE(allocate(R"(["x"])"));
  ASSERT_TRUE(upload("x", "content"));
  ASSERT_TRUE(add_segment("x", 0));
  leave_bytes(key_of("x"));  // other bytes in the same place
  ASSERT_TRUE(
      tams::add_instance(context_, "x", parsed("{\"storage_id\":\"" + slow_.to_string() + "\"}")));
  const Status status = tams::make_copies(context_, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::corrupt);
  EXPECT_FALSE(tams::open_object(context_, slow_, "x"));
  EXPECT_EQ(rows(tams::table::kObjectCopies), 1U) << "it is tried again";
}

TEST(Janitor, DoesItsChoresAtOnceAndWhenWoken) {
  Wakeup wakeup;
  std::atomic<int> rounds = 0;
  const Janitor janitor({{"failing", [](const std::stop_token&) { return Status(io("x")); }},
                         {"counting",
                          [&](const std::stop_token&) {
                            ++rounds;
                            rounds.notify_all();
                            return Status();
                          }}},
                        wakeup, std::chrono::hours(1));
  rounds.wait(0);
  wakeup.notify();
  rounds.wait(1);
  EXPECT_GE(rounds, 2);
}

}  // namespace
}  // namespace reel::server
