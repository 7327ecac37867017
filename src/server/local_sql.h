#pragma once
//! SQL on a data directory that no server has open.

#include <memory>

#include "events/change_signal.h"
#include "server/config.h"
#include "sql/engine.h"
#include "tams/context.h"

namespace reel::server {

class LocalSql {
 public:
  //! Holds the directory until it is destroyed. Errors as of open_sqlite_store().
  static Result<std::unique_ptr<LocalSql>> open(const Config& config);
  LocalSql(const LocalSql&) = delete;
  LocalSql& operator=(const LocalSql&) = delete;

  //! May do everything. Sessions must not outlive this.
  std::unique_ptr<sql::Session> connect(sql::ConnectOptions options = {});

 private:
  LocalSql(std::unique_ptr<store::Store> store, tams::Storage storage, const Config& config);

  const std::unique_ptr<store::Store> store_;
  const tams::Storage storage_;
  events::ChangeSignal changes_;
  const tams::Context context_;
  const std::unique_ptr<sql::Engine> engine_;
};

}  // namespace reel::server
