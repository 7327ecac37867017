//! The SQL engine on a real store.

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_soon.h"
#include "sql/engine.h"
#include "sql/present.h"
#include "store/document.h"
#include "store/sqlite/test_tables.h"

namespace reel::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

//! Rows as text, cells between bars.
class Collected final : public sql::ResultSink {
 public:
  Status begin(sql::ResultKind, const std::vector<sql::ResultColumn>& columns) override {
    columns_ = columns;
    return {};
  }
  Status row(const store::Row& cells) override {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) text += '|';
      text += sql::cell_text(store::value_to_json(columns_[i].shown, cells[i]));
    }
    rows.push_back(std::move(text));
    return {};
  }
  Status end() override { return {}; }

  std::vector<std::string> rows;

 private:
  std::vector<sql::ResultColumn> columns_;
};

class SqlTest : public ::testing::Test {
 protected:
  SqlTest() {
    store_ = *store::open_sqlite_store({.path = directory_.file("store.db")});
    engine_ = sql::Engine::make(*store_, {.memory_bytes_max = std::uint64_t{64} << 20});
  }

  std::vector<std::string> rows(sql::Session& session, std::string_view statement,
                                const sql::ExecuteOptions& options = {}) {
    Collected collected;
    const Status done = session.execute(statement, collected, options);
    EXPECT_TRUE(done) << statement << ": " << (done ? "" : done.error().message());
    return collected.rows;
  }

  Error failure(sql::Session& session, std::string_view statement,
                const sql::ExecuteOptions& options = {}) {
    Collected collected;
    Status done = session.execute(statement, collected, options);
    EXPECT_FALSE(done) << statement;
    return done ? Error(Code::internal, "it did not fail") : std::move(done).error();
  }

  store::testing::TemporaryDirectory directory_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<sql::Engine> engine_;
};

constexpr char kTable[] = "CREATE TABLE t (k BIGINT PRIMARY KEY, v VARCHAR)";

TEST_F(SqlTest, ATransactionSeesItsSnapshotAndItsOwnChanges) {
  const auto one = engine_->connect();
  const auto other = engine_->connect();
  rows(*one, kTable);
  rows(*one, "INSERT INTO t VALUES (1, 'a')");
  rows(*one, "BEGIN");
  EXPECT_THAT(rows(*one, "FROM t"), ElementsAre("1|a"));
  rows(*other, "INSERT INTO t VALUES (2, 'b')");
  rows(*one, "INSERT INTO t VALUES (3, 'c')");
  EXPECT_THAT(rows(*one, "FROM t ORDER BY k"), ElementsAre("1|a", "3|c"));
  EXPECT_THAT(rows(*other, "FROM t ORDER BY k"), ElementsAre("1|a", "2|b"));
  EXPECT_TRUE(one->in_transaction());
  rows(*one, "COMMIT");
  EXPECT_FALSE(one->in_transaction());
  EXPECT_THAT(rows(*other, "FROM t ORDER BY k"), ElementsAre("1|a", "2|b", "3|c"));
}

TEST_F(SqlTest, TheSlowerOfTwoWritersIsToldAndChangesNothing) {
  const auto one = engine_->connect();
  const auto other = engine_->connect();
  rows(*one, kTable);
  rows(*one, "INSERT INTO t VALUES (1, 'a'), (2, 'b')");
  for (const char* statement :
       {"UPDATE t SET v = 'x' WHERE k = 1", "DELETE FROM t WHERE k = 1",
        "UPDATE t SET k = 9 WHERE k = 1", "INSERT OR REPLACE INTO t VALUES (1, 'x')"}) {
    rows(*one, "BEGIN");
    rows(*one, statement);
    rows(*one, "UPDATE t SET v = v || '!' WHERE k = 2");
    rows(*other, "UPDATE t SET v = v || '+' WHERE k = 1");
    const Error error = failure(*one, "COMMIT");
    EXPECT_EQ(error.code(), Code::conflict) << statement;
    EXPECT_THAT(error.message(), HasSubstr("write-write conflict"));
  }
  EXPECT_THAT(rows(*other, "FROM t ORDER BY k"), ElementsAre("1|a++++", "2|b"));
  rows(*one, "BEGIN; INSERT INTO t VALUES (5, 'mine')");
  rows(*other, "INSERT INTO t VALUES (5, 'theirs')");
  EXPECT_EQ(failure(*one, "COMMIT").code(), Code::conflict);
  EXPECT_THAT(rows(*one, "SELECT v FROM t WHERE k = 5"), ElementsAre("theirs"));
}

