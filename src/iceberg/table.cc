#include "iceberg/table.h"

#include <algorithm>
#include <charconv>

#include "iceberg/file.h"
#include "iceberg/snapshot_draft_internal.h"

namespace reel::iceberg {
namespace {

constexpr std::size_t kMetadataBytesMax = std::size_t{256} << 20;
//! A property that other writers know as well.
constexpr std::string_view kLogLengthProperty = "write.metadata.previous-versions-max";
constexpr std::int64_t kLogLength = 100;

//! Keys that Iceberg gives a meaning to.
bool is_reserved(std::string_view key) {
  for (const std::string_view prefix : {"added-", "deleted-", "removed-", "total-", "changed-"}) {
    if (key.starts_with(prefix)) return true;
  }
  return key == "operation" || key == kCommitIdKey;
}

Status check(const Changes& changes) {
  for (const auto& [key, value] : changes.summary) {
    if (is_reserved(key)) return invalid("the summary's '{}' is not the caller's to set", key);
  }
  if (changes.same_rows && (changes.added.empty() || changes.removed.empty())) {
    return invalid("a replacement with the same rows adds and removes files");
  }
  for (const DataFile& file : changes.added) {
    REEL_ASSIGN(const std::string path, path_of(file.location));
    REEL_TRY(location_of(path));
    if (file.record_count < 0 || file.size_bytes <= 0) {
      return invalid("'{}' has {} records in {} bytes", file.location, file.record_count,
                     file.size_bytes);
    }
  }
  return {};
}

std::size_t log_length(const TableMetadata& table) {
  std::int64_t length = kLogLength;
  const auto given = table.properties.find(std::string(kLogLengthProperty));
  if (given != table.properties.end()) {
    const std::string& text = given->second;
    std::from_chars(text.data(), text.data() + text.size(), length);
  }
  return static_cast<std::size_t>(std::max<std::int64_t>(length, 1));
}

//! Remembers the metadata file that is about to be replaced. Those that fall out of the log are
//! returned.
std::set<std::string> log_metadata(TableMetadata& next, const TableMetadata& base,
                                   const std::string& base_location) {
  next.metadata_log.push_back({.timestamp_ms = base.last_updated_ms, .location = base_location});
  std::set<std::string> dropped;
  const std::size_t length = log_length(next);
  while (next.metadata_log.size() > length) {
    dropped.insert(next.metadata_log.front().location);
    next.metadata_log.erase(next.metadata_log.begin());
  }
  return dropped;
}

Status set_schema(TableMetadata& table, const Schema& wanted) {
  REEL_ASSIGN(Schema next, evolve(table.schemas, table.current_schema_id, wanted));
  for (const PartitionField& field : table.spec().fields) {
    if (next.find(field.source_id) == nullptr) {
      return conflict("column {} cannot go: the table is partitioned by it", field.source_id);
    }
  }
  table.last_column_id = std::max(table.last_column_id, next.highest_id());
  table.current_schema_id = next.id;
  if (table.find_schema(next.id) == nullptr) table.schemas.push_back(std::move(next));
  return {};
}

void add_snapshot(TableMetadata& table, Snapshot snapshot) {
  table.last_sequence_number = snapshot.sequence_number;
  table.references[std::string(kMainBranch)].snapshot_id = snapshot.id;
  table.snapshot_log.push_back({.timestamp_ms = snapshot.timestamp_ms, .snapshot_id = snapshot.id});
  table.snapshots.push_back(std::move(snapshot));
}

void remove_written(const std::vector<std::string>& locations) {
  // What cannot be removed is an orphan: reachable_files() tells it apart.
  for (const std::string& location : locations) (void)remove_file(location);
}

}  // namespace

Table::Table(Catalog& catalog, TableName name, const Options& options)
    : catalog_(&catalog), name_(std::move(name)), options_(options) {
  if (options_.clock == nullptr) options_.clock = &system_clock();
}

Result<Table> Table::create(Catalog& catalog, TableName name, NewTable table,
                            const Options& options) {
  Table out(catalog, std::move(name), options);
  if (table.location.empty()) {
    REEL_ASSIGN(table.location, catalog.default_location(out.name_));
  }
  REEL_ASSIGN(const std::string path, path_of(table.location));
  REEL_TRY(location_of(path));
  REEL_ASSIGN(out.metadata_, make_metadata(table, out.options_.clock->now()));
  REEL_ASSIGN(out.metadata_location_, catalog.replace(out.name_, out.metadata_, ""));
  return out;
}

Result<Table> Table::load(Catalog& catalog, TableName name, const Options& options) {
  Table out(catalog, std::move(name), options);
  REEL_TRY(out.refresh());
  return out;
}

Status Table::refresh() {
  REEL_ASSIGN(std::string location, catalog_->current(name_));
  if (location == metadata_location_) return {};
  REEL_ASSIGN(const std::string text, read_file(location, kMetadataBytesMax));
  auto metadata = TableMetadata::parse(text);
  if (!metadata) {
    return Failure(std::move(metadata).error().while_doing(fmt::format("reading '{}'", location)));
  }
  if (!metadata_.uuid.empty() && metadata_.uuid != metadata->uuid) {
    return conflict("table {} is another one now", name_.to_string());
  }
  metadata_ = *std::move(metadata);
  metadata_location_ = std::move(location);
  return {};
}

std::optional<CommitResult> Table::find_commit(const std::string& commit_id) const {
  const Snapshot* current = metadata_.current_snapshot();
  if (current == nullptr) return std::nullopt;
  for (const Snapshot* snapshot : metadata_.ancestry(current->id)) {
    const auto given = snapshot->summary.find(std::string(kCommitIdKey));
    if (given == snapshot->summary.end() || given->second != commit_id) continue;
    return CommitResult{.snapshot_id = snapshot->id, .was_done = true, .unreachable = {}};
  }
  return std::nullopt;
}

Result<CommitResult> Table::commit(Changes changes) {
  REEL_TRY(check(changes));
  if (changes.commit_id.empty()) changes.commit_id = Uuid::random().to_string();
  for (int attempts = 0; attempts < options_.attempts_max; ++attempts) {
    REEL_TRY(refresh());
    if (auto done = find_commit(changes.commit_id)) return *std::move(done);
    REEL_ASSIGN(auto result, attempt(changes));
    if (result) return *std::move(result);
  }
  return conflict("table {}: others were faster {} times", name_.to_string(),
                  options_.attempts_max);
}

//! nullopt: another writer was faster.
Result<std::optional<CommitResult>> Table::attempt(const Changes& changes) {
  TableMetadata next = metadata_;
  CommitResult result;
  std::vector<std::string> written;
  const Instant now = options_.clock->now();
  const auto change = [&]() -> Status {
    if (changes.schema) REEL_TRY(set_schema(next, *changes.schema));
    for (const auto& [key, value] : changes.properties) next.properties[key] = value;
    for (const std::string& key : changes.removed_properties) next.properties.erase(key);
    if (changes.makes_snapshot()) {
      REEL_ASSIGN(Snapshot snapshot, SnapshotDraft(next, changes, now, written).run());
      result.snapshot_id = snapshot.id;
      add_snapshot(next, std::move(snapshot));
    }
    if (!changes.expire) return {};
    const Expiry expiry = find_expired(next, *changes.expire, now.micros / 1000);
    REEL_ASSIGN(result.unreachable, unreachable_files(next, expiry.snapshots));
    apply(expiry, next);
    return {};
  };
  if (Status changed = change(); !changed) {
    remove_written(written);
    return Failure(std::move(changed).error());
  }
  if (!result.snapshot_id && next.to_text() == metadata_.to_text()) return result;
  next.last_updated_ms = std::max(now.micros / 1000, metadata_.last_updated_ms);
  result.unreachable.metadata = log_metadata(next, metadata_, metadata_location_);

  auto location = catalog_->replace(name_, next, metadata_location_);
  if (location) {
    metadata_ = std::move(next);
    metadata_location_ = *std::move(location);
    return result;
  }
  // What may be current must stay.
  if (location.error().code() != Code::unknown_outcome) remove_written(written);
  if (location.error().code() == Code::conflict) return std::nullopt;
  return Failure(std::move(location).error());
}

}  // namespace reel::iceberg
