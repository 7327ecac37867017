#include "lake/read_back_test_support.h"

#include <algorithm>

#include <arrow/array/array_binary.h>
#include <arrow/array/array_decimal.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/util/decimal.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

namespace reel::lake::testing {
namespace {

using store::Type;
using store::TypeKind;
using store::Value;

template <class ArrayType>
const ArrayType& as(const ::arrow::Array& array) {
  return static_cast<const ArrayType&>(array);
}

store::Int128 unscaled(const ::arrow::Array& array, std::int64_t row) {
  const ::arrow::Decimal128 decimal(as<::arrow::Decimal128Array>(array).GetValue(row));
  return static_cast<store::Int128>(decimal.high_bits()) << 64 | decimal.low_bits();
}

Value cell(const ::arrow::Array& array, std::int64_t row, const Type& type);

Value list(const ::arrow::Array& array, std::int64_t row, const Type& type) {
  const auto& lists = as<::arrow::ListArray>(array);
  store::ValueList items;
  for (auto i = lists.value_offset(row); i < lists.value_offset(row + 1); ++i) {
    items.push_back(cell(*lists.values(), i, type.children[0].type));
  }
  return items;
}

Value map(const ::arrow::Array& array, std::int64_t row, const Type& type) {
  const auto& maps = as<::arrow::MapArray>(array);
  store::ValueMap entries;
  for (auto i = maps.value_offset(row); i < maps.value_offset(row + 1); ++i) {
    entries.emplace_back(as<::arrow::StringArray>(*maps.keys()).GetString(i),
                         cell(*maps.items(), i, type.children[0].type));
  }
  return entries;
}

Value structure(const ::arrow::Array& array, std::int64_t row, const Type& type) {
  store::ValueList members;
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    members.push_back(cell(*as<::arrow::StructArray>(array).field(static_cast<int>(i)), row,
                           type.children[i].type));
  }
  return members;
}

Value uuid(const ::arrow::Array& array, std::int64_t row) {
  Uuid id;
  std::copy_n(as<::arrow::FixedSizeBinaryArray>(array).GetValue(row), id.bytes.size(),
              id.bytes.begin());
  return id;
}

Value cell(const ::arrow::Array& array, std::int64_t row, const Type& type) {
  if (array.IsNull(row)) return {};
  switch (type.kind) {
    case TypeKind::boolean: return as<::arrow::BooleanArray>(array).Value(row);
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::uint8:
    case TypeKind::uint16: return std::int64_t{as<::arrow::Int32Array>(array).Value(row)};
    case TypeKind::int64:
    case TypeKind::uint32: return as<::arrow::Int64Array>(array).Value(row);
    case TypeKind::uint64: return static_cast<std::uint64_t>(unscaled(array, row));
    case TypeKind::float32: return double{as<::arrow::FloatArray>(array).Value(row)};
    case TypeKind::float64: return as<::arrow::DoubleArray>(array).Value(row);
    case TypeKind::decimal: return store::Decimal{unscaled(array, row)};
    case TypeKind::string: return as<::arrow::StringArray>(array).GetString(row);
    case TypeKind::binary: return store::Binary{as<::arrow::BinaryArray>(array).GetString(row)};
    case TypeKind::uuid: return uuid(array, row);
    case TypeKind::timestamp: return Instant{as<::arrow::TimestampArray>(array).Value(row)};
    case TypeKind::date: return store::Date{as<::arrow::Date32Array>(array).Value(row)};
    case TypeKind::list:
    case TypeKind::fixed_list: return list(array, row, type);
    case TypeKind::map: return map(array, row, type);
    case TypeKind::structure: return structure(array, row, type);
  }
  return {};
}

void read_facts(const ::parquet::FileMetaData& footer, ReadBack& read) {
  read.row_groups = footer.num_row_groups();
  for (int leaf = 0; leaf < footer.schema()->num_columns(); ++leaf) {
    read.leaf_ids.push_back(footer.schema()->Column(leaf)->schema_node()->field_id());
  }
  const auto metadata = footer.key_value_metadata();
  for (std::int64_t i = 0; metadata != nullptr && i < metadata->size(); ++i) {
    read.metadata[metadata->key(i)] = metadata->value(i);
  }
  for (int group = 0; group < read.row_groups; ++group) {
    const auto row_group = footer.RowGroup(group);
    for (int leaf = 0; leaf < row_group->num_columns(); ++leaf) {
      const auto compression = row_group->ColumnChunk(leaf)->compression();
      read.zstd = read.zstd && compression == ::parquet::Compression::ZSTD;
    }
    read.sorted.clear();
    for (const auto& column : row_group->sorting_columns()) {
      read.sorted.push_back(read.leaf_ids[static_cast<std::size_t>(column.column_idx)]);
    }
  }
}

}  // namespace

ReadBack read_back(const std::string& path, const store::TableSchema& schema) {
  const auto file = ::arrow::io::ReadableFile::Open(path).ValueOrDie();
  auto reader = ::parquet::arrow::OpenFile(file, ::arrow::default_memory_pool()).ValueOrDie();
  ReadBack read;
  read_facts(*reader->parquet_reader()->metadata(), read);
  std::shared_ptr<::arrow::Table> table;
  REEL_CHECK(reader->ReadTable(&table).ok());
  table = table->CombineChunks().ValueOrDie();
  read.rows.resize(static_cast<std::size_t>(table->num_rows()));
  for (const store::Column& column : schema.columns) {
    std::shared_ptr<::arrow::Array> cells;
    for (int i = 0; i < table->num_columns(); ++i) {
      const auto id = table->field(i)->metadata()->Get("PARQUET:field_id").ValueOrDie();
      if (id == std::to_string(column.id) && table->num_rows() > 0) {
        cells = table->column(i)->chunk(0);
      }
    }
    for (std::size_t row = 0; row < read.rows.size(); ++row) {
      read.rows[row].push_back(cells == nullptr
                                   ? column.initial_default
                                   : cell(*cells, static_cast<std::int64_t>(row), column.type));
    }
  }
  return read;
}

}  // namespace reel::lake::testing
