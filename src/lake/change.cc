#include <algorithm>

#include "lake/change_internal.h"

namespace reel::lake {

Status Change::touch(const Partition& partition) {
  if (!touched.emplace(partition.view_set, partition.instance).second) return {};
  const std::string table = name_of(table::kInstances);
  const store::Key key = {partition.view_set, partition.instance};
  REEL_ASSIGN(const auto row, snapshot.get(table, key, {"generation"}));
  if (!row) {
    batch.require_absent(table, key).insert(table, key, {{"generation", 1}});
    return {};
  }
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table));
  const auto generation = (*row)[schema->position("generation")].get<std::int64_t>();
  batch.require_cells(table, key, {{"generation", generation}})
      .update(table, key, {{"generation", generation + 1}});
  return {};
}

void Change::set_state(const Partition& partition, PartitionState state,
                       const std::optional<RetirementId>& retirement) {
  const std::string table = name_of(table::kPartitions);
  const store::Value link = retirement ? store::Value(retirement->uuid) : store::Value();
  batch
      .require_cells(table, {partition.id.uuid},
                     {{"state", std::string(state_name(partition.state))}})
      .update(table, {partition.id.uuid},
              {{"state", std::string(state_name(state))}, {"retirement_id", link}});
}

Status Change::retire(const std::vector<Partition>& partitions, Retirement& retirement,
                      std::chrono::seconds undo) {
  for (const Partition& partition : partitions) {
    REEL_TRY(touch(partition));
    set_state(partition, PartitionState::retired, retirement.id);
    ++retirement.partitions;
    retirement.size_bytes += partition.size_bytes();
  }
  retirement.delete_after = {retirement.at.micros + std::chrono::microseconds(undo).count()};
  REEL_ASSIGN(const auto held_by, leases(snapshot));
  for (const Lease& lease : held_by) {
    if (lease.expires > retirement.at) {
      retirement.delete_after = std::max(retirement.delete_after, lease.expires);
    }
  }
  batch.insert(name_of(table::kRetirements), {retirement.id.uuid}, cells_of(retirement));
  return {};
}

void Change::end(Retirement& retirement, RetirementState state, Instant now, std::string_view by) {
  const std::string table = name_of(table::kRetirements);
  batch.require_cells(table, {retirement.id.uuid},
                      {{"state", std::string(state_name(retirement.state))}});
  retirement.state = state;
  retirement.ended = now;
  retirement.ended_by = std::string(by);
  batch.update(table, {retirement.id.uuid},
               {{"state", std::string(state_name(state))},
                {"ended", now},
                {"ended_by", retirement.ended_by}});
}

}  // namespace reel::lake
