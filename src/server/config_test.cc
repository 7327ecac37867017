#include "server/config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reel::server {
namespace {

using testing::HasSubstr;

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = testing::TempDir() + "/reel-config-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~ConfigTest() override { std::filesystem::remove_all(directory_); }

  //! A file with this content.
  std::string file(std::string_view content) const {
    const std::string path = directory_ + "/reelhouse.toml";
    std::ofstream(path) << content;
    return path;
  }

  //! The message with which a file is refused.
  std::string refusal(std::string_view content) const {
    const std::string path = file(content);
    const auto config = load_config({.file = path});
    if (config) return "(accepted)";
    std::string message = config.error().message();
    if (message.starts_with(path)) message = "F" + message.substr(path.size());
    return message;
  }

 private:
  std::string directory_;
};

TEST_F(ConfigTest, WithoutSourcesEverythingHasItsDefault) {
  const auto config = load_config({});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->http_address, "127.0.0.1:8000");
  EXPECT_EQ(config->data_dir, "./reelhouse-data");
  ASSERT_EQ(config->storage.size(), 1U);
  EXPECT_EQ(config->storage[0].path, config->data_dir);
  EXPECT_TRUE(config->storage[0].is_default);
  EXPECT_TRUE(config->origins.empty());
}

TEST_F(ConfigTest, FlagsBeatEnvironmentBeatsFile) {
  const std::string path = file(
      "data_dir = '/from/file'\npublic_url = 'http://file'\n[http]\naddress = '127.0.0.1:1'\n");
  const auto config = load_config({.file = path,
                                   .environment = {{"REELHOUSE_HTTP_ADDRESS", "127.0.0.1:2"},
                                                   {"REELHOUSE_PUBLIC_URL", "http://environment"}},
                                   .flags = {{"http.address", "127.0.0.1:3"}}});
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->data_dir, "/from/file");
  EXPECT_EQ(config->public_url, "http://environment");
  EXPECT_EQ(config->http_address, "127.0.0.1:3");
  EXPECT_EQ(config->origins.at("data_dir"), path + ":1");
  EXPECT_EQ(config->origins.at("public_url"), "environment");
  EXPECT_EQ(config->origins.at("http.address"), "flag");
}

TEST_F(ConfigTest, MistakesNameKeyAndLine) {
  EXPECT_EQ(refusal("\n\n[http]\nadress = '127.0.0.1:1'\n"), "F:4: unknown key 'http.adress'");
  EXPECT_EQ(refusal("colour = 1\n"), "F:1: unknown key 'colour'");
  EXPECT_EQ(refusal("data_dir = 7\n"), "F:1: 'data_dir' must be a string");
  EXPECT_EQ(refusal("trust_forwarded = 'true'\n"), "F:1: 'trust_forwarded' must be true or false");
  EXPECT_EQ(refusal("[limits]\npage_max = 0\n"),
            "F:2: 'limits.page_max' must be in the range 1 to 100000, not 0");
  EXPECT_EQ(refusal("[cors]\norigins = ['a', 1]\n"),
            "F:2: 'cors.origins' must be a list of strings");
  EXPECT_EQ(refusal("[log]\nlevel = 'loud'\n"),
            "F:2: 'log.level' must be one of debug, info, warning, error, not 'loud'");
  EXPECT_THAT(refusal("[http\n"), HasSubstr("F:1: "));
  EXPECT_THAT(refusal("[http]\naddress = 'localhost'\n"),
              HasSubstr("must be a numeric address and a port"));
  EXPECT_THAT(refusal("[tls]\nkey = 'k.pem'\n"), HasSubstr("go together"));
}

TEST_F(ConfigTest, FlagsAndVariablesAreChecked) {
  EXPECT_EQ(load_config({.flags = {{"nope", "1"}}}).error().message(), "flag: unknown key 'nope'");
  EXPECT_EQ(load_config({.flags = {{"limits.page_max", "many"}}}).error().message(),
            "flag: 'limits.page_max' must be an integer, not 'many'");
  EXPECT_EQ(load_config({.environment = {{"REELHOUSE_TRUST_FORWARDED", "yes"}}}).error().message(),
            "environment: 'trust_forwarded' must be true or false, not 'yes'");
  const auto config =
      load_config({.environment = {{"REELHOUSE_SERVICE_HOST", "10.0.0.1"},
                                   {"REELHOUSE_BIN", "x"},
                                   {"REELHOUSE_CORS_ORIGINS", "http://a,http://b"}}});
  ASSERT_TRUE(config);
  EXPECT_THAT(config->warnings,
              testing::ElementsAre("the variable REELHOUSE_SERVICE_HOST is no setting"));
  EXPECT_THAT(config->cors_origins, testing::ElementsAre("http://a", "http://b"));
}

