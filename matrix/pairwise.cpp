// SPDX-License-Identifier: Apache-2.0
#include "matrix/pairwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>

#include "matrix/pairwise_shrink.h"
#include "matrix/random.h"

namespace lockstep::matrix {
namespace {

// Candidates built for each row, of which the best is kept. Past about fifty the rows hardly get better.
constexpr int kMaxCandidates = 50;
constexpr int kMaxRestarts = 16;
// Table look-ups of the final search in one unit of effort.
constexpr std::uint64_t kLookupsPerEffort = 200;

// Every value of every variable in scope has a number, and `rows_[a]` has bit b set while the pair (a, b) is open.
class PairTable {
 public:
  PairTable() = default;
  PairTable(const Model& model, const std::vector<std::uint32_t>& scope) {
    first_.resize(model.value_counts.size(), 0);
    for (const std::uint32_t variable : scope) {
      first_[variable] = count_;
      for (std::uint32_t value = 0; value < model.value_counts[variable]; ++value) variable_of_.push_back(variable);
      count_ += model.value_counts[variable];
    }
    words_ = (count_ + 63) / 64;
    bits_.assign(static_cast<std::size_t>(count_) * words_, 0);
    open_of_.assign(count_, 0);
  }

  std::uint32_t count() const { return count_; }
  std::uint32_t words() const { return words_; }
  std::uint64_t open() const { return open_; }
  std::uint32_t open_of(std::uint32_t a) const { return open_of_[a]; }
  std::uint32_t id(std::uint32_t variable, std::uint32_t value) const { return first_[variable] + value; }
  std::uint32_t variable_of(std::uint32_t a) const { return variable_of_[a]; }
  std::uint8_t value_of(std::uint32_t a) const { return static_cast<std::uint8_t>(a - first_[variable_of_[a]]); }
  const std::uint64_t* row(std::uint32_t a) const { return &bits_[static_cast<std::size_t>(a) * words_]; }
  bool is_open(std::uint32_t a, std::uint32_t b) const { return (row(a)[b / 64] >> (b % 64)) & 1; }

  void set_open(std::uint32_t a, std::uint32_t b) {
    if (is_open(a, b)) return;
    flip(a, b);
    flip(b, a);
    ++open_of_[a];
    ++open_of_[b];
    ++open_;
  }
  void close(std::uint32_t a, std::uint32_t b) {
    if (!is_open(a, b)) return;
    flip(a, b);
    flip(b, a);
    --open_of_[a];
    --open_of_[b];
    --open_;
  }
  void close_row(const std::vector<std::uint32_t>& scope, const Row& row) {
    for (std::size_t i = 0; i < scope.size(); ++i) {
      const std::uint32_t a = id(scope[i], row[scope[i]]);
      if (open_of_[a] == 0) continue;
      for (std::size_t j = i + 1; j < scope.size(); ++j) close(a, id(scope[j], row[scope[j]]));
    }
  }

 private:
  void flip(std::uint32_t a, std::uint32_t b) {
    bits_[static_cast<std::size_t>(a) * words_ + b / 64] ^= std::uint64_t{1} << (b % 64);
  }

  std::uint32_t count_ = 0;
  std::uint32_t words_ = 0;
  std::uint64_t open_ = 0;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> variable_of_;
  std::vector<std::uint64_t> bits_;
  std::vector<std::uint32_t> open_of_;
};

class Generator {
 public:
  Generator(const Model& model, const PairwiseOptions& options, std::vector<std::uint32_t> scope)
      : model_(model), options_(options), scope_(std::move(scope)), solver_(model), random_(options.seed) {
    order_ = scope_;
    std::vector<bool> in_scope(model.value_counts.size(), false);
    for (const std::uint32_t variable : scope_) in_scope[variable] = true;
    for (std::uint32_t i = 0; i < model.value_counts.size(); ++i) {
      if (!in_scope[i]) order_.push_back(i);
    }
    preference_ = options.preference;
    preference_.resize(model.value_counts.size());
    for (std::size_t i = 0; i < preference_.size(); ++i) {
      if (!preference_[i].empty()) continue;
      preference_[i].resize(model.value_counts[i]);
      std::iota(preference_[i].begin(), preference_[i].end(), std::uint8_t{0});
    }
    constrained_ = !model.clauses.empty();
  }

