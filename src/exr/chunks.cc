#include "exr/chunks.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "exr/finding_codes.h"
#include "exr/values.h"

namespace reel::exr {
namespace {

constexpr std::size_t kEntryBytes = 8;
constexpr std::size_t kReadBytes = std::size_t{64} << 10;
constexpr std::uint64_t kCountMax = std::uint64_t{1} << 63;

//! Lines of a chunk of scan lines, by compression.
constexpr std::uint32_t kLinesPerChunk[] = {1, 1, 1, 16, 32, 16, 32, 32, 32, 256, 256, 32};

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  const bool too_many = __builtin_mul_overflow(a, b, &product);
  return too_many ? kCountMax : std::min(product, kCountMax);
}
//! REQUIRES: both at most kCountMax.
std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return a > kCountMax - b ? kCountMax : a + b;
}

std::uint64_t divided_up(std::uint64_t a, std::uint64_t by) { return (a + by - 1) / by; }

//! The tiles along one side in each level, from the full size down to one pixel.
std::vector<std::uint64_t> tiles_by_level(std::uint64_t side, std::uint64_t levels_of,
                                          std::uint32_t tile, bool up) {
  const auto floor_log = static_cast<unsigned>(std::bit_width(levels_of) - 1);
  const unsigned levels = floor_log + (up && !std::has_single_bit(levels_of) ? 1 : 0) + 1;
  std::vector<std::uint64_t> tiles;
  for (unsigned level = 0; level < levels; ++level) {
    const std::uint64_t scale = std::uint64_t{1} << level;
    const std::uint64_t pixels = up ? divided_up(side, scale) : side / scale;
    tiles.push_back(divided_up(std::max<std::uint64_t>(pixels, 1), tile));
  }
  return tiles;
}

std::optional<std::uint64_t> tile_count(const TileDescription& tiles, std::uint64_t width,
                                        std::uint64_t height) {
  if (tiles.x_size == 0 || tiles.y_size == 0) return std::nullopt;
  const bool up = (tiles.mode >> 4) != 0;
  const unsigned mode = tiles.mode & 0xf;
  if (mode > 2 || (tiles.mode >> 4) > 1) return std::nullopt;
  if (mode == 0) return times(divided_up(width, tiles.x_size), divided_up(height, tiles.y_size));
  const bool mipmap = mode == 1;
  const std::uint64_t longer = std::max(width, height);
  const auto x = tiles_by_level(width, mipmap ? longer : width, tiles.x_size, up);
  const auto y = tiles_by_level(height, mipmap ? longer : height, tiles.y_size, up);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < y.size(); ++j) {
      if (!mipmap || i == j) count = plus(count, times(x[i], y[j]));
    }
  }
  return count;
}

class ChunkCheck {
 public:
  ChunkCheck(ByteSource& source, const Header& header, const ChunkLimits& limits)
      : source_(source), header_(header), limits_(limits) {}

  Result<Chunks> run() {
    count();
    if (counts_.size() == header_.parts.size()) {
      std::uint64_t offset = header_.bytes;
      for (const std::uint64_t count : counts_) offset = plus(offset, times(count, kEntryBytes));
      pixels_ = offset;
      REEL_TRY(tables());
    } else {
      known_ = false;
    }
    if (known_ || has_error(chunks_.findings)) {
      chunks_.complete = !has_error(chunks_.findings);
    }
    return std::move(chunks_);
  }

 private:
  void found(const Rule& rule, std::uint32_t part, std::uint64_t offset, std::string message,
             std::string_view attribute = {}) {
    add(chunks_.findings,
        broken(rule, {.part = part, .attribute = attribute, .offset = offset}, std::move(message)));
  }

  //! How many entries each part's table has: as computed, or as declared where parts follow each
  //! other. Stops at the first that nobody knows.
  void count() {
    for (std::uint32_t i = 0; i < header_.parts.size(); ++i) {
      const Part& part = header_.parts[i];
      PartChunks& out = chunks_.parts.emplace_back();
      out.computed = chunk_count(header_.version, part);
      out.declared = value_of<std::int32_t>(part, "chunkCount");
      if (out.declared && out.computed &&
          (*out.declared < 0 || static_cast<std::uint64_t>(*out.declared) != *out.computed)) {
        found(kChunkCountWrong, i, part.find("chunkCount")->offset,
              fmt::format("The part declares {} chunks and should have {}", *out.declared,
                          *out.computed),
              "chunkCount");
      }
      if (counts_.size() < i) continue;
      // Writers of several parts lay the tables out by what they declare.
      if (header_.version.multipart() && out.declared && *out.declared >= 0) {
        counts_.push_back(static_cast<std::uint64_t>(*out.declared));
      } else if (out.computed) {
        counts_.push_back(*out.computed);
      }
    }
  }

