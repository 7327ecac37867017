#pragma once
//! Pages: keyset paging over an index, filters on tags.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tams/context.h"
#include "tams/record.h"
#include "time/time_range.h"

namespace reel::tams {

struct PageRequest {
  std::size_t limit = 0;  //!< already clamped
  std::string key;        //!< opaque; empty = first page
  bool reverse = false;
};

struct Page {
  std::string items;  //!< a JSON array
  std::size_t count = 0;
  std::size_t limit = 0;
  bool reverse = false;
  std::string next_key;                                  //!< empty on the last page
  time::TimeRange timerange = time::TimeRange::never();  //!< of the items; segments only
};

//! What is asked for, between 1 and page_max.
std::size_t page_limit(const Limits& limits, std::optional<std::int64_t> asked);

//! Conditions on a document's tags; all must hold.
struct TagFilter {
  struct AnyOf {
    std::string name;
    std::vector<std::string> values;
  };
  std::vector<AnyOf> any_of;
  std::vector<std::pair<std::string, bool>> exists;

  bool empty() const { return any_of.empty() && exists.empty(); }
  //! `tags` is the JSON object text of a row, may be empty.
  bool matches(std::string_view tags) const;
};

//! How a listing walks a table.
struct ListingOrder {
  std::string_view table;
  std::string_view index;
  std::string_view sort_column;  //!< the index's only column; never null
  bool descending = false;       //!< before PageRequest::reverse is applied
};

//! Walks rows in order, keeps those that `accept`, and writes each with `write` until the page is
//! full. The table's key is one uuid column "id".
Result<Page> list_rows(store::Snapshot& snapshot, const ListingOrder& order,
                       const PageRequest& request,
                       const std::function<Result<bool>(const Record&)>& accept,
                       const std::function<Status(json::Writer&, const Record&)>& write);

//! Opaque page keys: canonical bytes of typed cells, base64url.
std::string make_page_key(const std::vector<std::pair<store::Type, store::Value>>& cells);
//! Code::not_found ("?page") when it was not made by make_page_key with these types.
Result<std::vector<store::Value>> read_page_key(std::string_view key,
                                                const std::vector<store::Type>& types);

}  // namespace reel::tams
