#include "base/network.h"

#include <gtest/gtest.h>

namespace reel {
namespace {

TEST(Network, PublicAddresses) {
  for (const char* text :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255",
        "172.32.0.0", "223.255.255.255", "2606:4700::1111", "[2a00:1450::1]", "::ffff:8.8.8.8"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_TRUE(is_public(*address)) << text;
  }
}

TEST(Network, AddressesThatAreNotPublic) {
  for (const char* text : {"0.0.0.0",
                           "10.1.2.3",
                           "100.64.0.1",
                           "127.0.0.1",
                           "127.255.255.255",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.0.2.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.7",
                           "203.0.113.7",
                           "224.0.0.1",
                           "239.1.1.1",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::127.0.0.1",
                           "64:ff9b::7f00:1",
                           "fe80::1",
                           "fc00::1",
                           "fd12::1",
                           "ff02::1",
                           "2001::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "fec0::1",
                           "100::1"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_FALSE(is_public(*address)) << text;
  }
}

TEST(Network, OnlyNumericAddressesAreRead) {
  for (const char* text : {"", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "1.2.3.4.5", "[]",
                           "[1.2.3.4", "fe80::1%lo", "127.0.0.1 "}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(Network, NetworksContainWhatTheirPrefixSays) {
  const auto contains = [](const char* network, const char* address) {
    return Network::parse(network)->contains(*IpAddress::parse(address));
  };
  EXPECT_TRUE(contains("127.0.0.0/8", "127.9.9.9"));
  EXPECT_FALSE(contains("127.0.0.0/8", "128.0.0.0"));
  EXPECT_TRUE(contains("172.16.0.0/12", "172.31.0.1"));
  EXPECT_FALSE(contains("172.16.0.0/12", "172.32.0.1"));
  EXPECT_TRUE(contains("10.0.0.5", "10.0.0.5"));
  EXPECT_FALSE(contains("10.0.0.5", "10.0.0.4"));
  EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2606::1"));
  EXPECT_TRUE(contains("::/0", "1.2.3.4"));
  EXPECT_TRUE(contains("fd00::/8", "fdff::1"));
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.1.1"));
  for (const char* text : {"", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8x",
                           "example.com/8", "/8"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

TEST(Network, TextOfAddresses) {
  for (const char* text : {"127.0.0.1", "fe80::1", "::"}) {
    EXPECT_EQ(IpAddress::parse(text)->to_string(), text);
  }
  EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1")->to_string(), "10.0.0.1");
}

TEST(Network, PermittedNetworksAddToThePublicOnes) {
  const std::vector<Network> networks = {*Network::parse("127.0.0.0/8")};
  EXPECT_TRUE(is_permitted(*IpAddress::parse("127.0.0.1"), networks));
  EXPECT_TRUE(is_permitted(*IpAddress::parse("8.8.8.8"), networks));
  EXPECT_FALSE(is_permitted(*IpAddress::parse("10.0.0.1"), networks));
}

}  // namespace
}  // namespace reel
