//! The figures that are kept against plain counts, over random histories in a real store.

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "analytics/object_tally.h"
#include "analytics/refresh.h"
#include "analytics/summary_tree.h"
#include "analytics/tables.h"
#include "analytics/view.h"
#include "base/test_seed.h"
#include "events/change_log.h"
#include "media/test_folder.h"
#include "store/sqlite/sqlite_store.h"
#include "tams/deletions.h"
#include "tams/flows.h"
#include "tams/objects.h"
#include "tams/segments.h"
#include "tams/tables.h"
#include "tams/trash.h"
#include "tams/uploads.h"

namespace reel::analytics {
namespace {

using time::TimeRange;
using time::Timestamp;

json::Value parsed(const std::string& text) { return *json::parse(text); }

class AnalyticsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(tams::ensure_tables(*store_));
    ASSERT_TRUE(prepare(*store_));
    storage_id_ = StorageId::random();
    storage_.backends.emplace(storage_id_, *media::open_local_backend({.id = storage_id_,
                                                                       .label = "local",
                                                                       .provider = "test",
                                                                       .region = {},
                                                                       .availability_zone = {},
                                                                       .store_product = "test",
                                                                       .tags = {},
                                                                       .default_storage = true},
                                                                      folder_ / "media"));
    storage_.signer = media::UrlSigner::with_key(std::string(32, 'k'));
    for (FlowId& flow : flows_) {
      flow = FlowId::random();
      make_flow(flow);
    }
  }

  void make_flow(FlowId flow) {
    const json::Value body = parsed(fmt::format(
        R"({{"id":"{0}","source_id":"{1}","format":"urn:x-nmos:format:data","codec":"a/b",)"
        R"("container":"a/b","essence_parameters":{{}}}})",
        flow.to_string(), source_.to_string()));
    ASSERT_TRUE(tams::put_flow(context_, caller_, flow, body));
  }

  std::size_t below(std::size_t limit) { return random_() % limit; }
  FlowId some_flow() { return flows_[below(flows_.size())]; }

