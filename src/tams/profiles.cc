#include "tams/profiles.h"

#include <array>

#include "tams/record.h"
#include "tams/shapes.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using Kind = DocumentField::Kind;

constexpr std::array<DocumentField, 7> kFields = {{
    {"id", "id", Kind::uuid},
    {"label", "label"},
    {"description", "description"},
    {"created_by", "created_by"},
    {"created", "created", Kind::moment},
    {"tags", "tags", Kind::json},
    {"flow_metadata", "flow_metadata", Kind::json},
}};

std::string text_of(const Record& profile) { return json::to_text(to_document(kFields, profile)); }

}  // namespace

Result<std::string> create_profile(const Context& context, const Caller& caller, ProfileId id,
                                   const json::Value& body) {
  if (*body.find("id")->as_string() != id.to_string()) {
    return at("/id", not_found("the body is about profile {}, the path about {}",
                               *body.find("id")->as_string(), id.to_string()));
  }
  json::Value document = body;
  document.set("created", context.clock.now().to_string());
  if (document.find("created_by") == nullptr) document.set("created_by", caller.principal);
  const json::Value& metadata = *body.find("flow_metadata");
  json::Value technical;
  for (const std::string_view member : shape::kTechnicalMembers) {
    if (const json::Value* value = metadata.find(member)) technical.set(member, *value);
  }
  document.set("flow_metadata", technical);
  store::Cells cells = to_cells(kFields, document);
  std::erase_if(cells, [](const auto& cell) { return cell.first == "id"; });
  for (const char* member : {"format", "codec"}) {
    cells.emplace_back(member, *metadata.find(member)->as_string());
  }
  store::Batch batch;
  batch.insert(std::string(table::kProfiles), {id}, std::move(cells));
  const Status status = context.store.commit(std::move(batch));
  if (!status && status.error().code() == Code::conflict) {
    return invalid("profile {} exists already and cannot be changed", id.to_string());
  }
  if (!status) return Failure(status.error().clone());
  return get_profile(context, id);
}

Result<std::string> get_profile(const Context& context, ProfileId id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto profile, load(*snapshot, table::kProfiles, {id}));
  if (!profile) return not_found("profile {} does not exist", id.to_string());
  return text_of(*profile);
}

Result<Page> list_profiles(const Context& context, const ProfileFilter& filter,
                           const PageRequest& page) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  const auto accept = [&](const Record& profile) -> Result<bool> {
    return (!filter.format || profile.text("format") == *filter.format) &&
           (!filter.codec || profile.text("codec") == *filter.codec) &&
           (!filter.label ||
            (!profile["label"].is_null() && profile.text("label") == *filter.label));
  };
  const auto write = [](json::Writer& out, const Record& profile) -> Status {
    out.raw(text_of(profile));
    return {};
  };
  return list_rows(*snapshot, {table::kProfiles, "by_created", "created", true}, page, accept,
                   write);
}

Result<json::Value> profile_metadata(store::Snapshot& snapshot, const std::string& id) {
  REEL_ASSIGN(const ProfileId profile_id, ProfileId::parse(id));
  REEL_ASSIGN(const auto profile, load(snapshot, table::kProfiles, {profile_id}));
  if (!profile) return at("/profile_id", invalid("profile {} does not exist", id));
  return json::parse(profile->text("flow_metadata"));
}

}  // namespace reel::tams
