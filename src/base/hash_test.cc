#include "base/hash.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_seed.h"

namespace reel {
namespace {

constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};

std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Hash128, CarriesAndBorrowsAcrossTheMiddle) {
  Hash128 sum{kAllOnes, 1};
  sum += Hash128{1, 0};
  EXPECT_EQ(sum, (Hash128{0, 2}));
  sum -= Hash128{1, 0};
  EXPECT_EQ(sum, (Hash128{kAllOnes, 1}));
}

TEST(Hash128, WrapsAroundAtTheTop) {
  Hash128 sum{kAllOnes, kAllOnes};
  sum += Hash128{1, 0};
  EXPECT_EQ(sum, Hash128{});
  sum -= Hash128{1, 0};
  EXPECT_EQ(sum, (Hash128{kAllOnes, kAllOnes}));
}

TEST(Hash128, AddsToItself) {
  Hash128 sum{std::uint64_t{1} << 63, 0};
  sum += sum;
  EXPECT_EQ(sum, (Hash128{0, 1}));
  sum -= sum;
  EXPECT_EQ(sum, Hash128{});
}

TEST(Hash128, SumsDoNotDependOnOrder) {
  std::mt19937_64 random(test_seed());
  std::vector<Hash128> hashes(100);
  for (auto& hash : hashes) hash = {random(), random()};
  Hash128 forward;
  for (const auto& hash : hashes) forward += hash;
  std::shuffle(hashes.begin(), hashes.end(), random);
  Hash128 shuffled;
  for (const auto& hash : hashes) shuffled += hash;
  EXPECT_EQ(forward, shuffled);
  for (const auto& hash : hashes) shuffled -= hash;
  EXPECT_EQ(shuffled, Hash128{});
}

TEST(Hash128, ValuesAreStable) {
  EXPECT_EQ(hash128("").to_hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ((Hash128{0x1, 0xa}).to_hex(), "000000000000000a0000000000000001");
}

TEST(Sha256, KnownVectors) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, PiecesMakeTheSameDigest) {
  Sha256 hash;
  const std::string piece(1000, 'a');
  for (int i = 0; i < 1000; ++i) hash.update(as_bytes(piece));
  hash.update({});
  EXPECT_EQ(to_hex(hash.finish()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(HmacSha256, KnownVectorsOfRfc4231) {
  EXPECT_EQ(to_hex(HmacSha256(std::string(20, '\x0b')).sign("Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(HmacSha256("Jefe").sign("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(HmacSha256(std::string(131, '\xaa'))
                       .sign("Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(to_hex(HmacSha256({}).sign({})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(EqualConstantTime, ComparesBytes) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_constant_time("secret", "secret!"));
}

TEST(Hex, RoundTripAndRefusals) {
  EXPECT_EQ(to_hex(octets(std::string_view("\x00\xff\x1a", 3))), "00ff1a");
  EXPECT_EQ(from_hex("00FF1a"), std::string("\x00\xff\x1a", 3));
  EXPECT_EQ(from_hex(""), "");
  for (const char* text : {"0", "0g", "0x00", " 00", "00 ", "-1"}) EXPECT_FALSE(from_hex(text));
}

TEST(Base64Url, KnownVectorsOfRfc4648) {
  EXPECT_EQ(to_base64url(octets("")), "");
  EXPECT_EQ(to_base64url(octets("f")), "Zg");
  EXPECT_EQ(to_base64url(octets("fo")), "Zm8");
  EXPECT_EQ(to_base64url(octets("foo")), "Zm9v");
  EXPECT_EQ(to_base64url(octets("\xfb\xff")), "-_8");
  EXPECT_EQ(from_base64url("-_8"), "\xfb\xff");
}

TEST(Base64Url, RefusesPaddingForeignLettersAndLooseBits) {
  for (const char* text : {"Z", "Zg==", "Zm8=", "+_8", "/_8", "Zm9vZ", "Zh", "Zm9", "Zm 9"}) {
    EXPECT_FALSE(from_base64url(text)) << text;
  }
}

TEST(TextForms, RandomBytesReadBack) {
  std::mt19937_64 random(test_seed());
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ASSERT_EQ(from_hex(to_hex(octets(bytes))), bytes);
    ASSERT_EQ(from_base64url(to_base64url(octets(bytes))), bytes);
  }
}

}  // namespace
}  // namespace reel
