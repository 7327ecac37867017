#include "auth/key_source.h"

#include <fstream>
#include <sstream>

namespace reel::auth {
namespace {

constexpr std::size_t kBytesMax = 1 << 20;
constexpr std::chrono::milliseconds kFetchTimeout{5'000};

bool is_this_machine(std::string_view url) {
  std::string_view rest = url.substr(std::string_view("http://").size());
  rest = rest.substr(0, rest.find('/'));
  for (const std::string_view host : {"127.0.0.1", "localhost", "[::1]"}) {
    if (rest == host || (rest.starts_with(host) && rest[host.size()] == ':')) return true;
  }
  return false;
}

std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

}  // namespace

Result<std::unique_ptr<KeySource>> KeySource::make(Options options) {
  std::unique_ptr<http::Client> client;
  const std::string& location = options.location;
  if (location.empty()) return invalid("say where the issuer's keys are");
  if (location.starts_with("http://") && !is_this_machine(location)) {
    return invalid("the issuer's keys must come by https, not from {}", location);
  }
  if (location.starts_with("http://") || location.starts_with("https://")) {
    REEL_ASSIGN(client, http::Client::make());
  }
  return std::unique_ptr<KeySource>(new KeySource(std::move(options), std::move(client)));
}

bool KeySource::attempt_allowed(TimePoint at) const {
  return !fetching_ &&
         (attempted_ == TimePoint::min() || at - attempted_ >= options_.attempt_pause);
}

KeySource::View KeySource::view() const {
  static const auto kNone = std::make_shared<const KeySet>();
  const TimePoint at = now();
  MutexLock lock(mutex_);
  const bool never = fetched_ == TimePoint::min();
  const bool trusted = !never && at - fetched_ < options_.trust_max;
  return {.keys = trusted ? keys_ : kNone,
          .generation = generation_,
          .old = never || at - fetched_ >= options_.keep,
          .may_fetch = attempt_allowed(at),
          .fetching = fetching_};
}

Result<std::string> KeySource::read() const {
  if (is_url()) {
    http::ClientRequest request{.url = options_.location};
    request.headers.emplace_back("Accept", "application/json");
    request.total_timeout = kFetchTimeout;
    request.connect_timeout = kFetchTimeout;
    request.answer_bytes_max = kBytesMax;
    REEL_ASSIGN(auto response, client_->send(request));
    if (response.status != 200) {
      return io("{} answered {}", options_.location, response.status);
    }
    return std::move(response.body);
  }
  const std::ifstream in(options_.location, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return io("the file {} cannot be read", options_.location);
  return text.str();
}

Status KeySource::fetch() {
  {
    MutexLock lock(mutex_);
    if (!attempt_allowed(now())) return {};
    fetching_ = true;
    attempted_ = now();
  }
  auto text = read();
  Result<KeySet> fresh =
      text ? KeySet::parse(*text, is_url() ? KeySet::Secrets::refused : KeySet::Secrets::allowed)
           : Result<KeySet>(Failure(text.error().clone()));
  MutexLock lock(mutex_);
  fetching_ = false;
  if (!fresh) {
    return Failure(std::move(fresh).error().while_doing("the keys of " + options_.location));
  }
  fetched_ = now();
  if (*text == text_) return {};
  text_ = *std::move(text);
  keys_ = std::make_shared<const KeySet>(*std::move(fresh));
  ++generation_;
  return {};
}

}  // namespace reel::auth
