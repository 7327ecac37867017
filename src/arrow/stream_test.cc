#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nanoarrow/nanoarrow.hpp>

#include "arrow/stream_reader.h"
#include "arrow/stream_writer.h"
#include "arrow/table_schema.h"

namespace reel::arrow {
namespace {

using testing::HasSubstr;

//! Gives `text` out in pieces of `size` bytes.
ReadBytes pieces(std::string text, std::size_t size) {
  return [text = std::move(text), size, begin = std::size_t{0}](std::string& out) mutable {
    out += text.substr(begin, size);
    begin = std::min(begin + size, text.size());
    return Result<bool>(begin < text.size());
  };
}

//! 0, 1, 2, … as a batch of one column.
std::string numbers(std::int64_t rows, bool ended = true) {
  nanoarrow::UniqueSchema schema;
  ArrowSchemaInit(schema.get());
  EXPECT_EQ(ArrowSchemaSetTypeStruct(schema.get(), 1), NANOARROW_OK);
  EXPECT_EQ(ArrowSchemaSetType(schema->children[0], NANOARROW_TYPE_INT64), NANOARROW_OK);
  EXPECT_EQ(ArrowSchemaSetName(schema->children[0], "n"), NANOARROW_OK);
  nanoarrow::UniqueArray array;
  EXPECT_EQ(ArrowArrayInitFromSchema(array.get(), schema.get(), nullptr), NANOARROW_OK);
  EXPECT_EQ(ArrowArrayStartAppending(array.get()), NANOARROW_OK);
  for (std::int64_t i = 0; i < rows; ++i) {
    EXPECT_EQ(ArrowArrayAppendInt(array->children[0], i), NANOARROW_OK);
    EXPECT_EQ(ArrowArrayFinishElement(array.get()), NANOARROW_OK);
  }
  EXPECT_EQ(ArrowArrayFinishBuildingDefault(array.get(), nullptr), NANOARROW_OK);
  std::string out;
  const auto writer = StreamWriter::begin(*schema.get(), out);
  EXPECT_TRUE(writer && (*writer)->write(*array.get(), out));
  if (ended) EXPECT_TRUE((*writer)->end(out));
  return out;
}

TEST(StreamTest, WhatIsWrittenIsReadWhateverThePieces) {
  const std::string text = numbers(1000);
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, text.size()}) {
    nanoarrow::UniqueArrayStream stream;
    ASSERT_TRUE(open_stream(pieces(text, size), *stream.get()));
    nanoarrow::UniqueArray array;
    ASSERT_EQ(stream->get_next(stream.get(), array.get()), 0);
    ASSERT_EQ(array->length, 1000);
    EXPECT_EQ(static_cast<const std::int64_t*>(array->children[0]->buffers[1])[999], 999);
    nanoarrow::UniqueArray end;
    ASSERT_EQ(stream->get_next(stream.get(), end.get()), 0);
    EXPECT_EQ(end->release, nullptr);
  }
}

TEST(StreamTest, AnErrorOfTheSourceIsToldByTheStream) {
  const std::string text = numbers(1000);
  bool begun = false;
  nanoarrow::UniqueArrayStream stream;
  ASSERT_TRUE(open_stream(
      [&](std::string& out) -> Result<bool> {
        if (std::exchange(begun, true)) return io("the line is dead");
        out = text.substr(0, text.size() / 2);
        return true;
      },
      *stream.get()));
  nanoarrow::UniqueArray array;
  EXPECT_NE(stream->get_next(stream.get(), array.get()), 0);
  EXPECT_THAT(stream->get_last_error(stream.get()), HasSubstr("the line is dead"));
}

TEST(StreamTest, BytesThatAreNoStreamAreAnError) {
  for (const std::string& text : {std::string(), std::string("{}"), std::string(1000, '\xff'),
                                  numbers(1000, false).substr(0, 500)}) {
    nanoarrow::UniqueArrayStream stream;
    ASSERT_TRUE(open_stream(pieces(text, 100), *stream.get()));
    nanoarrow::UniqueSchema schema;
    nanoarrow::UniqueArray array;
    EXPECT_FALSE(stream->get_schema(stream.get(), schema.get()) == 0 &&
                 stream->get_next(stream.get(), array.get()) == 0);
  }
}

TEST(TableSchemaTest, EveryTypeHasItsFormat) {
  store::TableSchema table;
  table.name = "t";
  const std::vector<std::pair<std::string, std::string>> formats = {
      {"bool", "b"},
      {"int8", "c"},
      {"uint64", "L"},
      {"float32", "f"},
      {"float64", "g"},
      {"decimal(24,9)", "d:24,9"},
      {"string", "u"},
      {"binary", "z"},
      {"uuid", "w:16"},
      {"timestamp", "tsu:UTC"},
      {"date", "tdD"},
      {"list<string#40>", "+l"},
      {"fixed_list<float32#41,384>", "+w:384"},
      {"map<string,int64#43>", "+m"}};
  for (const auto& [type, format] : formats) {
    const auto parsed = store::Type::parse(type);
    ASSERT_TRUE(parsed) << type << ": " << parsed.error().message();
    store::Column column;
    column.id = static_cast<store::ColumnId>(table.columns.size() + 2);
    column.name = type;
    column.type = *parsed;
    table.columns.push_back(std::move(column));
  }
  table.partition_key = {2};
  const auto text = schema_stream(table);
  ASSERT_TRUE(text) << text.error().message();
  nanoarrow::UniqueArrayStream stream;
  ASSERT_TRUE(open_stream(pieces(*text, text->size()), *stream.get()));
  nanoarrow::UniqueSchema schema;
  ASSERT_EQ(stream->get_schema(stream.get(), schema.get()), 0);
  ASSERT_EQ(schema->n_children, static_cast<std::int64_t>(formats.size()));
  for (std::size_t i = 0; i < formats.size(); ++i) {
    EXPECT_EQ(schema->children[i]->name, formats[i].first);
    EXPECT_EQ(schema->children[i]->format, formats[i].second);
  }
}

}  // namespace
}  // namespace reel::arrow
