#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/data.h>
#include <arrow/util/decimal.h>

#include "lake/cell_builder_internal.h"

namespace reel::lake {
namespace {

using store::Type;
using store::TypeKind;
using store::Value;
using Bytes = ::arrow::Result<std::size_t>;

template <class Builder, class Cell>
Bytes append(::arrow::ArrayBuilder& builder, Cell cell) {
  ARROW_RETURN_NOT_OK(static_cast<Builder&>(builder).Append(cell));
  return sizeof(Cell);
}

template <class Builder>
Bytes append_bytes(::arrow::ArrayBuilder& builder, const std::string& bytes) {
  ARROW_RETURN_NOT_OK(static_cast<Builder&>(builder).Append(bytes));
  return bytes.size() + sizeof(std::int32_t);
}

std::int64_t integer(const Value& value) {
  if (const auto* number = value.get_if<std::int64_t>()) return *number;
  return static_cast<std::int64_t>(value.get<std::uint64_t>());
}

store::Int128 wide_integer(const Value& value) {
  if (const auto* number = value.get_if<std::int64_t>()) return *number;
  return value.get<std::uint64_t>();
}

::arrow::Decimal128 decimal(store::Int128 number) {
  constexpr int kHalf = 64;
  return {static_cast<std::int64_t>(number >> kHalf), static_cast<std::uint64_t>(number)};
}

Bytes append_list(::arrow::ArrayBuilder& builder, const Type& type, const Value& value) {
  auto& list = static_cast<::arrow::ListBuilder&>(builder);
  ARROW_RETURN_NOT_OK(list.Append());
  std::size_t bytes = sizeof(std::int32_t);
  for (const Value& element : value.get<store::ValueList>()) {
    ARROW_ASSIGN_OR_RAISE(const std::size_t more,
                          append_cell(*list.value_builder(), type.children[0].type, element));
    bytes += more;
  }
  return bytes;
}

Bytes append_map(::arrow::ArrayBuilder& builder, const Type& type, const Value& value) {
  auto& map = static_cast<::arrow::MapBuilder&>(builder);
  ARROW_RETURN_NOT_OK(map.Append());
  std::size_t bytes = sizeof(std::int32_t);
  for (const auto& [key, item] : value.get<store::ValueMap>()) {
    ARROW_ASSIGN_OR_RAISE(const std::size_t of_key,
                          append_bytes<::arrow::StringBuilder>(*map.key_builder(), key));
    ARROW_ASSIGN_OR_RAISE(const std::size_t of_item,
                          append_cell(*map.item_builder(), type.children[0].type, item));
    bytes += of_key + of_item;
  }
  return bytes;
}

Bytes append_structure(::arrow::ArrayBuilder& builder, const Type& type, const Value& value) {
  auto& structure = static_cast<::arrow::StructBuilder&>(builder);
  ARROW_RETURN_NOT_OK(structure.Append());
  const auto& members = value.get<store::ValueList>();
  std::size_t bytes = 1;
  for (std::size_t i = 0; i < members.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const std::size_t more,
                          append_cell(*structure.field_builder(static_cast<int>(i)),
                                      type.children[i].type, members[i]));
    bytes += more;
  }
  return bytes;
}

}  // namespace

Bytes append_cell(::arrow::ArrayBuilder& builder, const Type& type, const Value& value) {
  if (value.is_null()) {
    ARROW_RETURN_NOT_OK(builder.AppendNull());
    return 1;
  }
  switch (type.kind) {
    case TypeKind::boolean: return append<::arrow::BooleanBuilder>(builder, value.get<bool>());
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::uint8:
    case TypeKind::uint16:
      return append<::arrow::Int32Builder>(builder, static_cast<std::int32_t>(integer(value)));
    case TypeKind::int64:
    case TypeKind::uint32: return append<::arrow::Int64Builder>(builder, integer(value));
    case TypeKind::uint64:
      return append<::arrow::Decimal128Builder>(builder, decimal(wide_integer(value)));
    case TypeKind::float32:
      return append<::arrow::FloatBuilder>(builder, static_cast<float>(value.get<double>()));
    case TypeKind::float64: return append<::arrow::DoubleBuilder>(builder, value.get<double>());
    case TypeKind::decimal:
      return append<::arrow::Decimal128Builder>(builder,
                                                decimal(value.get<store::Decimal>().unscaled));
    case TypeKind::string:
      return append_bytes<::arrow::StringBuilder>(builder, value.get<std::string>());
    case TypeKind::binary:
      return append_bytes<::arrow::BinaryBuilder>(builder, value.get<store::Binary>().bytes);
    case TypeKind::uuid:
      return append<::arrow::FixedSizeBinaryBuilder>(builder, value.get<Uuid>().bytes.data());
    case TypeKind::timestamp:
      return append<::arrow::TimestampBuilder>(builder, value.get<Instant>().micros);
    case TypeKind::date:
      return append<::arrow::Date32Builder>(builder, value.get<store::Date>().days);
    case TypeKind::list:
    case TypeKind::fixed_list: return append_list(builder, type, value);
    case TypeKind::map: return append_map(builder, type, value);
    case TypeKind::structure: return append_structure(builder, type, value);
  }
  return ::arrow::Status::TypeError("unknown type");
}

std::shared_ptr<::arrow::ArrayData> with_type(const ::arrow::ArrayData& data,
                                              const std::shared_ptr<::arrow::DataType>& type) {
  auto typed = data.Copy();
  typed->type = type;
  for (std::size_t i = 0; i < typed->child_data.size(); ++i) {
    typed->child_data[i] = with_type(*data.child_data[i], type->field(static_cast<int>(i))->type());
  }
  return typed;
}

}  // namespace reel::lake
