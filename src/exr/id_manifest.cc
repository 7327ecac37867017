#include "exr/id_manifest.h"

#include <algorithm>
#include <numeric>

#include <zlib.h>

namespace reel::exr {
namespace {

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

//! A zlib stream written out, at most `bytes_max`. Memory grows with what comes out.
Result<std::string> inflate_bounded(std::string_view compressed, std::size_t bytes_max) {
  struct Stream {
    z_stream z = {};
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { inflateEnd(&z); }
  } stream;
  z_stream& z = stream.z;
  if (inflateInit(&z) != Z_OK) return internal("zlib cannot be set up");
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  z.avail_in = static_cast<uInt>(compressed.size());
  std::string out;
  int result = Z_OK;
  while (result == Z_OK) {
    // One byte more than allowed tells that there is too much.
    const std::size_t room = std::clamp(out.size(), std::size_t{4096}, std::size_t{1} << 20);
    const std::size_t before = out.size();
    out.resize(std::min(before + room, bytes_max + 1));
    z.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    z.avail_out = static_cast<uInt>(out.size() - before);
    result = inflate(&z, Z_NO_FLUSH);
    out.resize(out.size() - z.avail_out);
    if (out.size() > bytes_max) {
      return fail(Code::corrupt, "the manifest has more than the {} bytes that it says", bytes_max);
    }
  }
  if (result != Z_STREAM_END) {
    return fail(Code::corrupt, "the manifest is no whole zlib stream ({})",
                z.msg != nullptr ? z.msg : "it ends early");
  }
  return out;
}

//! Reads the inflated table from front to back.
class Reader {
 public:
  Reader(std::string_view bytes, const IdManifestLimits& limits) : rest_(bytes), limits_(limits) {}

  Result<IdManifest> read() {
    REEL_ASSIGN(const std::uint64_t version, number(4, "version"));
    if (version != 0) return fail(Code::unsupported, "manifest version {} is not known", version);
    IdManifest manifest;
    REEL_ASSIGN(manifest.strings, strings("table of strings"));
    REEL_TRY(write_out(manifest.strings));
    REEL_TRY(read_mapping(manifest.strings.size()));
    REEL_ASSIGN(const std::uint64_t groups, count("groups"));
    for (std::uint64_t i = 0; i < groups; ++i) {
      REEL_TRY(charge(kGroupCharge));
      REEL_ASSIGN(IdManifestGroup group, read_group());
      manifest.groups.push_back(std::move(group));
    }
    return manifest;
  }

 private:
  static constexpr std::size_t kGroupCharge = 8;  // a group without ids is as large as that

  Status charge(std::uint64_t values) {
    if (values > limits_.values_max - charged_) {
      return fail(Code::too_large, "the manifest has more than {} values", limits_.values_max);
    }
    charged_ += values;
    return {};
  }

  Result<std::string_view> take(std::uint64_t size, std::string_view what) {
    if (size > rest_.size()) return fail(Code::corrupt, "the manifest ends within its {}", what);
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  Result<std::uint64_t> number(std::size_t bytes, std::string_view what) {
    REEL_ASSIGN(const std::string_view taken, take(bytes, what));
    return little_endian(taken);
  }

  //! A count of things; the file keeps it signed.
  Result<std::uint64_t> count(std::string_view what) {
    REEL_ASSIGN(const std::uint64_t value, number(4, what));
    if (value > INT32_MAX) return fail(Code::corrupt, "a count of the {} is negative", what);
    return value;
  }

  //! Seven bits a byte, the low ones first; the top bit says that there is more.
  Result<std::uint64_t> variable(std::string_view what) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      REEL_ASSIGN(const std::uint64_t byte, number(1, what));
      if (shift == 63 && (byte & 0x7e) != 0) break;
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return fail(Code::corrupt, "a number of the {} has more than 64 bits", what);
  }

  //! A count, that many lengths, that many texts.
  Result<std::vector<std::string>> strings(std::string_view what) {
    REEL_ASSIGN(const std::uint64_t size, count(what));
    REEL_TRY(charge(size));
    if (size > rest_.size()) return fail(Code::corrupt, "the manifest ends within its {}", what);
    std::vector<std::uint64_t> lengths(size);
    for (std::uint64_t& length : lengths) {
      REEL_ASSIGN(length, variable(what));
    }
    std::vector<std::string> texts;
    texts.reserve(size);
    for (const std::uint64_t length : lengths) {
      REEL_ASSIGN(const std::string_view text, take(length, what));
      texts.emplace_back(text);
    }
    return texts;
  }

  //! Each string but the first begins with how much of the one before it shares: one byte, or two,
  //! the high one first, after a string of more than 255 bytes.
  Status write_out(std::vector<std::string>& texts) const {
    std::size_t total = texts.empty() ? 0 : texts.front().size();
    for (std::size_t i = 1; i < texts.size(); ++i) {
      const std::string& before = texts[i - 1];
      std::string& text = texts[i];
      const std::size_t prefix = before.size() > 255 ? 2 : 1;
      if (text.size() < prefix) return fail(Code::corrupt, "string {} has no prefix length", i);
      std::size_t shared = static_cast<unsigned char>(text[0]);
      if (prefix == 2) shared = shared << 8 | static_cast<unsigned char>(text[1]);
      if (shared > before.size()) {
        return fail(Code::corrupt, "string {} shares {} bytes with one of {}", i, shared,
                    before.size());
      }
      total += shared + text.size() - prefix;
      if (total > limits_.text_bytes_max) {
        return fail(Code::too_large, "the manifest's strings have more than {} bytes",
                    limits_.text_bytes_max);
      }
      text.replace(0, prefix, before, 0, shared);
    }
    return {};
  }

