#include "iceberg/manifest.h"

#include <algorithm>
#include <cmath>

#include "iceberg/avro.h"
#include "iceberg/manifest_record_internal.h"
#include "iceberg/single_value.h"

namespace reel::iceberg {
namespace {

// ---- Avro schemas: names, ids and order of the specification ----

std::string field(std::string_view name, FieldId id, std::string_view type) {
  return fmt::format(R"({{"name":"{}","type":{},"field-id":{}}})", name, type, id);
}

std::string optional_field(std::string_view name, FieldId id, std::string_view type) {
  return fmt::format(R"({{"name":"{}","type":["null",{}],"default":null,"field-id":{}}})", name,
                     type, id);
}

std::string list_type(FieldId element_id, std::string_view type) {
  return fmt::format(R"({{"type":"array","items":{},"element-id":{}}})", type, element_id);
}

std::string record_type(std::string_view name, const std::vector<std::string>& fields) {
  std::string list;
  for (const std::string& item : fields) list += (list.empty() ? "" : ",") + item;
  return fmt::format(R"({{"type":"record","name":"{}","fields":[{}]}})", name, list);
}

//! A map from ids, which Avro's own maps cannot be: their keys are text.
std::string map_type(FieldId key_id, std::string_view value_type) {
  return fmt::format(
      R"({{"type":"array","logicalType":"map","items":{}}})",
      record_type(fmt::format("k{}_v{}", key_id, key_id + 1),
                  {field("key", key_id, R"("int")"), field("value", key_id + 1, value_type)}));
}

constexpr std::string_view kInt = R"("int")";
constexpr std::string_view kLong = R"("long")";
constexpr std::string_view kString = R"("string")";
constexpr std::string_view kBytes = R"("bytes")";
constexpr std::string_view kBoolean = R"("boolean")";

std::string partition_type(const std::vector<Field>& types) {
  std::vector<std::string> fields;
  for (const Field& type : types) {
    fields.push_back(optional_field(avro_name(type.name), type.id, avro_type(type.type, type.id)));
  }
  return record_type("r102", fields);
}

std::string entry_schema(const std::vector<Field>& partition_types) {
  const std::string data_file =
      record_type("r2", {field("content", 134, kInt), field("file_path", 100, kString),
                         field("file_format", 101, kString),
                         field("partition", 102, partition_type(partition_types)),
                         field("record_count", 103, kLong), field("file_size_in_bytes", 104, kLong),
                         optional_field("column_sizes", 108, map_type(117, kLong)),
                         optional_field("value_counts", 109, map_type(119, kLong)),
                         optional_field("null_value_counts", 110, map_type(121, kLong)),
                         optional_field("nan_value_counts", 137, map_type(138, kLong)),
                         optional_field("lower_bounds", 125, map_type(126, kBytes)),
                         optional_field("upper_bounds", 128, map_type(129, kBytes)),
                         optional_field("key_metadata", 131, kBytes),
                         optional_field("split_offsets", 132, list_type(133, kLong)),
                         optional_field("equality_ids", 135, list_type(136, kInt)),
                         optional_field("sort_order_id", 140, kInt)});
  return record_type(
      "manifest_entry",
      {field("status", 0, kInt), optional_field("snapshot_id", 1, kLong),
       optional_field("sequence_number", 3, kLong),
       optional_field("file_sequence_number", 4, kLong), field("data_file", 2, data_file)});
}

std::string list_schema() {
  const std::string summary = record_type(
      "r508",
      {field("contains_null", 509, kBoolean), optional_field("contains_nan", 518, kBoolean),
       optional_field("lower_bound", 510, kBytes), optional_field("upper_bound", 511, kBytes)});
  return record_type(
      "manifest_file",
      {field("manifest_path", 500, kString), field("manifest_length", 501, kLong),
       field("partition_spec_id", 502, kInt), field("content", 517, kInt),
       field("sequence_number", 515, kLong), field("min_sequence_number", 516, kLong),
       field("added_snapshot_id", 503, kLong), field("added_files_count", 504, kInt),
       field("existing_files_count", 505, kInt), field("deleted_files_count", 506, kInt),
       field("added_rows_count", 512, kLong), field("existing_rows_count", 513, kLong),
       field("deleted_rows_count", 514, kLong),
       optional_field("partitions", 507, list_type(508, summary)),
       optional_field("key_metadata", 519, kBytes)});
}

// ---- writing ----

//! Never null, though it might be: pyiceberg's `inspect` takes it for granted.
template <class T>
avro::Value map_value(const std::map<FieldId, T>& map) {
  avro::List entries;
  for (const auto& [key, value] : map) entries.push_back(avro::Value(avro::List{key, value}));
  return avro::Value(std::move(entries));
}

template <class T>
avro::Value list_value(const std::vector<T>& items) {
  if (items.empty()) return {};
  return avro::Value(avro::List(items.begin(), items.end()));
}

Result<avro::Value> file_value(const DataFile& file, const std::vector<Field>& types) {
  REEL_CHECK(file.partition.size() == types.size());
  avro::List partition;
  for (std::size_t i = 0; i < types.size(); ++i) {
    auto value = to_avro(types[i].type, file.partition[i]);
    if (!value) {
      return Failure(std::move(value).error().while_doing(
          fmt::format("'{}', partition value '{}'", file.location, types[i].name)));
    }
    partition.push_back(*std::move(value));
  }
  return avro::Value(avro::List{
      static_cast<std::int32_t>(file.content), file.location, file.format, std::move(partition),
      file.record_count, file.size_bytes, map_value(file.column_sizes),
      map_value(file.value_counts), map_value(file.null_counts), map_value(file.nan_counts),
      map_value(file.lower_bounds), map_value(file.upper_bounds), file.key_metadata,
      list_value(file.split_offsets), list_value(file.equality_ids), file.sort_order_id});
}

// ---- partition summaries ----

//! Smallest and largest of the values of one partition field.
class Summarizer {
 public:
  Status add(const Type& type, const store::Value& value) {
    if (value.is_null()) {
      summary_.contains_null = true;
      return {};
    }
    if (const auto* number = value.get_if<double>(); number != nullptr && std::isnan(*number)) {
      summary_.contains_nan = true;
      return {};
    }
    const bool lower = smallest_.is_null() || store::compare(value, smallest_) < 0;
    const bool upper = largest_.is_null() || store::compare(value, largest_) > 0;
    // Partition values are not cut: readers compare them with what a transform yields.
    if (lower) {
      REEL_ASSIGN(summary_.lower, to_bytes(type, value));
      smallest_ = value;
    }
    if (upper) {
      REEL_ASSIGN(summary_.upper, to_bytes(type, value));
      largest_ = value;
    }
    return {};
  }
  FieldSummary finish(const Type& type) {
    const bool real = type.kind == TypeKind::float32 || type.kind == TypeKind::float64;
    if (!real || !summary_.contains_nan) summary_.contains_nan = false;
    return std::move(summary_);
  }

