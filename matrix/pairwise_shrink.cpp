// SPDX-License-Identifier: Apache-2.0
#include "matrix/pairwise_shrink.h"

#include <algorithm>
#include <limits>

namespace lockstep::matrix {
namespace {

// For how many moves a value that was just replaced may not come back to its place. Short enough for small tables,
// long enough to leave a local minimum.
constexpr std::uint64_t kTabuMoves = 8;

// Moves spent on getting along without one row, for each pair that has to be covered. Small tables would otherwise
// use up the whole budget on a row that cannot be spared.
constexpr std::uint64_t kMovesPerPair = 200;

// What a look at one change costs beside the look-ups, in look-ups.
constexpr std::uint64_t kStepOverhead = 8;

class Shrinker {
 public:
  Shrinker(const Model& model, const std::vector<std::uint32_t>& scope, std::size_t fixed, Random& random)
      : model_(model), scope_(scope), fixed_(fixed), random_(random), clauses_of_(model.value_counts.size()) {
    first_.resize(model.value_counts.size(), 0);
    for (const std::uint32_t variable : scope) {
      first_[variable] = count_;
      count_ += model.value_counts[variable];
    }
    for (std::uint32_t i = 0; i < model.clauses.size(); ++i) {
      for (const Literal& literal : model.clauses[i].literals) clauses_of_[literal.variable].push_back(i);
    }
  }

  std::vector<Row> run(std::vector<Row> rows, std::uint64_t steps) {
    steps_left_ = steps;
    std::vector<Row> best = rows;
    std::size_t largest = 1;
    std::size_t second = 1;
    for (const std::uint32_t variable : scope_) {
      const std::size_t count = model_.value_counts[variable];
      second = std::max(second, std::min(largest, count));
      largest = std::max(largest, count);
    }
    // Without clauses no plan is smaller than this product. With them it may be, and the search goes on.
    const std::size_t least = model_.clauses.empty() ? largest * second : 1;
    while (best.size() > std::max(fixed_ + 1, least)) {
      rows = best;
      start(rows);
      if (!repair(rows)) break;
      best = rows;
    }
    return best;
  }

 private:
  std::size_t at(std::uint32_t u, std::uint32_t a, std::uint32_t v, std::uint32_t b) const {
    const std::size_t x = first_[u] + a;
    const std::size_t y = first_[v] + b;
    return x < y ? x * count_ + y : y * count_ + x;
  }

  // Counts the pairs and takes away the row that alone holds the fewest.
  void start(std::vector<Row>& rows) {
    times_.assign(static_cast<std::size_t>(count_) * count_, 0);
    place_.assign(times_.size(), kNowhere);
    missing_.clear();
    tabu_.assign(rows.size() * count_, 0);
    moves_ = 0;
    pairs_ = 0;
    for (const Row& row : rows) each_pair(row, [&](std::size_t pair) { pairs_ += times_[pair]++ == 0 ? 1 : 0; });
    std::size_t worst = fixed_;
    std::size_t fewest = std::numeric_limits<std::size_t>::max();
    for (std::size_t i = fixed_; i < rows.size(); ++i) {
      std::size_t alone = 0;
      each_pair(rows[i], [&](std::size_t pair) { alone += times_[pair] == 1 ? 1 : 0; });
      if (alone < fewest) {
        fewest = alone;
        worst = i;
      }
    }
    each_pair(rows[worst], [&](std::size_t pair) { remove(pair); });
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(worst));
  }

  template <typename Visit>
  void each_pair(const Row& row, Visit&& visit) const {
    for (std::size_t i = 0; i < scope_.size(); ++i) {
      for (std::size_t j = i + 1; j < scope_.size(); ++j) {
        visit(at(scope_[i], row[scope_[i]], scope_[j], row[scope_[j]]));
      }
    }
  }

  void add(std::size_t pair) {
    if (times_[pair]++ > 0 || place_[pair] == kNowhere) return;
    missing_[place_[pair]] = missing_.back();
    place_[missing_.back()] = place_[pair];
    missing_.pop_back();
    place_[pair] = kNowhere;
  }
  void remove(std::size_t pair) {
    if (--times_[pair] > 0) return;
    place_[pair] = static_cast<std::uint32_t>(missing_.size());
    missing_.push_back(pair);
  }

  bool repair(std::vector<Row>& rows) {
    const std::uint64_t most_moves = kMovesPerPair * pairs_;
    while (!missing_.empty()) {
      if (steps_left_ == 0 || moves_ >= most_moves) return false;
      ++moves_;
      const std::size_t pair = missing_[random_.below(static_cast<std::uint32_t>(missing_.size()))];
      const std::size_t x = pair / count_;
      const std::size_t y = pair % count_;
      if (!move_towards(rows, x, y) && !force(rows, x, y)) return false;
    }
    return true;
  }

  std::uint32_t variable_of(std::size_t literal) const {
    const auto owns = [&](std::uint32_t variable) {
      return first_[variable] <= literal && literal < first_[variable] + model_.value_counts[variable];
    };
    return *std::find_if(scope_.begin(), scope_.end(), owns);
  }

