#include "tams/row_edits.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <span>

#include "json/value.h"
#include "store/document.h"
#include "tams/deletions.h"
#include "tams/flows.h"
#include "tams/flows_internal.h"
#include "tams/garbage.h"
#include "tams/segments.h"
#include "tams/segments_internal.h"
#include "tams/shapes.h"
#include "tams/sources.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using store::RowEdit;
using store::TableSchema;
using store::Value;
using Names = std::span<const std::string_view>;

//! Columns that documents of flows are made of; the others follow from these.
constexpr auto kFlowColumns = std::to_array<std::string_view>({"id",
                                                               "source_id",
                                                               "profile_id",
                                                               "label",
                                                               "description",
                                                               "created_by",
                                                               "updated_by",
                                                               "tags",
                                                               "generation",
                                                               "status",
                                                               "metadata_version",
                                                               "read_only",
                                                               "max_bit_rate",
                                                               "avg_bit_rate",
                                                               "flow_collection",
                                                               "format",
                                                               "codec",
                                                               "container",
                                                               "segment_duration",
                                                               "container_mapping",
                                                               "extra",
                                                               "essence_parameters"});
constexpr auto kFlowObjects = std::to_array<std::string_view>(
    {"tags", "segment_duration", "container_mapping", "essence_parameters", "extra"});
constexpr auto kSourceColumns =
    std::to_array<std::string_view>({"id", "format", "label", "description", "tags"});
constexpr auto kSegmentColumns = std::to_array<std::string_view>(
    {"timeline_id", "start_time", "end_time", "end_inclusive", "object_id", "ts_offset",
     "last_duration", "sample_offset", "sample_count", "tags", "key_frame_count",
     "object_timerange", "init_object_id"});
constexpr auto kTags = std::to_array<std::string_view>({"tags"});

