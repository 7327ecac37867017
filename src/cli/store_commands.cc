#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/configuration.h"
#include "server/backup.h"
#include "server/check.h"

namespace reel::cli {
namespace {

using CopyFunction = Result<server::CopyReport> (*)(const server::Config&, const std::string&);

int copy(std::string_view verb, CopyFunction function, const ConfigurationFlags& flags,
         const std::string& directory) {
  const auto config = load_configuration(flags);
  if (!config) return fail(verb, config.error(), kExitUsage);
  const auto report = function(*config, directory);
  if (!report) return fail(verb, report.error(), kExitUsage);
  fmt::print("{} done: {} objects, {} bytes\n", verb, report->objects, report->bytes);
  return kExitOk;
}

int check(const ConfigurationFlags& flags, bool read_bytes) {
  const auto config = load_configuration(flags);
  if (!config) return fail("check", config.error(), kExitUsage);
  const auto report = server::check(*config, read_bytes);
  if (!report) return fail("check", report.error(), kExitUsage);
  for (const auto& table : report->tables) {
    fmt::print("{:<20} {:>12} rows, ledger {}\n", table.name, table.rows,
               table.ledger_agrees ? "agrees" : "DIFFERS");
  }
  fmt::print("{:<20} {:>12} objects, {} bytes\n", "media", report->objects, report->bytes);
  for (const std::string& finding : report->findings) fmt::print("found: {}\n", finding);
  fmt::print("{}\n", report->findings.empty() ? "all is well" : "something is wrong");
  return report->findings.empty() ? kExitOk : kExitFailure;
}

struct CopyVerb {
  const char* name;
  const char* summary;
  const char* directory;
  CopyFunction function;
};

void add_copy_command(CLI::App& app, Run& run, const CopyVerb& verb) {
  CLI::App* command = app.add_subcommand(verb.name, verb.summary);
  const auto flags = std::make_shared<ConfigurationFlags>();
  const auto directory = std::make_shared<std::string>();
  command->add_option("DIR", *directory, verb.directory)->required();
  add_configuration_flags(*command, flags);
  command->callback([&run, verb, flags, directory] {
    run = [=] { return copy(verb.name, verb.function, *flags, *directory); };
  });
}

}  // namespace

void add_store_commands(CLI::App& app, Run& run) {
  add_copy_command(app, run,
                   {.name = "backup",
                    .summary = "Copy a data directory, while a server runs on it or not",
                    .directory = "Where to; must not exist or be empty",
                    .function = server::backup});
  add_copy_command(app, run,
                   {.name = "restore",
                    .summary = "Fill an empty data directory from a backup",
                    .directory = "The backup",
                    .function = server::restore});
  CLI::App* command = app.add_subcommand("check", "Recount a data directory that nobody serves");
  const auto flags = std::make_shared<ConfigurationFlags>();
  const auto read_bytes = std::make_shared<bool>(false);
  command->add_flag("--bytes", *read_bytes, "Read all media and compare checksums");
  add_configuration_flags(*command, flags);
  command->callback(
      [&run, flags, read_bytes] { run = [=] { return check(*flags, *read_bytes); }; });
}

}  // namespace reel::cli
