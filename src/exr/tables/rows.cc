#include "exr/tables/rows.h"

#include "base/percent.h"
#include "base/version.h"
#include "exr/embedding.h"
#include "exr/inspect_json.h"
#include "exr/layers.h"
#include "exr/sequence_text.h"
#include "exr/tables/paths.h"
#include "exr/values.h"

namespace reel::exr {
namespace {

using store::Binary;
using store::Cells;
using store::Value;

//! Larger values of attributes are told in JSON by their digest.
constexpr std::size_t kJsonBytesMax = 4096;

//! Names in files are bytes, those in tables are UTF-8: what is not becomes U+FFFD.
std::string shown(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  std::string quoted;
  json::append_quoted(quoted, bytes);
  const auto text = json::parse(quoted);
  REEL_CHECK(text && text->as_string() != nullptr);
  return *text->as_string();
}

//! The bytes where shown() could not keep them.
Value unshown(std::string_view bytes) {
  return is_utf8(bytes) ? Value() : Value(Binary{std::string(bytes)});
}

template <typename T>
Value or_null(const std::optional<T>& value) {
  return value ? Value(*value) : Value();
}

//! A name, or null for numbers that have none.
Value named(std::string_view name) { return name.empty() ? Value() : Value(name); }

template <std::size_t N>
Value vector_of(const std::array<float, N>& vector) {
  store::ValueList list;
  list.reserve(N);
  for (const float each : vector) list.emplace_back(static_cast<double>(each));
  return Value(std::move(list));
}

bool has_deep_part(const Header& header) {
  for (const Part& part : header.parts) {
    const auto kind = part_kind(header.version, part);
    if (kind && kind->deep) return true;
  }
  return false;
}

//! The rows of one inspection.
class RowMaker {
 public:
  RowMaker(const RecordTables& tables, Inspection&& inspection, FileRows& out)
      : tables_(tables), inspection_(std::move(inspection)), out_(out) {}

  void make() {
    file();
    findings();
    for (std::size_t i = 0; i < inspection_.header.parts.size(); ++i) part(i);
    channels();
    // Last, because they give their values away.
    for (std::size_t i = 0; i < inspection_.header.parts.size(); ++i) attributes(i);
  }

 private:
  static Value index(std::size_t i) { return static_cast<std::int64_t>(i); }

  //! `key`: behind the file's id.
  void add(const std::string& table, store::Key key, Cells cells) {
    key.insert(key.begin(), Value(out_.file_id));
    cells.emplace_back("file_path", inspection_.path);
    out_.children.push_back({.kind = store::Mutation::Kind::insert,
                             .table = table,
                             .key = std::move(key),
                             .cells = std::move(cells)});
  }

  void file() {
    const Header& header = inspection_.header;
    const bool whole = inspection_.header_whole;
    out_.file = {{"file_path", inspection_.path},
                 {"file_path_normalized", out_.path},
                 {"header_hash", to_hex(header.sha256)},
                 {"size_bytes",
                  inspection_.size ? Value(static_cast<std::int64_t>(*inspection_.size)) : Value()},
                 {"mtime", or_null(inspection_.modified)},
                 {"multipart_count", whole ? index(header.parts.size()) : Value()},
                 {"is_deep", whole ? Value(has_deep_part(header)) : Value()},
                 {"metadata_embedding", whole ? vector_of(metadata_embedding(header)) : Value()},
                 {"channel_fingerprint", whole ? vector_of(channel_fingerprint(header)) : Value()},
                 {"status", status_name(inspection_.status())},
                 {"complete", or_null(inspection_.complete)},
                 {"header_bytes", static_cast<std::int64_t>(header.bytes)},
                 {"header_whole", whole},
                 {"version_word", std::int64_t{header.version.bits}},
                 {"shape_hash", inspection_.shape ? Value(to_hex(*inspection_.shape)) : Value()},
                 {"recorded_by", fmt::format("reelhouse {}", kVersion)}};
  }

