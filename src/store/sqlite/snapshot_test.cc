#include "store/sqlite/snapshot_internal.h"

#include <algorithm>
#include <cmath>

#include "store/sqlite/test_tables.h"
#include "store/test_values.h"

namespace reel::store {
namespace {

using namespace testing;

//! Rows with nulls and repetitions in two nullable columns, under two clustering columns.
TableDefinition points_table() {
  const Type number = Type::of(TypeKind::int64);
  return {.name = "points",
          .columns = {{.name = "p", .type = number, .nullable = false},
                      {.name = "x", .type = number, .nullable = false},
                      {.name = "y", .type = number, .nullable = false},
                      {.name = "a", .type = number},
                      {.name = "b", .type = number}},
          .partition_key = {"p"},
          .clustering_key = {"x", "y"},
          .indexes = {{.name = "by_a_b", .columns = {"a", "b"}},
                      {.name = "by_p_a", .columns = {"p", "a"}}}};
}

//! Nulls first.
int order_of(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null())
    return static_cast<int>(b.is_null()) - static_cast<int>(a.is_null());
  const auto left = a.get<std::int64_t>();
  const auto right = b.get<std::int64_t>();
  return left < right ? -1 : static_cast<int>(left > right);
}

int order_of(const Key& row, const Key& prefix) {
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (const int order = order_of(row[i], prefix[i]); order != 0) return order;
  }
  return 0;
}

//! Order of two values that hold the same kind of scalar.
bool less(const Value& a, const Value& b) {
  return std::visit(
      [&](const auto& left) {
        using T = std::decay_t<decltype(left)>;
        if constexpr (std::is_same_v<T, ValueList> || std::is_same_v<T, ValueMap>) {
          return false;
        } else {
          return left < b.get<T>();
        }
      },
      a.storage());
}

class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() : store_(open_store({.path = directory_.file("store.db")})) {}

  Value small() { return random_.below(4) == 0 ? Value() : Value(std::int64_t(random_.below(4))); }

  std::optional<RangeBound> bound(std::size_t columns_max, bool nulls) {
    if (random_.below(4) == 0) return std::nullopt;
    RangeBound bound{.prefix = {}, .inclusive = random_.below(2) == 0};
    const std::uint64_t size = random_.below(columns_max + 1);
    for (std::uint64_t i = 0; i < size; ++i) {
      bound.prefix.push_back(nulls ? small() : Value(std::int64_t(random_.below(4))));
    }
    return bound;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  RandomValues random_{test_seed()};
};

TEST_F(SnapshotTest, ranges_are_what_a_sorted_list_gives) {
  value_of(store_->ensure_table(points_table(), "test"));
  Batch batch;
  std::vector<Key> rows;  // p, x, y, a, b
  for (std::int64_t p = 0; p < 2; ++p) {
    for (std::int64_t x = 0; x < 4; ++x) {
      for (std::int64_t y = 0; y < 4; ++y) {
        if (random_.below(4) == 0) continue;
        rows.push_back({p, x, y, small(), small()});
        batch.insert("points", {p, x, y}, {{"a", rows.back()[3]}, {"b", rows.back()[4]}});
      }
    }
  }
  ASSERT_OK(store_->commit(batch));
  const auto snapshot = value_of(store_->snapshot());

  struct Order {
    std::string index;
    std::vector<std::size_t> columns;  // of `rows`
  };
  const std::vector<Order> orders = {
      {"", {1, 2}}, {"", {0, 1, 2}}, {"by_a_b", {3, 4, 0, 1, 2}}, {"by_p_a", {0, 3, 0, 1, 2}}};
  for (int round = 0; round < 3'000; ++round) {
    const Order& order = orders[random_.below(orders.size())];
    ScanSpec spec{.table = "points", .index = order.index};
    const bool whole_key = order.index.empty() && order.columns.size() == 3;
    if (order.index.empty() ? !whole_key : random_.below(3) == 0) {
      spec.partition = {std::int64_t(random_.below(2))};
    }
    spec.lower = bound(order.columns.size(), !order.index.empty());
    spec.upper = bound(order.columns.size(), !order.index.empty());
    spec.reverse = random_.below(2) == 0;
    if (random_.below(2) == 0) spec.limit = random_.below(10);

    const auto sort_key = [&](const Key& row) {
      Key key;
      for (const std::size_t column : order.columns) key.push_back(row[column]);
      return key;
    };
    std::vector<Key> expected;
    for (const Key& row : rows) {
      if (!spec.partition.empty() && row[0] != spec.partition[0]) continue;
      const int low = spec.lower ? order_of(sort_key(row), spec.lower->prefix) : 1;
      const int high = spec.upper ? order_of(sort_key(row), spec.upper->prefix) : -1;
      if (low < 0 || (low == 0 && !spec.lower->inclusive)) continue;
      if (high > 0 || (high == 0 && !spec.upper->inclusive)) continue;
      expected.push_back(row);
    }
    std::sort(expected.begin(), expected.end(),
              [&](const Key& a, const Key& b) { return order_of(sort_key(a), sort_key(b)) < 0; });
    if (spec.reverse) std::reverse(expected.begin(), expected.end());
    if (expected.size() > spec.limit) expected.resize(spec.limit);

    std::vector<Key> found;
    ASSERT_OK(snapshot->scan(spec, [&](const RowView& row) {
      found.push_back({row[1], row[2], row[3], row[4], row[5]});
      return true;
    }));
    ASSERT_EQ(found, expected) << "round " << round;
  }
}

