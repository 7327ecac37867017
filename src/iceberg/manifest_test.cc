#include "iceberg/manifest.h"

#include <gmock/gmock.h>

#include "iceberg/avro.h"
#include "iceberg/manifest_record_internal.h"
#include "iceberg/single_value.h"
#include "iceberg/test_table.h"

namespace reel::iceberg {
namespace {

using store::Value;

DataFile full_file() {
  DataFile file = test_file("full");
  file.column_sizes = {{1, 100}, {2, 200}};
  file.value_counts = {{1, 10}, {2, 10}};
  file.null_counts = {{1, 0}, {2, 3}};
  file.nan_counts = {{7, 1}};
  file.lower_bounds = {{1, std::string("\x01\0\0\0", 4)}, {2, "a"}};
  file.upper_bounds = {{1, std::string("\x09\0\0\0", 4)}, {2, "z"}};
  file.split_offsets = {4, 1000};
  file.sort_order_id = 0;
  return file;
}

struct Partitioned {
  Schema schema{.id = 2,
                .fields = {test_field(1, TypeKind::int32, true),
                           test_field(2, TypeKind::string),
                           test_field(3, TypeKind::timestamptz),
                           test_field(4, TypeKind::uuid),
                           {.id = 5, .name = "c5", .type = Type::decimal(9, 2)},
                           test_field(6, TypeKind::boolean),
                           test_field(7, TypeKind::float64),
                           {.id = 8, .name = "c8", .type = Type::fixed(3)},
                           test_field(9, TypeKind::uuid)}};
  PartitionSpec spec{.id = 4, .fields = {}};
  ManifestContext context{.schema = &schema, .spec = &spec};

  Partitioned() {
    add("identity", 1), add("truncate[3]", 2), add("day", 3), add("identity", 4);
    add("identity", 5), add("identity", 6), add("identity", 7), add("identity", 8);
    add("identity", 9), add("hour", 3), add("identity", 3);
    context.partition_types = *spec.types({schema}, 2);
  }
  void add(std::string_view transform, FieldId source) {
    const FieldId id = spec.highest_id() + 1;
    spec.fields.push_back({.source_id = source,
                           .id = id,
                           .name = fmt::format("p {}", id),
                           .transform = *Transform::parse(transform)});
  }
  DataFile file(std::string_view name, int n) const {
    DataFile out = test_file(name);
    out.partition = {Value(n),
                     Value("abc"),
                     Value(store::Date{n}),
                     Value(*Uuid::parse("f79c3e09-677c-4bbd-a479-3f349cb785e7")),
                     Value(store::Decimal{-1420 + n}),
                     Value(n > 0),
                     Value(n * 0.5),
                     Value(store::Binary{"xyz"}),
                     Value(),
                     Value(n * 24),
                     Value(Instant{n * 1'000'000})};
    return out;
  }
};

TEST(Manifest, WhatIsWrittenIsReadWithWhatItInherits) {
  const Schema schema = test_schema();
  const PartitionSpec spec;
  const ManifestContext context{.schema = &schema, .spec = &spec};
  DataFile bare = test_file("bare");
  std::vector<ManifestEntry> entries = {
      {.status = EntryStatus::added, .snapshot_id = 77, .file = full_file()},
      {.status = EntryStatus::existing,
       .snapshot_id = 5,
       .sequence_number = 1,
       .file_sequence_number = 2,
       .file = bare},
      {.status = EntryStatus::deleted,
       .snapshot_id = 77,
       .sequence_number = 3,
       .file_sequence_number = 3,
       .file = test_file("gone", 4)}};
  const std::string bytes = *write_manifest(context, entries);
  const ManifestFile manifest = *describe_manifest(context, entries, 77, 9);
  EXPECT_EQ(manifest.added, (ManifestFile::Count{.files = 1, .rows = 10}));
  EXPECT_EQ(manifest.existing, (ManifestFile::Count{.files = 1, .rows = 10}));
  EXPECT_EQ(manifest.deleted, (ManifestFile::Count{.files = 1, .rows = 4}));
  EXPECT_EQ(manifest.sequence_number, 9);
  EXPECT_EQ(manifest.min_sequence_number, 1);

  const auto again = read_manifest(bytes, manifest, {});
  ASSERT_TRUE(again) << again.error().message();
  ASSERT_EQ(again->size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(again->at(i).file, entries[i].file);
    EXPECT_EQ(again->at(i).status, entries[i].status);
  }
  EXPECT_EQ(again->at(0).sequence_number, 9);
  EXPECT_EQ(again->at(0).file_sequence_number, 9);
  EXPECT_EQ(again->at(0).snapshot_id, 77);
  EXPECT_EQ(again->at(1).sequence_number, 1);
  EXPECT_EQ(again->at(1).file_sequence_number, 2);
}

TEST(Manifest, TellsItsSchemaAndSpecInItsHeader) {
  Partitioned table;
  const std::string bytes = *write_manifest(table.context, {});
  const auto file = avro::read_file(bytes);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->properties.at("format-version"), "2");
  EXPECT_EQ(file->properties.at("content"), "data");
  EXPECT_EQ(file->properties.at("schema-id"), "2");
  EXPECT_EQ(file->properties.at("partition-spec-id"), "4");
  EXPECT_EQ(file->properties.at("partition-spec"), json::to_text(fields_to_json(table.spec)));
  EXPECT_EQ(file->properties.at("schema"), json::to_text(to_json(table.schema)));
  EXPECT_EQ(file->schema.root().name, "manifest_entry");
}

TEST(Manifest, PartitionValuesOfEveryTypeComeBack) {
  Partitioned table;
  const std::vector<ManifestEntry> entries = {{.snapshot_id = 1, .file = table.file("a", -3)},
                                              {.snapshot_id = 1, .file = table.file("b", 7)}};
  const ManifestFile manifest = *describe_manifest(table.context, entries, 1, 1);
  const auto again = read_manifest(*write_manifest(table.context, entries), manifest,
                                   table.context.partition_types);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->at(0).file, entries[0].file);
  EXPECT_EQ(again->at(1).file, entries[1].file);

