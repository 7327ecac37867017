#pragma once
//! Child processes: argument vectors, no shell.

#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace reel::cli {

//! An open file descriptor; closes it.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  void close();

 private:
  int number_ = -1;
};

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
  //! Neither end is inherited by children unless it is named in a DescriptorMap.
  static Result<Pipe> make();
};

//! Which descriptor of ours becomes which of the child's. Without an entry the child's 0 and 1
//! are /dev/null; 2 is ours.
using DescriptorMap = std::vector<std::pair<int, int>>;

//! A running program in a process group of its own, so that Ctrl-C reaches it only through us.
class Child {
 public:
  //! arguments[0] is looked for on PATH. Code::not_found when it is not there.
  static Result<Child> spawn(const std::vector<std::string>& arguments, const DescriptorMap& map);
  //! Kills what still runs.
  ~Child();
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&&) = delete;

  //! Asks it to end (SIGTERM; ffmpeg then finishes its output).
  void terminate();
  //! Waits. The exit status, or 128 + the signal that ended it.
  int wait();

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

//! What a program wrote to its standard output. When it fails: Code::io with the last lines of its
//! standard error.
Result<std::string> run_and_capture(const std::vector<std::string>& arguments);

//! Code::not_found with advice when ffmpeg or ffprobe is not on PATH.
Status require_ffmpeg();

//! The last lines of what a failed program said, on one line.
std::string last_lines(std::string_view text, std::size_t bytes_max = 400);

}  // namespace reel::cli
