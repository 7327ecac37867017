#pragma once
//! Sums over objects. An object is counted as long as a segment uses it, as media or as
//! initialisation segment. Objects that the same timelines use form a group, which has a tally;
//! what a set of flows uses is the sum of the groups that have one of their timelines, each object
//! once. Timelines of deleted flows stay in groups until their segments are removed: nothing
//! changes here when a flow is deleted or comes back.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "store/store.h"
#include "tams/media_reads.h"

namespace reel::analytics {

//! Where one class of sizes ends and the next begins, in bytes.
inline constexpr std::array<std::int64_t, 7> kSizeBounds = {
    std::int64_t{1} << 14, std::int64_t{1} << 17, std::int64_t{1} << 20, std::int64_t{1} << 23,
    std::int64_t{1} << 26, std::int64_t{1} << 29, std::int64_t{1} << 32};

//! What an object contributes, or many do.
struct Tally {
  std::int64_t objects = 0;
  std::int64_t unsized = 0;  //!< objects whose size is not known
  std::int64_t bytes = 0;
  std::int64_t media_bytes = 0;                              //!< without initialisation segments
  std::int64_t reads = 0;                                    //!< of media
  std::array<std::int64_t, kSizeBounds.size() + 1> sizes{};  //!< objects of each class

  Tally& operator+=(const Tally& other);
  Tally& operator-=(const Tally& other);
  friend bool operator==(const Tally&, const Tally&) = default;
};

//! What the tallies contain of one object, or ought to.
struct ObjectUsage {
  std::optional<std::int64_t> size_bytes = std::nullopt;
  bool is_init = false;
  Uuid group = {};
  std::int64_t reads = 0;

  Tally tally() const;
  friend bool operator==(const ObjectUsage&, const ObjectUsage&) = default;
};

//! An object that changes have touched. nullopt: it is not counted.
struct ObjectChange {
  std::string id;
  std::optional<ObjectUsage> before = std::nullopt;  //!< as the tallies have it
  std::optional<ObjectUsage> now = std::nullopt;     //!< as it is in the snapshot
  std::vector<TimelineId> timelines = {};            //!< that use it now
};

//! Compares objects with what the tallies have of them; leaves out those that did not change.
Result<std::vector<ObjectChange>> compare_objects(store::Snapshot& snapshot,
                                                  const std::vector<std::string>& ids);

//! Adds to the batch what brings the tallies up to date.
Status write_changes(store::Snapshot& snapshot, const std::vector<ObjectChange>& changes,
                     store::Batch& batch);

//! Adds reads to what is counted. Returns those of objects that the tallies do not have yet.
using Reads = tams::MediaReads::Counts;
Result<Reads> write_reads(store::Snapshot& snapshot, const Reads& reads, store::Batch& batch);

//! Of the objects that one of the timelines uses; with the changes. `all`: they are those of all
//! flows, and it is cheaper to look at every group.
Result<Tally> tally_of(store::Snapshot& snapshot, const std::set<TimelineId>& timelines, bool all,
                       const std::vector<ObjectChange>& changes);
//! Of all objects, those that only deleted flows use included; without changes.
Result<Tally> tally_of_all(store::Snapshot& snapshot);

struct ObjectReads {
  std::string id;
  std::int64_t reads = 0;
  std::optional<std::int64_t> size_bytes = std::nullopt;
};
//! The objects that were read most, or least, often, those that only deleted flows use included;
//! with the changes.
Result<std::vector<ObjectReads>> extreme_reads(store::Snapshot& snapshot, bool most,
                                               std::size_t count,
                                               const std::vector<ObjectChange>& changes);

}  // namespace reel::analytics
