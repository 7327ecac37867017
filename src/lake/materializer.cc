#include "lake/materializer.h"

#include <algorithm>
#include <span>

namespace reel::lake {
namespace {

using store::LedgerEntry;

constexpr std::int64_t kHoursPerDay = 24;

//! The UTC day of an hour.
HourRange day_of(std::int64_t hour) {
  const std::int64_t into = ((hour % kHoursPerDay) + kHoursPerDay) % kHoursPerDay;
  return {.begin = hour - into, .end = hour - into + kHoursPerDay};
}

//! Of the files; a change that an older reader would misread raises it (docs/formats/lake.md).
constexpr std::string_view kFileFormat = "1";

//! "segments/global/2026-11-21/17-00-00_<uuid>.parquet"
std::string path_of(const std::string& view_set, const HourRange& hours, PartitionId id) {
  constexpr std::size_t kDate = 10;
  constexpr std::size_t kTime = 8;
  const std::string begin = start_of_hour(hours.begin).to_string();
  std::string time = begin.substr(kDate + 1, kTime);
  std::ranges::replace(time, ':', '-');
  return fmt::format("{}/{}/{}/{}_{}.parquet", view_set, kGlobal, begin.substr(0, kDate), time,
                     id.to_string());
}

Result<std::vector<HourRange>> tiles_of(const MaterializeRequest& request, std::size_t tiles_max) {
  REEL_ASSIGN(const HourRange range, HourRange::between(request.begin, request.end));
  constexpr std::int64_t kSecondsPerHour = 3'600;
  const std::int64_t delta = request.delta.count();
  if (delta <= 0 || delta % kSecondsPerHour != 0) {
    return invalid("a partition is a number of hours long, not {} s", delta);
  }
  const std::int64_t hours = delta / kSecondsPerHour;
  if ((range.end - range.begin) % hours != 0) {
    return invalid("partitions of {} h do not tile {}", hours, range.to_string());
  }
  if (static_cast<std::size_t>((range.end - range.begin) / hours) > tiles_max) {
    return fail(Code::too_large, "{} in partitions of {} h are more than {}", range.to_string(),
                hours, tiles_max);
  }
  std::vector<HourRange> tiles;
  for (std::int64_t hour = range.begin; hour < range.end; hour += hours) {
    tiles.push_back({.begin = hour, .end = hour + hours});
  }
  return tiles;
}

Status check_whole(const Coverage& coverage, const HourRange& range) {
  for (const Partition& partition : coverage.active) {
    if (!range.overlaps(partition.hours) || range.contains(partition.hours)) continue;
    return invalid("partition {} {} is only partly in {}: let the range have all of it or nothing",
                   partition.id.to_string(), partition.hours.to_string(), range.to_string());
  }
  return {};
}

bool is_outdated(const Coverage& coverage, const Partition& partition) {
  return std::ranges::any_of(coverage.outdated, [&](const Outdated& outdated) {
    return outdated.partition.id == partition.id;
  });
}

//! Tiles that share a partition, next to each other. REQUIRES: check_whole().
std::vector<std::vector<HourRange>> group(const std::vector<HourRange>& tiles,
                                          const Coverage& coverage) {
  std::vector<std::vector<HourRange>> units;
  for (const HourRange& tile : tiles) {
    const Partition* shared = coverage.at(tile.begin);
    const bool continues = !units.empty() && shared != nullptr && shared->hours.begin < tile.begin;
    if (!continues) units.emplace_back();
    units.back().push_back(tile);
  }
  return units;
}

bool is_up_to_date(const std::vector<HourRange>& unit, const Coverage& coverage) {
  return std::ranges::all_of(unit, [&](const HourRange& tile) {
    const Partition* partition = coverage.at(tile.begin);
    return partition != nullptr && partition->hours.contains(tile) &&
           !is_outdated(coverage, *partition);
  });
}

}  // namespace

//! One reading of the table, which fills a file for each tile that has rows.
class Materializer::Pass {
 public:
  Pass(const Catalog& catalog, const MaterializerOptions& options, const Held& held,
       const Unit& tiles)
      : catalog_(catalog), options_(options), held_(held) {
    for (const HourRange& tile : tiles) {
      const auto id = PartitionId::random(*catalog.options().random);
      files_.push_back({.partition = {.id = id,
                                      .view_set = held.view_set.id,
                                      .hours = tile,
                                      .schema = held.view_set.schema}});
    }
    std::ranges::sort(files_, {}, [](const File& file) { return file.partition.hours.begin; });
  }

