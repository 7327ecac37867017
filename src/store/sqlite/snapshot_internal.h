#pragma once
//! A read transaction on a connection of the pool.

#include <memory>

#include "base/thread_annotations.h"
#include "store/sqlite/key_range_internal.h"
#include "store/sqlite/reader_pool_internal.h"

namespace reel::store::sqlite {

//! The layouts of the newest committed catalog. Thread-safe.
class SharedLayouts {
 public:
  std::shared_ptr<const Layouts> get() const {
    const MutexLock lock(mutex_);
    return layouts_;
  }
  void set(std::shared_ptr<const Layouts> layouts) {
    const MutexLock lock(mutex_);
    layouts_ = std::move(layouts);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const Layouts> layouts_ GUARDED_BY(mutex_);
};

class SqliteSnapshot final : public Snapshot {
 public:
  //! Takes a connection from the pool, which may wait for one.
  static Result<std::unique_ptr<SqliteSnapshot>> reserve(std::shared_ptr<ReaderPool> pool);
  //! Starts the read transaction at once, so that every commit acknowledged before is seen; the
  //! first thing to do. `newest` saves reading the catalog when it is still the one in the file.
  Status begin(std::shared_ptr<const Layouts> newest);
  ~SqliteSnapshot() override;

  const Catalog& catalog() const override { return *layouts_->catalog; }
  Result<std::optional<Row>> get(std::string_view table, const Key& key,
                                 const std::vector<std::string>& columns) override;
  Status get_each(std::string_view table, const std::vector<Key>& keys,
                  const std::vector<std::string>& columns, const KeyVisitor& visit) override;
  Status scan(const ScanSpec& spec, const RowVisitor& visit) override;
  Status scan_all(std::string_view table, std::size_t part, std::size_t parts,
                  const RowVisitor& visit) override;
  Status search(const SearchSpec& spec, const RowVisitor& visit) override;
  Result<std::vector<LedgerEntry>> ledger(std::string_view table) override;

  //! The same from the rows themselves.
  Result<std::vector<LedgerEntry>> recount(std::string_view table);

  Connection& connection() { return *connection_; }

 private:
  struct Scan;
  //! A SELECT by full key, for one key after the other.
  struct Lookup {
    std::shared_ptr<const Layout> layout;
    std::vector<std::size_t> columns;
    Statement statement;
  };

  SqliteSnapshot(std::shared_ptr<ReaderPool> pool, std::unique_ptr<Connection> connection)
      : pool_(std::move(pool)), connection_(std::move(connection)) {}
  Result<std::vector<std::size_t>> projection(const Layout& layout,
                                              const std::vector<std::string>& columns) const;
  Status read_cells(const Layout& layout, const Statement& statement,
                    const std::vector<std::size_t>& positions, Row& row) const;
  struct Share {
    std::size_t part;
    std::size_t parts;
  };
  //! Visits the rows of a share; `columns` are the first so many stored ones.
  Status read_all(const std::shared_ptr<const Layout>& layout,
                  const std::vector<std::size_t>& columns, Share share, const RowVisitor& visit);
  Result<Lookup> prepare_lookup(std::string_view table, const std::vector<std::string>& columns);
  //! False when there is no such row.
  Result<bool> look_up(const Lookup& lookup, const Key& key, Row& row) const;
  Status plan(const ScanSpec& spec, Scan& scan) const;
  static std::string sql_of(const Scan& scan, const Piece& piece);
  Status run_piece(const Scan& scan, const Piece& piece, Row& row, std::size_t& left,
                   const RowVisitor& visit);

  std::shared_ptr<ReaderPool> pool_;
  std::unique_ptr<Connection> connection_;
  std::shared_ptr<const Layouts> layouts_;
};

}  // namespace reel::store::sqlite
