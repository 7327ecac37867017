#include "cli/ingest_input.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <poll.h>
#include <unistd.h>

#include "cli/identity.h"

namespace reel::cli {
namespace {

constexpr std::size_t kReadBytes = 65'536;

//! One read; 0 at the end, Code::io on failure.
Result<std::size_t> read_some(int descriptor, char* buffer, std::size_t size) {
  while (true) {
    const ssize_t got = ::read(descriptor, buffer, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return io("cannot read standard input: {}", std::strerror(errno));
  }
}

bool readable_within(int descriptor, std::chrono::milliseconds time) {
  pollfd wait{descriptor, POLLIN, 0};
  return ::poll(&wait, 1, static_cast<int>(time.count())) > 0;
}

//! Reads until `bytes` are there, the end, or (once there is something) `time` passed.
//! True at the end of the input.
Result<bool> read_head(int descriptor, std::string& head, std::size_t bytes,
                       std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (head.size() < bytes) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (!head.empty() && !readable_within(descriptor, std::max(left, left.zero()))) return false;
    char buffer[kReadBytes];
    REEL_ASSIGN(const std::size_t got, read_some(descriptor, buffer, sizeof buffer));
    if (got == 0) return true;
    head.append(buffer, got);
  }
  return false;
}

Status store_stdin(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return io("cannot write {}: {}", path, std::strerror(errno));
  Status status;
  while (status) {
    char buffer[kReadBytes];
    const auto got = read_some(STDIN_FILENO, buffer, sizeof buffer);
    if (!got) status = Failure(got.error().clone());
    if (!got || *got == 0) break;
    if (std::fwrite(buffer, 1, *got, file) != *got) {
      status = io("cannot write {}: {}", path, std::strerror(errno));
    }
  }
  if (std::fclose(file) != 0 && status) {
    status = io("cannot write {}: {}", path, std::strerror(errno));
  }
  return status;
}

Result<OpenInput> open_stdin(const std::string& format, bool live, const TempDirectory& temp) {
  if (::isatty(STDIN_FILENO) == 1) return invalid("standard input is a terminal, not media");
  OpenInput input;
  input.location.format = format;
  if (live) {
    REEL_ASSIGN(input.pump, StdinPump::start(STDIN_FILENO, temp, format));
    input.location.location = "pipe:0";
    input.info = input.pump->info();
    return input;
  }
  input.location.location = temp.file("stdin");
  REEL_TRY(store_stdin(input.location.location));
  REEL_ASSIGN(input.fingerprint, file_fingerprint(input.location.location));
  REEL_ASSIGN(input.info, probe_input(input.location));
  return input;
}

}  // namespace

Result<std::unique_ptr<StdinPump>> StdinPump::start(int source, const TempDirectory& temp,
                                                    const std::string& format) {
  // A program that starts slowly gets several chances.
  constexpr std::size_t kSizes[] = {std::size_t{256} << 10, std::size_t{1} << 20,
                                    std::size_t{4} << 20, std::size_t{16} << 20};
  const InputLocation probe{temp.file("stdin-head"), format};
  std::string head;
  bool end = false;
  for (const std::size_t size : kSizes) {
    if (!end) {
      REEL_ASSIGN(end, read_head(source, head, size, std::chrono::milliseconds(2'000)));
    }
    REEL_TRY(write_file(probe.location, head));
    auto info = probe_input(probe);
    if (info) {
      info->duration_nanoseconds.reset();
      return std::unique_ptr<StdinPump>(new StdinPump(source, std::move(head), *std::move(info)));
    }
    if (end || size == std::end(kSizes)[-1]) return Failure(std::move(info).error());
  }
  return internal("standard input was not looked at");
}

StdinPump::~StdinPump() = default;

Result<FileDescriptor> StdinPump::connect() {
  REEL_ASSIGN(Pipe pipe, Pipe::make());
  out_ = std::move(pipe.write_end);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return std::move(pipe.read_end);
}

void StdinPump::run(const std::stop_token& stop) {
  const auto write_all = [this](std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(out_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) return false;
      if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  };
  bool open = write_all(head_);
  char buffer[kReadBytes];
  while (open && !stop.stop_requested()) {
    if (!readable_within(source_, std::chrono::milliseconds(200))) continue;
    const auto got = read_some(source_, buffer, sizeof buffer);
    open = got && *got > 0 && write_all({buffer, *got});
  }
  out_.close();  // ffmpeg sees the end and finishes
}

Result<OpenInput> open_input(const std::string& name, const std::string& format, bool live,
                             const TempDirectory& temp) {
  if (name == "-") return open_stdin(format, live, temp);
  OpenInput input;
  input.location = {name, format};
  const bool is_file = format != "lavfi" && name.find("://") == std::string::npos;
  if (is_file && !std::filesystem::exists(name)) return not_found("there is no file {}", name);
  REEL_ASSIGN(input.info, probe_input(input.location));
  if (is_file && std::filesystem::is_regular_file(name)) {
    REEL_ASSIGN(input.fingerprint, file_fingerprint(name));
    // A path may contain what ffmpeg takes for a protocol.
    input.location.location = "file:" + name;
  } else {
    input.fingerprint = name;
  }
  return input;
}

}  // namespace reel::cli