  core::Result<std::vector<Row>> run() {
    if (!constrained_ && is_binary()) return binary_rows();
    all_ = PairTable(model_, scope_);
    if (core::Status found = open_possible_pairs(); !found) return found.error();

    // Work of one pass: rows are about as many as the two largest domains give, times a logarithm.
    std::uint64_t largest = 1;
    for (const std::uint32_t variable : scope_) {
      largest = std::max<std::uint64_t>(largest, model_.value_counts[variable]);
    }
    const std::uint64_t rows = largest * largest * std::bit_width(scope_.size()) + 4;
    const std::uint64_t candidate = static_cast<std::uint64_t>(all_.count()) * (all_.words() + 2) / 64 + 1;
    const std::uint64_t budget = options_.effort / (rows * candidate);
    const int candidates = static_cast<int>(std::clamp<std::uint64_t>(budget, 4, kMaxCandidates));
    const int restarts = static_cast<int>(std::clamp<std::uint64_t>(budget / candidates, 1, kMaxRestarts));

    std::vector<Row> best;
    for (int i = 0; i < restarts; ++i) {
      core::Result<std::vector<Row>> rows_found = pass(candidates);
      if (!rows_found) return rows_found;
      if (best.empty() || rows_found->size() < best.size()) best = std::move(*rows_found);
    }
    return shrink_rows(model_, scope_, std::move(best), options_.seeds.size(), options_.effort * kLookupsPerEffort,
                       random_);
  }

 private:
  bool is_binary() const {
    return scope_.size() >= 2 &&
           std::all_of(model_.value_counts.begin(), model_.value_counts.end(),
                       [](std::uint32_t count) { return count == 2; }) &&
           options_.seeds.size() <= 1;
  }

  // Free binary variables have an exact answer (Katona; Kleitman and Spencer): N rows carry C(N-1, ceil(N/2)) columns,
  // one a subset of that many rows that leaves out the first. Any two such subsets overlap, neither holds the other,
  // and the first row is in neither, which is all four pairs. Flipped columns let the first row be the seed.
  std::vector<Row> binary_rows() const {
    std::uint32_t count = 4;
    const auto choose = [](std::uint64_t n, std::uint64_t k) {
      std::uint64_t result = 1;
      for (std::uint64_t i = 1; i <= k; ++i) result = result * (n - k + i) / i;
      return result;
    };
    while (choose(count - 1, (count + 1) / 2) < scope_.size()) ++count;
    std::vector<std::uint8_t> first(model_.value_counts.size());
    for (std::size_t i = 0; i < first.size(); ++i)
      first[i] = options_.seeds.empty() ? preference_[i][0] : options_.seeds[0][i];
    std::vector<Row> rows(count, first);
    std::vector<bool> member(count - 1, false);
    std::fill(member.begin(), member.begin() + (count + 1) / 2, true);
    for (const std::uint32_t variable : scope_) {
      for (std::uint32_t row = 1; row < count; ++row) {
        if (member[row - 1]) rows[row][variable] ^= 1;
      }
      std::prev_permutation(member.begin(), member.end());
    }
    return rows;
  }

  core::Error too_hard() const {
    return core::Error{
        fmt::format("the rules are too tangled: the search was given up after {} steps", kMaxSearchNodes)};
  }

