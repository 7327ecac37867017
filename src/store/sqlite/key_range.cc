#include "store/sqlite/key_range_internal.h"

#include <algorithm>

namespace reel::store::sqlite {
namespace {

const Key kNone;

class Cutter {
 public:
  Cutter(const std::optional<RangeBound>& lower, const std::optional<RangeBound>& upper,
         const std::vector<bool>& nullable)
      : low_(lower ? lower->prefix : kNone),
        high_(upper ? upper->prefix : kNone),
        low_inclusive_(!lower || lower->inclusive),
        high_inclusive_(!upper || upper->inclusive),
        nullable_(nullable) {}

  std::vector<Piece> run() {
    while (shared_ < low_.size() && shared_ < high_.size() && low_[shared_] == high_[shared_]) {
      ++shared_;
    }
    const bool low_ends = shared_ == low_.size();
    const bool high_ends = shared_ == high_.size();
    // A bound that ends here and is exclusive shuts out everything that begins with it, which the
    // other bound does. An absent bound is inclusive and has no values.
    if ((low_ends && !low_inclusive_) || (high_ends && !high_inclusive_)) return {};
    for (std::size_t depth = low_.size(); depth-- > shared_ + 1;) cut(low_, depth, true);
    middle(low_ends, high_ends);
    for (std::size_t depth = shared_ + 1; depth < high_.size(); ++depth) cut(high_, depth, false);
    return std::move(pieces_);
  }

 private:
  //! One side of what a column may be; without a value there is none.
  struct Limit {
    const Value* value = nullptr;
    bool or_equal = false;
  };

  //! Rows equal to a bound before `depth` and beyond it there, within the other bound.
  void cut(const Key& bound, std::size_t depth, bool is_low) {
    Piece piece;
    equal_before(piece, bound, depth);
    const Key& other = is_low ? high_ : low_;
    if (shared_ < other.size()) {
      // The bounds part at column shared_: nothing lies between them when they are out of order.
      const Limit outer{.value = &other[shared_], .or_equal = false};
      if (!beyond(piece, shared_, outer, !is_low, bound[shared_].is_null())) return;
    }
    const bool last = depth + 1 == bound.size();
    const Limit here{.value = &bound[depth],
                     .or_equal = last && (is_low ? low_inclusive_ : high_inclusive_)};
    add(std::move(piece), depth, is_low ? here : Limit{}, is_low ? Limit{} : here);
  }

  void middle(bool low_ends, bool high_ends) {
    Piece piece;
    equal_before(piece, low_ends ? high_ : low_, shared_);
    if (low_ends && high_ends) return pieces_.push_back(std::move(piece));
    Limit above;
    if (!low_ends) above = {&low_[shared_], low_inclusive_ && shared_ + 1 == low_.size()};
    Limit below;
    if (!high_ends) below = {&high_[shared_], high_inclusive_ && shared_ + 1 == high_.size()};
    add(std::move(piece), shared_, above, below);
  }

  void equal_before(Piece& piece, const Key& bound, std::size_t depth) {
    for (std::size_t i = 0; i < depth; ++i) {
      piece.push_back({i, bound[i].is_null() ? Term::Op::is_null : Term::Op::equal, &bound[i]});
    }
  }

  //! Adds "column > value" (or <, >=, <=) where null is the smallest; false when no row can be so.
  //! `column_is_null`: the piece has already fixed the column to null.
  static bool beyond(Piece& piece, std::size_t column, const Limit& limit, bool greater,
                     bool column_is_null) {
    using Op = Term::Op;
    const Value& value = *limit.value;
    const bool or_equal = limit.or_equal;
    if (value.is_null()) {
      if (greater && !or_equal) piece.push_back({column, Op::not_null, nullptr});
      if (!greater && or_equal) piece.push_back({column, Op::is_null, nullptr});
      return greater || or_equal;
    }
    if (column_is_null) return !greater;
    piece.push_back({column,
                     greater ? (or_equal ? Op::greater_equal : Op::greater)
                             : (or_equal ? Op::less_equal : Op::less),
                     &value});
    return true;
  }

  void add(Piece piece, std::size_t column, const Limit& above, const Limit& below) {
    const bool nulls_in = nullable_[column] && below.value != nullptr && !below.value->is_null() &&
                          (above.value == nullptr || (above.value->is_null() && above.or_equal));
    if (nulls_in) {
      Piece nulls = piece;
      nulls.push_back({column, Term::Op::is_null, nullptr});
      pieces_.push_back(std::move(nulls));
    }
    if (above.value != nullptr && !beyond(piece, column, above, true, false)) return;
    if (below.value != nullptr && !beyond(piece, column, below, false, false)) return;
    pieces_.push_back(std::move(piece));
  }

  const Key& low_;
  const Key& high_;
  const bool low_inclusive_;
  const bool high_inclusive_;
  const std::vector<bool>& nullable_;
  std::size_t shared_ = 0;
  std::vector<Piece> pieces_;
};

}  // namespace

std::vector<Piece> cut_range(const std::optional<RangeBound>& lower,
                             const std::optional<RangeBound>& upper,
                             const std::vector<bool>& nullable) {
  return Cutter(lower, upper, nullable).run();
}

}  // namespace reel::store::sqlite
