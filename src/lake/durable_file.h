#pragma once
//! Files that are there whole or not at all.

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"

namespace reel::lake {

//! Behind the name of a file that is being written.
inline constexpr std::string_view kUnfinished = ".part";

//! A new file. Until finish() it has another name, and goes away with this object.
class DurableFile {
 public:
  //! Makes the folders above it, durably. Code::io names the path and what the system says;
  //! Code::conflict when the file is there already.
  static Result<std::unique_ptr<DurableFile>> create(const std::string& path);
  ~DurableFile();
  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  Status write(std::string_view bytes);
  //! Gives it its name, so that a power cut leaves it as it is, and returns the hash of all that
  //! was written.
  Result<Sha256Digest> finish();
  std::int64_t size_bytes() const { return size_bytes_; }

 private:
  DurableFile(std::string path, int descriptor);

  const std::string path_;
  int descriptor_;
  std::int64_t size_bytes_ = 0;
  Sha256 hash_;
};

struct FileFacts {
  std::int64_t size_bytes = 0;
  Instant written = {};  //!< the last time
};
//! Code::not_found, io.
Result<FileFacts> look_at_file(const std::string& path);

//! The hash of a file that is there. Code::not_found, io.
Result<Sha256Digest> hash_file(const std::string& path);

}  // namespace reel::lake
