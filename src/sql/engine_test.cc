#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <duckdb/main/valid_checker.hpp>

#include "sql/session_internal.h"
#include "sql/test_store.h"

namespace reel::sql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::not_here;
using testing::TestSnapshot;
using TablePtr = std::shared_ptr<const store::TableSchema>;

//! Without tables: what is tested needs none.
class EmptyStore final : public store::Store {
 public:
  Result<std::unique_ptr<store::Snapshot>> snapshot() override {
    return std::make_unique<TestSnapshot>();
  }
  Result<std::vector<std::unique_ptr<store::Snapshot>>> snapshots(std::size_t) override {
    return not_here();
  }
  Status commit(store::Batch) override { return not_here(); }
  std::shared_ptr<const store::Catalog> catalog() const override {
    return std::make_shared<store::Catalog>();
  }
  Result<TablePtr> ensure_table(const store::TableDefinition&, std::string_view) override {
    return not_here();
  }
  Result<TablePtr> create_table(const store::TableDefinition&, const store::Reason&) override {
    return not_here();
  }
  Result<std::vector<TablePtr>> migrate_all(const std::vector<store::Migration>&,
                                            const store::Reason&) override {
    return not_here();
  }
  std::int64_t convert_rows_max() const override { return 0; }
  Status drop_table(std::string_view, const store::Reason&) override { return not_here(); }
  Result<TablePtr> undrop_table(store::TableId, std::string_view, const store::Reason&) override {
    return not_here();
  }
  Status create_namespace(std::string_view) override { return not_here(); }
  Status drop_namespace(std::string_view, bool, const store::Reason&) override {
    return not_here();
  }
  Result<std::vector<store::DroppedTable>> dropped_tables() override { return not_here(); }
  Result<std::vector<store::SchemaVersion>> history(store::TableId) override { return not_here(); }
  Result<store::PurgeStep> purge(Instant, std::size_t, const store::PurgePlace&) override {
    return not_here();
  }
  Result<std::vector<store::LedgerEntry>> recount(std::string_view) override { return not_here(); }
  Status backup(const std::string&) override { return not_here(); }
  store::StoreHealth health() const override { return {}; }
  void stop() override {}
};

struct Rows final : ResultSink {
  Status begin(ResultKind, const std::vector<ResultColumn>&) override { return {}; }
  Status row(const store::Row& cells) override {
    first_cells.push_back(cells.front());
    return {};
  }
  Status end() override { return {}; }
  std::vector<store::Value> first_cells;
};

void fail_inside(duckdb::DataChunk&, duckdb::ExpressionState&, duckdb::Vector&) {
  throw duckdb::InternalException("a defect of the test");
}

class EngineTest : public ::testing::Test {
 protected:
  std::unique_ptr<Session> connect() {
    return std::make_unique<Session>(std::make_unique<Session::State>(engine_, ConnectOptions{}));
  }

  Status execute(Session& session, std::string_view sql) {
    rows_ = {};
    return session.execute(sql, rows_);
  }

  //! Afterwards DuckDB takes its instance for broken.
  void break_instance(Session& session) {
    const auto instance = *engine_.instance();
    duckdb::Connection(instance->database())
        .CreateVectorizedFunction("defect", {duckdb::LogicalType::BIGINT},
                                  duckdb::LogicalType::BIGINT, fail_inside);
    const Status broken = execute(session, "SELECT defect(i) FROM range(3) r(i)");
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code(), Code::internal);
    ASSERT_TRUE(duckdb::ValidChecker::IsInvalidated(*instance->database().instance));
  }

  EmptyStore store_;
  Engine::State engine_{store_, {}};
  Rows rows_;
};

TEST_F(EngineTest, ABrokenInstanceIsReplacedForEverySession) {
  const auto breaks = connect();
  const auto other = connect();
  ASSERT_TRUE(execute(*other, "CREATE TEMP TABLE t AS SELECT 1 AS x"));
  break_instance(*breaks);
  const auto later = connect();
  for (Session* session : {breaks.get(), other.get(), later.get()}) {
    ASSERT_TRUE(execute(*session, "SELECT 40 + x FROM (VALUES (2)) v(x)"));
    EXPECT_THAT(rows_.first_cells, ElementsAre(store::Value(42)));
  }
}

TEST_F(EngineTest, WhatTheBrokenInstanceHeldIsGone) {
  const auto session = connect();
  ASSERT_TRUE(execute(*session, "CREATE TEMP TABLE t AS SELECT 1 AS x"));
  break_instance(*session);
  const Status gone = execute(*session, "SELECT defect(1)");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), Code::invalid);
  EXPECT_FALSE(execute(*session, "FROM t"));
}

TEST_F(EngineTest, ATransactionThatTheBrokenInstanceHeldDoesNotGoOnAsAnother) {
  const auto holds = connect();
  const auto breaks = connect();
  ASSERT_TRUE(execute(*holds, "BEGIN"));
  break_instance(*breaks);
  const Status lost = execute(*holds, "SELECT 1");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Code::conflict);
  EXPECT_THAT(lost.error().message(), HasSubstr("rolled back"));
  EXPECT_FALSE(holds->in_transaction());
  EXPECT_TRUE(execute(*holds, "BEGIN; COMMIT"));
}

}  // namespace
}  // namespace reel::sql