  void findings() {
    std::int64_t ordinal = 0;
    for (const Finding& each : inspection_.findings) {
      add(tables_.findings, {ordinal++},
          {{"code", each.code},
           {"severity", severity_name(each.severity)},
           {"part_index", each.part ? Value(std::int64_t{*each.part}) : Value()},
           {"attribute_name", each.attribute.empty() ? Value() : Value(shown(each.attribute))},
           {"file_offset", or_null(each.offset)},
           {"message", shown(each.message)}});
    }
  }

  void part(std::size_t i) {
    const Part& part = inspection_.header.parts[i];
    const auto kind = part_kind(inspection_.header.version, part);
    const auto tiles = value_of<TileDescription>(part, "tiles");
    const bool tiled = kind && kind->tiled;
    const auto compression = value_of<Enumerated>(part, "compression");
    const auto line_order = value_of<Enumerated>(part, "lineOrder");
    const auto views = value_of<std::vector<std::string_view>>(part, "multiView");
    const auto aspect = value_of<float>(part, "pixelAspectRatio");
    const auto size = [&](std::uint32_t TileDescription::* side) {
      // A size beyond 31 bits is a finding, and no column of the guide's type holds it.
      const bool fits = tiles && (*tiles).*side <= 0x7fffffffU;
      return fits ? Value(std::int64_t{(*tiles).*side}) : Value();
    };
    Cells cells = {
        {"part_name", text_of(part, "name")},
        {"view_name", text_of(part, "view")},
        {"multi_view", views && views->size() > 1},
        {"pixel_aspect_ratio", aspect ? Value(static_cast<double>(*aspect)) : Value()},
        {"line_order", line_order ? named(line_order_name(line_order->number)) : Value()},
        {"compression", compression ? named(compression_name(compression->number)) : Value()},
        {"compression_number", compression ? Value(std::int64_t{compression->number}) : Value()},
        {"is_tiled", kind ? Value(kind->tiled) : Value()},
        {"tile_width", size(&TileDescription::x_size)},
        {"tile_height", size(&TileDescription::y_size)},
        {"tile_depth", tiled ? Value(1) : Value()},
        {"is_deep", kind ? Value(kind->deep) : Value()},
        {"part_type", text_of(part, "type")},
        {"file_offset", static_cast<std::int64_t>(part.offset)}};
    window(part, "dataWindow", "data", cells);
    window(part, "displayWindow", "display", cells);
    if (i < inspection_.chunks.size()) {
      const PartChunks& chunks = inspection_.chunks[i];
      cells.emplace_back("chunks_declared",
                         chunks.declared ? Value(std::int64_t{*chunks.declared}) : Value());
      cells.emplace_back("chunks_computed", or_null(chunks.computed));
      cells.emplace_back("chunks_unfinished", chunks.unfinished);
      cells.emplace_back("chunks_outside", chunks.outside);
    }
    add(tables_.parts, {index(i)}, std::move(cells));
  }

  static Value text_of(const Part& part, std::string_view name) {
    const auto text = value_of<std::string_view>(part, name);
    return text ? Value(shown(*text)) : Value();
  }

  static void window(const Part& part, std::string_view attribute, std::string_view name,
                     Cells& cells) {
    const auto box = value_of<Box2i>(part, attribute);
    if (!box) return;
    std::string json;
    json::Writer writer(json);
    write_value(writer, *part.find(attribute));
    cells.emplace_back(fmt::format("{}_window", name), std::move(json));
    cells.emplace_back(fmt::format("{}_x_min", name), std::int64_t{box->min.of[0]});
    cells.emplace_back(fmt::format("{}_y_min", name), std::int64_t{box->min.of[1]});
    cells.emplace_back(fmt::format("{}_x_max", name), std::int64_t{box->max.of[0]});
    cells.emplace_back(fmt::format("{}_y_max", name), std::int64_t{box->max.of[1]});
  }

