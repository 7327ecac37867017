#include "json/forms.h"

#include "base/clock.h"

namespace reel::json {
namespace {

Status check_date_time(std::string_view text) {
  REEL_TRY(Instant::parse(text));
  return {};
}

}  // namespace

Shape date_time() {
  return Shape::form("Date and time, RFC 3339", "", check_date_time, "date-time");
}

}  // namespace reel::json
