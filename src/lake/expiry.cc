//! Leases, and what goes away for good.

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include <unistd.h>

#include "lake/change_internal.h"
#include "lake/durable_file.h"

namespace reel::lake {
namespace {

namespace fs = std::filesystem;
using store::Batch;
using store::Snapshot;

//! A lease that was taken just after a retirement may belong to a snapshot from just before it.
constexpr std::chrono::microseconds kLeaseMargin = std::chrono::minutes(1);

constexpr std::string_view kExtension = ".parquet";

bool is_over(const Retirement& retirement, const std::vector<Lease>& leases, Instant now) {
  if (retirement.state != RetirementState::undoable || now < retirement.delete_after) return false;
  return std::ranges::none_of(leases, [&](const Lease& lease) {
    return lease.expires > now && lease.taken.micros <= retirement.at.micros + kLeaseMargin.count();
  });
}

void erase_row(Batch& batch, const Partition& partition) {
  const std::string table = name_of(table::kPartitions);
  batch
      .require_cells(table, {partition.id.uuid},
                     {{"state", std::string(state_name(partition.state))}})
      .erase(table, {partition.id.uuid});
}

//! Paths below the folder of files that are, or would become, Parquet files.
Result<std::vector<std::string>> list_files(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  fs::recursive_directory_iterator files(folder, error);
  if (error == std::errc::no_such_file_or_directory) return paths;
  for (; !error && files != fs::recursive_directory_iterator(); files.increment(error)) {
    std::string name = files->path().filename().string();
    if (name.ends_with(kUnfinished)) name.resize(name.size() - kUnfinished.size());
    if (!name.ends_with(kExtension)) continue;
    paths.push_back(files->path().lexically_relative(folder).string());
  }
  if (error) return io("listing {}: {}", folder, error.message());
  return paths;
}

Result<std::unordered_set<std::string>> named_paths(Snapshot& snapshot) {
  std::unordered_set<std::string> paths;
  const store::ScanSpec spec{.table = name_of(table::kPartitions), .columns = {"file_path"}};
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(spec.table));
  const std::size_t path = schema->position("file_path");
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    if (const auto* named = row[path].get_if<std::string>()) paths.insert(*named);
    return true;
  }));
  return paths;
}

Result<std::vector<Partition>> old_staged(Snapshot& snapshot, Instant created_before) {
  std::vector<Partition> abandoned;
  REEL_ASSIGN(const auto sets, view_sets(snapshot));
  for (const ViewSet& set : sets) {
    REEL_ASSIGN(const auto names, instances(snapshot, set.id));
    for (const std::string& instance : names) {
      REEL_ASSIGN(const auto staged,
                  partitions(snapshot, set.id, instance, PartitionState::staged));
      std::ranges::copy_if(staged, std::back_inserter(abandoned),
                           [&](const Partition& one) { return one.created < created_before; });
    }
  }
  return abandoned;
}

}  // namespace

Result<LeaseId> Catalog::take_lease(std::string_view holder, std::chrono::seconds duration) {
  if (duration.count() <= 0) return invalid("a lease of {} s", duration.count());
  Lease lease{.id = LeaseId::random(*options_.random), .holder = std::string(holder)};
  lease.taken = options_.clock->now();
  lease.expires = {lease.taken.micros + std::chrono::microseconds(duration).count()};
  Batch batch;
  batch.insert(name_of(table::kLeases), {lease.id.uuid}, cells_of(lease));
  REEL_TRY(store_.commit(std::move(batch)));
  return lease.id;
}

Status Catalog::release_lease(LeaseId id) {
  Batch batch;
  batch.erase(name_of(table::kLeases), {id.uuid});
  return store_.commit(std::move(batch));
}

void Catalog::erase_file(const Partition& partition, bool dry_run, ExpiryReport& report) const {
  if (!partition.file) return;
  // One that cannot be erased now is an orphan from here on.
  if (!dry_run && ::unlink(absolute(partition.file->path).c_str()) != 0) return;
  report.files.push_back(partition.file->path);
  report.size_bytes += partition.file->size_bytes;
}

Result<ExpiryReport> Catalog::expire(std::string_view by, bool dry_run) {
  ExpiryReport report;
  const Instant now = options_.clock->now();
  const std::chrono::microseconds age = options_.orphan_age;
  std::vector<Partition> staged;
  std::vector<Lease> known;
  {
    REEL_ASSIGN(const auto snapshot, store_.snapshot());
    REEL_ASSIGN(known, leases(*snapshot));
    REEL_ASSIGN(report.retirements, retirements(*snapshot));
    REEL_ASSIGN(staged, old_staged(*snapshot, {now.micros - age.count()}));
  }
  std::erase_if(report.retirements,
                [&](const Retirement& one) { return !is_over(one, known, now); });
  for (Retirement& retirement : report.retirements) {
    std::vector<Partition> gone;
    REEL_TRY(commit_change(store_, [&](Snapshot& snapshot) -> Result<Batch> {
      Change change{snapshot};
      REEL_ASSIGN(gone, partitions_of(snapshot, retirement.id));
      if (dry_run) return change.batch;
      REEL_ASSIGN(retirement, lake::retirement(snapshot, retirement.id));
      if (retirement.state != RetirementState::undoable) {
        gone.clear();
        return change.batch;
      }
      change.end(retirement, RetirementState::expired, now, by);
      for (const Partition& partition : gone) erase_row(change.batch, partition);
      return change.batch;
    }));
    for (const Partition& partition : gone) erase_file(partition, dry_run, report);
  }
  for (const Partition& partition : staged) {
    Batch batch;
    erase_row(batch, partition);
    if (!dry_run) {
      Status erased = store_.commit(std::move(batch));
      if (!erased && erased.error().code() == Code::conflict) continue;  // it has been published
      REEL_TRY(std::move(erased));
    }
    report.abandoned.push_back(partition.id);
    erase_file(partition, dry_run, report);
  }
  for (const Lease& lease : known) {
    if (!dry_run && lease.expires <= now) REEL_TRY(release_lease(lease.id));
  }
  return report;
}

Result<ExpiryReport> Catalog::sweep_orphans(bool dry_run) {
  // Files first: one that is published after this is not in the list, or is in the catalog below.
  REEL_ASSIGN(const auto files, list_files(options_.folder));
  REEL_ASSIGN(const auto snapshot, store_.snapshot());
  REEL_ASSIGN(const auto named, named_paths(*snapshot));
  ExpiryReport report;
  for (const std::string& path : files) {
    if (named.contains(path)) continue;
    const auto facts = look_at_file(absolute(path));
    if (!facts) continue;  // gone meanwhile
    const auto age =
        std::chrono::microseconds(options_.clock->now().micros - facts->written.micros);
    if (age < options_.orphan_age) continue;
    if (!dry_run && ::unlink(absolute(path).c_str()) != 0) {
      return io("erasing {}: {}", path, std::generic_category().message(errno));
    }
    report.files.push_back(path);
    report.size_bytes += facts->size_bytes;
  }
  return report;
}

Status Catalog::verify(const Partition& partition) const {
  if (!partition.file) return {};
  const DataFile& file = *partition.file;
  REEL_ASSIGN(const FileFacts facts, look_at_file(absolute(file.path)));
  if (facts.size_bytes == file.size_bytes) {
    REEL_ASSIGN(const Sha256Digest found, hash_file(absolute(file.path)));
    if (found == file.sha256) return {};
  }
  return fail(Code::corrupt, "the file {} of partition {} is not as it was written",
              absolute(file.path), partition.id.to_string());
}

}  // namespace reel::lake
