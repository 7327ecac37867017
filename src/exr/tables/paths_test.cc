#include "exr/tables/paths.h"

#include <gtest/gtest.h>

namespace reel::exr {
namespace {

std::string normalized(std::string_view path) {
  const auto out = normalize_path(path);
  return out ? *out : std::string(code_name(out.error().code()));
}

TEST(Paths, AreNormalizedAsText) {
  EXPECT_EQ(normalized("/shows/demo/a.exr"), "/shows/demo/a.exr");
  EXPECT_EQ(normalized("//shows/./demo//x/../a.exr/"), "/shows/demo/a.exr");
  EXPECT_EQ(normalized("/../../a.exr"), "/a.exr");
  EXPECT_EQ(normalized("/.."), "/");
  EXPECT_EQ(normalized("/a..b/...exr"), "/a..b/...exr");
  EXPECT_EQ(normalized("s3://bucket//x/../a.exr"), "s3://bucket/a.exr");
  EXPECT_EQ(normalized("s3://bucket/../a.exr"), "s3://bucket/a.exr");
  EXPECT_EQ(normalized("/x/s3://y"), "/x/s3:/y");
}

TEST(Paths, ThatMeanNothingByThemselvesAreRefused) {
  for (const char* path : {"", "a.exr", "./a.exr", "../a.exr", "://x/a.exr", "a b://x/a.exr"}) {
    EXPECT_EQ(normalized(path), "invalid") << path;
  }
  EXPECT_EQ(normalized("/bad\xff.exr"), "invalid");
}

TEST(Paths, IdsAreOfContent) {
  const Sha256Digest one = sha256("one");
  EXPECT_EQ(file_id("/a", one).size(), 32U);
  EXPECT_EQ(file_id("/a", one), file_id("/a", one));
  EXPECT_NE(file_id("/a", one), file_id("/b", one));
  EXPECT_NE(file_id("/a", one), file_id("/a", sha256("two")));
  EXPECT_NE(sequence_id("/d", "ab", "c"), sequence_id("/d", "a", "bc"));
}

}  // namespace
}  // namespace reel::exr
