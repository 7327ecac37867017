#include <arrow/extension/uuid.h>
#include <arrow/util/key_value_metadata.h>

#include "lake/parquet_schema_internal.h"

namespace reel::lake {
namespace {

using store::Type;
using store::TypeKind;
using FieldPtr = std::shared_ptr<::arrow::Field>;
using TypePtr = std::shared_ptr<::arrow::DataType>;

constexpr int kUuidBytes = 16;
constexpr int kDigitsOfUint64 = 20;

TypePtr arrow_type(const Type& type);

FieldPtr field(std::string name, TypePtr type, bool nullable, store::ColumnId id) {
  return ::arrow::field(std::move(name), std::move(type), nullable,
                        ::arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(id)}));
}

FieldPtr child_field(std::string name, const store::Field& child) {
  return field(std::move(name), arrow_type(child.type), true, child.id);
}

TypePtr arrow_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean: return ::arrow::boolean();
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::uint8:
    case TypeKind::uint16: return ::arrow::int32();
    case TypeKind::int64:
    case TypeKind::uint32: return ::arrow::int64();
    case TypeKind::uint64: return ::arrow::decimal128(kDigitsOfUint64, 0);
    case TypeKind::float32: return ::arrow::float32();
    case TypeKind::float64: return ::arrow::float64();
    case TypeKind::decimal: return ::arrow::decimal128(type.precision, type.scale);
    case TypeKind::string: return ::arrow::utf8();
    case TypeKind::binary: return ::arrow::binary();
    case TypeKind::uuid: return ::arrow::extension::uuid();
    case TypeKind::timestamp: return ::arrow::timestamp(::arrow::TimeUnit::MICRO, "UTC");
    case TypeKind::date: return ::arrow::date32();
    case TypeKind::list:
    // Arrow's writer refuses fixed lists that are null; in Parquet the two are the same.
    case TypeKind::fixed_list: return ::arrow::list(child_field("element", type.children[0]));
    case TypeKind::map: {
      const store::Field& value = type.children[0];
      return std::make_shared<::arrow::MapType>(field("key", ::arrow::utf8(), false, value.id - 1),
                                                child_field("value", value));
    }
    case TypeKind::structure: {
      ::arrow::FieldVector members;
      for (const store::Field& member : type.children) {
        members.push_back(child_field(member.name, member));
      }
      return ::arrow::struct_(members);
    }
  }
  return nullptr;
}

}  // namespace

std::shared_ptr<::arrow::Schema> parquet_schema(const store::TableSchema& schema) {
  ::arrow::FieldVector fields;
  for (const store::Column& column : schema.columns) {
    fields.push_back(field(column.name, arrow_type(column.type), column.nullable, column.id));
  }
  return ::arrow::schema(std::move(fields));
}

TypePtr storage_type(const ::arrow::DataType& type) {
  switch (type.id()) {
    case ::arrow::Type::EXTENSION: return ::arrow::fixed_size_binary(kUuidBytes);
    case ::arrow::Type::LIST: {
      const FieldPtr& element = type.field(0);
      return ::arrow::list(element->WithType(storage_type(*element->type())));
    }
    case ::arrow::Type::MAP: {
      const auto& map = static_cast<const ::arrow::MapType&>(type);
      const FieldPtr& value = map.item_field();
      return std::make_shared<::arrow::MapType>(map.key_field(),
                                                value->WithType(storage_type(*value->type())));
    }
    case ::arrow::Type::STRUCT: {
      ::arrow::FieldVector members;
      for (const FieldPtr& member : type.fields()) {
        members.push_back(member->WithType(storage_type(*member->type())));
      }
      return ::arrow::struct_(members);
    }
    default: return type.GetSharedPtr();
  }
}

}  // namespace reel::lake
