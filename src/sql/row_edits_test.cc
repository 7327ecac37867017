#include "sql/row_edits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/test_store.h"

namespace reel::sql {
namespace {

using store::Mutation;
using store::Precondition;
using store::Row;
using store::RowEdit;
using store::Type;
using store::TypeKind;
using store::Value;
using ::testing::HasSubstr;

class RowEditsTest : public ::testing::Test {
 protected:
  RowEditsTest() {
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

  Result<store::Batch> batch_of(const std::vector<RowEdit>& edits) {
    return to_batch(snapshot_, *schema_, edits);
  }

  const std::shared_ptr<const store::TableSchema> schema_ = make_table();
  testing::TestSnapshot snapshot_{schema_};
};

TEST_F(RowEditsTest, BecomeABatchUnderTheConditionThatNobodyElseChangedTheRows) {
  const auto batch = batch_of({{row(1, "a"), row(1, "x")}, {row(2, "b"), {}}, {{}, row(3, "c")}});
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->preconditions.size(), 3U);
  EXPECT_EQ(batch->preconditions[0].kind, Precondition::Kind::cells_are);
  EXPECT_EQ(batch->preconditions[0].cells[0].second, Value("a"));
  EXPECT_EQ(batch->preconditions[1].kind, Precondition::Kind::cells_are);
  EXPECT_EQ(batch->preconditions[2].kind, Precondition::Kind::absent);
  ASSERT_EQ(batch->mutations.size(), 3U);
  EXPECT_EQ(batch->mutations[0].kind, Mutation::Kind::erase);
  EXPECT_EQ(batch->mutations[1].kind, Mutation::Kind::update);
  EXPECT_EQ(batch->mutations[2].kind, Mutation::Kind::insert);
  ASSERT_EQ(batch->schema_versions.size(), 1U);
  EXPECT_EQ(batch->schema_versions[0].first, "t");
}

TEST_F(RowEditsTest, ThatChangeNothingWriteNothing) {
  const auto batch = batch_of({{row(1, "a"), row(1, "a")}});
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->mutations.empty());
  EXPECT_EQ(batch->preconditions.size(), 1U);  // the row that was read must still be so
}

TEST_F(RowEditsTest, KeysMayBeSwappedInOneStatement) {
  auto batch = batch_of({{row(1, "a"), row(2, "a")}, {row(2, "b"), row(1, "b")}});
  ASSERT_TRUE(batch);
  store::Draft draft(snapshot_);
  ASSERT_TRUE(draft.commit(*std::move(batch)));
  const auto view = *draft.snapshot();
  EXPECT_EQ((*view->get("t", {Value(1)}, {}))->back(), Value("b"));
  EXPECT_EQ((*view->get("t", {Value(2)}, {}))->back(), Value("a"));
}

TEST_F(RowEditsTest, AreRefusedWithTheRowOrTheColumnThatCannotBe) {
  const auto there = batch_of({{{}, row(7, "x")}, {{}, row(1, "again")}});
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().code(), Code::conflict);
  EXPECT_THAT(there.error().message(), HasSubstr("k: 1"));
  EXPECT_EQ(batch_of({{{}, row(7, "x")}, {{}, row(7, "y")}}).error().code(), Code::conflict);
  EXPECT_EQ(batch_of({{row(1, "a"), row(2, "a")}}).error().code(), Code::conflict);
  const auto null = batch_of({{row(1, "a"), {}}, {{}, row(8, Value())}});
  ASSERT_FALSE(null);
  EXPECT_EQ(null.error().code(), Code::invalid);
  EXPECT_THAT(null.error().message(), HasSubstr("t.v"));
}

TEST_F(RowEditsTest, ARowIdThatIsNoneIsRefused) {
  EXPECT_FALSE(decode_key(*schema_, "x"));
  EXPECT_FALSE(decode_key(*schema_, key(1) + "x"));
  EXPECT_FALSE(decode_key(*schema_, ""));
}

TEST_F(RowEditsTest, RowsOfANewTableAreCheckedBeforeThereIsOne) {
  EXPECT_TRUE(check_new_rows(*schema_, {row(1, "a"), row(2, "a")}));
  EXPECT_EQ(check_new_rows(*schema_, {row(1, "a"), row(1, "b")}).error().code(), Code::conflict);
  EXPECT_EQ(check_new_rows(*schema_, {row(1, Value())}).error().code(), Code::invalid);
}

}  // namespace
}  // namespace reel::sql
