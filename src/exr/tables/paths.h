#pragma once
//! Paths as the tables keep them.

#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"

namespace reel::exr {

//! The one form of an absolute path or a URI ("s3://bucket/key"): without ".", ".." and doubled
//! slashes. Only the text counts, links are not followed. Code::invalid for a relative path, whose
//! meaning depends on the directory of a process, and for text that is not UTF-8, which no table
//! holds.
Result<std::string> normalize_path(std::string_view path);

//! What a file with this header at this path is called: the first 32 digits of a SHA-256.
std::string file_id(std::string_view normalized_path, const Sha256Digest& header);

//! What the sequence of these names is called, likewise.
std::string sequence_id(std::string_view normalized_directory, std::string_view prefix,
                        std::string_view suffix);

}  // namespace reel::exr
