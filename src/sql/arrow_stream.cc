#include "sql/arrow_stream.h"

#include <duckdb/common/arrow/arrow_appender.hpp>
#include <duckdb/common/arrow/arrow_converter.hpp>
#include <duckdb/common/vector_operations/vector_operations.hpp>
#include <duckdb/function/table/arrow/arrow_duck_schema.hpp>
#include <duckdb/main/client_context.hpp>

#include "arrow/stream_writer.h"
#include "sql/session_internal.h"

namespace reel::sql {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

//! A batch ends with the chunk that makes it so long.
constexpr std::size_t kBatchBytes = std::size_t{1} << 20;

//! What a result's column is cast to before it becomes Arrow's.
LogicalType to_exchanged(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::HUGEINT: return LogicalType::DECIMAL(38, 0);
    case LogicalTypeId::UHUGEINT:
    case LogicalTypeId::ENUM:  // a dictionary, which may differ between batches
    case LogicalTypeId::TIME_TZ:
    case LogicalTypeId::BIT:
    case LogicalTypeId::BIGNUM:
    case LogicalTypeId::UNION: return LogicalType::VARCHAR;
    case LogicalTypeId::LIST:
      return LogicalType::LIST(to_exchanged(duckdb::ListType::GetChildType(type)));
    case LogicalTypeId::ARRAY:
      return LogicalType::ARRAY(to_exchanged(duckdb::ArrayType::GetChildType(type)),
                                duckdb::ArrayType::GetSize(type));
    case LogicalTypeId::MAP:
      return LogicalType::MAP(to_exchanged(duckdb::MapType::KeyType(type)),
                              to_exchanged(duckdb::MapType::ValueType(type)));
    case LogicalTypeId::STRUCT: {
      duckdb::child_list_t<LogicalType> members;
      for (const auto& [name, member] : duckdb::StructType::GetChildTypes(type)) {
        members.emplace_back(name, to_exchanged(member));
      }
      return LogicalType::STRUCT(std::move(members));
    }
    default: return type;
  }
}

//! DuckDB calls the elements of lists "l" and of arrays "array"; everybody else says "item". Its
//! way not to lose UUIDs makes booleans an extension type over bytes: the only bytes with metadata.
void correct_schema(ArrowSchema& field) {
  const std::string_view format = field.format;
  if (format.starts_with("+l") || format.starts_with("+w")) field.children[0]->name = "item";
  if (format == "c" && field.metadata != nullptr) {
    field.format = "b";
    field.metadata = nullptr;  // the root owns it
  }
  for (std::int64_t i = 0; i < field.n_children; ++i) correct_schema(*field.children[i]);
}

bool is_valid(const ArrowArray& array, std::size_t row) {
  const auto* bits = static_cast<const std::uint8_t*>(array.buffers[0]);
  return bits == nullptr || (bits[row / 8] >> (row % 8) & 1) != 0;
}

//! One byte for each value becomes one bit, in place.
void pack_booleans(const ArrowArray& array, std::uint8_t* values) {
  std::uint8_t packed = 0;
  const auto rows = static_cast<std::size_t>(array.length);
  for (std::size_t row = 0; row < rows; ++row) {
    const bool value = is_valid(array, row) && values[row] != 0;
    packed = static_cast<std::uint8_t>(packed | (value ? 1 << (row % 8) : 0));
    if (row % 8 == 7 || row + 1 == rows) values[row / 8] = std::exchange(packed, std::uint8_t{0});
  }
}

//! Bytes of a value in Arrow; 0 when it has no fixed number of them.
std::size_t width_of(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::DECIMAL: return 16;
    case LogicalTypeId::SQLNULL: return 0;
    default:
      return duckdb::TypeIsConstantSize(type.InternalType())
                 ? duckdb::GetTypeIdSize(type.InternalType())
                 : 0;
  }
}

