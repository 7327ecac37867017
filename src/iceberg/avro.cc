#include "iceberg/avro.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <zlib.h>

namespace reel::iceberg::avro {
namespace {

constexpr std::string_view kMagic("Obj\x01", 4);
constexpr std::size_t kMarkBytes = 16;
constexpr std::size_t kWrittenBlockBytes = 1 << 20;
//! How many values a byte may stand for: a record, a union and a null take none of their own.
constexpr std::size_t kValuesPerByte = 4;
constexpr std::size_t kValuesFree = 4096;

//! Reads primitive values from the front of bytes.
class Cursor {
 public:
  //! `place` is what an error says of these bytes: "block 3".
  Cursor(std::string_view bytes, std::string place) : bytes_(bytes), place_(std::move(place)) {}

  std::size_t left() const { return bytes_.size() - at_; }

  template <class... Args>
  Failure corrupt_here(fmt::format_string<Args...> text, Args&&... args) const {
    return corrupt("Avro file, {}, byte {}: {}", place_, at_,
                   fmt::format(text, std::forward<Args>(args)...));
  }

  //! A variable-length zig-zag integer.
  Result<std::int64_t> read_long() {
    std::uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (left() == 0) return corrupt_here("the bytes end inside of a number");
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      if (shift == 63 && byte > 1) return corrupt_here("a number has more than 64 bits");
      bits |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) {
        return static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
      }
    }
    return corrupt_here("a number has more than 64 bits");
  }

  Result<std::string_view> read_bytes(std::size_t count) {
    if (left() < count) return corrupt_here("{} bytes announced, {} are left", count, left());
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }

  //! A length and as many bytes.
  Result<std::string_view> read_text() {
    REEL_ASSIGN(const std::int64_t length, read_long());
    if (length < 0) return corrupt_here("a length is negative");
    return read_bytes(static_cast<std::size_t>(length));
  }

  template <class Float, class Bits>
  Result<Value> read_float() {
    REEL_ASSIGN(const std::string_view raw, read_bytes(sizeof(Bits)));
    Bits bits = 0;
    for (std::size_t i = sizeof(Bits); i-- > 0;) {
      bits = static_cast<Bits>(bits << 8) | static_cast<unsigned char>(raw[i]);
    }
    return Value(static_cast<double>(std::bit_cast<Float>(bits)));
  }

 private:
  std::string_view bytes_;
  std::string place_;
  std::size_t at_ = 0;
};

//! Values of one schema from the bytes of one block.
class Decoder {
 public:
  //! `values_left` is what the file may still have.
  Decoder(const Schema& schema, Cursor& cursor, int depth_max, std::size_t values_left)
      : schema_(schema),
        cursor_(cursor),
        depth_max_(depth_max),
        values_left_(std::min(cursor.left() * kValuesPerByte + kValuesFree, values_left)) {}

  std::size_t values_left() const { return values_left_; }

  Result<Value> read(NodeIndex index, int depth = 0) {
    if (depth > depth_max_) return cursor_.corrupt_here("nested deeper than {}", depth_max_);
    if (values_left_ == 0) return cursor_.corrupt_here("too many values for so few bytes");
    --values_left_;
    const Node& node = schema_.node(index);
    switch (node.kind) {
      case Kind::null: return Value();
      case Kind::boolean: return read_boolean();
      case Kind::int32: return read_int();
      case Kind::int64: return cursor_.read_long().map([](std::int64_t n) { return Value(n); });
      case Kind::float32: return cursor_.read_float<float, std::uint32_t>();
      case Kind::float64: return cursor_.read_float<double, std::uint64_t>();
      case Kind::bytes:
      case Kind::string: return as_text(cursor_.read_text());
      case Kind::fixed: return as_text(cursor_.read_bytes(node.size));
      case Kind::enumeration: return read_enumeration(node);
      case Kind::record: return read_record(node, depth);
      case Kind::array:
      case Kind::map: return read_items(node, depth);
      case Kind::choice: return read_choice(node, depth);
    }
    return internal("Avro kind {}", static_cast<int>(node.kind));
  }

