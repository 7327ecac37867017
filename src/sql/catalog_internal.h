#pragma once
//! The tables of the store as a database of DuckDB; its schemas are the store's namespaces.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/parser/parsed_data/create_schema_info.hpp>
#include <duckdb/storage/database_size.hpp>

#include "base/thread_annotations.h"
#include "sql/row_edits.h"
#include "store/store.h"

namespace reel::sql {

//! Selected by name only, not by `*`: when the row was inserted.
inline constexpr duckdb::column_t kInsertedAtColumn = std::uint64_t{1} << 63;

//! A column of DuckDB's: how it is called, and where it stands in the store's rows.
struct ShownColumn {
  std::string name;
  std::size_t position = 0;  //!< for TableSchema::stored()
};

//! One version of one table, with the columns that it has, or had in an earlier one.
class TableEntry final : public duckdb::TableCatalogEntry {
 public:
  enum class Shows : std::uint8_t { now, earlier };

  TableEntry(duckdb::Catalog& catalog, duckdb::SchemaCatalogEntry& schema, SchemaPtr stored,
             const std::vector<ShownColumn>& columns, Shows shows);

  //! As it is now; of `t AT (…)` as well.
  const SchemaPtr& stored() const { return stored_; }
  //! Where a column of DuckDB's (without inserted_at) stands in the store's rows.
  std::size_t position(duckdb::column_t column) const { return positions_[column]; }
  const std::vector<std::size_t>& positions() const { return positions_; }

  duckdb::unique_ptr<duckdb::BaseStatistics> GetStatistics(duckdb::ClientContext&,
                                                           duckdb::column_t) override {
    return nullptr;
  }
  duckdb::TableFunction GetScanFunction(
      duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::FunctionData>& bind_data) override;
  //! The primary key: ON CONFLICT looks for it here.
  duckdb::TableStorageInfo GetStorageInfo(duckdb::ClientContext& context) override;
  duckdb::virtual_column_map_t GetVirtualColumns() const override;
  //! What changes rows asks for it: refused of `t AT (…)`.
  duckdb::vector<duckdb::column_t> GetRowIdColumns() const override;
  //! The base throws what DuckDB takes for a broken instance.
  duckdb::DataTable& GetStorage() override;

 private:
  const SchemaPtr stored_;
  const Shows shows_;
  std::vector<std::size_t> positions_;
};

//! One namespace.
class SchemaEntry final : public duckdb::SchemaCatalogEntry {
 public:
  using duckdb::SchemaCatalogEntry::SchemaCatalogEntry;

  //! What the store calls a table of it. DuckDB compares names without regard to case, the store
  //! has them in lower case only.
  std::string stored_name(const std::string& written) const {
    return store::join_table_name(name, duckdb::StringUtil::Lower(written));
  }

  void Scan(duckdb::ClientContext& context, duckdb::CatalogType type,
            const std::function<void(duckdb::CatalogEntry&)>& callback) override;
  void Scan(duckdb::CatalogType, const std::function<void(duckdb::CatalogEntry&)>&) override {}
  duckdb::optional_ptr<duckdb::CatalogEntry> LookupEntry(
      duckdb::CatalogTransaction transaction, const duckdb::EntryLookupInfo& lookup) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateTable(
      duckdb::CatalogTransaction transaction, duckdb::BoundCreateTableInfo& info) override;
  void Alter(duckdb::CatalogTransaction transaction, duckdb::AlterInfo& info) override;
  void DropEntry(duckdb::ClientContext& context, duckdb::DropInfo& info) override;

#define REEL_NOT_OFFERED(function, Info, what)                                                   \
  duckdb::optional_ptr<duckdb::CatalogEntry> function(duckdb::CatalogTransaction, duckdb::Info&) \
      override {                                                                                 \
    throw duckdb::NotImplementedException(what " cannot be created in the database reel");       \
  }
  REEL_NOT_OFFERED(CreateFunction, CreateFunctionInfo, "functions and macros")
  REEL_NOT_OFFERED(CreateView, CreateViewInfo, "views")
  REEL_NOT_OFFERED(CreateSequence, CreateSequenceInfo, "sequences")
  REEL_NOT_OFFERED(CreateTableFunction, CreateTableFunctionInfo, "table functions")
  REEL_NOT_OFFERED(CreateCopyFunction, CreateCopyFunctionInfo, "copy functions")
  REEL_NOT_OFFERED(CreatePragmaFunction, CreatePragmaFunctionInfo, "pragmas")
  REEL_NOT_OFFERED(CreateCollation, CreateCollationInfo, "collations")
  REEL_NOT_OFFERED(CreateCoordinateSystem, CreateCoordinateSystemInfo, "coordinate systems")
  REEL_NOT_OFFERED(CreateType, CreateTypeInfo, "types")
#undef REEL_NOT_OFFERED
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateIndex(duckdb::CatalogTransaction,
                                                         duckdb::CreateIndexInfo&,
                                                         duckdb::TableCatalogEntry&) override;
};

class StoreCatalog final : public duckdb::Catalog {
 public:
  StoreCatalog(duckdb::AttachedDatabase& database, store::Store& store)
      : duckdb::Catalog(database), store_(store) {}

