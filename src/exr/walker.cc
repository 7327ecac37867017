#include "exr/walker.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "exr/finding_codes.h"

namespace reel::exr {
namespace {

constexpr std::string_view kMagic("\x76\x2f\x31\x01", 4);
constexpr std::size_t kReadAheadMin = std::size_t{64} << 10;
constexpr std::size_t kReadAheadMax = std::size_t{8} << 20;
constexpr std::size_t kNameBytesMax = 255;
constexpr std::uint32_t kKnownFlags = 0x1e00;

//! What a file is that is no OpenEXR file; empty: who knows.
std::string_view other_format(std::string_view start) {
  struct Format {
    std::string_view magic;
    std::string_view name;
  };
  static constexpr Format kFormats[] = {
      {"\x89PNG", "a PNG image"},
      {"\xff\xd8\xff", "a JPEG image"},
      {"II*", "a TIFF image"},
      {"MM\0*", "a TIFF image"},
      {"SDPX", "a DPX image"},
      {"XPDS", "a DPX image"},
      {"#?RA", "a Radiance image"},
      {"#?RG", "a Radiance image"},
      {"\x80\x2a\x5f\xd7", "a Cineon image"},
      {"GIF8", "a GIF image"},
      {"BM", "a BMP image"},
      {"8BPS", "a Photoshop document"},
      {"%PDF", "a PDF document"},
      {"PK\x03\x04", "a ZIP archive"},
      {"\x1f\x8b", "a gzip archive"},
      {"RIFF", "a RIFF file"},
      {"<htm", "an HTML page"},
      {"<!DO", "an HTML page"},
      {"vers", "a pointer of Git LFS, perhaps"},
  };
  for (const Format& each : kFormats) {
    if (start.starts_with(each.magic)) return each.name;
  }
  const bool zeros = !start.empty() && start.find_first_not_of('\0') == std::string_view::npos;
  return zeros ? "zeros, so it was never written" : std::string_view();
}

std::string hex_text(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += fmt::format("{}{:02x}", out.empty() ? "" : " ", static_cast<unsigned char>(byte));
  }
  return out;
}

//! A piece of the source that moves on. It keeps what comes after the mark, and hashes what comes
//! before.
class Window {
 public:
  explicit Window(ByteSource& source) : source_(source) {}

  std::uint64_t position() const { return start_ + cursor_; }
  //! Of the source, after the cursor.
  std::uint64_t left() const { return source_.size() - std::min(source_.size(), position()); }
  //! The source had fewer bytes than it said.
  bool is_short() const { return short_; }

  //! The bytes up to a NUL, which is passed over; nothing when the source ends or `most` bytes have
  //! none. What it gives is valid until the next call.
  Result<std::optional<std::string_view>> text(std::size_t most) {
    for (std::size_t seen = 0;;) {
      const std::string_view rest = ahead();
      const std::size_t end = rest.substr(0, most + 1).find('\0', seen);
      if (end != std::string_view::npos) {
        cursor_ += end + 1;
        return rest.substr(0, end);
      }
      seen = rest.size();
      if (seen > most) return std::nullopt;
      REEL_ASSIGN(const bool more, fill());
      if (!more) return std::nullopt;
    }
  }

  //! Exactly so many bytes; nothing when the source ends before. For few bytes.
  Result<std::optional<std::string_view>> take(std::size_t size) {
    while (ahead().size() < size) {
      REEL_ASSIGN(const bool more, fill());
      if (!more) return std::nullopt;
    }
    const std::string_view taken = ahead().substr(0, size);
    cursor_ += size;
    return taken;
  }

  //! As many bytes, into `out`, which stays where it is until mark(); false when the source ends
  //! before. A value that is not in the window is read to where it stays.
  Result<bool> value(std::size_t size, std::string& out) {
    const std::string_view rest = ahead();
    if (size <= rest.size()) {
      out.assign(rest, 0, size);
      cursor_ += size;
      return true;
    }
    hash_marked();
    head_ = buffer_.substr(marked_ - start_, position() - marked_);
    out.resize(size);
    const std::size_t here = rest.copy(out.data(), size);
    start_ += buffer_.size();
    buffer_.clear();
    cursor_ = 0;
    const std::span<char> missing = std::span(out).subspan(here);
    REEL_ASSIGN(const std::size_t got, read_on(missing));
    pending_ = out;
    return got >= missing.size();
  }

  //! Everything before the cursor has been understood.
  void mark() {
    if (!pending_.empty()) {
      hash(head_);
      hash(pending_);
      pending_ = {};
      hashed_ = position();
    }
    marked_ = position();
  }
  std::uint64_t marked() const { return marked_; }

