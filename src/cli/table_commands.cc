#include <memory>

#include <CLI/CLI.hpp>

#include "base/percent.h"
#include "cli/commands.h"
#include "cli/json_fields.h"
#include "cli/migration_files.h"
#include "cli/table.h"
#include "cli/tams_client.h"

namespace reel::cli {
namespace {

constexpr char kFooter[] = R"help(
Changes need the key of an admin in REELHOUSE_TOKEN, if the server asks for one.

Examples:
  reelhouse table create cameras 'serial string' 'bought date' --key serial
  reelhouse table add-column cameras owner string --doc "Who looks after it"
  reelhouse table rename-column cameras owner keeper
  reelhouse table create-schema lab && reelhouse table create lab.takes 'id int64' --key id
  reelhouse table history cameras
  reelhouse table rollback cameras 2 --dry-run
  reelhouse table migrate ./migrations)help";

constexpr char kWaitHelp[] = "Convert also a large table, while writers wait";

//! What CLI11 fills in for any of the verbs.
struct Words {
  std::string server;
  bool json = false;
  std::string table;
  std::string column;
  std::string name;  //!< a new one
  std::string type;
  std::string default_text;
  std::string doc;
  std::vector<std::string> items;  //!< columns, or definitions of columns
  std::vector<std::string> key;
  std::uint32_t number = 0;  //!< a version or an id
  std::string as_of;
  bool not_null = false;
  bool dropped = false;
  std::string comment;
  bool dry_run = false;
  bool check = false;
  bool convert = false;
  bool or_null = false;
  bool cascade = false;
  bool wait = false;
  std::string directory;
};

using WordsPtr = std::shared_ptr<Words>;
using Action = Status (*)(TamsClient&, const Words&);

std::string path_of(const std::string& table) { return "/tables/" + percent_encode(table); }

std::string number_text(const json::Value& object, std::string_view name) {
  const auto number = integer_field(object, name);
  return number ? std::to_string(*number) : std::string();
}

bool flag_of(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  return member != nullptr && member->as_bool() != nullptr && *member->as_bool();
}

std::string joined(const json::Array& texts) {
  std::string all;
  for (const json::Value& text : texts) {
    if (!all.empty()) all += ", ";
    all += text.as_string() != nullptr ? *text.as_string() : json::to_text(text);
  }
  return all;
}

//! The server's answer with --json, else the text.
void print(const Words& words, const json::Value& answer, const std::string& text) {
  fmt::print("{}", words.json ? json::to_text(answer) + "\n" : text);
}

// Looking.

Status list(TamsClient& client, const Words& words) {
  REEL_ASSIGN(const json::Value answer, client.get(words.dropped ? "/dropped-tables" : "/tables"));
  const json::Array tables = answer.as_array() != nullptr ? *answer.as_array() : json::Array();
  if (words.dropped) {
    Table table({{"TABLE"}, {"ID", true}, {"DROPPED"}, {"EXPIRES"}});
    for (const json::Value& one : tables) {
      table.add({string_field(one, "name"), number_text(one, "id"), string_field(one, "dropped"),
                 flag_of(one, "purging") ? "being purged" : string_field(one, "expires")});
    }
    print(words, answer, table.to_text());
    return {};
  }
  Table table({{"TABLE"}, {"ROWS", true}, {"COLUMNS", true}, {"VERSION", true}, {"OF"}});
  for (const json::Value& one : tables) {
    table.add({string_field(one, "name"), number_text(one, "rows"), number_text(one, "columns"),
               number_text(one, "version"), flag_of(one, "product") ? "the product" : "users"});
  }
  print(words, answer, table.to_text());
  return {};
}

Status schemas(TamsClient& client, const Words& words) {
  REEL_ASSIGN(const json::Value answer, client.get("/schemas"));
  Table table({{"SCHEMA"}, {"TABLES", true}, {"OF"}});
  for (const json::Value& one : answer.as_array() != nullptr ? *answer.as_array() : json::Array()) {
    table.add({string_field(one, "name"), number_text(one, "tables"),
               flag_of(one, "product") ? "the product" : "users"});
  }
  print(words, answer, table.to_text());
  return {};
}

std::string columns_text(const json::Array& columns) {
  Table table({{"ID", true},
               {"COLUMN", false, 40},
               {"TYPE", false, 40},
               {"NULL"},
               {"DEFAULT", false, 24},
               {"SINCE", true},
               {"DOC", false, 60}});
  for (const json::Value& column : columns) {
    const json::Value* value = column.find("default");
    table.add({number_text(column, "id"), string_field(column, "name"),
               string_field(column, "type"), flag_of(column, "nullable") ? "yes" : "no",
               value != nullptr ? json::to_text(*value) : "", number_text(column, "since_version"),
               string_field(column, "doc")});
  }
  return table.to_text();
}

Status columns(TamsClient& client, const Words& words) {
  REEL_ASSIGN(const json::Value answer, client.get(path_of(words.table) + "/columns"));
  print(words, answer,
        columns_text(answer.as_array() != nullptr ? *answer.as_array() : json::Array()));
  return {};
}

Status show(TamsClient& client, const Words& words) {
  std::string path = path_of(words.table);
  if (words.number > 0) path += fmt::format("?version={}", words.number);
  if (!words.as_of.empty()) {
    path += (words.number > 0 ? "&as_of=" : "?as_of=") + percent_encode(words.as_of);
  }
  REEL_ASSIGN(const json::Value answer, client.get(path));
  std::string text =
      fmt::format("table {}, version {}, key: {}\n", string_field(answer, "name"),
                  number_text(answer, "version"), joined(array_field(answer, "primary_key")));
  text += columns_text(array_field(answer, "columns"));
  for (const json::Value& column : array_field(answer, "dropped_columns")) {
    text += fmt::format("dropped: {} {} (id {}) at {}{}\n", string_field(column, "name"),
                        string_field(column, "type"), number_text(column, "id"),
                        string_field(column, "dropped"),
                        flag_of(column, "purging") ? ", being purged" : "");
  }
  for (const json::Value& index : array_field(answer, "indexes")) {
    text += fmt::format("index: {} ({})\n", string_field(index, "name"),
                        joined(array_field(index, "columns")));
  }
  print(words, answer, text);
  return {};
}

//! "add_column owner, drop_table".
std::string operations_text(const json::Array& operations) {
  std::string text;
  for (const json::Value& operation : operations) {
    if (!text.empty()) text += ", ";
    text += string_field(operation, "op");
    for (const char* member : {"column", "name", "id", "type"}) {
      const json::Value* value = operation.find(member);
      if (value == nullptr) continue;
      text += ' ' + (value->as_string() != nullptr ? *value->as_string() : json::to_text(*value));
    }
  }
  return text;
}

Status history(TamsClient& client, const Words& words) {
  REEL_ASSIGN(const json::Value answer, client.get(path_of(words.table) + "/history"));
  Table table({{"VERSION", true}, {"AT"}, {"BY", false, 24}, {"CHANGE", false, 60}, {"COMMENT"}});
  for (const json::Value& version :
       answer.as_array() != nullptr ? *answer.as_array() : json::Array()) {
    table.add({number_text(version, "version"), string_field(version, "at"),
               string_field(version, "by"), operations_text(array_field(version, "operations")),
               string_field(version, "comment")});
  }
  print(words, answer, table.to_text());
  return {};
}

Status stats(TamsClient& client, const Words& words) {
  REEL_ASSIGN(const json::Value answer, client.get(path_of(words.table) + "/stats"));
  std::string text =
      fmt::format("{} rows, {} columns, {} dropped columns, version {}\n",
                  number_text(answer, "rows"), number_text(answer, "columns"),
                  number_text(answer, "dropped_columns"), number_text(answer, "version"));
  Table table({{"INSERTED IN THE HOUR"}, {"ROWS", true}});
  for (const json::Value& hour : array_field(answer, "hours")) {
    table.add({string_field(hour, "hour"), number_text(hour, "rows")});
  }
  print(words, answer, text + table.to_text());
  return {};
}

// Changing.

//! What a migration or a rollback did.
std::string outcome_text(const json::Value& answer) {
  const bool dry_run = flag_of(answer, "dry_run");
  const json::Array& operations = array_field(answer, "operations");
  std::string text;
  for (const json::Value& one : array_field(answer, "not_restored")) {
    text += fmt::format("not brought back: {}\n", joined({one}));
  }
  for (const json::Value& operation : operations) text += operations_text({operation}) + "\n";
  const json::Value schema = answer.find("schema") != nullptr ? *answer.find("schema") : answer;
  text += fmt::format("table {} {} at version {}", string_field(schema, "name"),
                      dry_run && !operations.empty() ? "would be" : "is",
                      number_text(schema, "version"));
  const auto rows = integer_field(answer, "rows_to_read").value_or(0);
  if (dry_run && rows > 0) text += fmt::format("; {} rows would be looked at", rows);
  return text + "\n";
}

json::Value change_of(const Words& words) {
  json::Value body(json::Object{});
  if (!words.comment.empty()) body.set("comment", words.comment);
  if (words.dry_run) body.set("dry_run", true);
  if (words.wait) body.set("wait", true);
  return body;
}

Status migrate(TamsClient& client, const Words& words, json::Array operations) {
  json::Value body = change_of(words);
  body.set("operations", std::move(operations));
  REEL_ASSIGN(const json::Value answer, client.post(path_of(words.table) + "/migrations", body));
  print(words, answer, outcome_text(answer));
  return {};
}

json::Value operation(std::string_view op, const Words& words) {
  json::Value out;
  out.set("op", op);
  out.set("column", words.column);
  return out;
}

Status add_column(TamsClient& client, const Words& words) {
  json::Value add;
  add.set("op", "add_column");
  add.set("name", words.name);
  add.set("type", words.type);
  add.set("nullable", !words.not_null);
  if (!words.doc.empty()) add.set("doc", words.doc);
  if (!words.default_text.empty()) {
    auto value = json::parse(words.default_text);
    if (!value) {
      return invalid("--default {} is no JSON (a text is in quotes: '\"x\"')", words.default_text);
    }
    add.set("default", *std::move(value));
  }
  return migrate(client, words, {std::move(add)});
}

Status rename_column(TamsClient& client, const Words& words) {
  json::Value rename = operation("rename_column", words);
  rename.set("name", words.name);
  return migrate(client, words, {std::move(rename)});
}

Status drop_column(TamsClient& client, const Words& words) {
  json::Array operations;
  for (const std::string& column : words.items) {
    json::Value drop;
    drop.set("op", "drop_column");
    drop.set("column", column);
    operations.push_back(std::move(drop));
  }
  return migrate(client, words, std::move(operations));
}

Status undrop_column(TamsClient& client, const Words& words) {
  json::Value undrop;
  undrop.set("op", "undrop_column");
  undrop.set("id", std::int64_t{words.number});
  if (!words.name.empty()) undrop.set("name", words.name);
  return migrate(client, words, {std::move(undrop)});
}

Status alter_type(TamsClient& client, const Words& words) {
  json::Value alter = operation(words.convert ? "convert_type" : "alter_type", words);
  alter.set("type", words.type);
  if (words.or_null) alter.set("or_null", true);
  return migrate(client, words, {std::move(alter)});
}

Status rollback(TamsClient& client, const Words& words) {
  json::Value body = change_of(words);
  body.set("version", std::int64_t{words.number});
  REEL_ASSIGN(const json::Value answer, client.post(path_of(words.table) + "/rollback", body));
  print(words, answer, outcome_text(answer));
  return {};
}

Status create(TamsClient& client, const Words& words) {
  json::Value body = change_of(words);
  body.set("name", words.table);
  json::Array columns;
  for (const std::string& item : words.items) {
    const auto space = item.rfind(' ');
    if (space == std::string::npos) return invalid("'{}' is not a name and a type", item);
    json::Value column;
    column.set("name", item.substr(0, space));
    column.set("type", item.substr(space + 1));
    columns.push_back(std::move(column));
  }
  body.set("columns", std::move(columns));
  body.set("primary_key", json::Array(words.key.begin(), words.key.end()));
  REEL_ASSIGN(const json::Value answer, client.post("/tables", body));
  print(words, answer, outcome_text(answer));
  return {};
}

std::string dropped_text(const json::Value& table) {
  return fmt::format("dropped {}; `reelhouse table undrop {}` brings it back until {}\n",
                     string_field(table, "name"), number_text(table, "id"),
                     string_field(table, "expires"));
}

Status drop(TamsClient& client, const Words& words) {
  REEL_ASSIGN(const json::Value answer, client.remove(path_of(words.table)));
  print(words, answer, dropped_text(answer));
  return {};
}

Status create_schema(TamsClient& client, const Words& words) {
  json::Value body;
  body.set("name", words.name);
  REEL_ASSIGN(const json::Value answer, client.post("/schemas", body));
  print(words, answer, fmt::format("created the schema {}\n", words.name));
  return {};
}

Status drop_schema(TamsClient& client, const Words& words) {
  const std::string path = "/schemas/" + percent_encode(words.name);
  REEL_ASSIGN(const json::Value answer,
              client.remove(path + (words.cascade ? "?cascade=true" : "")));
  std::string text;
  for (const json::Value& one : answer.as_array() != nullptr ? *answer.as_array() : json::Array()) {
    text += dropped_text(one);
  }
  print(words, answer, text + fmt::format("dropped the schema {}\n", words.name));
  return {};
}

Status undrop(TamsClient& client, const Words& words) {
  json::Value body(json::Object{});
  if (!words.name.empty()) body.set("name", words.name);
  REEL_ASSIGN(const json::Value answer,
              client.post(fmt::format("/dropped-tables/{}/restore", words.number), body));
  print(words, answer, outcome_text(answer));
  return {};
}

// Migrations as files.

Result<AppliedMigrations> fetch_applied(TamsClient& client) {
  AppliedMigrations applied;
  REEL_ASSIGN(const json::Value tables, client.get("/tables"));
  for (const json::Value& table :
       tables.as_array() != nullptr ? *tables.as_array() : json::Array()) {
    if (flag_of(table, "product") && integer_field(table, "version") == 1) continue;
    auto history = client.get(path_of(string_field(table, "name")) + "/history");
    if (history) {
      note_applied(*history, applied);
    } else if (history.error().code() != Code::not_found) {  // it may be dropped by now
      return Failure(std::move(history).error());
    }
  }
  return applied;
}

//! A table as its history tells.
struct TableState {
  std::int64_t version = 0;  //!< 0: there is none
  AppliedMigrations applied = {};

