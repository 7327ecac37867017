#include "tams/audit.h"

#include "events/change_log.h"
#include "tams/changes.h"

namespace reel::tams {
namespace {

//! Changes that one page looks at; bounds the time of a request.
constexpr std::size_t kExaminedMax = 20'000;

bool matches(const AuditFilter& filter, const events::Change& change) {
  if (change.type == kObjectStored || change.type == kObjectsSettled) return false;
  return (!filter.type || change.type == *filter.type) &&
         (!filter.actor || change.actor == *filter.actor) &&
         (!filter.flow_id || change.flow_id == filter.flow_id) &&
         (!filter.source_id || change.source_id == filter.source_id);
}

void write_change(json::Writer& out, const events::Change& change) {
  out.begin_object();
  out.field("sequence", change.sequence);
  out.field("at", std::string_view(change.at.to_string()));
  out.field("type", std::string_view(change.type));
  out.field("actor", std::string_view(change.actor));
  if (change.flow_id) out.field("flow_id", std::string_view(change.flow_id->to_string()));
  if (change.source_id) out.field("source_id", std::string_view(change.source_id->to_string()));
  out.raw_field("event", change.payload);
  if (!change.before.empty()) out.raw_field("before", change.before);
  out.end_object();
}

}  // namespace

Result<Page> list_changes(const Context& context, const AuditFilter& filter,
                          const PageRequest& request) {
  const store::Type key_type = store::Type::of(store::TypeKind::int64);
  std::optional<std::int64_t> from;
  if (!request.key.empty()) {
    REEL_ASSIGN(const auto cells, read_page_key(request.key, {key_type}));
    if (cells[0].is_null()) return at("?page", not_found("there is no such page in this listing"));
    from = cells[0].get<std::int64_t>();
  }
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  Page page{.items = {}, .limit = request.limit, .reverse = request.reverse, .next_key = {}};
  json::Writer out(page.items);
  out.begin_array();
  std::size_t examined = 0;
  std::int64_t last = 0;
  const auto visit = [&](const events::Change& change) {
    if (page.count == request.limit || examined == kExaminedMax) {
      page.next_key = make_page_key({{key_type, last}});
      return false;
    }
    ++examined;
    last = change.sequence;
    if (!matches(filter, change)) return true;
    ++page.count;
    write_change(out, change);
    return true;
  };
  if (request.reverse) {
    REEL_TRY(events::read_changes(*snapshot, from.value_or(0), visit));
  } else {
    REEL_TRY(events::read_changes_back(*snapshot, from, visit));
  }
  out.end_array();
  return page;
}

}  // namespace reel::tams
