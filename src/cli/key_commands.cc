#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "auth/password.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/json_fields.h"
#include "cli/table.h"
#include "cli/tams_client.h"
#include "server/authentication.h"

namespace reel::cli {
namespace {

constexpr char kFooter[] = R"help(
While a server runs it alone may write its data directory, so name it with --server; REELHOUSE_TOKEN
holds the key of an admin. The first key is made while no server runs:

  reelhouse keys create me --role admin --data-dir ./reelhouse-data
  REELHOUSE_TOKEN=rhk_… reelhouse keys list --server http://127.0.0.1:8000)help";

//! What CLI11 fills in for the three verbs.
struct Words {
  std::shared_ptr<ConfigurationFlags> configuration = std::make_shared<ConfigurationFlags>();
  std::string server;  //!< empty: the data directory
  std::string name;    //!< create
  std::string role = "viewer";
  std::string expires;
  std::vector<std::string> classes;
  std::string id;  //!< revoke
};

using OnServer = std::function<Status(TamsClient&)>;
using OnDirectory = std::function<Status(auth::ApiKeys&)>;

int run_keys(const Words& words, const OnServer& on_server, const OnDirectory& on_directory) {
  if (!words.server.empty()) {
    const auto client = TamsClient::connect({.url = words.server});
    if (!client) return fail("keys", client.error(), kExitUsage);
    const Status done = on_server(**client);
    return done ? kExitOk : fail("keys", done.error(), kExitFailure);
  }
  const auto config = load_configuration(*words.configuration);
  if (!config) return fail("keys", config.error(), kExitUsage);
  const Status done = server::with_api_keys(*config, on_directory);
  return done ? kExitOk : fail("keys", done.error(), kExitUsage);
}

//! The key alone on standard output, so that a script can take it; the rest is for the reader.
void print_created(const std::string& id, const std::string& secret) {
  fmt::print("{}\n", secret);
  fmt::print(stderr, "key {}: keep it, it is not shown again\n", id);
}

Status create_on_server(const Words& words, TamsClient& client) {
  json::Value body(json::Object{});
  body.set("name", words.name);
  body.set("role", words.role);
  if (!words.expires.empty()) body.set("expires", words.expires);
  if (!words.classes.empty()) {
    body.set("auth_classes", json::Array(words.classes.begin(), words.classes.end()));
  }
  REEL_ASSIGN(const json::Value key, client.post("/auth/keys", body));
  print_created(string_field(key, "id"), string_field(key, "key"));
  return {};
}

Status create_in_directory(const Words& words, auth::ApiKeys& keys) {
  auth::NewApiKey wanted{.name = words.name};
  REEL_ASSIGN(wanted.role, auth::parse_role(words.role));
  if (!words.expires.empty()) {
    REEL_ASSIGN(wanted.expires, Instant::parse(words.expires));
  }
  if (!words.classes.empty()) wanted.classes = words.classes;
  REEL_ASSIGN(const auto created, keys.create(wanted, "reelhouse keys"));
  print_created(created.key.id.to_string(), created.secret);
  return {};
}

Table key_table() {
  return Table({{.name = "ID"},
                {.name = "NAME", .width_max = 40},
                {.name = "ROLE"},
                {.name = "CREATED"},
                {.name = "EXPIRES"},
                {.name = "LAST USED"}});
}

Status list_on_server(TamsClient& client) {
  REEL_ASSIGN(const json::Value keys, client.get("/auth/keys"));
  Table table = key_table();
  for (const json::Value& key : keys.as_array() != nullptr ? *keys.as_array() : json::Array()) {
    std::vector<std::string> cells;
    for (const char* member : {"id", "name", "role", "created", "expires", "last_used"}) {
      cells.push_back(string_field(key, member));
    }
    table.add(std::move(cells));
  }
  fmt::print("{}", table.to_text());
  return {};
}

Status list_in_directory(auth::ApiKeys& keys) {
  const auto text = [](const std::optional<Instant>& moment) {
    return moment ? moment->to_string() : std::string();
  };
  Table table = key_table();
  for (const auth::ApiKey& key : keys.list()) {
    table.add({key.id.to_string(), key.name, std::string(auth::role_name(key.role)),
               key.created.to_string(), text(key.expires), text(key.last_used)});
  }
  fmt::print("{}", table.to_text());
  return {};
}

Status revoke_in_directory(const Words& words, auth::ApiKeys& keys) {
  REEL_ASSIGN(const auth::KeyId id, auth::KeyId::parse(words.id));
  return keys.revoke(id);
}

void add_place(CLI::App& command, Words& words) {
  command.add_option("--server", words.server, "URL of the server that runs on the directory")
      ->type_name("URL");
  add_configuration_flags(command, words.configuration);
}

void add_create(CLI::App& keys, Run& run) {
  const auto words = std::make_shared<Words>();
  CLI::App* command = keys.add_subcommand("create", "Make a key and print it");
  command->add_option("NAME", words->name, "Who or what it is for")->required();
  command->add_option("--role", words->role, "viewer, editor or admin")->capture_default_str();
  command->add_option("--expires", words->expires, "RFC 3339 date and time (default: never)");
  command->add_option("--class", words->classes, "Restrict it to these auth classes");
  add_place(*command, *words);
  command->callback([&run, words] {
    run = [words] {
      return run_keys(
          *words, [&](TamsClient& client) { return create_on_server(*words, client); },
          [&](auth::ApiKeys& all) { return create_in_directory(*words, all); });
    };
  });
}

void add_list(CLI::App& keys, Run& run) {
  const auto words = std::make_shared<Words>();
  CLI::App* command = keys.add_subcommand("list", "List keys");
  add_place(*command, *words);
  command->callback([&run, words] {
    run = [words] { return run_keys(*words, list_on_server, list_in_directory); };
  });
}

void add_revoke(CLI::App& keys, Run& run) {
  const auto words = std::make_shared<Words>();
  CLI::App* command = keys.add_subcommand("revoke", "Make a key worthless, at once");
  command->add_option("ID", words->id, "As `keys list` shows it")->required();
  add_place(*command, *words);
  command->callback([&run, words] {
    run = [words] {
      return run_keys(
          *words,
          [&](TamsClient& client) -> Status {
            REEL_TRY(client.remove("/auth/keys/" + words->id));
            return {};
          },
          [&](auth::ApiKeys& all) { return revoke_in_directory(*words, all); });
    };
  });
}

//! Keeps a terminal from showing what is typed. Does nothing to a pipe.
class EchoOff {
 public:
  EchoOff() : is_terminal_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~EchoOff() {
    if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  termios before_{};
  const bool is_terminal_;
};

std::string read_password(const std::string& name) {
  const EchoOff quiet;
  if (::isatty(STDIN_FILENO) != 0) fmt::print(stderr, "password of {}: ", name);
  std::string password;
  std::getline(std::cin, password);
  if (::isatty(STDIN_FILENO) != 0) fmt::print(stderr, "\n");
  return password;
}

int print_user(const std::string& name, const std::string& role_word) {
  const auto role = auth::parse_role(role_word);
  if (!role) return fail("password", role.error(), kExitUsage);
  const auto hash = auth::hash_password(read_password(name));
  if (!hash) return fail("password", hash.error(), kExitUsage);
  const auto line = auth::user_line(name, *role, *hash);
  if (!line) return fail("password", line.error(), kExitUsage);
  fmt::print("{}\n", *line);
  return kExitOk;
}

void add_password(CLI::App& app, Run& run) {
  CLI::App* command =
      app.add_subcommand("password", "Read a password, print the user's line for auth.users_file");
  const auto name = std::make_shared<std::string>();
  const auto role = std::make_shared<std::string>("viewer");
  command->add_option("NAME", *name, "The user")->required();
  command->add_option("--role", *role, "viewer, editor or admin")->capture_default_str();
  command->callback(
      [&run, name, role] { run = [name, role] { return print_user(*name, *role); }; });
}

}  // namespace

void add_key_commands(CLI::App& app, Run& run) {
  CLI::App* keys = app.add_subcommand("keys", "API keys of a server");
  keys->footer(kFooter);
  keys->require_subcommand(1);
  add_create(*keys, run);
  add_list(*keys, run);
  add_revoke(*keys, run);
  add_password(app, run);
}

}  // namespace reel::cli
