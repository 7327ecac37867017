#include "media/url_signer.h"

#include <fstream>
#include <random>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/test_seed.h"
#include "media/test_folder.h"

namespace reel::media {
namespace {

namespace fs = std::filesystem;

const StorageId kStorage = *StorageId::parse("5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a");
constexpr std::string_view kStoragePath = "/media/5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a/";
const Instant kNow = *Instant::parse("2026-11-21T02:10:30Z");
const Instant kLater = *Instant::parse("2026-11-21T02:20:30Z");

class UrlSignerTest : public testing::Test {
 protected:
  std::string url(const UrlGrant& grant) const {
    std::string out;
    signer_->append_path(out, grant, kLater);
    return out;
  }

  Result<UrlGrant> verify(UrlUse use, std::string_view url, Instant now = kNow) const {
    const auto mark = url.find('?');
    return signer_->verify(use, url.substr(0, mark), mark == url.npos ? "" : url.substr(mark + 1),
                           now);
  }

  Code refusal(UrlUse use, std::string_view url, Instant now = kNow) const {
    const auto grant = verify(use, url, now);
    return grant ? Code::internal : grant.error().code();
  }

  const std::unique_ptr<UrlSigner> signer_ = UrlSigner::with_key(std::string(32, 'k'));
};

TEST_F(UrlSignerTest, FormIsThatOfTheDocumentation) {
  //! 2026-11-21T02:21:00Z, the next whole minute; the message as docs/formats/media.md has it.
  std::string message = "p";
  message.append(kStorage.uuid.bytes.begin(), kStorage.uuid.bytes.end());
  message += std::string("\0\0\0\0\x6b\x01\x00\x0c", 8);
  message += std::string("\0\0\0\x03", 4) + "a/b" + "video/mp2t";
  EXPECT_EQ(url({UrlUse::put, kStorage, "a/b", "video/mp2t"}),
            std::string(kStoragePath) + "a%2Fb?type=video%2Fmp2t&expires=1795227660&signature=" +
                to_base64url(HmacSha256(std::string(32, 'k')).sign(message)));
}

TEST_F(UrlSignerTest, VerifiesWhatItSigned) {
  const auto get = verify(UrlUse::get, url({UrlUse::get, kStorage, "a/b%?#\n", ""}));
  ASSERT_TRUE(get);
  EXPECT_EQ(get->use, UrlUse::get);
  EXPECT_EQ(get->storage, kStorage);
  EXPECT_EQ(get->object_id, "a/b%?#\n");
  EXPECT_EQ(get->content_type, "");
  const auto put = verify(UrlUse::put, url({UrlUse::put, kStorage, "x", "video/mp2t; a=\"b\""}));
  ASSERT_TRUE(put);
  EXPECT_EQ(put->content_type, "video/mp2t; a=\"b\"");
}

TEST_F(UrlSignerTest, UrlsOfOneMinuteAreEqual) {
  const auto at = [&](std::string_view time) {
    std::string out;
    signer_->append_path(out, {UrlUse::get, kStorage, "x", ""}, *Instant::parse(time));
    return out;
  };
  EXPECT_EQ(at("2026-11-21T02:10:00.000001Z"), at("2026-11-21T02:11:00Z"));
  EXPECT_NE(at("2026-11-21T02:11:00Z"), at("2026-11-21T02:11:00.000001Z"));
}

TEST_F(UrlSignerTest, ExpiresNotBeforeItsTime) {
  const std::string text = url({UrlUse::get, kStorage, "x", ""});
  EXPECT_TRUE(verify(UrlUse::get, text, kLater));
  EXPECT_TRUE(verify(UrlUse::get, text, *Instant::parse("2026-11-21T02:20:59.999999Z")));
  const auto expired = verify(UrlUse::get, text, *Instant::parse("2026-11-21T02:21:00Z"));
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().code(), Code::forbidden);
  EXPECT_EQ(expired.error().message(), "this URL has expired");
}

TEST_F(UrlSignerTest, OneUseIsNotAnother) {
  EXPECT_EQ(refusal(UrlUse::put, url({UrlUse::get, kStorage, "x", ""})), Code::forbidden);
  EXPECT_EQ(refusal(UrlUse::get, url({UrlUse::put, kStorage, "x", ""})), Code::forbidden);
}

TEST_F(UrlSignerTest, AnotherKeySignsOtherwise) {
  const auto other = UrlSigner::with_key(std::string(32, 'j'));
  std::string text;
  other->append_path(text, {UrlUse::get, kStorage, "x", ""}, kLater);
  EXPECT_EQ(refusal(UrlUse::get, text), Code::forbidden);
}

TEST_F(UrlSignerTest, BoundariesBetweenFieldsAreSigned) {
  std::string text = url({UrlUse::put, kStorage, "ab", "c"});
  text.replace(text.find("/ab?type=c"), 10, "/a?type=bc");
  EXPECT_EQ(refusal(UrlUse::put, text), Code::forbidden);
}

TEST_F(UrlSignerTest, NoChangedLetterPasses) {
  const std::string text = url({UrlUse::put, kStorage, "object", "video/mp2t"});
  std::mt19937_64 random(test_seed());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(' ' + random() % 95);
    if (changed[i] == text[i]) continue;
    const auto grant = verify(UrlUse::put, changed);
    //! Escapes may change case: "%2F" and "%2f" are the same letter.
    ASSERT_TRUE(!grant || (changed[i] == 'f' && text[i] == 'F')) << changed;
  }
}

