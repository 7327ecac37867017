#pragma once
//! Where the bytes of objects live. Local disk today; S3 keeps the same interface.

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/uuid.h"

namespace reel::media {

//! What the API tells about a backend (TAMS 8.2 schemas/storage-backend.json).
struct BackendInfo {
  StorageId id;
  std::string label;
  std::string provider;
  std::string region;             //!< empty = not told
  std::string availability_zone;  //!< empty = not told
  std::string store_product;
  std::string tags;  //!< JSON object (TAMS 8.2 schemas/tags.json); empty = none
  bool default_storage = false;
};

//! What was stored: the size in bytes and the SHA-256 of the content.
struct StoredBytes {
  std::uint64_t size_bytes = 0;
  Sha256Digest sha256{};
};

//! One upload under way. Nothing is visible before finish(); destroying it before that leaves
//! nothing behind. Belongs to one thread at a time and must not outlive its backend.
class Upload {
 public:
  virtual ~Upload() = default;
  //! Code::io names the file; after that the upload can only be destroyed.
  virtual Status append(ByteSpan bytes) = 0;
  //! Makes the bytes durable and visible in one step, replacing an earlier content of the key.
  //! After an error the key holds either its earlier content or the complete new one.
  //! REQUIRES: neither function is called afterwards.
  virtual Result<StoredBytes> finish() = 0;
};

//! An object opened for reading, by pread. Stays readable, unchanged, when the object is removed or
//! replaced meanwhile. Copies share the descriptor.
struct OpenObject {
  std::shared_ptr<const void> keep_alive;  //!< closes the descriptor
  int descriptor = -1;
  std::uint64_t size_bytes = 0;
};

//! Thread-safe. Keys are made by make_key(); one that cannot come from there is Code::invalid.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual const BackendInfo& info() const = 0;
  virtual Result<std::unique_ptr<Upload>> begin_upload(std::string_view key) = 0;
  //! Code::not_found when there is nothing under the key.
  virtual Result<OpenObject> open(std::string_view key) = 0;
  //! Durable on return. The bytes that were freed: 0, and no error, when there was nothing.
  virtual Result<std::uint64_t> remove(std::string_view key) = 0;
};

//! The first folder of every key.
inline constexpr std::string_view kKeyFolder = "media";

//! "media/YYYY/MM/DD/xx/<name>": the day of `at`, two hex digits that spread directories, and the
//! object id percent-encoded (or its hash when long). Any object id, even an empty one, gives a
//! safe relative path; different ids of one day give different keys (docs/formats/media.md).
std::string make_key(std::string_view object_id, Instant at);

//! Copies between backends, or within one. Code::corrupt when the source ends early,
//! Code::cancelled when asked to stop.
Result<StoredBytes> copy_object(const OpenObject& source, Backend& target, std::string_view key,
                                const std::stop_token& stop = {});

//! A backend in the directory `root`, created when missing; left-over staged files of an earlier
//! run are removed. Code::conflict when another process uses the directory, Code::io names the
//! path when it cannot be written.
Result<std::unique_ptr<Backend>> open_local_backend(BackendInfo info, const std::string& root);

}  // namespace reel::media
