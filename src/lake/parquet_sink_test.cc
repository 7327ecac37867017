#include "lake/parquet_sink.h"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "json/value.h"
#include "lake/durable_file.h"
#include "lake/read_back_test_support.h"
#include "lake/test_folder.h"
#include "store/document.h"
#include "store/test_values.h"

namespace reel::lake {
namespace {

namespace fs = std::filesystem;
using store::Field;
using store::Row;
using store::Type;
using store::TypeKind;
using store::Value;
using testing::read_back;
using testing::TemporaryFolder;
using testing::value_of;

constexpr std::string_view kPath = "films/global/2026-11-21/17-00-00_x.parquet";

//! A key and a column of every type.
store::TableSchema every_type() {
  store::TableDefinition definition{
      .name = "everything",
      .columns = {{.name = "id", .type = Type::of(TypeKind::int64), .nullable = false}},
      .partition_key = {"id"}};
  std::vector<Type> types;
  for (int kind = 1; kind <= static_cast<int>(TypeKind::date); ++kind) {
    types.push_back(static_cast<TypeKind>(kind) == TypeKind::decimal
                        ? Type::decimal(28, 9)
                        : Type::of(static_cast<TypeKind>(kind)));
  }
  types.push_back(Type::list(Type::of(TypeKind::uuid)));
  types.push_back(Type::list(Type::list(Type::of(TypeKind::string))));
  types.push_back(Type::fixed_list(Type::of(TypeKind::float32), 3));
  types.push_back(Type::map(Type::list(Type::of(TypeKind::uint64))));
  types.push_back(Type::structure({Field{.name = "a", .type = Type::of(TypeKind::uuid)},
                                   Field{.name = "b", .type = Type::map(Type::decimal(28, 9))}}));
  for (std::size_t i = 0; i < types.size(); ++i) {
    definition.columns.push_back({.name = fmt::format("c{}", i), .type = types[i]});
  }
  return value_of(store::make_schema(7, definition));
}

Row random_row(store::testing::RandomValues& values, const store::TableSchema& schema,
               std::int64_t key) {
  Row row = {Instant{1'700'000'000'000'000 + key}, key};
  for (std::size_t i = 2; i < schema.columns.size(); ++i) {
    row.push_back(values.value(schema.columns[i].type));
  }
  return row;
}

DataFile write(const std::string& folder, const store::TableSchema& schema,
               const std::vector<Row>& rows, ParquetOptions options = {}) {
  auto sink = value_of(ParquetSink::create(folder, std::string(kPath), schema, std::move(options)));
  for (const Row& row : rows) EXPECT_OK(sink->add(row));
  return value_of(sink->finish());
}

//! Where tests/lake looks, if it asked for a sample.
std::string sample_folder(const TemporaryFolder& folder) {
  const char* wanted = std::getenv("REELHOUSE_LAKE_SAMPLE");
  return wanted == nullptr ? folder.path() : wanted;
}

void write_json(const std::string& path, const store::TableSchema& schema,
                const std::vector<Row>& rows) {
  json::Array documents;
  for (const Row& row : rows) {
    json::Object document;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const store::Column& column = schema.columns[i];
      document.emplace_back(column.name, store::value_to_json(column.type, row[i]));
    }
    documents.emplace_back(std::move(document));
  }
  json::Object sample;
  sample.emplace_back("schema", store::schema_to_json(schema));
  sample.emplace_back("rows", std::move(documents));
  std::ofstream(path) << json::to_text(json::Value(std::move(sample)));
}

//! Python knows the years 1 to 9999.
void tame_times(Row& row) {
  for (Value& cell : row) {
    if (const auto* at = cell.get_if<Instant>()) {
      cell = Instant{at->micros % 50'000'000'000'000'000};
    } else if (const auto* day = cell.get_if<store::Date>()) {
      cell = store::Date{day->days % 500'000};
    }
  }
}

//! As JSON where they differ: cells have no other form that people can read.
void expect_equal(const store::TableSchema& schema, const std::vector<Row>& read,
                  const std::vector<Row>& rows) {
  ASSERT_EQ(read.size(), rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
      if (read[row][i] == rows[row][i]) continue;
      const Type& type = schema.columns[i].type;
      ADD_FAILURE() << "row " << row << ", " << schema.columns[i].name << " " << type.to_string()
                    << ": " << json::to_text(store::value_to_json(type, read[row][i])) << ", not "
                    << json::to_text(store::value_to_json(type, rows[row][i]));
    }
  }
}

TEST(ParquetSinkTest, every_type_reads_back) {
  const TemporaryFolder folder;
  const auto schema = every_type();
  store::testing::RandomValues values(test_seed());
  std::vector<Row> rows;
  for (std::int64_t key = 0; key < 300; ++key) {
    rows.push_back(random_row(values, schema, key));
    tame_times(rows.back());
  }
  const DataFile file =
      write(sample_folder(folder), schema, rows, {.metadata = {{"reelhouse.view_set", "films"}}});
  write_json(sample_folder(folder) + "/sample.json", schema, rows);

  EXPECT_EQ(file.path, kPath);
  EXPECT_EQ(file.rows, 300);
  const std::string path = sample_folder(folder) + "/" + file.path;
  EXPECT_EQ(file.size_bytes, static_cast<std::int64_t>(fs::file_size(path)));
  EXPECT_EQ(file.sha256, value_of(hash_file(path)));
  const auto read = read_back(path, schema);
  expect_equal(schema, read.rows, rows);
  EXPECT_EQ(read.metadata.at("reelhouse.view_set"), "films");
  EXPECT_TRUE(read.zstd);
  EXPECT_EQ(read.sorted, std::vector<int>{static_cast<int>(schema.find("id")->id)});
}

//! The permanent ids of the leaves of a type, in the order in which Parquet has them.
void collect_leaves(store::ColumnId id, const Type& type, std::vector<int>& leaves) {
  if (!type.is_nested()) return leaves.push_back(static_cast<int>(id));
  for (const Field& child : type.children) {
    if (type.kind == TypeKind::map) leaves.push_back(static_cast<int>(child.id) - 1);
    collect_leaves(child.id, child.type, leaves);
  }
}

TEST(ParquetSinkTest, random_types_read_back_with_their_ids_and_statistics) {
  store::testing::RandomValues values(test_seed());
  for (int round = 0; round < 60; ++round) {
    const TemporaryFolder folder;
    store::TableDefinition definition{
        .name = "any",
        .columns = {{.name = "id", .type = Type::of(TypeKind::int64), .nullable = false}},
        .partition_key = {"id"}};
    for (int i = 0; i < 3; ++i) {
      definition.columns.push_back({.name = fmt::format("c{}", i), .type = values.type(0)});
    }
    const auto schema = value_of(store::make_schema(7, definition));
    std::vector<Row> rows;
    for (std::int64_t key = 0; key < 20; ++key) rows.push_back(random_row(values, schema, key));
    const DataFile file = write(folder.path(), schema, rows, {.row_group_rows_max = 7});
    const auto read = read_back(folder.path() + "/" + file.path, schema);
    EXPECT_EQ(read.row_groups, 3);
    expect_equal(schema, read.rows, rows);
    std::vector<int> leaves;
    for (const auto& column : schema.columns) collect_leaves(column.id, column.type, leaves);
    EXPECT_EQ(read.leaf_ids, leaves);
    EXPECT_EQ(file.columns.size(), leaves.size());
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
      if (schema.columns[i].type.is_nested()) continue;
      const ColumnStatistics& statistics = file.columns.at(schema.columns[i].id);
      std::int64_t nulls = 0;
      for (const Row& row : rows) nulls += row[i].is_null() ? 1 : 0;
      EXPECT_EQ(statistics.values, 20);
      EXPECT_EQ(statistics.nulls, nulls);
      EXPECT_GT(statistics.bytes, 0);
    }
  }
}

store::TableSchema texts() {
  return value_of(store::make_schema(
      3, {.name = "texts",
          .columns = {{.name = "id", .type = Type::of(TypeKind::int64), .nullable = false},
                      {.name = "text", .type = Type::of(TypeKind::string)}},
          .partition_key = {"id"}}));
}

Row text_row(std::int64_t id, std::string text) { return {Instant{1}, id, std::move(text)}; }

TEST(ParquetSinkTest, large_cells_end_a_row_group_early) {
  const TemporaryFolder folder;
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 24; ++i) rows.push_back(text_row(i, std::string(1 << 20, 'x')));
  const DataFile file =
      write(folder.path(), texts(), rows, {.row_group_bytes_max = std::size_t{8} << 20});
  const auto read = read_back(folder.path() + "/" + file.path, texts());
  EXPECT_EQ(read.row_groups, 3);
  expect_equal(texts(), read.rows, rows);
}

TEST(ParquetSinkTest, rows_come_in_the_order_of_their_keys) {
  const TemporaryFolder folder;
  auto sink = value_of(ParquetSink::create(folder.path(), "a.parquet", texts(), {}));
  EXPECT_OK(sink->add(text_row(2, "b")));
  EXPECT_EQ(testing::text_of(sink->add(text_row(2, "c"))),
            "invalid: rows for a.parquet do not come in the order of their keys");
}

TEST(ParquetSinkTest, a_file_is_there_whole_or_not_at_all) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a.parquet";
  {
    auto sink = value_of(ParquetSink::create(folder.path(), "a.parquet", texts(), {}));
    EXPECT_OK(sink->add(text_row(1, "a")));
    EXPECT_TRUE(fs::exists(path + ".part"));
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  auto sink = value_of(ParquetSink::create(folder.path(), "a.parquet", texts(), {}));
  EXPECT_OK(sink->add(text_row(1, "a")));
  ASSERT_TRUE(sink->finish());
  EXPECT_TRUE(fs::exists(path));
  EXPECT_FALSE(fs::exists(path + ".part"));
  const auto again = ParquetSink::create(folder.path(), "a.parquet", texts(), {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::conflict);
}

//! The system refuses to make any file larger than this, while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(ParquetSinkTest, what_the_disk_refuses_is_told_and_leaves_nothing) {
  const TemporaryFolder folder;
  {
    auto sink = value_of(ParquetSink::create(folder.path(), "a.parquet", texts(), {}));
    const FileSizeLimit limit(100);
    for (std::int64_t i = 0; i < 100; ++i) EXPECT_OK(sink->add(text_row(i, "text")));
    const auto finished = sink->finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().code(), Code::io);
    EXPECT_EQ(finished.error().message(),
              "writing " + folder.path() + "/a.parquet.part: File too large");
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace reel::lake
