#include "exr/tables/record.h"

#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exr/tables/paths.h"
#include "exr/test_headers.h"
#include "store/sqlite/sqlite_store.h"

namespace reel::exr {
namespace {

using exr::testing::make_header;
using exr::testing::PartBuilder;
using store::Binary;
using store::Value;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr Instant kFirst{1'700'000'000'000'000};
constexpr Instant kSecond{1'700'000'600'000'000};

template <class T>
T value_or_abort(Result<T> result) {
  if (!result) ADD_FAILURE() << result.error().message();
  REEL_CHECK(result.has_value());
  return *std::move(result);
}

//! A file of this header that is otherwise right.
Inspection inspection(const std::string& path, Header header, std::uint64_t size = 1000) {
  Inspection out;
  out.path = path;
  out.size = size;
  out.modified = kFirst;
  out.shape = shape_hash(header);
  out.header = std::move(header);
  out.header_whole = true;
  out.complete = true;
  return out;
}

using Row = std::map<std::string, Value>;

class RecordTest : public ::testing::Test {
 protected:
  RecordTest() {
    std::string name = (std::filesystem::temp_directory_path() / "reel-exr-XXXXXX").string();
    REEL_CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    store_ = value_or_abort(store::open_sqlite_store({.path = folder_ + "/store.db"}));
    REEL_CHECK(ensure_record_tables(*store_, tables_).has_value());
  }
  ~RecordTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  FileRows rows_of(Inspection file) { return value_or_abort(make_rows(tables_, std::move(file))); }

  std::vector<bool> record(const std::vector<FileRows>& files, Instant now = kFirst) {
    return value_or_abort(record_files(*store_, tables_, files, now));
  }
  std::vector<bool> record(Inspection file, Instant now = kFirst) {
    std::vector<FileRows> files;
    files.push_back(rows_of(std::move(file)));
    return record(files, now);
  }

  std::vector<Row> rows(const std::string& table) {
    const auto snapshot = value_or_abort(store_->snapshot());
    std::vector<Row> out;
    const Status scanned = snapshot->scan({.table = table}, [&](const store::RowView& view) {
      Row row;
      for (std::size_t i = 0; i < view.schema.columns.size(); ++i) {
        row.emplace(view.schema.columns[i].name, view.cells[i]);
      }
      out.push_back(std::move(row));
      return true;
    });
    EXPECT_TRUE(scanned.has_value());
    return out;
  }
  std::vector<std::string> texts(const std::string& table, const std::string& column) {
    std::vector<std::string> out;
    for (const Row& row : rows(table)) out.push_back(row.at(column).get<std::string>());
    return out;
  }
  std::map<std::string, std::size_t> counts() {
    std::map<std::string, std::size_t> out;
    for (const store::TableDefinition& each : tables_.definitions()) {
      out[std::string(store::split_table_name(each.name).table)] = rows(each.name).size();
    }
    return out;
  }

  //! As a statement of SQL deletes the row of the file.
  Status erase(const std::string& table, const store::Key& key) {
    const auto snapshot = value_or_abort(store_->snapshot());
    auto row = value_or_abort(snapshot->get(table, key));
    const auto schema = value_or_abort(snapshot->catalog().table(table));
    return apply_record_edits(*store_, *schema, {{.before = std::move(row)}});
  }

  const RecordTables tables_;
  std::string folder_;
  std::unique_ptr<store::Store> store_;
};

TEST_F(RecordTest, AFileIsRowsOfFourTables) {
  PartBuilder part;
  part.set("view", "left").set("name", "beauty").set("owner", "somebody");
  part.set("dataWindow", Box2i{{{-5, 2}}, {{10, 20}}});
  EXPECT_THAT(record(inspection("/d//a.1001.exr", make_header(part))), ElementsAre(true));

  const Row file = rows(tables_.files).at(0);
  EXPECT_EQ(file.at("file_path"), Value("/d//a.1001.exr"));
  EXPECT_EQ(file.at("file_path_normalized"), Value("/d/a.1001.exr"));
  EXPECT_EQ(file.at("inspection_count"), Value(1));
  EXPECT_EQ(file.at("is_deep"), Value(false));
  EXPECT_EQ(file.at("status"), Value("ok"));
  EXPECT_EQ(file.at("metadata_embedding").get<store::ValueList>().size(), 384U);
  EXPECT_EQ(file.at("channel_fingerprint").get<store::ValueList>().size(), 128U);
  const Row row = rows(tables_.parts).at(0);
  EXPECT_EQ(row.at("part_name"), Value("beauty"));
  EXPECT_EQ(row.at("view_name"), Value("left"));
  EXPECT_EQ(row.at("compression"), Value("zip"));
  EXPECT_EQ(row.at("data_window"), Value(R"({"min":[-5,2],"max":[10,20]})"));
  EXPECT_EQ(row.at("data_x_min"), Value(-5));
  EXPECT_EQ(row.at("data_y_max"), Value(20));
  EXPECT_EQ(row.at("pixel_aspect_ratio"), Value(1.0));
  EXPECT_THAT(texts(tables_.channels, "channel_name"), ElementsAre("B", "G", "R"));
  EXPECT_THAT(texts(tables_.channels, "channel_type"), ElementsAre("half", "half", "half"));
  EXPECT_EQ(rows(tables_.attributes).size(), 11U);
  EXPECT_THAT(rows(tables_.findings), IsEmpty());
}

TEST_F(RecordTest, TheSameFileAgainIsOnlyCounted) {
  const Header header = make_header(PartBuilder());
  record(inspection("/a.exr", header));
  const auto before = rows(tables_.attributes);
  EXPECT_THAT(record(inspection("/a.exr", header), kSecond), ElementsAre(false));
  EXPECT_EQ(rows(tables_.attributes), before);
  const Row file = rows(tables_.files).at(0);
  EXPECT_EQ(file.at("inspection_count"), Value(2));
  EXPECT_EQ(file.at("inspection_timestamp"), Value(kFirst));
  EXPECT_EQ(file.at("last_inspected"), Value(kSecond));
}

TEST_F(RecordTest, AnotherHeaderReplacesTheRowsOfItsPath) {
  record(inspection("/a.exr", make_header(PartBuilder().set("owner", "first"))));
  const std::string first = texts(tables_.files, "file_id").at(0);
  EXPECT_THAT(record(inspection("/a.exr", make_header(PartBuilder().compression(4))), kSecond),
              ElementsAre(true));
  EXPECT_EQ(texts(tables_.files, "file_id").size(), 1U);
  EXPECT_NE(texts(tables_.files, "file_id").at(0), first);
  EXPECT_THAT(texts(tables_.parts, "compression"), ElementsAre("piz"));
  EXPECT_EQ(rows(tables_.attributes).size(), 8U);
  EXPECT_EQ(texts(tables_.paths, "file_id"), texts(tables_.files, "file_id"));
}

TEST_F(RecordTest, OtherPixelsBelowTheSameHeaderAreNoticed) {
  const Header header = make_header(PartBuilder());
  record(inspection("/a.exr", header));
  Inspection cut = inspection("/a.exr", header, 500);
  cut.complete = false;
  cut.findings.push_back({.code = "chunk_outside", .message = "A chunk is missing"});
  EXPECT_THAT(record(std::move(cut), kSecond), ElementsAre(false));
  EXPECT_EQ(rows(tables_.files).at(0).at("size_bytes"), Value(500));
  EXPECT_EQ(rows(tables_.files).at(0).at("complete"), Value(false));
  EXPECT_THAT(texts(tables_.findings, "code"), ElementsAre("chunk_outside"));
  EXPECT_EQ(counts().at("channels"), 3U);
  record(inspection("/a.exr", header), kSecond);
  EXPECT_THAT(rows(tables_.findings), IsEmpty());
}

TEST_F(RecordTest, APlaceInASequenceStaysUntilAnotherIsGiven) {
  const Header header = make_header(PartBuilder());
  FileRows rows_of_frame = rows_of(inspection("/a.1001.exr", header));
  rows_of_frame.place = SequencePlace{"some sequence", 1001};
  std::vector<FileRows> files;
  files.push_back(std::move(rows_of_frame));
  record(files);
  record(inspection("/a.1001.exr", header));
  EXPECT_EQ(rows(tables_.files).at(0).at("frame"), Value(1001));
  record(inspection("/a.1001.exr", make_header(PartBuilder().compression(4))));
  EXPECT_EQ(rows(tables_.files).at(0).at("sequence_id"), Value("some sequence"));
}

TEST_F(RecordTest, ALargeValueIsKeptOnceForAllFilesThatHaveIt) {
  const std::string manifest(std::size_t{9} << 20, 'm');
  const auto with_manifest = [&](const std::string& owner) {
    return make_header(PartBuilder().set("manifest", manifest.c_str()).set("owner", owner.c_str()));
  };
  std::vector<FileRows> files;
  files.push_back(rows_of(inspection("/a.exr", with_manifest("a"))));
  files.push_back(rows_of(inspection("/b.exr", with_manifest("b"))));
  record(files);
  record(inspection("/c.exr", with_manifest("c")));
  std::string kept;
  for (const Row& row : rows(tables_.blobs)) kept += row.at("bytes").get<Binary>().bytes;
  EXPECT_EQ(kept, manifest);
  EXPECT_EQ(rows(tables_.blobs).at(0).at("uses"), Value(3));
  EXPECT_THAT(texts(tables_.blobs, "sha256"), ::testing::Each(to_hex(sha256(manifest))));

  record(inspection("/a.exr", make_header(PartBuilder())));
  EXPECT_EQ(rows(tables_.blobs).at(0).at("uses"), Value(2));
  const Sha256Digest c = with_manifest("c").sha256;
  ASSERT_TRUE(erase(tables_.files, {file_id("/c.exr", c)}).has_value());
  record(inspection("/b.exr", make_header(PartBuilder())));
  EXPECT_THAT(rows(tables_.blobs), IsEmpty());
}

TEST_F(RecordTest, DeletingAFileDeletesAllThatIsKnownOfIt) {
  const Header header = make_header(PartBuilder());
  record(inspection("/a.exr", header));
  record(inspection("/b.exr", header));
  ASSERT_TRUE(erase(tables_.files, {file_id("/a.exr", header.sha256)}).has_value());
  EXPECT_THAT(counts(),
              UnorderedElementsAre(std::pair("files", 1U), std::pair("paths", 1U),
                                   std::pair("parts", 1U), std::pair("channels", 3U),
                                   std::pair("attributes", 8U), std::pair("blobs", 0U),
                                   std::pair("findings", 0U), std::pair("sequences", 0U)));
  EXPECT_THAT(record(inspection("/a.exr", header)), ElementsAre(true));
  const Status alone = erase(tables_.parts, {file_id("/b.exr", header.sha256), 0});
  ASSERT_FALSE(alone.has_value());
  EXPECT_EQ(alone.error().code(), Code::forbidden);
}

TEST_F(RecordTest, NamesThatAreNoTextKeepTheirBytes) {
  Part part = PartBuilder().build();
  part.attributes.push_back({.name = "caf\xe9", .type = "string", .bytes = "1"});
  part.attributes.push_back({.name = "caf\xe8", .type = "str\xff", .bytes = "2"});
  part.attributes.push_back({.name = "owner", .type = "string", .bytes = "first"});
  part.attributes.push_back({.name = "owner", .type = "string", .bytes = "second"});
  record(inspection("/a.exr", make_header(std::vector<Part>{part})));
  std::map<std::int64_t, Row> by_ordinal;
  for (Row& row : rows(tables_.attributes)) {
    const std::int64_t ordinal = row.at("ordinal").get<std::int64_t>();
    by_ordinal.emplace(ordinal, std::move(row));
  }
  EXPECT_EQ(by_ordinal.at(8).at("attribute_name"), Value("caf\xef\xbf\xbd"));
  EXPECT_EQ(by_ordinal.at(8).at("name_bytes"), Value(Binary{"caf\xe9"}));
  EXPECT_TRUE(by_ordinal.at(8).at("type_bytes").is_null());
  EXPECT_EQ(by_ordinal.at(9).at("name_bytes"), Value(Binary{"caf\xe8"}));
  EXPECT_EQ(by_ordinal.at(9).at("type_bytes"), Value(Binary{"str\xff"}));
  EXPECT_EQ(by_ordinal.at(10).at("attribute_value"), Value("\"first\""));
  EXPECT_EQ(by_ordinal.at(11).at("value_bytes"), Value(Binary{"second"}));
}

TEST_F(RecordTest, AnotherSchemaHasTablesOfItsOwn) {
  const RecordTables other("show_a");
  ASSERT_TRUE(ensure_record_tables(*store_, other).has_value());
  const auto catalog = store_->catalog();
  EXPECT_TRUE(is_record_table(*value_or_abort(catalog->table("show_a.files"))));
  EXPECT_TRUE(is_record_table(*value_or_abort(catalog->table("exr_metadata.blobs"))));
}

}  // namespace
}  // namespace reel::exr
