#pragma once
//! Where the bytes of a file come from: a file, memory, later a range of an object.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace reel::exr {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  //! When it was opened; reading may find less.
  virtual std::uint64_t size() const = 0;

  //! Fills `first`, then `second`, with the bytes from `offset` on, in one go. How many bytes there
  //! were: fewer than asked for only where the source ends. Code::io: it could not be read.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> first,
                                   std::span<char> second) = 0;
};

//! Bytes that stay where they are while they are read.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> first,
                           std::span<char> second) override;

 private:
  const std::string_view bytes_;
};

//! A regular file.
class FileSource final : public ByteSource {
 public:
  struct State {
    std::uint64_t size = 0;
    Instant modified = {};
    friend bool operator==(const State&, const State&) = default;
  };

  //! Code::not_found; Code::invalid: it is no regular file ("a directory"); Code::io: it cannot be
  //! opened. Never waits for somebody to write.
  static Result<std::unique_ptr<FileSource>> open(const std::string& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  //! When it was opened.
  const State& state() const { return state_; }
  //! As it is now.
  Result<State> state_now() const;

  std::uint64_t size() const override { return state_.size; }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> first,
                           std::span<char> second) override;

 private:
  FileSource(int descriptor, State state) : descriptor_(descriptor), state_(state) {}

  const int descriptor_;
  const State state_;
};

}  // namespace reel::exr
