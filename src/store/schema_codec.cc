#include "store/schema_codec.h"

namespace reel::store {
namespace {

// The ids are the format: append members, never renumber.
constexpr std::string_view kColumnType =
    "struct<id:uint32#1,name:string#2,type:string#3,nullable:bool#4,default_value:binary#5,"
    "initial_default:binary#6,doc:string#7,since_version:uint32#8,product_name:string#9,"
    "dropped_at:timestamp#10,purging:bool#11>";
constexpr std::string_view kIndexType =
    "struct<id:uint32#1,name:string#2,columns:list<uint32>#3,kind:uint32#4>";

const Type& schema_type() {
  static const Type type = *Type::parse(fmt::format(
      "struct<id:uint32#1,name:string#2,version:uint32#3,columns:list<{0}>#4,"
      "tombstones:list<{0}>#5,partition_key:list<uint32>#6,clustering_key:list<uint32>#7,"
      "indexes:list<{1}>#8,next_column_id:uint32#9,next_index_id:uint32#10,product:bool#11>",
      kColumnType, kIndexType));
  return type;
}

Value number(std::uint32_t value) { return Value(std::uint64_t{value}); }

Value ids_value(const std::vector<ColumnId>& ids) {
  ValueList list;
  for (const ColumnId id : ids) list.push_back(number(id));
  return Value(std::move(list));
}

Value encoded(const Type& type, const Value& value) {
  Binary binary;
  encode_value(binary.bytes, type, value);
  return Value(std::move(binary));
}

Value columns_value(const std::vector<Column>& columns) {
  ValueList list;
  for (const Column& column : columns) {
    list.emplace_back(ValueList{number(column.id), column.name, column.type.to_string(),
                                column.nullable, encoded(column.type, column.default_value),
                                encoded(column.type, column.initial_default), column.doc,
                                number(column.since_version), column.product_name,
                                column.dropped_at, column.purging});
  }
  return Value(std::move(list));
}

Value indexes_value(const std::vector<Index>& indexes) {
  ValueList list;
  for (const Index& index : indexes) {
    list.emplace_back(ValueList{number(index.id), index.name, ids_value(index.columns),
                                number(static_cast<std::uint32_t>(index.kind))});
  }
  return Value(std::move(list));
}

//! Reads members in order; a missing one (null) is an empty value of its kind.
class Members {
 public:
  explicit Members(const Value& value) : list_(value.get<ValueList>()) {}

  std::uint32_t number() {
    const Value& value = next();
    return value.is_null() ? 0 : static_cast<std::uint32_t>(value.get<std::uint64_t>());
  }
  std::string text() {
    const Value& value = next();
    return value.is_null() ? std::string() : value.get<std::string>();
  }
  std::optional<std::string> text_if_any() {
    const Value& value = next();
    return value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
  }
  Instant moment() {
    const Value& value = next();
    return value.is_null() ? Instant() : value.get<Instant>();
  }
  bool flag() {
    const Value& value = next();
    return !value.is_null() && value.get<bool>();
  }
  Result<Value> encoded(const Type& type) {
    const Value& value = next();
    if (value.is_null()) return Value();
    std::string_view bytes = value.get<Binary>().bytes;
    return decode_value(type, bytes);
  }
  ValueList list() {
    const Value& value = next();
    return value.is_null() ? ValueList() : value.get<ValueList>();
  }
  //! Lists of nested values may hold nulls, which no schema has.
  Result<std::vector<ColumnId>> ids() {
    std::vector<ColumnId> ids;
    for (const Value& value : list()) {
      if (value.is_null()) return corrupt("a schema has a null id");
      ids.push_back(static_cast<ColumnId>(value.get<std::uint64_t>()));
    }
    return ids;
  }

 private:
  const Value& next() { return list_.at(next_++); }

  const ValueList& list_;
  std::size_t next_ = 0;
};

//! `product`: the table is the program's. A program that did not know users' columns wrote no names
//! of its own: all of them were.
Result<std::vector<Column>> read_columns(const ValueList& list, bool product) {
  std::vector<Column> columns;
  for (const Value& value : list) {
    if (value.is_null()) return corrupt("a schema has a null column");
    Members members(value);
    Column column;
    column.id = members.number();
    column.name = members.text();
    REEL_ASSIGN(column.type, Type::parse(members.text()));
    column.nullable = members.flag();
    REEL_ASSIGN(column.default_value, members.encoded(column.type));
    REEL_ASSIGN(column.initial_default, members.encoded(column.type));
    column.doc = members.text();
    column.since_version = members.number();
    const auto product_name = members.text_if_any();
    const bool ours = product || column.id == kInsertedAt;
    column.product_name = product_name.value_or(ours ? column.name : std::string());
    column.dropped_at = members.moment();
    column.purging = members.flag();
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<std::vector<Index>> read_indexes(const ValueList& list) {
  std::vector<Index> indexes;
  for (const Value& value : list) {
    if (value.is_null()) return corrupt("a schema has a null index");
    Members members(value);
    Index index;
    index.id = members.number();
    index.name = members.text();
    REEL_ASSIGN(index.columns, members.ids());
    const std::uint32_t kind = members.number();
    if (kind > static_cast<std::uint32_t>(IndexKind::search)) {
      return corrupt("index '{}' is of the unknown kind {}", index.name, kind);
    }
    index.kind = static_cast<IndexKind>(kind);
    indexes.push_back(std::move(index));
  }
  return indexes;
}

//! Everything that code elsewhere takes for granted about a schema.
Status check_references(const TableSchema& schema) {
  const auto exists = [&](const std::vector<ColumnId>& ids) {
    for (const ColumnId id : ids) {
      if (schema.find(id) == nullptr) return false;
    }
    return true;
  };
  bool sound = schema.find(kInsertedAt) != nullptr && !schema.partition_key.empty() &&
               exists(schema.partition_key) && exists(schema.clustering_key);
  for (const Index& index : schema.indexes) sound = sound && exists(index.columns);
  if (!sound) return corrupt("a schema names columns that it does not have");
  return {};
}

}  // namespace

std::string encode_schema(const TableSchema& schema) {
  const Value value(ValueList{number(schema.id), schema.name, number(schema.version),
                              columns_value(schema.columns), columns_value(schema.tombstones),
                              ids_value(schema.partition_key), ids_value(schema.clustering_key),
                              indexes_value(schema.indexes), number(schema.next_column_id),
                              number(schema.next_index_id), schema.product});
  std::string bytes;
  encode_value(bytes, schema_type(), value);
  return bytes;
}

Result<TableSchema> decode_schema(std::string_view bytes) {
  REEL_ASSIGN(const Value value, decode_value(schema_type(), bytes));
  if (value.is_null() || !bytes.empty()) return corrupt("a schema has a wrong size");
  Members members(value);
  TableSchema schema;
  schema.id = members.number();
  schema.name = members.text();
  schema.version = members.number();
  const ValueList columns = members.list();
  const ValueList tombstones = members.list();
  REEL_ASSIGN(schema.partition_key, members.ids());
  REEL_ASSIGN(schema.clustering_key, members.ids());
  REEL_ASSIGN(schema.indexes, read_indexes(members.list()));
  schema.next_column_id = members.number();
  schema.next_index_id = members.number();
  schema.product = members.flag();
  REEL_ASSIGN(schema.columns, read_columns(columns, schema.product));
  REEL_ASSIGN(schema.tombstones, read_columns(tombstones, schema.product));
  REEL_TRY(check_references(schema));
  return schema;
}

}  // namespace reel::store
