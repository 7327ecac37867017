#include "base/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace reel {
namespace {

constexpr std::size_t kV4At = 12;  // where the four bytes stand
constexpr unsigned kV4Bits = 96;

constexpr const char* kSpecial[] = {
    "0.0.0.0/8",        // this network
    "10.0.0.0/8",       // private
    "100.64.0.0/10",    // carrier-grade NAT
    "127.0.0.0/8",      // loopback
    "169.254.0.0/16",   // link-local, also where clouds keep their metadata
    "172.16.0.0/12",    // private
    "192.0.0.0/24",     // protocol assignments
    "192.0.2.0/24",     // documentation
    "192.88.99.0/24",   // 6to4 relay
    "192.168.0.0/16",   // private
    "198.18.0.0/15",    // benchmarks
    "198.51.100.0/24",  // documentation
    "203.0.113.0/24",   // documentation
    "224.0.0.0/4",      // multicast
    "240.0.0.0/4",      // reserved, broadcast
};

//! All of IPv6 that is routed; what is not global unicast needs no list.
constexpr const char* kGlobalUnicast = "2000::/3";

constexpr const char* kSpecialV6[] = {
    "2001::/23",      // protocol assignments, Teredo among them
    "2001:db8::/32",  // documentation
    "2002::/16",      // 6to4
    "3fff::/20",      // documentation
};

std::vector<Network> networks_of(const char* const* begin, const char* const* end) {
  std::vector<Network> networks;
  for (; begin != end; ++begin) networks.push_back(*Network::parse(*begin));
  return networks;
}

bool in_any(const IpAddress& address, const std::vector<Network>& networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.contains(address); });
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  const std::string terminated(text);
  std::array<std::uint8_t, 4> four{};
  if (::inet_pton(AF_INET, terminated.c_str(), four.data()) == 1) return v4(four);
  IpAddress address;
  if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

IpAddress IpAddress::v4(const std::array<std::uint8_t, 4>& bytes) {
  IpAddress address;
  address.bytes[10] = address.bytes[11] = 0xff;
  std::copy(bytes.begin(), bytes.end(), address.bytes.begin() + kV4At);
  return address;
}

bool IpAddress::is_v4() const {
  static const IpAddress kMapped = v4({});
  return std::equal(bytes.begin(), bytes.begin() + kV4At, kMapped.bytes.begin());
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_v4()) {
    ::inet_ntop(AF_INET, bytes.data() + kV4At, text, sizeof(text));
  } else {
    ::inet_ntop(AF_INET6, bytes.data(), text, sizeof(text));
  }
  return text;
}

Result<Network> Network::parse(std::string_view text) {
  const auto refuse = [&] {
    return invalid("'{}' is not a network such as 10.0.0.0/8 or fd00::/8", text.substr(0, 64));
  };
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return refuse();
  Network network{.address = *address};
  if (slash == std::string_view::npos) return network;
  const std::string_view digits = text.substr(slash + 1);
  const unsigned first = address->is_v4() ? kV4Bits : 0;
  unsigned bits = 0;
  const char* begin = digits.data();
  const auto [end, error] = std::from_chars(begin, begin + digits.size(), bits);
  if (digits.empty() || error != std::errc() || end != begin + digits.size() ||
      bits > 128 - first) {
    return refuse();
  }
  network.prefix_bits = first + bits;
  return network;
}

std::string Network::to_string() const {
  return fmt::format(
      "{}/{}", address.to_string(),
      address.is_v4() && prefix_bits >= kV4Bits ? prefix_bits - kV4Bits : prefix_bits);
}

bool Network::contains(const IpAddress& candidate) const {
  const std::size_t whole = prefix_bits / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, candidate.bytes.begin())) {
    return false;
  }
  const unsigned rest = prefix_bits % 8;
  return rest == 0 || ((address.bytes[whole] ^ candidate.bytes[whole]) >> (8 - rest)) == 0;
}

bool is_public(const IpAddress& address) {
  static const std::vector<Network> kV4 = networks_of(std::begin(kSpecial), std::end(kSpecial));
  static const std::vector<Network> kV6 = networks_of(std::begin(kSpecialV6), std::end(kSpecialV6));
  static const Network kGlobal = *Network::parse(kGlobalUnicast);
  if (address.is_v4()) return !in_any(address, kV4);
  return kGlobal.contains(address) && !in_any(address, kV6);
}

bool is_permitted(const IpAddress& address, const std::vector<Network>& networks) {
  return is_public(address) || in_any(address, networks);
}

}  // namespace reel
