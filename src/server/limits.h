#pragma once
//! Every limit of a server, by name. What is above one is answered, never grown into; the defaults
//! stand beside the members, docs/operations.md lists the keys that set them.

#include <cstdint>

#include "http/server.h"
#include "tams/context.h"

namespace reel::server {

struct Limits {
  //! Of the sockets: connections, heads, bodies, times.
  http::ServerLimits http;
  //! Of the domain: pages, allocations, bulk requests.
  tams::Limits tams;
  //! With less free space on the disk of the data directory or of a storage backend, /health and
  //! /readyz say that the server is unwell.
  std::uint64_t disk_free_bytes_min = 256 << 20;
  //! Requests per second of one address and of one identity, bursts of ten seconds' worth allowed;
  //! 0 = as many as they like.
  std::uint32_t peer_requests_per_second = 0;
  std::uint32_t identity_requests_per_second = 0;
  //! Wrong credentials per second of one address, bursts likewise; beyond it none is checked.
  std::uint32_t auth_failures_per_second = 5;
  //! Tables of more rows have columns converted only for those who say that writers may wait.
  std::int64_t convert_rows_max = 200'000;
  //! How long requests in flight may take to end after SIGTERM.
  std::uint32_t drain_ms_max = 30'000;
};

}  // namespace reel::server