 private:
  static Result<Value> as_text(Result<std::string_view> text) {
    REEL_ASSIGN(const std::string_view bytes, std::move(text));
    return Value(std::string(bytes));
  }

  Result<Value> read_boolean() {
    REEL_ASSIGN(const std::string_view byte, cursor_.read_bytes(1));
    if (byte[0] != 0 && byte[0] != 1) return cursor_.corrupt_here("a boolean is neither 0 nor 1");
    return Value(byte[0] == 1);
  }

  Result<Value> read_int() {
    REEL_ASSIGN(const std::int64_t number, cursor_.read_long());
    if (number < INT32_MIN || number > INT32_MAX) {
      return cursor_.corrupt_here("an int is {}", number);
    }
    return Value(number);
  }

  Result<Value> read_enumeration(const Node& node) {
    REEL_ASSIGN(const std::int64_t at, cursor_.read_long());
    if (at < 0 || static_cast<std::size_t>(at) >= node.symbols.size()) {
      return cursor_.corrupt_here("enum '{}' has no symbol {}", node.name, at);
    }
    return Value(node.symbols[static_cast<std::size_t>(at)]);
  }

  Result<Value> read_record(const Node& node, int depth) {
    List members;
    members.reserve(node.fields.size());
    for (const Node::Field& field : node.fields) {
      REEL_ASSIGN(Value member, read(field.type, depth + 1));
      members.push_back(std::move(member));
    }
    return Value(std::move(members));
  }

  Result<Value> read_choice(const Node& node, int depth) {
    REEL_ASSIGN(const std::int64_t branch, cursor_.read_long());
    if (branch < 0 || static_cast<std::size_t>(branch) >= node.children.size()) {
      return cursor_.corrupt_here("a union has no branch {}", branch);
    }
    return read(node.children[static_cast<std::size_t>(branch)], depth + 1);
  }

  //! Of an array or a map: runs of items, each behind its count; a negative count has the run's
  //! size in bytes behind it. A count of 0 is the end.
  Result<Value> read_items(const Node& node, int depth) {
    List items;
    while (true) {
      REEL_ASSIGN(std::int64_t count, cursor_.read_long());
      if (count == 0) return Value(std::move(items));
      if (count < 0) {
        if (count == INT64_MIN) return cursor_.corrupt_here("a run has {} items", count);
        count = -count;
        REEL_TRY(cursor_.read_long());
      }
      for (; count > 0; --count) {
        REEL_ASSIGN(Value item, read_item(node, depth + 1));
        items.push_back(std::move(item));
      }
    }
  }

  Result<Value> read_item(const Node& node, int depth) {
    if (node.kind == Kind::array) return read(node.children[0], depth);
    REEL_ASSIGN(Value key, as_text(cursor_.read_text()));
    REEL_ASSIGN(Value value, read(node.children[0], depth));
    return Value(List{std::move(key), std::move(value)});
  }

  const Schema& schema_;
  Cursor& cursor_;
  const int depth_max_;
  std::size_t values_left_;
};

//! Some writers, pyiceberg for one, leave bytes of zlib's checksum behind the deflate stream.
constexpr uInt kChecksumBytes = 4;

//! Raw deflate (RFC 1951), as Avro's codec "deflate" has it.
Result<std::string> inflate_block(std::string_view packed, std::size_t bytes_max,
                                  const Cursor& where) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return internal("inflateInit2");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  int code = Z_OK;
  while (code == Z_OK) {
    const std::size_t used = out.size();
    if (used > bytes_max) break;
    out.resize(std::max(used * 2, packed.size() * 4 + 1024));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(out.size() - used);
    code = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  const bool whole = code == Z_STREAM_END && stream.avail_in <= kChecksumBytes;
  inflateEnd(&stream);
  if (out.size() > bytes_max) return too_large("an Avro block has more than {} bytes", bytes_max);
  if (!whole) return where.corrupt_here("the block before this is no deflate stream");
  return out;
}

std::string deflate_block(const std::string& plain) {
  z_stream stream{};
  REEL_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
                          Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  REEL_CHECK(code == Z_STREAM_END);
  return out;
}

