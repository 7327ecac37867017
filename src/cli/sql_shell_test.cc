#include "cli/sql_shell.h"

#include <fstream>

#include <gmock/gmock.h>

#include "cli/temp_directory.h"

namespace reel::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

//! Says what it was asked to execute; answers with the rows of its choice, or fails.
class FakeClient final : public SqlClient {
 public:
  Status execute(const std::string& text, SqlPrinter& printer) override {
    executed.push_back(text);
    if (text.find("wrong") != std::string::npos) return invalid("'wrong' is not SQL");
    printer.begin(sql::ResultKind::rows, columns);
    for (const json::Array& row : rows) printer.row(row);
    printer.end();
    return {};
  }
  Status fetch(const std::string&, const Take&) override { return unsupported("no file"); }
  void cancel() override {}
  std::optional<double> progress() const override { return std::nullopt; }
  bool keeps_transactions() const override { return keeps; }
  bool in_transaction() const override { return open; }

  std::vector<std::string> executed;
  std::vector<SqlPrinter::Column> columns = {{"n", "INTEGER"}};
  std::vector<json::Array> rows = {{json::Value(1)}};
  bool keeps = true;
  bool open = false;
};

class SqlShellTest : public testing::Test {
 protected:
  //! What is printed to standard output while the lines are taken; errors are in `errors`.
  std::string take(std::initializer_list<std::string> lines) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    for (const std::string& line : lines) shell.take(line);
    errors = testing::internal::GetCapturedStderr();
    return testing::internal::GetCapturedStdout();
  }

  FakeClient client;
  const TerminalSignals signals;
  std::vector<std::string> remembered;
  SqlShell shell{client, signals, "csv",
                 [this](const std::string& entry) { remembered.push_back(entry); }};
  std::string errors;
};

TEST_F(SqlShellTest, AStatementGoesOnUntilItsSemicolon) {
  take({"SELECT", "  ';'", ""});
  EXPECT_THAT(client.executed, IsEmpty());
  EXPECT_EQ(shell.prompt(), "   -> ");
  EXPECT_EQ(take({";"}), "n\r\n1\r\n");
  EXPECT_THAT(client.executed, ElementsAre("SELECT\n  ';'\n\n"));
  EXPECT_THAT(remembered, ElementsAre("SELECT\n  ';'\n\n;"));
  EXPECT_EQ(shell.prompt(), "reel> ");
}

TEST_F(SqlShellTest, StatementsOfOneLineAreExecutedOneByOneUntilOneFails) {
  take({"SELECT 1; SELECT wrong; SELECT 3; SELECT"});
  EXPECT_THAT(client.executed, ElementsAre("SELECT 1", " SELECT wrong"));
  EXPECT_EQ(errors, "error: 'wrong' is not SQL\n");
  EXPECT_EQ(shell.prompt(), "reel> ");
  take({"SELECT 4; -- done"});
  EXPECT_EQ(client.executed.back(), "SELECT 4");
  EXPECT_EQ(shell.prompt(), "reel> ");
}

TEST_F(SqlShellTest, WhatWasBegunCanBeForgotten) {
  take({"SELECT 'a"});
  shell.forget();
  take({"SELECT 2;"});
  EXPECT_THAT(client.executed, ElementsAre("SELECT 2"));
}

TEST_F(SqlShellTest, ThePromptTellsThatATransactionIsOpen) {
  client.open = true;
  EXPECT_EQ(shell.prompt(), "reel*> ");
  take({"SELECT"});
  EXPECT_EQ(shell.prompt(), "    -> ");
}

TEST_F(SqlShellTest, ATransactionNeedsASession) {
  take({"BEGIN;"});
  EXPECT_THAT(client.executed, ElementsAre("BEGIN"));
  client.keeps = false;
  take({"BEGIN; DELETE FROM t; ROLLBACK;"});
  EXPECT_THAT(errors, HasSubstr("with --to every statement is a session of its own"));
  EXPECT_THAT(client.executed, ElementsAre("BEGIN"));
}

TEST_F(SqlShellTest, HelpListsTheCommands) {
  const std::string help = take({".help"});
  for (const char* command : {".format F ", ".help ", ".output FILE|stdout ", ".quit ",
                              ".read FILE", ".schema [TABLE] ", ".tables ", ".timer on|off "}) {
    EXPECT_THAT(help, HasSubstr(command));
  }
  EXPECT_THAT(remembered, ElementsAre(".help"));
}

TEST_F(SqlShellTest, CommandsSayWhatIsWrong) {
  for (const auto& [line, error] : std::map<std::string, std::string>{
           {".tabels", "there is no command '.tabels' (the nearest is '.tables')"},
           {".", "there is no command '.'"},
           {".timer", "usage: .timer on|off"},
           {".timer maybe", "usage: .timer on|off"},
           {".quit now", "usage: .quit"},
           {".format xml", "not 'xml'"},
           {".output /nowhere/x", "cannot write /nowhere/x"},
           {".read /nowhere/x", "/nowhere/x"},
           {".read", "usage: .read FILE"},
       }) {
    EXPECT_EQ(take({line}), "");
    EXPECT_THAT(errors, HasSubstr(error)) << line;
  }
  EXPECT_THAT(client.executed, IsEmpty());
  EXPECT_FALSE(shell.ended());
}

