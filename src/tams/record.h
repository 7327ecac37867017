#pragma once
//! Rows by column name, and the mapping between rows and JSON documents.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"
#include "json/writer.h"
#include "store/store.h"

namespace reel::tams {

//! A row that owns its cells and knows their names.
class Record {
 public:
  Record(std::shared_ptr<const store::TableSchema> schema, store::Row row)
      : schema_(std::move(schema)), row_(std::move(row)) {}

  //! REQUIRES: the table has the column.
  const store::Value& operator[](std::string_view column) const;
  //! The text of a string cell; empty when null.
  std::string_view text(std::string_view column) const;
  //! A boolean cell; false when null.
  bool flag(std::string_view column) const;
  //! An integer cell; 0 when null.
  std::int64_t integer(std::string_view column) const;
  const Uuid& uuid(std::string_view column) const;
  const store::Row& row() const { return row_; }
  const store::TableSchema& schema() const { return *schema_; }

 private:
  std::shared_ptr<const store::TableSchema> schema_;
  store::Row row_;
};

//! The row with that key, nullopt when there is none. `columns`: read these only, the other cells
//! are null.
Result<std::optional<Record>> load(store::Snapshot& snapshot, std::string_view table,
                                   const store::Key& key,
                                   const std::vector<std::string>& columns = {});

//! How one member of a JSON document is kept in a column.
struct DocumentField {
  enum class Kind : std::uint8_t { text, integer, flag, uuid, moment, json };
  std::string_view member;  //!< name in the document
  std::string_view column;
  Kind kind = Kind::text;
};

//! Writes the members whose cells are set (flags only when true) into an open object.
void write_fields(json::Writer& out, std::span<const DocumentField> fields, const Record& record);
//! The same as a value.
json::Value to_document(std::span<const DocumentField> fields, const Record& record);
//! One cell per field: null (or false) where the document lacks the member.
//! REQUIRES: the document passed its shape.
store::Cells to_cells(std::span<const DocumentField> fields, const json::Value& document);

//! An error as documents show it (TAMS 8.2, error.json), a JSON object.
std::string error_text(std::string_view type, std::string_view summary, Instant at);

//! Sort key of a label: labelled items first in the order of their labels, then the others by id.
std::string label_order(const json::Value* label);

}  // namespace reel::tams
