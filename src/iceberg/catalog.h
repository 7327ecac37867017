#pragma once
//! Where the current metadata of tables is, and the one step that makes other metadata current.

#include <memory>
#include <string>
#include <vector>

#include "iceberg/metadata.h"

namespace reel::iceberg {

//! A table's name within a catalog. `space` is a namespace; levels are parted by dots.
struct TableName {
  std::string space;
  std::string name;
  std::string to_string() const { return space + "." + name; }
};

//! Names become parts of paths: not empty, no '/', no control character, no leading dot.
Status check_table_name(const TableName& table);

class Catalog {
 public:
  virtual ~Catalog() = default;

  //! Where a table that does not say otherwise is kept.
  virtual Result<std::string> default_location(const TableName& table) const = 0;

  //! The location of the current metadata file. Code::not_found names the table.
  virtual Result<std::string> current(const TableName& table) = 0;

  //! Writes `next` as a metadata file and makes it current, if `base` still is (empty: if there is
  //! no such table). The location of the new file. Code::conflict when another writer was faster;
  //! nothing has changed then. Code::unknown_outcome when nobody knows: current() will tell.
  virtual Result<std::string> replace(const TableName& table, const TableMetadata& next,
                                      const std::string& base) = 0;
};

//! Tables as folders, `<root>/<space>/<name>`, which readers find by `metadata/version-hint.text`:
//! what Iceberg calls a file system table. Metadata files are v1, v2, …; the next one is linked to
//! its name, which fails when it is taken. Only for local disks.
Result<std::unique_ptr<Catalog>> open_directory_catalog(const std::string& root);

//! Says in `<location>/metadata/version-hint.text` that `hint` is current ("7", or the name of a
//! metadata file without its ending), so that a reader that knows only the folder finds it.
Status write_version_hint(const std::string& table_location, std::string_view hint);

}  // namespace reel::iceberg
