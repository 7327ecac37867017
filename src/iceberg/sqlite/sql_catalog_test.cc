#include "iceberg/sqlite/sql_catalog.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "iceberg/file.h"
#include "iceberg/table.h"
#include "iceberg/test_table.h"

namespace reel::iceberg::sqlite {
namespace {

class SqlCatalogTest : public testing::Test {
 protected:
  std::unique_ptr<Catalog> open(const std::string& name = "reelhouse") {
    auto catalog = open_sql_catalog({.path = folder_.path() + "/catalog.db",
                                     .catalog_name = name,
                                     .warehouse = folder_.path()});
    EXPECT_TRUE(catalog) << catalog.error().message();
    return *std::move(catalog);
  }
  NewTable new_table() { return {.location = "", .schema = test_schema()}; }

  //! The rows of a query, columns joined by '|'.
  std::vector<std::string> rows(const std::string& sql) {
    sqlite3* database = nullptr;
    sqlite3_open((folder_.path() + "/catalog.db").c_str(), &database);
    std::vector<std::string> out;
    sqlite3_exec(
        database, sql.c_str(),
        [](void* context, int count, char** values, char**) {
          std::string row;
          for (int i = 0; i < count; ++i) {
            row += fmt::format("{}{}", i > 0 ? "|" : "", values[i] != nullptr ? values[i] : "NULL");
          }
          static_cast<std::vector<std::string>*>(context)->push_back(row);
          return 0;
        },
        &out, nullptr);
    sqlite3_close(database);
    return out;
  }

  TestFolder folder_;
  TableName name_{.space = "reel", .name = "t"};
};

TEST_F(SqlCatalogTest, KeepsWhereTheMetadataIsAndWas) {
  const auto catalog = open();
  EXPECT_EQ(catalog->current(name_).error().code(), Code::not_found);
  Table table = *Table::create(*catalog, name_, new_table());
  const std::string first = table.metadata_location();
  EXPECT_THAT(first, testing::HasSubstr("/reel/t/metadata/00000-"));
  ASSERT_TRUE(table.commit({.added = {test_file("a")}}));
  EXPECT_THAT(table.metadata_location(), testing::HasSubstr("/reel/t/metadata/00001-"));
  EXPECT_EQ(rows("SELECT * FROM iceberg_tables"),
            std::vector<std::string>{"reelhouse|reel|t|" + table.metadata_location() + "|" + first +
                                     "|NULL"});
  EXPECT_EQ(rows("SELECT * FROM iceberg_namespace_properties"),
            std::vector<std::string>{"reelhouse|reel|exists|true"});
  EXPECT_EQ(open()->current(name_), table.metadata_location());

  // The folder is readable by itself.
  const std::string hint = *read_file(folder_.path() + "/reel/t/metadata/version-hint.text", 100);
  EXPECT_EQ(fmt::format("file://{}/reel/t/metadata/{}.metadata.json", folder_.path(), hint),
            table.metadata_location());
}

TEST_F(SqlCatalogTest, OneFileHoldsSeveralCatalogsAndNamespaces) {
  const auto catalog = open();
  const auto other = open("other");
  ASSERT_TRUE(Table::create(*catalog, name_, new_table()));
  EXPECT_EQ(other->current(name_).error().code(), Code::not_found);
  ASSERT_TRUE(Table::create(*catalog, {.space = "second", .name = "t"}, new_table()));
  const auto twice = Table::create(*catalog, name_, new_table());
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code(), Code::conflict);
  // The namespace was new to this catalog, the folder was not: its metadata file is its own.
  ASSERT_TRUE(Table::create(*other, name_, new_table()));
  EXPECT_EQ(rows("SELECT count(*) FROM iceberg_tables"), std::vector<std::string>{"3"});
}

TEST_F(SqlCatalogTest, OnlyOneOfTwoReplacesTheSameBase) {
  const auto catalog = open();
  Table table = *Table::create(*catalog, name_, new_table());
  TableMetadata next = table.metadata();
  next.properties["by"] = "one";
  const auto one = catalog->replace(name_, next, table.metadata_location());
  ASSERT_TRUE(one) << one.error().message();
  next.properties["by"] = "two";
  const auto two = catalog->replace(name_, next, table.metadata_location());
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().code(), Code::conflict);
  EXPECT_EQ(*catalog->current(name_), *one);
  ASSERT_TRUE(table.refresh());
  EXPECT_EQ(table.metadata().properties.at("by"), "one");
}

TEST_F(SqlCatalogTest, ManyWritersAtOnceLoseNothing) {
  const auto catalog = open();
  ASSERT_TRUE(Table::create(*catalog, name_, new_table()));
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([&, writer] {
      const auto own = open();
      Table table = *Table::load(*own, name_, {.attempts_max = 1000});
      for (int n = 0; n < 5; ++n) {
        const auto done = table.commit({.added = {test_file(fmt::format("{}-{}", writer, n))}});
        EXPECT_TRUE(done) << done.error().message();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const Table table = *Table::load(*catalog, name_);
  EXPECT_EQ(live_files(table.metadata(), *table.metadata().current_snapshot())->size(), 15U);
}

TEST_F(SqlCatalogTest, ReadsACatalogWithoutTheNewerColumn) {
  sqlite3* database = nullptr;
  sqlite3_open((folder_.path() + "/catalog.db").c_str(), &database);
  ASSERT_EQ(sqlite3_exec(database,
                         "CREATE TABLE iceberg_tables (catalog_name TEXT NOT NULL, table_namespace "
                         "TEXT NOT NULL, table_name TEXT NOT NULL, metadata_location TEXT, "
                         "previous_metadata_location TEXT, PRIMARY KEY (catalog_name, "
                         "table_namespace, table_name))",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  const auto catalog = open();
  Table table = *Table::create(*catalog, name_, new_table());
  EXPECT_TRUE(table.commit({.added = {test_file("a")}}));
}

TEST_F(SqlCatalogTest, AFileThatIsNoDatabaseIsNamed) {
  std::ofstream(folder_.path() + "/catalog.db") << std::string(4096, 'x');
  const auto catalog = open_sql_catalog(
      {.path = folder_.path() + "/catalog.db", .catalog_name = "c", .warehouse = folder_.path()});
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().code(), Code::corrupt);
  EXPECT_THAT(catalog.error().message(), testing::HasSubstr("catalog.db"));
  EXPECT_EQ(open_sql_catalog(
                {.path = "/nowhere/catalog.db", .catalog_name = "c", .warehouse = folder_.path()})
                .error()
                .code(),
            Code::io);
  EXPECT_FALSE(open_sql_catalog(
      {.path = folder_.path() + "/c.db", .catalog_name = "c", .warehouse = "relative"}));
}

}  // namespace
}  // namespace reel::iceberg::sqlite
