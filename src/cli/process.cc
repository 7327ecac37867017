#include "cli/process.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace reel::cli {
namespace {

//! Above every number that a DescriptorMap uses in the child, so that placing one descriptor
//! never overwrites another that still waits for its place.
constexpr int kDescriptorMin = 64;

FileDescriptor moved_up(int number) {
  FileDescriptor low(number);
  return FileDescriptor(::fcntl(number, F_DUPFD_CLOEXEC, kDescriptorMin));
}

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (true) {
    const auto colon = rest.find(':');
    std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == rest.npos) return {};
    rest.remove_prefix(colon + 1);
  }
}

//! The attributes of a spawn, freed in every case.
struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

//! Reads until end of file, both at once so that neither pipe fills up.
void read_both(const FileDescriptor& first, std::string& first_text, const FileDescriptor& second,
               std::string& second_text) {
  pollfd waits[] = {{first.get(), POLLIN, 0}, {second.get(), POLLIN, 0}};
  std::string* texts[] = {&first_text, &second_text};
  int open = 2;
  while (open > 0) {
    if (::poll(waits, 2, -1) < 0 && errno != EINTR) return;
    for (std::size_t i = 0; i < 2; ++i) {
      if (waits[i].fd < 0 || waits[i].revents == 0) continue;
      char buffer[16384];
      const ssize_t got = ::read(waits[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        texts[i]->append(buffer, static_cast<std::size_t>(got));
      } else if (got == 0 || errno != EINTR) {
        waits[i].fd = -1;
        --open;
      }
    }
  }
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    close();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

void FileDescriptor::close() {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

Result<Pipe> Pipe::make() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return io("cannot make a pipe: {}", std::strerror(errno));
  Pipe pipe;
  pipe.read_end = moved_up(ends[0]);
  pipe.write_end = moved_up(ends[1]);
  if (!pipe.read_end || !pipe.write_end) return io("too many open files");
  return pipe;
}

Result<Child> Child::spawn(const std::vector<std::string>& arguments, const DescriptorMap& map) {
  const std::string program = find_program(arguments.at(0));
  if (program.empty()) return not_found("the program '{}' is not on PATH", arguments[0]);

  SpawnSettings settings;
  posix_spawn_file_actions_addopen(&settings.actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&settings.actions, 1, "/dev/null", O_WRONLY, 0);
  for (const auto& [ours, theirs] : map) {
    posix_spawn_file_actions_adddup2(&settings.actions, ours, theirs);
  }
  std::vector<char*> words;
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);

  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, program.c_str(), &settings.actions, &settings.attributes,
                                  words.data(), environ);
  if (error != 0) return io("cannot start {}: {}", program, std::strerror(error));
  return Child(pid);
}

Child::~Child() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void Child::terminate() {
  if (pid_ >= 0) ::kill(pid_, SIGTERM);
}

int Child::wait() {
  int status = 0;
  while (pid_ >= 0 && ::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) break;
  }
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<std::string> run_and_capture(const std::vector<std::string>& arguments) {
  REEL_ASSIGN(Pipe out, Pipe::make());
  REEL_ASSIGN(Pipe err, Pipe::make());
  REEL_ASSIGN(Child child,
              Child::spawn(arguments, {{out.write_end.get(), 1}, {err.write_end.get(), 2}}));
  out.write_end.close();
  err.write_end.close();
  std::string text;
  std::string complaint;
  read_both(out.read_end, text, err.read_end, complaint);
  const int status = child.wait();
  if (status != 0) {
    return io("{} failed ({}): {}", arguments[0], status, last_lines(complaint));
  }
  return text;
}

Status require_ffmpeg() {
  for (const char* program : {"ffmpeg", "ffprobe"}) {
    if (find_program(program).empty()) {
      return not_found(
          "the program '{}' is not on PATH; install it (Debian: apt-get install ffmpeg)", program);
    }
  }
  return {};
}

std::string last_lines(std::string_view text, std::size_t bytes_max) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() > bytes_max) {
    text.remove_prefix(text.size() - bytes_max);
    text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
  }
  std::string line(text);
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return line.empty() ? "no message" : line;
}

}  // namespace reel::cli
