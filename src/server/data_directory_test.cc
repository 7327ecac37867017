#include "server/data_directory.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reel::server {
namespace {

using testing::HasSubstr;

class DataDirectory : public testing::Test {
 protected:
  DataDirectory() {
    std::string pattern = testing::TempDir() + "/reel-data-XXXXXX";
    config_.data_dir = ::mkdtemp(pattern.data());
    config_.storage = {{.label = "local", .path = config_.data_dir, .id = {}}};
  }
  ~DataDirectory() override { std::filesystem::remove_all(config_.data_dir); }

  //! The message with which the storages are refused.
  std::string refusal() const {
    const auto storages = assign_storage_ids(config_);
    return storages ? "(accepted)" : storages.error().message();
  }

  Config config_;
};

TEST_F(DataDirectory, FilesAreReplacedAsAWhole) {
  const std::string path = data_path(config_, "file");
  EXPECT_EQ(read_file(path).error().code(), Code::not_found);
  ASSERT_TRUE(write_file(path, "first, long"));
  ASSERT_TRUE(write_file(path, "second"));
  EXPECT_EQ(*read_file(path), "second");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  EXPECT_EQ(write_file(config_.data_dir + "/none/file", "x").error().code(), Code::io);
}

TEST_F(DataDirectory, AStorageKeepsItsIdentifier) {
  const auto first = assign_storage_ids(config_);
  ASSERT_TRUE(first);
  const auto again = assign_storage_ids(config_);
  ASSERT_TRUE(again);
  EXPECT_EQ((*first)[0].id, (*again)[0].id);
}

TEST_F(DataDirectory, AConfiguredIdentifierIsKept) {
  config_.storage[0].id = StorageId::random();
  const auto storages = assign_storage_ids(config_);
  ASSERT_TRUE(storages);
  EXPECT_EQ((*storages)[0].id, config_.storage[0].id);
  config_.storage[0].id.reset();
  EXPECT_EQ((*assign_storage_ids(config_))[0].id, (*storages)[0].id);
}

TEST_F(DataDirectory, ContradictionsAreRefused) {
  ASSERT_TRUE(assign_storage_ids(config_));
  config_.storage[0].id = StorageId::random();
  EXPECT_THAT(refusal(), HasSubstr("storage 'local' is configured as"));
  config_.storage[0] = {.label = "a", .path = "/a", .id = StorageId::random()};
  config_.storage.push_back({.label = "b", .path = "/b", .id = config_.storage[0].id});
  EXPECT_THAT(refusal(), HasSubstr("two storages have the identifier"));
}

TEST_F(DataDirectory, StoragesThatAreNotConfiguredStayKnown) {
  ASSERT_TRUE(assign_storage_ids(config_));
  const auto before = read_storage_ids(config_);
  config_.storage = {{.label = "other", .path = "/other", .id = {}}};
  ASSERT_TRUE(assign_storage_ids(config_));
  const auto after = read_storage_ids(config_);
  ASSERT_EQ(after->size(), 2U);
  EXPECT_EQ(after->at("local"), before->at("local"));
}

TEST_F(DataDirectory, ABrokenFileIsNotOverwritten) {
  for (const std::string_view content : {"", "[]", "{\"local\":5}", "{\"local\":\"x\"}", "{"}) {
    ASSERT_TRUE(write_file(data_path(config_, kStorageFile), content));
    EXPECT_THAT(refusal(), HasSubstr("storage.json")) << content;
    EXPECT_EQ(*read_file(data_path(config_, kStorageFile)), content);
  }
}

}  // namespace
}  // namespace reel::server
