#include "cli/table.h"

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

TEST(Table, AlignsColumns) {
  Table table({{"NAME"}, {"COUNT", true}, {"NOTE"}});
  table.add({"a", "7", "x"});
  table.add({"longer", "1200", ""});
  EXPECT_EQ(table.to_text(),
            "NAME    COUNT  NOTE\n"
            "a           7  x\n"
            "longer   1200\n");
}

TEST(Table, CountsColumnsNotBytes) {
  Table table({{"LABEL"}, {"N"}});
  table.add({"Straße", "1"});
  table.add({"e\u0301te\u0301", "2"});
  table.add({"abcdef", "3"});
  EXPECT_EQ(table.to_text(),
            "LABEL   N\n"
            "Straße  1\n"
            "e\u0301te\u0301     2\n"
            "abcdef  3\n");
}

TEST(Table, CutsLongCells) {
  EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to_width("abcdefg", 6), "abcde…");
  EXPECT_EQ(cut_to_width("ääääää", 3), "ää…");
}

//! Labels are anyone's text.
TEST(Table, DoesNotPassTerminalCommandsOn) {
  Table table({{"LABEL"}});
  table.add({"a\x1b[2Jb\nc"});
  EXPECT_EQ(table.to_text(), "LABEL\na [2Jb c\n");
}

}  // namespace
}  // namespace reel::cli
