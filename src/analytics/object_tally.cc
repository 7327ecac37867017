#include "analytics/object_tally.h"

#include <algorithm>
#include <cstring>

#include "analytics/summary.h"
#include "analytics/tables.h"
#include "base/hash.h"
#include "tams/objects.h"
#include "tams/record.h"
#include "tams/tables.h"

namespace reel::analytics {
namespace {

using store::Value;
using tams::Record;

const std::string kUsage(table::kObjectUsage);
const std::string kGroups(table::kObjectGroups);
const std::string kTimelineGroups(table::kTimelineGroups);

//! The group of all objects.
constexpr Uuid kAll{};

//! The same for the same timelines, and never another's.
Uuid group_of(const std::vector<TimelineId>& timelines) {
  std::string bytes;
  for (const TimelineId one : timelines) {
    bytes.append(reinterpret_cast<const char*>(one.uuid.bytes.data()), one.uuid.bytes.size());
  }
  const Sha256Digest digest = sha256(bytes);
  Uuid id;
  std::memcpy(id.bytes.data(), digest.data(), id.bytes.size());
  return id;
}

Tally read_tally(const Record& row) {
  Tally tally{.objects = row.integer("objects"),
              .unsized = row.integer("unsized"),
              .bytes = row.integer("bytes"),
              .media_bytes = row.integer("media_bytes"),
              .reads = row.integer("reads")};
  read_counts(row["sizes"], tally.sizes);
  return tally;
}

store::Cells tally_cells(const Tally& tally) {
  return {{"objects", tally.objects}, {"unsized", tally.unsized},
          {"bytes", tally.bytes},     {"media_bytes", tally.media_bytes},
          {"reads", tally.reads},     {"sizes", counts_cell(tally.sizes)}};
}

std::optional<std::int64_t> size_in(const Value& cell) {
  const auto* size = cell.get_if<std::int64_t>();
  return size == nullptr ? std::nullopt : std::optional(*size);
}

ObjectUsage read_usage(const Record& row) {
  return {.size_bytes = size_in(row["size_bytes"]),
          .is_init = row.flag("is_init"),
          .group = row.uuid("group_id"),
          .reads = row.integer("reads")};
}

std::vector<store::Key> keys_of(const std::vector<std::string>& ids) {
  std::vector<store::Key> keys;
  keys.reserve(ids.size());
  for (const std::string& id : ids) keys.push_back({id});
  return keys;
}

//! Calls `visit` with the index of each id that has a row.
template <class Visit>
Status load_each(store::Snapshot& snapshot, std::string_view table,
                 const std::vector<std::string>& ids, const std::vector<std::string>& columns,
                 const Visit& visit) {
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table));
  return snapshot.get_each(table, keys_of(ids), columns,
                           [&](std::size_t index, const store::RowView& row) {
                             visit(index, Record(schema, row.cells));
                           });
}

//! What is to be added to a group.
struct GroupChange {
  Tally more;
  Tally less;
  std::vector<TimelineId> timelines = {};  //!< of a group that gains objects
};
using GroupChanges = std::map<Uuid, GroupChange>;

Status write_group(store::Snapshot& snapshot, const Uuid& id, const GroupChange& change,
                   store::Batch& batch) {
  REEL_ASSIGN(const auto row, tams::load(snapshot, kGroups, {id}));
  Tally tally = row ? read_tally(*row) : Tally();
  tally += change.more;
  tally -= change.less;
  if (row && tally.objects == 0) {
    batch.erase(kGroups, {id});
    for (const TimelineId timeline : store::ids_of<TimelineId>((*row)["timeline_ids"])) {
      batch.erase(kTimelineGroups, {timeline, id});
    }
    return {};
  }
  store::Cells cells = tally_cells(tally);
  if (row) {
    batch.update(kGroups, {id}, std::move(cells));
    return {};
  }
  if (tally.objects == 0) return {};
  cells.emplace_back("timeline_ids", store::id_list(change.timelines));
  batch.insert(kGroups, {id}, std::move(cells));
  for (const TimelineId timeline : change.timelines) {
    batch.insert(kTimelineGroups, {timeline, id}, {});
  }
  return {};
}

