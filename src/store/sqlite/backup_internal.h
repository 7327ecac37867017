#pragma once
//! A consistent copy of the database while it is in use.

#include <string>

#include "store/sqlite/connection_internal.h"

namespace reel::store::sqlite {

//! Copies what `source` sees in its open read transaction to `directory`/`file_name`, durably: the
//! name appears only when the copy is complete. The directory must not exist or be empty
//! (conflict).
Status backup_to(const Connection& source, const std::string& directory,
                 const std::string& file_name);

//! Makes a directory with those above it, durably. Code::io names the path.
Status make_directory(const std::string& path);

}  // namespace reel::store::sqlite
