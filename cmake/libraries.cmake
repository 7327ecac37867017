# Third-party libraries. All are imported targets, so their headers are SYSTEM and our warnings stay ours.
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(simdjson 3 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(tomlplusplus 3.3 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(ZLIB REQUIRED)

# xxHash has no CMake package.
find_path(REEL_XXHASH_INCLUDE xxhash.h REQUIRED)
find_library(REEL_XXHASH_LIBRARY xxhash REQUIRED)
add_library(xxHash::xxhash UNKNOWN IMPORTED)
set_target_properties(xxHash::xxhash PROPERTIES
  IMPORTED_LOCATION ${REEL_XXHASH_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${REEL_XXHASH_INCLUDE})

# libcjose has no CMake package; its headers include Jansson's.
find_path(REEL_CJOSE_INCLUDE cjose/cjose.h REQUIRED)
find_library(REEL_CJOSE_LIBRARY cjose REQUIRED)
add_library(cjose::cjose UNKNOWN IMPORTED)
set_target_properties(cjose::cjose PROPERTIES
  IMPORTED_LOCATION ${REEL_CJOSE_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${REEL_CJOSE_INCLUDE})

# Packages of npm, where ./dev setup puts them. Files of theirs become part of the program.
set(REEL_NPM ${CMAKE_SOURCE_DIR}/build/npm)
foreach(file redoc/bundles/redoc.standalone.js redoc/LICENSE
        swagger-ui-dist/swagger-ui-bundle.js swagger-ui-dist/swagger-ui.css swagger-ui-dist/LICENSE)
  if(NOT EXISTS ${REEL_NPM}/${file})
    message(FATAL_ERROR "${REEL_NPM}/${file} is missing: run ./dev setup")
  endif()
  list(APPEND REEL_NPM_FILES ${REEL_NPM}/${file})
endforeach()
set_source_files_properties(src/api/page_assets.cc PROPERTIES
  COMPILE_DEFINITIONS REEL_NPM="${REEL_NPM}" OBJECT_DEPENDS "${REEL_NPM_FILES}" SKIP_PRECOMPILE_HEADERS ON)

# DuckDB: the library from npm, the headers of the same version from the source archive of PyPI.
set(REEL_DUCKDB ${REEL_NPM}/@duckdb/node-bindings-linux-x64)
set(REEL_DUCKDB_SOURCE ${CMAKE_SOURCE_DIR}/build/pypi/duckdb-source)
foreach(file ${REEL_DUCKDB}/libduckdb.so ${REEL_DUCKDB_SOURCE}/external/duckdb/src/include/duckdb.hpp)
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "${file} is missing: run ./dev setup")
  endif()
endforeach()
# C++ has no stable interface between versions of it: the two must be the same.
file(STRINGS ${REEL_DUCKDB_SOURCE}/PKG-INFO REEL_DUCKDB_VERSION REGEX "^Version: ")
string(REPLACE "Version: " v REEL_DUCKDB_VERSION ${REEL_DUCKDB_VERSION})
try_run(REEL_DUCKDB_RUNS REEL_DUCKDB_COMPILES
  SOURCE_FROM_CONTENT duckdb_version.cc "#include <cstdio>
extern \"C\" const char* duckdb_library_version();
int main() { std::puts(duckdb_library_version()); }"
  LINK_LIBRARIES ${REEL_DUCKDB}/libduckdb.so
  RUN_OUTPUT_VARIABLE REEL_DUCKDB_LIBRARY_VERSION)
string(STRIP "${REEL_DUCKDB_LIBRARY_VERSION}" REEL_DUCKDB_LIBRARY_VERSION)
if(NOT REEL_DUCKDB_LIBRARY_VERSION STREQUAL REEL_DUCKDB_VERSION)
  message(FATAL_ERROR "DuckDB's headers are ${REEL_DUCKDB_VERSION}, its library says '${REEL_DUCKDB_LIBRARY_VERSION}'")
endif()
add_library(DuckDB::DuckDB SHARED IMPORTED)
set_target_properties(DuckDB::DuckDB PROPERTIES
  IMPORTED_LOCATION ${REEL_DUCKDB}/libduckdb.so
  IMPORTED_NO_SONAME ON
  INTERFACE_INCLUDE_DIRECTORIES ${REEL_DUCKDB_SOURCE}/external/duckdb/src/include)

# nanoarrow, and the runtime of FlatBuffers under it: a few sources in C, from the source archive of PyPI.
set(REEL_NANOARROW_SOURCE ${CMAKE_SOURCE_DIR}/build/pypi/nanoarrow-source)
if(NOT EXISTS ${REEL_NANOARROW_SOURCE})
  message(FATAL_ERROR "${REEL_NANOARROW_SOURCE} is missing: run ./dev setup")
endif()
file(STRINGS ${REEL_NANOARROW_SOURCE}/PKG-INFO NANOARROW_VERSION REGEX "^Version: ")
string(REPLACE "Version: " "" NANOARROW_VERSION ${NANOARROW_VERSION})
string(REGEX MATCH "^([0-9]+)\\.([0-9]+)\\.([0-9]+)" ignored ${NANOARROW_VERSION})
set(NANOARROW_VERSION_MAJOR ${CMAKE_MATCH_1})
set(NANOARROW_VERSION_MINOR ${CMAKE_MATCH_2})
set(NANOARROW_VERSION_PATCH ${CMAKE_MATCH_3})
set(NANOARROW_NAMESPACE_DEFINE "#define NANOARROW_NAMESPACE Reel")  # no symbol of another copy in the process
set(nanoarrow ${REEL_NANOARROW_SOURCE}/subprojects/arrow-nanoarrow/src)
configure_file(${nanoarrow}/nanoarrow/nanoarrow_config.h.in ${CMAKE_BINARY_DIR}/nanoarrow/nanoarrow/nanoarrow_config.h)
file(GLOB REEL_FLATCC ${REEL_NANOARROW_SOURCE}/subprojects/flatcc-*)
add_library(nanoarrow STATIC
  ${nanoarrow}/nanoarrow/common/array.c ${nanoarrow}/nanoarrow/common/array_stream.c
  ${nanoarrow}/nanoarrow/common/schema.c ${nanoarrow}/nanoarrow/common/utils.c
  ${nanoarrow}/nanoarrow/ipc/codecs.c ${nanoarrow}/nanoarrow/ipc/decoder.c ${nanoarrow}/nanoarrow/ipc/encoder.c
  ${nanoarrow}/nanoarrow/ipc/reader.c ${nanoarrow}/nanoarrow/ipc/writer.c
  ${REEL_FLATCC}/src/runtime/builder.c ${REEL_FLATCC}/src/runtime/emitter.c ${REEL_FLATCC}/src/runtime/refmap.c
  ${REEL_FLATCC}/src/runtime/verifier.c)
target_include_directories(nanoarrow SYSTEM PUBLIC ${nanoarrow} ${CMAKE_BINARY_DIR}/nanoarrow PRIVATE ${REEL_FLATCC}/include)
target_compile_options(nanoarrow PRIVATE -O2 -fvisibility=hidden -fstack-protector-strong)
add_library(nanoarrow::nanoarrow ALIAS nanoarrow)

# libedit has no CMake package.
find_path(REEL_LIBEDIT_INCLUDE histedit.h REQUIRED)
find_library(REEL_LIBEDIT_LIBRARY edit REQUIRED)
add_library(libedit::libedit UNKNOWN IMPORTED)
set_target_properties(libedit::libedit PROPERTIES
  IMPORTED_LOCATION ${REEL_LIBEDIT_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${REEL_LIBEDIT_INCLUDE})

# jemalloc has no CMake package either.
find_library(REEL_JEMALLOC jemalloc REQUIRED)
add_library(jemalloc::jemalloc UNKNOWN IMPORTED)
set_target_properties(jemalloc::jemalloc PROPERTIES IMPORTED_LOCATION ${REEL_JEMALLOC})

# Only testing needs these, and a machine that serves has not installed them.
find_package(GTest QUIET)
find_package(benchmark QUIET)
find_package(OpenEXR 3.1 QUIET)
