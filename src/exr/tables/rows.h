#pragma once
//! What was found in a file, as rows of the tables.

#include <optional>
#include <string>
#include <vector>

#include "exr/inspect.h"
#include "exr/sequence_report.h"
#include "exr/tables/tables.h"

namespace reel::exr {

//! Which frame of which sequence a file is.
struct SequencePlace {
  std::string sequence_id;
  std::int64_t frame = 0;
};

//! A value that is kept among the blobs.
struct Blob {
  std::string sha256;  //!< in hexadecimal digits
  std::string bytes;
};

//! The rows of one file.
struct FileRows {
  std::string path;  //!< normalized
  std::string file_id;
  //! Of the row in `files`, without its key and what earlier inspections have a say in: when and
  //! how often, and in which sequence.
  store::Cells file;
  std::vector<store::Mutation> children;  //!< inserts, into the other tables
  std::vector<Blob> blobs;
  std::optional<SequencePlace> place;

  //! About how much memory they take.
  std::size_t bytes() const;
};

//! Takes the bytes of large values out of the inspection. Code::invalid when the path cannot be
//! kept, see normalize_path().
Result<FileRows> make_rows(const RecordTables& tables, Inspection&& inspection);

//! The row in `sequences`; its directory is normalized as paths are. `now`: of the inspection.
Result<store::Mutation> sequence_row(const RecordTables& tables, const NameSequence& sequence,
                                     const SequenceReport& report, Instant now);

//! See sequence_id() in paths.h.
Result<std::string> id_of(const NameSequence& sequence);

}  // namespace reel::exr
