#pragma once
//! The table store: snapshots to read, batches to write. Engines implement it; domain code is
//! written once against it. The contract an engine must keep is in README.md.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "store/migration.h"

namespace reel::store {

//! Values by column, in the order of TableSchema::columns of the schema that was current when the
//! snapshot was taken; columns that a projection left out are null.
using Row = std::vector<Value>;

//! Values of the leading key columns, in key order.
using Key = std::vector<Value>;

//! A row that a reader sees. Valid only during the visitor's call.
struct RowView {
  const TableSchema& schema;
  const Row& cells;

  //! The cell of a column by its position in the schema.
  const Value& operator[](std::size_t position) const { return cells[position]; }
};

//! Return false to stop the scan.
using RowVisitor = std::function<bool(const RowView&)>;

//! For get_each: which key, and its row.
using KeyVisitor = std::function<void(std::size_t index, const RowView&)>;

//! One end of a range over clustering (or index) columns: a prefix of their values.
struct RangeBound {
  Key prefix;
  bool inclusive = true;
};

//! A condition on one column, pushed down to the engine. As in SQL, null is neither less nor
//! greater than anything; `equal` to null means is_null. NaN is greater than every number.
struct Predicate {
  enum class Op : std::uint8_t {
    equal,
    less,
    less_equal,
    greater,
    greater_equal,
    is_null,
    not_null
  };
  std::string column;
  Op op = Op::equal;
  Value value = {};
};

//! Rows in key order, of one partition (partition filled) or of all; or in index order (index
//! named; with `partition` only its rows). Bounds compare column by column, nulls first, and a
//! shorter bound compares with the same number of leading columns.
struct ScanSpec {
  std::string table = {};
  //! All partition key values. Empty without `index`: every row; bounds then mean the whole key.
  Key partition = {};
  //! Order by this index instead of the key; `prefix` of the bounds then means
  //! the index's columns followed by the key's (so that paging can go on after an exact row).
  std::string index = {};
  std::optional<RangeBound> lower = {};
  std::optional<RangeBound> upper = {};
  bool reverse = false;
  std::size_t limit = SIZE_MAX;
  //! Projection by reference; empty = all. A dropped column's "#id" reads its cells until they are
  //! purged; they stand behind the live ones, see TableSchema::stored().
  std::vector<std::string> columns = {};
  std::vector<Predicate> where = {};
};

//! What to look for, see Snapshot::search.
struct SearchSpec {
  std::string table = {};
  std::string index = {};
  std::vector<std::string> pieces = {};
  std::size_t limit = 100;
  std::vector<std::string> columns = {};
};

//! Rows of one creation hour of a table: how many, and the sum of their hashes.
struct LedgerEntry {
  std::int64_t hour = 0;  //!< hours since 1970 of inserted_at
  std::int64_t rows = 0;
  Hash128 fingerprint;
  friend bool operator==(const LedgerEntry&, const LedgerEntry&) = default;
};

//! A consistent view of every table. One thread at a time. Holding one holds back clean-up, so
//! keep it short.
class Snapshot {
 public:
  virtual ~Snapshot() = default;

  virtual const Catalog& catalog() const = 0;
  //! nullopt when there is no such row. `columns` as in ScanSpec.
  virtual Result<std::optional<Row>> get(std::string_view table, const Key& key,
                                         const std::vector<std::string>& columns = {}) = 0;
  //! Visits the rows of many keys, as far as they exist, in the order of `keys`; `index` counts
  //! these. Cheaper than one get() each, and an engine with a network asks for all at once.
  virtual Status get_each(std::string_view table, const std::vector<Key>& keys,
                          const std::vector<std::string>& columns, const KeyVisitor& visit) = 0;
  //! The visitor may read from the same snapshot.
  virtual Status scan(const ScanSpec& spec, const RowVisitor& visit) = 0;
  //! Every row of share `part` of `parts` (0-based), partition by partition; the shares are
  //! disjoint and complete, also when every share is read in a snapshot of its own, because a share
  //! is chosen by the hash of the partition key. One large partition is therefore one share.
  virtual Status scan_all(std::string_view table, std::size_t part, std::size_t parts,
                          const RowVisitor& visit) = 0;
  //! Rows whose column under the search index holds at least one of these pieces of text, byte for
  //! byte. First come rows that hold many pieces, and pieces that few rows hold: an engine's
  //! estimate, meant to find candidates for a finer look. Code::invalid when a piece has fewer than
  //! three characters.
  virtual Status search(const SearchSpec& spec, const RowVisitor& visit) = 0;
  //! By hour, ascending.
  virtual Result<std::vector<LedgerEntry>> ledger(std::string_view table) = 0;
};

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

//! Health of the engine, for /health and metrics.
struct StoreHealth {
  bool writable = true;
  std::string reason;  //!< why not
};

//! How far purging has come in a dropped column.
struct PurgePlace {
  TableId table = 0;
  ColumnId column = 0;
  Key behind = {};  //!< the last row that was looked at
};

//! What a step of purging did.
struct PurgeStep {
  std::size_t rows = 0;  //!< looked at
  bool done = false;     //!< nothing more to purge
  PurgePlace next = {};  //!< where to go on
};

//! Rows to read and to write: what domain code needs. A store, or a draft of changes to one.
class RowStore {
 public:
  virtual ~RowStore() = default;

