#include "auth/password.h"

#include <gtest/gtest.h>

namespace reel::auth {
namespace {

//! Of "open sesame"; made once, for that takes a while.
const std::string& known_hash() {
  static const std::string hash = *hash_password("open sesame");
  return hash;
}

TEST(PasswordTest, AHashKnowsItsPassword) {
  EXPECT_EQ(known_hash().rfind("scrypt$15$8$1$", 0), 0U);
  EXPECT_TRUE(*check_password("open sesame", known_hash()));
  EXPECT_FALSE(*check_password("open sesamE", known_hash()));
  EXPECT_FALSE(*check_password("", known_hash()));
}

TEST(PasswordTest, VectorOfRfc7914) {
  // scrypt("pleaseletmein", "SodiumChloride", 16384, 8, 1), its first 32 bytes.
  EXPECT_TRUE(*check_password("pleaseletmein",
                              "scrypt$14$8$1$U29kaXVtQ2hsb3JpZGU$"
                              "cCO9yzr9c0hGHAbNgf046_2o-7qQT44-qbVD9lRdofI"));
}

TEST(PasswordTest, RefusesHashesThatAreNone) {
  for (const char* text : {"", "x", "scrypt$15$8$1$AAAA", "scrypt$15$8$1$AAAA$AAAA",
                           "argon2$15$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                           "scrypt$30$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                           "scrypt$2$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                           "scrypt$15$0$1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                           "scrypt$-1$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(check_password("x", text)) << text;
  }
}

TEST(PasswordTest, RefusesPasswordsThatAreNone) {
  EXPECT_FALSE(hash_password(""));
  EXPECT_FALSE(hash_password(std::string(1025, 'x')));
}

TEST(UsersTest, ReadsLines) {
  const auto users = Users::parse("# people\n\n" + *user_line("ann", Role::editor, known_hash()) +
                                  "\r\nben:viewer:" + known_hash() + ":news,sport\n");
  ASSERT_TRUE(users) << users.error().message();
  const IdentityPtr ann = users->check("ann", "open sesame");
  ASSERT_NE(ann, nullptr);
  EXPECT_EQ(ann->name, "ann");
  EXPECT_EQ(ann->permissions, role_permissions(Role::editor));
  EXPECT_FALSE(ann->classes);
  EXPECT_EQ(users->check("ben", "open sesame")->classes->size(), 2U);
  EXPECT_EQ(users->check("ann", "wrong"), nullptr);
  EXPECT_EQ(users->check("nobody", "open sesame"), nullptr);
}

TEST(UsersTest, NamesTheLineThatIsWrong) {
  const std::string good = *user_line("ann", Role::viewer, known_hash());
  for (const std::string& bad :
       {std::string("ann"), std::string("ann:viewer"), "ann:owner:" + known_hash(),
        std::string("ann:viewer:secret"), ":viewer:" + known_hash(), good}) {
    const auto users = Users::parse(fmt::format("{}\n{}", good, bad));
    ASSERT_FALSE(users) << bad;
    EXPECT_EQ(users.error().message().rfind("line 2: ", 0), 0U);
    EXPECT_EQ(users.error().message().find(known_hash()), std::string::npos);
  }
  EXPECT_FALSE(Users::read("/nowhere"));
  for (const char* name : {"", "a:b", "#a", "a\nb"}) {
    EXPECT_FALSE(user_line(name, Role::viewer, known_hash()));
  }
}

}  // namespace
}  // namespace reel::auth
