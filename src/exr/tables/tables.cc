#include "exr/tables/tables.h"

#include <algorithm>

#include "exr/embedding.h"

namespace reel::exr {
namespace {

using store::TableDefinition;
using store::Type;
using store::TypeKind;
using Column = TableDefinition::ColumnDefinition;
using Columns = std::vector<Column>;

constexpr std::string_view kTables[] = {"files",      "paths", "parts",    "channels",
                                        "attributes", "blobs", "findings", "sequences"};

Column column(TypeKind kind, std::string name, std::string doc) {
  return {.name = std::move(name), .type = Type::of(kind), .doc = std::move(doc)};
}
Column text(std::string name, std::string doc = {}) {
  return column(TypeKind::string, std::move(name), std::move(doc));
}
Column number(std::string name, std::string doc = {}) {
  return column(TypeKind::int64, std::move(name), std::move(doc));
}
Column small(std::string name, std::string doc = {}) {
  return column(TypeKind::int32, std::move(name), std::move(doc));
}
Column flag(std::string name, std::string doc = {}) {
  return column(TypeKind::boolean, std::move(name), std::move(doc));
}
Column moment(std::string name, std::string doc = {}) {
  return column(TypeKind::timestamp, std::move(name), std::move(doc));
}
Column bytes(std::string name, std::string doc = {}) {
  return column(TypeKind::binary, std::move(name), std::move(doc));
}
Column vector(std::string name, std::size_t dimensions, std::string doc) {
  return {
      .name = std::move(name),
      .type = Type::fixed_list(Type::of(TypeKind::float32), static_cast<std::uint32_t>(dimensions)),
      .doc = std::move(doc)};
}
Column required(Column column) {
  column.nullable = false;
  return column;
}

Columns file_columns() {
  Column count = required(small("inspection_count", "how often this header was found here"));
  count.default_value = 1;
  return {required(text("file_id", "of path and header: the same ones have the same id")),
          required(text("file_path", "as it was given")),
          required(text("file_path_normalized", "without '.', '..' and doubled slashes")),
          required(text("header_hash", "SHA-256 of the header's bytes")),
          number("size_bytes", "of the file"),
          moment("mtime", "when the file was changed"),
          small("multipart_count", "parts"),
          flag("is_deep", "a part holds deep pixels"),
          vector("metadata_embedding", kMetadataDimensions, "the header as a vector of length 1"),
          vector("channel_fingerprint", kChannelDimensions, "its channels as one"),
          required(moment("inspection_timestamp", "the first time")),
          std::move(count),
          required(moment("last_inspected")),
          required(text("status", "ok, findings or error")),
          flag("complete", "all chunks are there; null: it cannot be told"),
          required(number("header_bytes", "length of the header")),
          required(flag("header_whole", "its end was reached")),
          required(number("version_word", "the second word of the file")),
          text("shape_hash", "alike for the frames of a sequence"),
          text("sequence_id", "of sequences"),
          number("frame", "its number in the sequence"),
          required(text("recorded_by", "the program that made the rows"))};
}

Columns part_columns() {
  Columns columns = {required(text("file_id")),
                     required(text("file_path")),
                     required(small("part_index")),
                     text("part_name"),
                     text("view_name", "attribute view"),
                     required(flag("multi_view", "several views in this part")),
                     text("data_window", "JSON"),
                     text("display_window", "JSON"),
                     column(TypeKind::float32, "pixel_aspect_ratio", {}),
                     text("line_order"),
                     text("compression", "null: no known one"),
                     flag("is_tiled"),
                     small("tile_width"),
                     small("tile_height"),
                     small("tile_depth", "1 in tiled parts: tiles are flat"),
                     flag("is_deep"),
                     text("part_type", "attribute type"),
                     small("compression_number", "as in the file")};
  for (const char* window : {"data", "display"}) {
    for (const char* corner : {"x_min", "y_min", "x_max", "y_max"}) {
      columns.push_back(small(fmt::format("{}_{}", window, corner)));
    }
  }
  columns.push_back(number("chunks_declared", "attribute chunkCount"));
  columns.push_back(column(TypeKind::uint64, "chunks_computed", "from windows and compression"));
  columns.push_back(column(TypeKind::uint64, "chunks_unfinished", "never written"));
  columns.push_back(column(TypeKind::uint64, "chunks_outside", "beyond the file's end"));
  columns.push_back(required(number("file_offset", "of the part's header")));
  return columns;
}

Columns channel_columns() {
  return {required(text("file_id")),
          required(text("file_path")),
          required(small("part_index")),
          required(text("channel_name")),
          required(small("ordinal", "its place in the part's list")),
          text("channel_type", "half, float or uint; null: no known one"),
          small("x_sampling"),
          small("y_sampling"),
          text("layer", "empty: the default layer"),
          text("component", "R of diffuse.R"),
          text("view"),
          small("p_linear")};
}

Columns attribute_columns() {
  return {required(text("file_id")),
          required(text("file_path")),
          required(small("part_index")),
          required(text("attribute_name")),
          required(small("ordinal", "its place in the part")),
          required(text("attribute_type")),
          required(text("attribute_value", "JSON")),
          required(number("attribute_size", "bytes of the value")),
          required(number("file_offset", "of the attribute's first byte")),
          bytes("value_bytes", "the value as in the file; null: it is among the blobs"),
          text("blob_sha256", "of blobs"),
          bytes("name_bytes", "the name as in the file, if that is not UTF-8"),
          bytes("type_bytes", "the same of the type")};
}

Columns finding_columns() {
  return {required(text("file_id")),
          required(text("file_path")),
          required(small("ordinal")),
          required(text("code", "docs/formats/exr-findings.md")),
          required(text("severity", "error, warning or note")),
          small("part_index"),
          text("attribute_name"),
          column(TypeKind::uint64, "file_offset", "where the rule is broken"),
          required(text("message"))};
}

Columns sequence_columns() {
  return {required(text("sequence_id", "of the names without their number")),
          required(text("pattern", "names with the first and the last number")),
          required(text("kind", "frames or tiles")),
          required(number("first_frame")),
          required(number("last_frame")),
          required(number("step")),
          required(number("file_count")),
          required(column(TypeKind::uint64, "size_bytes", "of all files")),
          required(text("status", "ok, findings or error")),
          required(text("report", "JSON: docs/guide/exr-sequences.md")),
          required(moment("last_inspected"))};
}

}  // namespace

RecordTables::RecordTables(std::string_view schema) {
  const auto name = [&](std::string_view table) { return store::join_table_name(schema, table); };
  files = name("files");
  paths = name("paths");
  parts = name("parts");
  channels = name("channels");
  attributes = name("attributes");
  blobs = name("blobs");
  findings = name("findings");
  sequences = name("sequences");
}

std::vector<TableDefinition> RecordTables::definitions() const {
  return {{.name = files,
           .columns = file_columns(),
           .partition_key = {"file_id"},
           .clustering_key = {},
           .indexes = {{"by_path", {"file_path_normalized"}},
                       {"by_last_inspected", {"last_inspected"}}},
           .product = true},
          {.name = paths,
           .columns = {required(text("file_path_normalized")), required(text("file_id"))},
           .partition_key = {"file_path_normalized"},
           .clustering_key = {},
           .indexes = {},
           .product = true},
          {.name = parts,
           .columns = part_columns(),
           .partition_key = {"file_id"},
           .clustering_key = {"part_index"},
           .indexes = {},
           .product = true},
          {.name = channels,
           .columns = channel_columns(),
           .partition_key = {"file_id"},
           .clustering_key = {"part_index", "channel_name", "ordinal"},
           .indexes = {{"by_name", {"channel_name"}}},
           .product = true},
          {.name = attributes,
           .columns = attribute_columns(),
           .partition_key = {"file_id"},
           .clustering_key = {"part_index", "attribute_name", "ordinal"},
           .indexes = {{"by_name", {"attribute_name"}}},
           .product = true},
          {.name = blobs,
           .columns = {required(text("sha256")), required(number("piece", "from 0")),
                       number("uses", "attributes with this value; with the first piece"),
                       required(bytes("bytes"))},
           .partition_key = {"sha256"},
           .clustering_key = {"piece"},
           .indexes = {},
           .product = true},
          {.name = findings,
           .columns = finding_columns(),
           .partition_key = {"file_id"},
           .clustering_key = {"ordinal"},
           .indexes = {{"by_code", {"code"}}},
           .product = true},
          {.name = sequences,
           .columns = sequence_columns(),
           .partition_key = {"sequence_id"},
           .clustering_key = {},
           .indexes = {},
           .product = true}};
}

Status ensure_record_tables(store::Store& store, const RecordTables& tables) {
  for (const TableDefinition& definition : tables.definitions()) {
    REEL_TRY(store.ensure_table(definition, "reelhouse exr"));
  }
  return {};
}

bool is_record_table(const store::TableSchema& schema) {
  const store::TableName name = store::split_table_name(schema.name);
  return schema.product && name.space != store::kMainNamespace &&
         std::find(std::begin(kTables), std::end(kTables), name.table) != std::end(kTables);
}

}  // namespace reel::exr
