#pragma once
//! What is written: changes of rows, what must hold for them, and how durable they are to be.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "store/value.h"

namespace reel::store {

//! Values of the leading key columns, in key order.
using Key = std::vector<Value>;

//! Column values by name; columns not named keep their value (update) or take their default.
//! An insert or upsert may name inserted_at, so that a moved table keeps its creation hours.
using Cells = std::vector<std::pair<std::string, Value>>;

//! One change of one row.
struct Mutation {
  enum class Kind : std::uint8_t {
    insert,  //!< fails the batch with conflict when the row exists
    upsert,  //!< replaces the whole row, or creates it; inserted_at of an old row is kept
    update,  //!< changes the named cells; fails the batch with not_found when the row is absent
    erase,   //!< no error when absent
    //! A new row at the end of its partition: `key` is the partition key, and the one clustering
    //! column, an int64, gets a number above those of all rows that the partition has. A snapshot
    //! which sees a number sees every smaller one that will ever be: a log that loses nothing.
    append,
  };
  Kind kind = Kind::upsert;
  std::string table = {};
  Key key = {};      //!< full key; of an append the partition key
  Cells cells = {};  //!< without key columns
};

//! What must hold at the moment of the commit, else the batch fails as a whole.
struct Precondition {
  enum class Kind : std::uint8_t {
    absent,      //!< no row with this key (conflict)
    present,     //!< a row with this key (not_found)
    cells_are,   //!< the row exists and these cells have these values (conflict)
    no_overlap,  //!< no row of the partition whose [start, end) shares a moment (conflict)
    empty,       //!< no row in the partition at all (conflict)
  };
  Kind kind = Kind::present;
  std::string table = {};
  Key key = {};      //!< full key; for no_overlap and empty the partition key
  Cells cells = {};  //!< cells_are
  //! no_overlap: the one clustering column is the start, `end_column` the exclusive end; a null
  //! end (of a row, or here) means that it never ends. The error names the clashing row. Rows of a
  //! partition must never overlap, which makes looking at the nearest row before `end` enough.
  std::string end_column = {};
  Value start = {};
  Value end = {};
  //! What the error says; an engine's own words when empty.
  std::string message = {};
};

//! When a batch survives a power cut. (It survives a crash of the program in any case.)
enum class Durability : std::uint8_t {
  at_once,  //!< when its commit has returned
  //! With the next batch that is to be durable at once, or soon when there is none; until then a
  //! power cut may undo it with all that was committed after it. For work that begins again where
  //! it was: nobody waits for the disk because of it.
  with_the_next,
};

//! All or nothing. Preconditions are checked before the mutations are applied; mutations are
//! applied in order.
struct Batch {
  std::vector<Precondition> preconditions;
  std::vector<Mutation> mutations;
  //! When set, a mutation prepared against another schema version of a table it touches fails
  //! with conflict.
  std::vector<std::pair<std::string, std::uint32_t>> schema_versions;
  Durability durability = Durability::at_once;

  Batch& require_absent(std::string table, Key key, std::string message = {});
  Batch& require_present(std::string table, Key key, std::string message = {});
  Batch& require_cells(std::string table, Key key, Cells cells, std::string message = {});
  Batch& require_empty(std::string table, Key partition, std::string message = {});
  Batch& insert(std::string table, Key key, Cells cells);
  Batch& upsert(std::string table, Key key, Cells cells);
  Batch& update(std::string table, Key key, Cells cells);
  Batch& erase(std::string table, Key key);
  Batch& append(std::string table, Key partition, Cells cells);
};

}  // namespace reel::store