Result<std::map<std::string, std::string>> read_properties(Cursor& cursor) {
  std::map<std::string, std::string> properties;
  while (true) {
    REEL_ASSIGN(std::int64_t count, cursor.read_long());
    if (count == 0) return properties;
    if (count < 0) {
      if (count == INT64_MIN) return cursor.corrupt_here("a run has {} items", count);
      count = -count;
      REEL_TRY(cursor.read_long());
    }
    for (; count > 0; --count) {
      REEL_ASSIGN(const std::string_view key, cursor.read_text());
      REEL_ASSIGN(const std::string_view value, cursor.read_text());
      properties.insert_or_assign(std::string(key), std::string(value));
    }
  }
}

Result<Codec> codec_of(const std::map<std::string, std::string>& properties) {
  const auto given = properties.find("avro.codec");
  if (given == properties.end() || given->second == "null") return Codec::null;
  if (given->second == "deflate") return Codec::deflate;
  return unsupported("Avro codec '{}': only null and deflate are read", given->second);
}

//! `limits` become those of the rest of the file.
Status read_block(File& file, std::string_view plain, std::int64_t count, Limits& limits) {
  Cursor cursor(plain, fmt::format("the block with object {}", file.objects.size()));
  Decoder decoder(file.schema, cursor, limits.depth_max, limits.values_max);
  const std::size_t before = decoder.values_left();
  for (; count > 0; --count) {
    REEL_ASSIGN(Value object, decoder.read(file.schema.root_index()));
    file.objects.push_back(std::move(object));
  }
  if (cursor.left() != 0) return cursor.corrupt_here("{} bytes too many", cursor.left());
  limits.values_max -= before - decoder.values_left();
  return {};
}

// ---- writing ----

void append_long(std::string& out, std::int64_t number) {
  auto bits = (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
  for (; bits >= 0x80; bits >>= 7) out.push_back(static_cast<char>(bits | 0x80));
  out.push_back(static_cast<char>(bits));
}

void append_text(std::string& out, std::string_view text) {
  append_long(out, static_cast<std::int64_t>(text.size()));
  out += text;
}

template <class Bits>
void append_little_endian(std::string& out, Bits bits) {
  for (std::size_t i = 0; i < sizeof(Bits); ++i, bits >>= 8) out.push_back(static_cast<char>(bits));
}

class Encoder {
 public:
  Encoder(const Schema& schema, std::string& out) : schema_(schema), out_(out) {}

  void write(NodeIndex index, const Value& value) {
    const Node& node = schema_.node(index);
    switch (node.kind) {
      case Kind::null: REEL_CHECK(value.is_null()); return;
      case Kind::boolean: out_.push_back(is<bool>(value) ? 1 : 0); return;
      case Kind::int32:
      case Kind::int64: return append_long(out_, is<std::int64_t>(value));
      case Kind::float32:
        return append_little_endian(
            out_, std::bit_cast<std::uint32_t>(static_cast<float>(is<double>(value))));
      case Kind::float64:
        return append_little_endian(out_, std::bit_cast<std::uint64_t>(is<double>(value)));
      case Kind::bytes:
      case Kind::string: return append_text(out_, is<std::string>(value));
      case Kind::fixed:
        REEL_CHECK(is<std::string>(value).size() == node.size);
        out_ += is<std::string>(value);
        return;
      case Kind::enumeration: return write_enumeration(node, is<std::string>(value));
      case Kind::record: return write_record(node, is<List>(value));
      case Kind::array:
      case Kind::map: return write_items(node, is<List>(value));
      case Kind::choice: return write_choice(node, value);
    }
  }

 private:
  template <class T>
  static const T& is(const Value& value) {
    const T* held = value.get_if<T>();
    REEL_CHECK(held != nullptr);
    return *held;
  }

  void write_enumeration(const Node& node, const std::string& symbol) {
    const auto found = std::find(node.symbols.begin(), node.symbols.end(), symbol);
    REEL_CHECK(found != node.symbols.end());
    append_long(out_, found - node.symbols.begin());
  }

  void write_record(const Node& node, const List& members) {
    REEL_CHECK(members.size() == node.fields.size());
    for (std::size_t i = 0; i < members.size(); ++i) write(node.fields[i].type, members[i]);
  }

  void write_items(const Node& node, const List& items) {
    if (!items.empty()) append_long(out_, static_cast<std::int64_t>(items.size()));
    for (const Value& item : items) {
      if (node.kind == Kind::array) {
        write(node.children[0], item);
      } else {
        const List& entry = is<List>(item);
        append_text(out_, is<std::string>(entry.at(0)));
        write(node.children[0], entry.at(1));
      }
    }
    append_long(out_, 0);
  }

  //! Only unions of null and one other type, in either order.
  void write_choice(const Node& node, const Value& value) {
    REEL_CHECK(node.children.size() == 2);
    const bool null_first = schema_.node(node.children[0]).kind == Kind::null;
    const std::size_t branch = value.is_null() == null_first ? 0 : 1;
    append_long(out_, static_cast<std::int64_t>(branch));
    write(node.children[branch], value);
  }

  const Schema& schema_;
  std::string& out_;
};

}  // namespace

