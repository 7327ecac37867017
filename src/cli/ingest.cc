#include "cli/ingest.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/identity.h"
#include "cli/json_fields.h"
#include "cli/mpegts.h"

namespace reel::cli {
namespace {

constexpr int kFirstDescriptor = 3;
constexpr std::size_t kQueuedBytesMax = std::size_t{64} << 20;
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

time::Int128 tai_now() {
  return time::Int128{system_clock().now().micros} * 1'000 +
         time::Int128{time::kTaiMinusUtcSeconds} * kNanosecondsPerSecond;
}

std::string base_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

//! An absent flow is not complete.
bool is_closed(const std::optional<json::Value>& flow) {
  return flow && string_field(*flow, "status") == "closed_complete";
}

}  // namespace

Status Ingest::run() {
  REEL_ASSIGN(const bool complete, is_complete());
  if (complete) {
    report(true);
    return {};
  }
  Progress::Options progress{.verb = "ingest", .quiet = options_.quiet};
  if (!options_.plan.live && input_->info.duration_nanoseconds) {
    progress.total_nanoseconds =
        *input_->info.duration_nanoseconds * static_cast<std::int64_t>(tracks_.size());
  }
  progress_ = std::make_unique<Progress>(progress);
  progress_->note(codecs_text());
  uploader_ = std::make_unique<Uploader>(options_.parallel, kQueuedBytesMax);
  Status status = start_ffmpeg();
  if (status) status = transfer();
  if (status) status = finish();
  if (status) status = close_flows();
  uploader_.reset();  // its threads report progress
  progress_.reset();
  if (status) report(false);
  return status;
}

Status Ingest::prepare() {
  REEL_TRY(require_ffmpeg());
  REEL_ASSIGN(TempDirectory temp, TempDirectory::make());
  temp_.emplace(std::move(temp));
  TamsClientOptions client{.url = options_.server, .stop = interrupt_.abandon()};
  // A live recording outlasts any outage of the server; a file can be started again.
  if (options_.plan.live) client.patience.reset();
  client.on_retry = [this](const Error& error, std::chrono::milliseconds wait) {
    if (progress_ && wait.count() > 1'000) {
      progress_->note(fmt::format("{}; trying again", error.message()));
    }
  };
  REEL_ASSIGN(client_, TamsClient::connect(std::move(client)));
  REEL_ASSIGN(OpenInput input,
              open_input(options_.input, options_.input_format, options_.plan.live, *temp_));
  input_.emplace(std::move(input));
  for (TrackPlan& plan : plan_tracks(input_->info, options_.plan)) {
    tracks_.push_back(
        std::make_unique<Track>(Track{.media = IngestTrack(std::move(plan), options_.plan),
                                      .identity = {},
                                      .writer = {},
                                      .convert = {},
                                      .known = {},
                                      .pipe = {}}));
  }
  name_everything();
  return {};
}

void Ingest::name_everything() {
  label_ = options_.label.empty() ? base_name(options_.input) : options_.label;
  const std::string start = options_.start.value_or(time::Timestamp()).to_string();
  const std::string& content = input_->fingerprint;
  const Ratio& segment = options_.plan.segment;
  const std::string container = options_.plan.container == Container::fmp4 ? "fmp4" : "ts";
  // The same content at the same place is the same source, however it is cut.
  const Uuid source_root =
      content.empty()
          ? Uuid::random()
          : Uuid::from_name(ingest_name_space(), fmt::format("source|{}|{}", content, start));
  const Uuid flow_root = options_.flow_id.value_or(
      Uuid::from_name(source_root, fmt::format("flow|{}|{}", segment.to_string(), container)));
  if (tracks_.size() > 1) {
    multi_ = {flow_root.to_string(), Uuid::from_name(source_root, "multi").to_string(), label_};
  }
  for (auto& track : tracks_) {
    const std::string& role = track->media.plan().role;
    const Uuid flow = tracks_.size() > 1 ? Uuid::from_name(flow_root, role) : flow_root;
    track->identity = {flow.to_string(), Uuid::from_name(source_root, role).to_string(),
                       tracks_.size() > 1 ? fmt::format("{} {}", label_, role) : label_};
  }
}

Result<bool> Ingest::is_complete() {
  if (options_.plan.live) return false;
  for (auto& track : tracks_) {
    REEL_ASSIGN(const auto flow, client_->find_flow(track->identity.id));
    if (!is_closed(flow)) return false;
  }
  if (multi_.id.empty()) return true;
  REEL_ASSIGN(const auto flow, client_->find_flow(multi_.id));
  return is_closed(flow);
}

std::string Ingest::codecs_text() const {
  std::string text = label_ + ": ";
  for (const auto& track : tracks_) {
    const TrackPlan& plan = track->media.plan();
    if (&track != &tracks_.front()) text += ", ";
    text += plan.copy ? fmt::format("{} copied", plan.codec)
                      : fmt::format("{} encoded as {}", plan.stream.codec, plan.codec);
  }
  const std::size_t left = input_->info.streams.size() - tracks_.size() +
                           static_cast<std::size_t>(input_->info.other_streams);
  if (left > 0) text += fmt::format("; {} other streams left out", left);
  return text;
}

Status Ingest::start_ffmpeg() {
  DescriptorMap map;
  std::vector<FileDescriptor> theirs;  // closed here once the child has them
  if (input_->pump) {
    REEL_ASSIGN(FileDescriptor from_pump, input_->pump->connect());
    map.emplace_back(from_pump.get(), 0);
    theirs.push_back(std::move(from_pump));
  }
  std::vector<TrackPlan> plans;
  int number = kFirstDescriptor;
  for (auto& track : tracks_) {
    REEL_ASSIGN(Pipe pipe, Pipe::make());
    map.emplace_back(pipe.write_end.get(), number++);
    theirs.push_back(std::move(pipe.write_end));
    track->pipe = std::move(pipe.read_end);
    plans.push_back(track->media.plan());
  }
  REEL_ASSIGN(Pipe errors, Pipe::make());
  map.emplace_back(errors.write_end.get(), 2);
  errors_ = std::move(errors.read_end);
  REEL_ASSIGN(
      Child child,
      Child::spawn(ffmpeg_command(input_->location, plans, options_.plan, kFirstDescriptor), map));
  ffmpeg_.emplace(std::move(child));
  if (!options_.plan.live) {
    timeline_ =
        Timeline{presentation_origin(plans), options_.start.value_or(time::Timestamp()), true};
  }
  return {};
}

Status Ingest::transfer() {
  bool asked_to_end = false;
  while (true) {
    if (interrupt_.stop().stop_requested() && !asked_to_end) {
      ffmpeg_->terminate();
      asked_to_end = true;
      if (!options_.plan.live) return {};
    }
    if (uploader_->failed()) return {};  // finish() says why
    REEL_ASSIGN(const bool open, read_ready_pipes());
    if (!open) return {};
  }
}

//! Waits a moment for any pipe and reads it. False when all are closed.
Result<bool> Ingest::read_ready_pipes() {
  std::vector<pollfd> waits;
  for (auto& track : tracks_) waits.push_back({track->pipe.get(), POLLIN, 0});
  waits.push_back({errors_.get(), POLLIN, 0});
  const bool open =
      std::any_of(waits.begin(), waits.end(), [](const pollfd& wait) { return wait.fd >= 0; });
  if (!open) return false;
  if (::poll(waits.data(), waits.size(), 200) < 0) return true;  // EINTR

  static thread_local std::string buffer(std::size_t{256} << 10, '\0');
  for (std::size_t i = 0; i < waits.size(); ++i) {
    if (waits[i].fd < 0 || waits[i].revents == 0) continue;
    const bool is_track = i < tracks_.size();
    FileDescriptor& pipe = is_track ? tracks_[i]->pipe : errors_;
    const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      pipe.close();
      continue;
    }
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    if (!is_track) {
      complaint_.append(bytes);
      if (complaint_.size() > 8192) complaint_.erase(0, complaint_.size() - 4096);
      continue;
    }
    REEL_TRY(tracks_[i]->media.append(bytes));
    REEL_TRY(advance(*tracks_[i]));
  }
  return true;
}

