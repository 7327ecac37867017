#include "exr/colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace reel::exr {
namespace {

//! A name that programs write for a space of the Color Interop Forum. Compared without case, and
//! with ' ', '-' and '_' left out.
struct Spelling {
  std::string_view text;
  std::string_view space;
};
constexpr Spelling kSpellings[] = {
    {"aces20651", "lin_ap0_scene"},
    {"acesaces20651", "lin_ap0_scene"},
    {"linap0", "lin_ap0_scene"},
    {"acescg", "lin_ap1_scene"},
    {"acesacescg", "lin_ap1_scene"},
    {"linap1", "lin_ap1_scene"},
    {"linrec709", "lin_rec709_scene"},
    {"linsrgb", "lin_rec709_scene"},
    {"linearrec.709(srgb)", "lin_rec709_scene"},
    {"scenelinearrec.709srgb", "lin_rec709_scene"},
    {"utilitylinearsrgb", "lin_rec709_scene"},
    {"utilitylinearrec.709", "lin_rec709_scene"},
    {"linearp3d65", "lin_p3d65_scene"},
    {"utilitylinearp3d65", "lin_p3d65_scene"},
    {"linearrec.2020", "lin_rec2020_scene"},
    {"utilitylinearrec.2020", "lin_rec2020_scene"},
    {"srgbtexture", "srgb_rec709_scene"},
    {"utilitysrgbtexture", "srgb_rec709_scene"},
};

//! Attributes in which programs write such a name.
constexpr std::string_view kVendorAttributes[] = {
    "oiio:ColorSpace", "colorSpace", "colorspace", "ColorSpace", "color_space",
};

constexpr std::string_view kTransfers[] = {"lin", "srgb", "srgbe", "g18", "g22",
                                           "g24", "g26",  "pq",    "hlg"};
//! Primaries of the forum's names that are in no table of chromaticities below.
constexpr std::string_view kOtherPrimaries[] = {"ciexyzd65", "xyzd65"};

bool is_primaries(std::string_view name) {
  const auto& known = all_known_primaries();
  return std::any_of(known.begin(), known.end(),
                     [&](const KnownPrimaries& each) { return each.name == name; }) ||
         std::find(std::begin(kOtherPrimaries), std::end(kOtherPrimaries), name) !=
             std::end(kOtherPrimaries);
}

//! Fills in what the name of a space says, if it has the forum's form and pieces that we know.
void read_space(std::string_view name, ColourClaim& claim) {
  if (name == "data") {
    claim.space = name;
    return;
  }
  const std::size_t first = name.find('_');
  const std::size_t last = name.rfind('_');
  if (first == std::string_view::npos || first == last) return;
  const std::string_view transfer = name.substr(0, first);
  const std::string_view primaries = name.substr(first + 1, last - first - 1);
  const std::string_view state = name.substr(last + 1);
  if (state != "scene" && state != "display") return;
  if (std::find(std::begin(kTransfers), std::end(kTransfers), transfer) == std::end(kTransfers) ||
      !is_primaries(primaries)) {
    return;
  }
  claim.space = name;
  claim.primaries = primaries;
  claim.transfer = transfer;
}

std::string normalised(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' || c == '-' || c == '_') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

std::optional<std::string_view> text_of(const Part& part, std::string_view name) {
  return value_of<std::string_view>(part, name);
}

//! Anybody may write anything there.
std::string cut(std::string_view text) {
  constexpr std::size_t kStatedMax = 256;
  return std::string(text.substr(0, kStatedMax));
}

std::optional<ColourClaim> interop_claim(const Part& part) {
  const auto id = text_of(part, "colorInteropID");
  // "unknown" is the forum's word for saying nothing.
  if (!id || id->empty() || *id == "unknown") return std::nullopt;
  ColourClaim claim{
      .source = ColourSource::color_interop_id, .attribute = "colorInteropID", .stated = cut(*id)};
  // A name space of its own may stand in front: "studio:lin_ap1_scene" is not the forum's.
  read_space(*id, claim);
  return claim;
}

std::optional<ColourClaim> aces_claim(const Part& part) {
  const auto flag = value_of<std::int32_t>(part, "acesImageContainerFlag");
  if (!flag || *flag != 1) return std::nullopt;
  ColourClaim claim{.source = ColourSource::aces_container_flag,
                    .attribute = "acesImageContainerFlag",
                    .stated = "1"};
  read_space("lin_ap0_scene", claim);
  return claim;
}

std::array<float, 8> coordinates(const Chromaticities& of) {
  return {of.red.of[0],  of.red.of[1],  of.green.of[0], of.green.of[1],
          of.blue.of[0], of.blue.of[1], of.white.of[0], of.white.of[1]};
}

std::optional<ColourClaim> chromaticities_claim(const Part& part) {
  const auto value = value_of<Chromaticities>(part, "chromaticities");
  if (!value) return std::nullopt;
  const auto c = coordinates(*value);
  return ColourClaim{.source = ColourSource::chromaticities,
                     .attribute = "chromaticities",
                     .stated = fmt::format("red {} {}, green {} {}, blue {} {}, white {} {}", c[0],
                                           c[1], c[2], c[3], c[4], c[5], c[6], c[7]),
                     .primaries = std::string(known_primaries(*value))};
}

void add_vendor_claims(const Part& part, std::vector<ColourClaim>& claims) {
  for (const std::string_view name : kVendorAttributes) {
    const auto text = text_of(part, name);
    if (!text || text->empty()) continue;
    ColourClaim claim{
        .source = ColourSource::vendor, .attribute = std::string(name), .stated = cut(*text)};
    read_space(*text, claim);
    const std::string plain = normalised(claim.stated);
    for (const Spelling& spelling : kSpellings) {
      if (spelling.text == plain) read_space(spelling.space, claim);
    }
    claims.push_back(std::move(claim));
  }
}

//! Takes over what nobody has said yet, or says what the claim contradicts.
void weigh(PartColour& colour, const ColourClaim& claim) {
  const auto settle = [&](std::string& known, const std::string& claimed, std::string_view what) {
    if (claimed.empty() || claimed == known) return true;
    if (known.empty()) {
      known = claimed;
      return true;
    }
    colour.conflicts.push_back(fmt::format("{} says {} {} ('{}'), an earlier claim {}",
                                           claim.attribute, what, claimed, claim.stated, known));
    return false;
  };
  // Spaces differ in primaries, transfer or state: the most specific difference is told.
  const bool agrees = settle(colour.primaries, claim.primaries, "primaries") &&
                      settle(colour.transfer, claim.transfer, "transfer");
  if (agrees) settle(colour.space, claim.space, "space");
}

}  // namespace

std::string_view colour_source_name(ColourSource source) {
  switch (source) {
    case ColourSource::color_interop_id: return "color_interop_id";
    case ColourSource::aces_container_flag: return "aces_container_flag";
    case ColourSource::chromaticities: return "chromaticities";
    case ColourSource::vendor: break;
  }
  return "vendor";
}

// Sources: ITU-R BT.709 and BT.2020, SMPTE ST 2065-1 (AP0), AMPAS S-2014-004 (AP1), SMPTE RP 431-2
// (P3), Adobe RGB (1998), ISO 22028-2 (ROMM), and the makers' papers on their cameras' gamuts.
const std::vector<KnownPrimaries>& all_known_primaries() {
  static const std::vector<KnownPrimaries> known = {
      {"rec709", {{{.64F, .33F}}, {{.30F, .60F}}, {{.15F, .06F}}, {{.3127F, .3290F}}}},
      {"ap0", {{{.7347F, .2653F}}, {{0, 1}}, {{.0001F, -.077F}}, {{.32168F, .33767F}}}},
      {"ap1", {{{.713F, .293F}}, {{.165F, .830F}}, {{.128F, .044F}}, {{.32168F, .33767F}}}},
      {"rec2020", {{{.708F, .292F}}, {{.170F, .797F}}, {{.131F, .046F}}, {{.3127F, .3290F}}}},
      {"p3d65", {{{.680F, .320F}}, {{.265F, .690F}}, {{.150F, .060F}}, {{.3127F, .3290F}}}},
      {"p3dci", {{{.680F, .320F}}, {{.265F, .690F}}, {{.150F, .060F}}, {{.314F, .351F}}}},
      {"adobergb", {{{.64F, .33F}}, {{.21F, .71F}}, {{.15F, .06F}}, {{.3127F, .3290F}}}},
      {"romm", {{{.7347F, .2653F}}, {{.1596F, .8404F}}, {{.0366F, .0001F}}, {{.3457F, .3585F}}}},
      {"xyz", {{{1, 0}}, {{0, 1}}, {{0, 0}}, {{1 / 3.0F, 1 / 3.0F}}}},
      {"awg3", {{{.684F, .313F}}, {{.221F, .848F}}, {{.0861F, -.102F}}, {{.3127F, .3290F}}}},
      {"awg4", {{{.7347F, .2653F}}, {{.1424F, .8576F}}, {{.0991F, -.0308F}}, {{.3127F, .3290F}}}},
      {"rwg",
       {{{.780308F, .304253F}},
        {{.121595F, 1.493994F}},
        {{.095612F, -.084589F}},
        {{.3127F, .3290F}}}},
      {"sgamut3", {{{.730F, .280F}}, {{.140F, .855F}}, {{.100F, -.050F}}, {{.3127F, .3290F}}}},
      {"sgamut3cine", {{{.766F, .275F}}, {{.225F, .800F}}, {{.089F, -.087F}}, {{.3127F, .3290F}}}},
      {"vgamut", {{{.730F, .280F}}, {{.165F, .840F}}, {{.100F, -.030F}}, {{.3127F, .3290F}}}},
      {"canoncgamut", {{{.740F, .270F}}, {{.170F, 1.14F}}, {{.080F, -.100F}}, {{.3127F, .3290F}}}},
      {"davinciwg",
       {{{.8000F, .3130F}}, {{.1682F, .9877F}}, {{.0790F, -.1155F}}, {{.3127F, .3290F}}}},
  };
  return known;
}

std::string_view known_primaries(const Chromaticities& chromaticities) {
  const auto stated = coordinates(chromaticities);
  for (const KnownPrimaries& known : all_known_primaries()) {
    const auto published = coordinates(known.chromaticities);
    const bool near =
        std::equal(stated.begin(), stated.end(), published.begin(),
                   [](float a, float b) { return std::abs(a - b) <= kChromaticityTolerance; });
    if (near) return known.name;
  }
  return {};
}

PartColour colour_of(const Part& part) {
  PartColour colour;
  for (auto& claim : {interop_claim(part), aces_claim(part), chromaticities_claim(part)}) {
    if (claim) colour.claims.push_back(*claim);
  }
  add_vendor_claims(part, colour.claims);
  for (const ColourClaim& claim : colour.claims) weigh(colour, claim);
  return colour;
}

}  // namespace reel::exr