  bool has(const MigrationFile& file) const {
    const auto found = applied.find({file.name, file.table});
    return found != applied.end() && found->second == file.checksum;
  }
};

Result<TableState> state_of(TamsClient& client, const std::string& table) {
  TableState state;
  auto history = client.get(path_of(table) + "/history");
  if (!history && history.error().code() == Code::not_found) return state;
  if (!history) return Failure(std::move(history).error());
  note_applied(*history, state.applied);
  const json::Array* versions = history->as_array();
  if (versions != nullptr && !versions->empty()) {
    state.version = integer_field(versions->back(), "version").value_or(0);
  }
  return state;
}

//! Applies one file to exactly this version of the table, or says what would happen.
Result<json::Value> post_migration(TamsClient& client, const Words& words,
                                   const MigrationFile& file, std::int64_t version) {
  json::Value body = file.creates ? file.document : json::Value(json::Object{});
  body.set("comment", file.comment());
  if (file.creates) return client.post("/tables", body);
  body.set("operations", file.document);
  if (version > 0) body.set("expected_version", version);
  if (words.dry_run) body.set("dry_run", true);
  if (words.wait) body.set("wait", true);
  return client.post(path_of(file.table) + "/migrations", body);
}

//! Others may apply the same files at the same time.
Status apply_file(TamsClient& client, const Words& words, const MigrationFile& file) {
  REEL_ASSIGN(const TableState before, state_of(client, file.table));
  if (before.has(file)) return {};
  auto answer = post_migration(client, words, file, before.version);
  if (answer) return {};
  // It is there all the same when an answer was lost, or when somebody else was faster. It renamed
  // the table, perhaps, so all histories are looked at.
  REEL_ASSIGN(const AppliedMigrations applied, fetch_applied(client));
  if (TableState{.applied = applied}.has(file)) return {};
  return Failure(std::move(answer).error().while_doing(file.name));
}

//! Only the first change of a table can be tried on the table as it is.
Result<std::string> dry_run_text(TamsClient& client, const Words& words,
                                 const std::vector<MigrationFile>& files, std::size_t index) {
  const MigrationFile& file = files[index];
  if (file.creates) return fmt::format("would create table {}\n", file.table);
  for (std::size_t i = 0; i < index; ++i) {
    if (files[i].table == file.table) return std::string("comes after the one before\n");
  }
  REEL_ASSIGN(const TableState state, state_of(client, file.table));
  auto answer = post_migration(client, words, file, state.version);
  if (!answer) return Failure(std::move(answer).error().while_doing(file.name));
  return outcome_text(*answer);
}

Status migrate_directory(TamsClient& client, const Words& words) {
  REEL_ASSIGN(std::vector<MigrationFile> files, read_migrations(words.directory));
  REEL_ASSIGN(const AppliedMigrations applied, fetch_applied(client));
  REEL_ASSIGN(const std::size_t done, count_applied(files, applied));
  if (words.check && done < files.size()) {
    return conflict("{} of {} migrations are not applied, {} is the first", files.size() - done,
                    files.size(), files[done].name);
  }
  const auto pending = files.begin() + static_cast<std::ptrdiff_t>(done);
  files.erase(files.begin(), pending);
  json::Array names;
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::string text = "applied\n";
    if (words.dry_run) {
      REEL_ASSIGN(text, dry_run_text(client, words, files, i));
    } else {
      REEL_TRY(apply_file(client, words, files[i]));
    }
    if (!words.json) fmt::print("{}: {}", files[i].name, text);
    names.emplace_back(files[i].name);
  }
  json::Value answer;
  answer.set("applied_before", static_cast<std::int64_t>(done));
  answer.set(words.dry_run ? "pending" : "applied", std::move(names));
  print(words, answer, files.empty() ? fmt::format("all {} migrations are applied\n", done) : "");
  return {};
}

