#include "exr/embedding.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "base/hash.h"
#include "base/result.h"
#include "exr/layers.h"
#include "exr/values.h"

namespace reel::exr {
namespace {

// Shares of the squared length. What frames of one shot have in common and other pictures have not
// is mostly their channels.
constexpr std::int64_t kChannelShare = 500;
constexpr std::int64_t kAttributeShare = 200;
constexpr std::int64_t kStructureShare = 200;
constexpr std::int64_t kWindowShare = 100;

//! Entries that a word has: with one, two words that fall together would count as one.
constexpr int kEntriesPerWord = 4;

//! Attributes that every file has, or whose values are words of their own.
constexpr std::string_view kEverywhere[] = {
    "channels",  "chunkCount",       "compression",        "dataWindow",        "displayWindow",
    "lineOrder", "pixelAspectRatio", "screenWindowCenter", "screenWindowWidth", "type",
};

//! Texts longer than this are no names of things.
constexpr std::size_t kShortText = 32;

//! The finalizer of SplitMix64: every bit of the input moves every bit of the output.
std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111ebU;
  return bits ^ bits >> 31;
}

//! Adds the word's entries: signs and places by its hash.
void add_word(const WeightedWord& word, std::span<std::int64_t> sums) {
  std::uint64_t hash = hash128(word.first).low;
  for (int i = 0; i < kEntriesPerWord; ++i) {
    hash = mixed(hash + 0x9e3779b97f4a7c15U);
    const std::uint64_t place = (hash >> 32) * sums.size() >> 32;
    sums[place] += (hash & 1) != 0 ? word.second : -word.second;
  }
}

__extension__ typedef unsigned __int128 Wide;

//! The sum of the squares, exact.
Wide squared(std::span<const std::int64_t> sums) {
  Wide total = 0;
  for (const std::int64_t sum : sums) {
    const auto size = static_cast<Wide>(sum < 0 ? -sum : sum);
    total += size * size;
  }
  return total;
}

//! A size to the power of two below it: a crop of a picture stays near the picture.
std::string power_of_two(std::string_view what, std::int64_t extent) {
  const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(extent, 1));
  return fmt::format("{} 2^{}", what, std::bit_width(size) - 1);
}

WordGroup channel_words(const Header& header) {
  WordGroup group{.share = kChannelShare};
  std::set<std::string> layers;
  for (const ChannelPlace& place : place_channels(header)) {
    const auto type = pixel_type_name(place.pixel_type);
    const std::string title = layer_title(place.layer, place.view);
    group.words.emplace_back(fmt::format("channel {} {} {}", title, place.component, type), 4);
    group.words.emplace_back(fmt::format("channel {} {}", title, place.component), 4);
    if (place.x_sampling != 1 || place.y_sampling != 1) {
      group.words.emplace_back(
          fmt::format("sampling {} {} {}", place.component, place.x_sampling, place.y_sampling), 4);
    }
    if (!place.layer.empty()) layers.insert(place.layer);
  }
  for (const std::string& layer : layers) group.words.emplace_back("layer " + layer, 4);
  return group;
}

WordGroup structure_words(const Header& header) {
  WordGroup group{.share = kStructureShare};
  const auto add = [&](std::string word, std::int32_t weight) {
    group.words.emplace_back(std::move(word), weight);
  };
  add(fmt::format("flags {:x}", header.version.bits >> 8), 3);
  add(power_of_two("parts", static_cast<std::int64_t>(header.parts.size())), 3);
  for (const Part& part : header.parts) {
    const auto compression = value_of<Enumerated>(part, "compression");
    if (compression) add(fmt::format("compression {}", compression->number), 4);
    const auto order = value_of<Enumerated>(part, "lineOrder");
    if (order) add(fmt::format("line order {}", order->number), 1);
    const auto type = value_of<std::string_view>(part, "type");
    if (type && type->size() <= kShortText) add(fmt::format("type {}", *type), 3);
    const auto name = value_of<std::string_view>(part, "name");
    if (name && name->size() <= kShortText) add(fmt::format("part {}", *name), 2);
    const auto tiles = value_of<TileDescription>(part, "tiles");
    if (tiles) add(fmt::format("tiles {} {} {}", tiles->x_size, tiles->y_size, tiles->mode), 3);
  }
  return group;
}

