#pragma once
//! Migrations as files: a directory of numbered documents, each of which is applied once, in order.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace reel::cli {

struct MigrationFile {
  std::string name = {};      //!< "0001_cameras", of 0001_cameras.json
  std::string table = {};     //!< which it creates or changes
  std::string checksum = {};  //!< SHA-256 of the file, in hex
  bool creates = false;       //!< the document defines a table; else it is an array of operations
  json::Value document = {};

  //! How the history of the table tells that it was applied.
  std::string comment() const;
};

//! The files NNNN_name.json of a directory, by number; others are not migrations. Code::invalid for
//! numbers that do not run from 1 without a gap, and for documents that are neither
//! {"create_table": {…}} nor {"table": "…", "operations": […]}.
Result<std::vector<MigrationFile>> read_migrations(const std::string& directory);

//! The checksums of what was applied, by the name of the file and of the table as it was then.
using AppliedMigrations = std::map<std::pair<std::string, std::string>, std::string>;

//! Adds what a table's history (GET /tables/{table}/history) tells.
void note_applied(const json::Value& history, AppliedMigrations& applied);

//! How many of the files are applied: these are the first ones. Code::conflict when an applied file
//! has changed since, or when one that is not applied is followed by one that is.
Result<std::size_t> count_applied(const std::vector<MigrationFile>& files,
                                  const AppliedMigrations& applied);

}  // namespace reel::cli
