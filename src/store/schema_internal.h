#pragma once
//! What making a schema and changing it have in common.

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "store/schema.h"

namespace reel::store {

inline constexpr std::size_t kColumnsMax = 1'000;

//! Collects every reason instead of stopping at the first.
class Reasons {
 public:
  void add(std::string reason) { reasons_.push_back(std::move(reason)); }
  void add(std::string_view what, const Status& status) {
    if (!status) add(fmt::format("{}: {}", what, status.error().message()));
  }
  std::size_t size() const { return reasons_.size(); }
  //! Code::invalid when there are any; of very many the first ones.
  Status status(std::string_view table) const;

 private:
  std::vector<std::string> reasons_;
};

//! Name, type and default.
void check_column(const TableDefinition::ColumnDefinition& column, Reasons& reasons);

//! A column with a new id for itself and for each child of its type, taken from the schema.
Column new_column(const TableDefinition::ColumnDefinition& definition, TableSchema& schema);

//! The type without permanent ids, as users write it.
Type without_ids(Type type);

}  // namespace reel::store
