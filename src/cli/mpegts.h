#pragma once
//! MPEG-TS objects.

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/temp_directory.h"

namespace reel::cli {

//! The fragment's frames as a transport stream with the same times, in 1/90000 s. Thread-safe.
Result<std::string> mpegts_object(std::string_view init, std::string_view fragment,
                                  const TempDirectory& temp);

}  // namespace reel::cli