  // Opens every pair that some row can hold. Each row that the solver finds proves many pairs at once.
  core::Status open_possible_pairs() {
    const auto open_row = [&](const Row& row) {
      for (std::size_t i = 0; i < scope_.size(); ++i) {
        for (std::size_t j = i + 1; j < scope_.size(); ++j) {
          all_.set_open(all_.id(scope_[i], row[scope_[i]]), all_.id(scope_[j], row[scope_[j]]));
        }
      }
    };
    std::vector<std::vector<std::uint8_t>> wish = preference_;
    for (std::size_t i = 0; i < scope_.size(); ++i) {
      const std::uint32_t u = scope_[i];
      for (std::uint8_t a = 0; a < model_.value_counts[u]; ++a) {
        const std::size_t outer = solver_.mark();
        const bool possible = !constrained_ || solver_.narrow(u, std::uint64_t{1} << a);
        for (std::size_t j = i + 1; possible && j < scope_.size(); ++j) {
          const std::uint32_t v = scope_[j];
          for (std::uint8_t b = 0; b < model_.value_counts[v]; ++b) {
            if (all_.is_open(all_.id(u, a), all_.id(v, b))) continue;
            if (!constrained_) {
              all_.set_open(all_.id(u, a), all_.id(v, b));
              continue;
            }
            const std::size_t inner = solver_.mark();
            if (solver_.narrow(v, std::uint64_t{1} << b)) {
              for (const std::uint32_t variable : scope_) random_.shuffle(wish[variable]);
              const std::optional<Row> row = solver_.solve(order_, wish);
              if (row) open_row(*row);
              if (solver_.exhausted()) return too_hard();
            }
            solver_.undo(inner);
          }
        }
        solver_.undo(outer);
      }
    }
    return {};
  }

  core::Result<std::vector<Row>> pass(int candidates) {
    PairTable open = all_;
    std::vector<Row> rows;
    for (const Row& row : options_.seeds) {
      rows.push_back(row);
      open.close_row(scope_, row);
    }
    while (open.open() > 0) {
      std::optional<Row> best;
      std::uint64_t best_gain = 0;
      for (int i = 0; i < candidates; ++i) {
        std::optional<Row> row = build(open);
        if (!row) return too_hard();
        improve(open, *row);
        const std::uint64_t gained = gain(open, *row);
        if (gained > best_gain) {
          best_gain = gained;
          best = std::move(row);
        }
      }
      if (!best) return too_hard();
      open.close_row(scope_, *best);
      rows.push_back(std::move(*best));
    }
    drop_redundant(rows);
    return rows;
  }

  // One row that holds at least one open pair, built greedily: each variable, in random order, takes the value that
  // closes most open pairs with what the row holds so far.
  std::optional<Row> build(const PairTable& open) {
    std::vector<std::uint64_t> held(open.words(), 0);
    const std::size_t before = solver_.mark();
    std::vector<bool> done(model_.value_counts.size(), false);
    const auto take = [&](std::uint32_t literal) {
      held[literal / 64] |= std::uint64_t{1} << (literal % 64);
      done[open.variable_of(literal)] = true;
      return solver_.narrow(open.variable_of(literal), std::uint64_t{1} << open.value_of(literal));
    };

    const std::uint32_t start = most_open(open);
    std::uint32_t partner = pick_partner(open, start);
    bool sound = take(start) && take(partner);
    std::vector<std::uint32_t> order = scope_;
    random_.shuffle(order);
    for (const std::uint32_t variable : order) {
      if (!sound) break;
      if (done[variable]) continue;
      sound = false;
      std::uint64_t candidates = solver_.domain(variable);
      while (candidates != 0 && !sound) {
        const std::uint32_t literal = best_value(open, held, variable, candidates);
        candidates &= ~(std::uint64_t{1} << open.value_of(literal));
        const std::size_t mark = solver_.mark();
        sound = take(literal);
        if (!sound) {
          solver_.undo(mark);
          held[literal / 64] &= ~(std::uint64_t{1} << (literal % 64));
        }
      }
    }
    std::optional<Row> row;
    if (sound) row = solver_.solve(order_, preference_);
    solver_.undo(before);
    if (row) return row;

    // Propagation alone does not see every contradiction; the complete search finds a row with the pair, since only
    // possible pairs are ever open.
    std::vector<std::vector<std::uint8_t>> wish = preference_;
    for (const std::uint32_t variable : scope_) random_.shuffle(wish[variable]);
    if (solver_.narrow(open.variable_of(start), std::uint64_t{1} << open.value_of(start)) &&
        solver_.narrow(open.variable_of(partner), std::uint64_t{1} << open.value_of(partner))) {
      row = solver_.solve(order_, wish);
    }
    solver_.undo(before);
    return row;
  }

