#pragma once
//! Reads Arrow IPC streams.

#include <functional>
#include <string>

#include "base/result.h"

// Arrow's C stream interface.
struct ArrowArrayStream;

namespace reel::arrow {

//! Appends the next bytes of a stream; false with the last ones, and after them.
using ReadBytes = std::function<Result<bool>(std::string& out)>;

//! Gives the arrays of a stream out, whose bytes are read as they are needed. An error of `read` is
//! told as an array stream's; where no error can be told, the stream ends. `out` is the caller's to
//! release.
Status open_stream(ReadBytes read, ArrowArrayStream& out);

}  // namespace reel::arrow