TEST_F(SqlTest, AFailedStatementLeavesNothingOfItself) {
  const auto session = engine_->connect();
  rows(*session, kTable);
  EXPECT_EQ(failure(*session, "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (1, 'c')").code(),
            Code::conflict);
  EXPECT_THAT(rows(*session, "FROM t"), IsEmpty());
  rows(*session, "BEGIN; INSERT INTO t VALUES (1, 'a')");
  EXPECT_EQ(failure(*session, "INSERT INTO t VALUES (1, 'b')").code(), Code::conflict);
  EXPECT_THAT(failure(*session, "SELECT 1").message(), HasSubstr("ROLLBACK"));
  rows(*session, "ROLLBACK");
  EXPECT_THAT(rows(*session, "FROM t"), IsEmpty());
}

TEST_F(SqlTest, ParametersAreValues) {
  const auto session = engine_->connect();
  rows(*session, kTable);
  rows(*session, "INSERT INTO t VALUES ($1, $2)", {.parameters = {7, "it's; DROP TABLE t"}});
  EXPECT_THAT(rows(*session, "SELECT v FROM t WHERE k = ?", {.parameters = {7}}),
              ElementsAre("it's; DROP TABLE t"));
  EXPECT_THAT(rows(*session, "SELECT ?::VARCHAR IS NULL", {.parameters = {store::Value()}}),
              ElementsAre("true"));
  EXPECT_EQ(failure(*session, "SELECT ?").code(), Code::invalid);
  EXPECT_EQ(failure(*session, "SELECT 1; SELECT ?", {.parameters = {7}}).code(), Code::invalid);
}

TEST_F(SqlTest, PreparedStatementsSurviveWhatOthersCreate) {
  const auto one = engine_->connect();
  const auto other = engine_->connect();
  rows(*one, kTable);
  rows(*one, "INSERT INTO t VALUES (1, 'a')");
  rows(*one, "PREPARE p AS SELECT v FROM t WHERE k = $1");
  EXPECT_THAT(rows(*one, "EXECUTE p(1)"), ElementsAre("a"));
  rows(*other, "CREATE TABLE u (k BIGINT PRIMARY KEY)");
  rows(*other, "UPDATE t SET v = 'b'");
  EXPECT_THAT(rows(*one, "EXECUTE p(1)"), ElementsAre("b"));
}

constexpr char kEndless[] = "SELECT sum(a) FROM range(10000000000000) r(a)";

TEST_F(SqlTest, AStatementEndsAtItsDeadline) {
  const auto session = engine_->connect();
  const Error error = failure(*session, kEndless, {.time_max = std::chrono::milliseconds(50)});
  EXPECT_EQ(error.code(), Code::timeout);
  EXPECT_THAT(rows(*session, "SELECT 1"), ElementsAre("1"));
}

