#pragma once
//! How a table lies in SQLite: physical names, and how values become SQLite values.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sqlite3.h>

#include "store/schema.h"
#include "store/store.h"

namespace reel::store::sqlite {

//! One schema version of one table, made ready for use. Immutable.
struct Layout {
  //! An index, with the columns that rows really are sorted by.
  struct IndexLayout {
    std::string physical;             //!< "i7_1"
    std::vector<std::size_t> bounds;  //!< index columns, then all key columns: what bounds name
    std::vector<std::size_t> order;   //!< the same without repetition
  };

  //! A search index: an FTS5 table, whose rows have numbers, and the table from key to number.
  struct SearchLayout {
    std::string texts;    //!< "s7_3"
    std::string numbers;  //!< "s7_3_rows"
    std::size_t column = 0;
  };

  explicit Layout(std::shared_ptr<const TableSchema> table_schema);

  //! Code::invalid names the column.
  Result<std::size_t> position(std::string_view column) const;
  //! The same, and "#id" of a dropped column as long as its cells are there.
  Result<std::size_t> readable(std::string_view column) const;
  const Type& type(std::size_t position) const { return schema->stored(position).type; }
  bool is_key(std::size_t position) const { return key_rank[position] >= 0; }
  //! "c12"
  std::string physical(std::size_t position) const;
  //! Physical names of these columns with a text between them and one after each.
  std::string list(const std::vector<std::size_t>& positions, std::string_view after = "",
                   std::string_view between = ", ") const;

  std::shared_ptr<const TableSchema> schema;
  std::string table;                 //!< "t7"
  std::string prefix;                //!< starts every statement shape: table and version
  std::vector<std::size_t> all;      //!< positions of the schema's columns: 0, 1, 2 …
  std::vector<std::size_t> stored;   //!< the same and those of dropped columns, which follow
  std::vector<std::size_t> key;      //!< positions, partition first
  std::size_t partition_size = 0;    //!< how many of `key` are the partition's
  std::vector<int> key_rank;         //!< by position: place in `key`, or -1
  std::vector<std::size_t> not_key;  //!< positions
  std::vector<std::size_t> by_id;    //!< stored positions in the order of column ids
  std::size_t inserted_at = 0;       //!< position
  std::map<std::string, IndexLayout, std::less<>> indexes;  //!< sorted ones
  std::map<std::string, SearchLayout, std::less<>> searches;

 private:
  std::unordered_map<std::string_view, std::size_t> by_name_;
};

//! All tables of one catalog version.
struct Layouts {
  explicit Layouts(std::shared_ptr<const Catalog> from);
  //! Code::not_found names the table.
  Result<std::shared_ptr<const Layout>> table(std::string_view name) const;

  std::shared_ptr<const Catalog> catalog;
  std::map<std::string, std::shared_ptr<const Layout>, std::less<>> tables;
};

//! Parameters and columns are written without copying: the value must live until the statement has
//! been reset. Parameters count from 1, columns from 0.
void bind_value(sqlite3_stmt* statement, int parameter, const Type& type, const Value& value);
//! Reuses what `value` holds. Code::corrupt when the cell is not of this type. A cell comes from
//! sqlite3_column_value: SQLite calls such a value unprotected, which matters only to connections
//! that several threads share.
Status read_value(sqlite3_value* cell, const Type& type, Value& value);

//! SQL of a type: INTEGER, REAL, TEXT or BLOB.
std::string_view affinity(const Type& type);
//! A value as an SQL literal, for the default of a new column; floats with so many digits behind
//! the point. Code::unsupported for text with a NUL, which SQL cannot write.
Result<std::string> literal(const Type& type, const Value& value, int float_digits = 16);

}  // namespace reel::store::sqlite
