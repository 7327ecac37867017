#pragma once
//! The bytes received and not used yet.

#include <cstring>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "http/asio_internal.h"

namespace reel::http {

//! A buffer of fixed capacity that holds memory only while it holds bytes, so that ten thousand
//! idle connections cost no buffers.
class ReadBuffer {
 public:
  explicit ReadBuffer(std::size_t capacity) : capacity_(capacity) {}

  std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  bool full() const { return size() == capacity_; }

  //! Drops the first `count` bytes. Views stay valid until space() or release_if_empty().
  void consume(std::size_t count) {
    REEL_CHECK(count <= size());
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  //! Room for more bytes; empty when full(). Moves the bytes to the front of the memory.
  asio::mutable_buffer space() {
    if (!bytes_) bytes_ = std::make_unique_for_overwrite<char[]>(capacity_);
    if (begin_ > 0) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    }
    return {bytes_.get() + end_, capacity_ - end_};
  }

  //! `count` bytes were written into space().
  void commit(std::size_t count) { end_ += count; }

  void release_if_empty() {
    if (empty()) bytes_.reset();
  }

 private:
  const std::size_t capacity_;
  std::unique_ptr<char[]> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace reel::http
