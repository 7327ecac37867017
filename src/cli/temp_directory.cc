#include "cli/temp_directory.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace reel::cli {

Result<TempDirectory> TempDirectory::make() {
  std::error_code error;
  std::filesystem::path base = std::filesystem::temp_directory_path(error);
  if (error) base = "/tmp";
  std::string name = (base / "reelhouse-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return io("cannot make a directory in {}: {}", base.string(), std::strerror(errno));
  }
  return TempDirectory(name);
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Status write_file(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return io("cannot write {}: {}", path, std::strerror(errno));
  return {};
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return io("cannot read {}: {}", path, std::strerror(errno));
  return bytes;
}

}  // namespace reel::cli