TEST_F(SqlShellTest, FormatAndTimer) {
  EXPECT_EQ(take({".format json", "SELECT 1;"}), "[\n{\"n\":1}\n]\n");
  EXPECT_THAT(take({".timer on", "SELECT 1;"}),
              testing::ContainsRegex("\\]\ntime: [0-9]+\\.[0-9]{3} s\n$"));
  EXPECT_EQ(take({".timer off  ", "SELECT 1;"}), "[\n{\"n\":1}\n]\n");
}

TEST_F(SqlShellTest, ResultsGoIntoAFile) {
  const auto folder = TempDirectory::make();
  const std::string path = folder->file("out.csv");
  EXPECT_EQ(take({".output " + path, "SELECT 1;", "SELECT 2;", ".output stdout"}), "");
  EXPECT_EQ(*read_file(path), "n\r\n1\r\nn\r\n1\r\n");
  EXPECT_EQ(take({"SELECT 3;"}), "n\r\n1\r\n");
  take({".output /dev/full", "SELECT 1;", ".output stdout"});
  EXPECT_THAT(errors, HasSubstr("cannot be written: No space left"));
}

TEST_F(SqlShellTest, PeopleSeeTheFirstRowsOnly) {
  client.rows.clear();
  for (int i = 1; i <= 41; ++i) client.rows.push_back({json::Value(i)});
  const std::string shown = take({".format table", "SELECT 1;"});
  EXPECT_THAT(shown, HasSubstr("40\n(41 rows, the first 40 shown)\n"));
  const auto folder = TempDirectory::make();
  take({".output " + folder->file("all"), "SELECT 1;", ".output stdout"});
  EXPECT_THAT(*read_file(folder->file("all")), HasSubstr("41\n(41 rows)\n"));
  client.rows.pop_back();
  EXPECT_THAT(take({"SELECT 1;"}), HasSubstr("(40 rows)\n"));
}

TEST_F(SqlShellTest, AFileIsExecutedAsAWhole) {
  const auto folder = TempDirectory::make();
  const std::string path = folder->file("two words.sql");
  ASSERT_TRUE(write_file(path, "BEGIN;\nSELECT 1;\nCOMMIT;\n"));
  client.keeps = false;
  take({".read " + path});
  EXPECT_THAT(client.executed, ElementsAre("BEGIN;\nSELECT 1;\nCOMMIT;\n"));
}

TEST_F(SqlShellTest, SchemaNamesATable) {
  client.rows = {{json::Value("CREATE TABLE t(k BIGINT);")}};
  EXPECT_EQ(take({".schema it's"}), "CREATE TABLE t(k BIGINT);\n");
  EXPECT_THAT(client.executed.back(), HasSubstr("lower('it''s')"));
  client.rows.clear();
  take({".schema nowhere"});
  EXPECT_EQ(errors, "error: there is no table 'nowhere'\n");
  EXPECT_EQ(take({".schema"}), "");
}

TEST_F(SqlShellTest, QuitEnds) {
  take({".quit"});
  EXPECT_TRUE(shell.ended());
}

TEST_F(SqlShellTest, CommandsAreCompleted) {
  EXPECT_THAT(shell.complete(".t").words, ElementsAre(".tables", ".timer"));
  EXPECT_THAT(client.executed, IsEmpty());
}

TEST_F(SqlShellTest, DuckDbCompletesTheStatementThatHasBeenBegun) {
  client.columns = {{"suggestion", "VARCHAR"}, {"suggestion_start", "INTEGER"}};
  client.rows = {{json::Value("FROM"), json::Value(10)},
                 {json::Value("\"from\""), json::Value(10)},
                 {json::Value("FROM"), json::Value(10)},
                 {json::Value("FORMAT"), json::Value(10)}};
  take({"SELECT 0; SELECT 1", "x"});
  const Completions found = shell.complete("fr");
  EXPECT_THAT(client.executed.back(), HasSubstr("sql_auto_complete(' SELECT 1\nx\nfr')"));
  EXPECT_THAT(found.words, IsEmpty());  // they begin in a line above
}

TEST_F(SqlShellTest, CompletionsReplaceTheEndOfTheLine) {
  client.columns = {{"suggestion", "VARCHAR"}, {"suggestion_start", "INTEGER"}};
  client.rows = {{json::Value("FROM"), json::Value(9)},
                 {json::Value("\"from\""), json::Value(9)},
                 {json::Value("FROM"), json::Value(9)},
                 {json::Value("FORMAT"), json::Value(9)}};
  const Completions found = shell.complete("SELECT 1 fr");
  EXPECT_EQ(found.start, 9U);
  EXPECT_THAT(found.words, ElementsAre("FROM", "\"from\""));
  EXPECT_THAT(shell.complete("wrong").words, IsEmpty());
}

}  // namespace
}  // namespace reel::cli
