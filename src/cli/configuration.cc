#include "cli/configuration.h"

#include <unistd.h>
#include <CLI/CLI.hpp>

namespace reel::cli {

void add_configuration_flags(CLI::App& command, const std::shared_ptr<ConfigurationFlags>& flags) {
  command.add_option("--config", flags->file, "Configuration file (TOML)")->type_name("FILE");
  command
      .add_option_function<std::string>(
          "--data-dir",
          [flags](const std::string& path) { flags->settings.emplace_back("data_dir", path); },
          "Data directory (default ./reelhouse-data)")
      ->type_name("DIR");
  command
      .add_option_function<std::vector<std::string>>(
          "--set",
          [flags](const std::vector<std::string>& pairs) {
            for (const std::string& pair : pairs) {
              const std::size_t equals = pair.find('=');
              if (equals == std::string::npos) {
                throw CLI::ValidationError("--set", "wants KEY=VALUE, not " + pair);
              }
              flags->settings.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
            }
          },
          "Any setting, such as log.level=debug; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

Result<server::Config> load_configuration(const ConfigurationFlags& flags) {
  constexpr char kUsualFile[] = "reelhouse.toml";
  server::ConfigSources sources;
  sources.environment = server::ConfigSources::process_environment();
  sources.flags = flags.settings;
  sources.file = flags.file;
  const auto variable = sources.environment.find("REELHOUSE_CONFIG");
  if (sources.file.empty() && variable != sources.environment.end())
    sources.file = variable->second;
  if (sources.file.empty() && ::access(kUsualFile, F_OK) == 0) sources.file = kUsualFile;
  return server::load_config(std::move(sources));
}

}  // namespace reel::cli
