#include "sql/access_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reel::sql {
namespace {

using Op = store::Predicate::Op;
using store::Type;
using store::TypeKind;
using store::Value;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

//! inserted_at, flow, start, label, size; key (flow, start); indexes on label and (size, label).
store::TableSchema spans() {
  const store::TableDefinition definition{
      .name = "spans",
      .columns = {{.name = "flow", .type = Type::of(TypeKind::int64), .nullable = false},
                  {.name = "start", .type = Type::of(TypeKind::int64), .nullable = false},
                  {.name = "label", .type = Type::of(TypeKind::string)},
                  {.name = "size", .type = Type::of(TypeKind::int64)}},
      .partition_key = {"flow"},
      .clustering_key = {"start"},
      .indexes = {{.name = "by_label", .columns = {"label"}},
                  {.name = "by_size", .columns = {"size", "label"}},
                  {.name = "by_text", .columns = {"label"}, .kind = store::IndexKind::search}}};
  return *store::make_schema(7, definition);
}

constexpr std::size_t kFlow = 1;
constexpr std::size_t kStart = 2;
constexpr std::size_t kLabel = 3;
constexpr std::size_t kSize = 4;

TEST(AccessPathTest, WithoutConditionsIsTheWholeTableInKeyOrder) {
  const AccessPath path = choose_path(spans(), {});
  EXPECT_EQ(path.spec.table, "spans");
  EXPECT_THAT(path.spec.partition, IsEmpty());
  EXPECT_EQ(path.spec.index, "");
  EXPECT_FALSE(path.spec.lower || path.spec.upper);
  EXPECT_THAT(path.order, ElementsAre(kFlow, kStart));
}

TEST(AccessPathTest, APartitionWithBoundsOnWhatFollows) {
  const AccessPath path = choose_path(
      spans(), {{kStart, Op::greater, 5}, {kFlow, Op::equal, 1}, {kStart, Op::less_equal, 9}});
  EXPECT_THAT(path.spec.partition, ElementsAre(Value(1)));
  ASSERT_TRUE(path.spec.lower && path.spec.upper);
  EXPECT_THAT(path.spec.lower->prefix, ElementsAre(Value(5)));
  EXPECT_FALSE(path.spec.lower->inclusive);
  EXPECT_THAT(path.spec.upper->prefix, ElementsAre(Value(9)));
  EXPECT_TRUE(path.spec.upper->inclusive);
  EXPECT_THAT(path.order, ElementsAre(kStart));
}

TEST(AccessPathTest, AWholeKeyIsOneRow) {
  const AccessPath path = choose_path(spans(), {{kFlow, Op::equal, 1}, {kStart, Op::equal, 5}});
  ASSERT_TRUE(path.spec.lower && path.spec.upper);
  EXPECT_EQ(path.spec.lower->prefix, path.spec.upper->prefix);
  EXPECT_THAT(path.spec.lower->prefix, ElementsAre(Value(5)));
}

TEST(AccessPathTest, ARangeOfPartitions) {
  const AccessPath path = choose_path(spans(), {{kFlow, Op::greater_equal, 3}});
  EXPECT_THAT(path.spec.partition, IsEmpty());
  ASSERT_TRUE(path.spec.lower);
  EXPECT_THAT(path.spec.lower->prefix, ElementsAre(Value(3)));
  EXPECT_FALSE(path.spec.upper);
}

TEST(AccessPathTest, AnIndexIsOrderedByItsColumnsAndTheWholeKey) {
  const AccessPath path = choose_path(spans(), {{kLabel, Op::equal, "x"}});
  EXPECT_EQ(path.spec.index, "by_label");
  EXPECT_THAT(path.spec.lower->prefix, ElementsAre(Value("x")));
  EXPECT_THAT(path.order, ElementsAre(kLabel, kFlow, kStart));
}

TEST(AccessPathTest, TheIndexWithMoreLeadingColumnsWins) {
  const AccessPath path = choose_path(spans(), {{kLabel, Op::equal, "x"}, {kSize, Op::equal, 3}});
  EXPECT_EQ(path.spec.index, "by_size");
  EXPECT_THAT(path.spec.lower->prefix, ElementsAre(Value(3), Value("x")));
}

TEST(AccessPathTest, NullIsFoundInAnIndexAsWell) {
  const AccessPath path = choose_path(spans(), {{kLabel, Op::is_null}});
  EXPECT_EQ(path.spec.index, "by_label");
  EXPECT_THAT(path.spec.lower->prefix, ElementsAre(Value()));
  EXPECT_THAT(path.spec.upper->prefix, ElementsAre(Value()));
}

TEST(AccessPathTest, APartitionGoesBeforeAnIndex) {
  const AccessPath path = choose_path(spans(), {{kLabel, Op::equal, "x"}, {kFlow, Op::equal, 1}});
  EXPECT_EQ(path.spec.index, "");
  EXPECT_THAT(path.spec.partition, ElementsAre(Value(1)));
}

TEST(AccessPathTest, ConditionsOnLaterColumnsAloneNarrowNothing) {
  const AccessPath path = choose_path(spans(), {{kStart, Op::equal, 5}});
  EXPECT_FALSE(path.spec.lower || path.spec.upper);
  EXPECT_EQ(path.spec.index, "");
}

}  // namespace
}  // namespace reel::sql
