#include "cli/migration_files.h"

#include <gtest/gtest.h>

#include "cli/temp_directory.h"

namespace reel::cli {
namespace {

constexpr const char* kCreate = R"({"create_table":{"name":"cams","primary_key":["k"],)"
                                R"("columns":[{"name":"k","type":"int64"}]}})";
constexpr const char* kChange =
    R"({"table":"cams","operations":[{"op":"drop_column","column":"a"}]})";

class MigrationFilesTest : public testing::Test {
 protected:
  void write(std::string_view name, std::string_view text) {
    ASSERT_TRUE(write_file(folder_.file(name), text));
  }
  auto read() { return read_migrations(folder_.file("")); }
  std::string refusal() {
    const auto files = read();
    return files ? "none" : files.error().message();
  }

  const TempDirectory folder_ = *TempDirectory::make();
};

TEST_F(MigrationFilesTest, AreReadInTheOrderOfTheirNumbers) {
  write("0002_more.json", kChange);
  write("0001_cams.json", kCreate);
  write("README.md", "not one of them");
  const auto files = read();
  ASSERT_TRUE(files) << files.error().message();
  ASSERT_EQ(files->size(), 2U);
  EXPECT_TRUE((*files)[0].creates);
  EXPECT_EQ((*files)[0].table, "cams");
  EXPECT_FALSE((*files)[1].creates);
  EXPECT_EQ((*files)[1].document.as_array()->size(), 1U);
  EXPECT_EQ((*files)[1].comment(), "migration 0002_more sha256:" + (*files)[1].checksum);
  EXPECT_EQ((*files)[1].checksum.size(), 64U);
}

TEST_F(MigrationFilesTest, NumbersHaveNoGapsAndAreThereOnce) {
  write("0001_cams.json", kCreate);
  write("0003_more.json", kChange);
  EXPECT_NE(refusal().find("number 2 is missing"), std::string::npos);
  write("0002_a.json", kChange);
  EXPECT_EQ(refusal(), "none");
  write("0002_b.json", kChange);
  EXPECT_NE(refusal().find("0002_b.json: the number 2 is there twice"), std::string::npos);
}

TEST_F(MigrationFilesTest, OtherNamesAndDocumentsAreRefused) {
  for (const char* name : {"1_x.json", "x.json", "0001.json", "0001_.json", "0000_x.json"}) {
    write(name, kCreate);
    EXPECT_NE(refusal().find("NNNN_name.json"), std::string::npos) << name;
    std::filesystem::remove(folder_.file(name));
  }
  for (const char* text : {"", "[]", "{}", R"({"table":"a"})", R"({"operations":[]})",
                           R"({"table":"a","operations":{}})", R"({"create_table":{}})",
                           R"({"create_table":{"name":"a"},"table":"a"})",
                           R"({"table":"a","operations":[],"more":1})"}) {
    write("0001_x.json", text);
    EXPECT_NE(refusal().find("0001_x.json: "), std::string::npos) << text;
  }
}

TEST_F(MigrationFilesTest, ADirectoryMustBeThere) {
  EXPECT_EQ(read_migrations(folder_.file("nowhere")).error().code(), Code::not_found);
}

MigrationFile file(std::string name, std::string table, std::string checksum) {
  return {.name = std::move(name),
          .table = std::move(table),
          .checksum = std::move(checksum),
          .document = {}};
}

TEST(AppliedMigrationsTest, AreFoundUnderTheNameThatTheTableHadThen) {
  AppliedMigrations applied;
  note_applied(*json::parse(R"([
    {"version":1,"name":"a","comment":"migration 0001_x sha256:11"},
    {"version":2,"name":"b","comment":"migration 0002_rename sha256:22"},
    {"version":3,"name":"b","comment":"by hand"},
    {"version":4,"name":"b","comment":"migration 0003_y sha256:33"}])"),
               applied);
  const AppliedMigrations expected = {
      {{"0001_x", "a"}, "11"}, {{"0002_rename", "a"}, "22"}, {{"0003_y", "b"}, "33"}};
  EXPECT_EQ(applied, expected);
}

TEST(AppliedMigrationsTest, AreTheFirstOfTheFiles) {
  const std::vector<MigrationFile> files = {file("0001_x", "a", "11"), file("0002_y", "a", "22"),
                                            file("0003_z", "b", "33")};
  EXPECT_EQ(*count_applied(files, {}), 0U);
  EXPECT_EQ(*count_applied(files, {{{"0001_x", "a"}, "11"}, {{"0002_y", "a"}, "22"}}), 2U);
  // Of another directory: its files have the same names, its tables have not.
  EXPECT_EQ(*count_applied(files, {{{"0001_x", "other"}, "99"}}), 0U);
  const auto changed = count_applied(files, {{{"0001_x", "a"}, "12"}});
  EXPECT_NE(changed.error().message().find("0001_x was changed"), std::string::npos);
  const auto gap = count_applied(files, {{{"0002_y", "a"}, "22"}});
  EXPECT_EQ(gap.error().message(), "0001_x is not applied, but 0002_y is");
}

}  // namespace
}  // namespace reel::cli
