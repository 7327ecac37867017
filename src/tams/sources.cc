#include "tams/sources.h"

#include <algorithm>
#include <array>

#include "tams/access.h"
#include "tams/changes.h"
#include "tams/collections.h"
#include "tams/edit.h"
#include "tams/flows.h"
#include "tams/search.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using Kind = DocumentField::Kind;

constexpr std::array<DocumentField, 9> kFields = {{
    {"id", "id", Kind::uuid},
    {"format", "format"},
    {"label", "label"},
    {"description", "description"},
    {"created_by", "created_by"},
    {"updated_by", "updated_by"},
    {"created", "created", Kind::moment},
    {"updated", "updated", Kind::moment},
    {"tags", "tags", Kind::json},
}};

const std::string kSources(table::kSources);

//! What flows of a source collect, and who collects them, seen as sources.
struct SourceLinks {
  struct Member {
    SourceId id;
    std::string role;
  };
  std::vector<Member> members;
  std::vector<SourceId> collectors;
};

Status add_members(store::Snapshot& snapshot, const Record& flow, SourceLinks& links) {
  if (flow.text("flow_collection").empty()) return {};
  REEL_ASSIGN(const json::Value items, json::parse(flow.text("flow_collection")));
  for (const json::Value& item : *items.as_array()) {
    REEL_ASSIGN(const FlowId member_id, FlowId::parse(*item.find("id")->as_string()));
    REEL_ASSIGN(const auto member, load(snapshot, table::kFlows, {member_id}));
    if (!member) continue;
    const SourceId source{member->uuid("source_id")};
    const bool known = std::any_of(links.members.begin(), links.members.end(),
                                   [&](const auto& m) { return m.id == source; });
    if (known) continue;
    const json::Value* role = item.find("role");
    links.members.push_back({source, role == nullptr ? std::string() : *role->as_string()});
  }
  return {};
}

Status add_collectors(store::Snapshot& snapshot, const Record& flow,
                      std::vector<SourceId>& collectors) {
  if (flow.integer("collected_count") == 0) return {};
  REEL_ASSIGN(const auto flows, collectors_of(snapshot, FlowId{flow.uuid("id")}));
  for (const FlowId collector : flows) {
    REEL_ASSIGN(const auto record, load(snapshot, table::kFlows, {collector}, {"source_id"}));
    if (!record) continue;
    const SourceId source{record->uuid("source_id")};
    if (std::find(collectors.begin(), collectors.end(), source) == collectors.end()) {
      collectors.push_back(source);
    }
  }
  return {};
}

Result<SourceLinks> links_of(store::Snapshot& snapshot, SourceId id) {
  SourceLinks links;
  REEL_ASSIGN(const auto flows, flows_of_source(snapshot, id));
  for (const Record& flow : flows) {
    REEL_TRY(add_members(snapshot, flow, links));
    REEL_TRY(add_collectors(snapshot, flow, links.collectors));
  }
  return links;
}

void write_links(json::Writer& out, const SourceLinks& links) {
  if (!links.members.empty()) {
    out.key("source_collection");
    out.begin_array();
    for (const auto& member : links.members) {
      out.begin_object();
      out.field("id", std::string_view(member.id.to_string()));
      if (!member.role.empty()) out.field("role", std::string_view(member.role));
      out.end_object();
    }
    out.end_array();
  }
  if (!links.collectors.empty()) {
    out.key("collected_by");
    out.begin_array();
    for (const SourceId collector : links.collectors) out.string(collector.to_string());
    out.end_array();
  }
}

void write_source(json::Writer& out, const Record& source, const SourceLinks& links) {
  out.begin_object();
  write_fields(out, kFields, source);
  write_links(out, links);
  out.end_object();
}

//! The same for a source that is about to be written.
std::string source_text(const json::Value& document, const SourceLinks& links) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const json::Member& member : *document.as_object()) {
    out.key(member.name);
    out.value(member.value);
  }
  write_links(out, links);
  out.end_object();
  return text;
}

bool collected_as_asked(const SourceLinks& links, const std::vector<SourceId>& wanted) {
  if (wanted.empty()) return links.collectors.empty();
  return std::any_of(wanted.begin(), wanted.end(), [&](SourceId id) {
    return std::find(links.collectors.begin(), links.collectors.end(), id) !=
           links.collectors.end();
  });
}

ListingOrder listing_order(SourceOrder order) {
  switch (order) {
    case SourceOrder::updated: return {table::kSources, "by_updated", "updated", true};
    case SourceOrder::label: return {table::kSources, "by_label", "label_order", false};
    default: return {table::kSources, "by_created", "created", true};
  }
}

