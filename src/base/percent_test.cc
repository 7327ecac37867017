#include "base/percent.h"

#include <random>

#include <gtest/gtest.h>

#include "base/test_seed.h"

namespace reel {
namespace {

TEST(Percent, KeepsOnlyUnreservedLetters) {
  EXPECT_EQ(percent_encoded("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encoded("a/b c%2F?&=+"), "a%2Fb%20c%252F%3F%26%3D%2B");
  EXPECT_EQ(percent_encoded(std::string_view("\0\xff", 2)), "%00%FF");
  EXPECT_EQ(percent_encoded(""), "");
}

TEST(Percent, DecodesOnce) {
  EXPECT_EQ(percent_decoded("a%2fb%2Fc"), "a/b/c");
  EXPECT_EQ(percent_decoded("%252F"), "%2F");
  EXPECT_EQ(percent_decoded("a+b"), "a+b");
  EXPECT_EQ(percent_decoded("%00"), std::string(1, '\0'));
}

TEST(Percent, RefusesTornEscapes) {
  for (const char* text : {"%", "%2", "a%", "%zz", "%2g", "%%41", "% 1", "%+1"}) {
    EXPECT_FALSE(percent_decoded(text)) << text;
  }
}

TEST(Percent, AnyBytesReadBack) {
  std::mt19937_64 random(test_seed());
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ASSERT_EQ(percent_decoded(percent_encoded(bytes)), bytes);
  }
}

}  // namespace
}  // namespace reel