//! Makes booleans bits. Where a value is null, DuckDB leaves what was in memory there, which is for
//! nobody to see: zeroes it.
void correct_array(const LogicalType& type, ArrowArray& array) {
  if (type.id() == LogicalTypeId::LIST || type.id() == LogicalTypeId::MAP) {
    return correct_array(duckdb::ListType::GetChildType(type), *array.children[0]);
  }
  if (type.id() == LogicalTypeId::ARRAY) {
    return correct_array(duckdb::ArrayType::GetChildType(type), *array.children[0]);
  }
  if (type.id() == LogicalTypeId::STRUCT) {
    const auto& members = duckdb::StructType::GetChildTypes(type);
    for (std::size_t i = 0; i < members.size(); ++i) {
      correct_array(members[i].second, *array.children[i]);
    }
    return;
  }
  const std::size_t width = width_of(type);
  if (width == 0) return;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): we made the array and have it alone
  auto* values = static_cast<std::uint8_t*>(const_cast<void*>(array.buffers[1]));
  if (type.id() == LogicalTypeId::BOOLEAN) return pack_booleans(array, values);
  for (std::size_t row = 0; row < static_cast<std::size_t>(array.length); ++row) {
    if (!is_valid(array, row)) std::fill_n(values + row * width, width, std::uint8_t{0});
  }
}

template <class Exchanged>
struct Released {
  Exchanged value{};
  ~Released() {
    if (value.release != nullptr) value.release(&value);
  }
};

}  // namespace

struct ArrowStream::State {
  explicit State(Cursor::State& source)
      : cursor(source), properties(source.result->client_properties) {
    for (const LogicalType& type : source.result->types) types.push_back(to_exchanged(type));
    properties.arrow_lossless_conversion = true;  // or a UUID would be text
  }

  Cursor::State& cursor;
  duckdb::ClientProperties properties;
  duckdb::vector<LogicalType> types;
  std::unique_ptr<arrow::StreamWriter> writer;
  std::size_t rows = 0;
  duckdb::DataChunk exchanged;

  Status begin(std::string& out);
  //! The cursor's chunk with the types of the stream.
  duckdb::DataChunk& exchange();
};

Status ArrowStream::State::begin(std::string& out) {
  Released<ArrowSchema> schema;
  duckdb::ArrowConverter::ToArrowSchema(&schema.value, types, cursor.result->names, properties);
  correct_schema(schema.value);
  REEL_ASSIGN(writer, arrow::StreamWriter::begin(schema.value, out));
  return {};
}

duckdb::DataChunk& ArrowStream::State::exchange() {
  duckdb::DataChunk& chunk = *cursor.chunk;
  if (types == cursor.result->types) return chunk;
  exchanged.Destroy();
  exchanged.Initialize(duckdb::Allocator::DefaultAllocator(), types);
  for (duckdb::idx_t i = 0; i < types.size(); ++i) {
    if (types[i] == chunk.data[i].GetType()) {
      exchanged.data[i].Reference(chunk.data[i]);
    } else {
      duckdb::VectorOperations::DefaultCast(chunk.data[i], exchanged.data[i], chunk.size());
    }
  }
  exchanged.SetCardinality(chunk.size());
  return exchanged;
}

ArrowStream::ArrowStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArrowStream::~ArrowStream() = default;

std::unique_ptr<ArrowStream> ArrowStream::of(Cursor& cursor) {
  return std::unique_ptr<ArrowStream>(new ArrowStream(std::make_unique<State>(*cursor.state_)));
}

Result<bool> ArrowStream::next(std::string& out, std::size_t rows_max) {
  State& state = *state_;
  Cursor::State& cursor = state.cursor;
  try {
    if (state.writer == nullptr) REEL_TRY(state.begin(out));
    duckdb::ArrowAppender batch(state.types, STANDARD_VECTOR_SIZE, state.properties,
                                duckdb::ArrowTypeExtensionData::GetExtensionTypes(
                                    *state.properties.client_context, state.types));
    std::size_t bytes = 0;
    do {
      REEL_ASSIGN(const bool more, cursor.next_chunk());
      if (!more) break;
      cursor.row = cursor.chunk->size();
      state.rows += cursor.row;
      if (state.rows > rows_max) return too_large("the answer has more than {} rows", rows_max);
      batch.Append(state.exchange(), 0, cursor.row, cursor.row);
      bytes += cursor.chunk->GetAllocationSize();
    } while (bytes < kBatchBytes && cursor.ready());
    if (batch.RowCount() > 0) {
      const Released<ArrowArray> array{batch.Finalize()};
      for (std::size_t i = 0; i < state.types.size(); ++i) {
        correct_array(state.types[i], *array.value.children[i]);
      }
      REEL_TRY(state.writer->write(array.value, out));
    }
    if (!cursor.ended) return true;
    REEL_TRY(state.writer->end(out));
    return false;
  } catch (const std::exception& exception) {
    return Failure(cursor.session.explain(duckdb::ErrorData(exception)));
  }
}

}  // namespace reel::sql