//! Opens the flow when the track's first fragment is there, and passes complete segments on.
Status Ingest::advance(Track& track) {
  if (!track.media.started()) return {};
  if (!track.writer) {
    if (!timeline_) REEL_TRY(set_timeline(track));
    REEL_TRY(open_flow(track));
    REEL_TRY(track.media.set_timeline(*timeline_));
    REEL_TRY(collect_flows());
  }
  for (MediaSegment& segment : track.media.take_segments()) {
    REEL_TRY(submit(track, std::move(segment)));
  }
  return {};
}

//! Live: the first fragment has just ended, now.
Status Ingest::set_timeline(const Track& first) {
  const std::int64_t begin = first.media.first_nanoseconds();
  const std::int64_t length = first.media.first_end_nanoseconds() - begin;
  const time::Timestamp now = time::Timestamp::from_nanoseconds(tai_now() - length);
  timeline_ = Timeline{begin, options_.start.value_or(now), false};
  return {};
}

Status Ingest::open_flow(Track& track) {
  REEL_ASSIGN(auto flow, client_->find_flow(track.identity.id));
  std::optional<Segment> last;
  if (flow) {
    REEL_TRY(load_known_segments(track, last));
    set_state(*flow, {});
    REEL_TRY(client_->put_flow(*flow));
  } else {
    REEL_TRY(client_->put_flow(
        essence_flow(track.identity, track.media.plan(), track.media.info(), options_.plan)));
  }
  FlowWriter::Options writer{.flow_id = track.identity.id};
  const bool is_video = track.media.plan().stream.is_video;
  if (options_.plan.container == Container::mpegts) {
    track.convert = [init = track.media.init(), this](const std::string& fragment) {
      return mpegts_object(init, fragment, *temp_);
    };
  }
  if (options_.plan.live) {
    writer.registration_batch = 1;
  } else {
    writer.convert = track.convert;
  }
  auto made = std::make_unique<FlowWriter>(*client_, std::move(writer), *progress_);
  if (options_.plan.container == Container::fmp4) {
    REEL_TRY(made->set_init(track.media.init(), init_mime_type(Container::fmp4, is_video), last));
  }
  track.writer = std::move(made);
  return {};
}

