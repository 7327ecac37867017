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

# Nor has libedit.
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
