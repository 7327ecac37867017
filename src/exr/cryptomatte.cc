#include "exr/cryptomatte.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "exr/finding_codes.h"
#include "exr/layers.h"
#include "exr/values.h"
#include "json/value.h"

namespace reel::exr {
namespace {

constexpr std::string_view kPrefix = "cryptomatte/";

struct Field {
  std::string_view key;
  std::string_view Cryptomatte::* member;
};
constexpr Field kFields[] = {
    {"name", &Cryptomatte::name},
    {"hash", &Cryptomatte::hash},
    {"conversion", &Cryptomatte::conversion},
    {"manifest", &Cryptomatte::manifest},
    {"manif_file", &Cryptomatte::manifest_file},
};

//! Finds and checks the cryptomattes of one header.
class Search {
 public:
  Search(const Header& header, Findings& findings) : header_(header), findings_(findings) {
    for (ChannelPlace& place : place_channels(header)) {
      layers_[place.layer].push_back(std::move(place));
    }
  }

  std::vector<Cryptomatte> run() {
    for (std::uint32_t part = 0; part < header_.parts.size(); ++part) {
      for (const Attribute& attribute : header_.parts[part].attributes) take(part, attribute);
    }
    for (Cryptomatte& each : found_) check(each);
    return std::move(found_);
  }

 private:
  void take(std::uint32_t part, const Attribute& attribute) {
    std::string_view rest = attribute.name;
    if (!rest.starts_with(kPrefix)) return;
    rest.remove_prefix(kPrefix.size());
    const std::size_t slash = rest.rfind('/');
    if (slash == std::string_view::npos) return;
    for (const Field& field : kFields) {
      if (field.key != rest.substr(slash + 1)) continue;
      if (attribute.type != "string") {
        return report(kCryptomatteWrongType, part, attribute.name,
                      fmt::format("{} is a {} instead of a string", shown(attribute.name),
                                  shown(attribute.type)));
      }
      entry(part, rest.substr(0, slash)).*field.member = attribute.bytes;
    }
  }

  Cryptomatte& entry(std::uint32_t part, std::string_view id) {
    const auto [known, added] = by_id_.emplace(std::pair(part, id), found_.size());
    if (added) found_.push_back({.part = part, .id = std::string(id)});
    return found_[known->second];
  }

  void check(Cryptomatte& matte) {
    const std::string attribute = fmt::format("{}{}", kPrefix, matte.id);
    const auto tell = [&](const Rule& rule, std::string message) {
      report(rule, matte.part, attribute, std::move(message));
    };
    if (matte.name.empty()) {
      tell(kCryptomatteNoName, "it has no name, so that its channels cannot be found");
    } else {
      check_channels(matte, attribute);
    }
    if ((!matte.hash.empty() && matte.hash != "MurmurHash3_32") ||
        (!matte.conversion.empty() && matte.conversion != "uint32_to_float32")) {
      tell(kCryptomatteHashUnknown,
           fmt::format("its hash '{}' and conversion '{}' are not those of the specification",
                       shown(matte.hash), shown(matte.conversion)));
    }
    if (matte.manifest.empty() && matte.manifest_file.empty()) {
      tell(kCryptomatteNoManifest, "it has no manifest, so that its names are not known");
    }
    if (leaves_the_folder(matte.manifest_file)) {
      tell(kCryptomatteFileOutside,
           fmt::format("its manifest '{}' is not beside the image", shown(matte.manifest_file)));
    }
  }

  void check_channels(Cryptomatte& matte, const std::string& attribute) {
    constexpr int kRanksMax = 100;  // two digits
    const ChannelPlace* narrow = nullptr;
    std::set<std::uint32_t> parts;
    for (int rank = 0; rank < kRanksMax; ++rank) {
      const auto layer = layers_.find(fmt::format("{}{:02}", matte.name, rank));
      if (layer == layers_.end()) continue;
      ++matte.ranks;
      for (const ChannelPlace& place : layer->second) {
        parts.insert(place.part);
        if (place.pixel_type != static_cast<std::int32_t>(PixelType::float32)) narrow = &place;
      }
    }
    if (matte.ranks == 0) {
      return report(kCryptomatteNoChannels, matte.part, attribute,
                    fmt::format("there is no layer {}00", shown(matte.name)));
    }
    if (narrow != nullptr) {
      report(kCryptomatteNotFloat, narrow->part, attribute,
             fmt::format("channel {} is {}, and ids are whole only as float", narrow->name,
                         pixel_type_name(narrow->pixel_type)));
    }
    for (const std::uint32_t part : parts) {
      const auto byte = value_of<Enumerated>(header_.parts[part], "compression");
      const std::string_view name = byte ? compression_name(byte->number) : std::string_view();
      // B44 leaves float samples alone.
      if (name != "pxr24" && name != "dwaa" && name != "dwab") continue;
      report(kCryptomatteLossy, part, attribute,
             fmt::format("compression {} changes float samples, and with them ids", name));
    }
  }