Status Ingest::load_known_segments(Track& track, std::optional<Segment>& last) {
  // A live flow is only ever continued at its end.
  const std::string& id = track.identity.id;
  if (!options_.plan.live) {
    REEL_ASSIGN(const auto segments,
                client_->list_segments(id, time::TimeRange::eternity(), false));
    for (const Segment& segment : segments) {
      if (const auto first = segment.timerange.first()) {
        track.known.emplace(*first, segment.timerange);
      }
    }
  }
  REEL_TRY(client_->get_pages(fmt::format("/flows/{}/segments?reverse_order=true&limit=1", id),
                              [&](json::Array& page) {
                                if (page.empty()) return false;
                                auto segment = parse_segment(page[0]);
                                if (segment) last = *std::move(segment);
                                return false;
                              }));
  return {};
}

//! Once every track has its flow, the multi flow collects them.
Status Ingest::collect_flows() {
  const bool all = std::all_of(tracks_.begin(), tracks_.end(),
                               [](const auto& track) { return track->writer || !track->pipe; });
  if (multi_.id.empty() || collected_ || !all) return {};
  std::vector<std::string> ids;
  std::vector<std::string> roles;
  for (const auto& track : tracks_) {
    if (!track->writer && !track->media.started()) continue;
    ids.push_back(track->identity.id);
    roles.push_back(track->media.plan().role);
  }
  REEL_ASSIGN(auto flow, client_->find_flow(multi_.id));
  if (!flow) flow = multi_flow(multi_, ids, roles);
  set_state(*flow, {});
  REEL_TRY(client_->put_flow(*flow));
  collected_ = true;
  return {};
}

Status Ingest::submit(Track& track, MediaSegment segment) {
  const time::Timestamp start = *segment.range.first();
  track.extent = track.extent.is_never() ? segment.range : track.extent.extent_with(segment.range);
  const auto after = track.known.upper_bound(start);
  if (after != track.known.begin() && std::prev(after)->second == segment.range) {
    ++track.old_segments;
    progress_->skip(segment.duration_nanoseconds);
    return {};
  }
  const bool overlaps =
      (after != track.known.begin() && std::prev(after)->second.overlaps(segment.range)) ||
      (after != track.known.end() && after->second.overlaps(segment.range));
  if (overlaps) {
    return conflict("flow {} holds other media within {}; choose another --flow-id or --start",
                    track.identity.id, segment.range.to_string());
  }
  ++track.new_segments;
  UploadJob job;
  job.registration = std::move(segment.registration);
  job.duration_nanoseconds = segment.duration_nanoseconds;
  if (options_.plan.live) {
    // Live media cannot wait for the server, so it waits on disk.
    if (track.convert) {
      REEL_ASSIGN(segment.bytes, track.convert(std::move(segment.bytes)));
    }
    job.file = temp_->file(fmt::format("{}.segment", spooled_++));
    REEL_TRY(write_file(job.file, segment.bytes));
    segment.bytes.clear();
  }
  job.bytes = std::move(segment.bytes);
  return uploader_->submit(*track.writer, std::move(job),
                           options_.plan.live ? interrupt_.abandon() : interrupt_.stop());
}