Status write_groups(store::Snapshot& snapshot, const GroupChanges& groups, store::Batch& batch) {
  for (const auto& [id, change] : groups) REEL_TRY(write_group(snapshot, id, change, batch));
  return {};
}

bool has_one_of(const std::vector<TimelineId>& users, const std::set<TimelineId>& timelines) {
  return std::any_of(users.begin(), users.end(),
                     [&](const TimelineId user) { return timelines.contains(user); });
}

using Groups = std::map<Uuid, Tally>;

//! The groups of these timelines, by looking at all.
Result<Groups> filtered_groups(store::Snapshot& snapshot, const std::set<TimelineId>& timelines) {
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(kGroups));
  Groups groups;
  REEL_TRY(snapshot.scan_all(kGroups, 0, 1, [&](const store::RowView& cells) {
    const Record row(schema, cells.cells);
    const auto users = store::ids_of<TimelineId>(row["timeline_ids"]);
    if (has_one_of(users, timelines)) groups.emplace(row.uuid("id"), read_tally(row));
    return true;
  }));
  return groups;
}

//! The same by looking them up.
Result<Groups> groups_of(store::Snapshot& snapshot, const std::set<TimelineId>& timelines) {
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(kTimelineGroups));
  const std::size_t position = schema->position("group_id");
  Groups groups;
  for (const TimelineId timeline : timelines) {
    const store::ScanSpec spec{.table = kTimelineGroups, .partition = {timeline}};
    REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
      groups.try_emplace(row[position].get<Uuid>());
      return true;
    }));
  }
  for (auto& [id, tally] : groups) {
    REEL_ASSIGN(const auto row, tams::load(snapshot, kGroups, {id}));
    if (row) tally = read_tally(*row);
  }
  return groups;
}

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  objects += other.objects;
  unsized += other.unsized;
  bytes += other.bytes;
  media_bytes += other.media_bytes;
  reads += other.reads;
  for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] += other.sizes[i];
  return *this;
}

Tally& Tally::operator-=(const Tally& other) {
  objects -= other.objects;
  unsized -= other.unsized;
  bytes -= other.bytes;
  media_bytes -= other.media_bytes;
  reads -= other.reads;
  for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] -= other.sizes[i];
  return *this;
}

Tally ObjectUsage::tally() const {
  Tally tally{.objects = 1, .unsized = size_bytes ? 0 : 1, .reads = reads};
  if (!size_bytes) return tally;
  tally.bytes = *size_bytes;
  tally.media_bytes = is_init ? 0 : *size_bytes;
  tally.sizes[class_of(*size_bytes, kSizeBounds)] = 1;
  return tally;
}

Result<std::vector<ObjectChange>> compare_objects(store::Snapshot& snapshot,
                                                  const std::vector<std::string>& ids) {
  std::vector<ObjectChange> changes;
  changes.reserve(ids.size());
  for (const std::string& id : ids) changes.push_back({.id = id});
  REEL_TRY(load_each(snapshot, kUsage, ids, {}, [&](std::size_t index, const Record& row) {
    changes[index].before = read_usage(row);
  }));
  REEL_TRY(load_each(snapshot, tams::table::kObjects, ids, {"registered", "is_init", "size_bytes"},
                     [&](std::size_t index, const Record& row) {
                       if (!row.flag("registered")) return;
                       ObjectChange& change = changes[index];
                       change.now = ObjectUsage{.size_bytes = size_in(row["size_bytes"]),
                                                .is_init = row.flag("is_init"),
                                                .reads = change.before ? change.before->reads : 0};
                     }));
  for (ObjectChange& change : changes) {
    if (!change.now) continue;
    REEL_ASSIGN(change.timelines, tams::timelines_using(snapshot, change.id));
    change.now->group = group_of(change.timelines);
    if (change.timelines.empty()) change.now.reset();
  }
  std::erase_if(changes, [](const ObjectChange& change) { return change.before == change.now; });
  return changes;
}

