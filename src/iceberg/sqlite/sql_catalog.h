#pragma once
//! The catalog that pyiceberg's SqlCatalog and Java's JdbcCatalog keep, in an SQLite file.

#include <memory>
#include <string>

#include "iceberg/catalog.h"

namespace reel::iceberg::sqlite {

struct SqlCatalogOptions {
  std::string path;          //!< of the SQLite file, which is created when it is missing
  std::string catalog_name;  //!< one file may hold several catalogs
  std::string warehouse;     //!< folder of tables that do not say where they are kept
};

//! Other processes may use the file at the same time. Thread-safe. A folder of one of its tables is
//! readable by itself as well (write_version_hint()). Code::io when the file cannot be opened.
Result<std::unique_ptr<Catalog>> open_sql_catalog(SqlCatalogOptions options);

}  // namespace reel::iceberg::sqlite