TEST_F(ConfigTest, NumbersWithAFraction) {
  for (const std::string_view text : {"0.25", "2.5e-1"}) {
    const auto config = load_config({.flags = {{"tracing.sample_ratio", std::string(text)}}});
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->tracing.sample_ratio, 0.25);
  }
  EXPECT_EQ(load_config({.file = file("[tracing]\nsample_ratio = 0\n")})->tracing.sample_ratio, 0);
  EXPECT_EQ(refusal("[tracing]\nsample_ratio = '1'\n"),
            "F:2: 'tracing.sample_ratio' must be a number");
  EXPECT_EQ(refusal("[tracing]\nsample_ratio = 1.5\n"),
            "F:2: 'tracing.sample_ratio' must be in the range 0 to 1, not 1.5");
  EXPECT_THAT(refusal("[tracing]\nsample_ratio = nan\n"), HasSubstr("in the range 0 to 1"));
  EXPECT_EQ(load_config({.flags = {{"tracing.sample_ratio", "half"}}}).error().message(),
            "flag: 'tracing.sample_ratio' must be a number, not 'half'");
  EXPECT_THAT(refusal("[tracing]\nendpoint = 'localhost:4318'\n"), HasSubstr("must be like http"));
}

TEST_F(ConfigTest, StorageBackends) {
  const auto config =
      load_config({.file = file("[[storage]]\nlabel = 'fast'\npath = '/a'\n"
                                "id = '0a1b2c3d-0000-4000-8000-000000000001'\n"
                                "[[storage]]\nlabel = 'big'\npath = '/b'\n"
                                "provider = 'p'\nstore_product = 'q'\ndefault_storage = true\n"
                                "region = 'r'\n[storage.tags]\n'a.b' = 'x'\ntier = ['y', 'z']\n")});
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->storage.size(), 2U);
  EXPECT_EQ(config->storage[0].id->to_string(), "0a1b2c3d-0000-4000-8000-000000000001");
  EXPECT_TRUE(config->storage[1].is_default);
  EXPECT_EQ(config->storage[1].store_product, "q");
  EXPECT_EQ(config->storage[1].region, "r");
  EXPECT_EQ(config->storage[1].tags, R"({"a.b":"x","tier":["y","z"]})");
  const auto again = load_config({.file = file(to_toml(*config))});
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->storage[1].tags, config->storage[1].tags);
  EXPECT_EQ(refusal("[[storage]]\nlabel = 'x'\npath = '/x'\ntags = { a = 5 }\n"),
            "F:4: the tag 'a' must be a string or a list of strings");
  EXPECT_EQ(refusal("[[storage]]\nlabel = 'x'\npath = '/x'\nsize = 1\n"),
            "F:4: unknown key 'storage.size'");
  EXPECT_THAT(refusal("[[storage]]\nlabel = 'x'\n"), HasSubstr("needs 'label' and 'path'"));
  EXPECT_THAT(refusal("[[storage]]\nlabel='x'\npath='/x'\n[[storage]]\nlabel='x'\npath='/y'\n"),
              HasSubstr("the label 'x'"));
  EXPECT_THAT(refusal("[storage]\nlabel = 'x'\n"), HasSubstr("write [[storage]]"));
}

TEST_F(ConfigTest, WhatIsPrintedReadsBack) {
  const auto config = load_config({.flags = {{"service.name", "a \"b\""},
                                             {"cors.origins", "x,y"},
                                             {"limits.page_max", "7"},
                                             {"tracing.sample_ratio", "0.5"}}});
  ASSERT_TRUE(config);
  const std::string printed = to_toml(*config);
  const auto again = load_config({.file = file(printed)});
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(to_toml(*again), printed);
}

TEST(Address, NeedsHostAndPort) {
  EXPECT_EQ(parse_address("127.0.0.1:0").value_or(std::pair<std::string, std::uint16_t>()),
            (std::pair<std::string, std::uint16_t>("127.0.0.1", 0)));
  EXPECT_EQ(parse_address("[::1]:65535").value_or(std::pair<std::string, std::uint16_t>()),
            (std::pair<std::string, std::uint16_t>("::1", 65535)));
  for (const std::string_view text :
       {"", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536", "127.0.0.1:x", "::1:80", "[]:80",
        "localhost:80", "256.0.0.1:80", "[127.0.0.1]:80"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

}  // namespace
}  // namespace reel::server
