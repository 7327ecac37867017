#pragma once
//! `reelhouse ingest`: from any file or live input to sources, flows and segments.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "cli/ingest_input.h"
#include "cli/ingest_track.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/tams_client.h"
#include "cli/uploader.h"

namespace reel::cli {

struct IngestOptions {
  std::string input;         //!< path, URL, "-" or, with input_format "lavfi", a filter graph
  std::string input_format;  //!< ffmpeg's -f
  std::string server;
  std::string label;  //!< empty: the input's name
  PlanOptions plan;   //!< container, segment length, live
  std::optional<time::Timestamp> start;
  std::optional<Uuid> flow_id;
  std::size_t parallel = 4;
  bool quiet = false;
  bool json = false;
};

//! One run of the verb. Used once, from one thread.
class Ingest {
 public:
  Ingest(IngestOptions options, const Interrupt& interrupt)
      : options_(std::move(options)), interrupt_(interrupt) {}

  //! Finds the programs, the server and the input. A failure is one of usage or environment.
  Status prepare();
  //! Code::cancelled when a signal ended it early. REQUIRES: prepare() succeeded.
  Status run();

 private:
  struct Track {
    IngestTrack media;
    FlowIdentity identity;
    std::unique_ptr<FlowWriter> writer;  // there once the flow is on the server
    std::function<Result<std::string>(std::string)> convert;  // see FlowWriter::Options
    //! What the flow held before: start of each segment → its range.
    std::map<time::Timestamp, time::TimeRange> known;
    time::TimeRange extent = time::TimeRange::never();
    std::uint64_t new_segments = 0;
    std::uint64_t old_segments = 0;
    FileDescriptor pipe;
  };

  void name_everything();
  //! True when an earlier run did all of it.
  Result<bool> is_complete();
  Status start_ffmpeg();
  Status transfer();
  Result<bool> read_ready_pipes();
  Status advance(Track& track);
  Status set_timeline(const Track& first);
  Status open_flow(Track& track);
  Status load_known_segments(Track& track, std::optional<Segment>& last);
  Status collect_flows();
  Status submit(Track& track, MediaSegment segment);
  Status finish();
  Status close_flows();
  std::vector<FlowWriter*> writers();
  std::string codecs_text() const;
  void report(bool complete) const;

  const IngestOptions options_;
  const Interrupt& interrupt_;
  std::optional<TempDirectory> temp_;
  std::unique_ptr<TamsClient> client_;
  std::optional<OpenInput> input_;
  std::string label_;
  FlowIdentity multi_;  // no id when there is one track only
  std::vector<std::unique_ptr<Track>> tracks_;
  std::optional<Timeline> timeline_;
  bool collected_ = false;
  std::uint64_t spooled_ = 0;
  FileDescriptor errors_;  // what ffmpeg complains about
  std::string complaint_;
  std::optional<Child> ffmpeg_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Uploader> uploader_;
};

}  // namespace reel::cli
