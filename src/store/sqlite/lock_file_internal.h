#pragma once
//! Keeps two servers from opening one data directory.

#include <memory>
#include <string>

#include "base/result.h"

namespace reel::store::sqlite {

//! Holds an exclusive lock on a file that names our process. The kernel frees it when the process
//! ends, however it ends; the file stays.
class LockFile {
 public:
  //! Code::conflict names the process that has it, Code::io the path.
  static Result<std::unique_ptr<LockFile>> take(const std::string& path);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace reel::store::sqlite
