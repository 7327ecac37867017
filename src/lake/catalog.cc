#include "lake/catalog.h"

#include <algorithm>

#include "lake/change_internal.h"
#include "lake/durable_file.h"

namespace reel::lake {
namespace {

using store::Batch;
using store::Snapshot;

//! Code::conflict names two that share hours. REQUIRES: of one instance.
Status check_disjoint(std::vector<const Partition*> partitions) {
  std::ranges::sort(partitions, {}, [](const Partition* one) { return one->hours.begin; });
  for (std::size_t i = 1; i < partitions.size(); ++i) {
    if (!partitions[i - 1]->hours.overlaps(partitions[i]->hours)) continue;
    return conflict("partitions {} {} and {} {} would both answer for the same hours",
                    partitions[i - 1]->id.to_string(), partitions[i - 1]->hours.to_string(),
                    partitions[i]->id.to_string(), partitions[i]->hours.to_string());
  }
  return {};
}

//! The first hour of `old` that none of the disjoint `partitions` has; nullopt: they have all.
std::optional<std::int64_t> uncovered_hour(const Partition& old,
                                           const std::vector<Partition>& partitions) {
  std::int64_t hour = old.hours.begin;
  for (bool advanced = true; advanced && hour < old.hours.end;) {
    advanced = false;
    for (const Partition& partition : partitions) {
      if (!partition.hours.contains(hour)) continue;
      hour = partition.hours.end;
      advanced = true;
    }
  }
  return hour < old.hours.end ? std::optional(hour) : std::nullopt;
}

Status check_one_instance(const std::vector<Partition>& partitions) {
  for (const Partition& partition : partitions) {
    if (partition.view_set == partitions[0].view_set &&
        partition.instance == partitions[0].instance) {
      continue;
    }
    return invalid("partitions {} and {} are of different instances", partitions[0].id.to_string(),
                   partition.id.to_string());
  }
  return {};
}

}  // namespace

Catalog::Catalog(store::RowStore& store, CatalogOptions options)
    : store_(store), options_(std::move(options)) {}

Result<std::unique_ptr<Catalog>> Catalog::open(store::Store& store, CatalogOptions options) {
  for (const store::TableDefinition& definition : catalog_tables()) {
    REEL_TRY(store.ensure_table(definition, "reelhouse"));
  }
  return std::unique_ptr<Catalog>(new Catalog(store, std::move(options)));
}

Result<ViewSet> Catalog::hold(const store::TableSchema& table, std::uint32_t semantics_version) {
  RegisteredSchema ours{.view = {.table = table, .semantics_version = semantics_version},
                        .hash = schema_hash(table),
                        .build = options_.build};
  ViewSet set{.id = table.id, .name = table.name};
  const store::Key key = {set.id};
  REEL_TRY(commit_change(store_, [&](Snapshot& snapshot) -> Result<Batch> {
    Batch batch;
    REEL_ASSIGN(const auto known, view_schemas(snapshot, set.id));
    ours.created = options_.clock->now();
    if (known.empty()) {
      ours.id = set.schema = 1;
      set.created = ours.created;
      batch.require_absent(name_of(table::kViewSets), key)
          .insert(name_of(table::kViewSets), key, cells_of(set));
    } else {
      const RegisteredSchema& current = known.back();
      const ViewSchema& view = current.view;
      if (view.semantics_version > semantics_version || view.table.version > table.version) {
        return forbidden(
            "view set {} has schema {} with version {} of the table and of its "
            "meaning {}, later than {} and {} of this program",
            table.name, current.id, view.table.version, view.semantics_version, table.version,
            semantics_version);
      }
      REEL_ASSIGN(set, view_set(snapshot, set.id));
      // Which columns it knew to be dropped is part of what a file can be used for.
      const bool same = current.hash == ours.hash && view.semantics_version == semantics_version &&
                        view.table.next_column_id == table.next_column_id;
      ours.id = same ? current.id : current.id + 1;
      if (same && set.name == table.name) return batch;
      batch.require_cells(name_of(table::kViewSets), key, {{"schema_id", set.schema}});
      set.schema = ours.id;
      set.name = table.name;
      batch.update(name_of(table::kViewSets), key, {{"name", set.name}, {"schema_id", set.schema}});
      if (same) return batch;
    }
    batch.insert(name_of(table::kViewSchemas), {set.id, ours.id}, cells_of(ours));
    return batch;
  }));
  const MutexLock lock(mutex_);
  held_[set.id] = std::move(ours);
  return set;
}

std::optional<RegisteredSchema> Catalog::held(ViewSetId id) const {
  const MutexLock lock(mutex_);
  const auto found = held_.find(id);
  return found == held_.end() ? std::nullopt : std::optional(found->second);
}

Status Catalog::check_files(const std::vector<Partition>& fresh) const {
  for (const Partition& partition : fresh) {
    if (!partition.file) continue;
    const std::string& path = partition.file->path;
    REEL_ASSIGN(const FileFacts facts, look_at_file(absolute(path)));
    if (facts.size_bytes != partition.file->size_bytes) {
      return fail(Code::corrupt, "{} has {} bytes and must have {}", path, facts.size_bytes,
                  partition.file->size_bytes);
    }
    // The sweep of orphans must not get at it between this and the commit.
    const auto age = std::chrono::microseconds(options_.clock->now().micros - facts.written.micros);
    if (age > options_.orphan_age / 2) {
      return conflict("{} was written at {}, too long ago to be published", path,
                      facts.written.to_string());
    }
  }
  return {};
}

Result<Batch> Catalog::add(Snapshot& snapshot, const std::vector<Partition>& fresh,
                           PartitionState state) const {
  Batch batch;
  for (const Partition& partition : fresh) {
    const auto schema = held(partition.view_set);
    REEL_ASSIGN(const ViewSet set, view_set(snapshot, partition.view_set));
    if (!schema || schema->id != set.schema || partition.schema != set.schema) {
      return forbidden("partition {} has schema {} of view set {}, whose current one is {}",
                       partition.id.to_string(), partition.schema, set.name, set.schema);
    }
    Partition added = partition;
    added.state = state;
    added.created = options_.clock->now();
    batch.insert(name_of(table::kPartitions), {added.id.uuid}, cells_of(added, schema->view.table));
    // The schema may not change before this is there.
    batch.require_cells(name_of(table::kViewSets), {set.id}, {{"schema_id", set.schema}});
  }
  return batch;
}

Status Catalog::stage(const std::vector<Partition>& partitions) {
  REEL_TRY(check_files(partitions));
  return commit_change(store_, [&](Snapshot& snapshot) -> Result<Batch> {
    Change change{snapshot};
    REEL_ASSIGN(change.batch, add(snapshot, partitions, PartitionState::staged));
    for (const Partition& one : partitions) REEL_TRY(change.touch(one));
    return change.batch;
  });
}

Status Catalog::publish(const std::vector<Partition>& fresh, const std::set<PartitionId>& staged,
                        std::string_view by, std::string_view reason) {
  REEL_TRY(check_files(fresh));
  return commit_change(store_, [&](Snapshot& snapshot) -> Result<Batch> {
    Change change{snapshot};
    REEL_ASSIGN(change.batch, add(snapshot, fresh, PartitionState::active));
    std::vector<Partition> published = fresh;
    for (const PartitionId id : staged) {
      REEL_ASSIGN(Partition one, partition(snapshot, id));
      if (one.state != PartitionState::staged) {
        return not_found("partition {} is {}, not staged", id.to_string(), state_name(one.state));
      }
      REEL_TRY(check_fence(one, false));
      change.set_state(one, PartitionState::active, {});
      published.push_back(std::move(one));
    }
    if (published.empty()) return change.batch;
    REEL_TRY(check_one_instance(published));
    std::vector<const Partition*> pointers;
    for (const Partition& one : published) pointers.push_back(&one);
    REEL_TRY(check_disjoint(pointers));

    REEL_ASSIGN(auto replaced, partitions(snapshot, published[0].view_set, published[0].instance,
                                          PartitionState::active));
    std::erase_if(replaced, [&](const Partition& old) {
      return std::ranges::none_of(
          published, [&](const Partition& one) { return one.hours.overlaps(old.hours); });
    });
    for (const Partition& old : replaced) {
      REEL_TRY(check_fence(old, false));
      if (const auto hour = uncovered_hour(old, published)) {
        return conflict("partition {} {} would be replaced, but nothing covers its hour {}",
                        old.id.to_string(), old.hours.to_string(),
                        start_of_hour(*hour).to_string());
      }
    }
    REEL_TRY(change.touch(published[0]));
    if (!replaced.empty()) {
      Retirement retirement = new_retirement(by, reason);
      REEL_TRY(change.retire(replaced, retirement, options_.undo));
    }
    return change.batch;
  });
}

Retirement Catalog::new_retirement(std::string_view by, std::string_view reason) const {
  return {.id = RetirementId::random(*options_.random),
          .at = options_.clock->now(),
          .by = std::string(by),
          .reason = std::string(reason)};
}

Status Catalog::check_fence(const Partition& partition, bool force) const {
  const auto ours = held(partition.view_set);
  if (!ours && !force) {
    return forbidden("partition {} is of view set {}, which this program does not know",
                     partition.id.to_string(), partition.view_set);
  }
  if (ours && partition.schema > ours->id) {
    return forbidden("partition {} has schema {}, later than {} of this program",
                     partition.id.to_string(), partition.schema, ours->id);
  }
  return {};
}

Result<Retirement> Catalog::retire(const RetireRequest& request) {
  Retirement retirement;
  REEL_TRY(commit_change(store_, [&](Snapshot& snapshot) -> Result<Batch> {
    Change change{snapshot};
    std::vector<Partition> retired;
    for (const PartitionId id : request.partitions) {
      REEL_ASSIGN(Partition one, partition(snapshot, id));
      if (one.state != PartitionState::active) {
        return conflict("partition {} is {}, not active", id.to_string(), state_name(one.state));
      }
      REEL_TRY(check_fence(one, request.force));
      if (!request.force && !source_exists(snapshot, one.view_set)) {
        return forbidden("partition {} cannot be rebuilt: what view set {} shows is gone",
                         id.to_string(), one.view_set);
      }
      retired.push_back(std::move(one));
    }
    retirement = new_retirement(request.by, request.reason);
    REEL_TRY(change.retire(retired, retirement, options_.undo));
    return request.dry_run || retired.empty() ? Batch() : change.batch;
  }));
  return retirement;
}

Result<Retirement> Catalog::restore(RetirementId id, std::string_view by) {
  {
    REEL_ASSIGN(const auto snapshot, store_.snapshot());
    REEL_ASSIGN(const auto restored, partitions_of(*snapshot, id));
    for (const Partition& one : restored) REEL_TRY(verify(one));
  }
  Retirement retirement;
  REEL_TRY(commit_change(store_, [&](Snapshot& snapshot) -> Result<Batch> {
    REEL_ASSIGN(retirement, lake::retirement(snapshot, id));
    if (retirement.state != RetirementState::undoable) {
      return conflict("retirement {} is {} already", id.to_string(), state_name(retirement.state));
    }
    Change change{snapshot};
    REEL_ASSIGN(const auto restored, partitions_of(snapshot, id));
    std::map<std::pair<ViewSetId, std::string>, std::vector<const Partition*>> instances;
    for (const Partition& one : restored) {
      instances[{one.view_set, one.instance}].push_back(&one);
      REEL_TRY(change.touch(one));
      change.set_state(one, PartitionState::active, {});
    }
    for (auto& [instance, answering] : instances) {
      REEL_ASSIGN(const auto active,
                  partitions(snapshot, instance.first, instance.second, PartitionState::active));
      for (const Partition& other : active) answering.push_back(&other);
      REEL_TRY(check_disjoint(answering));
    }
    change.end(retirement, RetirementState::restored, options_.clock->now(), by);
    return change.batch;
  }));
  return retirement;
}

}  // namespace reel::lake
