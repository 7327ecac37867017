#include "arrow/table_schema.h"

#include <nanoarrow/nanoarrow.hpp>

#include "arrow/result_internal.h"
#include "arrow/stream_writer.h"

namespace reel::arrow {
namespace {

using store::Type;
using store::TypeKind;
using Metadata = std::vector<std::pair<std::string, std::string>>;

Status set_metadata(ArrowSchema& field, const Metadata& metadata) {
  if (metadata.empty()) return {};
  nanoarrow::UniqueBuffer text;
  REEL_TRY(check(ArrowMetadataBuilderInit(text.get(), nullptr)));
  for (const auto& [key, value] : metadata) {
    REEL_TRY(
        check(ArrowMetadataBuilderAppend(text.get(), ArrowCharView(key.c_str()),
                                         {value.data(), static_cast<std::int64_t>(value.size())})));
  }
  return check(ArrowSchemaSetMetadata(&field, reinterpret_cast<const char*>(text->data)));
}

//! The type of a kind that needs no parameters.
ArrowType simple_type(TypeKind kind) {
  switch (kind) {
    case TypeKind::boolean: return NANOARROW_TYPE_BOOL;
    case TypeKind::int8: return NANOARROW_TYPE_INT8;
    case TypeKind::int16: return NANOARROW_TYPE_INT16;
    case TypeKind::int32: return NANOARROW_TYPE_INT32;
    case TypeKind::int64: return NANOARROW_TYPE_INT64;
    case TypeKind::uint8: return NANOARROW_TYPE_UINT8;
    case TypeKind::uint16: return NANOARROW_TYPE_UINT16;
    case TypeKind::uint32: return NANOARROW_TYPE_UINT32;
    case TypeKind::uint64: return NANOARROW_TYPE_UINT64;
    case TypeKind::float32: return NANOARROW_TYPE_FLOAT;
    case TypeKind::float64: return NANOARROW_TYPE_DOUBLE;
    case TypeKind::binary: return NANOARROW_TYPE_BINARY;
    case TypeKind::date: return NANOARROW_TYPE_DATE32;
    case TypeKind::list: return NANOARROW_TYPE_LIST;
    case TypeKind::map: return NANOARROW_TYPE_MAP;
    default: return NANOARROW_TYPE_STRING;
  }
}

Status set_type(ArrowSchema& field, const Type& type, Metadata metadata);

Metadata id_metadata(std::uint32_t id) {
  return {{"PARQUET:field_id", std::to_string(id)}, {"reelhouse.id", std::to_string(id)}};
}

Status set_child(ArrowSchema& field, const store::Field& child) {
  return set_type(field, child.type, id_metadata(child.id));
}

Status set_type(ArrowSchema& field, const Type& type, Metadata metadata) {
  ArrowErrorCode code = NANOARROW_OK;
  switch (type.kind) {
    case TypeKind::decimal:
      code =
          ArrowSchemaSetTypeDecimal(&field, NANOARROW_TYPE_DECIMAL128, type.precision, type.scale);
      break;
    case TypeKind::uuid:
      code = ArrowSchemaSetTypeFixedSize(&field, NANOARROW_TYPE_FIXED_SIZE_BINARY, 16);
      metadata.emplace_back("ARROW:extension:name", "arrow.uuid");
      metadata.emplace_back("ARROW:extension:metadata", "");
      break;
    case TypeKind::timestamp:
      code = ArrowSchemaSetTypeDateTime(&field, NANOARROW_TYPE_TIMESTAMP, NANOARROW_TIME_UNIT_MICRO,
                                        "UTC");
      break;
    case TypeKind::fixed_list:
      code = ArrowSchemaSetTypeFixedSize(&field, NANOARROW_TYPE_FIXED_SIZE_LIST,
                                         static_cast<std::int32_t>(type.size));
      break;
    case TypeKind::structure:
      code = ArrowSchemaSetTypeStruct(&field, static_cast<std::int64_t>(type.children.size()));
      break;
    default: code = ArrowSchemaSetType(&field, simple_type(type.kind));
  }
  REEL_TRY(check(code));
  REEL_TRY(set_metadata(field, metadata));
  switch (type.kind) {
    case TypeKind::list:
    case TypeKind::fixed_list: return set_child(*field.children[0], type.children[0]);
    case TypeKind::map: {
      const ArrowSchema& entries = *field.children[0];
      const store::Field& value = type.children[0];
      REEL_TRY(
          set_type(*entries.children[0], Type::of(TypeKind::string), id_metadata(value.id - 1)));
      return set_child(*entries.children[1], value);
    }
    case TypeKind::structure:
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        REEL_TRY(check(ArrowSchemaSetName(field.children[i], type.children[i].name.c_str())));
        REEL_TRY(set_child(*field.children[i], type.children[i]));
      }
      return {};
    default: return {};
  }
}

Status set_column(ArrowSchema& field, const store::Column& column) {
  Metadata metadata = id_metadata(column.id);
  if (!column.doc.empty()) metadata.emplace_back("reelhouse.doc", column.doc);
  REEL_TRY(check(ArrowSchemaSetName(&field, column.name.c_str())));
  REEL_TRY(set_type(field, column.type, std::move(metadata)));
  if (!column.nullable) field.flags &= ~ARROW_FLAG_NULLABLE;
  return {};
}

}  // namespace

Result<std::string> schema_stream(const store::TableSchema& table) {
  nanoarrow::UniqueSchema schema;
  ArrowSchemaInit(schema.get());
  REEL_TRY(check(
      ArrowSchemaSetTypeStruct(schema.get(), static_cast<std::int64_t>(table.columns.size()))));
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    REEL_TRY(set_column(*schema->children[i], table.columns[i]));
  }
  std::string key;
  for (const store::ColumnId id : table.key()) {
    if (!key.empty()) key += ',';
    key += table.find(id)->name;
  }
  REEL_TRY(set_metadata(*schema.get(), {{"reelhouse.table", table.name},
                                        {"reelhouse.version", std::to_string(table.version)},
                                        {"reelhouse.primary_key", key}}));
  std::string out;
  REEL_ASSIGN(const auto writer, StreamWriter::begin(*schema.get(), out));
  REEL_TRY(writer->end(out));
  return out;
}

}  // namespace reel::arrow