TEST_F(SqlTest, AStatementIsCancelledByAnotherThread) {
  const auto session = engine_->connect();
  std::atomic<bool> ended = false;
  std::thread canceller([&] {
    // One may come before the statement begins.
    while (!ended) {
      session->cancel();
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(failure(*session, kEndless).code(), Code::cancelled);
  ended = true;
  canceller.join();
}

TEST_F(SqlTest, MemoryIsLimited) {
  const auto session = engine_->connect();
  const Error error = failure(*session, "SELECT list(a) FROM range(100000000) r(a)");
  EXPECT_EQ(error.code(), Code::too_large) << error.message();
  EXPECT_THAT(rows(*session, "SELECT 1"), ElementsAre("1"));
}

TEST_F(SqlTest, FilesAreReachedInTheConfiguredDirectoriesOnly) {
  const std::string folder = directory_.file("exchange");
  std::filesystem::create_directory(folder);
  const auto engine = sql::Engine::make(*store_, {.directories = {folder}});
  const auto session = engine->connect();
  rows(*session, fmt::format("COPY (SELECT 7 AS n) TO '{}/out.parquet'", folder));
  EXPECT_THAT(rows(*session, fmt::format("FROM '{}/out.parquet'", folder)), ElementsAre("7"));
  for (const std::string& path : {folder + "/../out.parquet", directory_.file("out.parquet")}) {
    EXPECT_EQ(failure(*session, fmt::format("COPY (SELECT 7) TO '{}'", path)).code(),
              Code::forbidden);
  }
  const auto closed = engine_->connect();
  EXPECT_EQ(failure(*closed, fmt::format("FROM '{}/out.parquet'", folder)).code(), Code::forbidden);
}

TEST_F(SqlTest, WhatATransactionChangesIsLimited) {
  // Enough memory that the limit is the one of changes.
  const auto engine = sql::Engine::make(*store_);
  const auto session = engine->connect();
  rows(*session, kTable);
  EXPECT_EQ(failure(*session, "INSERT INTO t SELECT i, 'x' FROM range(100000000000) r(i)").code(),
            Code::too_large);
  EXPECT_EQ(failure(*session, "INSERT INTO t SELECT i, repeat('x', 1000000) FROM range(1000) r(i)")
                .code(),
            Code::too_large);
  rows(*session, "BEGIN; INSERT INTO t SELECT i, 'x' FROM range(60000) r(i)");
  EXPECT_EQ(failure(*session, "INSERT INTO t SELECT i, 'x' FROM range(100000, 160000) r(i)").code(),
            Code::too_large);
  rows(*session, "ROLLBACK");
  EXPECT_THAT(rows(*session, "SELECT count(*) FROM t"), ElementsAre("0"));
}

TEST_F(SqlTest, TheLedgerAgreesAfterChanges) {
  const auto session = engine_->connect();
  rows(*session, kTable);
  rows(*session, "INSERT INTO t SELECT i, 'v' || i FROM range(5000) r(i)");
  rows(*session, "DELETE FROM t WHERE k % 3 = 0");
  rows(*session, "UPDATE t SET k = k + 10000, v = upper(v) WHERE k % 2 = 0");
  const auto snapshot = *store_->snapshot();
  EXPECT_EQ(*snapshot->ledger("t"), *store_->recount("t"));
}

TEST_F(SqlTest, TablesOfTheProductAreReadOnly) {
  store::TableDefinition definition = store::testing::spans_table();
  definition.product = true;
  ASSERT_TRUE(store_->ensure_table(definition, "test"));
  const auto session = engine_->connect();
  EXPECT_THAT(rows(*session, "SELECT count(*) FROM spans"), ElementsAre("0"));
  for (const char* statement :
       {"DELETE FROM spans", "TRUNCATE spans", "UPDATE spans SET label = 'x'",
        "INSERT INTO spans (flow, start) VALUES (gen_random_uuid(), 0)",
        "INSERT OR REPLACE INTO spans (flow, start) VALUES (gen_random_uuid(), 0)",
        "MERGE INTO spans USING (SELECT 1 AS x) ON false WHEN NOT MATCHED THEN "
        "INSERT (flow, start) VALUES (gen_random_uuid(), 0)"}) {
    const Error error = failure(*session, statement);
    EXPECT_EQ(error.code(), Code::forbidden) << statement;
    EXPECT_THAT(error.message(), HasSubstr("read-only here")) << statement;
  }
}

//! DuckDB lets a transaction go on after some errors; half of a statement must not be committed.
TEST_F(SqlTest, AStatementThatFailsHalfWayIsNotCommitted) {
  store::TableDefinition definition = store::testing::spans_table();
  definition.product = true;
  ASSERT_TRUE(store_->ensure_table(definition, "test"));
  const auto first_only = [](store::Draft& draft, const store::TableSchema& table,
                             const std::vector<store::RowEdit>& edits) -> Status {
    REEL_TRY(draft.commit(store::Batch().insert(table.name, key_of(table, *edits[0].after), {})));
    return not_found("the second row's flow does not exist");
  };
  const auto session = engine_->connect({.product_writes = std::make_shared<sql::ProductWrites>(
                                             sql::ProductWrites{first_only, [] {}})});
  rows(*session, "BEGIN");
  const Error error = failure(*session,
                              "INSERT INTO spans (flow, start) VALUES (gen_random_uuid(), 0), "
                              "(gen_random_uuid(), 1)");
  EXPECT_EQ(error.code(), Code::not_found);
  EXPECT_NE(failure(*session, "COMMIT").message(), "");
  EXPECT_FALSE(session->in_transaction());
  EXPECT_THAT(rows(*session, "SELECT count(*) FROM spans"), ElementsAre("0"));
}

TEST_F(SqlTest, IndexesNarrowWhatIsRead) {
  ASSERT_TRUE(store_->ensure_table(store::testing::spans_table(), "test"));
  const auto session = engine_->connect();
  rows(*session,
       "INSERT INTO spans (flow, start, label, size) SELECT "
       "('00000000-0000-4000-8000-' || lpad((i % 9)::VARCHAR, 12, '0'))::UUID, i, "
       "CASE WHEN i % 4 = 0 THEN NULL ELSE 'l' || (i % 100) END, i FROM range(5000) r(i)");
  for (const char* condition :
       {"label = 'l7'", "label IS NULL", "label > 'l9'", "label < 'l2'", "label <= 'l11'",
        "label BETWEEN 'l3' AND 'l5'", "inserted_at > '2020-01-01 00:00:00Z'",
        "inserted_at < '2020-01-01 00:00:00Z'", "label = 'l7' AND size > 1000",
        "flow = '00000000-0000-4000-8000-000000000003' AND start >= 100 AND start < 200"}) {
    EXPECT_THAT(rows(*session, fmt::format("SELECT (SELECT count(*) FROM spans WHERE {0}) = "
                                           "(SELECT count(*) FILTER (WHERE {0}) FROM spans)",
                                           condition)),
                ElementsAre("true"))
        << condition;
  }
}

//! What the session says of its progress while rows arrive.
class ProgressSink final : public sql::ResultSink {
 public:
  explicit ProgressSink(const sql::Session& session) : session_(session) {}
  Status begin(sql::ResultKind, const std::vector<sql::ResultColumn>&) override { return {}; }
  Status row(const store::Row&) override {
    last = session_.progress();
    return {};
  }
  Status end() override { return {}; }

  std::optional<double> last;

 private:
  const sql::Session& session_;
};

TEST_F(SqlTest, ASessionKnowsHowFarItsStatementIs) {
  const auto session = engine_->connect({.progress = true});
  EXPECT_EQ(session->progress(), std::nullopt);
  rows(*session, "CREATE TABLE t AS SELECT i AS k, repeat('x', 1000) AS v FROM range(20000) r(i)");
  ProgressSink whole(*session);
  ASSERT_TRUE(session->execute("FROM t", whole));
  ASSERT_TRUE(whole.last);
  EXPECT_GT(*whole.last, 0.5);
  EXPECT_LE(*whole.last, 1);
  ProgressSink part(*session);
  ASSERT_TRUE(session->execute("FROM t WHERE k > 100", part));
  EXPECT_EQ(part.last.value_or(0), 0) << "nobody knows how many rows that are";
  const auto other = engine_->connect();
  ProgressSink unasked(*other);
  ASSERT_TRUE(other->execute("FROM t", unasked));
  EXPECT_EQ(unasked.last, std::nullopt);
}

}  // namespace
}  // namespace reel::server
