#pragma once
//! Shell completion, made from the command line's own description.

#include <string>

namespace CLI {
class App;
}

namespace reel::cli {

//! Scripts that complete verbs, options and files.
std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);

}  // namespace reel::cli
