#include "lake/coverage.h"

#include <algorithm>

#include "lake/catalog.h"

namespace reel::lake {
namespace {

using store::LedgerEntry;

const LedgerEntry* find_hour(const std::vector<LedgerEntry>& entries, std::int64_t hour) {
  const auto found = std::ranges::lower_bound(entries, hour, {}, &LedgerEntry::hour);
  return found == entries.end() || found->hour != hour ? nullptr : &*found;
}

bool has_rows(const LedgerEntry& entry) {
  return entry.rows != 0 || entry.fingerprint != Hash128{};
}

//! Hours of the partition's range whose rows came after it was written.
bool has_new_hours(const Partition& partition, const std::vector<LedgerEntry>& ledger) {
  auto entry = std::ranges::lower_bound(ledger, partition.hours.begin, {}, &LedgerEntry::hour);
  for (; entry != ledger.end() && entry->hour < partition.hours.end; ++entry) {
    if (has_rows(*entry) && find_hour(partition.source, entry->hour) == nullptr) return true;
  }
  return false;
}

}  // namespace

const Partition* Coverage::at(std::int64_t hour) const {
  const auto behind = std::ranges::upper_bound(
      active, hour, {}, [](const Partition& partition) { return partition.hours.begin; });
  if (behind == active.begin()) return nullptr;
  const Partition& before = *std::prev(behind);
  return before.hours.contains(hour) ? &before : nullptr;
}

Result<Coverage> settled(store::Snapshot& snapshot, std::string_view table,
                         std::uint32_t semantics_version) {
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table));
  REEL_ASSIGN(const auto ledger, snapshot.ledger(table));
  const ViewSetId id = schema->id;
  const ViewSchema current{.table = *schema, .semantics_version = semantics_version};
  std::map<SchemaId, Verdict> verdicts;
  REEL_ASSIGN(const auto schemas, view_schemas(snapshot, id));
  for (const RegisteredSchema& known : schemas) {
    verdicts[known.id] = classify(known.view, current, true);
  }

  Coverage coverage;
  REEL_ASSIGN(coverage.active, partitions(snapshot, id, kGlobal, PartitionState::active));
  std::vector<std::int64_t> served_hours;
  for (const Partition& partition : coverage.active) {
    const auto verdict = verdicts.find(partition.schema);
    if (verdict == verdicts.end()) {
      return fail(Code::corrupt, "partition {} has schema {}, which is not registered",
                  partition.id.to_string(), partition.schema);
    }
    Served served{.partition = partition, .compatibility = verdict->second.compatibility};
    for (const LedgerEntry& source : partition.source) {
      const LedgerEntry* now = find_hour(ledger, source.hour);
      if (now != nullptr && *now == source) served.hours.push_back(source.hour);
    }
    served.whole = served.hours.size() == partition.source.size();
    const bool changed = !served.whole || has_new_hours(partition, ledger);
    if (changed || !is_readable(served.compatibility)) {
      coverage.outdated.push_back(
          {.partition = partition, .verdict = verdict->second, .changed = changed});
    }
    if (!is_readable(served.compatibility) || served.hours.empty()) continue;
    std::ranges::copy(served.hours, std::back_inserter(served_hours));
    coverage.served.push_back(std::move(served));
  }
  for (const LedgerEntry& entry : ledger) {
    if (has_rows(entry) && !std::ranges::binary_search(served_hours, entry.hour)) {
      coverage.live.push_back(entry);
    }
  }
  return coverage;
}

}  // namespace reel::lake
