#include "cli/line_editor.h"

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

TEST(AnswerTabTest, OneWordIsTaken) {
  EXPECT_EQ(answer_tab("SEL", {"SELECT"}).text, "SELECT ");
  EXPECT_EQ(answer_tab("Od", {"\"Odd Name\""}).text, "\"Odd Name\" ");
  EXPECT_EQ(answer_tab("inf", {"information_schema."}).text, "information_schema.");
}

TEST(AnswerTabTest, OfSeveralWhatTheyHaveInCommon) {
  const TabAnswer answer = answer_tab("fl", {"flow_a", "flow_b", "FLOW_C"});
  EXPECT_EQ(answer.text, "flow_");
  EXPECT_FALSE(answer.list);
}

TEST(AnswerTabTest, TheyAreListedWhenThatLeadsNoFurther) {
  const TabAnswer answer = answer_tab("flow_", {"flow_a", "flow_b"});
  EXPECT_EQ(answer.text, "flow_");
  EXPECT_TRUE(answer.list);
}

TEST(AnswerTabTest, QuotesOfNamesDoNotTellThemApart) {
  EXPECT_EQ(answer_tab("lab", {"\"label\"", "label_order", "label"}).text, "label");
  EXPECT_EQ(answer_tab("\"a", {"\"a b\"", "\"a c\""}).text, "\"a ");
}

TEST(AnswerTabTest, CodePointsStayWhole) { EXPECT_EQ(answer_tab("", {"aé", "aè"}).text, "a"); }

TEST(AnswerTabTest, NothingIsFound) {
  const TabAnswer answer = answer_tab("xyz", {});
  EXPECT_EQ(answer.text, "xyz");
  EXPECT_FALSE(answer.list);
}

TEST(WordsInColumnsTest, FillTheWidth) {
  EXPECT_EQ(words_in_columns({"a", "bb", "c", "dd", "e"}, 11), "a   c   e\nbb  dd\n");
  EXPECT_EQ(words_in_columns({"é", "bb"}, 6), "é   bb\n");
  EXPECT_EQ(words_in_columns({"longer than the width", "b"}, 4), "longer than the width\nb\n");
  EXPECT_EQ(words_in_columns({}, 80), "");
}

}  // namespace
}  // namespace reel::cli