  //! A moment that is close to others, or far away, also before 1970.
  Timestamp some_moment() {
    const Int128 seconds =
        below(4) == 0 ? Int128(random_() >> below(60)) % (Int128{1} << 47) : Int128(below(2000));
    const Int128 nanoseconds = below(3) == 0 ? Int128(below(1'000'000'000)) : Int128{0};
    const Int128 value = seconds * kNanosecondsPerSecond + nanoseconds;
    return Timestamp::from_nanoseconds(below(5) == 0 ? -value : value);
  }
  TimeRange some_range() {
    const Timestamp a = some_moment();
    const Timestamp b = some_moment();
    switch (below(5)) {
      case 0: return TimeRange::make(TimeRange::Bound{a, true}, std::nullopt);
      case 1: return TimeRange::make(std::nullopt, TimeRange::Bound{a, true});
      default: return TimeRange::half_open(std::min(a, b), std::max(a, b));
    }
  }

  //! An object that is there already, or a new one.
  std::string some_object(FlowId flow) {
    if (!objects_.empty() && below(4) == 0) return objects_[below(objects_.size())];
    const std::string id = fmt::format("object/{}", objects_.size());
    const auto request = parsed(R"({"object_ids":[")" + id + R"("]})");
    EXPECT_TRUE(tams::allocate_storage(context_, caller_, flow, request));
    objects_.push_back(id);
    if (below(2) == 0) upload(id);
    return id;
  }
  //! May fail: the object is gone, or has its bytes.
  void upload(const std::string& id) {
    const auto upload = tams::begin_object_upload(context_, storage_id_, id, "");
    if (!upload) return;
    const std::string content(below(200'000) >> below(18), 'x');
    ASSERT_TRUE((*upload)->append(as_bytes(content)));
    (void)(*upload)->finish();
  }

  //! A few segments in a row; those whose time or object is taken fail.
  void add_segments() {
    const FlowId flow = some_flow();
    Int128 at = some_moment().nanoseconds();
    std::string body = "[";
    for (std::size_t i = below(20); i + 1 > 0; --i) {
      const Int128 end = at + 1 + Int128(random_() >> (25 + below(39)));
      const auto start_at = Timestamp::checked(at);
      const auto end_at = Timestamp::checked(end);
      if (!start_at || !end_at) break;
      body += fmt::format(R"({}{{"object_id":"{}","timerange":"{}","object_timerange":"_"}})",
                          body.size() > 1 ? "," : "", some_object(flow),
                          TimeRange::half_open(*start_at, *end_at).to_string());
      at = end + (below(3) == 0 ? Int128(random_() >> (20 + below(40))) : Int128{0});
      if (i == 0) break;
    }
    if (body.size() == 1) return;
    ASSERT_TRUE(tams::register_segments(context_, caller_, flow, parsed(body + "]")));
  }

  //! Softly, then it may come back with its segments, or for good.
  void delete_and_make_again(FlowId flow) {
    if (below(2) == 0) {
      ASSERT_TRUE(tams::delete_flow(context_, caller_, flow));
      if (below(2) == 0) ASSERT_TRUE(tams::carry_out_deletions(context_, {}));
    } else {
      const auto item = tams::trash_flow(context_, caller_, flow);
      ASSERT_TRUE(item);
      if (below(2) == 0) ASSERT_TRUE(analytics::refresh(context_, {}));
      if (below(2) == 0) {
        ASSERT_TRUE(tams::restore_trash(context_, caller_, *item));
        return;
      }
      if (below(2) == 0) ASSERT_TRUE(tams::purge_trash(context_, caller_, *item));
    }
    if (below(2) == 0) ASSERT_TRUE(analytics::refresh(context_, {}));
    make_flow(flow);
  }

  void step() {
    switch (below(12)) {
      case 0: return delete_and_make_again(some_flow());
      case 1:
      case 2:
        ASSERT_TRUE(
            tams::delete_segments(context_, caller_, some_flow(), some_range(), std::nullopt));
        return;
      case 3:
        if (!objects_.empty()) upload(objects_[below(objects_.size())]);
        return;
      case 4: ASSERT_TRUE(analytics::refresh(context_, {})); return;
      case 5:
        if (objects_.empty()) return;
        context_.media_reads->count(objects_[below(objects_.size())]);
        ASSERT_TRUE(save_reads(context_));
        return;
      default: add_segments();
    }
  }

  std::optional<std::int64_t> size_of(store::Snapshot& snapshot, const std::string& id) {
    const auto object = tams::load(snapshot, tams::table::kObjects, {id});
    if (!*object || (**object)["size_bytes"].is_null()) return std::nullopt;
    return (**object).integer("size_bytes");
  }

  //! Counted plainly.
  Summary counted(store::Snapshot& snapshot, FlowId flow, const TimeRange& range) {
    Summary summary;
    const TimelineId timeline = **tams::timeline_of(snapshot, flow);
    EXPECT_TRUE(tams::scan_segments(snapshot, timeline, {.range = range}, [&](const auto& row) {
      const tams::Segment segment = tams::segment_of(row);
      summary.append(Summary::of(segment.start.nanoseconds(), segment.end_nanoseconds,
                                 size_of(snapshot, segment.object_id).value_or(0)));
      return true;
    }));
    return summary;
  }
  Tally counted(store::Snapshot& snapshot, const std::vector<FlowId>& flows) {
    std::set<std::string> ids;
    for (const FlowId flow : flows) {
      const TimelineId timeline = **tams::timeline_of(snapshot, flow);
      EXPECT_TRUE(tams::scan_segments(snapshot, timeline, {}, [&](const auto& row) {
        ids.insert(tams::segment_of(row).object_id);
        return true;
      }));
    }
    Tally tally;
    for (const std::string& id : ids) {
      tally += ObjectUsage{.size_bytes = size_of(snapshot, id), .group = {}}.tally();
    }
    return tally;
  }

  //! Everything that View tells against plain counts.
  void check() {
    auto view = View::open(context_);
    ASSERT_TRUE(view);
    const auto snapshot = *store_->snapshot();
    Summary all;
    std::vector<FlowFacts> some;
    std::vector<FlowFacts> every;
    std::vector<FlowId> some_ids;
    for (const FlowId flow : flows_) {
      const std::vector<FlowFacts> one = {{.key = {flow, **tams::timeline_of(*snapshot, flow)},
                                           .format = {},
                                           .codec = {},
                                           .resolution = {}}};
      every.push_back(one[0]);
      const Summary whole = counted(*snapshot, flow, TimeRange::eternity());
      ASSERT_EQ(*view->summary(&one, std::nullopt), whole);
      all.join(whole);
      for (int i = 0; i < 3; ++i) {
        const TimeRange range = some_range();
        ASSERT_EQ(*view->summary(&one, range), counted(*snapshot, flow, range))
            << range.to_string();
      }
      if (below(2) == 0) continue;
      some.push_back(one[0]);
      some_ids.push_back(flow);
    }
    ASSERT_EQ(*view->summary(nullptr, std::nullopt), all);
    ASSERT_EQ(without_reads(*view->tally(every, true)),
              counted(*snapshot, {flows_.begin(), flows_.end()}));
    ASSERT_EQ(without_reads(*view->tally(some, false)), counted(*snapshot, some_ids));
  }
  static Tally without_reads(Tally tally) {
    tally.reads = 0;
    return tally;
  }

  //! All rows of a table as text, without when they were made.
  std::map<std::string, std::string> rows(std::string_view table) {
    std::map<std::string, std::string> found;
    const auto snapshot = *store_->snapshot();
    EXPECT_TRUE(snapshot->scan_all(table, 0, 1, [&](const store::RowView& row) {
      std::string key;
      std::string cells;
      for (std::size_t i = 0; i < row.cells.size(); ++i) {
        const store::Column& column = row.schema.columns[i];
        if (column.id == store::kInsertedAt || column.name == "as_of") continue;
        store::encode_value(row.schema.is_key(column.id) ? key : cells, column.type, row[i]);
      }
      found[key] = cells;
      return true;
    }));
    return found;
  }
  std::vector<std::map<std::string, std::string>> kept() {
    std::vector<std::map<std::string, std::string>> tables;
    for (const auto table : {table::kFlowSummaries, table::kNodes, table::kObjectUsage,
                             table::kObjectGroups, table::kTimelineGroups}) {
      tables.push_back(rows(table));
    }
    return tables;
  }
  //! As if the figures had never been computed.
  void forget_state() {
    store::Batch batch;
    write_state(batch, {.cursor = 0, .complete = false});
    ASSERT_TRUE(store_->commit(std::move(batch)));
  }

  std::mt19937_64 random_{test_seed()};
  const media::TestFolder folder_;
  ManualClock clock_;
  const std::unique_ptr<store::Store> store_ =
      *store::open_sqlite_store({.path = folder_ / "store.db"});
  tams::Storage storage_;
  StorageId storage_id_;
  const SourceId source_ = SourceId::random();
  std::array<FlowId, 4> flows_;
  std::vector<std::string> objects_;
  const tams::Caller caller_{.principal = "test", .base_url = "http://x"};
  events::ChangeSignal changes_;
  const tams::Context context_{.store = *store_,
                               .storage = storage_,
                               .clock = clock_,
                               .random = system_random(),
                               .changes = changes_};
};

TEST_F(AnalyticsTest, EqualPlainCountsOverARandomHistory) {
  for (int i = 0; i < 80; ++i) {
    ASSERT_NO_FATAL_FAILURE(step()) << "step " << i;
    ASSERT_NO_FATAL_FAILURE(check()) << "step " << i;
  }
}

TEST_F(AnalyticsTest, WhatIsKeptIsWhatIsComputedFromScratch) {
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 40; ++i) ASSERT_NO_FATAL_FAILURE(step());
    ASSERT_TRUE(analytics::refresh(context_, {}));
    const auto before = kept();
    EXPECT_FALSE(before[1].empty());
    forget_state();
    const auto refused = View::open(context_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::overloaded);
    ASSERT_TRUE(analytics::refresh(context_, {}));
    EXPECT_EQ(kept(), before);
    ASSERT_NO_FATAL_FAILURE(check());
  }
}

TEST_F(AnalyticsTest, NothingIsKeptOfWhatIsGone) {
  for (int i = 0; i < 40; ++i) ASSERT_NO_FATAL_FAILURE(step());
  ASSERT_TRUE(analytics::refresh(context_, {}));
  for (const FlowId flow : flows_) ASSERT_TRUE(tams::delete_flow(context_, caller_, flow));
  ASSERT_TRUE(tams::carry_out_deletions(context_, {}));
  clock_.advance(std::chrono::hours(24 * 365));
  ASSERT_TRUE(tams::purge_expired_trash(context_, {}));
  ASSERT_TRUE(tams::carry_out_deletions(context_, {}));
  ASSERT_TRUE(analytics::refresh(context_, {}));
  for (const auto& rows : kept()) EXPECT_TRUE(rows.empty());
}

TEST_F(AnalyticsTest, ForgottenChangesAreMadeUpFor) {
  for (int i = 0; i < 40; ++i) ASSERT_NO_FATAL_FAILURE(step());
  ASSERT_TRUE(analytics::refresh(context_, {}));
  for (int i = 0; i < 20; ++i) add_segments();
  clock_.advance(std::chrono::hours(24));
  ASSERT_TRUE(events::trim_changes(*store_, clock_.now(), 100'000));
  EXPECT_FALSE(View::open(context_));
  ASSERT_TRUE(analytics::refresh(context_, {}));
  ASSERT_NO_FATAL_FAILURE(check());
}

TEST_F(AnalyticsTest, ManySegmentsOfOneRequestAreTakenInPieceByPiece) {
  std::string body = "[";
  for (int i = 0; i < 5000; ++i) {
    body += fmt::format(R"-({}{{"object_id":"far/{}","timerange":"[{}:0_{}:500000000)",)-"
                        R"-("get_urls":[{{"url":"https://media.example/x","label":"cdn"}}]}})-",
                        i == 0 ? "" : ",", i, 10 * i, 10 * i);
  }
  ASSERT_TRUE(tams::register_segments(context_, caller_, flows_[0], parsed(body + "]")));
  ASSERT_NO_FATAL_FAILURE(check());
  ASSERT_TRUE(analytics::refresh(context_, {}));
  ASSERT_NO_FATAL_FAILURE(check());
  ASSERT_TRUE(tams::delete_segments(context_, caller_, flows_[0],
                                    *TimeRange::parse("[1000:0_40000:0)"), std::nullopt));
  ASSERT_TRUE(tams::carry_out_deletions(context_, {}));
  ASSERT_NO_FATAL_FAILURE(check());
  ASSERT_TRUE(analytics::refresh(context_, {}));
  ASSERT_NO_FATAL_FAILURE(check());
}

}  // namespace
}  // namespace reel::analytics