  //! Of everything before the mark.
  Sha256Digest digest() {
    if (!sha_) return sha256(std::string_view(buffer_).substr(0, marked_));
    hash_marked();
    return sha_->finish();
  }

 private:
  std::string_view ahead() const { return std::string_view(buffer_).substr(cursor_); }

  void hash(std::string_view bytes) {
    if (!sha_) sha_.emplace();
    sha_->update(as_bytes(bytes));
  }
  void hash_marked() {
    if (hashed_ == marked_) return;
    hash(std::string_view(buffer_).substr(hashed_ - start_, marked_ - hashed_));
    hashed_ = marked_;
  }

  //! Reads ahead, and drops what is understood; false when nothing more is there.
  Result<bool> fill() {
    hash_marked();
    const std::size_t understood = marked_ - start_;
    buffer_.erase(0, understood);
    start_ += understood;
    cursor_ -= understood;
    REEL_ASSIGN(const std::size_t got, read_on({}));
    return got > 0;
  }

  //! Fills `value` with what comes after the window, then reads ahead. How much it got.
  Result<std::size_t> read_on(std::span<char> value) {
    const std::uint64_t offset = start_ + buffer_.size();
    const std::uint64_t after = offset + value.size();
    const std::uint64_t behind = source_.size() - std::min(source_.size(), after);
    const std::size_t kept = buffer_.size();
    buffer_.resize(kept + std::min<std::uint64_t>(read_ahead_, behind));
    read_ahead_ = std::min(read_ahead_ * 2, kReadAheadMax);
    const std::span<char> rest = std::span(buffer_).subspan(kept);
    if (value.empty() && rest.empty()) return std::size_t{0};
    REEL_ASSIGN(const std::size_t got, source_.read(offset, value, rest));
    short_ = short_ || got < value.size() + rest.size();
    const std::size_t in_value = std::min(got, value.size());
    buffer_.resize(kept + got - in_value);
    start_ += in_value;
    return got;
  }

  ByteSource& source_;
  std::string buffer_;
  std::size_t cursor_ = 0;    // in the buffer
  std::uint64_t start_ = 0;   // in the source, of the buffer
  std::uint64_t marked_ = 0;  // in the source
  std::uint64_t hashed_ = 0;  // in the source: what is before it is in sha_
  std::size_t read_ahead_ = kReadAheadMin;
  std::string head_;          // of an attribute whose value is pending_: its name, type and size
  std::string_view pending_;  // a value that is not in the buffer, and not hashed yet
  std::optional<Sha256> sha_;
  bool short_ = false;
};

class Walker {
 public:
  Walker(ByteSource& source, const WalkLimits& limits)
      : source_(source), limits_(limits), window_(source) {}

  Result<Walk> run() {
    REEL_ASSIGN(bool go_on, start());
    if (go_on) {
      REEL_ASSIGN(go_on, parts());
    }
    walk_.whole = go_on;
    walk_.header.bytes = window_.marked();
    walk_.header.sha256 = window_.digest();
    return std::move(walk_);
  }

 private:
  // Each step says whether the walk goes on; if not, it has said why.

  bool stop(const Rule& rule, std::uint64_t offset, std::string message,
            std::string_view attribute = {}) {
    Place place{.attribute = attribute, .offset = offset};
    if (!walk_.header.parts.empty()) {
      place.part = static_cast<std::uint32_t>(walk_.header.parts.size() - 1);
    }
    walk_.findings.push_back(broken(rule, place, std::move(message)));
    return false;
  }

  //! The file ends where more should come.
  bool stop_at_end(std::uint64_t offset, std::string_view what, std::string_view attribute = {}) {
    if (window_.is_short()) {
      return stop(
          kFileChanged, offset,
          fmt::format("The file had {} bytes when it was opened, and fewer when it was read",
                      source_.size()));
    }
    return stop(kHeaderTruncated, offset,
                fmt::format("The file ends after {} bytes, within {}", source_.size(), what),
                attribute);
  }

  void note(const Rule& rule, const Place& place, std::string message) {
    walk_.findings.push_back(broken(rule, place, std::move(message)));
  }

  Result<bool> start() {
    if (source_.size() == 0) return stop(kEmptyFile, 0, "The file is empty");
    const std::size_t magic_bytes = std::min<std::uint64_t>(source_.size(), kMagic.size());
    REEL_ASSIGN(const auto magic, window_.take(magic_bytes));
    if (!magic) return stop_at_end(0, "its first bytes");
    if (*magic != kMagic.substr(0, magic_bytes)) {
      const std::string_view format = other_format(*magic);
      return stop(kBadMagic, 0,
                  fmt::format("The file starts with {} instead of {}{}{}", hex_text(*magic),
                              hex_text(kMagic), format.empty() ? "" : ": it is ", format));
    }
    REEL_ASSIGN(const auto word, window_.take(4));
    if (!word) return stop_at_end(source_.size(), "the version word");
    std::memcpy(&walk_.header.version.bits, word->data(), word->size());
    check_version();
    window_.mark();
    return true;
  }

