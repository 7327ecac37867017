#pragma once
//! `reelhouse export`: a stretch of a flow as a file.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/export_encode.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/tams_client.h"

namespace reel::cli {

struct ExportOptions {
  std::string server;
  std::string flow;  //!< of any format; a multi flow exports what it collects
  time::TimeRange range = time::TimeRange::eternity();
  std::string output;
  //! Keeps the coded frames and begins at a key frame, even if that is earlier than wanted.
  bool copy = false;
  bool overwrite = false;
  std::size_t parallel = 4;
  bool quiet = false;
};

//! One run of the verb. Used once, from one thread.
class Export {
 public:
  Export(ExportOptions options, const Interrupt& interrupt)
      : options_(std::move(options)), interrupt_(interrupt) {}

  //! Finds the programs, the server and the flow. A failure is one of usage or environment.
  Status prepare();
  //! REQUIRES: prepare() succeeded.
  Status run();

 private:
  struct Track {
    Track(std::string id, bool video) : flow_id(std::move(id)), is_video(video) {}

    std::string flow_id;
    bool is_video;
    std::vector<Segment> segments;
    std::vector<Piece> pieces;
    std::vector<Stretch> stretches;
    bool copied = true;
  };

  Status find_tracks();
  Status download_all();
  Status download_one(const std::string& url, const std::string& path);
  Status load_pieces(Track& track);
  Result<const MediaObject*> load(const Track& track, const Segment& segment);
  //! Makes stretches; adds the segment before the first if its frames need it for decoding.
  Status plan_stretches(Track& track);
  time::Int128 clip_start() const;
  Result<ClipTrack> make_clip_track(Track& track, time::Int128 start);
  Result<ClipTrack> copy_video(Track& track, time::Int128 start);
  ClipTrack copy_audio(const Track& track, time::Int128 start) const;
  Status multiplex(const std::vector<std::string>& files);
  void report_gaps() const;

  const ExportOptions options_;
  const Interrupt& interrupt_;
  std::optional<TempDirectory> temp_;
  std::unique_ptr<TamsClient> client_;
  std::string muxer_;  // ffmpeg's name
  std::unique_ptr<Progress> progress_;
  std::vector<Track> tracks_;
  std::map<std::string, std::string> files_;  // object id → downloaded file
  std::map<std::pair<std::string, bool>, std::unique_ptr<MediaObject>> loaded_;
  std::vector<std::unique_ptr<MediaObject>> encoded_;
};

}  // namespace reel::cli