//! What SQLite says it does for each statement of the snapshot's connection.
std::vector<std::string> query_plans(const sqlite::Connection& connection) {
  std::vector<std::string> statements;
  for (sqlite3_stmt* one = sqlite3_next_stmt(connection.get(), nullptr); one != nullptr;
       one = sqlite3_next_stmt(connection.get(), one)) {
    const std::string sql = sqlite3_sql(one);
    if (sql.find(" FROM t") != std::string::npos) statements.push_back(sql);
  }
  std::vector<std::string> plans;
  for (const std::string& sql : statements) {
    sqlite3_stmt* explain = nullptr;
    REEL_CHECK(sqlite3_prepare_v2(connection.get(), ("EXPLAIN QUERY PLAN " + sql).c_str(), -1,
                                  &explain, nullptr) == SQLITE_OK);
    std::string plan;
    while (sqlite3_step(explain) == SQLITE_ROW) {
      plan += reinterpret_cast<const char*>(sqlite3_column_text(explain, 3));
      plan += ";";
    }
    sqlite3_finalize(explain);
    plans.push_back(plan);
  }
  return plans;
}

TEST_F(SnapshotTest, every_piece_of_a_range_is_one_stretch_of_an_index) {
  value_of(store_->ensure_table(points_table(), "test"));
  const auto snapshot = value_of(store_->snapshot());
  const auto scan = [&](ScanSpec spec) {
    spec.table = "points";
    for (const bool reverse : {false, true}) {
      spec.reverse = reverse;
      ASSERT_OK(snapshot->scan(spec, [](const RowView&) { return true; }));
    }
  };
  scan({.partition = {1}});
  scan({.partition = {1}, .lower = RangeBound{{1}}, .upper = RangeBound{{3}, false}});
  scan({.partition = {1}, .lower = RangeBound{{1, 5}, false}, .upper = RangeBound{{3, 2}}});
  scan({.partition = {1}, .where = {{.column = "a", .value = 3}, {.column = "b", .value = 4}}});
  scan({.lower = RangeBound{{1, 2, 3}, false}, .upper = RangeBound{{4}}});
  scan({.index = "by_a_b", .lower = RangeBound{{1, 2, 3, 4, 5}, false}});
  scan({.index = "by_a_b", .upper = RangeBound{{1, 2, 3, 4, 5}, false}});
  scan({.partition = {1}, .index = "by_p_a", .lower = RangeBound{{1, 7}}});
  scan({.partition = {1}, .index = "by_p_a", .lower = RangeBound{{1, 7, 1, 2, 3}, false}});
  scan({.index = "by_a_b",
        .lower = RangeBound{{1}},
        .upper = RangeBound{{1, 5}},
        .where = {{.column = "a", .op = Predicate::Op::less, .value = 3},
                  {.column = "a", .value = 1}}});
  const auto& connection = dynamic_cast<sqlite::SqliteSnapshot&>(*snapshot).connection();
  const std::vector<std::string> plans = query_plans(connection);
  EXPECT_GT(plans.size(), 20U);
  for (const std::string& plan : plans) {
    EXPECT_TRUE(plan.starts_with("SEARCH t1 USING ")) << plan;
    EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << plan;
  }
}

TEST_F(SnapshotTest, every_type_comes_back) {
  TableDefinition definition{
      .name = "all_types",
      .columns = {{.name = "k", .type = Type::of(TypeKind::int64), .nullable = false}},
      .partition_key = {"k"}};
  std::vector<Type> types;
  for (int kind = 1; kind <= 21; ++kind) {
    Type type;
    do {
      type = random_.type(0);
    } while (static_cast<int>(type.kind) != kind);
    types.push_back(type);
    definition.columns.push_back({.name = fmt::format("v{}", kind), .type = type});
  }
  value_of(store_->ensure_table(definition, "test"));
  std::vector<Row> rows;
  const std::vector<std::pair<std::size_t, Value>> extremes = {
      {8, std::numeric_limits<std::uint64_t>::max()},
      {8, std::uint64_t{1} << 63},
      {4, std::numeric_limits<std::int64_t>::min()},
      {10, std::nan("")},
      {10, std::numeric_limits<double>::infinity()},
      {11, -std::numeric_limits<double>::infinity()},
      {11, 1e300},
      {11, 3.0},
      {13, std::string("a\0b\0", 4)},
      {13, ""},
      {14, Binary{}},
      {12, time::Timestamp::min()}};
  for (std::int64_t k = 0; k < 300; ++k) {
    Batch batch;
    Row row = {k};
    Cells cells;
    for (std::size_t i = 0; i < types.size(); ++i) {
      row.push_back(random_.value(types[i]));
      if (static_cast<std::size_t>(k) < extremes.size()) {
        const auto& [kind, value] = extremes[static_cast<std::size_t>(k)];
        if (kind == i + 1 && check_value(types[i], value)) row.back() = value;
      }
      cells.emplace_back(fmt::format("v{}", i + 1), row.back());
    }
    ASSERT_OK(store_->commit(batch.insert("all_types", {k}, cells)));
    rows.push_back(row);
  }
  const auto snapshot = value_of(store_->snapshot());
  for (std::int64_t k = 0; k < 300; ++k) {
    auto found = value_of(snapshot->get("all_types", {k}));
    ASSERT_TRUE(found);
    found->erase(found->begin());  // inserted_at
    ASSERT_EQ(*found, rows[static_cast<std::size_t>(k)]);
  }
  EXPECT_EQ(value_of(snapshot->ledger("all_types")), value_of(store_->recount("all_types")));
}

