#pragma once
//! What a part says of its colours, claim by claim. Nothing is guessed: a part that makes no claim
//! that we know has an unknown colour space.
//!
//! Names of colour spaces are those of the Color Interop Forum ("lin_ap1_scene"): transfer,
//! primaries, and whether scene or display is meant.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exr/header.h"
#include "exr/values.h"

namespace reel::exr {

//! Where a claim comes from, the most trusted first.
enum class ColourSource : std::uint8_t {
  color_interop_id,     //!< `colorInteropID`: says the whole space
  aces_container_flag,  //!< `acesImageContainerFlag` = 1: ST 2065-4, hence ACES2065-1
  chromaticities,       //!< primaries and white only
  vendor,               //!< a string of a program, e.g. `oiio:ColorSpace`
};
std::string_view colour_source_name(ColourSource source);

struct ColourClaim {
  ColourSource source = ColourSource::vendor;
  std::string attribute = {};  //!< its name
  std::string stated = {};     //!< what it says, as text; cut after 256 bytes
  // What we know of that; empty: not said, or not known to us.
  std::string space = {};      //!< "lin_ap1_scene"
  std::string primaries = {};  //!< "ap1"
  std::string transfer = {};   //!< "lin"
};

struct PartColour {
  std::vector<ColourClaim> claims;  //!< in the order of ColourSource
  // The first claim that says it; empty: unknown.
  std::string space;
  std::string primaries;
  std::string transfer;
  //! One sentence for each claim that contradicts an earlier one.
  std::vector<std::string> conflicts;
};

PartColour colour_of(const Part& part);

//! How far a coordinate may be from the published one: files carry values that were rounded to
//! text, or derived from others, on their way.
inline constexpr float kChromaticityTolerance = 0.001F;

//! The name of the known primaries and white that these are within the tolerance; empty: none.
std::string_view known_primaries(const Chromaticities& chromaticities);

//! A set of primaries with its white, as published.
struct KnownPrimaries {
  std::string_view name;
  Chromaticities chromaticities;
};
const std::vector<KnownPrimaries>& all_known_primaries();

}  // namespace reel::exr
