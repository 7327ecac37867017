#include "exr/header.h"

#include <algorithm>

namespace reel::exr {
namespace {

constexpr std::string_view kMagic("\x76\x2f\x31\x01", 4);

void append_word(std::string& out, std::uint32_t word) {
  for (int shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>((word >> shift) & 0xff));
  }
}

void append_attribute(std::string& out, const Attribute& attribute) {
  out.append(attribute.name).push_back('\0');
  out.append(attribute.type).push_back('\0');
  append_word(out, static_cast<std::uint32_t>(attribute.bytes.size()));
  out.append(attribute.bytes);
}

}  // namespace

const Attribute* Part::find(std::string_view name) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const Attribute& each) { return each.name == name; });
  return found == attributes.end() ? nullptr : &*found;
}

std::string header_bytes(const Header& header) {
  std::string out(kMagic);
  append_word(out, header.version.bits);
  for (const Part& part : header.parts) {
    for (const Attribute& attribute : part.attributes) append_attribute(out, attribute);
    out.push_back('\0');
  }
  if (header.version.multipart()) out.push_back('\0');
  return out;
}

}  // namespace reel::exr