  ASSERT_EQ(manifest.partitions.size(), table.spec.fields.size());
  const auto bound = [&](std::size_t i, bool upper) {
    const FieldSummary& summary = manifest.partitions[i];
    return *from_bytes(table.context.partition_types[i].type,
                       upper ? *summary.upper : *summary.lower);
  };
  EXPECT_EQ(bound(0, false), Value(-3));
  EXPECT_EQ(bound(0, true), Value(7));
  EXPECT_EQ(bound(2, true), Value(store::Date{7}));
  EXPECT_EQ(bound(4, false), Value(store::Decimal{-1423}));
  EXPECT_FALSE(manifest.partitions[0].contains_null);
  EXPECT_TRUE(manifest.partitions[8].contains_null);
  EXPECT_EQ(manifest.partitions[8].lower, std::nullopt);
}

TEST(Manifest, APartitionValueOfAnotherTypeIsRefused) {
  Partitioned table;
  DataFile file = table.file("a", 1);
  file.partition[0] = Value("text");
  const auto bytes = write_manifest(table.context, {{.file = file}});
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code(), Code::invalid);
  EXPECT_THAT(bytes.error().message(), testing::HasSubstr("a.parquet', partition value 'p 1000'"));
}

TEST(Manifest, IsReadByIdsWhateverItsWriterCallsTheFields) {
  // As format version 1 has it, with other names, another order and no sequence numbers.
  const auto schema = avro::Schema::parse(R"({"type":"record","name":"entry","fields":[
      {"name":"file","type":["null",{"type":"record","name":"f","fields":[
        {"name":"rows","type":"long","field-id":103},
        {"name":"unknown","type":"string","field-id":999},
        {"name":"bytes","type":"long","field-id":104},
        {"name":"path","type":"string","field-id":100},
        {"name":"format","type":"string","field-id":101}]}],"field-id":2},
      {"name":"snapshot","type":"long","field-id":1},
      {"name":"what","type":"int","field-id":0}]})");
  ASSERT_TRUE(schema) << schema.error().message();
  const avro::File file{
      .schema = *schema,
      .properties = {},
      .objects = {avro::Value(avro::List{avro::List{4, "x", 512, "s3://b/f", "parquet"}, 12, 0})}};
  const auto entries =
      read_manifest(avro::write_file(file, avro::Codec::null), {.location = "m"}, {});
  ASSERT_TRUE(entries) << entries.error().message();
  EXPECT_EQ(entries->at(0).file.location, "s3://b/f");
  EXPECT_EQ(entries->at(0).file.record_count, 4);
  EXPECT_EQ(entries->at(0).file.size_bytes, 512);
  EXPECT_EQ(entries->at(0).sequence_number, 0);
  EXPECT_EQ(entries->at(0).status, EntryStatus::existing);
}

