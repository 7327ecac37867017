#include "cli/sql_export.h"

#include <unistd.h>
#include <cstdio>
#include <fstream>
#include <limits>

#include "arrow/stream_writer.h"
#include "cli/json_fields.h"
#include "cli/tams_client.h"
#include "cli/temp_directory.h"
#include "http/client/client.h"
#include "sql/arrow_stream.h"
#include "sql/parquet.h"

namespace reel::cli {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr const char* kStandardOutput = "/dev/stdout";

Status check_output(const SqlExport& wanted) {
  if (wanted.output.empty() && ::isatty(STDOUT_FILENO) == 1) {
    return invalid("{} is not for a terminal: redirect the output, or name a file with --output",
                   wanted.format);
  }
  return {};
}

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

//! Does not leave a part of a result behind.
Status write_result(const SqlExport& wanted, const arrow::ReadBytes& read) {
  const std::string path = wanted.output.empty() ? kStandardOutput : wanted.output;
  Status written = wanted.format == "parquet" ? sql::write_parquet(read, path) : copy(read, path);
  if (!written && !wanted.output.empty()) std::remove(wanted.output.c_str());
  return written;
}

}  // namespace

bool is_file_format(std::string_view format) { return format == "arrow" || format == "parquet"; }

Status export_from_session(sql::Session& session, const SqlExport& wanted) {
  REEL_TRY(check_output(wanted));
  REEL_ASSIGN(const auto cursor, session.open(wanted.text));
  const auto stream = sql::ArrowStream::of(*cursor);
  bool more = true;
  return write_result(wanted, [&more, &stream](std::string& out) -> Result<bool> {
    if (more) {
      REEL_ASSIGN(more, stream->next(out, std::numeric_limits<std::size_t>::max()));
    }
    return more;
  });
}

//! The whole result is taken before any of it is written: an answer that is cut changes nothing.
Status export_from_server(const std::string& url, const SqlExport& wanted) {
  REEL_TRY(check_output(wanted));
  REEL_ASSIGN(const TempDirectory folder, TempDirectory::make());
  REEL_ASSIGN(const auto client, http::Client::make());
  const std::string body = json::to_text(json::Object{{"sql", wanted.text}});
  http::ClientRequest request{.method = "POST",
                              .url = url + "/sql",
                              .headers = {{"Content-Type", "application/json"},
                                          {"Accept", std::string(arrow::kStreamType)}},
                              .body = body,
                              .answer_file = folder.file("result"),
                              .stall_timeout = std::chrono::hours(24)};
  if (const std::string token = token_of_environment(); !token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + token);
  }
  REEL_ASSIGN(const http::ClientResponse response, client->send(request));
  if (!response.ok()) {
    const auto answer = json::parse(response.body);
    if (!answer) return io("{} answered with status {}", request.url, response.status);
    return invalid("{}", string_field(*answer, "message"));
  }
  std::ifstream file(request.answer_file, std::ios::binary);
  return write_result(wanted, [&file](std::string& out) -> Result<bool> {
    out.resize(kPieceBytes);
    file.read(out.data(), static_cast<std::streamsize>(out.size()));
    out.resize(static_cast<std::size_t>(file.gcount()));
    return static_cast<bool>(file);
  });
}

}  // namespace reel::cli
