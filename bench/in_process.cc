// links: api store_sqlite
//! The requests of the speed table without sockets: what the application and the store cost alone.

#include <cstdlib>
#include <filesystem>

#include <benchmark/benchmark.h>

#include "api/application.h"
#include "api/routes.h"
#include "store/sqlite/sqlite_store.h"
#include "tams/context.h"
#include "tams/tables.h"

namespace {

using namespace reel;

constexpr int kFlowSegments = 10'000;
constexpr char kFlow[] = "/flows/5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a";

template <class T>
T value_of(Result<T> result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().message().c_str());
  REEL_CHECK(result.has_value());
  return *std::move(result);
}

std::string temporary_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "reel-bench-XXXXXX").string();
  REEL_CHECK(::mkdtemp(name.data()) != nullptr);
  return name;
}

//! A segment of one second that brings its own object.
std::string segment(std::int64_t second) {
  return fmt::format(
      R"-({{"object_id":"bench/{0}.ts","timerange":"[{0}:0_{1}:0)","sample_count":25,)-"
      R"-("get_urls":[{{"url":"https://media.example/bench/{0}.ts","label":"cdn"}}]}})-",
      second, second + 1);
}

std::string segments(std::int64_t from, std::int64_t count) {
  std::string body = "[";
  for (std::int64_t i = 0; i < count; ++i) body += (i > 0 ? "," : "") + segment(from + i);
  return body + "]";
}

//! Everything below the sockets, in a folder that goes away, with one flow.
class House {
 public:
  static House& get() {
    static House house;
    return house;
  }

  ~House() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  //! The status; aborts unless it is `expected`.
  std::size_t ask(api::Method method, std::string path, std::string query, std::string body,
                  int expected) {
    api::Request request;
    request.head.method = method;
    request.head.path = std::move(path);
    request.head.query = std::move(query);
    request.head.request_id = "bench";
    request.head.headers.add("Host", "127.0.0.1:8000");
    request.body = std::move(body);
    auto admission = application_.admit(request.head, reel::auth::Patience::some);
    REEL_CHECK(admission.has_value());
    const api::Response response = application_.handle(*admission, request);
    const auto& text = std::get<std::string>(response.body);
    if (response.status != expected) std::fprintf(stderr, "%s\n", text.c_str());
    REEL_CHECK(response.status == expected);
    return text.size();
  }

  //! Seconds that no segment has taken yet.
  std::int64_t take_seconds(std::int64_t count) { return next_.fetch_add(count); }

 private:
  House()
      : folder_(temporary_folder()),
        store_(value_of(store::open_sqlite_store({.path = folder_ + "/store.db"}))) {
    REEL_CHECK(tams::ensure_tables(*store_).has_value());
    const StorageId id = StorageId::random();
    media::BackendInfo info;
    info.id = id;
    info.label = "local";
    info.default_storage = true;
    storage_.backends.emplace(id, value_of(media::open_local_backend(info, folder_ + "/media")));
    storage_.signer = media::UrlSigner::with_key(std::string(32, 'k'));
    ask(api::Method::put, kFlow, "",
        R"({"id":"5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a",)"
        R"("source_id":"11111111-0d5c-4c47-b9b7-89af2d8b3f2a",)"
        R"("format":"urn:x-nmos:format:video","codec":"video/h264","container":"video/mp2t",)"
        R"("essence_parameters":{"frame_width":1920,"frame_height":1080,)"
        R"("frame_rate":{"numerator":25}}})",
        201);
    for (int i = 0; i < kFlowSegments; i += 1000) allocated(i);
  }

  //! A thousand segments whose objects lie in our own storage.
  void allocated(std::int64_t from) {
    std::string ids;
    std::string body;
    for (std::int64_t i = from; i < from + 1000; ++i) {
      ids += fmt::format("{}\"bench/{}.ts\"", i > from ? "," : "", i);
      body += fmt::format(R"-({}{{"object_id":"bench/{}.ts","timerange":"[{}:0_{}:0)"}})-",
                          i > from ? "," : "[", i, i, i + 1);
    }
    ask(api::Method::post, std::string(kFlow) + "/storage", "", "{\"object_ids\":[" + ids + "]}",
        201);
    ask(api::Method::post, std::string(kFlow) + "/segments", "", body + "]", 201);
  }

  const std::string folder_;
  std::unique_ptr<store::Store> store_;
  tams::Storage storage_;
  events::ChangeSignal changes_;
  tams::Context context_{*store_, storage_, system_clock(), system_random(), changes_};
  api::TamsApplication application_{api::product_routes(), context_, {}};
  std::atomic<std::int64_t> next_{1'000'000};
};

void no_op_get(benchmark::State& state) {
  House& house = House::get();
  for (auto _ : state) house.ask(api::Method::get, "/", "", "", 200);
}
BENCHMARK(no_op_get);

void no_op_post(benchmark::State& state) {
  House& house = House::get();
  for (auto _ : state) house.ask(api::Method::post, "/service", "", "{}", 200);
}
BENCHMARK(no_op_post);

void get_segments(benchmark::State& state, const std::string& urls) {
  House& house = House::get();
  std::int64_t start = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    start = (start + 7919) % (kFlowSegments - 100);
    bytes = house.ask(api::Method::get, std::string(kFlow) + "/segments",
                      fmt::format("timerange=[{}:0_&limit=30{}", start, urls), "", 200);
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK_CAPTURE(get_segments, without_urls, "&accept_get_urls=");
BENCHMARK_CAPTURE(get_segments, with_signed_urls, "&presigned=true");
BENCHMARK_CAPTURE(get_segments, with_all_urls, "");

void post_one(benchmark::State& state) {
  House& house = House::get();
  for (auto _ : state) {
    house.ask(api::Method::post, std::string(kFlow) + "/segments", "",
              segment(house.take_seconds(1)), 201);
  }
}
BENCHMARK(post_one)->Threads(1)->Threads(8)->Threads(64)->UseRealTime()->MeasureProcessCPUTime();

void post_bulk(benchmark::State& state) {
  House& house = House::get();
  const std::int64_t count = state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    const std::string body = segments(house.take_seconds(count), count);
    state.ResumeTiming();
    house.ask(api::Method::post, std::string(kFlow) + "/segments", "", body, 201);
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(post_bulk)->Arg(1000)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace

BENCHMARK_MAIN();
