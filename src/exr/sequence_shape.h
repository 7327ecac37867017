#pragma once
//! What of a header is alike in all frames of a sequence, piece by piece.

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "exr/header.h"
#include "exr/time_code.h"
#include "exr/values.h"

namespace reel::exr {

//! One piece: "compression" is "zip", "layer Depth" is "Z float", "attribute owner" is "string".
struct ShapeFact {
  std::string subject;  //!< unique in its shape
  std::string value;
  std::string within;  //!< the subject of the part that it belongs to; empty: the file's
  friend bool operator==(const ShapeFact&, const ShapeFact&) = default;
};

//! The shapes of many frames, each kept once: parts, compression, display windows, tiles, layers
//! with the types of their channels, names and types of attributes, and the values of those that
//! say what pixels mean. What may change from frame to frame (data windows, other values) is not
//! part of a shape.
class FrameShapes {
 public:
  using Id = std::uint32_t;

  Id add(const Header& header);
  //! By subject. REQUIRES: add() returned `id`.
  const std::vector<ShapeFact>& facts(Id id) const { return shapes_[id]; }
  std::size_t size() const { return shapes_.size(); }

 private:
  std::vector<std::vector<ShapeFact>> shapes_;
  std::unordered_map<std::string, Id> by_text_;
};

//! One file of a sequence, as far as its report needs it. A file of which only `problem` is known
//! is one that cannot be read.
struct FrameRecord {
  std::optional<FrameShapes::Id> shape = {};
  std::vector<Box2i> data_windows = {};            //!< by part; one of a pixel where there is none
  std::optional<TimeCode> time_code = {};          //!< of the first part that has one
  std::optional<FrameRate> rate = {};              //!< framesPerSecond, else captureRate
  std::optional<std::int32_t> image_counter = {};  //!< the attribute imageCounter
  std::uint64_t size_bytes = 0;                    //!< of the file; 0: not known
  std::string problem = {};                        //!< why it is broken or not whole, if it is
};

//! What the header says; size and problem are the caller's.
FrameRecord frame_record(const Header& header, FrameShapes& shapes);

//! "1920x1080+0+0": width, height, and where its corner is.
std::string window_text(const Box2i& window);

}  // namespace reel::exr