  //! What the files are to have.
  Status take_in(store::Snapshot& snapshot) {
    REEL_TRY(take_ledger(snapshot));
    REEL_TRY(read(snapshot));
    for (const File& file : files_) REEL_TRY(check_complete(file));
    return {};
  }

  Result<std::vector<Partition>> finish() {
    std::vector<Partition> written;
    for (File& file : files_) {
      if (file.sink) {
        REEL_ASSIGN(file.partition.file, file.sink->finish());
        file.sink.reset();
      }
      written.push_back(std::move(file.partition));
    }
    return written;
  }

 private:
  struct File {
    Partition partition;
    std::unique_ptr<ParquetSink> sink = {};
    std::vector<std::int64_t> rows = {};  //!< read, by the entries of partition.source
  };

  Status take_ledger(store::Snapshot& snapshot) {
    REEL_ASSIGN(const auto ledger, snapshot.ledger(held_.schema.name));
    for (File& file : files_) {
      for (const LedgerEntry& entry : ledger) {
        if (file.partition.hours.contains(entry.hour)) file.partition.source.push_back(entry);
      }
      file.rows.resize(file.partition.source.size());
    }
    return {};
  }

  Status read(store::Snapshot& snapshot) {
    const bool nothing =
        std::ranges::all_of(files_, [](const File& file) { return file.partition.source.empty(); });
    if (nothing) return {};
    using Op = store::Predicate::Op;
    const std::string created = store::column_reference(store::kInsertedAt);
    const store::ScanSpec spec{
        .table = held_.schema.name,
        .where = {{created, Op::greater_equal, start_of_hour(files_.front().partition.hours.begin)},
                  {created, Op::less, start_of_hour(files_.back().partition.hours.end)}}};
    const std::size_t position = held_.schema.position(store::kInsertedAt);
    Status added;
    REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
      added = add(hour_of(row[position].get<Instant>()), row.cells);
      return added.has_value();
    }));
    return added;
  }

  Status add(std::int64_t hour, const store::Row& cells) {
    auto file = std::ranges::upper_bound(files_, hour, {},
                                         [](const File& one) { return one.partition.hours.begin; });
    if (file == files_.begin()) return {};
    --file;
    if (!file->partition.hours.contains(hour)) return {};  // between two tiles
    auto& source = file->partition.source;
    const auto entry = std::ranges::lower_bound(source, hour, {}, &LedgerEntry::hour);
    if (entry == source.end() || entry->hour != hour) return unaccounted(hour, 1, 0);
    ++file->rows[static_cast<std::size_t>(entry - source.begin())];
    if (!file->sink) {
      REEL_ASSIGN(file->sink, create_sink(file->partition));
    }
    return file->sink->add(cells);
  }

  Status check_complete(const File& file) const {
    const auto& source = file.partition.source;
    for (std::size_t i = 0; i < source.size(); ++i) {
      if (file.rows[i] != source[i].rows) {
        return unaccounted(source[i].hour, file.rows[i], source[i].rows);
      }
    }
    return {};
  }

  Failure unaccounted(std::int64_t hour, std::int64_t found, std::int64_t expected) const {
    return fail(Code::corrupt, "table {} has {} rows of {} where its ledger has {}",
                held_.schema.name, found, start_of_hour(hour).to_string(), expected);
  }

  Result<std::unique_ptr<ParquetSink>> create_sink(const Partition& partition) const {
    ParquetOptions parquet = options_.parquet;
    const auto hash = schema_hash(held_.schema);
    parquet.metadata = {{"reelhouse.format_version", std::string(kFileFormat)},
                        {"reelhouse.view_set", held_.view_set.name},
                        {"reelhouse.partition_id", partition.id.to_string()},
                        {"reelhouse.schema_hash", to_hex(hash)},
                        {"reelhouse.semantics_version", std::to_string(options_.semantics_version)},
                        {"reelhouse.build", catalog_.options().build}};
    return ParquetSink::create(catalog_.options().folder,
                               path_of(held_.view_set.name, partition.hours, partition.id),
                               held_.schema, std::move(parquet));
  }

  const Catalog& catalog_;
  const MaterializerOptions& options_;
  const Held& held_;
  std::vector<File> files_;
};