  store::Store& store() { return store_; }
  //! The entry of this version of a table. Cached plans point to entries, so all stay.
  //! `alteration`: StoreTransaction::alteration_of().
  TableEntry& entry(const SchemaPtr& stored, std::uint64_t alteration = 0) EXCLUDES(mutex_);
  //! The table's rows as they are, under the columns that it had. Raises when cells are purged.
  TableEntry& entry_at(const SchemaPtr& stored, const duckdb::BoundAtClause& at) EXCLUDES(mutex_);

  using duckdb::Catalog::PlanDelete;
  using duckdb::Catalog::PlanUpdate;

  void Initialize(bool) override {}
  std::string GetCatalogType() override { return "reel"; }
  bool SupportsTimeTravel() const override { return true; }
  duckdb::optional_idx GetCatalogVersion(duckdb::ClientContext& context) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateSchema(duckdb::CatalogTransaction,
                                                          duckdb::CreateSchemaInfo&) override;
  void DropSchema(duckdb::ClientContext&, duckdb::DropInfo&) override;
  duckdb::optional_ptr<duckdb::SchemaCatalogEntry> LookupSchema(
      duckdb::CatalogTransaction transaction, const duckdb::EntryLookupInfo& lookup,
      duckdb::OnEntryNotFound if_not_found) override;
  void ScanSchemas(duckdb::ClientContext& context,
                   std::function<void(duckdb::SchemaCatalogEntry&)> callback) override;
  duckdb::unique_ptr<duckdb::LogicalOperator> BindCreateIndex(
      duckdb::Binder&, duckdb::CreateStatement&, duckdb::TableCatalogEntry&,
      duckdb::unique_ptr<duckdb::LogicalOperator>) override;
  duckdb::DatabaseSize GetDatabaseSize(duckdb::ClientContext&) override { return {}; }
  bool InMemory() override { return true; }
  std::string GetDBPath() override { return {}; }

  duckdb::PhysicalOperator& PlanCreateTableAs(duckdb::ClientContext& context,
                                              duckdb::PhysicalPlanGenerator& planner,
                                              duckdb::LogicalCreateTable& op,
                                              duckdb::PhysicalOperator& plan) override;
  duckdb::PhysicalOperator& PlanInsert(
      duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
      duckdb::LogicalInsert& op, duckdb::optional_ptr<duckdb::PhysicalOperator> plan) override;
  duckdb::PhysicalOperator& PlanDelete(duckdb::ClientContext& context,
                                       duckdb::PhysicalPlanGenerator& planner,
                                       duckdb::LogicalDelete& op,
                                       duckdb::PhysicalOperator& plan) override;
  duckdb::PhysicalOperator& PlanUpdate(duckdb::ClientContext& context,
                                       duckdb::PhysicalPlanGenerator& planner,
                                       duckdb::LogicalUpdate& op,
                                       duckdb::PhysicalOperator& plan) override;
  duckdb::PhysicalOperator& PlanMergeInto(duckdb::ClientContext& context,
                                          duckdb::PhysicalPlanGenerator& planner,
                                          duckdb::LogicalMergeInto& op,
                                          duckdb::PhysicalOperator& plan) override;

 private:
  struct EntryKey {
    store::TableId table = 0;
    std::uint32_t version = 0;
    std::uint32_t shown = 0;         //!< the earlier version whose columns it has; 0: none
    std::size_t not_purged_yet = 0;  //!< of `shown`: what is left of the dropped columns
    std::uint64_t alteration = 0;    //!< of a transaction that is not committed; 0: of none
    friend auto operator<=>(const EntryKey&, const EntryKey&) = default;
  };

  SchemaEntry& schema(std::string_view name) EXCLUDES(mutex_);

  store::Store& store_;
  Mutex mutex_;
  std::map<std::string, std::unique_ptr<SchemaEntry>, std::less<>> schemas_ GUARDED_BY(mutex_);
  std::map<EntryKey, std::unique_ptr<TableEntry>> entries_ GUARDED_BY(mutex_);
};

}  // namespace reel::sql
