#include <CLI/CLI.hpp>
#include "cli/commands.h"
namespace reel::cli {
void add_export_command(CLI::App&, Run&) {}
}  // namespace reel::cli