Result<File> read_file(std::string_view bytes, Limits limits) {
  if (bytes.size() > limits.file_bytes_max) {
    return too_large("an Avro file has {} bytes, more than {}", bytes.size(),
                     limits.file_bytes_max);
  }
  Cursor cursor(bytes, "the file");
  const auto magic = cursor.read_bytes(kMagic.size());
  if (!magic || *magic != kMagic) return corrupt("no Avro object container file");
  File file;
  REEL_ASSIGN(file.properties, read_properties(cursor));
  REEL_ASSIGN(const Codec codec, codec_of(file.properties));
  const auto schema = file.properties.find("avro.schema");
  if (schema == file.properties.end()) return corrupt("an Avro file has no schema");
  REEL_ASSIGN(file.schema, Schema::parse(schema->second));
  file.properties.erase("avro.schema");
  file.properties.erase("avro.codec");
  REEL_ASSIGN(const std::string_view mark, cursor.read_bytes(kMarkBytes));
  while (cursor.left() > 0) {
    REEL_ASSIGN(const std::int64_t count, cursor.read_long());
    if (count < 0) return cursor.corrupt_here("a block has {} objects", count);
    REEL_ASSIGN(const std::string_view stored, cursor.read_text());
    if (codec == Codec::deflate) {
      REEL_ASSIGN(const std::string plain, inflate_block(stored, limits.block_bytes_max, cursor));
      REEL_TRY(read_block(file, plain, count, limits));
    } else {
      REEL_TRY(read_block(file, stored, count, limits));
    }
    REEL_ASSIGN(const std::string_view again, cursor.read_bytes(kMarkBytes));
    if (again != mark) return cursor.corrupt_here("a block does not end in the file's mark");
  }
  return file;
}

std::string write_file(const File& file, Codec codec, Random& random) {
  std::string out(kMagic);
  auto properties = file.properties;
  properties["avro.schema"] = file.schema.text();
  properties["avro.codec"] = codec == Codec::deflate ? "deflate" : "null";
  append_long(out, static_cast<std::int64_t>(properties.size()));
  for (const auto& [key, value] : properties) append_text(out, key), append_text(out, value);
  append_long(out, 0);
  std::array<unsigned char, kMarkBytes> mark{};
  random.fill(mark.data(), mark.size());
  const std::string_view mark_text(reinterpret_cast<const char*>(mark.data()), mark.size());
  out += mark_text;

  std::string block;
  std::int64_t count = 0;
  Encoder encoder(file.schema, block);
  for (std::size_t i = 0; i < file.objects.size(); ++i) {
    encoder.write(file.schema.root_index(), file.objects[i]);
    ++count;
    if (block.size() < kWrittenBlockBytes && i + 1 < file.objects.size()) continue;
    append_long(out, count);
    append_text(out, codec == Codec::deflate ? deflate_block(block) : block);
    out += mark_text;
    block.clear();
    count = 0;
  }
  return out;
}

}  // namespace reel::iceberg::avro
