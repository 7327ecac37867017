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
  //! Rows equal to a bound before `depth` and beyond it there, within the other bound.
  void cut(const Key& bound, std::size_t depth, bool is_low) {
    Piece piece;
    equal_before(piece, bound, depth);
    const Key& other = is_low ? high_ : low_;
    if (shared_ < other.size()) {
      // The bounds part at column shared_: nothing lies between them when they are out of order.
      if (!beyond(piece, shared_, other[shared_], !is_low, false, bound[shared_].is_null())) return;
    }
    const bool last = depth + 1 == bound.size();
    add(std::move(piece), depth, is_low ? &bound[depth] : nullptr, is_low ? nullptr : &bound[depth],
        last && low_inclusive_, last && high_inclusive_);
  }

  void middle(bool low_ends, bool high_ends) {
    Piece piece;
    equal_before(piece, low_ends ? high_ : low_, shared_);
    if (low_ends && high_ends) return pieces_.push_back(std::move(piece));
    add(std::move(piece), shared_, low_ends ? nullptr : &low_[shared_],
        high_ends ? nullptr : &high_[shared_], low_inclusive_ && shared_ + 1 == low_.size(),
        high_inclusive_ && shared_ + 1 == high_.size());
  }

  void equal_before(Piece& piece, const Key& bound, std::size_t depth) {
    for (std::size_t i = 0; i < depth; ++i) {
      piece.push_back({i, bound[i].is_null() ? Term::Op::is_null : Term::Op::equal, &bound[i]});
    }
  }

  //! Adds "column > value" (or <, >=, <=) where null is the smallest; false when no row can be so.
  //! `column_is_null`: the piece has already fixed the column to null.
  bool beyond(Piece& piece, std::size_t column, const Value& value, bool greater, bool or_equal,
              bool column_is_null) {
    using Op = Term::Op;
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

  void add(Piece piece, std::size_t column, const Value* above, const Value* below,
           bool or_equal_above, bool or_equal_below) {
    const bool nulls_in = nullable_[column] && below != nullptr && !below->is_null() &&
                          (above == nullptr || (above->is_null() && or_equal_above));
    if (nulls_in) {
      Piece nulls = piece;
      nulls.push_back({column, Term::Op::is_null, nullptr});
      pieces_.push_back(std::move(nulls));
    }
    if (above != nullptr && !beyond(piece, column, *above, true, or_equal_above, false)) return;
    if (below != nullptr && !beyond(piece, column, *below, false, or_equal_below, false)) return;
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
