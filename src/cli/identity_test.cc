#include "cli/identity.h"

#include <fstream>

#include <gtest/gtest.h>

#include "cli/temp_directory.h"

namespace reel::cli {
namespace {

TEST(FileFingerprint, IsTheContents) {
  auto temp = TempDirectory::make();
  ASSERT_TRUE(temp);
  const std::string big(5 << 20, 'a');
  ASSERT_TRUE(write_file(temp->file("a"), big));
  ASSERT_TRUE(write_file(temp->file("copy of a"), big));
  EXPECT_EQ(*file_fingerprint(temp->file("a")), *file_fingerprint(temp->file("copy of a")));
  std::string changed = big;
  changed.back() = 'b';
  ASSERT_TRUE(write_file(temp->file("b"), changed));
  EXPECT_NE(*file_fingerprint(temp->file("a")), *file_fingerprint(temp->file("b")));
  ASSERT_TRUE(write_file(temp->file("empty"), ""));
  EXPECT_TRUE(file_fingerprint(temp->file("empty")));
  EXPECT_EQ(file_fingerprint(temp->file("none")).error().code(), Code::not_found);
}

}  // namespace
}  // namespace reel::cli
