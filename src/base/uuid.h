#pragma once
//! 128-bit identifiers as TAMS writes them.

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reel {

//! Source of random bytes; injected so that a test's seed replays a run.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(unsigned char* bytes, std::size_t count) = 0;
};

//! The kernel's random source.
Random& system_random();

//! A UUID as a value of 16 bytes in text order.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  //! Reads the only form that TAMS 8.2 allows (schemas/uuid.json): 36 characters, lower-case
  //! hex, version 1 to 5, variant 8, 9, a or b. Code::invalid otherwise.
  static Result<Uuid> parse(std::string_view text);

  //! A new random (version 4) identifier.
  static Uuid random(Random& random = system_random());

  //! The version 5 identifier of a name in a name space (RFC 9562 §5.5): always the same one.
  static Uuid from_name(const Uuid& name_space, std::string_view name);

  std::string to_string() const;
  //! Appends the 36 characters to `out`.
  void append_to(std::string& out) const;

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

//! A Uuid that cannot be mistaken for another kind of identifier.
template <class Tag>
struct Id {
  Uuid uuid;

  static Result<Id> parse(std::string_view text) {
    REEL_ASSIGN(Uuid parsed, Uuid::parse(text));
    return Id{parsed};
  }
  static Id random(Random& source = system_random()) { return Id{Uuid::random(source)}; }
  std::string to_string() const { return uuid.to_string(); }
  friend auto operator<=>(const Id&, const Id&) = default;
};

using FlowId = Id<struct FlowTag>;
using TimelineId = Id<struct TimelineTag>;
using DeletionId = Id<struct DeletionTag>;
using TrashId = Id<struct TrashTag>;
using SourceId = Id<struct SourceTag>;
using ProfileId = Id<struct ProfileTag>;
using StorageId = Id<struct StorageTag>;
using WebhookId = Id<struct WebhookTag>;

}  // namespace reel

template <>
struct std::hash<reel::Uuid> {
  std::size_t operator()(const reel::Uuid& uuid) const noexcept;
};
template <class Tag>
struct std::hash<reel::Id<Tag>> {
  std::size_t operator()(const reel::Id<Tag>& id) const noexcept {
    return std::hash<reel::Uuid>()(id.uuid);
  }
};
