#include "media/backend.h"

#include <array>
#include <vector>

#include <unistd.h>

#include "base/percent.h"
#include "media/file_internal.h"

namespace reel::media {
namespace {

constexpr std::size_t kCopyBytes = std::size_t{256} * 1024;

//! Together with its folder well below the 255 bytes that file systems allow for a name.
constexpr std::size_t kNameBytesMax = 200;

//! '~' starts no percent-encoded name here, so that a hash never collides with an object id.
std::string file_name(std::string_view object_id) {
  std::string name;
  if (object_id.size() <= kNameBytesMax) append_percent_encoded(name, object_id);
  if (name.empty() || name.size() > kNameBytesMax) return "~" + to_hex(sha256(object_id));
  if (name.front() == '.') name.replace(0, 1, "%2E");
  if (name.front() == '~') name.replace(0, 1, "%7E");
  return name;
}

}  // namespace

std::string make_key(std::string_view object_id, Instant at) {
  const std::string date = at.to_string();
  const std::string spread = hash128(object_id).to_hex();
  return fmt::format("{}/{}/{}/{}/{}/{}", kKeyFolder, std::string_view(date).substr(0, 4),
                     std::string_view(date).substr(5, 2), std::string_view(date).substr(8, 2),
                     std::string_view(spread).substr(0, 2), file_name(object_id));
}

Result<StoredBytes> copy_object(const OpenObject& source, Backend& target, std::string_view key,
                                const std::stop_token& stop) {
  REEL_ASSIGN(const auto upload, target.begin_upload(key));
  std::vector<std::byte> buffer(kCopyBytes);
  std::uint64_t offset = 0;
  while (true) {
    if (stop.stop_requested()) return cancelled("copying to {} was stopped", key);
    const ssize_t got =
        ::pread(source.descriptor, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("reading the source of", key);
    if (got == 0) break;
    const auto count = static_cast<std::size_t>(got);
    REEL_TRY(upload->append(ByteSpan(buffer).first(count)));
    offset += count;
  }
  if (offset != source.size_bytes) {
    return corrupt("the source of {} has {} bytes instead of {}", key, offset, source.size_bytes);
  }
  return upload->finish();
}

}  // namespace reel::media
