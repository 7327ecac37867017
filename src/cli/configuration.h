#pragma once
//! The flags of verbs that work on a data directory.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/config.h"

namespace CLI {
class App;
}

namespace reel::cli {

struct ConfigurationFlags {
  std::string file;
  std::vector<std::pair<std::string, std::string>> settings;  //!< key and value, in order
};

//! Declares --config, --data-dir and --set.
void add_configuration_flags(CLI::App& command, const std::shared_ptr<ConfigurationFlags>& flags);

//! Flags, environment and file as one configuration. The file is --config, else REELHOUSE_CONFIG,
//! else ./reelhouse.toml when there is one.
Result<server::Config> load_configuration(const ConfigurationFlags& flags);

}  // namespace reel::cli
