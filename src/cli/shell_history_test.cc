#include "cli/shell_history.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "cli/temp_directory.h"

namespace reel::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

unsigned mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777U;
}

class ShellHistoryTest : public testing::Test {
 protected:
  std::vector<std::string> load() {
    auto entries = ShellHistory(path).load();
    EXPECT_TRUE(entries) << entries.error().message();
    return entries ? *entries : std::vector<std::string>();
  }

  const TempDirectory folder = *TempDirectory::make();
  const std::string path = folder.file("state/reelhouse/sql_history");
};

TEST_F(ShellHistoryTest, KeepsEntriesOfSeveralLinesForTheUserAlone) {
  EXPECT_THAT(load(), IsEmpty());
  ASSERT_TRUE(ShellHistory(path).add("SELECT 1;"));
  ASSERT_TRUE(ShellHistory(path).add("SELECT 'é\\n'\nFROM \"t\";"));
  EXPECT_THAT(load(), ElementsAre("SELECT 1;", "SELECT 'é\\n'\nFROM \"t\";"));
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(mode_of(folder.file("state/reelhouse")), 0700U);
}

TEST_F(ShellHistoryTest, LeavesOutWhatIsDamaged) {
  ASSERT_TRUE(ShellHistory(path).add("SELECT 1;"));
  std::ofstream(path, std::ios::app) << "\"half\n{}\n\n\"SELECT 2;\"";
  EXPECT_THAT(load(), ElementsAre("SELECT 1;", "SELECT 2;"));
}

TEST_F(ShellHistoryTest, IsCutWhenItHasGrownTooLong) {
  ASSERT_TRUE(ShellHistory(path).add("first"));
  {
    std::ofstream file(path, std::ios::app);
    for (std::size_t i = 0; i < 2 * ShellHistory::kEntriesMax; ++i) file << '"' << i << "\"\n";
  }
  EXPECT_EQ(load().size(), ShellHistory::kEntriesMax);
  const auto kept = load();
  EXPECT_EQ(kept.size(), ShellHistory::kEntriesMax);
  EXPECT_EQ(kept.back(), std::to_string(2 * ShellHistory::kEntriesMax - 1));
  EXPECT_EQ(mode_of(path), 0600U);
}

TEST_F(ShellHistoryTest, AnErrorNamesTheFile) {
  const auto added = ShellHistory("/proc/reelhouse/sql_history").add("x");
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message(), testing::HasSubstr("/proc/reelhouse"));
}

TEST_F(ShellHistoryTest, StandsWhereTheEnvironmentSays) {
  ::setenv("HOME", "/data/ann", 1);
  ::setenv("XDG_STATE_HOME", "/state", 1);
  EXPECT_EQ(shell_history_path(), "/state/reelhouse/sql_history");
  ::setenv("XDG_STATE_HOME", "relative", 1);
  EXPECT_EQ(shell_history_path(), "/data/ann/.local/state/reelhouse/sql_history");
  ::unsetenv("HOME");
  EXPECT_EQ(shell_history_path(), "");
}

}  // namespace
}  // namespace reel::cli
