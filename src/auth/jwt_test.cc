#include "auth/jwt.h"

#include <gtest/gtest.h>

namespace reel::auth {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

class ReadClaims : public testing::Test {
 protected:
  ReadClaims() {
    rules_.issuer = "https://issuer.example";
    rules_.audience = "reelhouse";
    rules_.grant_claims = {"scope", "realm_access.roles", "https://example.com/roles"};
    rules_.classes_claim = "auth_classes";
    for (const char* text : {"tams-api/read=read", "tams-api/delete=delete", "boss=admin"}) {
      const auto grant = parse_grant(text);
      rules_.grants[grant->first].add(grant->second);
    }
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, json::Value>>{
             {"iss", "https://issuer.example"},
             {"aud", "reelhouse"},
             {"sub", "camera-3"},
             {"exp", kNow + 100}}) {
      claims_.set(name, value);
    }
  }

  Result<Bearer> read() const { return read_claims(claims_, rules_, {kNow * 1'000'000}); }
  //! What is wrong with the claims; empty when nothing is.
  std::string wrong() const {
    const auto bearer = read();
    return bearer ? "" : bearer.error().message();
  }

  ClaimRules rules_;
  json::Value claims_{json::Object{}};
};

TEST_F(ReadClaims, NamesTheBearer) {
  const auto bearer = read();
  ASSERT_TRUE(bearer) << bearer.error().message();
  EXPECT_EQ(bearer->identity.name, "camera-3");
  EXPECT_TRUE(bearer->identity.permissions.empty());
  EXPECT_FALSE(bearer->identity.classes);
  EXPECT_EQ(bearer->expires.micros, (kNow + 160) * 1'000'000);
}

TEST_F(ReadClaims, GrantsWhatWordsSayAndNothingElse) {
  claims_.set("scope", "openid tams-api/read  tams-api/deletes");
  EXPECT_EQ(read()->identity.permissions, Permissions{Permission::read});
  claims_.set("scope", json::Array{"tams-api/delete", 7});
  EXPECT_EQ(read()->identity.permissions, Permissions{Permission::erase});
  claims_.set("scope", json::Object{});
  EXPECT_TRUE(read()->identity.permissions.empty());
  claims_.set("realm_access", json::Object{{"roles", json::Array{"boss"}}});
  EXPECT_TRUE(read()->identity.permissions.is_admin());
  claims_.erase("realm_access");
  claims_.set("https://example.com/roles", "boss");
  EXPECT_TRUE(read()->identity.permissions.is_admin());
}

TEST_F(ReadClaims, RestrictsToClasses) {
  claims_.set("auth_classes", json::Array{"news", "sport"});
  EXPECT_EQ(*read()->identity.classes, (std::vector<std::string>{"news", "sport"}));
  claims_.set("auth_classes", "");
  EXPECT_TRUE(read()->identity.classes->empty());
}

TEST_F(ReadClaims, RefusesOtherIssuersAndAudiences) {
  claims_.set("aud", json::Array{"other", "reelhouse"});
  EXPECT_EQ(wrong(), "");
  claims_.set("aud", "other");
  EXPECT_NE(wrong().find("audience"), std::string::npos);
  claims_.erase("aud");
  EXPECT_NE(wrong().find("audience"), std::string::npos);
  rules_.audience.clear();
  EXPECT_EQ(wrong(), "");
  claims_.set("iss", "https://issuer.example/");
  EXPECT_NE(wrong().find("issuer"), std::string::npos);
  claims_.set("iss", json::Array{"https://issuer.example"});
  EXPECT_NE(wrong().find("issuer"), std::string::npos);
}

TEST_F(ReadClaims, TheClocksMayDifferALittle) {
  claims_.set("exp", kNow - 59);
  EXPECT_EQ(wrong(), "");
  claims_.set("exp", kNow - 60);
  EXPECT_NE(wrong().find("expired"), std::string::npos);
  claims_.set("exp", kNow + 1);
  claims_.set("nbf", kNow + 60);
  EXPECT_EQ(wrong(), "");
  claims_.set("nbf", kNow + 61);
  EXPECT_NE(wrong().find("not valid yet"), std::string::npos);
}

TEST_F(ReadClaims, RefusesTimesThatAreNone) {
  for (const json::Value& value :
       {json::Value("1800000100"), json::Value(-1), json::Value(), json::Value(true)}) {
    claims_.set("exp", value);
    EXPECT_NE(wrong(), "") << json::to_text(value);
  }
  claims_.set("exp", 1e300);
  EXPECT_EQ(wrong(), "");
  claims_.set("nbf", "soon");
  EXPECT_NE(wrong(), "");
}

TEST_F(ReadClaims, WantsASubject) {
  claims_.erase("sub");
  EXPECT_NE(wrong().find("whose"), std::string::npos);
  claims_.set("client_id", "machine");
  EXPECT_EQ(read()->identity.name, "machine");
  EXPECT_FALSE(read_claims(json::Value("text"), rules_, {0}));
}

TEST(ParseGrant, KnowsPermissionsAndRoles) {
  EXPECT_EQ(parse_grant("a=b=write")->first, "a=b");
  EXPECT_EQ(parse_grant("x=editor")->second, role_permissions(Role::editor));
  for (const char* text : {"", "x", "=read", "x=", "x=owner"}) EXPECT_FALSE(parse_grant(text));
}

}  // namespace
}  // namespace reel::auth
