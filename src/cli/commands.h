#pragma once
//! The verbs of the command line. Each registers a subcommand whose parsing sets `run`.

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace CLI {
class App;
}

namespace reel::cli {

inline constexpr std::string_view kVersion = "0.1.0";

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
//! Wrong usage, or something that the user must put right first.
inline constexpr int kExitUsage = 2;

//! What the chosen verb does; returns the exit code.
using Run = std::function<int()>;

void add_serve_command(CLI::App& app, Run& run);
void add_ingest_command(CLI::App& app, Run& run);
void add_export_command(CLI::App& app, Run& run);
void add_list_commands(CLI::App& app, Run& run);
void add_store_commands(CLI::App& app, Run& run);
void add_key_commands(CLI::App& app, Run& run);
void add_table_commands(CLI::App& app, Run& run);
void add_sql_command(CLI::App& app, Run& run);
void add_exr_commands(CLI::App& app, Run& run);
//! Those of them that look at many files as one: sequences, check, similar.
void add_exr_set_commands(CLI::App& exr, Run& run);
void add_exr_ingest_command(CLI::App& exr, Run& run);
void add_completion_command(CLI::App& app, Run& run);

//! Declares `--to` or `--from`, the server's URL; default REELHOUSE_URL, else the local server.
void add_server_option(CLI::App& command, const char* flag, std::string& url);

//! Prints "reelhouse VERB: message" in one line and returns `exit_code`.
int fail(std::string_view verb, const Error& error, int exit_code);

//! Builds the whole command line; used by main and by tests.
void add_all_commands(CLI::App& app, Run& run);

//! Parses and runs. Never throws.
int run_command_line(int argc, const char* const* argv);

}  // namespace reel::cli
