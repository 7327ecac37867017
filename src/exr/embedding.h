#pragma once
//! Headers as points: files that are alike are near each other.
//!
//! A header becomes words ("channel diffuse R half", "compression zip"), and each word a few signed
//! entries of a vector, at places that its hash says ("feature hashing"). Vectors have length 1, so
//! that their dot product is the cosine of the angle between them. All sums are of integers: the
//! same header gives the same bytes with every compiler. Nothing of the file's path, times or
//! offsets is in a vector, and of values only those that a sequence shares.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exr/header.h"

namespace reel::exr {

inline constexpr std::size_t kMetadataDimensions = 384;
inline constexpr std::size_t kChannelDimensions = 128;

//! Everything of the header. Frames of one sequence are nearer than 0.98, the same channels in
//! another resolution nearer than 0.85, unrelated headers farther than 0.7.
std::array<float, kMetadataDimensions> metadata_embedding(const Header& header);

//! Its channels only: names, layers, types and sampling.
std::array<float, kChannelDimensions> channel_fingerprint(const Header& header);

//! A word with its weight; what the two above are made of.
using WeightedWord = std::pair<std::string, std::int32_t>;
//! The sum of all groups' words, each group with the share (of 1000) of the squared length that
//! stands beside it, however many words it has. A group without words has no share.
struct WordGroup {
  std::int64_t share = 0;
  std::vector<WeightedWord> words = {};
};
//! REQUIRES: 0 < out.size().
void embed(std::span<const WordGroup> groups, std::span<float> out);

struct Neighbour {
  std::size_t index = 0;
  float similarity = 0;  //!< the cosine, -1 to 1
};

//! The `count` vectors that are nearest to `query`, nearest first, equals by index. `vectors` are
//! as long as `query`, one after the other. Reads each once.
//! REQUIRES: vectors.size() is a multiple of query.size(), which is not 0.
std::vector<Neighbour> nearest(std::span<const float> query, std::span<const float> vectors,
                               std::size_t count);

}  // namespace reel::exr
