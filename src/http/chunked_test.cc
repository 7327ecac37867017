#include "http/chunked.h"

#include <gtest/gtest.h>

namespace reel::http {
namespace {

constexpr std::size_t kMuch = 1 << 20;

//! Feeds `in` in pieces of `step` bytes; nullopt when it is malformed or not complete.
std::optional<std::string> decode(std::string_view in, std::size_t step = kMuch) {
  ChunkedDecoder decoder;
  std::string out;
  while (!in.empty() && !decoder.done()) {
    const auto taken = decoder.feed(in.substr(0, step), out, kMuch);
    if (!taken) return std::nullopt;
    in.remove_prefix(*taken);
  }
  return decoder.done() ? std::optional(out) : std::nullopt;
}

TEST(ChunkedTest, DecodesHoweverItArrives) {
  constexpr std::string_view kBody =
      "4\r\nWiki\r\n6;ext=\"a b\"\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t step = 1; step <= kBody.size(); ++step) {
    EXPECT_EQ(decode(kBody, step), "Wikipedia in \r\n\r\nchunks.") << step;
  }
}

TEST(ChunkedTest, EmptyBody) {
  EXPECT_EQ(decode("0\r\n\r\n"), "");
  EXPECT_EQ(decode("0\r\n\r\n", 1), "");
  EXPECT_EQ(decode("000;x\r\n\r\n"), "");
}

TEST(ChunkedTest, LeavesWhatFollows) {
  ChunkedDecoder decoder;
  std::string out;
  EXPECT_EQ(*decoder.feed("1\r\na\r\n0\r\n\r\nGET /", out, kMuch), 11U);
  EXPECT_TRUE(decoder.done());
}

TEST(ChunkedTest, StopsWhenTheRoomIsUsed) {
  ChunkedDecoder decoder;
  std::string out;
  EXPECT_EQ(*decoder.feed("5\r\nabcde\r\n0\r\n\r\n", out, 3), 6U);
  EXPECT_EQ(out, "abc");
  EXPECT_EQ(*decoder.feed("de\r\n0\r\n\r\n", out, 5), 9U);
  EXPECT_EQ(out, "abcde");
  EXPECT_TRUE(decoder.done());
}

TEST(ChunkedTest, RefusesWhatIsMalformed) {
  for (const std::string_view bad :
       {"\r\n", "x\r\n", " 4\r\n", "4x\r\n", "-1\r\n", "0x4\r\n", "4\n", "4\r\r", "4\r\nWikiX",
        "4\r\nWiki\rX", "4\r\nWiki\n", "0\r\nA: b\n", "0\r\n\rX", "4;a\x01", ";a\r\n", "0\r\n\x01",
        "12345678901234567\r\n"}) {
    EXPECT_EQ(decode(bad), std::nullopt) << bad;
  }
}

TEST(ChunkedTest, SixteenSizeDigitsAreEnough) {
  EXPECT_EQ(decode("0000000000000001\r\na\r\n0\r\n\r\n"), "a");
  EXPECT_EQ(decode("00000000000000001\r\na\r\n0\r\n\r\n"), std::nullopt);
}

TEST(ChunkedTest, LineLimit) {
  const std::size_t most = ChunkedDecoder::kLineBytesMax;
  EXPECT_EQ(decode("0;" + std::string(most, 'a') + "\r\n\r\n"), "");
  EXPECT_EQ(decode("0;" + std::string(most + 1, 'a') + "\r\n\r\n"), std::nullopt);
  EXPECT_EQ(decode("0\r\n" + std::string(most, 'a') + "\r\n\r\n"), "");
  EXPECT_EQ(decode("0\r\n" + std::string(most / 2, 'a') + "\r\n" + std::string(most / 2 + 1, 'b') +
                   "\r\n\r\n"),
            std::nullopt);
}

}  // namespace
}  // namespace reel::http
