#include "iceberg/metadata.h"

#include <gmock/gmock.h>

#include "iceberg/test_table.h"

namespace reel::iceberg {
namespace {

TableMetadata example() {
  return *make_metadata(
      {.location = "file:///t", .schema = test_schema(), .properties = {{"a", "b"}}},
      Instant{1'700'000'000'123'456});
}

void add(TableMetadata& table, SnapshotId id, std::optional<SnapshotId> parent,
         std::int64_t timestamp_ms) {
  table.snapshots.push_back({.id = id,
                             .parent_id = parent,
                             .sequence_number = ++table.last_sequence_number,
                             .timestamp_ms = timestamp_ms,
                             .manifest_list = fmt::format("file:///t/metadata/snap-{}.avro", id),
                             .summary = {{"operation", "append"}},
                             .schema_id = 0});
  table.references["main"].snapshot_id = id;
  table.snapshot_log.push_back({.timestamp_ms = timestamp_ms, .snapshot_id = id});
}

TEST(Metadata, ANewTableHasWhatTheSpecificationRequires) {
  const auto json = json::parse(example().to_text());
  ASSERT_TRUE(json);
  for (const char* member :
       {"format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms",
        "last-column-id", "schemas", "current-schema-id", "partition-specs", "default-spec-id",
        "last-partition-id", "sort-orders", "default-sort-order-id"}) {
    EXPECT_NE(json->find(member), nullptr) << member;
  }
  EXPECT_EQ(json->find("current-snapshot-id"), nullptr);
  EXPECT_TRUE(*json->find("format-version") == json::Value(2));
  EXPECT_TRUE(*json->find("last-partition-id") == json::Value(999));
  EXPECT_TRUE(*json->find("last-column-id") == json::Value(2));
  EXPECT_TRUE(*json->find("last-updated-ms") == json::Value(std::int64_t{1'700'000'000'123}));
  EXPECT_TRUE(*json->find("sort-orders") == *json::parse(R"([{"order-id":0,"fields":[]}])"));
}

TEST(Metadata, IsTheSameAfterItsText) {
  TableMetadata table = example();
  table.specs.push_back({.id = 1,
                         .fields = {{.source_id = 2,
                                     .id = 1000,
                                     .name = "p",
                                     .transform = *Transform::parse("bucket[4]")}}});
  add(table, 5, std::nullopt, 10);
  add(table, 9'007'199'254'740'993, 5, 20);
  table.references["kept"] = {.snapshot_id = 5, .is_branch = false, .reference_age_ms_max = 7};
  table.references["main"].snapshots_min = 3;
  table.metadata_log = {{.timestamp_ms = 1, .location = "file:///t/metadata/v1.metadata.json"}};
  table.others = {{"statistics", json::Array{json::Value(1)}}};
  const std::string text = table.to_text();
  const auto again = TableMetadata::parse(text);
  ASSERT_TRUE(again) << again.error().message() << again.error().pointer();
  EXPECT_EQ(again->to_text(), text);
  EXPECT_EQ(again->current_snapshot()->id, 9'007'199'254'740'993);
  EXPECT_EQ(again->references.at("main").snapshots_min, 3);
  EXPECT_EQ(again->spec().id, 0);
}

TEST(Metadata, TimeTravelFollowsTheLog) {
  TableMetadata table = example();
  EXPECT_EQ(table.current_snapshot(), nullptr);
  add(table, 5, std::nullopt, 10);
  add(table, 6, 5, 20);
  EXPECT_EQ(table.snapshot_at(9), nullptr);
  EXPECT_EQ(table.snapshot_at(10)->id, 5);
  EXPECT_EQ(table.snapshot_at(19)->id, 5);
  EXPECT_EQ(table.snapshot_at(99)->id, 6);
  EXPECT_EQ(table.ancestry(6).size(), 2U);
  table.snapshots[0].parent_id = 6;  // a circle ends
  EXPECT_EQ(table.ancestry(6).size(), 2U);
}

TEST(Metadata, ReadsTheCurrentSnapshotOfATableWithoutReferences) {
  TableMetadata table = example();
  add(table, 5, std::nullopt, 10);
  json::Value json = *json::parse(table.to_text());
  json.erase("refs");
  EXPECT_EQ(TableMetadata::parse(json::to_text(json))->current_snapshot()->id, 5);
  json.set("current-snapshot-id", -1);
  EXPECT_EQ(TableMetadata::parse(json::to_text(json))->current_snapshot(), nullptr);
}

TEST(Metadata, WhatIsWrongIsNamedWithItsPlace) {
  const auto after = [](const std::function<void(json::Value&)>& change) {
    TableMetadata table = example();
    add(table, 5, std::nullopt, 10);
    json::Value json = *json::parse(table.to_text());
    change(json);
    const auto read = TableMetadata::parse(json::to_text(json));
    return read ? std::string("read")
                : fmt::format("{} {}", code_name(read.error().code()), read.error().pointer());
  };
  EXPECT_EQ(after([](json::Value&) {}), "read");
  EXPECT_EQ(after([](json::Value& json) { json.set("format-version", 3); }), "unsupported ");
  EXPECT_EQ(after([](json::Value& json) { json.erase("table-uuid"); }), "corrupt /table-uuid");
  EXPECT_EQ(after([](json::Value& json) { json.set("current-schema-id", 9); }),
            "corrupt /current-schema-id");
  EXPECT_EQ(after([](json::Value& json) { json.set("default-spec-id", 9); }),
            "corrupt /default-spec-id");
  EXPECT_EQ(after([](json::Value& json) { json.set("snapshots", json::Array{json::Object{}}); }),
            "corrupt /snapshots/0/snapshot-id");
  EXPECT_EQ(after([](json::Value& json) { json.set("snapshots", json::Array{}); }),
            "corrupt /refs/main/snapshot-id");
  EXPECT_EQ(after([](json::Value& json) { json.set("properties", json::Array{}); }),
            "corrupt /properties");
  EXPECT_EQ(after([](json::Value& json) {
              json.set("schemas", json::Array{*json::parse(R"({"schema-id":0})")});
            }),
            "corrupt /schemas/0");
  EXPECT_EQ(TableMetadata::parse("{").error().code(), Code::corrupt);
  EXPECT_EQ(TableMetadata::parse("[]").error().code(), Code::corrupt);
}

TEST(Metadata, APartitionThatDoesNotFitIsRefused) {
  const auto make = [](FieldId source, std::string_view transform) {
    return make_metadata({.location = "file:///t",
                          .schema = test_schema(),
                          .partition = {{.source_id = source,
                                         .name = "p",
                                         .transform = *Transform::parse(transform)}}},
                         Instant{0});
  };
  const auto table = make(2, "truncate[4]");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->spec().fields[0].id, 1000);
  EXPECT_EQ(table->last_partition_id, 1000);
  EXPECT_EQ(make(2, "day").error().code(), Code::invalid);
  EXPECT_EQ(make(3, "identity").error().code(), Code::invalid);
}

}  // namespace
}  // namespace reel::iceberg