Result<Materializer::Held> Materializer::hold(std::string_view table) const {
  REEL_ASSIGN(const auto snapshot, store_.snapshot());
  REEL_ASSIGN(const auto schema, snapshot->catalog().table(table));
  REEL_ASSIGN(auto view_set, catalog_.hold(*schema, options_.semantics_version));
  return Held{.schema = *schema, .view_set = std::move(view_set)};
}

Result<std::vector<Partition>> Materializer::write(const Held& held, const Unit& tiles) const {
  Pass pass(catalog_, options_, held, tiles);
  {
    REEL_ASSIGN(const auto snapshot, store_.snapshot());
    REEL_ASSIGN(const auto schema, snapshot->catalog().table(held.schema.name));
    if (schema->id != held.schema.id || schema->version != held.schema.version) {
      return conflict("table {} was changed meanwhile", held.schema.name);
    }
    REEL_TRY(pass.take_in(*snapshot));
  }
  return pass.finish();
}

Status Materializer::write_together(const Held& held, const Unit& tiles, std::string_view by,
                                    const ProgressVisitor& tell) const {
  std::set<PartitionId> staged;
  std::vector<Progress> done;
  for (std::size_t first = 0; first < tiles.size(); first += options_.files_max) {
    const std::size_t count = std::min(options_.files_max, tiles.size() - first);
    const auto begin = tiles.begin() + static_cast<std::ptrdiff_t>(first);
    REEL_ASSIGN(const auto written,
                write(held, Unit(begin, begin + static_cast<std::ptrdiff_t>(count))));
    for (const Partition& one : written) {
      done.push_back({.hours = one.hours, .rows = one.rows(), .written = true});
    }
    if (first + count == tiles.size()) {
      REEL_TRY(catalog_.publish(written, staged, by, "replaced"));
    } else {
      REEL_TRY(catalog_.stage(written));
      for (const Partition& one : written) staged.insert(one.id);
    }
  }
  for (const Progress& one : done) tell(one);
  return {};
}

Status Materializer::write_units(const Held& held, const std::vector<Unit>& units,
                                 std::string_view by, const ProgressVisitor& tell) const {
  Unit together;
  for (const Unit& unit : units) {
    if (!together.empty() && together.size() + unit.size() > options_.files_max) {
      REEL_TRY(write_together(held, std::exchange(together, {}), by, tell));
    }
    std::ranges::copy(unit, std::back_inserter(together));
  }
  return together.empty() ? Status() : write_together(held, together, by, tell);
}

Status Materializer::materialize(const MaterializeRequest& request,
                                 const ProgressVisitor& tell) const {
  REEL_ASSIGN(const auto tiles, tiles_of(request, options_.tiles_max));
  REEL_ASSIGN(const Held held, hold(request.table));
  std::vector<Unit> units;
  {
    REEL_ASSIGN(const auto snapshot, store_.snapshot());
    REEL_ASSIGN(const Coverage coverage,
                settled(*snapshot, request.table, options_.semantics_version));
    REEL_TRY(check_whole(coverage, {.begin = tiles.front().begin, .end = tiles.back().end}));
    for (Unit& unit : group(tiles, coverage)) {
      if (request.regenerate || !is_up_to_date(unit, coverage)) {
        units.push_back(std::move(unit));
        continue;
      }
      for (const HourRange& tile : unit) tell({.hours = tile});
    }
  }
  return write_units(held, units, request.by, tell);
}

