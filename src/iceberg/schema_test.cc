#include "iceberg/schema.h"

#include <gmock/gmock.h>

#include "store/migration.h"

namespace reel::iceberg {
namespace {

using store::TableDefinition;
using Stored = store::Type;
using StoredKind = store::TypeKind;

store::TableSchema table(std::vector<TableDefinition::ColumnDefinition> columns) {
  return *store::make_schema(7,
                             {.name = "t", .columns = std::move(columns), .partition_key = {"id"}});
}

store::TableSchema everything() {
  return table({{.name = "id", .type = Stored::of(StoredKind::uuid), .nullable = false},
                {.name = "tiny", .type = Stored::of(StoredKind::int8)},
                {.name = "small", .type = Stored::of(StoredKind::uint16), .doc = "how much"},
                {.name = "wide", .type = Stored::of(StoredKind::uint32)},
                {.name = "widest", .type = Stored::of(StoredKind::uint64)},
                {.name = "time", .type = Stored::media_time()},
                {.name = "day", .type = Stored::of(StoredKind::date)},
                {.name = "tags", .type = Stored::map(Stored::list(Stored::of(StoredKind::string)))},
                {.name = "vector", .type = Stored::fixed_list(Stored::of(StoredKind::float32), 4)},
                {.name = "pair",
                 .type = Stored::structure({{.name = "a", .type = Stored::of(StoredKind::boolean)},
                                            {.name = "b", .type = Stored::of(StoredKind::binary)}}),
                 .nullable = false}});
}

TEST(Schema, HasTheNamesAndIdsOfTheTable) {
  const store::TableSchema stored = everything();
  const auto schema = schema_of(stored);
  ASSERT_TRUE(schema) << schema.error().message();
  ASSERT_EQ(schema->fields.size(), stored.columns.size());
  for (std::size_t i = 0; i < stored.columns.size(); ++i) {
    EXPECT_EQ(schema->fields[i].id, static_cast<FieldId>(stored.columns[i].id));
    EXPECT_EQ(schema->fields[i].name, stored.columns[i].name);
    EXPECT_EQ(schema->fields[i].required, !stored.columns[i].nullable);
    EXPECT_EQ(schema->fields[i].doc, stored.columns[i].doc);
  }
  const auto type = [&](std::string_view name) {
    const auto found = std::find_if(schema->fields.begin(), schema->fields.end(),
                                    [&](const Field& field) { return field.name == name; });
    return found->type;
  };
  EXPECT_EQ(type("inserted_at").to_string(), "timestamptz");
  EXPECT_EQ(type("id").to_string(), "uuid");
  EXPECT_EQ(type("tiny").to_string(), "int");
  EXPECT_EQ(type("small").to_string(), "int");
  EXPECT_EQ(type("wide").to_string(), "long");
  EXPECT_EQ(type("widest").to_string(), "decimal(20, 0)");
  EXPECT_EQ(type("time").to_string(), "decimal(24, 9)");
  EXPECT_EQ(schema->identifiers, std::vector<FieldId>{2});

  const Type tags = type("tags");
  const auto& value = stored.columns[stored.position("tags")].type.children[0];
  EXPECT_EQ(tags.fields[0].id, static_cast<FieldId>(value.id) - 1);
  EXPECT_EQ(tags.fields[1].id, static_cast<FieldId>(value.id));
  EXPECT_EQ(tags.fields[1].type.fields[0].id, static_cast<FieldId>(value.type.children[0].id));
  EXPECT_FALSE(tags.fields[1].type.fields[0].required);
  EXPECT_TRUE(type("vector").fields[0].required);
  EXPECT_EQ(type("pair").fields[1].name, "b");
  EXPECT_GT(schema->highest_id(), schema->fields.back().id);
  EXPECT_EQ(schema->find(static_cast<FieldId>(value.type.children[0].id))->name, "element");
  EXPECT_EQ(schema->find(999), nullptr);
}

TEST(Schema, IsTheSameAfterJson) {
  Schema schema = *schema_of(everything());
  schema.id = 3;
  const auto text = json::to_text(to_json(schema));
  const auto again = schema_from_json(*json::parse(text));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_TRUE(again->same_fields(schema));
  EXPECT_EQ(again->id, 3);
  EXPECT_THAT(text,
              testing::HasSubstr(
                  R"json({"id":6,"name":"widest","required":false,"type":"decimal(20, 0)"})json"));
  EXPECT_THAT(text, testing::StartsWith(
                        R"({"type":"struct","schema-id":3,"identifier-field-ids":[2],"fields":[)"));
}

TEST(Schema, ReadsEveryTypeOfFormatVersion2) {
  const auto schema = schema_from_json(*json::parse(R"json({"type":"struct","schema-id":0,"fields":[
    {"id":1,"name":"a","required":true,"type":"time"},
    {"id":2,"name":"b","required":false,"type":"timestamp","doc":"local"},
    {"id":3,"name":"c","required":false,"type":"fixed[16]"},
    {"id":4,"name":"d","required":false,"type":"decimal(38,0)"},
    {"id":5,"name":"e","required":false,"type":{"type":"map","key-id":6,"key":"int","value-id":7,
      "value-required":true,"value":{"type":"struct","fields":[
        {"id":8,"name":"f","required":false,"type":{"type":"list","element-id":9,
         "element-required":true,"element":"double"}}]}}}]})json"));
  ASSERT_TRUE(schema) << schema.error().message();
  EXPECT_EQ(schema->find(9)->type.to_string(), "double");
  EXPECT_EQ(schema->find(3)->type.size, 16U);
  EXPECT_EQ(schema->find(6)->type.to_string(), "int");
}

TEST(Schema, WhatIsNoneSaysWhere) {
  const auto read = [](std::string_view fields) {
    const auto schema = schema_from_json(
        *json::parse(fmt::format(R"({{"type":"struct","fields":[{}]}})", fields)), "/schemas/0");
    return schema
               ? std::string("read")
               : fmt::format("{} {}", code_name(schema.error().code()), schema.error().pointer());
  };
  EXPECT_EQ(read(R"({"id":1,"name":"a","required":true,"type":"variant"})"),
            "unsupported /schemas/0/fields/0/type");
  EXPECT_EQ(read(R"json({"id":1,"name":"a","required":true,"type":"decimal(39,0)"})json"),
            "unsupported /schemas/0/fields/0/type");
  EXPECT_EQ(read(R"({"id":1,"name":"a","required":true,"type":"int"},
                    {"id":1,"name":"b","required":true,"type":"int"})"),
            "invalid /schemas/0/fields/1");
  EXPECT_EQ(read(R"({"id":-1,"name":"a","required":true,"type":"int"})"),
            "invalid /schemas/0/fields/0");
  EXPECT_EQ(read(R"({"id":1,"name":"a","type":"int"})"), "invalid /schemas/0/fields/0");
  EXPECT_EQ(read(R"({"id":1,"name":"a","required":true,"type":{"type":"list"}})"),
            "invalid /schemas/0/fields/0/type");
}

TEST(Schema, TypesThatNestTooDeeplyAreRefused) {
  std::string type = "\"int\"";
  for (int i = 0; i < 40; ++i) {
    type = fmt::format(R"({{"type":"list","element-id":{},"element-required":true,"element":{}}})",
                       i + 10, type);
  }
  const auto json = json::parse(
      fmt::format(R"({{"fields":[{{"id":1,"name":"a","required":true,"type":{}}}]}})", type));
  ASSERT_TRUE(json);
  EXPECT_EQ(schema_from_json(*json).error().code(), Code::invalid);
}

Field field(FieldId id, Type type, bool required = false) {
  return {.id = id, .name = fmt::format("c{}", id), .required = required, .type = std::move(type)};
}

TEST(Promotion, IsWhatFormatVersion2Allows) {
  const Type int_type = Type::of(TypeKind::int32);
  const Type long_type = Type::of(TypeKind::int64);
  EXPECT_TRUE(is_promotion(int_type, long_type));
  EXPECT_FALSE(is_promotion(long_type, int_type));
  EXPECT_TRUE(is_promotion(Type::of(TypeKind::float32), Type::of(TypeKind::float64)));
  EXPECT_TRUE(is_promotion(Type::decimal(9, 2), Type::decimal(18, 2)));
  EXPECT_FALSE(is_promotion(Type::decimal(9, 2), Type::decimal(18, 3)));
  EXPECT_FALSE(is_promotion(Type::decimal(9, 2), Type::decimal(8, 2)));
  EXPECT_FALSE(is_promotion(Type::of(TypeKind::date), Type::of(TypeKind::timestamptz)));
  EXPECT_FALSE(is_promotion(long_type, Type::decimal(20, 0)));
  EXPECT_FALSE(is_promotion(Type::fixed(3), Type::fixed(4)));
  EXPECT_TRUE(is_promotion(Type::list(field(5, int_type)), Type::list(field(5, long_type))));
  EXPECT_FALSE(is_promotion(Type::list(field(5, int_type)), Type::list(field(6, int_type))));
  EXPECT_TRUE(is_promotion(Type::structure({field(5, int_type), field(6, int_type)}),
                           Type::structure({field(7, long_type), field(6, long_type)})));
  EXPECT_FALSE(
      is_promotion(Type::structure({field(5, long_type)}), Type::structure({field(5, int_type)})));
}

TEST(Evolution, FollowsTheTableById) {
  const Schema first{
      .id = 0,
      .fields = {field(1, Type::of(TypeKind::int32), true), field(2, Type::of(TypeKind::string)),
                 field(3, Type::of(TypeKind::float32))},
      .identifiers = {1}};
  Schema wanted{.fields = {field(1, Type::of(TypeKind::int64), true),
                           field(4, Type::of(TypeKind::uuid), true),
                           field(2, Type::of(TypeKind::string), true)},
                .identifiers = {1, 4}};
  wanted.fields[2].name = "renamed";
  const auto second = evolve({first}, 0, wanted);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->id, 1);
  EXPECT_EQ(second->find(2)->name, "renamed");
  EXPECT_EQ(second->find(1)->type.to_string(), "long");
  EXPECT_EQ(second->find(3), nullptr);
  // Older files lack column 4, and may have nulls in column 2.
  EXPECT_TRUE(second->find(1)->required);
  EXPECT_FALSE(second->find(4)->required);
  EXPECT_FALSE(second->find(2)->required);
  EXPECT_EQ(second->identifiers, std::vector<FieldId>{1});

