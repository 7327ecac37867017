#include "lake/parquet_sink.h"

#include <algorithm>
#include <optional>

#include <arrow/array/builder_base.h>
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include "lake/cell_builder_internal.h"
#include "lake/durable_file.h"
#include "lake/parquet_schema_internal.h"
#include "store/draft.h"

namespace reel::lake {
namespace {

using store::Row;
using store::Value;

//! Rows that go to Arrow's writer at once, unless their cells take so many bytes before.
constexpr std::int64_t kBatchRowsMax = 4'096;
constexpr std::size_t kBatchBytesMax = std::size_t{4} << 20;

//! Hands Arrow's bytes to a file of ours, and keeps the error that Arrow has no place for.
class FileStream final : public ::arrow::io::OutputStream {
 public:
  explicit FileStream(DurableFile& file) : file_(file) {}

  using ::arrow::io::OutputStream::Write;
  ::arrow::Status Write(const void* data, std::int64_t size) override {
    Status written = file_.write({static_cast<const char*>(data), static_cast<std::size_t>(size)});
    if (written) return ::arrow::Status::OK();
    if (!failure_) failure_ = std::move(written).error();
    return ::arrow::Status::IOError(failure_->message());
  }
  ::arrow::Status Close() override {
    closed_ = true;
    return ::arrow::Status::OK();
  }
  ::arrow::Result<std::int64_t> Tell() const override { return file_.size_bytes(); }
  bool closed() const override { return closed_; }

  const std::optional<Error>& failure() const { return failure_; }

 private:
  DurableFile& file_;
  std::optional<Error> failure_;
  bool closed_ = false;
};

bool has_bounds(const store::Column& column) { return !column.type.is_nested(); }

//! Which leaf of the file each key column is.
::arrow::Result<std::vector<::parquet::SortingColumn>> sorting(const store::TableSchema& schema,
                                                               const ::arrow::Schema& written) {
  std::shared_ptr<::parquet::SchemaDescriptor> leaves;
  ARROW_RETURN_NOT_OK(::parquet::arrow::ToParquetSchema(
      &written, *::parquet::default_writer_properties(), &leaves));
  std::vector<::parquet::SortingColumn> columns;
  for (const store::ColumnId id : schema.key()) {
    for (int i = 0; i < leaves->num_columns(); ++i) {
      if (leaves->Column(i)->schema_node()->field_id() != static_cast<int>(id)) continue;
      columns.push_back({.column_idx = i, .descending = false, .nulls_first = false});
    }
  }
  return columns;
}

class ArrowSink final : public ParquetSink {
 public:
  ArrowSink(std::unique_ptr<DurableFile> file, std::string path, const store::TableSchema& schema,
            ParquetOptions options)
      : options_(std::move(options)),
        schema_(schema),
        file_(std::move(file)),
        stream_(std::make_shared<FileStream>(*file_)) {
    result_.path = std::move(path);
    for (const store::Column& column : schema_.columns) bounds_.emplace_back(column.type.kind);
  }

  Status open() { return status_of(open_writer()); }

  Status add(const Row& cells) override {
    store::Key key = store::key_of(schema_, cells);
    if (result_.rows > 0 &&
        !std::ranges::lexicographical_compare(
            last_key_, key, [](const Value& a, const Value& b) { return compare(a, b) < 0; })) {
      return invalid("rows for {} do not come in the order of their keys", result_.path);
    }
    last_key_ = std::move(key);
    REEL_TRY(status_of(append(cells)));
    ++result_.rows;
    return {};
  }

  Result<DataFile> finish() override {
    REEL_TRY(status_of(write_batch()));
    REEL_TRY(status_of(writer_->Close()));
    REEL_ASSIGN(result_.sha256, file_->finish());
    result_.size_bytes = file_->size_bytes();
    read_footer();
    for (std::size_t i = 0; i < bounds_.size(); ++i) {
      const store::Column& column = schema_.columns[i];
      if (has_bounds(column)) bounds_[i].write_to(result_.columns[column.id]);
    }
    return std::move(result_);
  }

