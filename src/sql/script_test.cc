#include "sql/script.h"

#include <gmock/gmock.h>

namespace reel::sql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ScriptTest, SemicolonsEndStatements) {
  const Script script = split_script("SELECT 1;SELECT 2 ; SELECT");
  EXPECT_THAT(script.statements, ElementsAre("SELECT 1", "SELECT 2 "));
  EXPECT_EQ(script.rest, " SELECT");
}

TEST(ScriptTest, ThoseInTextsNamesAndCommentsDoNot) {
  for (const char* text : {"SELECT ';'", "SELECT 'it''s;'", "SELECT \";\"", "SELECT $$;$$",
                           "SELECT $a$;$$;$a$", "SELECT E'\\';'", "SELECT /* ; */ 1",
                           "SELECT /* /* */ ; */ 1", "SELECT 1 -- ;\n", "'é;'"}) {
    const Script script = split_script(std::string(text) + ";");
    EXPECT_THAT(script.statements, ElementsAre(text));
    EXPECT_EQ(script.rest, "");
  }
}

TEST(ScriptTest, WhatIsOpenGoesOn) {
  for (const char* text : {"SELECT ';", "SELECT \";", "SELECT $$;", "SELECT $a$;$$;", "/* ;",
                           "SELECT E'\\';", "SELECT 1 -- ;", "SELECT 'a;\nb; c;"}) {
    EXPECT_THAT(split_script(text).statements, IsEmpty()) << text;
    EXPECT_EQ(split_script(text).rest, text);
    const Script script = split_script("SELECT 0; " + std::string(text));
    EXPECT_THAT(script.statements, ElementsAre("SELECT 0")) << text;
    EXPECT_EQ(script.rest, " " + std::string(text));
  }
}

TEST(ScriptTest, StatementsBeginOnLines) {
  const Script script = split_script("-- one\nSELECT 1;\n\n  SELECT\n2; SELECT 3;\nSELECT ';");
  EXPECT_THAT(script.lines, ElementsAre(2U, 4U, 5U));
  EXPECT_EQ(script.rest_line, 6U);
  EXPECT_EQ(split_script("SELECT 1;\n\nSELECT 2").rest_line, 3U);
  EXPECT_EQ(split_script("").rest_line, 1U);
}

TEST(ScriptTest, SpacesAndCommentsAreNoStatement) {
  for (const char* text : {"", " \n", ";", " ; ;", "-- a;", "/* a; */", ";-- a"}) {
    EXPECT_THAT(split_script(text).statements, IsEmpty()) << text;
    EXPECT_EQ(split_script(text).rest, "") << text;
  }
}

TEST(ScriptTest, WhatIsNoSqlIsSplitToo) {
  EXPECT_THAT(split_script("SELEC @ \xff \x01; ?").statements, ElementsAre("SELEC @ \xff \x01"));
}

}  // namespace
}  // namespace reel::sql
