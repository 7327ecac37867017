#include "auth/key_set.h"

#include <gtest/gtest.h>

namespace reel::auth {
namespace {

// RFC 7515 A.1: HS256.
constexpr std::string_view kHmacKey =
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75)"
    R"(aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";
constexpr std::string_view kHmacToken =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

// RFC 7515 A.2: RS256.
constexpr std::string_view kRsaKey =
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx)"
    R"(HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs)"
    R"(D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH)"
    R"(SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV)"
    R"(MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8)"
    R"(NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})";
constexpr std::string_view kRsaToken =
    "eyJhbGciOiJSUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q"
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    "O8W2Fp5jujG"
    "bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
    "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0"
    "GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
    "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6Lb"
    "gGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

// RFC 7515 A.3: ES256.
constexpr std::string_view kEcKey =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view kEcToken =
    "eyJhbGciOiJFUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

// RFC 8037 A.4: EdDSA.
constexpr std::string_view kEdKey =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
constexpr std::string_view kEdToken =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

std::string set_of(std::string_view keys) { return fmt::format(R"({{"keys":[{}]}})", keys); }

//! Everything but braces of a key, with one more member.
std::string with(std::string_view key, std::string_view member) {
  return fmt::format("{},{}}}", key.substr(0, key.size() - 1), member);
}

KeySet keys(std::string_view list) {
  auto set = KeySet::parse(set_of(list), KeySet::Secrets::allowed);
  EXPECT_TRUE(set) << set.error().message();
  return *std::move(set);
}

bool verifies(const KeySet& set, std::string_view token) {
  const auto parts = TokenParts::parse(token);
  return parts && set.verify(token, *parts).has_value();
}

struct Vector {
  std::string_view key;
  std::string_view token;
  std::string_view algorithm;
};
constexpr Vector kVectors[] = {{kHmacKey, kHmacToken, "HS256"},
                               {kRsaKey, kRsaToken, "RS256"},
                               {kEcKey, kEcToken, "ES256"},
                               {kEdKey, kEdToken, "EdDSA"}};

TEST(KeySetTest, VerifiesTheVectorsOfTheRfcs) {
  for (const Vector& vector : kVectors) {
    const auto parts = TokenParts::parse(vector.token);
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->algorithm, vector.algorithm);
    const auto payload = keys(vector.key).verify(vector.token, *parts);
    ASSERT_TRUE(payload) << vector.algorithm;
    EXPECT_TRUE(payload->find("joe") != payload->npos || *payload == "Example of Ed25519 signing");
  }
}

TEST(KeySetTest, OneChangedCharacterIsNoticed) {
  for (const Vector& vector : kVectors) {
    const KeySet set = keys(vector.key);
    const std::string token(vector.token);
    for (std::size_t i = 0; i < token.size(); i += 7) {
      if (token[i] == '.') continue;
      std::string changed = token;
      changed[i] = changed[i] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(verifies(set, changed)) << vector.algorithm << " at " << i;
    }
    EXPECT_FALSE(verifies(set, token.substr(0, token.size() - 1)));
    EXPECT_FALSE(verifies(set, token + "A"));
  }
}

TEST(KeySetTest, AKeyVerifiesItsOwnAlgorithmOnly) {
  for (const Vector& key : kVectors) {
    for (const Vector& token : kVectors) {
      EXPECT_EQ(verifies(keys(key.key), token.token), key.algorithm == token.algorithm);
    }
  }
}

TEST(KeySetTest, RefusesNoneInAnySpelling) {
  const KeySet all = keys(fmt::format("{},{},{},{}", kHmacKey, kRsaKey, kEcKey, kEdKey));
  // {"alg":"none"}, {"alg":"None"}, {"alg":"NONE"}, {"alg":""}, {}
  for (const std::string_view header : {"eyJhbGciOiJub25lIn0", "eyJhbGciOiJOb25lIn0",
                                        "eyJhbGciOiJOT05FIn0", "eyJhbGciOiIifQ", "e30"}) {
    EXPECT_FALSE(verifies(all, fmt::format("{}.e30.", header)));
    EXPECT_FALSE(verifies(all, fmt::format("{}.e30.AAAA", header)));
  }
}

TEST(KeySetTest, RefusesWhatIsNoTokenOrAsksForExtensions) {
  for (const std::string_view text :
       {"", ".", "..", "a.b", "a.b.c.d", "e30.e30.e30.e30.e30", "!!.e30.AA", "W10.e30.AA",
        // {"alg":"HS256","crit":["x"]}, {"alg":"HS256","b64":false}, {"alg":"HS256","alg":"none"}
        "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AA",
        "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2V9.e30.AA",
        "eyJhbGciOiJIUzI1NiIsImFsZyI6Im5vbmUifQ.e30.AA"}) {
    EXPECT_FALSE(TokenParts::parse(text)) << text;
  }
}

TEST(KeySetTest, KeysForOtherPurposesAreLeftOut) {
  EXPECT_EQ(keys(with(kRsaKey, R"("use":"enc")")).size(), 0U);
  EXPECT_EQ(keys(with(kRsaKey, R"("alg":"RS512")")).size(), 0U);
  EXPECT_EQ(keys(with(kRsaKey, R"("alg":"HS256")")).size(), 0U);
  EXPECT_EQ(keys(with(kRsaKey, R"("key_ops":["encrypt"])")).size(), 0U);
  EXPECT_EQ(keys(with(kRsaKey, R"("key_ops":["verify"],"use":"sig","alg":"RS256")")).size(), 1U);
  EXPECT_EQ(keys(R"({"kty":"unheard of"},{"kty":"EC","crv":"P-521"})").size(), 0U);
}

TEST(KeySetTest, RefusesBrokenAndWeakKeys) {
  const auto refused = [](std::string_view key, KeySet::Secrets secrets) {
    const auto set = KeySet::parse(set_of(key), secrets);
    return !set && set.error().pointer() == "/keys/0";
  };
  constexpr auto kAllowed = KeySet::Secrets::allowed;
  EXPECT_TRUE(refused(R"({"kty":"RSA","n":"sXch","e":"AQAB"})", kAllowed));
  EXPECT_TRUE(refused(R"({"kty":"RSA"})", kAllowed));
  EXPECT_TRUE(refused(R"({"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})", kAllowed));
  EXPECT_TRUE(refused(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})", kAllowed));
  EXPECT_TRUE(refused(R"({"kty":"EC","crv":"P-256","x":"A=A","y":"A"})", kAllowed));
  EXPECT_TRUE(refused(R"({"kty":"oct","k":"c2hvcnQ"})", kAllowed));
  EXPECT_TRUE(refused(kHmacKey, KeySet::Secrets::refused));
}

TEST(KeySetTest, RefusesWhatIsNoSet) {
  for (const std::string_view text : {"", "[]", "{}", R"({"keys":{}})", "{\"keys\":[}"}) {
    EXPECT_FALSE(KeySet::parse(text, KeySet::Secrets::allowed)) << text;
  }
}

TEST(KeySetTest, ATokenThatNamesAKeyIsVerifiedWithThatOne) {
  const auto parts = TokenParts::parse(kEcToken);
  TokenParts named = *parts;
  named.key_id = "a";
  const KeySet set = keys(with(kEcKey, R"("kid":"b")"));
  EXPECT_FALSE(set.has_key_for(named));
  EXPECT_FALSE(set.verify(kEcToken, named));
  named.key_id = "b";
  EXPECT_TRUE(set.has_key_for(named));
  EXPECT_TRUE(set.verify(kEcToken, named));
}

}  // namespace
}  // namespace reel::auth
