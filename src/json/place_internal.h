#pragma once
//! A place in a document while it is walked.

#include <cstddef>
#include <string>
#include <string_view>

#include "json/value.h"

namespace reel::json {

//! One step below another place; those live on the stack of the walk. Nearly every document is
//! right, so the pointer is made only where an error needs it.
struct Place {
  const Place* above = nullptr;  //!< null: the whole document
  std::string_view name = {};    //!< of the member
  std::size_t index = 0;         //!< of the item, when there is no member
  bool is_item = false;

  static Place member(const Place& above, std::string_view name) { return {&above, name}; }
  static Place item(const Place& above, std::size_t index) { return {&above, {}, index, true}; }

  //! RFC 6901; "" for the whole document.
  std::string pointer() const {
    if (above == nullptr) return {};
    return is_item ? join_pointer(above->pointer(), index) : join_pointer(above->pointer(), name);
  }
};

}  // namespace reel::json
