#include "cli/identity.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/hash.h"

namespace reel::cli {

const Uuid& ingest_name_space() {
  static const Uuid name_space = *Uuid::parse("6f1c2f5e-9d0b-5b43-8a53-2f6d1f7f9c31");
  return name_space;
}

Result<std::string> file_fingerprint(const std::string& path) {
  constexpr std::streamoff kPiece = std::streamoff{1} << 20;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return not_found("cannot open {}: {}", path, std::strerror(errno));
  const std::streamoff size = file.tellg();
  Sha256 hash;
  std::string piece(static_cast<std::size_t>(kPiece), '\0');
  for (const std::streamoff start : {std::streamoff{0}, size / 2, size - kPiece}) {
    file.clear();
    file.seekg(std::max(start, std::streamoff{0}));
    file.read(piece.data(), kPiece);
    hash.update(
        as_bytes(std::string_view(piece).substr(0, static_cast<std::size_t>(file.gcount()))));
  }
  if (file.bad()) return io("cannot read {}: {}", path, std::strerror(errno));
  return fmt::format("{}-{}", size, to_hex(hash.finish()));
}

}  // namespace reel::cli