Result<std::size_t> Materializer::settle(std::string_view table, std::size_t partitions_max,
                                         std::string_view by) const {
  REEL_ASSIGN(const Held held, hold(table));
  const std::int64_t now = hour_of(catalog_.options().clock->now());
  Unit tiles;
  {
    REEL_ASSIGN(const auto snapshot, store_.snapshot());
    REEL_ASSIGN(const Coverage coverage, settled(*snapshot, table, options_.semantics_version));
    for (const Outdated& outdated : coverage.outdated) {
      if (outdated.partition.hours.end <= now) tiles.push_back(outdated.partition.hours);
    }
    for (const LedgerEntry& entry : coverage.live) {
      if (entry.hour >= now || coverage.at(entry.hour) != nullptr) continue;
      tiles.push_back({.begin = entry.hour, .end = entry.hour + 1});
    }
  }
  std::ranges::sort(tiles, std::ranges::greater(), &HourRange::begin);
  tiles.resize(std::min(tiles.size(), partitions_max));
  std::vector<Unit> units;
  for (const HourRange& tile : tiles) units.push_back({tile});
  REEL_TRY(write_units(held, units, by, [](const Progress&) {}));
  return tiles.size();
}

Result<std::size_t> Materializer::merge(std::string_view table, std::size_t days_max,
                                        std::string_view by) const {
  REEL_ASSIGN(const Held held, hold(table));
  const std::int64_t now = hour_of(catalog_.options().clock->now());
  struct Day {
    std::size_t partitions = 0;
    std::int64_t bytes = 0;
    bool ready = true;
  };
  std::map<std::int64_t, Day, std::greater<>> days;
  {
    REEL_ASSIGN(const auto snapshot, store_.snapshot());
    REEL_ASSIGN(const Coverage coverage, settled(*snapshot, table, options_.semantics_version));
    for (const Partition& partition : coverage.active) {
      const HourRange first = day_of(partition.hours.begin);
      ++days[first.begin].partitions;
      days[first.begin].bytes += partition.size_bytes();
      const bool ready = first.contains(partition.hours) && !is_outdated(coverage, partition);
      if (ready) continue;
      for (HourRange day = first; day.begin < partition.hours.end; day = day_of(day.end)) {
        days[day.begin].ready = false;
      }
    }
    for (const LedgerEntry& entry : coverage.live) days[day_of(entry.hour).begin].ready = false;
  }
  std::vector<Unit> units;
  for (const auto& [first, day] : days) {
    const bool over = first + kHoursPerDay <= now;
    if (!over || !day.ready || day.partitions < 2 || day.bytes > options_.merge_bytes_max) continue;
    if (units.size() < days_max) {
      units.push_back({{.begin = first, .end = first + kHoursPerDay}});
    }
  }
  REEL_TRY(write_units(held, units, by, [](const Progress&) {}));
  return units.size();
}

Result<std::vector<Partition>> Materializer::verify(std::string_view table,
                                                    std::string_view by) const {
  std::vector<Partition> active;
  {
    REEL_ASSIGN(const Held held, hold(table));
    REEL_ASSIGN(const auto snapshot, store_.snapshot());
    REEL_ASSIGN(active, partitions(*snapshot, held.view_set.id, kGlobal, PartitionState::active));
  }
  std::vector<Partition> broken;
  for (Partition& partition : active) {
    const Status intact = catalog_.verify(partition);
    if (intact) continue;
    const Code code = intact.error().code();
    if (code != Code::not_found && code != Code::corrupt) return Failure(intact.error().clone());
    REEL_TRY(catalog_.retire({.partitions = {partition.id},
                              .by = std::string(by),
                              .reason = "quarantined: " + intact.error().message(),
                              .force = true}));
    broken.push_back(std::move(partition));
  }
  return broken;
}

}  // namespace reel::lake
