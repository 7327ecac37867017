#include "cli/uploader.h"

#include <filesystem>

namespace reel::cli {
namespace {

//! An upload URL may have run out while it waited; then another place is taken, this often.
constexpr int kPlacesPerObject = 3;

bool may_have_expired(Code code) {
  return code == Code::forbidden || code == Code::not_found || code == Code::invalid ||
         code == Code::unauthorized;
}

}  // namespace

Status FlowWriter::set_init(const std::string& bytes, const std::string& content_type,
                            const std::optional<Segment>& last_registered) {
  if (last_registered && !last_registered->init_url.empty()) {
    REEL_ASSIGN(const std::string known, client_.download(last_registered->init_url, {}));
    if (known == bytes) {
      init_id_ = last_registered->init_id;
      return {};
    }
  }
  REEL_ASSIGN(const auto places, client_.allocate(options_.flow_id, 1, content_type));
  REEL_TRY(client_.upload(places[0], bytes, {}));
  init_id_ = places[0].object_id;
  return {};
}

Result<Allocation> FlowWriter::take_place() {
  {
    const MutexLock lock(mutex_);
    const auto age = std::chrono::steady_clock::now() - places_from_;
    if (age * 4 > client_.upload_url_lifetime() * 3) places_.clear();
    if (!places_.empty()) {
      Allocation place = std::move(places_.front());
      places_.pop_front();
      return place;
    }
  }
  REEL_ASSIGN(auto places, client_.allocate(options_.flow_id, options_.allocation_batch));
  Allocation place = std::move(places.back());
  places.pop_back();
  const MutexLock lock(mutex_);
  places_from_ = std::chrono::steady_clock::now();
  places_.insert(places_.end(), std::make_move_iterator(places.begin()),
                 std::make_move_iterator(places.end()));
  return place;
}

Result<std::string> FlowWriter::upload(const UploadJob& job) {
  for (int tries = 1;; ++tries) {
    REEL_ASSIGN(const Allocation place, take_place());
    Status sent = client_.upload(place, job.bytes, job.file);
    if (sent) return place.object_id;
    if (tries == kPlacesPerObject || !may_have_expired(sent.error().code())) {
      return Failure(std::move(sent).error());
    }
    const MutexLock lock(mutex_);
    places_.clear();
  }
}

Status FlowWriter::write(UploadJob job, bool more_coming) {
  if (options_.convert) {
    REEL_ASSIGN(job.bytes, options_.convert(std::move(job.bytes)));
  }
  REEL_ASSIGN(const std::string object_id, upload(job));
  std::uint64_t bytes = job.bytes.size();
  if (!job.file.empty()) {
    std::error_code ignored;
    bytes = std::filesystem::file_size(job.file, ignored);
    std::filesystem::remove(job.file, ignored);
  }
  json::Value body = std::move(job.registration);
  body.set("object_id", object_id);
  if (!init_id_.empty()) body.set("init_object_id", init_id_);
  {
    const MutexLock lock(mutex_);
    uploaded_.emplace(job.sequence, Registration{std::move(body), job.duration_nanoseconds, bytes});
  }
  return register_ready(more_coming);
}

std::vector<FlowWriter::Registration> FlowWriter::take_ready(bool more_coming) {
  std::vector<Registration> ready;
  if (registering_) return ready;
  auto end = uploaded_.begin();
  for (std::uint64_t expected = next_; end != uploaded_.end() && end->first == expected; ++end) {
    ++expected;
  }
  const auto count = static_cast<std::size_t>(std::distance(uploaded_.begin(), end));
  if (count == 0 || (more_coming && count < options_.registration_batch)) return ready;
  for (auto one = uploaded_.begin(); one != end; ++one) ready.push_back(std::move(one->second));
  uploaded_.erase(uploaded_.begin(), end);
  next_ += count;
  registering_ = true;
  return ready;
}

Status FlowWriter::register_ready(bool more_coming) {
  while (true) {
    std::vector<Registration> ready;
    {
      const MutexLock lock(mutex_);
      ready = take_ready(more_coming);
    }
    if (ready.empty()) return {};
    json::Array bodies;
    for (Registration& one : ready) bodies.push_back(std::move(one.body));
    const auto failed = client_.register_segments(options_.flow_id, bodies);
    {
      const MutexLock lock(mutex_);
      registering_ = false;
    }
    if (!failed) return Failure(failed.error().clone());
    if (!failed->empty()) {
      return conflict("flow {}: the server refused {} of {} segments; the first: {}",
                      options_.flow_id, failed->size(), bodies.size(), failed->front().reason);
    }
    const MutexLock lock(mutex_);
    for (const Registration& one : ready) {
      bit_rates_.add(one.duration_nanoseconds, one.bytes);
      progress_.add(one.duration_nanoseconds, one.bytes);
    }
  }
}

BitRates FlowWriter::bit_rates() const {
  const MutexLock lock(mutex_);
  return bit_rates_;
}

Uploader::Uploader(std::size_t threads, std::size_t queued_bytes_max)
    : queued_bytes_max_(queued_bytes_max) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

Uploader::~Uploader() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

Status Uploader::submit(FlowWriter& flow, UploadJob job, const std::stop_token& stop) {
  job.sequence = flow.next_sequence();
  const MutexLock lock(mutex_);
  const bool room = changed_.wait(mutex_, stop, [this]() REQUIRES(mutex_) {
    return failure_.has_value() || queued_bytes_ < queued_bytes_max_;
  });
  if (failure_) return Failure(failure_->clone());
  if (!room) return cancelled("stopped");
  queued_bytes_ += job.bytes.size();
  queue_.push_back({&flow, std::move(job)});
  changed_.notify_all();
  return {};
}

Status Uploader::drain(const std::vector<FlowWriter*>& flows, const std::stop_token& stop) {
  bool complete = false;
  {
    const MutexLock lock(mutex_);
    complete = changed_.wait(mutex_, stop, [this]() REQUIRES(mutex_) {
      return (queue_.empty() && running_ == 0) || failure_.has_value();
    });
    queue_.clear();
    queued_bytes_ = 0;
    changed_.wait(mutex_, [this]() REQUIRES(mutex_) { return running_ == 0; });
    if (failure_) return Failure(failure_->clone());
  }
  for (FlowWriter* flow : flows) REEL_TRY(flow->flush());
  return complete ? Status() : cancelled("stopped");
}

bool Uploader::failed() const {
  const MutexLock lock(mutex_);
  return failure_.has_value();
}

std::optional<Uploader::Entry> Uploader::next(const std::stop_token& stop, bool& more) {
  const MutexLock lock(mutex_);
  const bool woken = changed_.wait(
      mutex_, stop, [this]() REQUIRES(mutex_) { return !queue_.empty() && !failure_.has_value(); });
  if (!woken) return std::nullopt;
  Entry entry = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= entry.job.bytes.size();
  ++running_;
  more = !queue_.empty();
  changed_.notify_all();
  return entry;
}

void Uploader::done(Status result) {
  const MutexLock lock(mutex_);
  --running_;
  if (!result && !failure_) failure_ = std::move(result).error();
  changed_.notify_all();
}

void Uploader::run(const std::stop_token& stop) {
  while (true) {
    bool more = false;
    std::optional<Entry> entry = next(stop, more);
    if (!entry) return;
    done(entry->flow->write(std::move(entry->job), more));
  }
}

}  // namespace reel::cli