//! Adds a new source with the format, label, description and tags of `like`.
void add_source(Write& write, SourceId id, const json::Value& like, const store::Cells& more) {
  json::Value document;
  document.set("id", id.to_string());
  for (const std::string_view member : {"format", "label", "description", "tags"}) {
    if (const json::Value* value = like.find(member)) document.set(member, *value);
  }
  document.set("created_by", write.caller.principal);
  document.set("updated_by", write.caller.principal);
  const std::string now = write.context.clock.now().to_string();
  document.set("created", now);
  document.set("updated", now);
  store::Cells cells = to_cells(kFields, document);
  std::erase_if(cells, [](const auto& cell) { return cell.first == "id"; });
  cells.emplace_back("label_order", label_order(document.find("label")));
  cells.emplace_back("search_text", search_text(document));
  cells.insert(cells.end(), more.begin(), more.end());
  write.batch.insert(kSources, {id}, std::move(cells));
  ChangeNotes(write).source_created(id, source_text(document, {}));
}

std::string name_of(SourceId id) { return "source " + id.to_string(); }

Status edit_source(const Context& context, const Caller& caller, SourceId id, const Edit& edit) {
  return retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record old, find_source(*snapshot, id));
    const json::Value before = to_document(kFields, old);
    REEL_TRY(check_condition(
        caller, [&] { return edit.show ? edit.show(before) : get_source(*snapshot, id); }));
    json::Value document = before;
    REEL_TRY(edit.change(document));
    REEL_TRY(settle_classes(caller, &before, document));
    document.set("updated", context.clock.now().to_string());
    document.set("updated_by", caller.principal);
    store::Cells cells = to_cells(kFields, document);
    std::erase_if(cells, [](const auto& cell) { return cell.first == "id"; });
    const std::int64_t revision = old.integer("revision");
    cells.emplace_back("label_order", label_order(document.find("label")));
    cells.emplace_back("search_text", search_text(document));
    cells.emplace_back("revision", revision + 1);
    Write write{context, caller, *snapshot};
    write.batch.require_cells(kSources, {id}, {{"revision", revision}});
    write.batch.update(kSources, {id}, std::move(cells));
    REEL_ASSIGN(const SourceLinks links, links_of(*snapshot, id));
    ChangeNotes(write).source_updated(id, links.collectors, source_text(document, links), before);
    return context.store.commit(std::move(write.batch));
  });
}

}  // namespace

Result<Record> find_source(store::Snapshot& snapshot, SourceId id) {
  REEL_ASSIGN(auto record, load(snapshot, table::kSources, {id}));
  if (!record) return not_found("source {} does not exist", id.to_string());
  return std::move(*record);
}

Result<std::vector<Record>> flows_of_source(store::Snapshot& snapshot, SourceId id,
                                            const std::vector<std::string>& columns) {
  store::ScanSpec spec;
  spec.columns = columns;
  spec.table = table::kFlows;
  spec.index = "by_source";
  spec.lower = store::RangeBound{.prefix = {id}};
  spec.upper = store::RangeBound{.prefix = {id}};
  REEL_ASSIGN(auto schema, snapshot.catalog().table(spec.table));
  std::vector<Record> flows;
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    flows.emplace_back(schema, row.cells);
    return true;
  }));
  return flows;
}

Result<std::vector<SourceId>> source_collectors(store::Snapshot& snapshot, SourceId id) {
  std::vector<SourceId> collectors;
  REEL_ASSIGN(const auto flows, flows_of_source(snapshot, id, {"id", "collected_count"}));
  for (const Record& flow : flows) REEL_TRY(add_collectors(snapshot, flow, collectors));
  return collectors;
}

Result<std::string> get_source(const Context& context, SourceId id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  return get_source(*snapshot, id);
}

Result<std::string> get_source(store::Snapshot& snapshot, SourceId id) {
  REEL_ASSIGN(const Record source, find_source(snapshot, id));
  REEL_ASSIGN(const SourceLinks links, links_of(snapshot, id));
  std::string text;
  json::Writer out(text);
  write_source(out, source, links);
  return text;
}

Result<json::Value> get_source_member(const Context& context, SourceId id,
                                      std::string_view member) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record source, find_source(*snapshot, id));
  return document_member(to_document(kFields, source), member, name_of(id));
}

Status set_source_member(const Context& context, const Caller& caller, SourceId id,
                         std::string_view member, std::optional<json::Value> value) {
  return edit_source(context, caller, id, edit_member(member, std::move(value), name_of(id)));
}

Status set_source_tag(const Context& context, const Caller& caller, SourceId id,
                      std::string_view name, std::optional<json::Value> value) {
  return edit_source(context, caller, id, edit_tag(name, std::move(value), name_of(id)));
}

Result<SourceId> create_source(const Context& context, const Caller& caller,
                               const json::Value& body) {
  const json::Value* asked = body.find("id");
  const SourceId id = asked == nullptr ? SourceId{Uuid::random(context.random)}
                                       : *SourceId::parse(*asked->as_string());
  json::Value document = body;
  REEL_TRY(settle_classes(caller, nullptr, document));
  bool exists = false;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const auto source, load(*snapshot, table::kSources, {id}));
    exists = source.has_value();
    if (exists) return {};
    Write write{context, caller, *snapshot};
    add_source(write, id, document, {{"kept", true}});
    return context.store.commit(std::move(write.batch));
  }));
  if (exists) return at("/id", conflict("source {} exists already", id.to_string()));
  return id;
}

