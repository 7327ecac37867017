#pragma once
//! ALTER TABLE statements of one transaction: in the end, one migration for each table.

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "store/store.h"

namespace reel::sql {

class Alterations {
 public:
  bool empty() const { return tables_.empty(); }
  bool has(store::TableId table) const { return tables_.contains(table); }

  //! The tables as `base` has them, with the alterations. REQUIRES: one `base` for all.
  std::shared_ptr<const store::Catalog> over(const store::Catalog& base) const;

  //! Adds what one statement does to a table of over(). It stands behind what was added before:
  //! columns are called as they are by then. Errors as of store::plan_migration() and
  //! Catalog::check_new_table(); nothing is added then.
  Status add(const store::Catalog& base, std::string_view table, const store::Operation& operation);
  //! The same for operations that belong together. Code::unsupported when the table was altered
  //! before.
  Status add_all(const store::Catalog& base, std::string_view table,
                 std::vector<store::Operation> operations);

  //! Each to be applied to the version of its table that `base` had. `alone`: one statement without
  //! BEGIN means its table as it is, whoever was faster; not so what came by add_all().
  std::vector<store::Migration> take(bool alone);

 private:
  struct Altered {
    std::shared_ptr<const store::TableSchema> before;
    std::vector<store::Operation> operations;
    std::shared_ptr<const store::TableSchema> after;
    bool is_exact = false;  //!< for this version of the table
  };

  Status plan(const store::Catalog& base, Altered altered);

  std::map<store::TableId, Altered> tables_;
};

}  // namespace reel::sql
