#include <algorithm>
#include <charconv>

#include "iceberg/file.h"
#include "iceberg/snapshot_draft_internal.h"

namespace reel::iceberg {
namespace {

//! A random id that the table has not given yet.
SnapshotId new_snapshot_id(const TableMetadata& table) {
  while (true) {
    std::uint64_t bits = 0;
    system_random().fill(reinterpret_cast<unsigned char*>(&bits), sizeof bits);
    const auto id = static_cast<SnapshotId>(bits >> 1);
    if (id > 0 && table.find_snapshot(id) == nullptr) return id;
  }
}

struct Totals {
  std::int64_t files = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
};

Totals totals_of(const std::vector<DataFile>& files) {
  Totals totals;
  for (const DataFile& file : files) {
    ++totals.files;
    totals.records += file.record_count;
    totals.bytes += file.size_bytes;
  }
  return totals;
}

void set_positive(Properties& summary, std::string_view key, std::int64_t number) {
  if (number > 0) summary[std::string(key)] = std::to_string(number);
}

//! A total that the parent's summary has, changed; left out when it has none.
void set_total(Properties& summary, const Snapshot* parent, std::string_view key,
               std::int64_t change) {
  std::int64_t before = 0;
  if (parent != nullptr) {
    const auto given = parent->summary.find(std::string(key));
    if (given == parent->summary.end()) return;
    const std::string& text = given->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), before);
    if (error != std::errc() || end != text.data() + text.size()) return;
  }
  summary[std::string(key)] = std::to_string(before + change);
}

bool is_mergeable(const ManifestFile& manifest, SpecId spec_id) {
  return !manifest.of_deletes && manifest.spec_id == spec_id && !manifest.key_metadata &&
         manifest.size_bytes < kManifestBytesMin;
}

}  // namespace

SnapshotDraft::SnapshotDraft(const TableMetadata& table, const Changes& changes, Instant now,
                             std::vector<std::string>& written)
    : table_(table),
      changes_(changes),
      written_(written),
      parent_(table.current_snapshot()),
      removing_(changes.removed.begin(), changes.removed.end()) {
  snapshot_.id = new_snapshot_id(table);
  if (parent_ != nullptr) snapshot_.parent_id = parent_->id;
  snapshot_.sequence_number = table.last_sequence_number + 1;
  // Never before what is in the log, whatever the machine's clock does.
  snapshot_.timestamp_ms = std::max(now.micros / 1000, table.last_updated_ms);
  snapshot_.schema_id = table.current_schema_id;
}

Result<Snapshot> SnapshotDraft::run() {
  for (const DataFile& file : changes_.added) {
    if (!adding_.insert(file.location).second) {
      return invalid("'{}' is added twice", file.location);
    }
  }
  REEL_TRY(carry_over());
  if (!removing_.empty()) {
    return conflict("'{}' is no file of the table, {} in all are not", *removing_.begin(),
                    removing_.size());
  }
  REEL_TRY(merge_small());
  REEL_TRY(add_files());
  snapshot_.manifest_list = fmt::format("{}/metadata/snap-{}-0-{}.avro", table_.location,
                                        snapshot_.id, Uuid::random().to_string());
  written_.push_back(snapshot_.manifest_list);
  REEL_TRY(write_new_file(snapshot_.manifest_list,
                          write_manifest_list({.snapshot_id = snapshot_.id,
                                               .parent_id = snapshot_.parent_id,
                                               .sequence_number = snapshot_.sequence_number},
                                              manifests_)));
  snapshot_.summary = summarize();
  return std::move(snapshot_);
}

//! The parent's manifests, those with a file that leaves written anew.
Status SnapshotDraft::carry_over() {
  if (parent_ == nullptr) return {};
  const bool look_inside = !removing_.empty() || (!adding_.empty() && !changes_.added_are_new);
  REEL_ASSIGN(const std::vector<ManifestFile> before, load_manifests(*parent_));
  for (const ManifestFile& manifest : before) {
    // What lists only deleted files is of no use to a later snapshot.
    if (!manifest.has_live_files()) continue;
    if (manifest.of_deletes || !look_inside) {
      manifests_.push_back(manifest);
      continue;
    }
    REEL_ASSIGN(std::vector<ManifestEntry> entries, load_entries(table_, manifest));
    REEL_TRY(take_removed(manifest, std::move(entries)));
  }
  return {};
}

