#include "store/schema.h"

#include <gtest/gtest.h>

#include "store/schema_codec.h"
#include "store/store.h"

namespace reel::store {
namespace {

TableDefinition films() {
  return {.name = "films",
          .columns = {{.name = "id", .type = Type::of(TypeKind::uuid), .nullable = false},
                      {.name = "title", .type = Type::of(TypeKind::string), .doc = "As released."},
                      {.name = "tags",
                       .type = Type::map(Type::list(Type::of(TypeKind::string))),
                       .default_value = ValueMap{}},
                      {.name = "length", .type = Type::media_time()}},
          .partition_key = {"id"},
          .indexes = {{.name = "by_title", .columns = {"title", "length"}}},
          .product = true};
}

TEST(SchemaTest, ids_are_given_once_to_columns_and_their_children) {
  const auto schema = make_schema(7, films());
  ASSERT_TRUE(schema) << schema.error().message();
  EXPECT_EQ(schema->columns[0].name, "inserted_at");
  EXPECT_EQ(schema->find("id")->id, 2U);
  EXPECT_EQ(schema->find("title")->id, 3U);
  EXPECT_EQ(schema->find("tags")->id, 4U);
  // 5 is the map's key, which has no Field of its own.
  EXPECT_EQ(schema->find("tags")->type.to_string(), "map<string,list<string#7>#6>");
  EXPECT_EQ(schema->find("length")->id, 8U);
  EXPECT_EQ(schema->next_column_id, 9U);
  EXPECT_EQ(schema->find("tags")->initial_default, Value(ValueMap{}));
  EXPECT_EQ(schema->key(), std::vector<ColumnId>{2});
  EXPECT_EQ(schema->indexes[0].columns, (std::vector<ColumnId>{3, 8}));
}

TEST(SchemaTest, every_reason_is_told_at_once) {
  TableDefinition bad = films();
  bad.name = "Films";
  bad.columns[0].nullable = true;
  bad.columns.push_back({.name = "title", .type = Type::of(TypeKind::date)});
  bad.columns.push_back({.name = "inserted_at", .type = Type::of(TypeKind::timestamp)});
  bad.columns.push_back(
      {.name = "n", .type = Type::of(TypeKind::int8), .nullable = false, .default_value = 300});
  bad.columns.push_back({.name = "x", .type = Type::decimal(40, 2)});
  bad.clustering_key = {"tags", "nowhere", "id"};
  bad.indexes.push_back({.name = "by_title", .columns = {}});
  bad.indexes.push_back({.name = "by_tags", .columns = {"tags", "gone"}});
  bad.large_rows = true;
  const auto schema = make_schema(7, bad);
  ASSERT_FALSE(schema);
  EXPECT_EQ(schema.error().code(), Code::invalid);
  for (const char* reason :
       {"'Films' is not a name", "key column 'id' is nullable", "column 'title' is there twice",
        "column 'inserted_at' is the store's own", "column 'n' default: 300 does not fit int8",
        "column 'x': decimal(40,2) is not offered", "key column 'tags' is nested",
        "key column 'nowhere' does not exist", "key column 'id' is there twice",
        "index 'by_title' is there twice", "index 'by_title' has no columns",
        "index 'by_tags': column 'tags' is nested", "index 'by_tags': column 'gone' does not exist",
        "a table of large rows cannot have indexes"}) {
    EXPECT_NE(schema.error().message().find(reason), std::string::npos)
        << reason << " is not in " << schema.error().message();
  }
}

TEST(SchemaTest, names_have_128_bytes_at_most) {
  EXPECT_TRUE(check_name(std::string(128, 'a')));
  EXPECT_FALSE(check_name(std::string(129, 'a')));
  EXPECT_TRUE(check_name("_a1"));
  for (const char* bad : {"", "1a", "a-b", "A", "ä", "a b"}) EXPECT_FALSE(check_name(bad)) << bad;
}

TEST(SchemaTest, names_of_tables_have_a_namespace) {
  EXPECT_EQ(split_table_name("films").space, "main");
  EXPECT_EQ(split_table_name("lab.films").space, "lab");
  EXPECT_EQ(split_table_name("lab.films").table, "films");
  EXPECT_EQ(join_table_name("lab", "films"), "lab.films");
  EXPECT_EQ(join_table_name("main", "films"), "films");
  const std::string longest(128, 'a');
  for (const std::string& good : {std::string("a"), std::string("a.b"), longest + "." + longest}) {
    EXPECT_TRUE(check_table_name(good)) << good;
  }
  for (const std::string& bad : {std::string("main.a"), std::string("a.b.c"), std::string(".a"),
                                 std::string("a."), std::string("temp.a"), std::string("A.b"),
                                 longest + "a.b", std::string("a.") + longest + "b"}) {
    EXPECT_FALSE(check_table_name(bad)) << bad;
  }
  EXPECT_EQ(check_namespace_name("reel").error().message(),
            "a schema cannot be called 'reel', which SQL uses");
}

TEST(SchemaTest, what_is_missing_is_named_with_the_nearest) {
  Catalog catalog;
  catalog.namespaces.emplace("lab");
  for (const char* name : {"films", "lab.takes", "lab.lenses"})
    catalog.tables.emplace(name, nullptr);
  const auto refusal = [&](std::string_view name) { return catalog.table(name).error().message(); };
  EXPECT_EQ(refusal("film"), "there is no table 'film' (the nearest is 'films')");
  EXPECT_EQ(refusal("takes"), "there is no table 'takes' (the nearest is 'lab.takes')");
  EXPECT_EQ(refusal("lab.lense"), "there is no table 'lab.lense' (the nearest is 'lab.lenses')");
  EXPECT_EQ(refusal("lap.takes"),
            "there is no table 'lap.takes': there is no schema 'lap' (the nearest is 'lab')");
  EXPECT_EQ(refusal("main.films"),
            "there is no table 'main.films': those of the schema main are named without it");
  EXPECT_EQ(catalog.check_new_table("films").error().code(), Code::conflict);
  EXPECT_EQ(catalog.check_new_table("lap.films").error().code(), Code::not_found);
  EXPECT_TRUE(catalog.check_new_table("lab.films"));
}

TEST(SchemaTest, a_schema_gains_what_it_lacks) {
  const TableSchema first = *make_schema(7, films());
  TableDefinition more = films();
  EXPECT_EQ(*extend_schema(first, more), std::nullopt);
  more.columns.push_back({.name = "year", .type = Type::of(TypeKind::int16), .default_value = 0});
  more.indexes.push_back({.name = "by_year", .columns = {"year"}});
  const auto second = extend_schema(first, more);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ((*second)->version, 2U);
  EXPECT_EQ((*second)->find("year")->id, 9U);
  EXPECT_EQ((*second)->find("year")->since_version, 2U);
  EXPECT_EQ((*second)->indexes[1].id, 2U);
  EXPECT_EQ(*extend_schema(**second, films()), std::nullopt);

  more.columns[1].type = Type::of(TypeKind::binary);
  more.columns.push_back({.name = "must", .type = Type::of(TypeKind::int8), .nullable = false});
  more.clustering_key = {"title"};
  more.indexes[0].columns = {"title"};
  const auto refused = extend_schema(first, more);
  ASSERT_FALSE(refused);
  for (const char* reason :
       {"column 'title' is string in the store and binary in the program",
        "new column 'must' is neither nullable nor has a default", "the key in the store is",
        "index 'by_title' has other columns in the store"}) {
    EXPECT_NE(refused.error().message().find(reason), std::string::npos) << reason;
  }
}

TEST(SchemaTest, a_column_takes_its_new_name_along) {
  const TableSchema first = *make_schema(7, films());
  TableDefinition renamed = films();
  renamed.columns[0].name = "film_id";
  renamed.partition_key = {"film_id"};
  EXPECT_FALSE(extend_schema(first, renamed));
  renamed.columns[0].former_name = "id";
  const auto second = extend_schema(first, renamed);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ((*second)->version, 2U);
  EXPECT_EQ((*second)->find("film_id")->id, first.find("id")->id);
  EXPECT_EQ((*second)->partition_key, first.partition_key);
  EXPECT_EQ((*second)->columns.size(), first.columns.size());
  EXPECT_EQ(*extend_schema(**second, renamed), std::nullopt);
}

TEST(SchemaTest, the_catalogs_bytes_come_back_whole) {
  TableSchema schema = *make_schema(7, films());
  schema.tombstones.push_back(schema.columns[2]);
  const std::string bytes = encode_schema(schema);
  const auto again = decode_schema(bytes);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(encode_schema(*again), bytes);
  EXPECT_EQ(again->find("title")->doc, "As released.");
  EXPECT_EQ(again->find("tags")->type, schema.find("tags")->type);
  EXPECT_EQ(again->find("tags")->default_value, Value(ValueMap{}));
  EXPECT_EQ(again->tombstones.size(), 1U);
  EXPECT_TRUE(again->product);
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_FALSE(decode_schema(bytes.substr(0, i)));
}

//! Fingerprints are in files and in partitions of the lake: these never change.
TEST(RowHashTest, golden_values) {
  const TableSchema schema = *make_schema(7, films());
  Uuid id;
  id.bytes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  Row row = {Instant{1'700'000'000'000'000}, id, "Metropolis", ValueMap{},
             time::Timestamp::from_nanoseconds(Int128{9'180} * 1'000'000'000)};
  EXPECT_EQ(row_hash(schema, row).to_hex(), "3b187d664733a08eedcbc9679c1642d4");
  row[3] = ValueMap{{"genre", ValueList{"sf"}}};
  EXPECT_EQ(row_hash(schema, row).to_hex(), "0106cf59554a985fa275fbb639b689d5");
  EXPECT_EQ(row_hash(schema, Row(5)).to_hex(), "4417e50c7b9324c6bf99a53001e4f61c");
}

TEST(RowHashTest, renames_reorders_and_added_columns_change_nothing) {
  const TableSchema schema = *make_schema(7, films());
  const Row row = {Instant{5}, Uuid{}, "M", Value(), Value()};
  const Hash128 before = row_hash(schema, row);

  TableSchema renamed = schema;
  renamed.columns[2].name = "name";
  EXPECT_EQ(row_hash(renamed, row), before);

  TableSchema reordered = schema;
  std::swap(reordered.columns[1], reordered.columns[4]);
  EXPECT_EQ(row_hash(reordered, {row[0], row[4], row[2], row[3], row[1]}), before);

  TableDefinition more = films();
  more.columns.push_back({.name = "year", .type = Type::of(TypeKind::int16), .default_value = 1});
  const TableSchema wider = **extend_schema(schema, more);
  Row longer = row;
  longer.emplace_back(1);
  EXPECT_EQ(row_hash(wider, longer), before);
  longer.back() = 2;
  EXPECT_NE(row_hash(wider, longer), before);
}

}  // namespace
}  // namespace reel::store