  //! Names are written as indices of a list in which frequent strings come first. The list is made
  //! of ranges of the table, each string where it occurs first.
  Status read_mapping(std::size_t size) {
    REEL_ASSIGN(const std::uint64_t ranges, count("ranges"));
    mapping_.reserve(size);
    // The first string from here on that is not in the list yet.
    std::vector<std::uint32_t> unused(size + 1);
    std::iota(unused.begin(), unused.end(), 0U);
    const auto next = [&](std::uint32_t at) {
      while (unused[at] != at) at = unused[at] = unused[unused[at]];
      return at;
    };
    for (std::uint64_t i = 0; i < ranges; ++i) {
      REEL_ASSIGN(const std::uint64_t first, number(4, "ranges"));
      REEL_ASSIGN(const std::uint64_t last, number(4, "ranges"));
      if (first > last || last >= size) {
        return fail(Code::corrupt, "range {} is from string {} to {} of {}", i, first, last, size);
      }
      for (std::uint32_t at = next(static_cast<std::uint32_t>(first)); at <= last; at = next(at)) {
        mapping_.push_back(at);
        unused[at] = at + 1;
      }
    }
    return {};
  }

  Result<std::string> text(std::string_view what) {
    REEL_ASSIGN(const std::uint64_t size, number(4, what));
    REEL_ASSIGN(const std::string_view taken, take(size, what));
    return std::string(taken);
  }

  Result<IdManifestGroup> read_group() {
    IdManifestGroup group;
    REEL_ASSIGN(group.channels, strings("channels"));
    REEL_ASSIGN(group.components, strings("components"));
    REEL_ASSIGN(const std::uint64_t lifetime, number(1, "lifetime"));
    group.lifetime = static_cast<std::uint8_t>(lifetime);
    REEL_ASSIGN(group.hash_scheme, text("hash scheme"));
    REEL_ASSIGN(group.encoding_scheme, text("encoding scheme"));
    REEL_ASSIGN(const std::uint64_t storage, number(1, "storage scheme"));
    REEL_ASSIGN(const std::uint64_t size, count("ids"));
    for (std::uint64_t i = 0; i < size; ++i) REEL_TRY(read_id(storage, group));
    return group;
  }

  //! An id is written as its distance from the one before.
  Status read_id(std::uint64_t storage, IdManifestGroup& group) {
    REEL_TRY(charge(1 + group.components.size()));
    REEL_ASSIGN(const std::uint64_t distance, storage == 0   ? number(8, "ids")
                                              : storage == 1 ? number(4, "ids")
                                                             : variable("ids"));
    const std::uint64_t before = group.ids.empty() ? 0 : group.ids.back();
    const std::uint64_t id = before + distance;
    if (!group.ids.empty() && id <= before) {
      return fail(Code::corrupt, "id {} comes after {}", id, before);
    }
    group.ids.push_back(id);
    for (std::size_t i = 0; i < group.components.size(); ++i) {
      REEL_ASSIGN(const std::uint64_t index, variable("names"));
      if (index >= mapping_.size()) {
        return fail(Code::corrupt, "id {} is called string {} of {}", id, index, mapping_.size());
      }
      group.names.push_back(mapping_[index]);
    }
    return {};
  }

  std::string_view rest_;
  const IdManifestLimits& limits_;
  std::size_t charged_ = 0;
  std::vector<std::uint32_t> mapping_;
};

}  // namespace

Result<IdManifest> decode_id_manifest(std::string_view bytes, const IdManifestLimits& limits) {
  constexpr std::size_t kSizeBytes = 8;
  if (bytes.size() < kSizeBytes) return fail(Code::corrupt, "the manifest has no size");
  const std::uint64_t declared = little_endian(bytes.substr(0, kSizeBytes));
  if (declared > limits.inflated_bytes_max) {
    return fail(Code::too_large, "the manifest says that it has {} bytes, {} are read", declared,
                limits.inflated_bytes_max);
  }
  if (bytes.size() > INT32_MAX)
    return fail(Code::too_large, "the manifest has {} bytes", bytes.size());
  REEL_ASSIGN(const std::string table, inflate_bounded(bytes.substr(kSizeBytes), declared));
  if (table.size() != declared) {
    return fail(Code::corrupt, "the manifest says that it has {} bytes, and has {}", declared,
                table.size());
  }
  return Reader(table, limits).read();
}

std::string_view id_lifetime_name(std::uint8_t lifetime) {
  constexpr std::string_view kNames[] = {"frame", "shot", "stable"};
  return lifetime < std::size(kNames) ? kNames[lifetime] : std::string_view();
}

}  // namespace reel::exr