  // How many more pairs are missing after the row's variable has taken the value.
  int cost(const Row& row, std::uint32_t variable, std::uint8_t value) {
    steps_left_ -= std::min<std::uint64_t>(steps_left_, scope_.size() + kStepOverhead);
    int result = 0;
    for (const std::uint32_t other : scope_) {
      if (other == variable) continue;
      result += times_[at(variable, row[variable], other, row[other])] == 1 ? 1 : 0;
      result -= times_[at(variable, value, other, row[other])] == 0 ? 1 : 0;
    }
    return result;
  }

  bool sound_with(Row& row, std::uint32_t variable, std::uint8_t value) const {
    const std::uint8_t old = row[variable];
    row[variable] = value;
    const bool sound = std::all_of(clauses_of_[variable].begin(), clauses_of_[variable].end(),
                                   [&](std::uint32_t i) { return satisfies(model_.clauses[i], row); });
    row[variable] = old;
    return sound;
  }

  void set(Row& row, std::size_t index, std::uint32_t variable, std::uint8_t value) {
    tabu_[index * count_ + first_[variable] + row[variable]] = moves_ + kTabuMoves;
    for (const std::uint32_t other : scope_) {
      if (other != variable) remove(at(variable, row[variable], other, row[other]));
    }
    row[variable] = value;
    for (const std::uint32_t other : scope_) {
      if (other != variable) add(at(variable, row[variable], other, row[other]));
    }
  }

  // Among the rows that hold one half of the pair, the one where taking the other half costs least.
  bool move_towards(std::vector<Row>& rows, std::size_t x, std::size_t y) {
    int best = std::numeric_limits<int>::max();
    std::uint32_t ties = 0;
    std::size_t best_row = 0;
    std::size_t best_literal = 0;
    const std::uint32_t u = variable_of(x);
    const std::uint32_t v = variable_of(y);
    const auto try_move = [&](std::size_t index, std::uint32_t variable, std::size_t literal) {
      const auto value = static_cast<std::uint8_t>(literal - first_[variable]);
      const int price = cost(rows[index], variable, value);
      const bool forbidden = tabu_[index * count_ + literal] > moves_ && price + static_cast<int>(missing_.size()) > 0;
      if (forbidden || price > best || !sound_with(rows[index], variable, value)) return;
      ties = price < best ? 1 : ties + 1;
      if (price < best || random_.below(ties) == 0) {
        best = price;
        best_row = index;
        best_literal = literal;
      }
    };
    for (std::size_t index = fixed_; index < rows.size(); ++index) {
      const bool has_x = rows[index][u] == x - first_[u];
      const bool has_y = rows[index][v] == y - first_[v];
      if (has_x && !has_y) try_move(index, v, y);
      if (has_y && !has_x) try_move(index, u, x);
    }
    if (ties == 0) return false;
    const std::uint32_t variable = variable_of(best_literal);
    set(rows[best_row], best_row, variable, static_cast<std::uint8_t>(best_literal - first_[variable]));
    return true;
  }

  // No row can take the pair by one change: some row takes both halves.
  bool force(std::vector<Row>& rows, std::size_t x, std::size_t y) {
    const std::uint32_t u = variable_of(x);
    const std::uint32_t v = variable_of(y);
    const auto a = static_cast<std::uint8_t>(x - first_[u]);
    const auto b = static_cast<std::uint8_t>(y - first_[v]);
    const std::size_t movable = rows.size() - fixed_;
    const std::size_t offset = random_.below(static_cast<std::uint32_t>(movable));
    for (std::size_t i = 0; i < movable; ++i) {
      const std::size_t index = fixed_ + (offset + i) % movable;
      Row wanted = rows[index];
      wanted[u] = a;
      wanted[v] = b;
      steps_left_ -= std::min<std::uint64_t>(steps_left_, scope_.size() + kStepOverhead);
      if (!satisfies(model_, wanted)) continue;
      if (rows[index][u] != a) set(rows[index], index, u, a);
      if (rows[index][v] != b) set(rows[index], index, v, b);
      return true;
    }
    return false;
  }

  static constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

  const Model& model_;
  const std::vector<std::uint32_t>& scope_;
  std::size_t fixed_;
  Random& random_;
  std::vector<std::vector<std::uint32_t>> clauses_of_;
  std::vector<std::size_t> first_;  // number of the first value of each variable
  std::size_t count_ = 0;           // of values in scope
  std::vector<std::uint16_t> times_;
  std::vector<std::uint32_t> place_;  // of a missing pair in missing_
  std::vector<std::size_t> missing_;
  std::vector<std::uint64_t> tabu_;  // for each row and value, the move before which it may not return
  std::uint64_t moves_ = 0;
  std::uint64_t pairs_ = 0;  // that have to be covered
  std::uint64_t steps_left_ = 0;
};

}  // namespace

std::vector<Row> shrink_rows(const Model& model, const std::vector<std::uint32_t>& scope, std::vector<Row> rows,
                             std::size_t fixed, std::uint64_t steps, Random& random) {
  return Shrinker(model, scope, fixed, random).run(std::move(rows), steps);
}

}  // namespace lockstep::matrix
