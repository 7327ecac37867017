#pragma once
//! What we keep with a connection of DuckDB's.

#include <optional>
#include <set>
#include <string>

#include <duckdb/common/error_data.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/client_context_state.hpp>

#include "store/schema.h"

namespace reel::sql {

struct ClientState final : duckdb::ClientContextState {
  static constexpr char kName[] = "reelhouse";

  //! Of the tables of the product, those that this client sees; unset: all.
  std::optional<std::set<std::string, std::less<>>> product_tables;
  //! What the last commit failed with: DuckDB itself keeps only the text of it.
  std::optional<duckdb::ErrorData> commit_error;

  static bool shows(duckdb::ClientContext& context, const store::TableSchema& table) {
    const auto state = context.registered_state->Get<ClientState>(kName);
    if (state == nullptr || !state->product_tables || !table.product) return true;
    return state->product_tables->contains(table.name);
  }

  void QueryBegin(duckdb::ClientContext&) override { commit_error.reset(); }
  void TransactionRollback(duckdb::MetaTransaction&, duckdb::ClientContext&,
                           duckdb::optional_ptr<duckdb::ErrorData> failure) override {
    if (failure && failure->HasError()) commit_error = *failure;
  }
};

}  // namespace reel::sql
