#pragma once
//! What we keep with a connection of DuckDB's.

#include <memory>
#include <optional>

#include <duckdb/common/error_data.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/client_context_state.hpp>

#include "sql/engine.h"
#include "sql/statement.h"

namespace reel::sql {

struct ClientState final : duckdb::ClientContextState {
  static constexpr char kName[] = "reelhouse";

  ConnectOptions options;
  Access access = Access::read;  //!< that the running statement was found to need
  //! What the last commit failed with: DuckDB itself keeps only the text of it.
  std::optional<duckdb::ErrorData> commit_error;

  static bool shows(duckdb::ClientContext& context, const store::TableSchema& table) {
    const auto state = context.registered_state->Get<ClientState>(kName);
    if (state == nullptr || !state->options.product_tables || !table.product) return true;
    return state->options.product_tables->contains(table.name);
  }
  static std::string by(duckdb::ClientContext& context) {
    const auto state = context.registered_state->Get<ClientState>(kName);
    return state == nullptr ? "sql" : state->options.by;
  }
  static std::shared_ptr<const ProductWrites> product_writes(duckdb::ClientContext& context) {
    const auto state = context.registered_state->Get<ClientState>(kName);
    return state == nullptr ? nullptr : state->options.product_writes;
  }

  void QueryBegin(duckdb::ClientContext&) override { commit_error.reset(); }
  void TransactionRollback(duckdb::MetaTransaction&, duckdb::ClientContext&,
                           duckdb::optional_ptr<duckdb::ErrorData> failure) override {
    if (failure && failure->HasError()) commit_error = *failure;
  }
};

}  // namespace reel::sql
