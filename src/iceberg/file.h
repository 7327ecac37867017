#pragma once
//! Files of a table on a local disk, by their location.

#include <string>
#include <string_view>

#include "base/result.h"

namespace reel::iceberg {

//! "file:///lake/x" for the path "/lake/x": what metadata calls a file. Nothing is escaped, as
//! readers do not unescape. Code::invalid for a path that is relative, or has a character that some
//! reader would take for the end of the path: '?', '#', or a control character.
Result<std::string> location_of(std::string_view path);
//! The path of "file:///x", "file:/x" or "/x". Code::unsupported for another scheme.
Result<std::string> path_of(std::string_view location);

//! The whole file. Code::not_found when there is none, Code::too_large for more than `bytes_max`.
Result<std::string> read_file(std::string_view location, std::size_t bytes_max);
//! Writes a file that must not exist yet, synced. Folders that are missing are created. Its entry
//! in the folder is durable after sync_folder_of(). Code::conflict when there is one.
Status write_new_file(std::string_view location, std::string_view bytes);
//! Makes the entries of the folder that the file is in durable.
Status sync_folder_of(std::string_view location);
//! Removes the file; it is no error when there is none.
Status remove_file(std::string_view location);

}  // namespace reel::iceberg
