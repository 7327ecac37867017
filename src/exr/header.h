#pragma once
//! The header of an OpenEXR file as it stands there: every attribute, in file order, with its
//! bytes.
//!
//! Source: "OpenEXR File Layout" (the format's own description). Nothing is repaired, filled in
//! or sorted here, so that the bytes of the header can be built again from a Header.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace reel::exr {

//! The second word of the file.
struct VersionWord {
  std::uint32_t bits = 0;

  std::uint8_t version() const { return static_cast<std::uint8_t>(bits & 0xff); }
  bool tiled() const { return (bits & 0x200) != 0; }  //!< single part, tiles
  bool long_names() const { return (bits & 0x400) != 0; }
  bool deep() const { return (bits & 0x800) != 0; }
  bool multipart() const { return (bits & 0x1000) != 0; }
};

struct Attribute {
  std::string name;
  std::string type;
  std::string bytes;               //!< the value, as in the file
  std::uint64_t offset = 0;        //!< in the file, of the first byte of the name
  std::uint64_t value_offset = 0;  //!< in the file, of the first byte of the value
};

//! A part's attributes, in file order; a name may occur twice (that is a finding).
struct Part {
  std::vector<Attribute> attributes;
  std::uint64_t offset = 0;  //!< in the file, of its first attribute

  //! The first attribute of this name; null: there is none.
  const Attribute* find(std::string_view name) const;
};

struct Header {
  VersionWord version;
  std::vector<Part> parts;
  std::uint64_t bytes = 0;   //!< length of the header from the start of the file
  Sha256Digest sha256 = {};  //!< of those bytes
};

//! The bytes of the header again: equal to the file's, for every header that walk() accepts.
std::string header_bytes(const Header& header);

}  // namespace reel::exr
