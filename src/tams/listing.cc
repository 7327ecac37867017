#include "tams/listing.h"

#include <algorithm>

namespace reel::tams {
namespace {

constexpr std::size_t kChunkRows = 256;

Result<std::vector<Record>> next_chunk(store::Snapshot& snapshot, const ListingOrder& order,
                                       bool descending, const store::Key& after) {
  REEL_ASSIGN(auto schema, snapshot.catalog().table(order.table));
  store::ScanSpec spec;
  spec.table = order.table;
  spec.index = order.index;
  spec.reverse = descending;
  spec.limit = kChunkRows;
  if (!after.empty()) {
    auto& bound = descending ? spec.upper : spec.lower;
    bound = store::RangeBound{.prefix = after, .inclusive = false};
  }
  std::vector<Record> chunk;
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    chunk.emplace_back(schema, row.cells);
    return true;
  }));
  return chunk;
}

bool value_is_any(const json::Value& tag, const std::vector<std::string>& values) {
  const auto wanted = [&](const json::Value& candidate) {
    const std::string* text = candidate.as_string();
    return text != nullptr && std::find(values.begin(), values.end(), *text) != values.end();
  };
  if (const json::Array* list = tag.as_array()) {
    return std::any_of(list->begin(), list->end(), wanted);
  }
  return wanted(tag);
}

}  // namespace

std::size_t page_limit(const Limits& limits, std::optional<std::int64_t> asked) {
  if (!asked) return limits.page_default;
  return std::min(limits.page_max, static_cast<std::size_t>(std::max<std::int64_t>(*asked, 1)));
}

bool TagFilter::matches(std::string_view tags) const {
  if (empty()) return true;
  json::Value document;
  if (!tags.empty()) {
    auto parsed = json::parse(tags);
    if (!parsed) return false;
    document = std::move(*parsed);
  }
  for (const AnyOf& condition : any_of) {
    const json::Value* tag = document.find(condition.name);
    if (tag == nullptr || !value_is_any(*tag, condition.values)) return false;
  }
  return std::all_of(exists.begin(), exists.end(), [&](const auto& condition) {
    return (document.find(condition.first) != nullptr) == condition.second;
  });
}

Result<Page> list_rows(store::Snapshot& snapshot, const ListingOrder& order,
                       const PageRequest& request,
                       const std::function<Result<bool>(const Record&)>& accept,
                       const std::function<Status(json::Writer&, const Record&)>& write) {
  REEL_ASSIGN(auto schema, snapshot.catalog().table(order.table));
  const store::Column* sort_column = schema->find(order.sort_column);
  REEL_CHECK(sort_column != nullptr);
  const store::Type uuid_type = store::Type::of(store::TypeKind::uuid);
  const bool descending = order.descending != request.reverse;

  Page page{.items = {}, .limit = request.limit, .reverse = request.reverse, .next_key = {}};
  json::Writer out(page.items);
  out.begin_array();
  store::Key after;
  if (!request.key.empty()) {
    REEL_ASSIGN(after, read_page_key(request.key, {sort_column->type, uuid_type}));
  }
  bool more = true;
  while (more && page.next_key.empty()) {
    REEL_ASSIGN(const auto chunk, next_chunk(snapshot, order, descending, after));
    more = chunk.size() == kChunkRows;
    for (const Record& record : chunk) {
      REEL_ASSIGN(const bool wanted, accept(record));
      if (wanted && page.count == request.limit) {
        page.next_key = make_page_key({{sort_column->type, after[0]}, {uuid_type, after[1]}});
        break;
      }
      if (wanted) {
        REEL_TRY(write(out, record));
        ++page.count;
      }
      after = {record[order.sort_column], record["id"]};
    }
  }
  out.end_array();
  return page;
}

std::string make_page_key(const std::vector<std::pair<store::Type, store::Value>>& cells) {
  std::string bytes;
  for (const auto& [type, value] : cells) store::encode_value(bytes, type, value);
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return to_base64url({data, bytes.size()});
}

Result<std::vector<store::Value>> read_page_key(std::string_view key,
                                                const std::vector<store::Type>& types) {
  const auto refuse = [] {
    return at("?page", not_found("there is no such page in this listing"));
  };
  const auto bytes = from_base64url(key);
  if (!bytes) return refuse();
  std::string_view rest = *bytes;
  std::vector<store::Value> values;
  for (const store::Type& type : types) {
    auto value = store::decode_value(type, rest);
    if (!value) return refuse();
    values.push_back(std::move(*value));
  }
  if (!rest.empty()) return refuse();
  return values;
}

}  // namespace reel::tams
