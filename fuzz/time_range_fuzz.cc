// links: time
//! TimeRange::parse never crashes and accepts exactly the schema's pattern, save for instants with
//! an exclusive marker and timestamps outside the PTP range; what it prints reads back as equal.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "time/time_range.h"

namespace {

using reel::time::TimeRange;

//! Matches the pattern of schemas/timerange.json term by term, without reading any value.
class Pattern {
 public:
  explicit Pattern(std::string_view text) : rest_(text) {}

  bool matches() {
    any_of("[(");
    timestamp();
    if (any_of("_")) timestamp();
    any_of("])");
    return rest_.empty();
  }

 private:
  bool any_of(std::string_view set) {
    if (rest_.empty() || set.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  //! (0|[1-9][0-9]{0,more}), as often as it fits.
  bool number(std::size_t more) {
    if (any_of("0")) return true;
    if (!any_of("123456789")) return false;
    while (more > 0 && any_of("0123456789")) --more;
    return true;
  }

  //! (-?number:number)?, giving back what it took when it does not fit.
  void timestamp() {
    const std::string_view before = rest_;
    any_of("-");
    if (!number(std::string_view::npos) || !any_of(":") || !number(8)) rest_ = before;
  }

  std::string_view rest_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool matches = Pattern(text).matches();
  const auto range = TimeRange::parse(text);
  if (!range) {
    const std::string& why = range.error().message();
    const bool beyond_the_pattern = why.find("cannot be exclusive") != std::string::npos ||
                                    why.find("2^48") != std::string::npos;
    REEL_CHECK(!matches || beyond_the_pattern);
    return 0;
  }
  REEL_CHECK(matches);
  const std::string printed = range->to_string();
  const auto again = TimeRange::parse(printed);
  REEL_CHECK(again && *again == *range && again->to_string() == printed);
  return 0;
}