std::vector<FlowWriter*> Ingest::writers() {
  std::vector<FlowWriter*> all;
  for (auto& track : tracks_) {
    if (track->writer) all.push_back(track->writer.get());
  }
  return all;
}

Status Ingest::finish() {
  const bool live = options_.plan.live;
  const bool whole = live || !interrupt_.stop().stop_requested();
  int status = 0;
  if (whole && !uploader_->failed()) {
    status = ffmpeg_->wait();
    // A file's last segment is only whole if the file was read to its end.
    if (status == 0 || live) {
      for (auto& track : tracks_) {
        REEL_TRY(track->media.finish());
        REEL_TRY(advance(*track));
      }
      REEL_TRY(collect_flows());
    }
  }
  const Status drained =
      uploader_->drain(writers(), live ? interrupt_.abandon() : interrupt_.stop());
  if ((!drained && drained.error().code() == Code::cancelled) || !whole) {
    return cancelled("interrupted after {}; the same command goes on from there",
                     progress_text(progress_->state()));
  }
  if (!drained) return Failure(drained.error().clone());
  if (status != 0 && !(live && interrupt_.stop().stop_requested())) {
    return io("ffmpeg failed ({}): {}", status, last_lines(complaint_));
  }
  if (writers().empty()) {
    return invalid("{} holds no frames: {}", options_.input, last_lines(complaint_));
  }
  if (!complaint_.empty()) progress_->note("ffmpeg: " + last_lines(complaint_));
  return {};
}

Status Ingest::close_flows() {
  for (auto& track : tracks_) {
    if (!track->writer) continue;
    REEL_ASSIGN(auto flow, client_->find_flow(track->identity.id));
    if (!flow) return not_found("flow {} was deleted meanwhile", track->identity.id);
    FlowState state = track->media.state();
    state.complete = true;
    if (track->convert) {
      // The stored container has its own overhead.
      const BitRates stored = track->writer->bit_rates();
      state.average_bit_rate = stored.average();
      state.maximum_bit_rate = stored.maximum(options_.plan.segment);
    }
    set_state(*flow, state);
    REEL_TRY(client_->put_flow(*flow));
  }
  if (!collected_) return {};
  REEL_ASSIGN(auto flow, client_->find_flow(multi_.id));
  if (!flow) return not_found("flow {} was deleted meanwhile", multi_.id);
  FlowState complete;
  complete.complete = true;
  set_state(*flow, complete);
  return client_->put_flow(*flow);
}

void Ingest::report(bool complete) const {
  json::Value summary(json::Object{});
  summary.set("complete_before", complete);
  if (!multi_.id.empty()) {
    summary.set("flow_id", multi_.id);
    summary.set("source_id", multi_.source_id);
  }
  json::Array flows;
  for (const auto& track : tracks_) {
    json::Value flow(json::Object{});
    flow.set("role", track->media.plan().role);
    flow.set("flow_id", track->identity.id);
    flow.set("source_id", track->identity.source_id);
    flow.set("timerange", track->extent.to_string());
    flow.set("new_segments", track->new_segments);
    flow.set("old_segments", track->old_segments);
    flows.push_back(std::move(flow));
  }
  if (options_.json) {
    summary.set("flows", std::move(flows));
    fmt::print("{}\n", json::to_text(summary));
    return;
  }
  if (complete) fmt::print("ingested before; nothing to do\n");
  for (const auto& track : tracks_) {
    fmt::print("{:<8}flow {}", track->media.plan().role, track->identity.id);
    if (!complete) {
      fmt::print("  {}  {} new segments", track->extent.to_string(), track->new_segments);
      if (track->old_segments > 0) fmt::print(", {} there before", track->old_segments);
    }
    fmt::print("\n");
  }
  if (multi_.id.empty()) return;
  fmt::print("multi   flow {}  source {}\n", multi_.id, multi_.source_id);
}

}  // namespace reel::cli
