#include "cli/sql_export.h"

#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <fstream>

#include "sql/parquet.h"

namespace reel::cli {
namespace {

constexpr const char* kStandardOutput = "/dev/stdout";

Status copy(const arrow::ReadBytes& read, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  std::string piece;
  while (true) {
    piece.clear();
    REEL_ASSIGN(const bool more, read(piece));
    file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (!more) file.close();
    if (!file) return io("cannot write {}: {}", path, std::generic_category().message(errno));
    if (!more) return {};
  }
}

}  // namespace

bool is_file_format(std::string_view format) { return format == "arrow" || format == "parquet"; }

Status export_result(SqlClient& client, const std::string& text, const SqlExport& wanted) {
  if (wanted.output.empty() && ::isatty(STDOUT_FILENO) == 1) {
    return invalid("{} is not for a terminal: redirect the output, or name a file with --output",
                   wanted.format);
  }
  const std::string path = wanted.output.empty() ? kStandardOutput : wanted.output;
  return client.fetch(text, [&path, &wanted](const arrow::ReadBytes& read) {
    Status written = wanted.format == "parquet" ? sql::write_parquet(read, path) : copy(read, path);
    if (!written && !wanted.output.empty()) std::remove(path.c_str());
    return written;
  });
}

}  // namespace reel::cli