TEST_F(UrlSignerTest, OtherParametersAndOrdersAreFine) {
  const std::string text = url({UrlUse::get, kStorage, "x", ""});
  EXPECT_TRUE(verify(UrlUse::get, text + "&access_token=abc&&flag&=1"));
  const auto expires = text.find("expires="), signature = text.find("signature=");
  EXPECT_TRUE(verify(UrlUse::get, text.substr(0, expires) + text.substr(signature) + "&" +
                                      text.substr(expires, signature - expires - 1)));
}

TEST_F(UrlSignerTest, RefusesIncompleteRepeatedOrForeignParameters) {
  const std::string text = url({UrlUse::get, kStorage, "x", ""});
  const std::string path = text.substr(0, text.find('?'));
  for (const std::string& refused :
       {path, path + "?", path + "?expires=1795227660", path + "?signature=x",
        text + "&expires=1795227660", text + "&type=video/mp2t", text + "&type=%zz", text + "=",
        path + "?expires=&signature=", path + "?expires=-1&signature=x",
        path + "?expires=99999999999999999999&signature=x"}) {
    EXPECT_EQ(refusal(UrlUse::get, refused), Code::forbidden) << refused;
  }
}

TEST_F(UrlSignerTest, OtherPathsAreNotFound) {
  const std::string text = url({UrlUse::get, kStorage, "x", ""});
  const std::string query = text.substr(text.find('?'));
  for (const std::string& path :
       {std::string(""), std::string("/"), std::string("/media/"), std::string("/flows/x"),
        std::string(kStoragePath.substr(0, kStoragePath.size() - 1)),
        std::string("/media/5CB85E3C-0D5C-4C47-B9B7-89AF2D8B3F2A/x"),
        std::string("/media/5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2ax"),
        std::string(kStoragePath) + "%zz", std::string(kStoragePath) + "%2"}) {
    EXPECT_EQ(refusal(UrlUse::get, path + query), Code::not_found) << path;
  }
}

TEST(UrlSignerKey, IsCreatedOnceForItsOwnerOnly) {
  const TestFolder folder;
  const std::string file = folder / "url.key";
  std::string first;
  std::string second;
  {
    const auto signer = UrlSigner::open(file);
    ASSERT_TRUE(signer) << signer.error().message();
    (*signer)->append_path(first, {UrlUse::get, kStorage, "x", ""}, kLater);
  }
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(status.st_size, 32);
  const auto again = UrlSigner::open(file);
  ASSERT_TRUE(again);
  (*again)->append_path(second, {UrlUse::get, kStorage, "x", ""}, kLater);
  EXPECT_EQ(first, second);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(UrlSignerKey, DiffersBetweenInstallations) {
  const TestFolder folder;
  const auto a = UrlSigner::open(folder / "a");
  const auto b = UrlSigner::open(folder / "b");
  std::string from_a;
  std::string from_b;
  (*a)->append_path(from_a, {UrlUse::get, kStorage, "x", ""}, kLater);
  (*b)->append_path(from_b, {UrlUse::get, kStorage, "x", ""}, kLater);
  EXPECT_NE(from_a, from_b);
}

TEST(UrlSignerKey, RefusesAKeyThatOthersMayUse) {
  const TestFolder folder;
  const std::string file = folder / "url.key";
  std::ofstream(file) << std::string(32, 'k');
  for (const mode_t mode : {0644U, 0640U, 0604U, 0620U, 0601U}) {
    ::chmod(file.c_str(), mode);
    const auto signer = UrlSigner::open(file);
    ASSERT_FALSE(signer);
    EXPECT_EQ(signer.error().code(), Code::invalid);
    EXPECT_NE(signer.error().message().find(fmt::format("mode {:04o}", mode)), std::string::npos);
    EXPECT_NE(signer.error().message().find(file), std::string::npos);
  }
  ::chmod(file.c_str(), 0400);
  EXPECT_TRUE(UrlSigner::open(file));
}

TEST(UrlSignerKey, RefusesAnotherSize) {
  const TestFolder folder;
  const std::string file = folder / "url.key";
  for (const std::size_t size : {0U, 31U, 33U}) {
    std::ofstream(file) << std::string(size, 'k');
    ::chmod(file.c_str(), 0600);
    const auto signer = UrlSigner::open(file);
    ASSERT_FALSE(signer) << size;
    EXPECT_EQ(signer.error().code(), Code::invalid);
  }
}

TEST(UrlSignerKey, NamesTheFileThatItCannotCreate) {
  const TestFolder folder;
  const auto signer = UrlSigner::open(folder / "missing/url.key");
  ASSERT_FALSE(signer);
  EXPECT_EQ(signer.error().code(), Code::io);
  EXPECT_NE(signer.error().message().find("missing/url.key"), std::string::npos);
}

}  // namespace
}  // namespace reel::media
