#include "store/schema.h"

#include <algorithm>
#include <charconv>

#include "base/nearest_name.h"
#include "base/percent.h"
#include "store/schema_internal.h"

namespace reel::store {
namespace {

constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kIndexesMax = 32;
constexpr std::size_t kKeyColumnsMax = 16;

//! Gives every child of a nested type its permanent id, parents first.
void assign_child_ids(Type& type, ColumnId& next) {
  for (Field& child : type.children) {
    if (type.kind == TypeKind::map) ++next;  // the key's
    child.id = next++;
  }
  for (Field& child : type.children) assign_child_ids(child.type, next);
}

void check_member_names(const Type& type, std::string_view what, Reasons& reasons) {
  for (const Field& child : type.children) {
    if (type.kind == TypeKind::structure) reasons.add(what, check_name(child.name));
    check_member_names(child.type, what, reasons);
  }
}

//! By what the definition calls it: the program its own columns, users theirs in any case.
const Column* find_defined(const TableSchema& schema, const std::string& name) {
  const Column* column = schema.find(name);
  return column != nullptr ? column : schema.find_named(name);
}

void add_key(const TableSchema& schema, const std::vector<std::string>& names,
             std::vector<ColumnId>& key, Reasons& reasons) {
  for (const std::string& name : names) {
    const Column* column = find_defined(schema, name);
    if (column == nullptr) {
      reasons.add(fmt::format("key column '{}' does not exist", name));
      continue;
    }
    const TypeKind kind = column->type.kind;
    if (column->id == kInsertedAt) reasons.add("inserted_at cannot be a key column");
    if (column->nullable) reasons.add(fmt::format("key column '{}' is nullable", name));
    if (column->type.is_nested()) reasons.add(fmt::format("key column '{}' is nested", name));
    if (kind == TypeKind::float32 || kind == TypeKind::float64) {
      reasons.add(fmt::format("key column '{}' is a float", name));
    }
    if (schema.is_key(column->id)) reasons.add(fmt::format("key column '{}' is there twice", name));
    key.push_back(column->id);
  }
}

void add_index(TableSchema& schema, const TableDefinition::IndexDefinition& definition,
               Reasons& reasons) {
  const std::string what = fmt::format("index '{}'", definition.name);
  reasons.add(what, check_name(definition.name));
  Index index{.id = schema.next_index_id++,
              .name = definition.name,
              .columns = {},
              .kind = definition.kind};
  for (const Index& other : schema.indexes) {
    if (other.name == index.name) reasons.add(what + " is there twice");
  }
  if (definition.columns.empty()) reasons.add(what + " has no columns");
  if (definition.kind == IndexKind::search && definition.columns.size() > 1) {
    reasons.add(what + " is for search and has more than one column");
  }
  for (const std::string& name : definition.columns) {
    const Column* column = find_defined(schema, name);
    if (column == nullptr) {
      reasons.add(fmt::format("{}: column '{}' does not exist", what, name));
    } else if (column->type.is_nested()) {
      reasons.add(fmt::format("{}: column '{}' is nested", what, name));
    } else if (definition.kind == IndexKind::search && column->type.kind != TypeKind::string) {
      reasons.add(fmt::format("{}: column '{}' is no string", what, name));
    } else if (std::count(index.columns.begin(), index.columns.end(), column->id) > 0) {
      reasons.add(fmt::format("{}: column '{}' is there twice", what, name));
    } else {
      index.columns.push_back(column->id);
    }
  }
  schema.indexes.push_back(std::move(index));
}

//! What the program calls a column.
const std::string& program_name(const TableSchema& schema, const Column& column) {
  return schema.product ? column.product_name : column.name;
}

//! The column that the program means; users may have given its name to another one.
const Column* find_of_program(const TableSchema& schema, std::string_view name) {
  for (const Column& column : schema.columns) {
    if (program_name(schema, column) == name) return &column;
  }
  return nullptr;
}

std::vector<std::string> names_of(const TableSchema& schema, const std::vector<ColumnId>& ids) {
  std::vector<std::string> names;
  for (const ColumnId id : ids) names.push_back(program_name(schema, *schema.find(id)));
  return names;
}

//! The name, or when a user's column has it already, one like it.
std::string free_name(const TableSchema& schema, const std::string& name) {
  std::string free = name;
  for (int i = 2; schema.find_named(free) != nullptr; ++i) free = fmt::format("{}_{}", name, i);
  return free;
}

//! A column of the definition that the table already has must be the same one.
void check_same(const Column& ours, const TableDefinition::ColumnDefinition& theirs,
                Reasons& reasons) {
  const Type stored = without_ids(ours.type);
  const Type wanted = without_ids(theirs.type);
  if (stored != wanted) {
    reasons.add(fmt::format("column '{}' is {} in the store and {} in the program", ours.name,
                            stored.to_string(), wanted.to_string()));
  }
}

//! Renames the columns that the definition calls by another name now; whether there were any.
bool take_new_names(TableSchema& schema, const TableDefinition& definition) {
  bool renamed = false;
  for (const auto& column : definition.columns) {
    if (column.former_name.empty() || find_of_program(schema, column.name) != nullptr) continue;
    const Column* former = find_of_program(schema, column.former_name);
    if (former == nullptr) continue;
    Column& ours = schema.columns[schema.position(former->id)];
    if (ours.name == column.former_name) ours.name = free_name(schema, column.name);
    if (schema.product) ours.product_name = column.name;
    renamed = true;
  }
  return renamed;
}

}  // namespace

Status Reasons::status(std::string_view table) const {
  constexpr std::size_t kReasonsMax = 20;
  if (reasons_.empty()) return {};
  const std::size_t count = std::min(reasons_.size(), kReasonsMax);
  const auto end = reasons_.begin() + static_cast<std::ptrdiff_t>(count);
  return invalid("table '{}': {}{}", table, fmt::join(reasons_.begin(), end, "; "),
                 count < reasons_.size()
                     ? fmt::format("; and {} more reasons", reasons_.size() - count)
                     : std::string());
}

Type without_ids(Type type) {
  for (Field& child : type.children) {
    child.id = 0;
    child.type = without_ids(std::move(child.type));
  }
  return type;
}

Column new_column(const TableDefinition::ColumnDefinition& definition, TableSchema& schema) {
  Column column{.id = schema.next_column_id++,
                .name = definition.name,
                .type = definition.type,
                .nullable = definition.nullable,
                .default_value = definition.default_value,
                .initial_default = definition.default_value,
                .doc = definition.doc,
                .since_version = schema.version};
  assign_child_ids(column.type, schema.next_column_id);
  return column;
}

void check_column(const TableDefinition::ColumnDefinition& column, Reasons& reasons) {
  const std::string what = fmt::format("column '{}'", column.name);
  reasons.add(what, check_column_name(column.name));
  if (const Status type = check_type(column.type); !type) {
    reasons.add(what, type);
    return;  // a default of a broken type cannot be looked at
  }
  check_member_names(column.type, what, reasons);
  reasons.add(what + " default", check_value(column.type, column.default_value));
}

const Column* TableSchema::find(std::string_view reference) const {
  const Column* named = nullptr;
  for (const Column& column : columns) {
    if (!column.product_name.empty() && column.product_name == reference) return &column;
    if (column.name == reference) named = &column;
  }
  if (const auto named_id = column_id_in(reference)) return find(*named_id);
  return named;
}

const Column* TableSchema::find_named(std::string_view column_name) const {
  for (const Column& column : columns) {
    if (same_name(column.name, column_name)) return &column;
  }
  return nullptr;
}

const Column* TableSchema::find(ColumnId column_id) const {
  for (const Column& column : columns) {
    if (column.id == column_id) return &column;
  }
  return nullptr;
}

std::size_t TableSchema::position(ColumnId column_id) const {
  const Column* column = find(column_id);
  REEL_CHECK(column != nullptr);
  return static_cast<std::size_t>(column - columns.data());
}

std::size_t TableSchema::position(std::string_view reference) const {
  const Column* column = find(reference);
  REEL_CHECK(column != nullptr);
  return static_cast<std::size_t>(column - columns.data());
}

std::vector<ColumnId> TableSchema::key() const {
  std::vector<ColumnId> ids = partition_key;
  ids.insert(ids.end(), clustering_key.begin(), clustering_key.end());
  return ids;
}

bool TableSchema::is_key(ColumnId column_id) const {
  const auto has = [&](const std::vector<ColumnId>& ids) {
    return std::find(ids.begin(), ids.end(), column_id) != ids.end();
  };
  return has(partition_key) || has(clustering_key);
}

TableName split_table_name(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {kMainNamespace, name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

std::string join_table_name(std::string_view space, std::string_view table) {
  return space == kMainNamespace ? std::string(table) : fmt::format("{}.{}", space, table);
}

Result<std::shared_ptr<const TableSchema>> Catalog::table(std::string_view name) const {
  const auto found = tables.find(name);
  if (found != tables.end()) return found->second;
  const std::string_view shown = name.substr(0, kNameShownMax);
  const TableName parts = split_table_name(name);
  if (name != parts.table && tables.contains(parts.table) && parts.space == kMainNamespace) {
    return not_found("there is no table '{}': those of the schema main are named without it",
                     shown);
  }
  if (const Status space = check_namespace(parts.space); !space) {
    return not_found("there is no table '{}': {}", shown, space.error().message());
  }
  std::vector<std::string_view> names;
  for (const auto& [other, schema] : tables) {
    // In another namespace it is nearer than any name that is only alike.
    if (split_table_name(other).table == parts.table) {
      return not_found("there is no table '{}' (the nearest is '{}')", shown, other);
    }
    names.push_back(other);
  }
  return not_found("there is no table '{}'{}", shown, nearest_hint(name, names));
}

Status Catalog::check_namespace(std::string_view name) const {
  if (namespaces.contains(name)) return {};
  return not_found("there is no schema '{}'{}", name.substr(0, kNameShownMax),
                   nearest_hint(name, {namespaces.begin(), namespaces.end()}));
}

Status Catalog::check_new_table(std::string_view name) const {
  if (tables.contains(name)) return conflict("table '{}' exists", name);
  return check_namespace(split_table_name(name).space);
}

Status check_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const bool well_formed =
      !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9');
      });
  if (!well_formed) {
    return invalid("'{}' is not a name (lower-case letters, digits and _, no digit first)",
                   name.substr(0, kNameBytesMax));
  }
  if (name.size() > kNameBytesMax) {
    return invalid("'{}…' is longer than {} bytes", name.substr(0, 32), kNameBytesMax);
  }
  return {};
}