TEST(Manifest, ThatIsNoneNamesFileEntryAndField) {
  const auto schema = avro::Schema::parse(R"({"type":"record","name":"entry","fields":[
      {"name":"status","type":"int","field-id":0}]})");
  const avro::File file{.schema = *schema,
                        .properties = {},
                        .objects = {avro::Value(avro::List{1}), avro::Value(avro::List{3})}};
  const std::string bytes = avro::write_file(file, avro::Codec::null);
  const auto entries = read_manifest(bytes, {.location = "/x/m0.avro"}, {});
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().code(), Code::corrupt);
  EXPECT_EQ(entries.error().message(), "reading '/x/m0.avro': entry 0: field 2 is missing");
  const auto list = read_manifest_list(bytes, "/x/snap.avro");
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().message(), "reading '/x/snap.avro': manifest 0: field 500 is missing");
}

TEST(ManifestList, WhatIsWrittenIsReadAgain) {
  const std::vector<ManifestFile> manifests = {
      {.location = "file:///t/metadata/a-m0.avro",
       .size_bytes = 4000,
       .spec_id = 3,
       .of_deletes = false,
       .sequence_number = 8,
       .min_sequence_number = 2,
       .added_snapshot_id = 123456789012345,
       .added = {.files = 1, .rows = 2},
       .existing = {.files = 3, .rows = 4},
       .deleted = {.files = 5, .rows = 6},
       .partitions = {{.contains_null = true, .contains_nan = false, .lower = "a", .upper = "b"},
                      {.contains_null = false}}},
      {.location = "file:///t/metadata/b-m0.avro", .of_deletes = true, .key_metadata = "key"}};
  const std::string bytes =
      write_manifest_list({.snapshot_id = 5, .parent_id = 4, .sequence_number = 8}, manifests);
  const auto again = read_manifest_list(bytes, "list");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, manifests);
  const auto file = avro::read_file(bytes);
  EXPECT_EQ(file->properties.at("snapshot-id"), "5");
  EXPECT_EQ(file->properties.at("parent-snapshot-id"), "4");
  EXPECT_EQ(file->properties.at("sequence-number"), "8");
  EXPECT_EQ(file->properties.at("format-version"), "2");
}

TEST(Metrics, BecomeCountsAndBounds) {
  DataFile file = test_file("m");
  ASSERT_TRUE(set_metrics(file, test_field(2, TypeKind::string),
                          {.size_bytes = 50,
                           .values = 10,
                           .nulls = 1,
                           .smallest = "a",
                           .largest = "a text of many more characters"}));
  EXPECT_EQ(file.column_sizes, (std::map<FieldId, std::int64_t>{{2, 50}}));
  EXPECT_EQ(file.null_counts, (std::map<FieldId, std::int64_t>{{2, 1}}));
  EXPECT_TRUE(file.nan_counts.empty());
  EXPECT_EQ(file.lower_bounds.at(2), "a");
  EXPECT_EQ(file.upper_bounds.at(2), "a text of many n");
  EXPECT_FALSE(set_metrics(file, test_field(1, TypeKind::int32), {.smallest = "a"}));
}

TEST(AvroName, LettersDigitsAndEscapes) {
  EXPECT_EQ(avro_name("ts_day"), "ts_day");
  EXPECT_EQ(avro_name("1st"), "_1st");
  EXPECT_EQ(avro_name("a b"), "a_x20b");
}

}  // namespace
}  // namespace reel::iceberg