TEST_F(SnapshotTest, keys_of_every_type_order_as_their_values) {
  for (const TypeKind kind :
       {TypeKind::int64, TypeKind::uint64, TypeKind::uint8, TypeKind::string, TypeKind::binary,
        TypeKind::uuid, TypeKind::timestamp, TypeKind::date, TypeKind::decimal}) {
    const Type type = kind == TypeKind::decimal ? Type::decimal(28, 9) : Type::of(kind);
    const std::string table = fmt::format("by_{}", static_cast<int>(kind));
    value_of(store_->ensure_table(
        {.name = table,
         .columns = {{.name = "p", .type = Type::of(TypeKind::boolean), .nullable = false},
                     {.name = "k", .type = type, .nullable = false}},
         .partition_key = {"p"},
         .clustering_key = {"k"}},
        "test"));
    Batch batch;
    for (int i = 0; i < 200; ++i) {
      const Value value = random_.value(type);
      if (!value.is_null()) batch.upsert(table, {true, value}, {});
    }
    if (kind == TypeKind::uint64) {
      for (const std::uint64_t edge : {0ULL, 1ULL << 63, (1ULL << 63) - 1, ~0ULL}) {
        batch.upsert(table, {true, edge}, {});
      }
    }
    ASSERT_OK(store_->commit(batch));
    Value last;
    ASSERT_OK(value_of(store_->snapshot())
                  ->scan({.table = table, .partition = {true}}, [&](const RowView& row) {
                    EXPECT_TRUE(last.is_null() || less(last, row[2])) << table;
                    last = row[2];
                    return true;
                  }));
    EXPECT_FALSE(last.is_null());
  }
}

TEST_F(SnapshotTest, new_columns_give_old_rows_every_kind_of_default) {
  TableDefinition definition{
      .name = "old",
      .columns = {{.name = "k", .type = Type::of(TypeKind::int64), .nullable = false}},
      .partition_key = {"k"}};
  value_of(store_->ensure_table(definition, "test"));
  ASSERT_OK(store_->commit(Batch().insert("old", {1}, {})));
  const auto add = [&](const Type& type, Value value) {
    definition.columns.push_back({.name = fmt::format("d{}", definition.columns.size()),
                                  .type = type,
                                  .nullable = true,
                                  .default_value = std::move(value)});
  };
  for (int i = 0; i < 100; ++i) {
    const Type type = random_.type(0);
    add(type, random_.value(type));
    // SQLite reads the very smallest and largest numbers inexactly, which is refused.
    if (const auto* number = definition.columns.back().default_value.get_if<double>()) {
      const double size = std::abs(*number);
      if (size < 1e-250 || size > 1e250) definition.columns.back().default_value = 1.0 / (i + 3);
      if (type.kind == TypeKind::float32) definition.columns.back().default_value = 0.375;
    }
    if (const auto* text = definition.columns.back().default_value.get_if<std::string>()) {
      if (text->find('\0') != std::string::npos) definition.columns.pop_back();
    }
  }
  add(Type::of(TypeKind::uint64), 0);
  add(Type::of(TypeKind::uint64), std::numeric_limits<std::uint64_t>::max());
  add(Type::of(TypeKind::int64), std::numeric_limits<std::int64_t>::min());
  add(Type::of(TypeKind::float64), std::nan(""));
  add(Type::of(TypeKind::float64), -std::numeric_limits<double>::infinity());
  add(Type::of(TypeKind::float32), static_cast<double>(0.1F));
  add(Type::of(TypeKind::float64), 5.0);
  add(Type::of(TypeKind::string), "it's");
  value_of(store_->ensure_table(definition, "test"));
  const auto row = value_of(value_of(store_->snapshot())->get("old", {1}));
  for (std::size_t i = 1; i < definition.columns.size(); ++i) {
    EXPECT_EQ((*row)[i + 1], definition.columns[i].default_value)
        << definition.columns[i].type.to_string();
  }
  EXPECT_EQ(value_of(value_of(store_->snapshot())->ledger("old")),
            value_of(store_->recount("old")));

  definition.columns.push_back(
      {.name = "nul", .type = Type::of(TypeKind::string), .default_value = std::string("a\0b", 3)});
  const auto refused = store_->ensure_table(definition, "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::unsupported);
}

}  // namespace
}  // namespace reel::store
