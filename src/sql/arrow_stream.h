#pragma once
//! Results of statements as Arrow IPC streams.

#include <memory>
#include <string>

#include "sql/session.h"

namespace reel::sql {

//! Takes the result of a cursor in record batches. Types are as a column's of the store are in
//! Arrow (src/arrow); HUGEINT is decimal128(38,0), and types that Arrow lacks are text, as in JSON.
class ArrowStream {
 public:
  //! REQUIRES: no row of the cursor was taken, and the cursor outlives the stream.
  static std::unique_ptr<ArrowStream> of(Cursor& cursor);
  ~ArrowStream();
  ArrowStream(const ArrowStream&) = delete;
  ArrowStream& operator=(const ArrowStream&) = delete;

  //! Appends what is ready: the schema with the first batch, at least one row, or the end; false
  //! after that. More than `rows_max` rows in all are Code::too_large; errors as Cursor::next().
  Result<bool> next(std::string& out, std::size_t rows_max);

 private:
  struct State;
  explicit ArrowStream(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace reel::sql
