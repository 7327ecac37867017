#include "sql/alterations.h"

#include <algorithm>

namespace reel::sql {
namespace {

using store::Operation;
using store::RenameColumn;
using store::TableSchema;

//! When, in plans that are not carried out.
constexpr Instant kSomeTime{};

//! A store does renames that stand next to each other at once: they name columns as they were
//! called before the first. `renamed`: the column as it is called now.
Status append_rename(const TableSchema& before, const TableSchema& now, const RenameColumn& rename,
                     std::vector<Operation>& operations) {
  const auto is_rename = [](const Operation& one) {
    return std::holds_alternative<RenameColumn>(one);
  };
  const auto run = std::find_if_not(operations.rbegin(), operations.rend(), is_rename).base();
  TableSchema first = before;  // as it was before the run
  if (run != operations.begin()) {
    REEL_ASSIGN(auto plan, store::plan_migration(before, {operations.begin(), run}, kSomeTime));
    first = std::move(plan.schema);
  }
  const std::string& called = first.find(now.find_named(rename.column)->id)->name;
  for (auto earlier = run; earlier != operations.end(); ++earlier) {
    auto& one = std::get<RenameColumn>(*earlier);
    if (!store::same_name(one.column, called)) continue;
    one.name = rename.name;
    return {};
  }
  operations.emplace_back(RenameColumn{.column = called, .name = rename.name});
  return {};
}

}  // namespace

std::shared_ptr<const store::Catalog> Alterations::over(const store::Catalog& base) const {
  auto catalog = std::make_shared<store::Catalog>(base);
  for (const auto& [id, altered] : tables_) catalog->tables.erase(altered.before->name);
  for (const auto& [id, altered] : tables_) {
    catalog->tables.emplace(altered.after->name, altered.after);
  }
  return catalog;
}

Status Alterations::add(const store::Catalog& base, std::string_view table,
                        const Operation& operation) {
  REEL_ASSIGN(const auto now, over(base)->table(table));
  // Reasons against it are told of the table as it is by now.
  REEL_TRY(store::plan_migration(*now, {operation}, kSomeTime));
  const auto found = tables_.find(now->id);
  Altered altered = found != tables_.end() ? found->second : Altered{now, {}, now, false};
  if (const auto* rename = std::get_if<RenameColumn>(&operation)) {
    REEL_TRY(append_rename(*altered.before, *now, *rename, altered.operations));
  } else {
    altered.operations.push_back(operation);
  }
  return plan(base, std::move(altered));
}

Status Alterations::add_all(const store::Catalog& base, std::string_view table,
                            std::vector<Operation> operations) {
  REEL_ASSIGN(const auto now, over(base)->table(table));
  if (has(now->id)) {
    return unsupported("table '{}' was altered in this transaction before: COMMIT first", table);
  }
  return plan(base, {now, std::move(operations), now, true});
}

Status Alterations::plan(const store::Catalog& base, Altered altered) {
  REEL_ASSIGN(auto planned, store::plan_migration(*altered.before, altered.operations, kSomeTime));
  const std::string& name = planned.schema.name;
  if (name != altered.after->name) REEL_TRY(over(base)->check_new_table(name));
  altered.after = std::make_shared<const TableSchema>(std::move(planned.schema));
  tables_.insert_or_assign(altered.before->id, std::move(altered));
  return {};
}

std::vector<store::Migration> Alterations::take(bool alone) {
  std::vector<store::Migration> migrations;
  for (auto& [id, altered] : tables_) {
    migrations.push_back(
        {.table = altered.before->name, .operations = std::move(altered.operations)});
    if (!alone || altered.is_exact) {
      migrations.back().expected_version = altered.before->version;
    }
  }
  tables_.clear();
  return migrations;
}

}  // namespace reel::sql