WordGroup window_words(const Header& header) {
  WordGroup group{.share = kWindowShare};
  for (const Part& part : header.parts) {
    for (const char* name : {"dataWindow", "displayWindow"}) {
      const auto window = value_of<Box2i>(part, name);
      if (!window) continue;
      for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {
        const std::int64_t extent = std::int64_t{window->max.of[axis]} - window->min.of[axis] + 1;
        // Data windows move with what is seen, from frame to frame.
        group.words.emplace_back(power_of_two(fmt::format("{} {}", name, axis), extent),
                                 std::string_view(name) == "dataWindow" ? 1 : 2);
      }
    }
    const auto display = value_of<Box2i>(part, "displayWindow");
    if (display) {
      group.words.emplace_back(
          fmt::format("display {} {}", std::int64_t{display->max.of[0]} - display->min.of[0],
                      std::int64_t{display->max.of[1]} - display->min.of[1]),
          3);
    }
    const auto ratio = value_of<float>(part, "pixelAspectRatio");
    if (ratio) group.words.emplace_back(fmt::format("aspect {}", *ratio), 1);
  }
  return group;
}

WordGroup attribute_words(const Header& header) {
  WordGroup group{.share = kAttributeShare};
  for (const Part& part : header.parts) {
    for (const Attribute& attribute : part.attributes) {
      if (std::find(std::begin(kEverywhere), std::end(kEverywhere), attribute.name) !=
          std::end(kEverywhere)) {
        continue;
      }
      group.words.emplace_back(fmt::format("attribute {} {}", attribute.name, attribute.type), 6);
      // A text of its own in each frame, a date say, weighs little.
      if (attribute.type == "string" && attribute.bytes.size() <= kShortText) {
        group.words.emplace_back(fmt::format("value {} {}", attribute.name, attribute.bytes), 1);
      }
    }
  }
  return group;
}

//! Its sixteen partial sums can be kept side by side in registers; in one sum the order of the
//! additions would be fixed, and they could not.
float dot(const float* a, const float* b, std::size_t size) {
  constexpr std::size_t kLanes = 16;
  std::array<float, kLanes> sums = {};
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  float total = 0;
  for (; i < size; ++i) total += a[i] * b[i];
  for (const float sum : sums) total += sum;
  return total;
}

}  // namespace

void embed(std::span<const WordGroup> groups, std::span<float> out) {
  REEL_CHECK(!out.empty());
  // Groups are brought to their lengths in fixed point, so that no sum is rounded.
  constexpr double kUnit = 1 << 24;
  std::vector<std::int64_t> total(out.size());
  for (const WordGroup& group : groups) {
    std::vector<std::int64_t> sums(out.size());
    for (const WeightedWord& word : group.words) add_word(word, sums);
    const Wide length = squared(sums);
    if (length == 0) continue;
    const double scale = kUnit * std::sqrt(static_cast<double>(group.share)) /
                         std::sqrt(static_cast<double>(length));
    for (std::size_t i = 0; i < sums.size(); ++i) {
      total[i] += std::llround(static_cast<double>(sums[i]) * scale);
    }
  }
  const Wide length = squared(total);
  if (length == 0) total[0] = 1;
  const double norm = length == 0 ? 1 : std::sqrt(static_cast<double>(length));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(static_cast<double>(total[i]) / norm);
  }
}

std::array<float, kMetadataDimensions> metadata_embedding(const Header& header) {
  const std::array groups = {channel_words(header), attribute_words(header),
                             structure_words(header), window_words(header)};
  std::array<float, kMetadataDimensions> out;
  embed(groups, out);
  return out;
}

std::array<float, kChannelDimensions> channel_fingerprint(const Header& header) {
  const std::array groups = {channel_words(header)};
  std::array<float, kChannelDimensions> out;
  embed(groups, out);
  return out;
}

std::vector<Neighbour> nearest(std::span<const float> query, std::span<const float> vectors,
                               std::size_t count) {
  REEL_CHECK(!query.empty() && vectors.size() % query.size() == 0);
  // The worst of those kept is in front.
  const auto better = [](const Neighbour& a, const Neighbour& b) {
    return a.similarity > b.similarity || (a.similarity == b.similarity && a.index < b.index);
  };
  std::vector<Neighbour> kept;
  const std::size_t total = vectors.size() / query.size();
  for (std::size_t i = 0; i < total && count > 0; ++i) {
    const Neighbour each{i, dot(query.data(), vectors.data() + i * query.size(), query.size())};
    if (kept.size() == count) {
      if (!better(each, kept.front())) continue;
      std::pop_heap(kept.begin(), kept.end(), better);
      kept.pop_back();
    }
    kept.push_back(each);
    std::push_heap(kept.begin(), kept.end(), better);
  }
  std::sort_heap(kept.begin(), kept.end(), better);
  return kept;
}

}  // namespace reel::exr
