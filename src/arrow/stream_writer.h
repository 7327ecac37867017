#pragma once
//! Writes Arrow IPC streams (Arrow columnar format 1.x, "IPC Streaming Format").

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

// Arrow's C data interface.
struct ArrowArray;
struct ArrowSchema;

namespace reel::arrow {

inline constexpr std::string_view kStreamType = "application/vnd.apache.arrow.stream";

//! One stream: begin(), record batches, end(). Without the end a reader knows that it is not all.
class StreamWriter {
 public:
  //! Appends the schema, that of a struct whose members are the columns. It stays the caller's and
  //! is not needed afterwards.
  static Result<std::unique_ptr<StreamWriter>> begin(const ArrowSchema& schema, std::string& out);
  ~StreamWriter();
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;

  //! Appends one record batch, which stays the caller's. REQUIRES: it is of the schema; no
  //! dictionaries.
  Status write(const ArrowArray& batch, std::string& out);
  Status end(std::string& out);

 private:
  struct State;
  explicit StreamWriter(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace reel::arrow
