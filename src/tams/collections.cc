#include "tams/collections.h"

#include <algorithm>

#include "tams/tables.h"

namespace reel::tams {
namespace {

//! Counts one collector more or less on the member's row; the condition makes a concurrent
//! deletion of the member fail, or this batch.
Status count_collector(Write& write, FlowId member, int by) {
  REEL_ASSIGN(const auto record, load(write.snapshot, table::kFlows, {member}));
  if (!record) {
    if (by < 0) return {};
    return at("/flow_collection", invalid("collected flow {} does not exist", member.to_string()));
  }
  const std::int64_t count = record->integer("collected_count");
  write.batch.require_cells(std::string(table::kFlows), {member}, {{"collected_count", count}});
  write.batch.update(std::string(table::kFlows), {member}, {{"collected_count", count + by}});
  return {};
}

}  // namespace

Result<std::vector<FlowId>> collectors_of(store::Snapshot& snapshot, FlowId member) {
  std::vector<FlowId> collectors;
  store::ScanSpec spec;
  spec.table = table::kCollectedBy;
  spec.partition = {member};
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(spec.table));
  const std::size_t position = schema->position("collection_id");
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    collectors.push_back(FlowId{row[position].get<Uuid>()});
    return true;
  }));
  return collectors;
}

Status change_members(Write& write, FlowId collection, const std::set<FlowId>& before,
                      const std::set<FlowId>& now) {
  const std::string links(table::kCollectedBy);
  if (now.contains(collection)) {
    return at("/flow_collection", invalid("a flow cannot collect itself"));
  }
  for (const FlowId member : before) {
    if (now.contains(member)) continue;
    REEL_TRY(count_collector(write, member, -1));
    write.batch.erase(links, {member, collection});
  }
  for (const FlowId member : now) {
    if (before.contains(member)) continue;
    REEL_TRY(count_collector(write, member, +1));
    write.batch.upsert(links, {member, collection}, {});
  }
  return {};
}

}  // namespace reel::tams