  static bool leaves_the_folder(std::string_view path) {
    return path.starts_with('/') || path == ".." || path.starts_with("../") ||
           path.ends_with("/..") || path.find("/../") != std::string_view::npos ||
           path.find('\\') != std::string_view::npos || path.find(':') == 1;
  }

  void report(const Rule& rule, std::uint32_t part, std::string_view attribute,
              std::string message) {
    findings_.push_back(broken(rule, {.part = part, .attribute = attribute}, std::move(message)));
  }

  const Header& header_;
  Findings& findings_;
  std::unordered_map<std::string, std::vector<ChannelPlace>> layers_;
  std::map<std::pair<std::uint32_t, std::string_view>, std::size_t> by_id_;
  std::vector<Cryptomatte> found_;
};

std::uint32_t word_at(std::string_view text, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    word |= static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i])) << (8 * i);
  }
  return word;
}

//! Austin Appleby's MurmurHash3_x86_32.
std::uint32_t murmur3(std::string_view text) {
  const auto scramble = [](std::uint32_t k) {
    return std::rotl(k * 0xcc9e2d51U, 15) * 0x1b873593U;
  };
  std::uint32_t h = 0;
  std::size_t at = 0;
  for (; at + 4 <= text.size(); at += 4) {
    h = std::rotl(h ^ scramble(word_at(text, at)), 13) * 5 + 0xe6546b64U;
  }
  std::uint32_t tail = 0;
  for (std::size_t i = text.size(); i > at; --i) {
    tail = tail << 8 | static_cast<unsigned char>(text[i - 1]);
  }
  h ^= scramble(tail) ^ static_cast<std::uint32_t>(text.size());
  h = (h ^ h >> 16) * 0x85ebca6bU;
  h = (h ^ h >> 13) * 0xc2b2ae35U;
  return h ^ h >> 16;
}

//! Eight hexadecimal digits.
std::optional<std::uint32_t> read_hash(const json::Value& value) {
  const std::string* text = value.as_string();
  std::uint32_t hash = 0;
  if (text == nullptr || text->size() != 8) return std::nullopt;
  const char* end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, hash, 16);
  return read.ec == std::errc() && read.ptr == end ? std::optional(hash) : std::nullopt;
}

}  // namespace

std::vector<Cryptomatte> cryptomattes(const Header& header, Findings& findings) {
  return Search(header, findings).run();
}

Result<CryptomatteManifest> read_cryptomatte_manifest(std::string_view json,
                                                      const CryptomatteLimits& limits) {
  if (json.size() > limits.bytes_max) {
    return fail(Code::too_large, "the manifest has {} bytes, {} are read", json.size(),
                limits.bytes_max);
  }
  // Every value but the first has a comma in front, in an object as in a list.
  const auto commas = static_cast<std::size_t>(std::count(json.begin(), json.end(), ','));
  if (commas >= limits.entries_max) {
    return fail(Code::too_large, "the manifest has more than {} entries", limits.entries_max);
  }
  constexpr int kDepthMax = 4;
  REEL_ASSIGN(json::Value document, json::parse(json, kDepthMax));
  json::Object* object = document.as_object();
  if (object == nullptr) return invalid("the manifest is no JSON object");
  CryptomatteManifest manifest;
  manifest.entries.reserve(object->size());
  for (json::Member& member : *object) {
    const auto hash = read_hash(member.value);
    if (!hash) {
      if (manifest.malformed++ == 0) manifest.malformed_name = member.name;
      continue;
    }
    if (*hash != cryptomatte_hash(member.name) && manifest.mismatched++ == 0) {
      manifest.mismatched_name = member.name;
    }
    manifest.entries.push_back({std::move(member.name), *hash});
  }
  return manifest;
}

std::uint32_t cryptomatte_hash(std::string_view name) {
  const std::uint32_t hash = murmur3(name);
  const std::uint32_t exponent = hash >> 23 & 0xff;
  return exponent == 0 || exponent == 0xff ? hash ^ 1U << 23 : hash;
}

}  // namespace reel::exr