// The command line.

int run_action(const Words& words, Action action) {
  const auto client = TamsClient::connect({.url = words.server});
  if (!client) return fail("table", client.error(), kExitUsage);
  const Status done = action(**client, words);
  return done ? kExitOk : fail("table", done.error(), kExitFailure);
}

//! One verb below `reelhouse table`.
class Verb {
 public:
  Verb(CLI::App& parent, Run& run, const char* name, const char* summary, Action action)
      : command_(parent.add_subcommand(name, summary)), words_(std::make_shared<Words>()) {
    add_server_option(*command_, "--to", words_->server);
    command_->add_flag("--json", words_->json, "Print the API's own JSON");
    command_->callback([&run, words = words_, action] {
      run = [words, action] { return run_action(*words, action); };
    });
  }

  template <class Member>
  Verb& argument(const char* name, Member Words::* member, const char* doc) {
    command_->add_option(name, (*words_).*member, doc)->required();
    return *this;
  }
  template <class Member>
  Verb& option(const char* name, Member Words::* member, const char* doc) {
    command_->add_option(name, (*words_).*member, doc);
    return *this;
  }
  Verb& flag(const char* name, bool Words::* member, const char* doc) {
    command_->add_flag(name, (*words_).*member, doc);
    return *this;
  }
  Verb& table() { return argument("TABLE", &Words::table, "The name of the table"); }
  Verb& column() { return argument("COLUMN", &Words::column, "The name of the column"); }
  Verb& key() {
    command_->add_option("--key", words_->key, "Column of the key; may be given more than once")
        ->required()
        ->allow_extra_args(false);
    return *this;
  }
  Verb& comment() { return option("--comment", &Words::comment, "Why; kept in the history"); }
  Verb& dry_run() { return flag("--dry-run", &Words::dry_run, "Only say what would happen"); }