Status SnapshotDraft::take_removed(const ManifestFile& manifest,
                                   std::vector<ManifestEntry> entries) {
  bool changed = false;
  std::vector<ManifestEntry> next;
  for (ManifestEntry& entry : entries) {
    if (!entry.is_live()) continue;
    if (removing_.erase(entry.file.location) > 0) {
      changed = true;
      entry.status = EntryStatus::deleted;
      entry.snapshot_id = snapshot_.id;
      removed_files_.push_back(entry.file);
    } else if (adding_.contains(entry.file.location)) {
      return conflict("'{}' is a file of the table already", entry.file.location);
    } else {
      entry.status = EntryStatus::existing;
    }
    next.push_back(std::move(entry));
  }
  if (!changed) {
    manifests_.push_back(manifest);
    return {};
  }
  const PartitionSpec* spec = table_.find_spec(manifest.spec_id);
  REEL_CHECK(spec != nullptr);  // load_entries() needed it
  return write(*spec, next);
}

//! Small manifests become one when there are too many of them.
Status SnapshotDraft::merge_small() {
  const auto mergeable = [&](const ManifestFile& manifest) {
    return is_mergeable(manifest, table_.default_spec_id) &&
           manifest.added_snapshot_id != snapshot_.id;
  };
  const auto count = std::count_if(manifests_.begin(), manifests_.end(), mergeable);
  if (static_cast<std::size_t>(count) < kSmallManifestsMax) return {};
  std::vector<ManifestEntry> merged;
  for (const ManifestFile& manifest : manifests_) {
    if (!mergeable(manifest)) continue;
    REEL_ASSIGN(std::vector<ManifestEntry> entries, load_entries(table_, manifest));
    for (ManifestEntry& entry : entries) {
      if (!entry.is_live()) continue;
      entry.status = EntryStatus::existing;
      merged.push_back(std::move(entry));
    }
  }
  std::erase_if(manifests_, mergeable);
  return write(table_.spec(), merged);
}

Status SnapshotDraft::add_files() {
  if (changes_.added.empty()) return {};
  std::vector<ManifestEntry> entries;
  for (const DataFile& file : changes_.added) {
    if (file.content != FileContent::data) return unsupported("only data files are added");
    if (file.partition.size() != table_.spec().fields.size()) {
      return invalid("'{}' has {} partition values, the table's spec {}", file.location,
                     file.partition.size(), table_.spec().fields.size());
    }
    entries.push_back({.status = EntryStatus::added, .snapshot_id = snapshot_.id, .file = file});
  }
  return write(table_.spec(), entries);
}

Status SnapshotDraft::write(const PartitionSpec& spec, const std::vector<ManifestEntry>& entries) {
  ManifestContext context{.schema = &table_.schema(), .spec = &spec};
  REEL_ASSIGN(context.partition_types, table_.partition_types(spec));
  REEL_ASSIGN(const std::string bytes, write_manifest(context, entries));
  REEL_ASSIGN(ManifestFile manifest,
              describe_manifest(context, entries, snapshot_.id, snapshot_.sequence_number));
  manifest.location =
      fmt::format("{}/metadata/{}-m0.avro", table_.location, Uuid::random().to_string());
  manifest.size_bytes = static_cast<std::int64_t>(bytes.size());
  written_.push_back(manifest.location);
  REEL_TRY(write_new_file(manifest.location, bytes));
  manifests_.push_back(std::move(manifest));
  return {};
}

Properties SnapshotDraft::summarize() const {
  Properties summary = changes_.summary;
  const bool adds = !changes_.added.empty();
  const bool removes = !removed_files_.empty();
  summary["operation"] = !removes             ? "append"
                         : changes_.same_rows ? "replace"
                         : adds               ? "overwrite"
                                              : "delete";
  const Totals added = totals_of(changes_.added);
  const Totals removed = totals_of(removed_files_);
  set_positive(summary, "added-data-files", added.files);
  set_positive(summary, "added-records", added.records);
  set_positive(summary, "added-files-size", added.bytes);
  set_positive(summary, "deleted-data-files", removed.files);
  set_positive(summary, "deleted-records", removed.records);
  set_positive(summary, "removed-files-size", removed.bytes);
  set_total(summary, parent_, "total-data-files", added.files - removed.files);
  set_total(summary, parent_, "total-records", added.records - removed.records);
  set_total(summary, parent_, "total-files-size", added.bytes - removed.bytes);
  set_total(summary, parent_, "total-delete-files", 0);
  set_total(summary, parent_, "total-position-deletes", 0);
  set_total(summary, parent_, "total-equality-deletes", 0);
  summary[std::string(kCommitIdKey)] = changes_.commit_id;
  return summary;
}

}  // namespace reel::iceberg
