#include "lake/view_schema.h"

#include <algorithm>
#include <array>

#include "store/migration.h"

namespace reel::lake {
namespace {

using store::Column;
using store::Type;
using store::Value;

void append_number(std::string& out, std::uint32_t number) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(number >> shift);
}

void append_type(std::string& out, const Type& type) {
  out += static_cast<char>(type.kind);
  out += static_cast<char>(type.precision);
  out += static_cast<char>(type.scale);
  append_number(out, type.size);
  std::vector<const store::Field*> children;
  for (const store::Field& child : type.children) children.push_back(&child);
  std::ranges::sort(children, {}, &store::Field::id);
  append_number(out, static_cast<std::uint32_t>(children.size()));
  for (const store::Field* child : children) {
    append_number(out, child->id);
    append_type(out, child->type);
  }
}

//! Whether they differ in nothing but permanent ids.
bool same_type(const Type& a, const Type& b) { return is_widening(a, b) && is_widening(b, a); }

const Converter* find_converter(const std::vector<Converter>& converters, const Column& from,
                                const Column& to) {
  const auto found = std::ranges::find_if(converters, [&](const Converter& converter) {
    return converter.column == to.id && same_type(converter.from, from.type) &&
           same_type(converter.to, to.type);
  });
  return found == converters.end() ? nullptr : &*found;
}

//! The worst of what was found, with the reasons for just that.
class Findings {
 public:
  void add(Compatibility compatibility, std::string_view reason) {
    if (compatibility < verdict_.compatibility) return;
    if (compatibility > verdict_.compatibility) verdict_ = {.compatibility = compatibility};
    if (!verdict_.reason.empty()) verdict_.reason += "; ";
    verdict_.reason += reason;
  }
  Verdict take(bool source_exists) && {
    if (verdict_.compatibility == Compatibility::recompute && !source_exists) {
      verdict_.compatibility = Compatibility::incompatible;
      verdict_.reason += "; and the source is gone";
    }
    return std::move(verdict_);
  }

 private:
  Verdict verdict_;
};

void compare_added(const ViewSchema& old, const Column& column, Findings& findings) {
  if (column.id < old.table.next_column_id) {
    // Its cells are not in the file, and they need not be the initial default.
    findings.add(Compatibility::recompute,
                 fmt::format("column '{}' was dropped and has been brought back", column.name));
  } else if (!column.nullable && column.initial_default.is_null()) {
    findings.add(
        Compatibility::recompute,
        fmt::format("column '{}' is new and has neither nulls nor a default", column.name));
  } else {
    findings.add(Compatibility::readable_with_defaults,
                 fmt::format("column '{}' is new", column.name));
  }
}

void compare_kept(const Column& was, const Column& is, const std::vector<Converter>& converters,
                  Findings& findings) {
  // A column that is not nullable any more has been found to have no null in any row.
  if (was.nullable != is.nullable) {
    findings.add(Compatibility::readable,
                 fmt::format("column '{}' {}", is.name,
                             is.nullable ? "may be null now" : "is never null now"));
  }
  if (was.type == is.type) return;
  const std::string change = fmt::format("column '{}' was {} and is {}", is.name,
                                         was.type.to_string(), is.type.to_string());
  if (is_widening(was.type, is.type)) {
    findings.add(Compatibility::readable, change);
  } else if (find_converter(converters, was, is) != nullptr) {
    findings.add(Compatibility::convertible, change);
  } else {
    findings.add(Compatibility::recompute, change);
  }
}

}  // namespace

Sha256Digest schema_hash(const store::TableSchema& schema) {
  std::vector<const Column*> columns;
  for (const Column& column : schema.columns) columns.push_back(&column);
  std::ranges::sort(columns, {}, &Column::id);
  std::string bytes = "reelhouse view schema 1\n";
  for (const Column* column : columns) {
    append_number(bytes, column->id);
    bytes += column->nullable ? '\1' : '\0';
    append_type(bytes, column->type);
    std::string initial;
    encode_value(initial, column->type, column->initial_default);
    append_number(bytes, static_cast<std::uint32_t>(initial.size()));
    bytes += initial;
  }
  return sha256(bytes);
}

std::string_view compatibility_name(Compatibility compatibility) {
  constexpr std::array<std::string_view, 6> kNames = {
      "identical",   "readable",  "readable_with_defaults",
      "convertible", "recompute", "incompatible"};
  return kNames.at(static_cast<std::size_t>(compatibility));
}

bool is_readable(Compatibility compatibility) {
  return compatibility <= Compatibility::readable_with_defaults;
}

Verdict classify(const ViewSchema& old, const ViewSchema& current, bool source_exists,
                 const std::vector<Converter>& converters) {
  Findings findings;
  if (old.semantics_version != current.semantics_version) {
    findings.add(Compatibility::recompute,
                 fmt::format("its values have the meaning of version {}, not {}",
                             old.semantics_version, current.semantics_version));
  }
  if (schema_hash(old.table) != schema_hash(current.table)) {
    for (const Column& column : current.table.columns) {
      if (const Column* was = old.table.find(column.id)) {
        compare_kept(*was, column, converters, findings);
      } else {
        compare_added(old, column, findings);
      }
    }
    for (const Column& column : old.table.columns) {
      if (current.table.find(column.id) != nullptr) continue;
      findings.add(Compatibility::readable, fmt::format("column '{}' was dropped", column.name));
    }
  }
  return std::move(findings).take(source_exists);
}

Result<store::Row> convert_row(const ViewSchema& old, const ViewSchema& current,
                               const std::vector<Converter>& converters, const store::Row& row) {
  store::Row converted;
  for (const Column& column : current.table.columns) {
    const Column* was = old.table.find(column.id);
    if (was == nullptr) {
      converted.push_back(column.initial_default);
      continue;
    }
    const Value& value = row[old.table.position(column.id)];
    const Converter* converter = find_converter(converters, *was, column);
    if (converter == nullptr || value.is_null()) {
      converted.push_back(value);
      continue;
    }
    REEL_ASSIGN(Value changed, converter->convert(value));
    REEL_TRY(check_value(column.type, changed));
    converted.push_back(std::move(changed));
  }
  return converted;
}

}  // namespace reel::lake
