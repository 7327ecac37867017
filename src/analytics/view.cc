#include "analytics/view.h"

#include <set>

#include "analytics/tables.h"
#include "tams/flows.h"
#include "tams/segments.h"
#include "tams/sources.h"
#include "tams/tables.h"

namespace reel::analytics {
namespace {

using tams::Record;
using time::TimeRange;

//! Things named by changes that a report looks at itself: bounds its time.
constexpr std::size_t kItemsMax = 50'000;

const std::vector<std::string> kFlowColumns = {"id",    "source_id",   "timeline_id", "format",
                                               "codec", "frame_width", "frame_height"};

FlowFacts facts_of(const Record& flow) {
  FlowFacts facts{.key = {FlowId{flow.uuid("id")}, tams::timeline_of(flow)},
                  .format = std::string(flow.text("format")),
                  .codec = std::string(flow.text("codec")),
                  .resolution = {}};
  if (!flow["frame_width"].is_null() && !flow["frame_height"].is_null()) {
    facts.resolution =
        fmt::format("{}x{}", flow.integer("frame_width"), flow.integer("frame_height"));
  }
  return facts;
}

Result<std::vector<Record>> all_flows(store::Snapshot& snapshot) {
  std::vector<Record> flows;
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(tams::table::kFlows));
  const store::ScanSpec spec{
      .table = std::string(tams::table::kFlows), .index = "by_created", .columns = kFlowColumns};
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    flows.emplace_back(schema, row.cells);
    return true;
  }));
  return flows;
}

//! Regardless of the time range.
Result<std::vector<Record>> selected(store::Snapshot& snapshot, const Filter& filter) {
  if (filter.source) {
    REEL_TRY(tams::find_source(snapshot, *filter.source));
  }
  if (filter.flow) {
    REEL_ASSIGN(const Record flow, tams::find_flow(snapshot, *filter.flow, kFlowColumns));
    if (filter.source && SourceId{flow.uuid("source_id")} != *filter.source) {
      return std::vector<Record>();
    }
    return std::vector<Record>{flow};
  }
  if (filter.source) return tams::flows_of_source(snapshot, *filter.source, kFlowColumns);
  return all_flows(snapshot);
}

Result<bool> has_content(store::Snapshot& snapshot, TimelineId timeline, const TimeRange& range) {
  if (!range.is_never()) return tams::has_segment_within(snapshot, timeline, range);
  REEL_ASSIGN(const bool any, tams::has_segment_within(snapshot, timeline, TimeRange::eternity()));
  return !any;
}

}  // namespace

Result<View> View::open(const tams::Context& context) {
  REEL_ASSIGN(auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto state, sound_state(*snapshot));
  if (!state) return overloaded("the figures are being computed");
  View view(std::move(snapshot));
  REEL_TRY(view.load(state->cursor));
  return view;
}

Status View::load(std::int64_t cursor) {
  REEL_ASSIGN(dirt_, collect_dirt(*snapshot_, cursor, kItemsMax));
  bool complete = dirt_.ended;
  // Uses that went: the change log tells of them when somebody has looked what that means.
  REEL_ASSIGN(const auto schema, snapshot_->catalog().table(tams::table::kObjectsToCheck));
  const std::size_t id = schema->position("id");
  REEL_TRY(snapshot_->scan_all(tams::table::kObjectsToCheck, 0, 1, [&](const store::RowView& row) {
    dirt_.objects.insert(row[id].get<std::string>());
    complete = complete && dirt_.objects.size() <= 2 * kItemsMax;
    return complete;
  }));
  if (!complete) return overloaded("the figures are behind many changes, which are being taken in");
  REEL_ASSIGN(objects_, compare_objects(*snapshot_, {dirt_.objects.begin(), dirt_.objects.end()}));
  return {};
}

Result<std::vector<FlowFacts>> View::flows(const Filter& filter) {
  REEL_ASSIGN(const auto records, selected(*snapshot_, filter));
  std::vector<FlowFacts> flows;
  flows.reserve(records.size());
  for (const Record& record : records) {
    FlowFacts facts = facts_of(record);
    if (filter.timerange) {
      REEL_ASSIGN(const bool has, has_content(*snapshot_, facts.key.timeline, *filter.timerange));
      if (!has) continue;
    }
    flows.push_back(std::move(facts));
  }
  return flows;
}

Result<Summary> View::summary(const std::vector<FlowFacts>* flows,
                              const std::optional<TimeRange>& range) {
  if (flows == nullptr) return summary_of_all();
  Summary summary;
  for (const FlowFacts& flow : *flows) {
    REEL_ASSIGN(const Summary one, summary_of(flow.key, range));
    summary.join(one);
  }
  return summary;
}

Result<Summary> View::summary_of(const FlowKey& flow, const std::optional<TimeRange>& range) {
  const auto stale = dirt_.flows.find(flow.id);
  const FlowDirt* const dirt = stale == dirt_.flows.end() ? nullptr : &stale->second;
  REEL_ASSIGN(SummaryTree tree, SummaryTree::open(*snapshot_, flow, dirt));
  return range ? tree.within(*range) : tree.all();
}

//! One scan of all roots; only flows with new changes need more.
Result<Summary> View::summary_of_all() {
  REEL_ASSIGN(const auto schema, snapshot_->catalog().table(table::kFlowSummaries));
  const SummaryColumns columns(*schema);
  const std::size_t flow_id = schema->position("flow_id");
  Summary summary;
  REEL_TRY(snapshot_->scan_all(table::kFlowSummaries, 0, 1, [&](const store::RowView& row) {
    if (!dirt_.flows.contains(FlowId{row[flow_id].get<Uuid>()})) {
      summary.join(columns.read(row.cells));
    }
    return true;
  }));
  for (const auto& [flow, dirt] : dirt_.flows) {
    REEL_ASSIGN(const auto timeline, tams::timeline_of(*snapshot_, flow));
    if (!timeline) continue;
    REEL_ASSIGN(const Summary one, summary_of({flow, *timeline}, std::nullopt));
    summary.join(one);
  }
  return summary;
}

Result<Tally> View::tally(const std::vector<FlowFacts>& flows, bool all) {
  std::set<TimelineId> timelines;
  for (const FlowFacts& flow : flows) timelines.insert(flow.key.timeline);
  return tally_of(*snapshot_, timelines, all, objects_);
}

Result<std::vector<ObjectReads>> View::extreme_reads(bool most, std::size_t count) {
  return analytics::extreme_reads(*snapshot_, most, count, objects_);
}

}  // namespace reel::analytics
