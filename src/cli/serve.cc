#include <cstdio>
#include <memory>

#include <unistd.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/configuration.h"
#include "server/server.h"

namespace reel::cli {
namespace {

constexpr char kFooter[] = R"help(
Settings come from flags, then REELHOUSE_* variables, then the file: --config, else
REELHOUSE_CONFIG, else ./reelhouse.toml when there is one. `reelhouse config` prints all of them
with what they mean.

On standard output appears one line, "ready http://ADDRESS:PORT", when requests are answered; the
log goes to standard error. SIGTERM and SIGINT stop gracefully, SIGHUP reads the TLS certificate and
the log level again.)help";

int serve(const ConfigurationFlags& flags) {
  const auto config = load_configuration(flags);
  if (!config) return fail("serve", config.error(), kExitUsage);
  const Status status = server::serve(*config, [](const std::string& url) {
    fmt::print("ready {}\n", url);
    std::fflush(stdout);
  });
  return status ? kExitOk : fail("serve", status.error(), kExitUsage);
}

int print_config(const ConfigurationFlags& flags) {
  const auto config = load_configuration(flags);
  if (!config) return fail("config", config.error(), kExitUsage);
  fmt::print("{}", server::to_toml(*config));
  return kExitOk;
}

}  // namespace

void add_serve_command(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("serve", "Run the server");
  command->footer(kFooter);
  const auto flags = std::make_shared<ConfigurationFlags>();
  add_configuration_flags(*command, flags);
  command
      ->add_option_function<std::string>(
          "--http",
          [flags](const std::string& text) { flags->settings.emplace_back("http.address", text); },
          "Address to listen on (default 127.0.0.1:8000)")
      ->type_name("ADDRESS:PORT");
  command->callback([&run, flags] { run = [flags] { return serve(*flags); }; });

  CLI::App* print = app.add_subcommand("config", "Print the configuration in force as TOML");
  add_configuration_flags(*print, flags);
  print->callback([&run, flags] { run = [flags] { return print_config(*flags); }; });
}

}  // namespace reel::cli