Status check_namespace_name(std::string_view name) {
  REEL_TRY(check_name(name));
  for (const char* of_sql : {"information_schema", "pg_catalog", "reel", "system", "temp"}) {
    if (name == of_sql) return invalid("a schema cannot be called '{}', which SQL uses", name);
  }
  return {};
}

Status check_table_name(std::string_view name) {
  const TableName parts = split_table_name(name);
  if (name == parts.table) return check_name(name);
  if (parts.space == kMainNamespace) {
    return invalid("'{}': tables of the schema main are named without it",
                   name.substr(0, kNameBytesMax));
  }
  REEL_TRY(check_namespace_name(parts.space));
  return check_name(parts.table);
}

Status check_column_name(std::string_view name) {
  if (name.empty()) return invalid("a column needs a name");
  if (name.size() > kNameBytesMax) {
    return invalid("a column name of {} bytes is longer than {}", name.size(), kNameBytesMax);
  }
  if (!is_utf8(name)) return invalid("a column name is not UTF-8");
  const bool has_control = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (has_control) return invalid("a column name has a control character");
  if (name.front() == '#') return invalid("'{}' begins with '#', as ids of columns do", name);
  return {};
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string column_reference(ColumnId id) { return fmt::format("#{}", id); }

std::optional<ColumnId> column_id_in(std::string_view reference) {
  if (reference.size() < 2 || reference.front() != '#') return std::nullopt;
  ColumnId id = 0;
  const char* const end = reference.data() + reference.size();
  const auto [rest, error] = std::from_chars(reference.data() + 1, end, id);
  if (error != std::errc() || rest != end) return std::nullopt;
  return id;
}

Result<TableSchema> make_schema(TableId id, const TableDefinition& definition) {
  Reasons reasons;
  TableSchema schema;
  schema.id = id;
  schema.name = definition.name;
  schema.product = definition.product;
  reasons.add("its name", check_table_name(definition.name));
  schema.columns.push_back({.id = kInsertedAt,
                            .name = std::string(kInsertedAtName),
                            .type = Type::of(TypeKind::timestamp),
                            .nullable = false,
                            .default_value = {},
                            .initial_default = {},
                            .doc = "When the row was first inserted; filled by the store.",
                            .since_version = 1,
                            .product_name = std::string(kInsertedAtName)});
  for (const auto& column : definition.columns) {
    check_column(column, reasons);
    if (const Column* other = schema.find_named(column.name)) {
      reasons.add(other->id == kInsertedAt
                      ? "column 'inserted_at' is the store's own"
                      : fmt::format("column '{}' is there twice", column.name));
    }
    schema.columns.push_back(new_column(column, schema));
    if (schema.product) schema.columns.back().product_name = column.name;
  }
  if (schema.columns.size() > kColumnsMax) {
    reasons.add(fmt::format("it has more than {} columns", kColumnsMax));
  }
  if (definition.partition_key.empty()) reasons.add("it has no partition key");
  add_key(schema, definition.partition_key, schema.partition_key, reasons);
  add_key(schema, definition.clustering_key, schema.clustering_key, reasons);
  if (schema.partition_key.size() + schema.clustering_key.size() > kKeyColumnsMax) {
    reasons.add(fmt::format("its key has more than {} columns", kKeyColumnsMax));
  }
  for (const auto& index : definition.indexes) add_index(schema, index, reasons);
  if (definition.large_rows && !definition.indexes.empty()) {
    reasons.add("a table of large rows cannot have indexes");
  }
  if (schema.indexes.size() > kIndexesMax) {
    reasons.add(fmt::format("it has more than {} indexes", kIndexesMax));
  }
  REEL_TRY(reasons.status(definition.name));
  return schema;
}

Result<std::optional<TableSchema>> extend_schema(const TableSchema& stored,
                                                 const TableDefinition& definition) {
  Reasons reasons;
  TableSchema current = stored;
  const bool renamed = take_new_names(current, definition);
  TableSchema next = current;
  next.version = current.version + 1;
  for (const auto& column : definition.columns) {
    if (const Column* ours = find_of_program(current, column.name)) {
      check_same(*ours, column, reasons);
      continue;
    }
    check_column(column, reasons);
    if (!column.nullable && column.default_value.is_null()) {
      reasons.add(
          fmt::format("new column '{}' is neither nullable nor has a default", column.name));
    }
    if (find_of_program(next, column.name) != nullptr) {
      reasons.add(fmt::format("column '{}' is there twice", column.name));
    }
    std::string name = free_name(next, column.name);
    next.columns.push_back(new_column(column, next));
    next.columns.back().name = std::move(name);
    if (next.product) next.columns.back().product_name = column.name;
  }
  if (names_of(current, current.partition_key) != definition.partition_key ||
      names_of(current, current.clustering_key) != definition.clustering_key) {
    reasons.add("the key in the store is another one than in the program");
  }
  for (const auto& index : definition.indexes) {
    const auto ours = std::find_if(current.indexes.begin(), current.indexes.end(),
                                   [&](const Index& one) { return one.name == index.name; });
    if (ours == current.indexes.end()) {
      add_index(next, index, reasons);
    } else if (names_of(current, ours->columns) != index.columns) {
      reasons.add(fmt::format("index '{}' has other columns in the store", index.name));
    } else if (ours->kind != index.kind) {
      reasons.add(fmt::format("index '{}' is of another kind in the store", index.name));
    }
  }
  REEL_TRY(reasons.status(definition.name));
  if (!renamed && next.columns.size() == current.columns.size() &&
      next.indexes.size() == current.indexes.size()) {
    return std::nullopt;
  }
  return next;
}

}  // namespace reel::store
