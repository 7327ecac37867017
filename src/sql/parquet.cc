#include "sql/parquet.h"

#include <duckdb/common/arrow/arrow_wrapper.hpp>
#include <duckdb/function/table/arrow.hpp>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/database.hpp>
#include <duckdb/main/relation.hpp>

#include "sql/errors_internal.h"

namespace reel::sql {
namespace {

// DuckDB's arrow_scan asks these two functions, with a pointer to the stream, which it takes over.

duckdb::unique_ptr<duckdb::ArrowArrayStreamWrapper> take(std::uintptr_t stream,
                                                         duckdb::ArrowStreamParameters&) {
  auto wrapper = duckdb::make_uniq<duckdb::ArrowArrayStreamWrapper>();
  // NOLINTNEXTLINE(performance-no-int-to-ptr): DuckDB's interface has a number
  auto* source = reinterpret_cast<ArrowArrayStream*>(stream);
  wrapper->arrow_array_stream = *source;
  wrapper->number_of_rows = -1;  // unknown
  source->release = nullptr;
  return wrapper;
}

void get_schema(ArrowArrayStream* stream, ArrowSchema& schema) {
  if (stream->get_schema(stream, &schema) != 0) {
    throw duckdb::IOException(stream->get_last_error(stream));
  }
}

struct Stream {
  ArrowArrayStream value{};
  ~Stream() {
    if (value.release != nullptr) value.release(&value);
  }
};

//! DuckDB's writer spoils what follows a null of an ARRAY: such columns are written as LIST, which
//! they are in Parquet anyhow.
duckdb::LogicalType to_written(const duckdb::LogicalType& type) {
  using duckdb::LogicalType;
  switch (type.id()) {
    case duckdb::LogicalTypeId::ARRAY:
      return LogicalType::LIST(to_written(duckdb::ArrayType::GetChildType(type)));
    case duckdb::LogicalTypeId::LIST:
      return LogicalType::LIST(to_written(duckdb::ListType::GetChildType(type)));
    case duckdb::LogicalTypeId::MAP:
      return LogicalType::MAP(to_written(duckdb::MapType::KeyType(type)),
                              to_written(duckdb::MapType::ValueType(type)));
    case duckdb::LogicalTypeId::STRUCT: {
      duckdb::child_list_t<LogicalType> members;
      for (const auto& [name, member] : duckdb::StructType::GetChildTypes(type)) {
        members.emplace_back(name, to_written(member));
      }
      return LogicalType::STRUCT(std::move(members));
    }
    default: return type;
  }
}

//! Every column as what it is written as.
std::string projection_of(duckdb::Relation& rows) {
  std::string text;
  for (const duckdb::ColumnDefinition& column : rows.Columns()) {
    const std::string name = duckdb::SQLIdentifier::ToString(column.Name());
    text += fmt::format("{}CAST({} AS {}) AS {}", text.empty() ? "" : ", ", name,
                        to_written(column.Type()).ToString(), name);
  }
  return text;
}

duckdb::Value pointer_to(const void* pointer) {
  return duckdb::Value::POINTER(reinterpret_cast<std::uintptr_t>(pointer));
}

}  // namespace

Status write_parquet(arrow::ReadBytes read, const std::string& path) {
  Stream stream;
  REEL_TRY(arrow::open_stream(std::move(read), stream.value));
  try {
    duckdb::DuckDB database(nullptr);
    duckdb::Connection connection(database);
    // "dumb": it takes every column, in order.
    const auto rows = connection.TableFunction(
        "arrow_scan_dumb", {pointer_to(&stream.value), pointer_to(reinterpret_cast<void*>(take)),
                            pointer_to(reinterpret_cast<void*>(get_schema))});
    rows->Project(projection_of(*rows))
        ->WriteParquet(path, {{"compression", {duckdb::Value("zstd")}}});
    return {};
  } catch (const std::exception& exception) {
    return Failure(to_error(duckdb::ErrorData(exception)));
  }
}

}  // namespace reel::sql
