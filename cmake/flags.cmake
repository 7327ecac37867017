# Compiler, warnings, hardening, sanitizers, cache and job pools. Optimisation levels are in CMakePresets.json.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

set(REEL_SANITIZE "" CACHE STRING "Argument of -fsanitize=, set by the presets")
option(REEL_LIBFUZZER "Link fuzz targets with libFuzzer instead of the corpus replayer" OFF)

# A Beast translation unit takes several CPU seconds and 1 GB, a link a lot of I/O: one of each at a time.
set_property(GLOBAL PROPERTY JOB_POOLS link=1 beast=1)
set(CMAKE_JOB_POOL_LINK link)

# A rebuild in the same checkout is served from the cache. Checkouts share entries of sources that no precompiled header
# is part of; clang writes the path of its checkout into one.
find_program(REEL_CCACHE ccache)
if(REEL_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${REEL_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_COMPILERCHECK=content
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${REEL_CCACHE})
endif()

add_library(reel_flags INTERFACE)
target_include_directories(reel_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(reel_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_compile_options(reel_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wimplicit-fallthrough -Wthread-safety -Werror
  -fstack-protector-strong
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
  "SHELL:-Xclang -fno-pch-timestamp")
target_link_options(reel_flags INTERFACE -fuse-ld=lld-19 -Wl,-z,relro,-z,now)
if(REEL_SANITIZE)
  set(sanitize -fsanitize=${REEL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(reel_flags INTERFACE ${sanitize})
  target_link_options(reel_flags INTERFACE ${sanitize})
endif()
