#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/completion.h"

namespace reel::cli {
namespace {

//! Exit code of parsing `words`; nothing runs.
int parse(const std::vector<const char*>& words) {
  CLI::App app;
  Run run;
  add_all_commands(app, run);
  std::vector<const char*> all = {"reelhouse"};
  all.insert(all.end(), words.begin(), words.end());
  try {
    app.parse(static_cast<int>(all.size()), all.data());
  } catch (const CLI::Success&) {
    return kExitOk;
  } catch (const CLI::Error&) {
    return kExitUsage;
  }
  return run ? kExitOk : kExitFailure;
}

TEST(CommandLine, AcceptsTheDocumentedForms) {
  EXPECT_EQ(parse({"--version"}), kExitOk);
  EXPECT_EQ(parse({"--help"}), kExitOk);
  EXPECT_EQ(parse({"ingest", "file.mp4"}), kExitOk);
  EXPECT_EQ(parse({"ingest", "-", "--live", "--to", "http://x", "--label", "A B"}), kExitOk);
  EXPECT_EQ(parse({"export", "f", "[100:0_160:0)", "-o", "clip.mp4"}), kExitOk);
  EXPECT_EQ(parse({"flows", "--json", "--tag", "a=b"}), kExitOk);
  EXPECT_EQ(parse({"segments", "f", "[0:0_1:0)"}), kExitOk);
  EXPECT_EQ(parse({"sources"}), kExitOk);
  EXPECT_EQ(parse({"completion", "bash"}), kExitOk);
}

TEST(CommandLine, RefusesTheRest) {
  EXPECT_EQ(parse({}), kExitUsage);
  EXPECT_EQ(parse({"fly"}), kExitUsage);
  EXPECT_EQ(parse({"ingest"}), kExitUsage);
  EXPECT_EQ(parse({"ingest", "a", "b"}), kExitUsage);
  EXPECT_EQ(parse({"ingest", "a", "--container", "avi"}), kExitUsage);
  EXPECT_EQ(parse({"ingest", "a", "--parallel", "0"}), kExitUsage);
  EXPECT_EQ(parse({"export", "f", "_"}), kExitUsage);
  EXPECT_EQ(parse({"export", "f", "_", "-o", "x.mp4", "--copy", "--exact"}), kExitUsage);
  EXPECT_EQ(parse({"completion", "fish"}), kExitUsage);
}

TEST(CommandLine, RunTellsUsageErrorsByExitCode) {
  const char* words[] = {"reelhouse", "fly"};
  EXPECT_EQ(run_command_line(2, words), kExitUsage);
}

TEST(Completion, KnowsEveryVerb) {
  CLI::App app;
  cli::Run run;
  add_all_commands(app, run);
  for (const std::string& script : {bash_completion(app), zsh_completion(app)}) {
    for (const CLI::App* command : app.get_subcommands({})) {
      EXPECT_NE(script.find(command->get_name()), std::string::npos) << command->get_name();
    }
    EXPECT_NE(script.find("--segment"), std::string::npos);
  }
}

}  // namespace
}  // namespace reel::cli