  // Again the same: nothing changes. Back to what was: the schema that was, but for the long.
  EXPECT_EQ(evolve({first, *second}, 1, wanted)->id, 1);
  EXPECT_EQ(evolve({first, *second}, 1, first).error().code(), Code::conflict);
  Schema undropped = wanted;
  undropped.fields.push_back(field(3, Type::of(TypeKind::float64)));
  EXPECT_EQ(evolve({first, *second}, 1, undropped)->id, 2);
  undropped.fields.back().type = Type::of(TypeKind::string);
  const auto clash = evolve({first, *second}, 1, undropped);
  ASSERT_FALSE(clash);
  EXPECT_EQ(clash.error().code(), Code::conflict);
  EXPECT_THAT(clash.error().message(), testing::HasSubstr("'c3' (id 3) was float in schema 0"));
}

TEST(Evolution, OfATableOfTheStore) {
  const store::TableSchema before =
      table({{.name = "id", .type = Stored::of(StoredKind::uuid), .nullable = false},
             {.name = "count", .type = Stored::of(StoredKind::int16)},
             {.name = "gone", .type = Stored::of(StoredKind::string)}});
  const auto plan =
      store::plan_migration(before,
                            {store::AlterType{"count", Stored::of(StoredKind::int64)},
                             store::DropColumn{"gone"}, store::RenameColumn{"count", "number"},
                             store::AddColumn{{.name = "extra",
                                               .type = Stored::of(StoredKind::int32),
                                               .nullable = false,
                                               .default_value = 5}}},
                            Instant{1});
  ASSERT_TRUE(plan) << plan.error().message();
  const auto next = evolve({*schema_of(before)}, 0, *schema_of(plan->schema));
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_EQ(next->find(3)->name, "number");
  EXPECT_EQ(next->find(3)->type.to_string(), "long");
  EXPECT_EQ(next->find(4), nullptr);
  EXPECT_EQ(next->find(5)->name, "extra");
  EXPECT_FALSE(next->find(5)->required);
}

}  // namespace
}  // namespace reel::iceberg
