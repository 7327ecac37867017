#include "api/digest.h"

#include <gtest/gtest.h>

namespace reel::api {
namespace {

// RFC 9530 B.1: the digest of {"hello": "world"} and a line feed.
constexpr const char* kField = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
const std::string kContent = "{\"hello\": \"world\"}\n";

std::string verdict(const std::string& name, const std::string& field) {
  Headers headers;
  headers.add(name, field);
  const auto digest = sent_digest(headers);
  if (!digest) return digest.error().pointer();
  return *digest ? digest_field(**digest) : "none";
}

TEST(Digest, IsWrittenAndReadAsInTheRfc) {
  EXPECT_EQ(digest_field(sha256(kContent)), kField);
  for (const char* name : {"Content-Digest", "Repr-Digest", "content-digest"}) {
    EXPECT_EQ(verdict(name, kField), kField);
    EXPECT_EQ(verdict(name, std::string("sha-512=:x:, \t") + kField + " , md5=:y:"), kField);
  }
}

TEST(Digest, OtherAlgorithmsAreIgnored) {
  EXPECT_EQ(verdict("Content-Digest", "sha-512=:x:"), "none");
  EXPECT_EQ(verdict("Content-Digest", ""), "none");
  EXPECT_EQ(verdict("Digest", kField), "none");
  EXPECT_FALSE(*sent_digest(Headers()));
}

TEST(Digest, MalformedOnesAreNamed) {
  for (const char* field : {"sha-256=", "sha-256=::", "sha-256=:x:", "sha-256=RK/0qy18",
                            "sha-256=:RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg=:",
                            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg:",
                            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDh=:"}) {
    EXPECT_EQ(verdict("Repr-Digest", field), "Repr-Digest") << field;
  }
}

TEST(Digest, TwoMustAgree) {
  Headers headers;
  headers.add("Content-Digest", kField);
  headers.add("Repr-Digest", digest_field(sha256("other")));
  EXPECT_EQ(sent_digest(headers).error().pointer(), "Repr-Digest");
}

}  // namespace
}  // namespace reel::api