  std::uint32_t most_open(const PairTable& open) {
    std::uint32_t best = 0;
    std::uint32_t ties = 0;
    for (std::uint32_t a = 0; a < open.count(); ++a) {
      if (open.open_of(a) > open.open_of(best)) {
        best = a;
        ties = 1;
      } else if (open.open_of(a) == open.open_of(best) && random_.below(++ties) == 0) {
        best = a;
      }
    }
    return best;
  }

  // Of the values that form an open pair with `a`, the one with most open pairs of its own.
  std::uint32_t pick_partner(const PairTable& open, std::uint32_t a) {
    std::uint32_t best = a;
    std::uint32_t ties = 0;
    for (std::uint32_t b = 0; b < open.count(); ++b) {
      if (!open.is_open(a, b)) continue;
      if (best == a || open.open_of(b) > open.open_of(best)) {
        best = b;
        ties = 1;
      } else if (open.open_of(b) == open.open_of(best) && random_.below(++ties) == 0) {
        best = b;
      }
    }
    return best;
  }

  std::uint32_t best_value(const PairTable& open, const std::vector<std::uint64_t>& held, std::uint32_t variable,
                           std::uint64_t allowed) {
    std::uint32_t best = 0;
    std::uint32_t ties = 0;
    std::uint64_t best_score = 0;
    for (std::uint32_t value = 0; value < model_.value_counts[variable]; ++value) {
      if (((allowed >> value) & 1) == 0) continue;
      const std::uint32_t literal = open.id(variable, value);
      // Pairs closed now count first; among equals, the value that has most left to do.
      std::uint64_t closed = 0;
      const std::uint64_t* row = open.row(literal);
      for (std::uint32_t word = 0; word < open.words(); ++word) {
        closed += static_cast<std::uint64_t>(std::popcount(row[word] & held[word]));
      }
      const std::uint64_t score = (closed << 32) + open.open_of(literal);
      if (ties == 0 || score > best_score) {
        best = literal;
        best_score = score;
        ties = 1;
      } else if (score == best_score && random_.below(++ties) == 0) {
        best = literal;
      }
    }
    return best;
  }

  std::uint64_t gain(const PairTable& open, const Row& row) const {
    std::uint64_t result = 0;
    for (std::size_t i = 0; i < scope_.size(); ++i) {
      const std::uint32_t a = open.id(scope_[i], row[scope_[i]]);
      if (open.open_of(a) == 0) continue;
      for (std::size_t j = i + 1; j < scope_.size(); ++j) {
        result += open.is_open(a, open.id(scope_[j], row[scope_[j]])) ? 1 : 0;
      }
    }
    return result;
  }

  // Hill climbing: one variable at a time moves to a value that closes more, until none does. The clauses are checked
  // on the whole row, so that only single moves that keep it sound are made.
  void improve(const PairTable& open, Row& row) const {
    std::vector<std::uint64_t> held(open.words(), 0);
    const auto flip = [&](std::uint32_t literal) { held[literal / 64] ^= std::uint64_t{1} << (literal % 64); };
    for (const std::uint32_t variable : scope_) flip(open.id(variable, row[variable]));
    const auto closes = [&](std::uint32_t literal) {
      std::uint64_t result = 0;
      for (std::uint32_t word = 0; word < open.words(); ++word) {
        result += static_cast<std::uint64_t>(std::popcount(open.row(literal)[word] & held[word]));
      }
      return result;
    };
    bool moved = true;
    while (moved) {
      moved = false;
      for (const std::uint32_t variable : scope_) {
        const std::uint8_t old = row[variable];
        std::uint64_t best_closed = closes(open.id(variable, old));
        std::uint8_t best = old;
        for (std::uint8_t value = 0; value < model_.value_counts[variable]; ++value) {
          const std::uint64_t closed = value == old ? 0 : closes(open.id(variable, value));
          if (closed <= best_closed) continue;
          row[variable] = value;
          if (!constrained_ || satisfies(model_, row)) {
            best = value;
            best_closed = closed;
          }
          row[variable] = old;
        }
        if (best == old) continue;
        flip(open.id(variable, old));
        flip(open.id(variable, best));
        row[variable] = best;
        moved = true;
      }
    }
  }

