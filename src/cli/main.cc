#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "cli/commands.h"

namespace reel::cli {
int fail(std::string_view verb, const Error& error, int exit_code) {
  fmt::print(stderr, "reelhouse {}: {}\n", verb, error.message());
  return exit_code;
}
}  // namespace reel::cli

int main(int argc, char** argv) {
  CLI::App app;
  reel::cli::Run run;
  app.require_subcommand(1);
  reel::cli::add_serve_command(app, run);
  reel::cli::add_store_commands(app, run);
  CLI11_PARSE(app, argc, argv);
  return run();
}
