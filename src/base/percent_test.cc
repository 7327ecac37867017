#include "base/percent.h"

#include <gtest/gtest.h>

namespace reel {
namespace {

TEST(Percent, EncodesAllButUnreserved) {
  EXPECT_EQ(percent_encode("a/b%c d+é~"), "a%2Fb%25c%20d%2B%C3%A9~");
  EXPECT_EQ(percent_encode(""), "");
}

TEST(Percent, EveryTextComesBack) {
  std::string text;
  for (int c = 0; c < 128; ++c) text.push_back(static_cast<char>(c));
  text += "é😀";
  EXPECT_EQ(*percent_decode(percent_encode(text)), text);
}

TEST(Percent, DecodesOnce) {
  EXPECT_EQ(*percent_decode("%252F"), "%2F");
  EXPECT_EQ(*percent_decode("%2f%2F"), "//");
}

TEST(Percent, PlusIsASpaceOnlyInQueries) {
  EXPECT_EQ(*percent_decode("a+b%2B"), "a+b+");
  EXPECT_EQ(*percent_decode("a+b%2B", Plus::space), "a b+");
}

TEST(Percent, RefusesBrokenEscapes) {
  for (const std::string_view text : {"%", "%4", "a%", "%zz", "%4g", "%%41"}) {
    EXPECT_FALSE(percent_decode(text)) << text;
  }
}

TEST(Percent, RefusesWhatIsNotUtf8) {
  for (const std::string_view text :
       {"%FF", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%C3", "%E2%82", "%80", "%F0%80%80%80"}) {
    EXPECT_FALSE(percent_decode(text)) << text;
  }
  for (const std::string_view text : {"%C2%80", "%DF%BF", "%E0%A0%80", "%ED%9F%BF", "%EE%80%80",
                                      "%F0%90%80%80", "%F4%8F%BF%BF"}) {
    EXPECT_TRUE(percent_decode(text)) << text;
  }
}

}  // namespace
}  // namespace reel