  // Drops rows all of whose pairs are in other rows; seeds stay.
  void drop_redundant(std::vector<Row>& rows) const {
    const std::uint32_t count = all_.count();
    std::vector<std::uint16_t> times(static_cast<std::size_t>(count) * count, 0);
    const auto each_pair = [&](const Row& row, auto&& visit) {
      for (std::size_t i = 0; i < scope_.size(); ++i) {
        const std::size_t a = all_.id(scope_[i], row[scope_[i]]);
        for (std::size_t j = i + 1; j < scope_.size(); ++j) {
          if (!visit(times[a * count + all_.id(scope_[j], row[scope_[j]])])) return false;
        }
      }
      return true;
    };
    const auto add = [](std::uint16_t& n) { return ++n, true; };
    const auto remove = [](std::uint16_t& n) { return --n, true; };
    for (const Row& row : rows) each_pair(row, add);
    for (std::size_t i = rows.size(); i > options_.seeds.size(); --i) {
      const Row& row = rows[i - 1];
      if (!each_pair(row, [](std::uint16_t n) { return n > 1; })) continue;
      each_pair(row, remove);
      rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(i - 1));
    }
  }

  const Model& model_;
  const PairwiseOptions& options_;
  std::vector<std::uint32_t> scope_;
  std::vector<std::uint32_t> order_;  // every variable, those in scope first
  std::vector<std::vector<std::uint8_t>> preference_;
  Solver solver_;
  Random random_;
  PairTable all_;
  bool constrained_ = false;
};

// One variable has no pairs; its values are covered one a row.
core::Result<std::vector<Row>> cover_values(const Model& model, const PairwiseOptions& options,
                                            const std::vector<std::uint32_t>& scope) {
  std::vector<std::uint32_t> order(model.value_counts.size());
  std::iota(order.begin(), order.end(), 0U);
  std::vector<std::vector<std::uint8_t>> preference = options.preference;
  preference.resize(model.value_counts.size());
  for (std::size_t i = 0; i < preference.size(); ++i) {
    if (!preference[i].empty()) continue;
    preference[i].resize(model.value_counts[i]);
    std::iota(preference[i].begin(), preference[i].end(), std::uint8_t{0});
  }
  Solver solver(model);
  std::vector<Row> rows = options.seeds;
  if (scope.empty()) {
    if (!rows.empty()) return rows;
    const std::optional<Row> row = solver.solve(order, preference);
    if (!row) return core::Error{"no combination satisfies the rules"};
    return std::vector<Row>{*row};
  }
  for (std::uint8_t value = 0; value < model.value_counts[scope[0]]; ++value) {
    if (std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row[scope[0]] == value; })) continue;
    const std::size_t mark = solver.mark();
    if (solver.narrow(scope[0], std::uint64_t{1} << value)) {
      if (const std::optional<Row> row = solver.solve(order, preference)) rows.push_back(*row);
    }
    solver.undo(mark);
  }
  if (rows.empty()) return core::Error{"no combination satisfies the rules"};
  return rows;
}

}  // namespace

core::Result<std::vector<Row>> cover_pairs(const Model& model, const PairwiseOptions& options) {
  std::vector<std::uint32_t> scope = options.scope;
  if (scope.empty()) {
    scope.resize(model.value_counts.size());
    std::iota(scope.begin(), scope.end(), 0U);
  }
  const std::uint64_t values = std::accumulate(model.value_counts.begin(), model.value_counts.end(), std::uint64_t{0});
  if (values > kMaxModelValues) {
    return core::Error{fmt::format("{} values in all; at most {} are planned for", values, kMaxModelValues)};
  }
  if (!Solver(model).consistent()) return core::Error{"no combination satisfies the rules"};
  if (scope.size() < 2) return cover_values(model, options, scope);
  core::Result<std::vector<Row>> rows = Generator(model, options, scope).run();
  if (rows.ok() && rows->empty()) return core::Error{"no combination satisfies the rules"};
  return rows;
}

}  // namespace lockstep::matrix
