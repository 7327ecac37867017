#include "iceberg/snapshot_files.h"

#include <algorithm>

#include "iceberg/avro.h"
#include "iceberg/file.h"

namespace reel::iceberg {
namespace {

constexpr std::size_t kFileBytesMax = avro::Limits().file_bytes_max;

void add_live(const std::vector<ManifestEntry>& entries, std::set<std::string>& out) {
  for (const ManifestEntry& entry : entries) {
    if (entry.is_live()) out.insert(entry.file.location);
  }
}

//! What is gone already is nothing, any other error stays one.
template <class T>
Result<T> or_nothing(Result<T> result) {
  if (!result && result.error().code() == Code::not_found) return T();
  return result;
}

//! Ids of the snapshots that the branch or tag keeps.
void keep(const TableMetadata& table, const Reference& reference, const RetentionPolicy& policy,
          std::int64_t now_ms, std::set<SnapshotId>& kept) {
  kept.insert(reference.snapshot_id);
  if (!reference.is_branch) return;
  const std::int64_t least = reference.snapshots_min.value_or(policy.snapshots_min);
  const std::int64_t age_max = reference.snapshot_age_ms_max.value_or(policy.snapshot_age_ms_max);
  std::int64_t position = 0;
  for (const Snapshot* snapshot : table.ancestry(reference.snapshot_id)) {
    if (now_ms - snapshot->timestamp_ms > age_max && position >= least) return;
    kept.insert(snapshot->id);
    ++position;
  }
}

}  // namespace

Result<std::vector<ManifestFile>> load_manifests(const Snapshot& snapshot) {
  REEL_ASSIGN(const std::string bytes, read_file(snapshot.manifest_list, kFileBytesMax));
  return read_manifest_list(bytes, snapshot.manifest_list);
}

Result<std::vector<ManifestEntry>> load_entries(const TableMetadata& table,
                                                const ManifestFile& manifest) {
  const PartitionSpec* spec = table.find_spec(manifest.spec_id);
  if (spec == nullptr) {
    return corrupt("'{}' has partition spec {}, which the table has not", manifest.location,
                   manifest.spec_id);
  }
  REEL_ASSIGN(const std::vector<Field> types, table.partition_types(*spec));
  REEL_ASSIGN(const std::string bytes, read_file(manifest.location, kFileBytesMax));
  return read_manifest(bytes, manifest, types);
}

Result<std::vector<ManifestEntry>> live_files(const TableMetadata& table,
                                              const Snapshot& snapshot) {
  REEL_ASSIGN(const std::vector<ManifestFile> manifests, load_manifests(snapshot));
  std::vector<ManifestEntry> out;
  for (const ManifestFile& manifest : manifests) {
    if (!manifest.has_live_files()) continue;
    REEL_ASSIGN(std::vector<ManifestEntry> entries, load_entries(table, manifest));
    for (ManifestEntry& entry : entries) {
      if (!entry.is_live()) continue;
      if (entry.file.content != FileContent::data) {
        return unsupported("snapshot {} deletes rows of its files by '{}'", snapshot.id,
                           entry.file.location);
      }
      out.push_back(std::move(entry));
    }
  }
  return out;
}

Result<FileSet> reachable_files(const TableMetadata& table) {
  FileSet files;
  for (const Snapshot& snapshot : table.snapshots) {
    files.manifest_lists.insert(snapshot.manifest_list);
    REEL_ASSIGN(const std::vector<ManifestFile> manifests, load_manifests(snapshot));
    for (const ManifestFile& manifest : manifests) {
      if (!files.manifests.insert(manifest.location).second) continue;
      REEL_ASSIGN(const std::vector<ManifestEntry> entries, load_entries(table, manifest));
      add_live(entries, files.data);
    }
  }
  for (const auto& entry : table.metadata_log) files.metadata.insert(entry.location);
  return files;
}

Result<FileSet> unreachable_files(const TableMetadata& before,
                                  const std::set<SnapshotId>& expired) {
  TableMetadata staying = before;
  std::erase_if(staying.snapshots,
                [&](const Snapshot& snapshot) { return expired.contains(snapshot.id); });
  staying.metadata_log.clear();
  REEL_ASSIGN(const FileSet needed, reachable_files(staying));
  FileSet files;
  for (const Snapshot& snapshot : before.snapshots) {
    if (!expired.contains(snapshot.id)) continue;
    files.manifest_lists.insert(snapshot.manifest_list);
    REEL_ASSIGN(const std::vector<ManifestFile> manifests, or_nothing(load_manifests(snapshot)));
    for (const ManifestFile& manifest : manifests) {
      // What a manifest that stays lists as live is needed.
      if (needed.manifests.contains(manifest.location)) continue;
      if (!files.manifests.insert(manifest.location).second) continue;
      REEL_ASSIGN(const std::vector<ManifestEntry> entries,
                  or_nothing(load_entries(before, manifest)));
      add_live(entries, files.data);
    }
  }
  for (const std::string& location : needed.data) files.data.erase(location);
  return files;
}

Status remove_files(const FileSet& files) {
  Status first;
  for (const auto* group :
       {&files.metadata, &files.manifest_lists, &files.manifests, &files.data}) {
    for (const std::string& location : *group) {
      Status removed = remove_file(location);
      if (!removed && first) first = std::move(removed);
    }
  }
  return first;
}

Expiry find_expired(const TableMetadata& table, const RetentionPolicy& policy,
                    std::int64_t now_ms) {
  Expiry expiry;
  std::set<SnapshotId> kept;
  for (const auto& [name, reference] : table.references) {
    const Snapshot* head = table.find_snapshot(reference.snapshot_id);
    const bool too_old = name != kMainBranch && reference.reference_age_ms_max && head != nullptr &&
                         now_ms - head->timestamp_ms > *reference.reference_age_ms_max;
    if (too_old) {
      expiry.references.insert(name);
    } else {
      keep(table, reference, policy, now_ms, kept);
    }
  }
  for (const Snapshot& snapshot : table.snapshots) {
    if (!kept.contains(snapshot.id)) expiry.snapshots.insert(snapshot.id);
  }
  return expiry;
}

void apply(const Expiry& expiry, TableMetadata& table) {
  for (const std::string& name : expiry.references) table.references.erase(name);
  const auto is_expired = [&](SnapshotId id) { return expiry.snapshots.contains(id); };
  std::erase_if(table.snapshots, [&](const Snapshot& snapshot) { return is_expired(snapshot.id); });
  // The log is of unbroken history: what lies before an expired entry goes as well.
  const auto last = std::find_if(
      table.snapshot_log.rbegin(), table.snapshot_log.rend(),
      [&](const TableMetadata::LogEntry& entry) { return is_expired(entry.snapshot_id); });
  table.snapshot_log.erase(table.snapshot_log.begin(), last.base());
}

}  // namespace reel::iceberg
