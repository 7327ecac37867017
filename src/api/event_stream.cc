#include "api/event_stream.h"

#include "events/change_log.h"

namespace reel::api {
namespace {

constexpr std::chrono::milliseconds kHeartbeat{15'000};
//! One read ends soon after so many bytes, or changes looked at.
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
constexpr std::size_t kPieceChanges = 1000;

void append_event(std::string& out, std::int64_t id, std::string_view type, std::string_view data) {
  fmt::format_to(std::back_inserter(out), "id: {}\nevent: {}\ndata: {}\n\n", id, type, data);
}

//! Says that changes between `asked` and `resumed` may be missing.
std::string gap_event(std::int64_t asked, std::int64_t resumed) {
  std::string data;
  json::Writer json(data);
  json.begin_object();
  json.field("type", "unknown_event_id");
  json.field("summary",
             std::string_view(fmt::format("Event {} is not in the log; what may have happened "
                                          "before event {} is not told.",
                                          asked, resumed + 1)));
  json.end_object();
  std::string out;
  append_event(out, resumed, "error", data);
  return out;
}

}  // namespace

Result<std::shared_ptr<EventStream>> EventStream::open(const tams::Context& context,
                                                       events::ChangeFeed& feed,
                                                       EventStreamOptions options) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const std::int64_t oldest, events::oldest_change(*snapshot));
  REEL_ASSIGN(const std::int64_t newest, events::newest_change(*snapshot));
  const std::int64_t asked = options.last_event_id.value_or(newest);
  std::int64_t position = asked;
  if (asked > newest) position = newest;  // of another store, or of a later state of this one
  if (asked < oldest - 1) position = oldest - 1;
  std::shared_ptr<EventStream> stream(new EventStream(context, feed, std::move(options), position));
  // Something at once, so that a client knows that it is connected, and where.
  stream->preamble_ =
      position == asked ? fmt::format(":\nid: {}\n\n", position) : gap_event(asked, position);
  stream->told_ = position;
  return stream;
}

EventStream::~EventStream() { feed_.cancel(ticket_); }

Result<bool> EventStream::read(std::string& out) {
  out += std::exchange(preamble_, {});
  const bool heartbeat = std::exchange(waited_, false);
  REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
  std::size_t changes = 0;
  Status told;
  Status seen = events::read_changes(*snapshot, position_, [&](const events::Change& change) {
    position_ = change.sequence;
    if (options_.filter.matches(change)) {
      const auto message =
          tams::event_message(context_, options_.caller, *snapshot, options_.shaping, change);
      if (!message) {
        told = Failure(message.error().clone());
        return false;
      }
      append_event(out, change.sequence, change.type, *message);
      told_ = change.sequence;
    }
    return ++changes < kPieceChanges && out.size() < kPieceBytes;
  });
  REEL_TRY(std::move(told));
  REEL_TRY(std::move(seen));
  if (out.empty() && heartbeat && told_ == position_) out = ":\n\n";
  if (out.empty() && told_ != position_) {
    out = fmt::format(":\nid: {}\n\n", position_);
    told_ = position_;
  }
  return true;
}

void EventStream::when_ready(std::function<void()> wake) {
  waited_ = true;
  ticket_ = feed_.wait(position_, kHeartbeat, std::move(wake));
}

}  // namespace reel::api
