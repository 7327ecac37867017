#include "media/url_signer.h"

#include <benchmark/benchmark.h>

namespace reel::media {
namespace {

const UrlGrant kGrant{UrlUse::get, *StorageId::parse("5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a"),
                      "tams/5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a.ts", ""};
constexpr Instant kNow{1'800'000'000'000'000};

void sign(benchmark::State& state) {
  const auto signer = UrlSigner::with_key(std::string(32, 'k'));
  std::string out;
  for (auto _ : state) {
    out.clear();
    signer->append_path(out, kGrant, kNow);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(sign)->ThreadRange(1, 2);

void verify(benchmark::State& state) {
  const auto signer = UrlSigner::with_key(std::string(32, 'k'));
  std::string url;
  signer->append_path(url, kGrant, Instant{kNow.micros + 1});
  const auto mark = url.find('?');
  for (auto _ : state) {
    const std::string_view text = url;
    const auto grant =
        signer->verify(UrlUse::get, text.substr(0, mark), text.substr(mark + 1), kNow);
    if (!grant) state.SkipWithError("refused");
  }
}
BENCHMARK(verify);

}  // namespace
}  // namespace reel::media
