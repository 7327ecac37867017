#pragma once
//! Opening what is ingested: files, URLs, filter graphs, standard input.

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.h"
#include "cli/probe.h"
#include "cli/process.h"
#include "cli/temp_directory.h"

namespace reel::cli {

//! Standard input for ffmpeg: what was read to find out the format, then the rest.
class StdinPump {
 public:
  //! Reads the beginning of `source`, until ffprobe can tell what it is.
  static Result<std::unique_ptr<StdinPump>> start(int source, const TempDirectory& temp,
                                                  const std::string& format);
  ~StdinPump();

  const InputInfo& info() const { return info_; }
  //! Begins to write everything to the returned descriptor, which is for the child.
  Result<FileDescriptor> connect();

 private:
  StdinPump(int source, std::string head, InputInfo info)
      : source_(source), head_(std::move(head)), info_(std::move(info)) {}
  void run(const std::stop_token& stop);

  const int source_;
  const std::string head_;
  const InputInfo info_;
  FileDescriptor out_;
  std::jthread thread_;
};

//! An input that ffmpeg can be pointed at.
struct OpenInput {
  InputLocation location;  //!< "pipe:0" when it comes from the pump
  InputInfo info;
  std::string fingerprint;  //!< the same for the same content; empty: it is not known
  std::unique_ptr<StdinPump> pump;
};

//! `name` is a path, a URL or "-". Standard input that is not live is first stored in `temp`, for
//! formats that cannot be read in one pass.
Result<OpenInput> open_input(const std::string& name, const std::string& format, bool live,
                             const TempDirectory& temp);

}  // namespace reel::cli
