#include "store/migration.h"

#include <gtest/gtest.h>

#include "store/document.h"

namespace reel::store {
namespace {

TableSchema films(bool product = false) {
  auto schema = make_schema(
      7, {.name = "films",
          .columns = {{.name = "id", .type = Type::of(TypeKind::uuid), .nullable = false},
                      {.name = "title", .type = Type::of(TypeKind::string)},
                      {.name = "year", .type = Type::of(TypeKind::int16), .default_value = 1900},
                      {.name = "rating", .type = Type::of(TypeKind::float32)}},
          .partition_key = {"id"},
          .indexes = {{.name = "by_title", .columns = {"title"}}},
          .product = product});
  REEL_CHECK(schema.has_value());
  return *std::move(schema);
}

std::vector<std::string> names(const TableSchema& schema) {
  std::vector<std::string> names;
  for (const Column& column : schema.columns) names.push_back(column.name);
  return names;
}

TableSchema after(const TableSchema& schema, const std::vector<Operation>& operations) {
  auto plan = plan_migration(schema, operations, Instant{5});
  EXPECT_TRUE(plan) << plan.error().message();
  return plan ? plan->schema : schema;
}

std::string refusal(const TableSchema& schema, const std::vector<Operation>& operations) {
  const auto plan = plan_migration(schema, operations, {});
  EXPECT_FALSE(plan);
  if (plan) return {};
  EXPECT_EQ(plan.error().code(), Code::invalid);
  return plan.error().message();
}

using Names = std::vector<std::string>;

TEST(Migration, names_are_swapped_and_passed_on) {
  const TableSchema swapped =
      after(films(), {RenameColumn{"title", "year"}, RenameColumn{"year", "title"}});
  EXPECT_EQ(names(swapped), (Names{"inserted_at", "id", "year", "title", "rating"}));
  EXPECT_EQ(swapped.version, 2U);
  EXPECT_EQ(swapped.indexes[0].columns, std::vector<ColumnId>{films().find("title")->id});
  const TableSchema chained =
      after(films(), {RenameColumn{"title", "year"}, RenameColumn{"year", "rating"},
                      RenameColumn{"rating", "stars"}});
  EXPECT_EQ(names(chained), (Names{"inserted_at", "id", "year", "rating", "stars"}));
  EXPECT_NE(refusal(films(), {RenameColumn{"title", "year"}}).find("'year' exists already"),
            std::string::npos);
  EXPECT_NE(refusal(films(), {RenameColumn{"title", "Year"}}).find("'Year' exists already"),
            std::string::npos);
}

TEST(Migration, operations_see_what_those_before_them_did) {
  const TableSchema schema = after(
      films(), {AddColumn{{.name = "Länge (min)", .type = Type::of(TypeKind::int8)}},
                RenameColumn{"Länge (min)", "length"},
                AlterType{"length", Type::of(TypeKind::int64)}, SetDefault{"length", 90},
                SetDoc{"length", "In minutes."}, DropColumn{"rating"}, Reorder{{"length", "id"}}});
  EXPECT_EQ(names(schema), (Names{"length", "id", "inserted_at", "title", "year"}));
  EXPECT_EQ(schema.columns[0].default_value, Value(90));
  EXPECT_EQ(schema.columns[0].initial_default, Value());
  EXPECT_EQ(schema.columns[0].since_version, 2U);
  EXPECT_EQ(schema.tombstones[0].name, "rating");
  EXPECT_EQ(schema.tombstones[0].dropped_at, Instant{5});
}

TEST(Migration, a_dropped_name_is_free_and_its_column_comes_back_under_another) {
  const TableSchema schema = after(films(), {DropColumn{"rating"}});
  const ColumnId dropped = schema.tombstones[0].id;
  const TableSchema again =
      after(schema, {AddColumn{{.name = "rating", .type = Type::of(TypeKind::string)}}});
  EXPECT_NE(again.find("rating")->id, dropped);
  EXPECT_NE(refusal(again, {UndropColumn{dropped}}).find("exists already"), std::string::npos);
  const TableSchema both = after(again, {UndropColumn{dropped, "old_rating"}});
  EXPECT_EQ(both.find("old_rating")->id, dropped);
  EXPECT_TRUE(both.tombstones.empty());
}

TEST(Migration, every_reason_is_told_at_once) {
  const std::string message = refusal(
      films(),
      {DropColumn{"titel"}, DropColumn{"id"}, DropColumn{"title"}, DropColumn{"inserted_at"},
       AlterType{"year", Type::of(TypeKind::int8)}, AlterType{"year", Type::decimal(99, 2)},
       SetDefault{"year", "soon"}, SetNullable{"id", true}, UndropColumn{99},
       AddColumn{{.name = "Title", .type = Type::of(TypeKind::string)}},
       AddColumn{{.name = "#12", .type = Type::of(TypeKind::string)}},
       AddColumn{{.name = "must", .type = Type::of(TypeKind::date), .nullable = false}},
       RenameColumn{"rating", ""}, Reorder{{"year", "year"}}, RenameTable{"Films!"}});
  for (const char* reason :
       {"'titel' does not exist (the nearest is 'title')", "'id' belongs to the key",
        "'title' is used by the index 'by_title'", "'inserted_at' is the store's own",
        "int8 does not hold every int16", "decimal(99,2) is not offered", "column 'year' default",
        "no dropped column has the id 99", "'Title' exists already", "'#12' begins with '#'",
        "new column 'must' is neither", "a column needs a name",
        "column 'year' is there twice in the order", "'Films!' is not a name"}) {
    EXPECT_NE(message.find(reason), std::string::npos) << reason << " is not in " << message;
  }
}

TEST(Migration, the_products_columns_can_be_renamed_and_nothing_else) {
  const std::string message =
      refusal(films(true), {DropColumn{"year"}, AlterType{"year", Type::of(TypeKind::int64)},
                            SetDefault{"year", 1}, SetNullable{"year", false}, RenameTable{"x"}});
  for (const char* reason :
       {"it cannot be dropped", "its type cannot be changed", "it has no default of yours",
        "its nullability cannot be changed", "it belongs to the product"}) {
    EXPECT_NE(message.find(reason), std::string::npos) << reason << " is not in " << message;
  }
  const TableSchema schema =
      after(films(true), {RenameColumn{"title", "name"}, SetDoc{"year", "Of the premiere."},
                          AddColumn{{.name = "title", .type = Type::of(TypeKind::date)}}});
  // The program still finds its own; users find what they named so.
  EXPECT_EQ(schema.find("title")->name, "name");
  EXPECT_EQ(schema.find_named("TITLE")->type, Type::of(TypeKind::date));
  EXPECT_EQ(schema.find(fmt::format("#{}", schema.find_named("title")->id)),
            schema.find_named("title"));
}

TEST(Migration, limits) {
  std::vector<Operation> many;
  for (int i = 0; i < 996; ++i) {
    many.emplace_back(AddColumn{{.name = fmt::format("c{}", i), .type = Type::of(TypeKind::int8)}});
  }
  EXPECT_NE(refusal(films(), many).find("1001 columns, at most 1000"), std::string::npos);
  many.pop_back();
  EXPECT_EQ(after(films(), many).columns.size(), 1000U);
  many.resize(10'001, DropColumn{"title"});
  EXPECT_NE(refusal(films(), many).find("10001 operations"), std::string::npos);
  EXPECT_NE(refusal(films(), {}).find("no operations"), std::string::npos);
  EXPECT_NE(refusal(films(), {RenameColumn{"title", std::string(300, 'x')}}).find("300 bytes"),
            std::string::npos);
}

TEST(Migration, what_widens) {
  const auto widens = [](const char* from, const char* to) {
    return is_widening(*Type::parse(from), *Type::parse(to));
  };
  for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
           {"int8", "int64"},
           {"uint8", "int16"},
           {"uint32", "int64"},
           {"float32", "float64"},
           {"decimal(10,2)", "decimal(24,2)"},
           {"list<int8>", "list<int32>"},
           {"struct<a:uint8,b:date>", "struct<a:uint16,b:date>"},
           {"map<string,float32>", "map<string,float64>"},
           {"string", "string"}}) {
    EXPECT_TRUE(widens(from, to)) << from << " " << to;
  }
  for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
           {"int64", "int32"},
           {"uint8", "int8"},
           {"uint32", "uint64"},
           {"int8", "uint16"},
           {"int64", "uint64"},
           {"int32", "float64"},
           {"decimal(10,2)", "decimal(12,3)"},
           {"decimal(10,2)", "decimal(8,2)"},
           {"float64", "float32"},
           {"string", "binary"},
           {"fixed_list<float32,3>", "fixed_list<float64,3>"},
           {"struct<a:int8>", "struct<b:int8>"}}) {
    EXPECT_FALSE(widens(from, to)) << from << " " << to;
  }
}

