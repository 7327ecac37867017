#pragma once
//! IP addresses and networks as values: which of them are public, which an operator has named.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace reel {

//! One address. IPv4 is kept as ::ffff:a.b.c.d, so that a mapped address is the address it means.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  //! Numeric only; IPv6 with or without brackets. nullopt otherwise, for names too.
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress v4(const std::array<std::uint8_t, 4>& bytes);

  bool is_v4() const;
  std::string to_string() const;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

//! An address with the number of leading bits that count.
struct Network {
  IpAddress address;
  unsigned prefix_bits = 128;  //!< of the 128 bits

  //! "10.0.0.0/8", "fd00::/8", or one address. Code::invalid otherwise.
  static Result<Network> parse(std::string_view text);
  std::string to_string() const;
  bool contains(const IpAddress& candidate) const;
};

//! Whether the address is one of the public Internet: not of this host, a private network, a link,
//! a carrier's NAT, multicast, documentation or reserved use (IANA's special-purpose registries).
//! Addresses that carry an IPv4 address inside (6to4, NAT64, Teredo) are not public either.
bool is_public(const IpAddress& address);

//! Public, or in one of the networks.
bool is_permitted(const IpAddress& address, const std::vector<Network>& networks);

}  // namespace reel