  void channels() {
    std::optional<std::vector<Channel>> listed;
    std::uint32_t of = 0;
    for (const ChannelPlace& place : place_channels(inspection_.header)) {
      if (!listed || of != place.part) {
        of = place.part;
        listed = value_of<std::vector<Channel>>(inspection_.header.parts[of], "channels");
      }
      add(tables_.channels, {index(place.part), shown(place.name), index(place.channel)},
          {{"channel_type", named(pixel_type_name(place.pixel_type))},
           {"x_sampling", std::int64_t{place.x_sampling}},
           {"y_sampling", std::int64_t{place.y_sampling}},
           {"layer", shown(place.layer)},
           {"component", shown(place.component)},
           {"view", place.view.empty() ? Value() : Value(shown(place.view))},
           {"p_linear", std::int64_t{(*listed)[place.channel].p_linear}}});
    }
  }

  void attributes(std::size_t part) {
    std::int64_t ordinal = 0;
    for (Attribute& each : inspection_.header.parts[part].attributes) {
      const auto size = static_cast<std::int64_t>(each.bytes.size());
      std::string json;
      json::Writer writer(json);
      write_value(writer, each, kJsonBytesMax);
      Cells cells = {{"attribute_type", shown(each.type)},
                     {"attribute_value", std::move(json)},
                     {"attribute_size", size},
                     {"file_offset", static_cast<std::int64_t>(each.offset)},
                     {"name_bytes", unshown(each.name)},
                     {"type_bytes", unshown(each.type)}};
      if (each.bytes.size() > kValueBytesMax) {
        std::string digest = to_hex(sha256(each.bytes));
        cells.emplace_back("blob_sha256", digest);
        out_.blobs.push_back({std::move(digest), std::move(each.bytes)});
      } else {
        cells.emplace_back("value_bytes", Binary{std::move(each.bytes)});
      }
      add(tables_.attributes, {index(part), shown(each.name), ordinal++}, std::move(cells));
    }
  }

  const RecordTables& tables_;
  Inspection inspection_;
  FileRows& out_;
};

bool has_error(const SequenceReport& report) {
  return std::any_of(report.faults.begin(), report.faults.end(),
                     [](const auto& each) { return each.severity == Severity::error; });
}

}  // namespace

std::size_t FileRows::bytes() const {
  constexpr std::size_t kRowBytes = 1024;
  std::size_t sum = kRowBytes * (8 + children.size());
  for (const Blob& each : blobs) sum += each.bytes.size();
  return sum;
}

Result<FileRows> make_rows(const RecordTables& tables, Inspection&& inspection) {
  FileRows rows;
  REEL_ASSIGN(rows.path, normalize_path(inspection.path));
  rows.file_id = file_id(rows.path, inspection.header.sha256);
  RowMaker(tables, std::move(inspection), rows).make();
  return rows;
}

Result<std::string> id_of(const NameSequence& sequence) {
  REEL_ASSIGN(const std::string directory, normalize_path(sequence.directory));
  return sequence_id(directory, sequence.prefix, sequence.suffix);
}

Result<store::Mutation> sequence_row(const RecordTables& tables, const NameSequence& sequence,
                                     const SequenceReport& report, Instant now) {
  REEL_ASSIGN(const std::string id, id_of(sequence));
  std::string json;
  json::Writer writer(json);
  write_report(writer, report);
  const FileStatus status = has_error(report)        ? FileStatus::error
                            : !report.faults.empty() ? FileStatus::findings
                                                     : FileStatus::ok;
  return store::Mutation{
      .kind = store::Mutation::Kind::upsert,
      .table = tables.sequences,
      .key = {id},
      .cells = {{"pattern", report.pattern},
                {"kind", report.kind == SequenceKind::tiles ? "tiles" : "frames"},
                {"first_frame", report.first},
                {"last_frame", report.last},
                {"step", report.step},
                {"file_count", static_cast<std::int64_t>(report.files)},
                {"size_bytes", report.size_bytes},
                {"status", status_name(status)},
                {"report", std::move(json)},
                {"last_inspected", now}}};
}

}  // namespace reel::exr
