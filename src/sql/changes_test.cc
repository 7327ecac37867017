#include "sql/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/test_store.h"

namespace reel::sql {
namespace {

using store::Mutation;
using store::Precondition;
using store::Row;
using store::Type;
using store::TypeKind;
using store::Value;
using ::testing::HasSubstr;

class ChangesTest : public ::testing::Test {
 protected:
  ChangesTest() {
    snapshot_.put(row(1, "a"));
    snapshot_.put(row(2, "b"));
  }

  static std::shared_ptr<const store::TableSchema> make_table() {
    const store::TableDefinition definition{
        .name = "t",
        .columns = {{.name = "k", .type = Type::of(TypeKind::int64), .nullable = false},
                    {.name = "v", .type = Type::of(TypeKind::string), .nullable = false}},
        .partition_key = {"k"}};
    return std::make_shared<store::TableSchema>(*store::make_schema(3, definition));
  }
  static Row row(std::int64_t key, const Value& value) { return {Instant{5}, key, value}; }
  std::string key(std::int64_t number) const { return encode_key(*schema_, row(number, "")); }

  std::optional<Row> current(std::int64_t number) {
    return *changes_.current(snapshot_, *schema_, key(number));
  }
  Status apply(std::vector<RowEdit> edits) {
    return changes_.apply(snapshot_, schema_, std::move(edits));
  }

  const std::shared_ptr<const store::TableSchema> schema_ = make_table();
  testing::TestSnapshot snapshot_{schema_};
  Changes changes_;
};

TEST_F(ChangesTest, AreSeenByTheTransaction) {
  ASSERT_TRUE(apply({{key(1), row(1, "x")}, {key(2), std::nullopt}, {std::nullopt, row(3, "c")}}));
  EXPECT_EQ(*current(1), row(1, "x"));
  EXPECT_FALSE(current(2));
  EXPECT_EQ(*current(3), row(3, "c"));
}

TEST_F(ChangesTest, BecomeABatchUnderTheConditionThatNobodyElseChangedTheRows) {
  ASSERT_TRUE(apply({{key(1), row(1, "x")}, {key(2), std::nullopt}, {std::nullopt, row(3, "c")}}));
  const store::Batch batch = changes_.to_batch();
  ASSERT_EQ(batch.preconditions.size(), 3U);
  EXPECT_EQ(batch.preconditions[0].kind, Precondition::Kind::cells_are);
  EXPECT_EQ(batch.preconditions[0].cells[0].second, Value("a"));
  EXPECT_EQ(batch.preconditions[1].kind, Precondition::Kind::cells_are);
  EXPECT_EQ(batch.preconditions[2].kind, Precondition::Kind::absent);
  ASSERT_EQ(batch.mutations.size(), 3U);
  EXPECT_EQ(batch.mutations[0].kind, Mutation::Kind::update);
  EXPECT_EQ(batch.mutations[1].kind, Mutation::Kind::erase);
  EXPECT_EQ(batch.mutations[2].kind, Mutation::Kind::insert);
  ASSERT_EQ(batch.schema_versions.size(), 1U);
  EXPECT_EQ(batch.schema_versions[0].first, "t");
}

TEST_F(ChangesTest, ThatCancelOutWriteNothing) {
  ASSERT_TRUE(apply({{std::nullopt, row(3, "c")}}));
  ASSERT_TRUE(apply({{key(3), std::nullopt}}));
  ASSERT_TRUE(apply({{key(1), row(1, "x")}}));
  ASSERT_TRUE(apply({{key(1), row(1, "a")}}));
  const store::Batch batch = changes_.to_batch();
  EXPECT_TRUE(batch.mutations.empty());
  ASSERT_EQ(batch.preconditions.size(), 1U);  // the row that was read must still be so
}

TEST_F(ChangesTest, KeysMayBeSwappedInOneStatement) {
  ASSERT_TRUE(apply({{key(1), row(2, "a")}, {key(2), row(1, "b")}}));
  EXPECT_EQ(*current(1), row(1, "b"));
  EXPECT_EQ(*current(2), row(2, "a"));
}

TEST_F(ChangesTest, AFailedStatementChangesNothing) {
  const Status twice = apply({{std::nullopt, row(7, "x")}, {std::nullopt, row(1, "again")}});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code(), Code::conflict);
  EXPECT_THAT(twice.error().message(), HasSubstr("k: 1"));
  const Status null = apply({{key(1), std::nullopt}, {std::nullopt, row(8, Value())}});
  ASSERT_FALSE(null);
  EXPECT_EQ(null.error().code(), Code::invalid);
  EXPECT_THAT(null.error().message(), HasSubstr("t.v"));
  EXPECT_TRUE(changes_.empty());
  EXPECT_TRUE(current(1));
}

TEST_F(ChangesTest, ARowIdThatIsNoneIsRefused) {
  EXPECT_FALSE(decode_key(*schema_, "x"));
  EXPECT_FALSE(decode_key(*schema_, key(1) + "x"));
  EXPECT_FALSE(apply({{"", std::nullopt}}));
}

TEST_F(ChangesTest, RowsOfANewTableAreCheckedBeforeThereIsOne) {
  EXPECT_TRUE(check_new_rows(*schema_, {row(1, "a"), row(2, "a")}));
  EXPECT_EQ(check_new_rows(*schema_, {row(1, "a"), row(1, "b")}).error().code(), Code::conflict);
  EXPECT_EQ(check_new_rows(*schema_, {row(1, Value())}).error().code(), Code::invalid);
}

}  // namespace
}  // namespace reel::sql
