#include "arrow/stream_writer.h"

#include <nanoarrow/nanoarrow_ipc.hpp>

#include "arrow/result_internal.h"

namespace reel::arrow {
namespace {

struct Target {
  std::string* out = nullptr;  //!< of the call that runs
};

//! C calls this: nothing may be thrown through it.
ArrowErrorCode append(ArrowIpcOutputStream* stream, const void* bytes, std::int64_t count,
                      std::int64_t* written, ArrowError*) noexcept {
  const auto& target = *static_cast<const Target*>(stream->private_data);
  target.out->append(static_cast<const char*>(bytes), static_cast<std::size_t>(count));
  *written = count;
  return NANOARROW_OK;
}

}  // namespace

struct StreamWriter::State {
  Target target;
  nanoarrow::ipc::UniqueWriter writer;
  nanoarrow::UniqueArrayView view;
};

StreamWriter::StreamWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
StreamWriter::~StreamWriter() = default;

Result<std::unique_ptr<StreamWriter>> StreamWriter::begin(const ArrowSchema& schema,
                                                          std::string& out) {
  auto state = std::make_unique<State>();
  state->target.out = &out;
  ArrowError error{};
  ArrowIpcOutputStream stream{
      .write = append,
      .release = [](ArrowIpcOutputStream* released) { released->release = nullptr; },
      .private_data = &state->target};
  REEL_TRY(check(ArrowIpcWriterInit(state->writer.get(), &stream)));
  REEL_TRY(check(ArrowIpcWriterWriteSchema(state->writer.get(), &schema, &error), error));
  REEL_TRY(check(ArrowArrayViewInitFromSchema(state->view.get(), &schema, &error), error));
  return std::unique_ptr<StreamWriter>(new StreamWriter(std::move(state)));
}

Status StreamWriter::write(const ArrowArray& batch, std::string& out) {
  state_->target.out = &out;
  ArrowError error{};
  REEL_TRY(check(ArrowArrayViewSetArray(state_->view.get(), &batch, &error), error));
  return check(ArrowIpcWriterWriteArrayView(state_->writer.get(), state_->view.get(), &error),
               error);
}

Status StreamWriter::end(std::string& out) {
  state_->target.out = &out;
  ArrowError error{};
  return check(ArrowIpcWriterWriteArrayView(state_->writer.get(), nullptr, &error), error);
}

}  // namespace reel::arrow