TEST(Migration, a_rollback_tells_what_is_lost) {
  const TableSchema first = films();
  TableSchema later = after(
      first, {RenameColumn{"title", "year"}, RenameColumn{"year", "title"}, DropColumn{"rating"},
              AddColumn{{.name = "more", .type = Type::of(TypeKind::date)}},
              AlterType{"title", Type::of(TypeKind::int64)}, Reorder{{"more"}}});
  Rollback rollback = plan_rollback(later, first);
  ASSERT_EQ(rollback.impossible.size(), 1U);
  EXPECT_NE(rollback.impossible[0].find("'year' stays int64"), std::string::npos);
  EXPECT_EQ(names(after(later, rollback.operations)), names(first));
  later.tombstones.clear();
  rollback = plan_rollback(later, first);
  EXPECT_EQ(rollback.impossible.size(), 2U);
  EXPECT_NE(rollback.impossible[0].find("'rating' (id 5) is purged"), std::string::npos);
  EXPECT_EQ(names(after(later, rollback.operations)),
            (Names{"inserted_at", "id", "title", "year"}));
  EXPECT_TRUE(plan_rollback(first, first).operations.empty());
}

TEST(Migration, defaults_have_the_type_of_their_place_in_the_migration) {
  json::Array document;
  const auto add = [&](const std::string& text) { document.push_back(*json::parse(text)); };
  add(R"({"op":"rename_column","column":"title","name":"year"})");
  add(R"({"op":"rename_column","column":"year","name":"title"})");
  add(R"({"op":"set_default","column":"year","default":"text"})");
  add(R"({"op":"alter_type","column":"title","type":"int64"})");
  // Each looks at what is between it and the one before, else thousands would take for ever.
  for (int i = 0; i < 3000; ++i) {
    add(fmt::format(R"({{"op":"set_default","column":"title","default":{}}})", 4'000'000'000 + i));
  }
  const auto operations = operations_from_json(films(), document);
  ASSERT_TRUE(operations) << operations.error().message();
  EXPECT_EQ(json::Value(operations_to_json(films(), *operations)), json::Value(document));
  const TableSchema schema = after(films(), *operations);
  EXPECT_EQ(schema.find_named("title")->default_value, Value(std::int64_t{4'000'002'999}));
  EXPECT_EQ(schema.find_named("year")->default_value, Value("text"));
  add(R"({"op":"set_default","column":"title","default":"text"})");
  EXPECT_EQ(operations_from_json(films(), document).error().pointer(), "/3004/default");
}

TEST(Migration, operations_come_back_from_json) {
  const TableSchema schema = films();
  const auto text =
      R"j([{"op":"add_column","name":"cost","type":"decimal(12,2)","nullable":false,)j"
      R"j("default":"-10.50","doc":"in EUR"},)j"
      R"j({"op":"set_default","column":"cost","default":"7.00"},)j"
      R"j({"op":"add_column","name":"s","type":"struct<a:list<int8>,b:map<string,date>>",)j"
      R"j("nullable":true,)j"
      R"j("default":{"a":[1,null],"b":{"x":"2026-11-21"}}},)j"
      R"j({"op":"rename_column","column":"title","name":"name"},)j"
      R"j({"op":"drop_column","column":"rating"},{"op":"undrop_column","id":5,"name":"r"},)j"
      R"j({"op":"alter_type","column":"year","type":"int64"},)j"
      R"j({"op":"set_nullable","column":"year","nullable":false},)j"
      R"j({"op":"set_doc","column":"year","doc":"x"},{"op":"reorder","columns":["year"]},)j"
      R"j({"op":"rename_table","name":"movies"}])j";
  const json::Value document = *json::parse(text);
  ASSERT_TRUE(operations_shape().check(document))
      << operations_shape().check(document).error().message();
  const auto operations = operations_from_json(schema, *document.as_array());
  ASSERT_TRUE(operations) << operations.error().pointer() << operations.error().message();
  EXPECT_EQ(json::to_text(operations_to_json(schema, *operations)), text);
  EXPECT_EQ(after(schema, *operations).find("cost")->default_value, Value(Decimal{700}));
}

TEST(Migration, bad_json_is_refused_with_its_place) {
  const auto refused = [](std::string_view text) {
    const json::Value document = *json::parse(text);
    const Status shape = operations_shape().check(document);
    if (!shape) return shape.error().pointer();
    const auto read = operations_from_json(films(), *document.as_array());
    return read ? std::string("taken") : read.error().pointer();
  };
  EXPECT_EQ(refused(R"([{"op":"add_column","name":"x","type":"int32","more":1}])"), "/0/more");
  EXPECT_EQ(refused(R"([{"op":"add_column","name":"x","type":"int33"}])"), "/0/type");
  EXPECT_EQ(refused(R"([{"op":"add_column","name":"x","type":"list<date>","default":["x"]}])"),
            "/0/default/0");
  EXPECT_EQ(refused(R"([{"op":"set_default","column":"year","default":70000}])"), "/0/default");
  EXPECT_EQ(refused(R"([{"op":"nothing"}])"), "/0/op");
  EXPECT_EQ(refused(R"([])"), "");
}

}  // namespace
}  // namespace reel::store
