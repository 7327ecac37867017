#include "tams/record.h"

namespace reel::tams {

using store::Value;

const Value& Record::operator[](std::string_view column) const {
  const store::Column* found = schema_->find(column);
  REEL_CHECK(found != nullptr);
  return row_[schema_->position(found->id)];
}

std::string_view Record::text(std::string_view column) const {
  const auto* value = (*this)[column].get_if<std::string>();
  return value == nullptr ? std::string_view() : std::string_view(*value);
}

bool Record::flag(std::string_view column) const {
  const bool* value = (*this)[column].get_if<bool>();
  return value != nullptr && *value;
}

std::int64_t Record::integer(std::string_view column) const {
  const auto* value = (*this)[column].get_if<std::int64_t>();
  return value == nullptr ? 0 : *value;
}

const Uuid& Record::uuid(std::string_view column) const { return (*this)[column].get<Uuid>(); }

Result<std::optional<Record>> load(store::Snapshot& snapshot, std::string_view table,
                                   const store::Key& key, const std::vector<std::string>& columns) {
  REEL_ASSIGN(auto schema, snapshot.catalog().table(table));
  REEL_ASSIGN(auto row, snapshot.get(table, key, columns));
  if (!row) return std::nullopt;
  return Record(std::move(schema), std::move(*row));
}

void write_fields(json::Writer& out, std::span<const DocumentField> fields, const Record& record) {
  for (const DocumentField& field : fields) {
    const Value& cell = record[field.column];
    if (cell.is_null()) continue;
    switch (field.kind) {
      case DocumentField::Kind::text:
        out.field(field.member, std::string_view(cell.get<std::string>()));
        break;
      case DocumentField::Kind::integer: out.field(field.member, cell.get<std::int64_t>()); break;
      case DocumentField::Kind::flag:
        if (cell.get<bool>()) out.field(field.member, true);
        break;
      case DocumentField::Kind::uuid:
        out.field(field.member, std::string_view(cell.get<Uuid>().to_string()));
        break;
      case DocumentField::Kind::moment:
        out.field(field.member, std::string_view(cell.get<Instant>().to_string()));
        break;
      case DocumentField::Kind::json: out.raw_field(field.member, cell.get<std::string>()); break;
    }
  }
}

json::Value to_document(std::span<const DocumentField> fields, const Record& record) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  write_fields(out, fields, record);
  out.end_object();
  auto document = json::parse(text);
  REEL_CHECK(document.has_value());
  return std::move(*document);
}

namespace {

Value to_cell(const DocumentField& field, const json::Value* member) {
  if (field.kind == DocumentField::Kind::flag) {
    return Value(member != nullptr && member->as_bool() != nullptr && *member->as_bool());
  }
  if (member == nullptr || member->is_null()) return {};
  switch (field.kind) {
    case DocumentField::Kind::text: return Value(*member->as_string());
    case DocumentField::Kind::integer: {
      std::int64_t number = 0;
      REEL_CHECK(member->get_int64(number));
      return Value(number);
    }
    case DocumentField::Kind::uuid: return Value(*Uuid::parse(*member->as_string()));
    case DocumentField::Kind::moment: return Value(*Instant::parse(*member->as_string()));
    default: return Value(json::to_text(*member));
  }
}

}  // namespace

store::Cells to_cells(std::span<const DocumentField> fields, const json::Value& document) {
  store::Cells cells;
  cells.reserve(fields.size());
  for (const DocumentField& field : fields) {
    cells.emplace_back(std::string(field.column), to_cell(field, document.find(field.member)));
  }
  return cells;
}

std::string error_text(std::string_view type, std::string_view summary, Instant at) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.field("type", type);
  out.field("summary", summary);
  out.field("time", std::string_view(at.to_string()));
  out.end_object();
  return text;
}

std::string label_order(const json::Value* label) {
  if (label == nullptr || label->as_string() == nullptr) return "~";
  return "!" + *label->as_string();
}

}  // namespace reel::tams