Status write_changes(store::Snapshot& snapshot, const std::vector<ObjectChange>& changes,
                     store::Batch& batch) {
  GroupChanges groups;
  for (const ObjectChange& change : changes) {
    if (change.before) {
      const Tally less = change.before->tally();
      groups[change.before->group].less += less;
      groups[kAll].less += less;
    }
    if (!change.now) {
      batch.erase(kUsage, {change.id});
      continue;
    }
    const Tally more = change.now->tally();
    GroupChange& group = groups[change.now->group];
    group.more += more;
    group.timelines = change.timelines;
    groups[kAll].more += more;
    store::Cells cells = {{"is_init", change.now->is_init},
                          {"group_id", change.now->group},
                          {"reads", change.now->reads}};
    if (change.now->size_bytes) cells.emplace_back("size_bytes", *change.now->size_bytes);
    batch.upsert(kUsage, {change.id}, std::move(cells));
  }
  return write_groups(snapshot, groups, batch);
}

Result<Reads> write_reads(store::Snapshot& snapshot, const Reads& reads, store::Batch& batch) {
  std::vector<std::string> ids;
  for (const auto& [id, count] : reads) ids.push_back(id);
  std::vector<bool> counted(reads.size());
  GroupChanges groups;
  REEL_TRY(load_each(
      snapshot, kUsage, ids, {"group_id", "reads"}, [&](std::size_t index, const Record& row) {
        const std::int64_t more = reads[index].second;
        counted[index] = true;
        batch.update(kUsage, {reads[index].first}, {{"reads", row.integer("reads") + more}});
        groups[row.uuid("group_id")].more.reads += more;
        groups[kAll].more.reads += more;
      }));
  REEL_TRY(write_groups(snapshot, groups, batch));
  Reads later;
  for (std::size_t i = 0; i < reads.size(); ++i) {
    if (counted[i]) continue;
    REEL_ASSIGN(const auto object, tams::load(snapshot, tams::table::kObjects, {ids[i]}, {"id"}));
    if (object) later.push_back(reads[i]);
  }
  return later;
}

Result<Tally> tally_of(store::Snapshot& snapshot, const std::set<TimelineId>& timelines, bool all,
                       const std::vector<ObjectChange>& changes) {
  REEL_ASSIGN(const Groups groups,
              all ? filtered_groups(snapshot, timelines) : groups_of(snapshot, timelines));
  Tally tally;
  for (const auto& [id, group] : groups) tally += group;
  for (const ObjectChange& change : changes) {
    if (change.before && groups.contains(change.before->group)) tally -= change.before->tally();
    if (change.now && has_one_of(change.timelines, timelines)) tally += change.now->tally();
  }
  return tally;
}

Result<Tally> tally_of_all(store::Snapshot& snapshot) {
  REEL_ASSIGN(const auto row, tams::load(snapshot, kGroups, {kAll}));
  return row ? read_tally(*row) : Tally();
}

Result<std::vector<ObjectReads>> extreme_reads(store::Snapshot& snapshot, bool most,
                                               std::size_t count,
                                               const std::vector<ObjectChange>& changes) {
  std::set<std::string_view> changed;
  std::vector<ObjectReads> found;
  for (const ObjectChange& change : changes) {
    changed.insert(change.id);
    if (change.now) found.push_back({change.id, change.now->reads, change.now->size_bytes});
  }
  const std::size_t from_changes = found.size();
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(kUsage));
  const store::ScanSpec spec{.table = kUsage, .index = "by_reads", .reverse = most};
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& cells) {
    const Record row(schema, cells.cells);
    if (!changed.contains(row.text("object_id"))) {
      found.push_back(
          {std::string(row.text("object_id")), row.integer("reads"), size_in(row["size_bytes"])});
    }
    return found.size() < from_changes + count;
  }));
  std::sort(found.begin(), found.end(), [&](const ObjectReads& a, const ObjectReads& b) {
    if (a.reads != b.reads) return most ? a.reads > b.reads : a.reads < b.reads;
    return a.id < b.id;
  });
  if (most) std::erase_if(found, [](const ObjectReads& object) { return object.reads == 0; });
  if (found.size() > count) found.resize(count);
  return found;
}

}  // namespace reel::analytics
