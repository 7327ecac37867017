#include "exr/byte_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace reel::exr {
namespace {

FileSource::State state_of(const struct stat& status) {
  return {.size = static_cast<std::uint64_t>(status.st_size),
          .modified = {status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1'000}};
}

std::string_view kind_name(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "not a regular file";
}

std::string error_text(int error) {
  std::array<char, 256> text{};
  return ::strerror_r(error, text.data(), text.size());
}

Failure cannot_open(int error) {
  if (error == ENOENT || error == ENOTDIR) return not_found("there is no such file");
  return io("cannot be opened: {}", error_text(error));
}

}  // namespace

Result<std::size_t> MemorySource::read(std::uint64_t offset, std::span<char> first,
                                       std::span<char> second) {
  std::string_view rest = bytes_.substr(std::min<std::uint64_t>(offset, bytes_.size()));
  std::size_t total = 0;
  for (const std::span<char> part : {first, second}) {
    const std::size_t count = rest.copy(part.data(), part.size());
    rest.remove_prefix(count);
    total += count;
  }
  return total;
}

Result<std::unique_ptr<FileSource>> FileSource::open(const std::string& path) {
  struct stat status = {};
  // Before it is opened: opening a device may do something.
  if (::stat(path.c_str(), &status) != 0) return cannot_open(errno);
  if (!S_ISREG(status.st_mode)) return invalid("is {}", kind_name(status.st_mode));
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return cannot_open(errno);
  // Another file may have come in its place.
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return invalid("is {}", kind_name(status.st_mode));
  }
  return std::unique_ptr<FileSource>(new FileSource(descriptor, state_of(status)));
}

FileSource::~FileSource() { ::close(descriptor_); }

Result<FileSource::State> FileSource::state_now() const {
  struct stat status = {};
  if (::fstat(descriptor_, &status) != 0) return io("cannot be looked at: {}", error_text(errno));
  return state_of(status);
}

Result<std::size_t> FileSource::read(std::uint64_t offset, std::span<char> first,
                                     std::span<char> second) {
  std::size_t total = 0;
  while (!first.empty() || !second.empty()) {
    const std::array<iovec, 2> parts = {
        {{first.data(), first.size()}, {second.data(), second.size()}}};
    const ssize_t got = ::preadv(descriptor_, parts.data(), static_cast<int>(parts.size()),
                                 static_cast<off_t>(offset + total));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io("cannot be read at byte {}: {}", offset + total, error_text(errno));
    if (got == 0) break;
    const auto count = static_cast<std::size_t>(got);
    total += count;
    const std::size_t in_first = std::min(count, first.size());
    first = first.subspan(in_first);
    second = second.subspan(count - in_first);
  }
  return total;
}

}  // namespace reel::exr
