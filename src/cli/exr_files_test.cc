#include "cli/exr_files.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace reel::cli {
namespace {

using testing::ElementsAre;

class ExrFiles : public testing::Test {
 protected:
  ExrFiles()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("reelhouse-exr-files-{}", ::getpid())) {
    std::filesystem::create_directories(folder_ / "b" / "c");
    for (const char* name : {"z.exr", "a.EXR", "notes.txt", "b/m.exr", "b/c/n.exr"}) {
      std::ofstream(folder_ / name) << "x";
    }
    std::filesystem::create_directory_symlink(folder_, folder_ / "b" / "loop");
  }
  ~ExrFiles() override { std::filesystem::remove_all(folder_); }

  std::string in(const std::string& name) const { return folder_ / name; }
  //! Without the folder's name.
  std::vector<std::string> listed(const FileWords& words, const std::string& input = "") const {
    std::istringstream stream(input);
    FileList list = list_files(words, stream);
    EXPECT_TRUE(list.problems.empty());
    for (std::string& each : list.files) {
      if (each.starts_with(in(""))) each = each.substr(in("").size());
    }
    return list.files;
  }

 private:
  const std::filesystem::path folder_;
};

TEST_F(ExrFiles, Directories) {
  EXPECT_THAT(listed({.paths = {in("")}, .recursive = true}),
              ElementsAre("a.EXR", "b/c/n.exr", "b/m.exr", "z.exr"));
  EXPECT_THAT(listed({.paths = {in("")}, .recursive = true, .all_files = true}),
              ElementsAre("a.EXR", "b/c/n.exr", "b/m.exr", "notes.txt", "z.exr"));
  EXPECT_THAT(listed({.paths = {in("b")}}), ElementsAre("b"));
}

TEST_F(ExrFiles, PatternsAndNames) {
  EXPECT_THAT(listed({.paths = {in("*.exr"), in("notes.txt")}}), ElementsAre("z.exr", "notes.txt"));
  EXPECT_THAT(listed({.paths = {in("no*thing")}}), ElementsAre("no*thing"));
  EXPECT_THAT(listed({.paths = {in("[b]")}, .recursive = true}),
              ElementsAre("b/c/n.exr", "b/m.exr"));
}

TEST_F(ExrFiles, ListOnStandardInput) {
  EXPECT_THAT(listed({.paths = {"first", "-"}}, in("z.exr") + "\n\n" + in("missing")),
              ElementsAre("first", "z.exr", "missing"));
}

TEST_F(ExrFiles, RelativePathsAreBelowTheRoot) {
  EXPECT_THAT(listed({.paths = {"b", "-", "*.exr"}, .recursive = true, .root = in("")},
                     "notes.txt\n" + in("a.EXR")),
              ElementsAre("b/c/n.exr", "b/m.exr", "notes.txt", "a.EXR", "z.exr"));
}

TEST_F(ExrFiles, ADirectoryThatCannotBeListedIsSaid) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may list everything";
  std::filesystem::permissions(in("b/c"), std::filesystem::perms::none);
  std::istringstream none;
  const FileList list = list_files({.paths = {in("")}, .recursive = true}, none);
  std::filesystem::permissions(in("b/c"), std::filesystem::perms::owner_all);
  EXPECT_THAT(list.problems, ElementsAre(testing::StartsWith(in("b/c") + " cannot be listed: ")));
}

}  // namespace
}  // namespace reel::cli
