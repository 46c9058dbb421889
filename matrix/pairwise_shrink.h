// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "matrix/model.h"
#include "matrix/random.h"

namespace lockstep::matrix {

// Looks for fewer rows with the same pairs: takes one row away and repairs the others by tabu search, again and again,
// until `steps` table look-ups are spent. The first `fixed` rows stay as they are. The rows given have to satisfy the
// model; those returned do too, and hold every pair of values of variables in `scope` that those given hold.
std::vector<Row> shrink_rows(const Model& model, const std::vector<std::uint32_t>& scope, std::vector<Row> rows,
                             std::size_t fixed, std::uint64_t steps, Random& random);

}  // namespace lockstep::matrix