 private:
  CLI::App* command_;
  WordsPtr words_;
};

void add_readers(CLI::App& table, Run& run) {
  Verb(table, run, "list", "List the tables", list)
      .flag("--dropped", &Words::dropped, "Those that were dropped and can be brought back");
  Verb(table, run, "show", "The schema of a table, now or as it was", show)
      .table()
      .option("--version", &Words::number, "In this version")
      .option("--as-of", &Words::as_of, "At this moment, RFC 3339");
  Verb(table, run, "columns", "The columns of a table", columns).table();
  Verb(table, run, "history", "Who changed a table's schema, when and how", history).table();
  Verb(table, run, "stats", "The rows of a table", stats).table();
  Verb(table, run, "schemas", "List the schemas that tables lie in", schemas);
}

void add_column_changes(CLI::App& table, Run& run) {
  Verb(table, run, "add-column", "Add a column; rows that are there have its default", add_column)
      .table()
      .argument("NAME", &Words::name, "Its name")
      .argument("TYPE", &Words::type, "Its type, such as string, int64, decimal(12,2), list<uuid>")
      .option("--default", &Words::default_text, "JSON: 5, '\"text\"', '[1, 2]'")
      .flag("--not-null", &Words::not_null, "It always has a value")
      .option("--doc", &Words::doc, "What it means")
      .comment()
      .dry_run();
  Verb(table, run, "rename-column", "Give a column another name", rename_column)
      .table()
      .column()
      .argument("NAME", &Words::name, "Its new name")
      .comment()
      .dry_run();
  Verb(table, run, "drop-column", "Drop columns; until they are purged they can come back",
       drop_column)
      .table()
      .argument("COLUMN", &Words::items, "Their names")
      .comment()
      .dry_run();
  Verb(table, run, "undrop-column", "Bring a dropped column back", undrop_column)
      .table()
      .argument("ID", &Words::number, "Its id, as `table show` tells it")
      .option("--name", &Words::name, "Under another name")
      .comment()
      .dry_run();
  Verb(table, run, "alter-type", "Give a column another type", alter_type)
      .table()
      .column()
      .argument("TYPE", &Words::type, "Its new type; without --convert a wider one")
      .flag("--convert", &Words::convert, "Rewrite the rows, while writers wait")
      .flag("--or-null", &Words::or_null, "With --convert: what has no such value becomes null")
      .flag("--wait", &Words::wait, kWaitHelp)
      .comment()
      .dry_run();
  Verb(table, run, "rollback", "Make a table's schema what it was in a version", rollback)
      .table()
      .argument("VERSION", &Words::number, "As `table history` tells it")
      .comment()
      .dry_run();
}