 private:
  FieldSummary summary_;
  store::Value smallest_;
  store::Value largest_;
};

Result<std::vector<FieldSummary>> summarize(const std::vector<Field>& types,
                                            const std::vector<ManifestEntry>& entries) {
  std::vector<FieldSummary> out;
  for (std::size_t i = 0; i < types.size(); ++i) {
    Summarizer summarizer;
    for (const ManifestEntry& entry : entries) {
      REEL_TRY(summarizer.add(types[i].type, entry.file.partition[i]));
    }
    out.push_back(summarizer.finish(types[i].type));
  }
  return out;
}

// ---- reading ----

Result<std::vector<store::Value>> read_partition(const Record& file,
                                                 const std::vector<Field>& types) {
  std::vector<store::Value> values;
  if (types.empty()) return values;
  REEL_ASSIGN(const Record record, file.record(102));
  for (const Field& type : types) {
    const avro::Value* value = record.find(type.id);
    REEL_ASSIGN(store::Value read,
                partition_value(type.type, value != nullptr ? *value : avro::Value(),
                                fmt::format("partition value '{}'", type.name)));
    values.push_back(std::move(read));
  }
  return values;
}

Result<DataFile> read_file_record(const Record& record, const std::vector<Field>& types) {
  DataFile file;
  REEL_ASSIGN(const std::int64_t content, record.integer_or(134, 0));
  if (content < 0 || content > 2) return record.corrupt_field(134, "is no kind of content");
  file.content = static_cast<FileContent>(content);
  REEL_ASSIGN(file.location, record.text(100));
  REEL_ASSIGN(file.format, record.text(101));
  REEL_ASSIGN(file.partition, read_partition(record, types));
  REEL_ASSIGN(file.record_count, record.integer(103));
  REEL_ASSIGN(file.size_bytes, record.integer(104));
  if (file.record_count < 0) return record.corrupt_field(103, "is negative");
  if (file.size_bytes < 0) return record.corrupt_field(104, "is negative");
  REEL_ASSIGN(file.column_sizes, record.integer_map(108));
  REEL_ASSIGN(file.value_counts, record.integer_map(109));
  REEL_ASSIGN(file.null_counts, record.integer_map(110));
  REEL_ASSIGN(file.nan_counts, record.integer_map(137));
  REEL_ASSIGN(file.lower_bounds, record.text_map(125));
  REEL_ASSIGN(file.upper_bounds, record.text_map(128));
  REEL_ASSIGN(file.key_metadata, record.optional_text(131));
  REEL_ASSIGN(file.split_offsets, record.integers(132));
  REEL_ASSIGN(const std::vector<std::int64_t> equality_ids, record.integers(135));
  for (const std::int64_t id : equality_ids) {
    if (id != static_cast<FieldId>(id)) return record.corrupt_field(135, "has no id of a column");
    file.equality_ids.push_back(static_cast<FieldId>(id));
  }
  REEL_ASSIGN(file.sort_order_id, record.optional_small_integer(140));
  return file;
}

//! What an entry leaves out it has from its manifest: an added file its sequence numbers, any file
//! of format version 1 the number 0.
Status inherit(ManifestEntry& entry, const ManifestFile& manifest) {
  if (!entry.snapshot_id) entry.snapshot_id = manifest.added_snapshot_id;
  if (entry.sequence_number && entry.file_sequence_number) return {};
  if (entry.status != EntryStatus::added && manifest.sequence_number != 0) {
    return corrupt("'{}' is not new and has no sequence number", entry.file.location);
  }
  if (!entry.sequence_number) entry.sequence_number = manifest.sequence_number;
  if (!entry.file_sequence_number) entry.file_sequence_number = manifest.sequence_number;
  return {};
}

Result<ManifestEntry> read_entry(const Record& record, const ManifestFile& manifest,
                                 const std::vector<Field>& types) {
  ManifestEntry entry;
  REEL_ASSIGN(const std::int64_t status, record.integer(0));
  if (status < 0 || status > 2) return record.corrupt_field(0, "is no status");
  entry.status = static_cast<EntryStatus>(status);
  REEL_ASSIGN(entry.snapshot_id, record.optional_integer(1));
  REEL_ASSIGN(entry.sequence_number, record.optional_integer(3));
  REEL_ASSIGN(entry.file_sequence_number, record.optional_integer(4));
  REEL_ASSIGN(const Record file, record.record(2));
  REEL_ASSIGN(entry.file, read_file_record(file, types));
  REEL_TRY(inherit(entry, manifest));
  return entry;
}

Result<ManifestFile> read_manifest_record(const Record& record) {
  ManifestFile manifest;
  REEL_ASSIGN(manifest.location, record.text(500));
  REEL_ASSIGN(manifest.size_bytes, record.integer(501));
  REEL_ASSIGN(const auto spec_id, record.optional_small_integer(502));
  manifest.spec_id = spec_id.value_or(0);
  REEL_ASSIGN(const std::int64_t content, record.integer_or(517, 0));
  manifest.of_deletes = content != 0;
  REEL_ASSIGN(manifest.sequence_number, record.integer_or(515, 0));
  REEL_ASSIGN(manifest.min_sequence_number, record.integer_or(516, 0));
  REEL_ASSIGN(manifest.added_snapshot_id, record.integer(503));
  // Format version 1 may leave counts out, "assumed to be non-zero".
  REEL_ASSIGN(manifest.added.files, record.integer_or(504, 1));
  REEL_ASSIGN(manifest.existing.files, record.integer_or(505, 1));
  REEL_ASSIGN(manifest.deleted.files, record.integer_or(506, 1));
  REEL_ASSIGN(manifest.added.rows, record.integer_or(512, 1));
  REEL_ASSIGN(manifest.existing.rows, record.integer_or(513, 1));
  REEL_ASSIGN(manifest.deleted.rows, record.integer_or(514, 1));
  REEL_ASSIGN(const std::vector<Record> summaries, record.records(507));
  for (const Record& item : summaries) {
    FieldSummary summary;
    REEL_ASSIGN(const auto contains_null, item.optional_flag(509));
    summary.contains_null = contains_null.value_or(true);
    REEL_ASSIGN(summary.contains_nan, item.optional_flag(518));
    REEL_ASSIGN(summary.lower, item.optional_text(510));
    REEL_ASSIGN(summary.upper, item.optional_text(511));
    manifest.partitions.push_back(std::move(summary));
  }
  REEL_ASSIGN(manifest.key_metadata, record.optional_text(519));
  return manifest;
}

//! Puts the file's name in front of what is wrong with it.
template <class T>
Result<T> named(Result<T> result, std::string_view location) {
  if (result) return result;
  return Failure(std::move(result).error().while_doing(fmt::format("reading '{}'", location)));
}

}  // namespace

Status set_metrics(DataFile& file, const Field& column, const ColumnMetrics& metrics) {
  REEL_ASSIGN(auto lower, lower_bound(column.type, metrics.smallest));
  REEL_ASSIGN(auto upper, upper_bound(column.type, metrics.largest));
  if (lower) file.lower_bounds[column.id] = *std::move(lower);
  if (upper) file.upper_bounds[column.id] = *std::move(upper);
  if (metrics.size_bytes) file.column_sizes[column.id] = *metrics.size_bytes;
  if (metrics.values) file.value_counts[column.id] = *metrics.values;
  if (metrics.nulls) file.null_counts[column.id] = *metrics.nulls;
  if (metrics.nans) file.nan_counts[column.id] = *metrics.nans;
  return {};
}

Result<std::string> write_manifest(const ManifestContext& context,
                                   const std::vector<ManifestEntry>& entries) {
  avro::File file;
  REEL_ASSIGN(file.schema, avro::Schema::parse(entry_schema(context.partition_types)));
  file.properties = {{"schema", json::to_text(to_json(*context.schema))},
                     {"schema-id", std::to_string(context.schema->id)},
                     {"partition-spec", json::to_text(fields_to_json(*context.spec))},
                     {"partition-spec-id", std::to_string(context.spec->id)},
                     {"format-version", "2"},
                     {"content", "data"}};
  for (const ManifestEntry& entry : entries) {
    REEL_ASSIGN(avro::Value data_file, file_value(entry.file, context.partition_types));
    file.objects.push_back(avro::Value(
        avro::List{static_cast<std::int32_t>(entry.status), entry.snapshot_id,
                   entry.sequence_number, entry.file_sequence_number, std::move(data_file)}));
  }
  return avro::write_file(file, avro::Codec::deflate);
}

Result<ManifestFile> describe_manifest(const ManifestContext& context,
                                       const std::vector<ManifestEntry>& entries,
                                       SnapshotId snapshot_id, SequenceNumber sequence_number) {
  ManifestFile manifest;
  manifest.spec_id = context.spec->id;
  manifest.sequence_number = sequence_number;
  manifest.min_sequence_number = sequence_number;
  manifest.added_snapshot_id = snapshot_id;
  for (const ManifestEntry& entry : entries) {
    ManifestFile::Count& count = entry.status == EntryStatus::added      ? manifest.added
                                 : entry.status == EntryStatus::existing ? manifest.existing
                                                                         : manifest.deleted;
    ++count.files;
    count.rows += entry.file.record_count;
    if (!entry.is_live()) continue;
    manifest.min_sequence_number =
        std::min(manifest.min_sequence_number, entry.sequence_number.value_or(sequence_number));
  }
  REEL_ASSIGN(manifest.partitions, summarize(context.partition_types, entries));
  return manifest;
}

Result<std::vector<ManifestEntry>> read_manifest(std::string_view bytes,
                                                 const ManifestFile& manifest,
                                                 const std::vector<Field>& partition_types) {
  REEL_ASSIGN(const avro::File file, named(avro::read_file(bytes), manifest.location));
  std::vector<ManifestEntry> entries;
  entries.reserve(file.objects.size());
  for (const avro::Value& object : file.objects) {
    const std::string place = fmt::format("entry {}", entries.size());
    REEL_ASSIGN(
        const Record record,
        named(Record::of(file.schema, file.schema.root_index(), object, place), manifest.location));
    REEL_ASSIGN(ManifestEntry entry,
                named(read_entry(record, manifest, partition_types), manifest.location));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string write_manifest_list(const ManifestListContext& context,
                                const std::vector<ManifestFile>& manifests) {
  static const avro::Schema kSchema = *avro::Schema::parse(list_schema());
  avro::File file{.schema = kSchema,
                  .properties = {{"snapshot-id", std::to_string(context.snapshot_id)},
                                 {"parent-snapshot-id",
                                  context.parent_id ? std::to_string(*context.parent_id) : "null"},
                                 {"sequence-number", std::to_string(context.sequence_number)},
                                 {"format-version", "2"}},
                  .objects = {}};
  const auto count_of = [](const ManifestFile::Count& count) {
    return static_cast<std::int32_t>(std::min<std::int64_t>(count.files, INT32_MAX));
  };
  for (const ManifestFile& manifest : manifests) {
    avro::List summaries;
    for (const FieldSummary& summary : manifest.partitions) {
      summaries.push_back(avro::Value(
          avro::List{summary.contains_null, summary.contains_nan, summary.lower, summary.upper}));
    }
    file.objects.push_back(avro::Value(avro::List{
        manifest.location, manifest.size_bytes, manifest.spec_id, manifest.of_deletes ? 1 : 0,
        manifest.sequence_number, manifest.min_sequence_number, manifest.added_snapshot_id,
        count_of(manifest.added), count_of(manifest.existing), count_of(manifest.deleted),
        manifest.added.rows, manifest.existing.rows, manifest.deleted.rows,
        avro::Value(std::move(summaries)), manifest.key_metadata}));
  }
  return avro::write_file(file, avro::Codec::deflate);
}

Result<std::vector<ManifestFile>> read_manifest_list(std::string_view bytes,
                                                     std::string_view location) {
  REEL_ASSIGN(const avro::File file, named(avro::read_file(bytes), location));
  std::vector<ManifestFile> manifests;
  for (const avro::Value& object : file.objects) {
    const std::string place = fmt::format("manifest {}", manifests.size());
    REEL_ASSIGN(const Record record,
                named(Record::of(file.schema, file.schema.root_index(), object, place), location));
    REEL_ASSIGN(ManifestFile manifest, named(read_manifest_record(record), location));
    manifests.push_back(std::move(manifest));
  }
  return manifests;
}

}  // namespace reel::iceberg
