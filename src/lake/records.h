#pragma once
//! What the lake's catalog keeps, as values. The rows are in tables.h.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "lake/data_file.h"
#include "lake/view_schema.h"
#include "store/store.h"

namespace reel::lake {

using PartitionId = Id<struct PartitionTag>;
using RetirementId = Id<struct RetirementTag>;
using LeaseId = Id<struct LeaseTag>;

//! Of a view set that shows a table: the table's id. Permanent.
using ViewSetId = std::int64_t;
//! Counts the schemas of one view set; a later one is greater.
using SchemaId = std::int64_t;

//! The instance of a view set that is not divided by a key.
inline constexpr std::string_view kGlobal = "global";

//! Hours since 1970, rounding down: what the ledger counts by.
std::int64_t hour_of(Instant instant);
Instant start_of_hour(std::int64_t hour);

//! Creation hours [begin, end).
struct HourRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  //! Code::invalid unless both are on the hour and begin < end.
  static Result<HourRange> between(Instant begin, Instant end);
  bool contains(std::int64_t hour) const { return begin <= hour && hour < end; }
  bool contains(const HourRange& other) const { return begin <= other.begin && other.end <= end; }
  bool overlaps(const HourRange& other) const { return begin < other.end && other.begin < end; }
  //! "[2026-11-21T17:00:00.000000Z, …)"
  std::string to_string() const;
  friend bool operator==(const HourRange&, const HourRange&) = default;
};

enum class PartitionState : std::uint8_t {
  staged,   //!< written, not yet to be read
  active,   //!< answers for its hours, alone
  retired,  //!< kept for a while, so that it can be brought back
};
std::string_view state_name(PartitionState state);

struct Partition {
  PartitionId id;
  ViewSetId view_set = 0;
  std::string instance = std::string(kGlobal);
  HourRange hours;
  SchemaId schema = 0;
  PartitionState state = PartitionState::staged;
  //! What the ledger said of the source when the rows were read, ascending: hours that are not
  //! named had no rows.
  std::vector<store::LedgerEntry> source = {};
  //! No file: processed, and nothing was there.
  std::optional<DataFile> file = {};
  Instant created = {};
  std::optional<RetirementId> retirement = {};

  std::int64_t rows() const { return file ? file->rows : 0; }
  std::int64_t size_bytes() const { return file ? file->size_bytes : 0; }
};

struct ViewSet {
  ViewSetId id = 0;
  std::string name;
  SchemaId schema = 0;  //!< the current one
  Instant created = {};
};

//! One schema that a view set has or had.
struct RegisteredSchema {
  SchemaId id = 0;
  ViewSchema view;
  Sha256Digest hash = {};
  Instant created = {};
  std::string build;  //!< the program that registered it
};

enum class RetirementState : std::uint8_t {
  undoable,  //!< its partitions are there
  restored,
  expired,  //!< its partitions and their files are gone
};
std::string_view state_name(RetirementState state);

//! Partitions that were retired in one transaction: the audit, and the handle to undo it.
struct Retirement {
  RetirementId id;
  Instant at = {};
  std::string by;
  std::string reason;
  RetirementState state = RetirementState::undoable;
  std::int64_t partitions = 0;
  std::int64_t size_bytes = 0;
  Instant delete_after = {};
  std::optional<Instant> ended = {};  //!< restored or expired
  std::string ended_by = {};
};

//! A reader that may still open files of the partitions which it saw as active.
struct Lease {
  LeaseId id;
  std::string holder;
  Instant taken = {};
  Instant expires = {};
};

}  // namespace reel::lake