  void check_version() {
    const VersionWord& version = walk_.header.version;
    if (version.version() != 2) {
      note(kUnsupportedVersion, {.offset = 4},
           fmt::format("The version of the format is {}, only 2 is known", version.version()));
    }
    if (const std::uint32_t unknown = version.bits & ~(kKnownFlags | 0xffU); unknown != 0) {
      note(kUnknownFlags, {.offset = 4},
           fmt::format("The version word has flags without a meaning: {:#x}", unknown));
    }
    if (version.tiled() && (version.deep() || version.multipart())) {
      note(kFlagsConflict, {.offset = 4},
           fmt::format("The flag of a single tiled part is set together with {}",
                       version.deep() ? "that of deep parts" : "that of several parts"));
    }
  }

  Result<bool> parts() {
    std::vector<Part>& parts = walk_.header.parts;
    while (true) {
      REEL_ASSIGN(const bool go_on, part());
      if (!go_on) return false;
      if (!walk_.header.version.multipart()) return true;
      if (!parts.back().attributes.empty()) continue;
      // The empty header after the last one.
      if (parts.size() == 1) note(kNoParts, {.offset = 8}, "The file has several parts, but none");
      parts.pop_back();
      return true;
    }
  }

  Result<bool> part() {
    walk_.header.parts.emplace_back().offset = window_.position();
    while (true) {
      Attribute next;
      REEL_ASSIGN(const bool go_on, attribute(next));
      if (!go_on) return false;
      window_.mark();
      if (next.name.empty()) return true;
      walk_.header.parts.back().attributes.push_back(std::move(next));
    }
  }

  //! An attribute without a name is the end of a part.
  Result<bool> attribute(Attribute& out) {
    out.offset = window_.position();
    REEL_ASSIGN(bool go_on, name(out.name, out.offset, "the name of an attribute", {}));
    if (!go_on || out.name.empty()) return go_on;
    if (++attributes_ > limits_.attributes_max) {
      return stop(kTooManyAttributes, out.offset,
                  fmt::format("The header has more than {} attributes", limits_.attributes_max));
    }
    REEL_ASSIGN(go_on, name(out.type, out.offset, "the type of an attribute", out.name));
    if (!go_on) return false;
    REEL_ASSIGN(const auto word, window_.take(4));
    if (!word) return stop_at_end(out.offset, "the size of an attribute", out.name);
    std::int32_t size = 0;
    std::memcpy(&size, word->data(), word->size());
    out.value_offset = window_.position();
    return value(out, size);
  }

  Result<bool> name(std::string& out, std::uint64_t attribute_offset, std::string_view what,
                    std::string_view attribute) {
    REEL_ASSIGN(const auto text, window_.text(kNameBytesMax));
    if (text) {
      out = *text;
      return true;
    }
    if (window_.is_short() || window_.left() <= kNameBytesMax) {
      return stop_at_end(attribute_offset, what, attribute);
    }
    return stop(kNameUnterminated, attribute_offset,
                fmt::format("There is no end of {} within {} bytes", what, kNameBytesMax),
                attribute);
  }

  Result<bool> value(Attribute& out, std::int32_t declared) {
    if (declared < 0) {
      return stop(kAttributeSizeNegative, out.offset,
                  fmt::format("The size of the value is {}", declared), out.name);
    }
    const auto size = static_cast<std::uint32_t>(declared);
    if (size > window_.left()) {
      return stop(kAttributeTruncated, out.offset,
                  fmt::format("The value should have {} bytes, the file has {} from there on", size,
                              window_.left()),
                  out.name);
    }
    if (out.value_offset + size > limits_.header_bytes_max) {
      return stop(
          kHeaderTooLarge, out.offset,
          fmt::format("The header has {} bytes up to the end of this value, the limit is {}",
                      out.value_offset + size, limits_.header_bytes_max),
          out.name);
    }
    REEL_ASSIGN(const bool read, window_.value(size, out.bytes));
    return read || stop_at_end(out.offset, "a value", out.name);
  }

  ByteSource& source_;
  const WalkLimits limits_;
  Window window_;
  Walk walk_;
  std::size_t attributes_ = 0;
};

}  // namespace

Result<Walk> walk(ByteSource& source, const WalkLimits& limits) {
  return Walker(source, limits).run();
}

}  // namespace reel::exr
