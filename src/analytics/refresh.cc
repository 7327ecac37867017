#include "analytics/refresh.h"

#include <algorithm>
#include <set>

#include "analytics/dirt.h"
#include "analytics/object_tally.h"
#include "analytics/summary_tree.h"
#include "analytics/tables.h"
#include "events/change_log.h"
#include "tams/flows.h"
#include "tams/tables.h"

namespace reel::analytics {
namespace {

//! Things that one piece takes in: bounds the time that other writers wait for its commit.
constexpr std::size_t kItemsAtOnce = 25;

//! Commits figures, which are taken in again from where they were.
Status commit_figures(const tams::Context& context, store::Batch batch) {
  batch.durability = store::Durability::with_the_next;
  return context.store.commit(std::move(batch));
}

//! Commits what is right only as long as the figures are where they were.
BatchSink sink(const tams::Context& context, const State& state) {
  return [&context, state](store::Batch batch) {
    require_state(batch, state);
    return commit_figures(context, std::move(batch));
  };
}

Status drop(const tams::Context& context, store::Snapshot& snapshot, FlowId flow,
            const State& state) {
  return drop_tree(snapshot, flow, sink(context, state));
}

Status rebuild_tree(const tams::Context& context, store::Snapshot& snapshot, const FlowKey& flow,
                    const State& state) {
  REEL_TRY(drop(context, snapshot, flow.id, state));
  return build_tree(snapshot, flow, sink(context, state));
}

//! Adds what a flow's tree lacks to the batch; what is much is committed before it.
Status take_flow(const tams::Context& context, store::Snapshot& snapshot, const State& state,
                 const std::pair<const FlowId, FlowDirt>& dirt, store::Batch& batch) {
  const FlowId id = dirt.first;
  REEL_ASSIGN(const auto timeline, tams::timeline_of(snapshot, id));
  if (!timeline) return drop(context, snapshot, id, state);
  if (dirt.second.whole) return rebuild_tree(context, snapshot, {id, *timeline}, state);
  REEL_ASSIGN(SummaryTree tree, SummaryTree::open(snapshot, {id, *timeline}, &dirt.second));
  return tree.update(batch);
}

Status take_objects(store::Snapshot& snapshot, const std::vector<std::string>& ids,
                    store::Batch& batch) {
  REEL_ASSIGN(const auto changes, compare_objects(snapshot, ids));
  return write_changes(snapshot, changes, batch);
}

enum class Progress : std::uint8_t { done, more, unsound };

//! Takes in one piece of the changes behind the cursor; unsound: there is nothing to add them to.
Result<Progress> take_piece(const tams::Context& context) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto state, sound_state(*snapshot));
  if (!state) return Progress::unsound;
  REEL_ASSIGN(const Dirt dirt, collect_dirt(*snapshot, state->cursor, kItemsAtOnce));
  if (dirt.cursor == state->cursor) return Progress::done;
  store::Batch batch;
  require_state(batch, *state);
  for (const auto& flow : dirt.flows) {
    REEL_TRY(take_flow(context, *snapshot, *state, flow, batch));
  }
  REEL_TRY(take_objects(*snapshot, {dirt.objects.begin(), dirt.objects.end()}, batch));
  write_state(batch, {.cursor = dirt.cursor, .complete = true});
  REEL_TRY(commit_figures(context, std::move(batch)));
  return dirt.ended ? Progress::done : Progress::more;
}

//! Returns the reads that are to be written later.
Result<Reads> commit_reads(const tams::Context& context, const Reads& reads) {
  store::Batch batch;
  Reads later;
  {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(later, write_reads(*snapshot, reads, batch));
  }
  if (!batch.mutations.empty()) REEL_TRY(context.store.commit(std::move(batch)));
  return later;
}

//! Computes everything from scratch. What is kept is replaced piece by piece, while nobody reads
//! it; changes that are made meanwhile are behind the cursor.
class Rebuild {
 public:
  Rebuild(const tams::Context& context, const std::stop_token& stop)
      : context_(context), stop_(stop) {}

