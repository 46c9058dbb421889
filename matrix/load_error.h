// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

// What the loader and the checker of contracts say to people.
namespace lockstep::matrix {

// Thrown inside the loader, caught in parse_contract.
struct LoadError {
  int line;
  std::string what;
};

// Without control characters, which are escaped, and cut when it is long.
std::string printable(std::string_view text);
// The same in double quotes.
std::string in_quotes(std::string_view text);
// `; did you mean "y"?` with the nearest of `known`, or a list of them when none is near; empty when there are none.
std::string suggestion(std::string_view text, const std::vector<std::string>& known);

}  // namespace lockstep::matrix
