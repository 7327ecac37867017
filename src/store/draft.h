#pragma once
//! Changes that are not committed yet, and what the tables look like with them.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace reel::store {

//! One row of a statement that changes rows: what it was, and what it becomes; nullopt: no row.
struct RowEdit {
  std::optional<Row> before = {};
  std::optional<Row> after = {};
};

//! The key of a row.
Key key_of(const TableSchema& schema, const Row& row);

//! Batches put together to one, over one snapshot: who reads from the draft sees what was committed
//! to it. So code that reads, checks and commits, written for a store, becomes a step of a larger
//! transaction. One thread at a time.
//!
//! Of what a draft shows, only rows are as they will be, also in dropped columns that are named:
//! searches and the ledger are the snapshot's (a search leaves out what the draft erased), and
//! appended rows have no number yet, so they are not shown.
class Draft final : public RowStore {
 public:
  //! The snapshot must outlive the draft.
  explicit Draft(Snapshot& base);
  ~Draft() override;

  //! They must not outlive the draft.
  Result<std::unique_ptr<Snapshot>> snapshot() override;

  //! Adds the batch, if its conditions hold in the draft; otherwise the draft stays as it was and
  //! the error is the one that Store::commit() would give. What a store checks of every batch
  //! (types, sizes, schema versions) is left to it. Code::unsupported for the condition that a
  //! partition is empty which the draft itself has emptied.
  Status commit(Batch batch) override;

  //! How many rows were changed.
  std::size_t row_count() const;

  //! Everything, to be committed where the snapshot came from. Of the conditions those are left
  //! that are about rows as the snapshot has them. The draft is empty then.
  Batch take();

 private:
  class View;
  struct KeyLess {
    bool operator()(const Key& a, const Key& b) const;
  };
  //! A row that the draft changed.
  struct Changed {
    std::optional<Row> row;        //!< nullopt: erased
    std::vector<bool> determined;  //!< cells that are as the draft says, whatever the store has
    bool is_new = false;           //!< what the store has in dropped columns is not this row's
  };
  struct Table {
    std::shared_ptr<const TableSchema> schema;
    std::vector<std::size_t> key;  //!< positions
    std::size_t partition_size = 0;
    std::map<Key, Changed, KeyLess> rows;
  };
  //! What to put back when a batch fails half way.
  struct Undo {
    Table* table;
    Key key;
    std::optional<Changed> before;
  };

  Result<Table*> open(std::string_view name);
  const Table* find(std::string_view name) const;
  Result<std::optional<Row>> current(Table& table, const Key& key);
  Status check(const Precondition& precondition, std::vector<Precondition>& left);
  Status check_row(Table& table, const Precondition& precondition, std::vector<Precondition>& left);
  Status check_no_overlap(Table& table, const Precondition& precondition,
                          std::vector<Precondition>& left);
  Status check_empty(Table& table, const Precondition& precondition,
                     std::vector<Precondition>& left);
  Status apply(const Mutation& mutation, std::vector<Undo>& undo);

  Snapshot& base_;
  std::map<std::string, Table, std::less<>> tables_;
  Batch batch_;
};

}  // namespace reel::store
