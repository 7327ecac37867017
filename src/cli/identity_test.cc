#include "cli/identity.h"

#include <fstream>

#include <gtest/gtest.h>

#include "cli/temp_directory.h"

namespace reel::cli {
namespace {

//! The example of RFC 9562, A.4: the name space is that of domain names.
TEST(NameBasedUuid, MatchesTheRfc) {
  const Uuid dns = *Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(Uuid::from_name(dns, "www.example.com").to_string(),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(NameBasedUuid, IsOneThatTamsAccepts) {
  const Uuid id = Uuid::from_name(ingest_name_space(), "anything");
  EXPECT_TRUE(Uuid::parse(id.to_string()));
}

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