  Status tables() {
    std::uint64_t offset = header_.bytes;
    std::uint64_t left = limits_.entries_max;
    for (std::uint32_t i = 0; i < counts_.size(); ++i) {
      const std::uint64_t in_file =
          (source_.size() - std::min(offset, source_.size())) / kEntryBytes;
      if (in_file < counts_[i]) {
        found(kChunkTableTruncated, i, std::min(offset, source_.size()),
              fmt::format("The table should have {} entries, the file ends after {}", counts_[i],
                          in_file));
      }
      const std::uint64_t wanted = std::min(counts_[i], in_file);
      const std::uint64_t count = std::min(wanted, left);
      if (count < wanted) {
        known_ = false;
        found(kChunkTableLarge, i, offset,
              fmt::format("The table has {} entries, only {} of them were checked", wanted, count));
      }
      left -= count;
      REEL_TRY(table(i, offset, count));
      if (in_file < counts_[i]) return {};
      offset += counts_[i] * kEntryBytes;
    }
    return last_ > 0 ? last_chunk() : Status();
  }

  Status table(std::uint32_t part, std::uint64_t offset, std::uint64_t count) {
    PartChunks& out = chunks_.parts[part];
    std::uint64_t first_zero = 0;
    std::uint64_t first_outside = 0;
    std::string block;
    for (std::uint64_t done = 0; done < count;) {
      block.resize(std::min<std::uint64_t>(kReadBytes, (count - done) * kEntryBytes));
      REEL_ASSIGN(const std::size_t got, source_.read(offset + done * kEntryBytes, block, {}));
      if (got < block.size()) {
        found(kFileChanged, part, offset, "The file became shorter while it was read");
        return {};
      }
      for (std::size_t at = 0; at < block.size(); at += kEntryBytes, ++done) {
        std::uint64_t entry = 0;
        std::memcpy(&entry, block.data() + at, kEntryBytes);
        if (entry == 0) {
          if (out.unfinished++ == 0) first_zero = done;
        } else if (entry < pixels_ || entry >= source_.size()) {
          if (out.outside++ == 0) first_outside = done;
        } else if (entry > last_) {
          last_ = entry;
          last_part_ = part;
        }
      }
    }
    out.checked = count;
    if (out.unfinished > 0) {
      found(kChunksUnfinished, part, offset + first_zero * kEntryBytes,
            fmt::format("{} of {} chunks were never written, the first is chunk {}", out.unfinished,
                        counts_[part], first_zero));
    }
    if (out.outside > 0) {
      found(kChunksOutside, part, offset + first_outside * kEntryBytes,
            fmt::format("{} of {} chunks are not between byte {} and the file's end at {}, the "
                        "first is chunk {}",
                        out.outside, counts_[part], pixels_, source_.size(), first_outside));
    }
    return {};
  }

  //! Of the chunk that is last in the file, so that no other can be cut: does it end in the file?
  Status last_chunk() {
    const auto kind = part_kind(header_.version, header_.parts[last_part_]);
    if (!kind) return {};
    // The number of the part, the place in the picture, then sizes: a word, or for deep parts those
    // of a table and of the samples, and how large these are without compression.
    const std::size_t before = (header_.version.multipart() ? 4 : 0) + (kind->tiled ? 16 : 4);
    const std::size_t after = kind->deep ? 24 : 4;
    std::string head(before + after, '\0');
    REEL_ASSIGN(const std::size_t got, source_.read(last_, head, {}));
    std::uint64_t end = plus(last_, head.size());
    if (got == head.size()) {
      for (std::size_t i = 0; i < (kind->deep ? 2U : 1U); ++i) {
        std::uint64_t size = 0;
        std::memcpy(&size, head.data() + before + i * 8, kind->deep ? 8 : 4);
        end = plus(end, std::min(size, kCountMax));
      }
    }
    if (end <= source_.size()) return {};
    found(kChunkTruncated, last_part_, last_,
          fmt::format("The last chunk should end at byte {}, the file ends at {}", end,
                      source_.size()));
    return {};
  }

  ByteSource& source_;
  const Header& header_;
  const ChunkLimits limits_;
  Chunks chunks_;
  std::vector<std::uint64_t> counts_;  // of the parts' tables
  std::uint64_t pixels_ = 0;           // where the tables end
  std::uint64_t last_ = 0;             // the chunk that starts last
  std::uint32_t last_part_ = 0;
  bool known_ = true;
};

}  // namespace

std::optional<std::uint64_t> chunk_count(const VersionWord& version, const Part& part) {
  const auto kind = part_kind(version, part);
  const auto window = value_of<Box2i>(part, "dataWindow");
  if (!kind || !window) return std::nullopt;
  const std::int64_t width = std::int64_t{window->max.of[0]} - window->min.of[0] + 1;
  const std::int64_t height = std::int64_t{window->max.of[1]} - window->min.of[1] + 1;
  if (width < 1 || height < 1) return std::nullopt;
  if (kind->tiled) {
    const auto tiles = value_of<TileDescription>(part, "tiles");
    if (!tiles) return std::nullopt;
    return tile_count(*tiles, static_cast<std::uint64_t>(width),
                      static_cast<std::uint64_t>(height));
  }
  const auto compression = value_of<Enumerated>(part, "compression");
  if (!compression || compression->number >= std::size(kLinesPerChunk)) return std::nullopt;
  return divided_up(static_cast<std::uint64_t>(height), kLinesPerChunk[compression->number]);
}

Result<Chunks> check_chunks(ByteSource& source, const Header& header, const ChunkLimits& limits) {
  return ChunkCheck(source, header, limits).run();
}

}  // namespace reel::exr
