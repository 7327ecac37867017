#include <algorithm>
#include <csignal>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace reel::cli {
namespace {

constexpr char kFooter[] = R"help(
Environment:
  REELHOUSE_URL   server for ingest, export, lists and tables (default http://127.0.0.1:8000)
  REELHOUSE_TOKEN API key or JWT for that server
  TMPDIR          where media waits on its way (default /tmp)

Exit codes:
  0 done, 1 failed, 2 wrong usage or something missing (a program, a file, the server)

Examples:
  reelhouse serve --data-dir ./reelhouse-data
  reelhouse ingest holiday.mp4
  reelhouse flows --timerange [0:0_60:0)
  reelhouse export FLOW "[100:0_160:0)" -o clip.mp4

Each verb has its own --help.)help";

//! One line, whatever the library's message looks like.
int usage_error(const CLI::Error& error) {
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  fmt::print(stderr, "reelhouse: {} (see reelhouse --help)\n", text);
  return kExitUsage;
}

}  // namespace

void add_server_option(CLI::App& command, const char* flag, std::string& url) {
  if (url.empty()) url = "http://127.0.0.1:8000";
  command.add_option(flag, url, "URL of the TAMS server")
      ->type_name("URL")
      ->envname("REELHOUSE_URL")
      ->capture_default_str();
}

int fail(std::string_view verb, const Error& error, int exit_code) {
  std::string text = error.message();
  std::replace(text.begin(), text.end(), '\n', ' ');
  fmt::print(stderr, "reelhouse {}: {}\n", verb, text);
  return exit_code;
}

void add_all_commands(CLI::App& app, Run& run) {
  app.description("Reelhouse, a time-addressable media lakehouse.");
  app.footer(kFooter);
  app.set_version_flag("--version", fmt::format("reelhouse {}", kVersion), "Print the version");
  app.require_subcommand(1);
  add_serve_command(app, run);
  add_ingest_command(app, run);
  add_export_command(app, run);
  add_list_commands(app, run);
  add_table_commands(app, run);
  add_store_commands(app, run);
  add_key_commands(app, run);
  add_sql_command(app, run);
  add_exr_commands(app, run);
  add_completion_command(app, run);
}

int run_command_line(int argc, const char* const* argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe or socket is an error code, not an end
  CLI::App app;
  Run run;
  add_all_commands(app, run);
  if (argc == 1) {
    fmt::print(stderr, "{}", app.help());
    return kExitUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::Error& error) {
    return usage_error(error);
  }
  return run ? run() : kExitUsage;
}

}  // namespace reel::cli
