#include "http/compress.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace reel::http {
namespace {

std::string gunzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  std::string in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(PrefersGzipTest, ReadsWeights) {
  EXPECT_TRUE(prefers_gzip("gzip"));
  EXPECT_TRUE(prefers_gzip("gzip, deflate, br, zstd"));
  EXPECT_TRUE(prefers_gzip("br;q=1.0, GZIP;q=0.8, *;q=0.1"));
  EXPECT_TRUE(prefers_gzip("x-gzip"));
  EXPECT_TRUE(prefers_gzip("*"));
  EXPECT_TRUE(prefers_gzip("gzip ; q=0.001"));
  EXPECT_TRUE(prefers_gzip("gzip;q=1.000, identity"));
}

TEST(PrefersGzipTest, SendsPlainBytesOtherwise) {
  EXPECT_FALSE(prefers_gzip(""));
  EXPECT_FALSE(prefers_gzip("br, deflate"));
  EXPECT_FALSE(prefers_gzip("gzip;q=0"));
  EXPECT_FALSE(prefers_gzip("gzip;q=0.000"));
  EXPECT_FALSE(prefers_gzip("*;q=0"));
  EXPECT_FALSE(prefers_gzip("gzip;q=0, *"));
  EXPECT_FALSE(prefers_gzip("gzip;q=0.5, identity"));
  EXPECT_FALSE(prefers_gzip("gzip;q=0.5, identity;q=0.6"));
  EXPECT_FALSE(prefers_gzip("gzip;q=nonsense"));
  EXPECT_FALSE(prefers_gzip("gzip;q=2"));
  EXPECT_FALSE(prefers_gzip("gzip;q=1.5"));
  EXPECT_FALSE(prefers_gzip("gzipped"));
}

TEST(CompressibleTypeTest, KnowsText) {
  EXPECT_TRUE(is_compressible_type("application/json"));
  EXPECT_TRUE(is_compressible_type("application/problem+json; charset=utf-8"));
  EXPECT_TRUE(is_compressible_type("text/html"));
  EXPECT_TRUE(is_compressible_type("application/vnd.apple.mpegurl"));
  EXPECT_FALSE(is_compressible_type("video/mp4"));
  EXPECT_FALSE(is_compressible_type("application/octet-stream"));
  EXPECT_FALSE(is_compressible_type(""));
}

TEST(GzipTest, ComesBack) {
  for (const std::size_t size : {0U, 1U, 5'000U, 700'000U}) {
    std::string text;
    while (text.size() < size) text += "{\"id\":" + std::to_string(text.size()) + "},";
    text.resize(size);
    EXPECT_EQ(gunzip(gzip(text)), text);
  }
  EXPECT_LT(gzip(std::string(100'000, 'a')).size(), 1'000U);
}

TEST(GzipTest, IsStable) { EXPECT_EQ(gzip("abcabcabc"), gzip("abcabcabc")); }

}  // namespace
}  // namespace reel::http
