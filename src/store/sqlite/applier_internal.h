#pragma once
//! Applies planned batches inside one open write transaction.

#include <map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/row_hash.h"
#include "store/sqlite/batch_plan_internal.h"
#include "store/sqlite/connection_internal.h"

namespace reel::store::sqlite {

//! The work of one group: batches one after the other, then the ledger once per touched hour.
//! REQUIRES: a write transaction is open on `writer`.
class Applier {
 public:
  //! How a batch is undone that fails after its first change.
  enum class Undo : std::uint8_t { never, by_savepoint };

  Applier(Connection& writer, const Clock& clock, Undo undo)
      : writer_(writer), clock_(clock), undo_(undo) {}

  //! On error nothing of the batch is left in the transaction, unless it is torn() or
  //! writer.last_failure() is set: then the transaction must be rolled back.
  Status apply(const Batch& batch, const BatchPlan& plan);

  //! A part of a batch that failed is in the transaction. Not with Undo::by_savepoint.
  bool torn() const { return torn_; }

  //! Writes what the applied batches did to the ledger. Call once, before COMMIT.
  Status write_ledger();

  //! Whether there is anything to commit.
  bool changed() const { return !ledger_.empty(); }

 private:
  struct Delta {
    std::int64_t rows = 0;
    Hash128 fingerprint;
  };
  struct Change {
    TableId table;
    std::int64_t hour;
    bool added;
    Hash128 hash;
  };

  Status check(const Precondition& precondition, const PlannedPrecondition& planned);
  Status check_empty(const Precondition& precondition, const PlannedPrecondition& planned);
  Status check_no_overlap(const Precondition& precondition, const PlannedPrecondition& planned);
  Status mutate(const Batch& batch, const BatchPlan& plan);
  Status mutate(const Mutation& mutation, const PlannedMutation& planned);
  Status insert(const Mutation& mutation, const Layout& layout);
  Status replace(const Layout& layout, const Key& key, const std::vector<std::size_t>& positions);
  Status erase(const Layout& layout, const Key& key);
  //! Sets number_ to the clustering value of a row that is to be appended.
  Status assign_number(const Mutation& mutation, const Layout& layout);
  //! Fills new_ with the row that an insert or upsert describes. It refers to the mutation.
  void build_row(const Mutation& mutation, const PlannedMutation& planned);
  //! Keeps the search indexes: nullptr for a row that was not, or will not be, there.
  Status index(const Layout& layout, const CellRefs* before, const CellRefs* after);
  Status index(const Layout& layout, const Layout::SearchLayout& search, const CellRefs* before,
               const CellRefs* after);
  void note(const Layout& layout, const CellRefs& row, bool added);
  void fold_changes();

  Connection& writer_;
  const Clock& clock_;
  const Undo undo_;
  bool torn_ = false;
  std::map<std::pair<TableId, std::int64_t>, Delta> ledger_;
  std::vector<Change> changes_;  //!< of the batch at hand
  Row old_;
  CellRefs new_;
  Value now_;
  Value number_;
  std::string scratch_;
};

//! A ledger entry as it is written: low and high half, both big-endian, high first.
std::string encode_fingerprint(const Hash128& hash);
Result<Hash128> decode_fingerprint(std::string_view bytes);

//! Hours since 1970, rounding down.
std::int64_t hour_of(Instant instant);

}  // namespace reel::store::sqlite