Status replace_source(const Context& context, const Caller& caller, SourceId id,
                      const json::Value& body) {
  const json::Value* body_id = body.find("id");
  if (body_id != nullptr && *body_id != json::Value(id.to_string())) {
    return at("/id", not_found("the body is about source {}, the path about {}",
                               *body_id->as_string(), id.to_string()));
  }
  const auto replace = [&](json::Value& document) -> Status {
    const json::Value* format = body.find("format");
    if (format != nullptr && *format != *document.find("format")) {
      return at("/format", invalid("source {} has format {}, which cannot change", id.to_string(),
                                   *document.find("format")->as_string()));
    }
    for (const std::string_view member : {"label", "description", "tags"}) {
      const json::Value* value = body.find(member);
      assign_member(document, member, value == nullptr ? std::nullopt : std::optional(*value));
    }
    return {};
  };
  return edit_source(context, caller, id, {.change = replace});
}

Status delete_source(const Context& context, const Caller& caller, SourceId id) {
  return change_flowless_source(context, caller, id, [](Write& write, const Record& source) {
    remove_source(write, source);
    return Status();
  });
}

Status change_flowless_source(const Context& context, const Caller& caller, SourceId id,
                              const std::function<Status(Write&, const Record&)>& remove) {
  std::int64_t flows = 0;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record source, find_source(*snapshot, id));
    REEL_TRY(check_condition(caller, [&] { return get_source(*snapshot, id); }));
    flows = source.integer("flow_count");
    if (flows > 0) return {};
    REEL_TRY(check_condition(caller, [&] { return get_source(*snapshot, id); }));
    Write write{context, caller, *snapshot};
    REEL_TRY(remove(write, source));
    return context.store.commit(std::move(write.batch));
  }));
  if (flows == 0) return {};
  return conflict("source {} has {} flows; delete them first", id.to_string(), flows);
}

json::Value remove_source(Write& write, const Record& source) {
  const SourceId id{source.uuid("id")};
  json::Value document = to_document(kFields, source);
  write.batch.require_cells(kSources, {id}, {{"flow_count", 0}, {"revision", source["revision"]}});
  write.batch.erase(kSources, {id});
  ChangeNotes(write).source_deleted(id, {}, document);
  return document;
}

void restore_source(Write& write, SourceId id, const json::Value& document) {
  add_source(write, id, document, {{"kept", true}});
}

Result<Page> list_sources(const Context& context, const SourceFilter& filter, SourceOrder order,
                          const PageRequest& page) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  SourceLinks links;  // of the source that was accepted last
  const auto accept = [&](const Record& source) -> Result<bool> {
    if (filter.label && source.text("label") != *filter.label) return false;
    if (filter.label && source["label"].is_null()) return false;
    if (filter.format && source.text("format") != *filter.format) return false;
    if (!filter.tags.matches(source.text("tags"))) return false;
    REEL_ASSIGN(links, links_of(*snapshot, SourceId{source.uuid("id")}));
    return !filter.collected_by || collected_as_asked(links, *filter.collected_by);
  };
  const auto write = [&](json::Writer& out, const Record& source) -> Status {
    write_source(out, source, links);
    return {};
  };
  return list_rows(*snapshot, listing_order(order), page, accept, write);
}

Status join_source(Write& write, const json::Value& flow, const json::Value& like) {
  const SourceId id = *SourceId::parse(*flow.find("source_id")->as_string());
  const std::string& format = *flow.find("format")->as_string();
  REEL_ASSIGN(const auto source, load(write.snapshot, table::kSources, {id}));
  if (source) {
    if (source->text("format") != format) {
      return at("/format", invalid("source {} has format {}, not {}", id.to_string(),
                                   source->text("format"), format));
    }
    const std::int64_t count = source->integer("flow_count");
    write.batch.require_cells(kSources, {id}, {{"flow_count", count}});
    write.batch.update(kSources, {id}, {{"flow_count", count + 1}});
    return {};
  }
  add_source(write, id, like, {{"flow_count", 1}});
  return {};
}

Status leave_source(Write& write, SourceId id) {
  REEL_ASSIGN(const auto source, load(write.snapshot, table::kSources, {id}));
  if (!source) return {};
  const std::int64_t count = source->integer("flow_count");
  write.batch.require_cells(kSources, {id}, {{"flow_count", count}});
  if (count > 1 || source->flag("kept")) {
    write.batch.update(kSources, {id}, {{"flow_count", count - 1}});
    return {};
  }
  REEL_ASSIGN(const auto collectors, source_collectors(write.snapshot, id));
  write.batch.erase(kSources, {id});
  ChangeNotes(write).source_deleted(id, collectors, to_document(kFields, *source));
  return {};
}

}  // namespace reel::tams
