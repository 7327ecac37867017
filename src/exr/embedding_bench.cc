#include "exr/embedding.h"

#include <cstring>
#include <random>

#include <benchmark/benchmark.h>

namespace reel::exr {
namespace {

//! 100 000 vectors, 154 MB: more than caches hold.
const std::vector<float>& vectors() {
  static const std::vector<float> made = [] {
    constexpr std::size_t kVectors = 100'000;
    std::vector<float> all(kVectors * kMetadataDimensions);
    std::mt19937 random(1);
    for (float& value : all) value = static_cast<float>(random() % 2001) / 1000.0F - 1;
    return all;
  }();
  return made;
}

void count_bytes(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(vectors().size() * sizeof(float)));
}

//! What the scan is held against: every byte read once, and added up.
void read_memory(benchmark::State& state) {
  const auto& all = vectors();
  for (auto _ : state) {
    std::array<std::uint64_t, 8> sums = {};
    const auto* bytes = reinterpret_cast<const char*>(all.data());
    for (std::size_t i = 0; i + sizeof sums <= all.size() * sizeof(float); i += sizeof sums) {
      std::array<std::uint64_t, 8> words;
      std::memcpy(words.data(), bytes + i, sizeof words);
      for (std::size_t k = 0; k < words.size(); ++k) sums[k] += words[k];
    }
    benchmark::DoNotOptimize(sums);
  }
  count_bytes(state);
}

void scan_nearest(benchmark::State& state) {
  const auto& all = vectors();
  const auto query = std::span(all).first(kMetadataDimensions);
  for (auto _ : state) benchmark::DoNotOptimize(nearest(query, all, 10));
  count_bytes(state);
}

BENCHMARK(read_memory)->Unit(benchmark::kMillisecond);
BENCHMARK(scan_nearest)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace reel::exr
