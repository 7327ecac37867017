#include "http/compress.h"

#include <zlib.h>

#include <limits>

#include "base/result.h"
#include "http/field_internal.h"

namespace reel::http {
namespace {

//! Thousandths of a weight: "1", "0.25", "1.000".
int thousandths(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  int value = (text[0] - '0') * 1000;
  if (text.size() == 1) return value;
  if (text[1] != '.') return 0;
  int unit = 100;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') return 0;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value <= 1000 ? value : 0;
}

//! The weight in "gzip;q=0.5", 1000 when there is none.
int weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = trim(parameters.substr(0, end));
    if (parameter.size() > 2 && same_text(parameter.substr(0, 2), "q=")) {
      return thousandths(parameter.substr(2));
    }
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
  }
  return 1000;
}

//! zlib's state is 256 kB: made once per thread and reset.
class Deflater {
 public:
  Deflater() {
    constexpr int kGzipWindow = 15 + 16;
    REEL_CHECK(deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8,
                            Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  std::string run(std::string_view bytes) {
    REEL_CHECK(bytes.size() <= std::numeric_limits<uInt>::max());
    REEL_CHECK(deflateReset(&stream_) == Z_OK);
    std::string out(deflateBound(&stream_, bytes.size()), '\0');
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    REEL_CHECK(deflate(&stream_, Z_FINISH) == Z_STREAM_END);
    out.resize(stream_.total_out);
    return out;
  }

 private:
  z_stream stream_{};
};

}  // namespace

bool prefers_gzip(std::string_view accept_encoding) {
  int gzip_weight = -1;
  int any_weight = -1;
  int plain_weight = 0;
  for_each_element(accept_encoding, [&](std::string_view element) {
    const std::size_t end = std::min(element.find(';'), element.size());
    const std::string_view coding = trim(element.substr(0, end));
    const int w = weight(element.substr(std::min(end + 1, element.size())));
    if (same_text(coding, "gzip") || same_text(coding, "x-gzip")) gzip_weight = w;
    if (coding == "*") any_weight = w;
    if (same_text(coding, "identity")) plain_weight = w;
  });
  if (gzip_weight < 0) gzip_weight = any_weight;
  return gzip_weight > 0 && gzip_weight >= plain_weight;
}

bool is_compressible_type(std::string_view content_type) {
  const std::string_view type =
      trim(content_type.substr(0, std::min(content_type.find(';'), content_type.size())));
  if (type.size() > 5 && same_text(type.substr(0, 5), "text/")) return true;
  for (const std::string_view end : {"json", "xml", "javascript", "yaml", "mpegurl"}) {
    if (type.size() > end.size() && same_text(type.substr(type.size() - end.size()), end)) {
      return true;
    }
  }
  return false;
}

std::string gzip(std::string_view bytes) {
  thread_local Deflater deflater;
  return deflater.run(bytes);
}

}  // namespace reel::http
