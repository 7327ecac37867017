#include "arrow/stream_reader.h"

#include <algorithm>
#include <cerrno>

#include <nanoarrow/nanoarrow_ipc.hpp>

#include "arrow/result_internal.h"

namespace reel::arrow {
namespace {

struct Source {
  ReadBytes read;
  std::string bytes = {};
  std::size_t taken = 0;  //!< of the bytes
  bool ended = false;
};

//! C calls this: nothing may be thrown through it. Gives less than `count_max` at the end only:
//! nanoarrow does not ask again.
ArrowErrorCode read_all(ArrowIpcInputStream* stream, std::uint8_t* buffer, std::int64_t count_max,
                        std::int64_t* count, ArrowError* error) noexcept {
  Source& source = *static_cast<Source*>(stream->private_data);
  *count = 0;
  while (*count < count_max) {
    if (source.taken == source.bytes.size()) {
      if (source.ended) break;
      source.bytes.clear();
      source.taken = 0;
      const Result<bool> more = source.read(source.bytes);
      if (!more) {
        ArrowErrorSet(error, "%s", more.error().message().c_str());
        return EIO;
      }
      source.ended = !*more;
    }
    const std::size_t size =
        std::min(source.bytes.size() - source.taken, static_cast<std::size_t>(count_max - *count));
    std::copy_n(source.bytes.begin() + static_cast<std::ptrdiff_t>(source.taken), size,
                buffer + *count);
    source.taken += size;
    *count += static_cast<std::int64_t>(size);
  }
  return NANOARROW_OK;
}

void release(ArrowIpcInputStream* stream) {
  delete static_cast<Source*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

Status open_stream(ReadBytes read, ArrowArrayStream& out) {
  ArrowIpcInputStream input{
      .read = read_all, .release = release, .private_data = new Source{.read = std::move(read)}};
  Status opened = check(ArrowIpcArrayStreamReaderInit(&out, &input, nullptr));
  if (!opened) input.release(&input);  // else it is the array stream's
  return opened;
}

}  // namespace reel::arrow
