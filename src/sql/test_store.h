#pragma once
//! A store of the tests: rows in memory that are read one by one.

#include <map>
#include <string>

#include "sql/row_edits.h"
#include "store/store.h"

namespace reel::sql::testing {

inline Failure not_here() { return unsupported("not in this test"); }

class TestSnapshot : public store::Snapshot {
 public:
  explicit TestSnapshot(std::shared_ptr<const store::TableSchema> schema = nullptr)
      : schema_(std::move(schema)) {
    if (schema_ != nullptr) catalog_.tables.emplace(schema_->name, schema_);
  }

  void put(store::Row row) { rows_[encode_key(*schema_, row)] = std::move(row); }

  const store::Catalog& catalog() const override { return catalog_; }
  Result<std::optional<store::Row>> get(std::string_view, const store::Key& key,
                                        const std::vector<std::string>&) override {
    for (const auto& [bytes, row] : rows_) {
      if (*decode_key(*schema_, bytes) == key) return row;
    }
    return std::nullopt;
  }
  Status get_each(std::string_view, const std::vector<store::Key>&, const std::vector<std::string>&,
                  const store::KeyVisitor&) override {
    return not_here();
  }
  Status scan(const store::ScanSpec&, const store::RowVisitor&) override { return not_here(); }
  Status scan_all(std::string_view, std::size_t, std::size_t, const store::RowVisitor&) override {
    return not_here();
  }
  Status search(const store::SearchSpec&, const store::RowVisitor&) override { return not_here(); }
  Result<std::vector<store::LedgerEntry>> ledger(std::string_view) override { return not_here(); }

 private:
  std::shared_ptr<const store::TableSchema> schema_;
  store::Catalog catalog_;
  std::map<std::string, store::Row> rows_;
};

}  // namespace reel::sql::testing
