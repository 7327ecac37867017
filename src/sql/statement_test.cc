#include "sql/statement.h"

#include <gtest/gtest.h>

namespace reel::sql {
namespace {

Access needed(std::string_view sql) {
  const auto access = needed_access(sql);
  EXPECT_TRUE(access) << sql;
  return access ? *access : Access::change_schema;
}

TEST(StatementTest, QueriesOnlyRead) {
  for (const char* sql : {"SELECT 1", "FROM t", "WITH q AS (SELECT 1) FROM q", "EXPLAIN SELECT 1",
                          "SHOW TABLES", "DESCRIBE t", "BEGIN", "COMMIT", "PREPARE p AS SELECT 1",
                          "EXECUTE p", "CALL table_history('t')", "FROM undrop_table('t')",
                          "CREATE TEMP TABLE t (x INT)", "SET VARIABLE a = 1", ""}) {
    EXPECT_EQ(needed(sql), Access::read) << sql;
  }
}

TEST(StatementTest, RowsAreChangedHoweverItIsWritten) {
  for (const char* sql :
       {"INSERT INTO t VALUES (1)", "WITH q AS (SELECT 1) INSERT INTO t FROM q",
        "UPDATE t SET a = 1", "DELETE FROM t", "TRUNCATE t", "EXPLAIN ANALYZE DELETE FROM t",
        "PREPARE p AS DELETE FROM t", "SELECT 1; DELETE FROM t; SELECT 2",
        "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", "COPY t FROM 'x.csv'"}) {
    EXPECT_EQ(needed(sql), Access::change_rows) << sql;
  }
}

TEST(StatementTest, SchemasAreChangedByAdministrators) {
  for (const char* sql :
       {"CREATE TABLE t (k INT PRIMARY KEY)", "DROP TABLE t", "ALTER TABLE t ADD COLUMN a INT",
        "CREATE VIEW v AS SELECT 1", "CREATE TABLE t AS SELECT 1", "COMMENT ON TABLE t IS 'x'",
        "INSERT INTO t VALUES (1); DROP TABLE t", "CREATE SCHEMA s", "DROP SCHEMA s CASCADE",
        "ALTER TABLE t ADD COLUMN a INT[] DEFAULT [1]", "CALL undrop_table('t')",
        "CALL Undrop_Column('t', 1)", "CALL system.main.rollback_table('t', 1)",
        "EXPLAIN ANALYZE CALL undrop_table(1)"}) {
    EXPECT_EQ(needed(sql), Access::change_schema) << sql;
  }
}

TEST(StatementTest, SomeAreForNobody) {
  for (const char* sql : {"ATTACH 'x.db'", "DETACH x", "INSTALL httpfs", "LOAD httpfs",
                          "EXPORT DATABASE 'x'", "VACUUM", "CREATE SECRET s (TYPE s3)",
                          "SELECT 1; ATTACH 'x.db'", "PREPARE p AS ATTACH 'x.db'"}) {
    const auto access = needed_access(sql);
    ASSERT_FALSE(access) << sql;
    EXPECT_TRUE(access.error().code() == Code::forbidden || access.error().code() == Code::invalid)
        << sql;
  }
}

TEST(StatementTest, TransactionsBegin) {
  for (const char* sql : {"BEGIN", "begin transaction;", "START TRANSACTION", "SELECT 1; BEGIN"}) {
    EXPECT_TRUE(begins_transaction(sql)) << sql;
  }
  for (const char* sql : {"COMMIT", "ROLLBACK", "SELECT 'BEGIN'", "BEGIN BEGIN", ""}) {
    EXPECT_FALSE(begins_transaction(sql)) << sql;
  }
}

TEST(StatementTest, WhatIsNotSqlSaysWhere) {
  const auto access = needed_access("SELEC 1");
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().code(), Code::invalid);
  EXPECT_NE(access.error().message().find("SELEC"), std::string::npos);
}

}  // namespace
}  // namespace reel::sql
