#include "cli/commands.h"

//! jemalloc's settings, which it looks for under this name: what is free goes back to the system
//! within a second, from a thread of its own. With the allocator of glibc, whose arenas keep what
//! each worker once needed, a server that loads in bulk stays several times as large
//! (`bench/tams.py --only large`). Sanitizers bring their own allocator; it ignores this.
extern "C" __attribute__((visibility("default"))) const char* malloc_conf =
    "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";

int main(int argc, char** argv) { return reel::cli::run_command_line(argc, argv); }
