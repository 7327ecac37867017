#include "cli/completion.h"

#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace reel::cli {
namespace {

//! "--to" and "-q" of every option; positional arguments have none.
std::string option_words(const CLI::App& command) {
  std::string words;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
    for (const std::string& name : option->get_snames()) words += "-" + name + " ";
  }
  if (!words.empty()) words.pop_back();
  return words;
}

std::string zsh_quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else if (c == '[' || c == ']' || c == ':')
      out += std::string("\\") + c;
    else
      out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string zsh_options(const CLI::App& command) {
  std::string lines;
  for (const CLI::Option* option : command.get_options()) {
    const bool takes_value = option->get_items_expected_max() > 0;
    for (const std::string& name : option->get_lnames()) {
      lines += fmt::format(" \\\n        '--{}[{}]{}'", name, zsh_quoted(option->get_description()),
                           takes_value ? ":value:_files" : "");
    }
  }
  return lines;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string verbs;
  std::string cases;
  for (const CLI::App* command : app.get_subcommands({})) {
    verbs += command->get_name() + " ";
    cases += fmt::format("    {}) words=\"{}\" ;;\n", command->get_name(), option_words(*command));
  }
  return fmt::format(R"(# bash completion for reelhouse: source <(reelhouse completion bash)
_reelhouse() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{}{}" -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{}  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}}
complete -o filenames -F _reelhouse reelhouse
)",
                     verbs, option_words(app), cases);
}

std::string zsh_completion(const CLI::App& app) {
  std::string verbs;
  std::string cases;
  for (const CLI::App* command : app.get_subcommands({})) {
    verbs +=
        fmt::format("    '{}:{}'\n", command->get_name(), zsh_quoted(command->get_description()));
    cases += fmt::format("    {})\n      _arguments{} \\\n        '*:file:_files' ;;\n",
                         command->get_name(), zsh_options(*command));
  }
  return fmt::format(R"(#compdef reelhouse
# zsh completion for reelhouse: source <(reelhouse completion zsh)
_reelhouse() {{
  local -a verbs
  verbs=(
{}  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
{}  esac
}}
compdef _reelhouse reelhouse
)",
                     verbs, cases);
}

void add_completion_command(CLI::App& app, Run& run) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print a completion script");
  command->footer("\nExample:\n  source <(reelhouse completion bash)");
  command->add_option("shell", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([&app, &run, shell] {
    run = [&app, shell] {
      fmt::print("{}", *shell == "bash" ? bash_completion(app) : zsh_completion(app));
      return kExitOk;
    };
  });
}

}  // namespace reel::cli