  Status run() {
    {
      REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
      REEL_ASSIGN(state_.cursor, events::newest_change(*snapshot));
    }
    store::Batch begin;
    write_state(begin, state_);
    REEL_TRY(commit_figures(context_, std::move(begin)));
    REEL_TRY(take_flows());
    REEL_TRY(take_objects_of(table::kObjectUsage, "object_id"));
    REEL_TRY(take_objects_of(tams::table::kObjects, "id"));
    if (stop_.stop_requested()) return {};
    store::Batch end;
    require_state(end, state_);
    write_state(end, {.cursor = state_.cursor, .complete = true});
    return commit_figures(context_, std::move(end));
  }

 private:
  Status take_flows() {
    std::set<FlowId> flows;
    {
      REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
      REEL_TRY(collect(*snapshot, tams::table::kFlows, "id", flows));
      REEL_TRY(collect(*snapshot, table::kFlowSummaries, "flow_id", flows));
      REEL_TRY(collect(*snapshot, table::kNodes, "flow_id", flows));
    }
    for (const FlowId flow : flows) {
      if (stop_.stop_requested()) return {};
      REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
      REEL_ASSIGN(const auto timeline, tams::timeline_of(*snapshot, flow));
      REEL_TRY(timeline ? rebuild_tree(context_, *snapshot, {flow, *timeline}, state_)
                        : drop(context_, *snapshot, flow, state_));
    }
    return {};
  }

  static Status collect(store::Snapshot& snapshot, std::string_view table, std::string_view column,
                        std::set<FlowId>& ids) {
    REEL_ASSIGN(const auto schema, snapshot.catalog().table(table));
    const std::size_t position = schema->position(column);
    return snapshot.scan_all(table, 0, 1, [&](const store::RowView& row) {
      ids.insert(FlowId{row[position].get<Uuid>()});
      return true;
    });
  }

  Status take_objects_of(std::string_view table, std::string_view column) {
    REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
    REEL_ASSIGN(const auto schema, snapshot->catalog().table(table));
    const std::size_t position = schema->position(column);
    std::vector<std::string> ids;
    Status status;
    REEL_TRY(snapshot->scan_all(table, 0, 1, [&](const store::RowView& row) {
      ids.push_back(row[position].get<std::string>());
      if (ids.size() == kItemsAtOnce) status = commit_objects(std::exchange(ids, {}));
      return status.has_value() && !stop_.stop_requested();
    }));
    REEL_TRY(std::move(status));
    return commit_objects(ids);
  }

  Status commit_objects(const std::vector<std::string>& ids) {
    store::Batch batch;
    {
      REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
      REEL_TRY(take_objects(*snapshot, ids, batch));
    }
    require_state(batch, state_);
    return commit_figures(context_, std::move(batch));
  }

  const tams::Context& context_;
  const std::stop_token& stop_;
  State state_;
};

}  // namespace

Status refresh(const tams::Context& context, const std::stop_token& stop) {
  Pace pace(*context.demand);
  Progress progress = Progress::more;
  while (progress != Progress::done && !stop.stop_requested()) {
    REEL_ASSIGN(progress, take_piece(context));
    if (progress == Progress::unsound) REEL_TRY(Rebuild(context, stop).run());
    if (progress == Progress::more) pace.rest();
  }
  return {};
}

Status save_reads(const tams::Context& context) {
  Reads reads = context.media_reads->take();
  Reads later;
  Status status;
  while (status && !reads.empty()) {
    const auto from =
        reads.end() - static_cast<std::ptrdiff_t>(std::min(reads.size(), kItemsAtOnce));
    auto rest = commit_reads(context, {from, reads.end()});
    if (rest) {
      later.insert(later.end(), rest->begin(), rest->end());
      reads.erase(from, reads.end());
    } else {
      status = Failure(std::move(rest).error());
    }
  }
  context.media_reads->give_back(reads);
  context.media_reads->give_back(later);
  return status;
}

}  // namespace reel::analytics
