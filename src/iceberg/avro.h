#pragma once
//! Avro object container files, as far as Iceberg's metadata needs them (Avro 1.11 specification).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"

namespace reel::iceberg::avro {

enum class Kind : std::uint8_t {
  null,
  boolean,
  int32,  //!< Avro calls it int
  int64,  //!< long
  float32,
  float64,
  bytes,
  string,
  fixed,
  enumeration,
  record,
  array,
  map,
  choice,  //!< a union
};

using NodeIndex = std::uint32_t;

//! A type of a schema. Types that occur more than once, by their name, are one node.
struct Node {
  struct Field {
    std::string name;
    std::optional<std::int32_t> id;  //!< Iceberg's `field-id`
    NodeIndex type = 0;
  };
  Kind kind = Kind::null;
  std::string name = {};           //!< of a record, an enumeration or a fixed
  std::vector<Field> fields = {};  //!< of a record
  std::vector<NodeIndex> children =
      {};  //!< items of an array, values of a map, branches of a union
  std::vector<std::string> symbols = {};  //!< of an enumeration
  std::size_t size = 0;                   //!< of a fixed
};

class Schema {
 public:
  //! Code::invalid, with the JSON pointer, for what is no schema; Code::unsupported for a schema
  //! with more than `kNodesMax` types.
  static Result<Schema> parse(std::string_view json);

  static constexpr std::size_t kNodesMax = 10'000;

  const Node& node(NodeIndex index) const { return nodes_.at(index); }
  //! The type of each object of a file.
  const Node& root() const { return nodes_.at(root_); }
  NodeIndex root_index() const { return root_; }
  const std::string& text() const { return text_; }

 private:
  friend class SchemaParser;
  std::vector<Node> nodes_;
  NodeIndex root_ = 0;
  std::string text_;
};

class Value;
//! Fields of a record in the order of its schema, items of an array. An entry of a map is a list of
//! key and value.
using List = std::vector<Value>;

//! One value. Which type it has the schema says; a union is the value of its branch.
class Value {
 public:
  using Storage = std::variant<std::monostate, bool, std::int64_t, double, std::string, List>;

  Value() = default;
  // NOLINTBEGIN(google-explicit-constructor): a literal is a value.
  Value(bool value) : storage_(value) {}
  Value(std::int32_t value) : storage_(std::int64_t{value}) {}
  Value(std::int64_t value) : storage_(value) {}
  Value(double value) : storage_(value) {}
  Value(const char* value) : storage_(std::string(value)) {}
  Value(std::string value) : storage_(std::move(value)) {}
  Value(List value) : storage_(std::move(value)) {}
  template <class T>
  Value(const std::optional<T>& value) {
    if (value) *this = Value(*value);
  }
  // NOLINTEND(google-explicit-constructor)

  bool is_null() const { return std::holds_alternative<std::monostate>(storage_); }
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&storage_);
  }
  friend bool operator==(const Value&, const Value&) = default;

 private:
  Storage storage_;
};

enum class Codec : std::uint8_t { null, deflate };

struct Limits {
  std::size_t file_bytes_max = std::size_t{64} << 20;
  std::size_t block_bytes_max = std::size_t{64} << 20;  //!< uncompressed
  std::size_t values_max = 16'000'000;                  //!< some 40 bytes of memory each
  int depth_max = 64;
};

//! A whole file: its schema, its properties without Avro's own, its objects.
struct File {
  Schema schema;
  std::map<std::string, std::string> properties;
  std::vector<Value> objects;
};

//! Code::corrupt says at which byte; Code::unsupported names a codec that is neither null nor
//! deflate; Code::too_large names the limit. Never takes more memory than the limits and the
//! schema's own size allow.
Result<File> read_file(std::string_view bytes, Limits limits = {});

//! REQUIRES: every object fits the schema. The mark between blocks is taken from `random`.
std::string write_file(const File& file, Codec codec, Random& random = system_random());

}  // namespace reel::iceberg::avro
