#include "media/backend.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace reel::media {
namespace {

const Instant kDay = *Instant::parse("2026-03-04T23:59:59.999Z");

std::string name_of(std::string_view object_id) {
  const std::string key = make_key(object_id, kDay);
  return key.substr(key.rfind('/') + 1);
}

TEST(MakeKey, NamesTheDayAndSpreads) {
  const std::string spread = hash128("abc").to_hex().substr(0, 2);
  EXPECT_EQ(make_key("abc", kDay), "media/2026/03/04/" + spread + "/abc");
  std::set<std::string> folders;
  for (int i = 0; i < 5000; ++i) {
    folders.insert(make_key(std::to_string(i), kDay).substr(0, 19));
  }
  EXPECT_EQ(folders.size(), 256U);
}

TEST(MakeKey, EncodesWhatAPathCannotHold) {
  EXPECT_EQ(name_of("a/b"), "a%2Fb");
  EXPECT_EQ(name_of("a%2Fb"), "a%252Fb");
  EXPECT_EQ(name_of("."), "%2E");
  EXPECT_EQ(name_of(".."), "%2E.");
  EXPECT_EQ(name_of("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
  EXPECT_EQ(name_of("~x"), "%7Ex");
  EXPECT_EQ(name_of(std::string_view("\0", 1)), "%00");
  EXPECT_EQ(name_of("\xc3\xa9 \\ :*"), "%C3%A9%20%5C%20%3A%2A");
}

TEST(MakeKey, HashesWhatIsTooLongOrEmpty) {
  EXPECT_EQ(name_of(std::string(200, 'x')), std::string(200, 'x'));
  EXPECT_EQ(name_of(std::string(201, 'x')), "~" + to_hex(sha256(std::string(201, 'x'))));
  EXPECT_EQ(name_of(std::string(67, '/')), "~" + to_hex(sha256(std::string(67, '/'))));
  EXPECT_EQ(name_of(std::string(10'000, '/')).size(), 65U);
  EXPECT_EQ(name_of(""), "~" + to_hex(sha256("")));
}

TEST(MakeKey, HashedNamesCollideWithNoOtherId) {
  const std::string hashed = name_of(std::string(201, 'x'));
  EXPECT_NE(name_of(hashed), hashed);
}

TEST(MakeKey, EveryByteGivesASafeName) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string name = name_of(std::string(3, static_cast<char>(byte)));
    EXPECT_TRUE(std::ranges::all_of(name, [](char c) { return c > ' ' && c < 127 && c != '/'; }));
    EXPECT_NE(name.front(), '.');
  }
}

}  // namespace
}  // namespace reel::media