bool contains(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_users(const store::Column& column) {
  return column.product_name.empty() && column.id != store::kInsertedAt;
}

//! Edits of one table, one after the other.
class Edits {
 public:
  Edits(const Context& context, const Caller& caller, std::shared_ptr<const TableSchema> schema)
      : context_(context),
        caller_(caller),
        schema_(std::move(schema)),
        has_user_columns_(std::any_of(schema_->columns.begin(), schema_->columns.end(), is_users)) {
  }

  Status apply(const std::vector<RowEdit>& edits) {
    if (schema_->name == table::kSegments) return apply_segments(edits);
    for (const RowEdit& edit : edits) {
      REEL_TRY(named(edit, check_key(edit)));
      REEL_TRY(named(edit, apply(edit)));
      REEL_TRY(named(edit, set_user_cells(edit)));
    }
    return {};
  }

 private:
  Status apply(const RowEdit& edit) {
    if (schema_->name == table::kFlows) return apply_flow(edit);
    if (schema_->name == table::kSources) return apply_source(edit);
    if (!edit.before || !edit.after) {
      return forbidden("rows of table {} come and go with the API, see /openapi.json",
                       schema_->name);
    }
    return check_columns(edit, {});
  }

  Status apply_flow(const RowEdit& edit) {
    if (!edit.after) {
      const FlowId id{record(*edit.before).uuid("id")};
      REEL_ASSIGN(const auto later, delete_flow(context_, caller_, id));
      return {};  // what is left of the segments is deleted later, as by the API
    }
    REEL_TRY(check_columns(edit, kFlowColumns));
    REEL_TRY(check_objects(*edit.after, kFlowObjects));
    const Record after = record(*edit.after);
    const FlowId id{after.uuid("id")};
    const json::Value document = flow_document(after);
    if (edit.before) {
      const Record before = record(*edit.before);
      if (document == flow_document(before)) return {};
      // Of a read-only flow only that can be changed, so it comes first.
      if (before.flag("read_only") && !after.flag("read_only")) {
        REEL_TRY(set_flow_member(context_, caller_, id, "read_only", json::Value(false)));
        json::Value rest = flow_document(before);
        rest.erase("read_only");
        if (document == rest) return {};
      }
    }
    static const json::Shape shape = shape::flow_put();
    REEL_TRY(shape.check(document));
    if (edit.before) return ignore_value(put_flow(context_, caller_, id, document));
    return ignore_value(create_flow(context_, caller_, id, document));
  }

  Status apply_source(const RowEdit& edit) {
    if (!edit.after) {
      return delete_source(context_, caller_, SourceId{record(*edit.before).uuid("id")});
    }
    REEL_TRY(check_columns(edit, kSourceColumns));
    REEL_TRY(check_objects(*edit.after, kTags));
    const Record after = record(*edit.after);
    const json::Value document = source_document(after);
    if (edit.before) {
      if (document == source_document(record(*edit.before))) return {};
      static const json::Shape shape = shape::source_put();
      REEL_TRY(shape.check(document));
      return replace_source(context_, caller_, SourceId{after.uuid("id")}, document);
    }
    static const json::Shape shape = shape::source_post();
    REEL_TRY(shape.check(document));
    return ignore_value(create_source(context_, caller_, document));
  }

  Status apply_segments(const std::vector<RowEdit>& edits) {
    std::map<Uuid, std::vector<const RowEdit*>> erased;
    std::map<Uuid, std::vector<const RowEdit*>> added;
    const std::size_t timeline = schema_->position("timeline_id");
    for (const RowEdit& edit : edits) {
      REEL_TRY(named(edit, check_key(edit)));
      REEL_TRY(named(edit, check_columns(edit, edit.before ? Names(kTags) : kSegmentColumns)));
      if (!edit.after) erased[(*edit.before)[timeline].get<Uuid>()].push_back(&edit);
      if (!edit.before) added[(*edit.after)[timeline].get<Uuid>()].push_back(&edit);
    }
    for (auto& [id, some] : erased) REEL_TRY(erase_segments(TimelineId{id}, some));
    for (auto& [id, some] : added) REEL_TRY(add_segments(TimelineId{id}, some));
    for (const RowEdit& edit : edits) {
      if (edit.before && edit.after) REEL_TRY(named(edit, change_tags(edit)));
      if (edit.after) REEL_TRY(named(edit, set_user_cells(edit)));
    }
    return {};
  }

  Result<FlowId> flow_of(TimelineId timeline) {
    REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
    REEL_ASSIGN(const auto flow, flow_on(*snapshot, timeline, {"id"}));
    if (!flow) return not_found("no flow has the timeline {}", timeline.to_string());
    return FlowId{flow->uuid("id")};
  }

  //! By their starts.
  void sort(std::vector<const RowEdit*>& edits) const {
    const std::size_t start = schema_->position("start_time");
    const auto row = [](const RowEdit* edit) -> const store::Row& {
      return edit->after ? *edit->after : *edit->before;
    };
    std::sort(edits.begin(), edits.end(), [&](const RowEdit* a, const RowEdit* b) {
      return compare(row(a)[start], row(b)[start]) < 0;
    });
  }

  Status erase_segments(TimelineId timeline, std::vector<const RowEdit*>& edits) {
    sort(edits);
    const auto flow = flow_of(timeline);
    if (!flow) return named(*edits.front(), Failure(flow.error().clone()));
    Context at_once = context_;  // a statement's rows are gone after it, however many
    at_once.limits.delete_segments_max = edits.size();
    const SegmentColumns columns(*schema_);
    for (std::size_t i = 0; i < edits.size();) {
      const RowEdit& first = *edits[i];
      const Segment begin = segment_of({*schema_, *first.before}, columns);
      time::Int128 end = begin.end_nanoseconds;
      for (++i; i < edits.size(); ++i) {
        const Segment next = segment_of({*schema_, *edits[i]->before}, columns);
        if (next.start.nanoseconds() != end) break;
        end = next.end_nanoseconds;
      }
      const auto run =
          time::TimeRange::half_open(begin.start, time::Timestamp::from_nanoseconds(end));
      REEL_TRY(named(first, ignore_value(delete_segments(at_once, caller_, *flow, run, {}))));
    }
    return {};
  }

  Status add_segments(TimelineId timeline, std::vector<const RowEdit*>& edits) {
    sort(edits);
    const auto flow = flow_of(timeline);
    if (!flow) return named(*edits.front(), Failure(flow.error().clone()));
    const std::size_t at_once = context_.limits.bulk_segments_max;
    for (std::size_t from = 0; from < edits.size(); from += at_once) {
      json::Array bodies;
      const std::size_t to = std::min(edits.size(), from + at_once);
      REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
      for (std::size_t i = from; i < to; ++i) {
        auto body = segment_body(*snapshot, *edits[i]->after);
        if (!body) return named(*edits[i], Failure(std::move(body).error()));
        bodies.push_back(*std::move(body));
      }
      REEL_ASSIGN(const auto failed, register_segments(context_, caller_, *flow, bodies));
      if (failed.empty()) continue;
      // "/12/timerange" is about the 12th.
      const std::string& pointer = failed.front().error.pointer();
      const std::size_t index = std::strtoul(pointer.c_str() + 1, nullptr, 10);
      Error error = failed.front().error.clone();
      std::string member = pointer.substr(std::min(pointer.find('/', 1), pointer.size()));
      return named(*edits[from + index], Failure(std::move(error).at(std::move(member))));
    }
    return {};
  }

  Result<json::Value> segment_body(store::Snapshot& snapshot, const store::Row& row) const {
    const Record segment = record(row);
    for (const std::string_view column : {"end_time", "object_id", "end_inclusive"}) {
      if (segment[column].is_null()) return invalid("column '{}' may not be null", column);
    }
    for (const std::string_view column : {"start_time", "end_time", "ts_offset", "last_duration"}) {
      const auto* number = segment[column].get_if<store::Decimal>();
      if (number == nullptr) continue;
      if (const auto moment = time::Timestamp::checked(number->unscaled); !moment) {
        return invalid("column '{}': {}", column, moment.error().message());
      }
    }
    REEL_TRY(check_objects(row, kTags));
    REEL_ASSIGN(const auto there,
                snapshot.get(schema_->name, key_of(*schema_, row), {"start_time"}));
    if (there) return conflict("there is such a row already");
    const SegmentColumns columns(*schema_);
    const store::RowView view{*schema_, row};
    SegmentFields fields = fields_of(view, columns);
    if (!segment["tags"].is_null()) fields.tags = segment.text("tags");
    std::string text;
    json::Writer out(text);
    write_segment(out, fields);
    REEL_ASSIGN(json::Value body, json::parse(text));
    static const json::Shape shape = shape::segment_post();
    REEL_TRY(shape.check(body));
    return body;
  }

  Status change_tags(const RowEdit& edit) {
    const std::size_t tags = schema_->position("tags");
    const Value& cell = (*edit.after)[tags];
    if (cell == (*edit.before)[tags]) return {};
    REEL_TRY(check_objects(*edit.after, kTags));
    std::optional<json::Value> value;
    if (!cell.is_null()) {
      REEL_ASSIGN(value, json::parse(cell.get<std::string>()));
      static const json::Shape shape = shape::tags();
      REEL_TRY(shape.check(*value));
    }
    const Segment segment = segment_of({*schema_, *edit.before});
    REEL_ASSIGN(const FlowId flow, flow_of(TimelineId{record(*edit.before).uuid("timeline_id")}));
    return set_segment_tags(context_, caller_, {flow, segment.start}, std::move(value));
  }

  //! Cells of users' columns which the writes above have not set.
  Status set_user_cells(const RowEdit& edit) {
    if (!edit.after || !has_user_columns_) return {};
    const store::Key key = key_of(*schema_, *edit.after);
    REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
    REEL_ASSIGN(const auto row, snapshot->get(schema_->name, key));
    if (!row) return {};
    store::Cells before;
    store::Cells after;
    for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
      const store::Column& column = schema_->columns[i];
      if (!is_users(column)) continue;
      const Value& cell = (*edit.after)[i];
      if (cell == (*row)[i]) continue;
      if (cell.is_null() && !column.nullable) {
        return invalid("column '{}' may not be null", column.name);
      }
      before.emplace_back(store::column_reference(column.id), (*row)[i]);
      after.emplace_back(store::column_reference(column.id), cell);
    }
    if (after.empty()) return {};
    store::Batch batch;
    batch.schema_versions.emplace_back(schema_->name, schema_->version);
    batch.require_cells(schema_->name, key, std::move(before));
    batch.update(schema_->name, key, std::move(after));
    return context_.store.commit(std::move(batch));
  }

  //! A key says which row it is, for ever.
  Status check_key(const RowEdit& edit) const {
    for (const store::ColumnId id : schema_->key()) {
      const std::size_t position = schema_->position(id);
      const std::string& name = schema_->columns[position].name;
      if (edit.after && (*edit.after)[position].is_null()) {
        return invalid("column '{}' may not be null", name);
      }
      if (edit.before && edit.after && (*edit.before)[position] != (*edit.after)[position]) {
        return forbidden("column '{}' is the key of table {} and cannot change", name,
                         schema_->name);
      }
    }
    return {};
  }

  //! Of the product's columns, only these differ: from the row as it was, or from a row without
  //! any.
  Status check_columns(const RowEdit& edit, Names writable) const {
    if (!edit.after) return {};
    for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
      const store::Column& column = schema_->columns[i];
      if (is_users(column) || column.id == store::kInsertedAt) continue;
      const Value& otherwise = edit.before ? (*edit.before)[i] : column.default_value;
      if ((*edit.after)[i] == otherwise || contains(writable, column.product_name)) continue;
      return forbidden("column '{}' of table {} is filled by the product", column.name,
                       schema_->name);
    }
    return {};
  }

  //! Columns that hold JSON objects (flow_collection: an array) as text.
  Status check_objects(const store::Row& row, Names columns) const {
    const Record cells = record(row);
    const auto check = [&](std::string_view column, bool is_object) -> Status {
      if (cells[column].is_null()) return {};
      const auto value = json::parse(cells.text(column));
      if (!value) return invalid("column '{}' is not JSON: {}", column, value.error().message());
      if (is_object ? value->as_object() != nullptr : value->as_array() != nullptr) return {};
      return invalid("column '{}' is not a JSON {}", column, is_object ? "object" : "array");
    };
    for (const std::string_view column : columns) REEL_TRY(check(column, true));
    if (schema_->name == table::kFlows) return check("flow_collection", false);
    return {};
  }

  static json::Value source_document(const Record& source) {
    json::Value document;
    document.set("id", source.uuid("id").to_string());
    for (const std::string_view column : {"format", "label", "description"}) {
      if (!source[column].is_null()) document.set(column, std::string(source.text(column)));
    }
    if (!source["tags"].is_null()) document.set("tags", *json::parse(source.text("tags")));
    return document;
  }

  //! An error says which row it is about.
  Status named(const RowEdit& edit, Status status) const {
    if (status) return status;
    const store::Row& row = edit.after ? *edit.after : *edit.before;
    const Error& error = status.error();
    std::string pointer = error.pointer();
    return Failure(
        Error(error.code(),
              fmt::format("{} {}: {}{}{}", schema_->name, key_text(*schema_, key_of(*schema_, row)),
                          pointer, pointer.empty() ? "" : ": ", error.message())));
  }

  template <class T>
  static Status ignore_value(Result<T> result) {
    if (result) return {};
    return Failure(std::move(result).error());
  }

  Record record(const store::Row& row) const { return {schema_, row}; }

  const Context& context_;
  const Caller& caller_;
  const std::shared_ptr<const TableSchema> schema_;
  const bool has_user_columns_;
};

}  // namespace

Status apply_row_edits(const Context& context, const Caller& caller,
                       const store::TableSchema& table, const std::vector<RowEdit>& edits) {
  REEL_CHECK(context.is_draft);
  std::shared_ptr<const TableSchema> schema;
  {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(schema, snapshot->catalog().table(table.name));
  }
  return Edits(context, caller, std::move(schema)).apply(edits);
}

Status settle_row_edits(const Context& context) {
  context.deletions->notify();
  return collect_unused(context);
}

}  // namespace reel::tams