 private:
  ::arrow::Status open_writer() {
    const auto pool = ::arrow::system_memory_pool();
    written_ = parquet_schema(schema_);
    for (const auto& field : written_->fields()) {
      ARROW_ASSIGN_OR_RAISE(auto builder, ::arrow::MakeBuilder(storage_type(*field->type()), pool));
      builders_.push_back(std::move(builder));
    }
    ARROW_ASSIGN_OR_RAISE(auto sorted, sorting(schema_, *written_));
    const auto properties =
        ::parquet::WriterProperties::Builder()
            .memory_pool(pool)
            ->compression(::parquet::Compression::ZSTD)
            ->compression_level(options_.zstd_level)
            ->max_row_group_length(static_cast<std::int64_t>(options_.row_group_rows_max))
            ->set_sorting_columns(std::move(sorted))
            ->enable_write_page_index()
            ->build();
    ARROW_ASSIGN_OR_RAISE(writer_,
                          ::parquet::arrow::FileWriter::Open(*written_, pool, stream_, properties));
    auto metadata = std::make_shared<::arrow::KeyValueMetadata>();
    for (const auto& [key, value] : options_.metadata) metadata->Append(key, value);
    return writer_->AddKeyValueMetadata(metadata);
  }

  ::arrow::Status append(const Row& cells) {
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      const store::Column& column = schema_.columns[i];
      ARROW_ASSIGN_OR_RAISE(const std::size_t bytes,
                            append_cell(*builders_[i], column.type, cells[i]));
      batch_bytes_ += bytes;
      if (has_bounds(column)) bounds_[i].add(cells[i]);
    }
    if (++batch_rows_ < kBatchRowsMax && batch_bytes_ < kBatchBytesMax) {
      return ::arrow::Status::OK();
    }
    return write_batch();
  }

  ::arrow::Status write_batch() {
    if (batch_rows_ == 0) return ::arrow::Status::OK();
    if (group_bytes_ >= options_.row_group_bytes_max) {
      ARROW_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
      group_bytes_ = 0;
    }
    std::vector<std::shared_ptr<::arrow::ArrayData>> columns;
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      std::shared_ptr<::arrow::ArrayData> column;
      ARROW_RETURN_NOT_OK(builders_[i]->FinishInternal(&column));
      columns.push_back(with_type(*column, written_->field(static_cast<int>(i))->type()));
    }
    const auto batch = ::arrow::RecordBatch::Make(written_, batch_rows_, std::move(columns));
    group_bytes_ += batch_bytes_;
    batch_rows_ = 0;
    batch_bytes_ = 0;
    return writer_->WriteRecordBatch(*batch);
  }

  //! What the writer counted of every leaf.
  void read_footer() {
    const auto footer = writer_->metadata();
    for (int group = 0; group < footer->num_row_groups(); ++group) {
      const auto row_group = footer->RowGroup(group);
      for (int leaf = 0; leaf < row_group->num_columns(); ++leaf) {
        const auto chunk = row_group->ColumnChunk(leaf);
        const int id = footer->schema()->Column(leaf)->schema_node()->field_id();
        ColumnStatistics& column = result_.columns[static_cast<store::ColumnId>(id)];
        column.values += chunk->num_values();
        column.bytes += chunk->total_compressed_size();
        const auto counted = chunk->encoded_statistics();
        if (counted != nullptr && counted->has_null_count) column.nulls += counted->null_count;
      }
    }
  }

  Status status_of(const ::arrow::Status& status) const {
    if (status.ok()) return {};
    if (stream_->failure()) return Failure(stream_->failure()->clone());
    const Code code = status.IsOutOfMemory() ? Code::overloaded : Code::internal;
    return fail(code, "writing {}: {}", result_.path, status.message());
  }

  const ParquetOptions options_;
  const store::TableSchema schema_;
  const std::unique_ptr<DurableFile> file_;
  const std::shared_ptr<FileStream> stream_;
  std::shared_ptr<::arrow::Schema> written_;
  std::vector<std::unique_ptr<::arrow::ArrayBuilder>> builders_;  //!< by column
  std::vector<BoundsCollector> bounds_;                           //!< by column
  std::unique_ptr<::parquet::arrow::FileWriter> writer_;
  std::int64_t batch_rows_ = 0;
  std::size_t batch_bytes_ = 0;
  std::size_t group_bytes_ = 0;
  store::Key last_key_;
  DataFile result_;
};

}  // namespace

Result<std::unique_ptr<ParquetSink>> ParquetSink::create(const std::string& folder,
                                                         const std::string& path,
                                                         const store::TableSchema& schema,
                                                         ParquetOptions options) {
  REEL_ASSIGN(auto file, DurableFile::create(folder + "/" + path));
  auto sink = std::make_unique<ArrowSink>(std::move(file), path, schema, std::move(options));
  REEL_TRY(sink->open());
  return sink;
}

}  // namespace reel::lake
