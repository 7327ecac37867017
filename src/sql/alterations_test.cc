#include "sql/alterations.h"

#include <gtest/gtest.h>

namespace reel::sql {
namespace {

using store::Operation;
using store::RenameColumn;
using store::Type;
using store::TypeKind;

class AlterationsTest : public testing::Test {
 protected:
  void add_table(store::TableId id, const std::string& name) {
    store::TableDefinition definition{
        .name = name,
        .columns = {{.name = "k", .type = Type::of(TypeKind::int64), .nullable = false}},
        .partition_key = {"k"}};
    for (const char* column : {"a", "b", "c"}) {
      definition.columns.push_back({.name = column, .type = Type::of(TypeKind::int32)});
    }
    base_.tables.emplace(
        name, std::make_shared<const store::TableSchema>(*store::make_schema(id, definition)));
  }

  void SetUp() override {
    add_table(1, "t");
    add_table(2, "u");
  }

  //! What is said against it; empty when it is added.
  std::string add(const std::string& table, const Operation& operation) {
    const Status added = alterations_.add(base_, table, operation);
    return added ? "" : added.error().message();
  }
  std::string names(const std::string& table) {
    const auto catalog = alterations_.over(base_);
    std::string all;
    for (const store::Column& column : (*catalog->table(table))->columns) all += column.name + " ";
    return all;
  }

  store::Catalog base_;
  Alterations alterations_;
};

TEST_F(AlterationsTest, renames_name_what_the_ones_before_left) {
  EXPECT_EQ(add("t", RenameColumn{"a", "x"}), "");
  EXPECT_EQ(add("t", RenameColumn{"b", "a"}), "");
  EXPECT_EQ(add("t", RenameColumn{"X", "b"}), "");
  EXPECT_EQ(names("t"), "inserted_at k b a c ");
  EXPECT_EQ(add("t", store::DropColumn{"c"}), "");
  EXPECT_EQ(add("t", RenameColumn{"a", "c"}), "");
  EXPECT_EQ(add("t", RenameColumn{"c", "d"}), "");
  EXPECT_EQ(names("t"), "inserted_at k b d ");
  EXPECT_EQ(names("u"), "inserted_at k a b c ");
  EXPECT_NE(add("t", RenameColumn{"a", "x"}).find("column 'a' does not exist"), std::string::npos);
  EXPECT_NE(add("t", RenameColumn{"b", "d"}).find("exists already"), std::string::npos);
  // A store that does all of it at once comes to the same.
  const auto migrations = alterations_.take(false);
  ASSERT_EQ(migrations.size(), 1U);
  EXPECT_EQ(migrations[0].operations.size(), 4U);
  EXPECT_EQ(migrations[0].expected_version, 1U);
  const auto plan = store::plan_migration(*base_.tables.at("t"), migrations[0].operations, {});
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->schema.columns[2].name, "b");
  EXPECT_EQ(plan->schema.columns[2].id, 3U);
  EXPECT_EQ(plan->schema.columns[3].name, "d");
  EXPECT_EQ(plan->schema.version, 2U);
  EXPECT_TRUE(alterations_.empty());
}

TEST_F(AlterationsTest, tables_exchange_their_names) {
  EXPECT_EQ(add("t", store::RenameTable{"u"}), "table 'u' exists");
  EXPECT_EQ(add("t", store::RenameTable{"hand"}), "");
  EXPECT_EQ(add("u", store::RenameTable{"t"}), "");
  EXPECT_EQ(add("hand", store::RenameTable{"u"}), "");
  EXPECT_EQ(alterations_.over(base_)->tables.at("u")->id, 1U);
  EXPECT_EQ(alterations_.over(base_)->tables.at("t")->id, 2U);
  EXPECT_EQ(alterations_.over(base_)->tables.size(), 2U);
  EXPECT_EQ(add("hand", store::DropColumn{"a"}), "there is no table 'hand'");
  EXPECT_EQ(add("u", store::RenameTable{"lab.t"}), "there is no schema 'lab'");
}

TEST_F(AlterationsTest, what_is_refused_adds_nothing) {
  EXPECT_NE(add("t", store::DropColumn{"k"}), "");
  EXPECT_TRUE(alterations_.empty());
  EXPECT_FALSE(alterations_.has(1));
  EXPECT_EQ(add("t", store::DropColumn{"a"}), "");
  EXPECT_NE(add("t", store::DropColumn{"a"}), "");
  EXPECT_TRUE(alterations_.has(1));
  EXPECT_FALSE(alterations_.has(2));
  const auto migrations = alterations_.take(true);
  EXPECT_EQ(migrations.front().operations.size(), 1U);
  EXPECT_EQ(migrations.front().expected_version, std::nullopt);
}

TEST_F(AlterationsTest, operations_that_belong_together_come_first) {
  const std::vector<Operation> swap = {RenameColumn{"a", "b"}, RenameColumn{"b", "a"}};
  ASSERT_TRUE(alterations_.add_all(base_, "t", swap));
  EXPECT_EQ(names("t"), "inserted_at k b a c ");
  EXPECT_EQ(add("t", RenameColumn{"b", "d"}), "");
  EXPECT_EQ(names("t"), "inserted_at k d a c ");
  EXPECT_EQ(alterations_.add_all(base_, "t", swap).error().code(), Code::unsupported);
  EXPECT_EQ(alterations_.take(true).front().expected_version, 1U);
}

}  // namespace
}  // namespace reel::sql