  virtual Result<std::unique_ptr<Snapshot>> snapshot() = 0;

  //! Applies the batch; as durable as it asks for when it returns ok. Errors:
  //! - the code of the first precondition or mutation that failed: nothing was applied;
  //! - read_only: the disk refused earlier and has not recovered: nothing was applied;
  //! - unknown_outcome: the disk failed while making it durable; it may or may not be there;
  //! - overloaded, shutting_down: not even tried.
  virtual Status commit(Batch batch) = 0;
};

//! Thread-safe.
class Store : public RowStore {
 public:
  //! Several of the same state, for threads that read together.
  virtual Result<std::vector<std::unique_ptr<Snapshot>>> snapshots(std::size_t count) = 0;

  virtual std::shared_ptr<const Catalog> catalog() const = 0;

  //! Creates the table, and its namespace, if there is none of that name. An existing one of the
  //! product gains the columns and indexes that the definition has and it lacks (found by name;
  //! nullable or with a default), so that a newer program opens an older store. Returns the schema
  //! now in force.
  virtual Result<std::shared_ptr<const TableSchema>> ensure_table(const TableDefinition& definition,
                                                                  std::string_view by) = 0;

  //! The same for a table of users. Code::conflict when there is one of that name, not_found when
  //! its namespace is missing.
  virtual Result<std::shared_ptr<const TableSchema>> create_table(const TableDefinition& definition,
                                                                  const Reason& reason) = 0;
  //! Applies the migrations, each of another table, all or none: a change of the catalog, whatever
  //! the number of rows, except that a column becomes not nullable only after all rows were looked
  //! at. Readers see the tables as they were or as they are then. Errors as of plan_migration(),
  //! conflict for another version than expected or for a table's name that is taken. Returns the
  //! schemas in the order of the migrations.
  virtual Result<std::vector<std::shared_ptr<const TableSchema>>> migrate_all(
      const std::vector<Migration>& migrations, const Reason& reason) = 0;
  Result<std::shared_ptr<const TableSchema>> migrate(Migration migration, const Reason& reason);
  //! Of a table with more rows columns are converted only with Migration::wait.
  virtual std::int64_t convert_rows_max() const = 0;
  //! Takes a table of users out of reach; its rows stay until they are purged.
  virtual Status drop_table(std::string_view name, const Reason& reason) = 0;
  //! Brings it back, under another name if `name` is not empty, else with its namespace if that is
  //! gone. Code::not_found when it is purged.
  virtual Result<std::shared_ptr<const TableSchema>> undrop_table(TableId id, std::string_view name,
                                                                  const Reason& reason) = 0;
  virtual Result<std::vector<DroppedTable>> dropped_tables() = 0;
  //! Code::conflict when there is one.
  virtual Status create_namespace(std::string_view name) = 0;
  //! Drops its tables too if `with_tables`; else code::conflict when it has any. Code::invalid when
  //! it is kMainNamespace or has tables of the product.
  virtual Status drop_namespace(std::string_view name, bool with_tables, const Reason& reason) = 0;
  //! Every version of a table that is or was, the oldest first.
  virtual Result<std::vector<SchemaVersion>> history(TableId table) = 0;
  //! Erases cells and rows that were dropped before this moment, at most so many rows of them in
  //! one transaction, which others wait for. What is purged cannot be brought back. `from`: the
  //! place that the step before returned.
  virtual Result<PurgeStep> purge(Instant dropped_before, std::size_t rows_max,
                                  const PurgePlace& from) = 0;

  //! Recounts a table from its rows, for comparison with Snapshot::ledger.
  virtual Result<std::vector<LedgerEntry>> recount(std::string_view table) = 0;

  //! A consistent copy while serving. `directory` must not exist or be empty.
  virtual Status backup(const std::string& directory) = 0;

  virtual StoreHealth health() const = 0;

  //! Refuses new commits, finishes accepted ones. Idempotent.
  virtual void stop() = 0;
};

//! The hash of one row as the ledger sums it: of (column id, value) for every stored column, in id
//! order, whose value differs from the column's initial default. `row` has the cells of dropped
//! columns behind those of the live ones. A rename, a reorder, an added and a dropped column do not
//! change it (docs/formats/store.md).
Hash128 row_hash(const TableSchema& schema, const Row& row);

}  // namespace reel::store