void add_schema_changes(CLI::App& table, Run& run) {
  Verb(table, run, "create-schema", "Create a schema; its tables are SCHEMA.TABLE", create_schema)
      .argument("SCHEMA", &Words::name, "Its name");
  Verb(table, run, "drop-schema", "Drop a schema", drop_schema)
      .argument("SCHEMA", &Words::name, "Its name")
      .flag("--cascade", &Words::cascade,
            "Its tables too; until they are purged they can come back");
}

void add_table_changes(CLI::App& table, Run& run) {
  Verb(table, run, "create", "Create a table", create)
      .table()
      .argument("COLUMN", &Words::items, "'NAME TYPE' of each column")
      .key()
      .comment();
  Verb(table, run, "drop", "Drop a table; until it is purged it can come back", drop).table();
  Verb(table, run, "undrop", "Bring a dropped table back", undrop)
      .argument("ID", &Words::number, "Its id, as `table list --dropped` tells it")
      .option("--name", &Words::name, "Under another name");
  Verb(table, run, "migrate", "Apply the migrations of a directory that are not applied yet",
       migrate_directory)
      .argument("DIR", &Words::directory, "With files 0001_name.json, 0002_name.json …")
      .flag("--check", &Words::check, "Only say whether all are applied: if not, exit with 1")
      .flag("--wait", &Words::wait, kWaitHelp)
      .dry_run();
}

}  // namespace

void add_table_commands(CLI::App& app, Run& run) {
  CLI::App* table = app.add_subcommand("table", "Look at tables, change them, take changes back");
  table->footer(kFooter);
  table->require_subcommand(1);
  add_readers(*table, run);
  add_column_changes(*table, run);
  add_table_changes(*table, run);
  add_schema_changes(*table, run);
}

}  // namespace reel::cli
