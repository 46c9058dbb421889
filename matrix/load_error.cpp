// SPDX-License-Identifier: Apache-2.0
#include "matrix/load_error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace lockstep::matrix {
namespace {

constexpr std::size_t kMaxQuotedLength = 80;
constexpr std::size_t kMaxListed = 24;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kMaxQuotedLength)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + (text.size() > kMaxQuotedLength ? "..." : "");
}

std::string in_quotes(std::string_view text) { return "\"" + printable(text) + "\""; }

std::string suggestion(std::string_view text, const std::vector<std::string>& known) {
  const std::string* nearest = nullptr;
  std::size_t best = text.size() / 2 + 2;
  if (text.size() <= kMaxQuotedLength) {
    for (const std::string& candidate : known) {
      // Who writes only the beginning of a name most likely means it.
      const bool beginning = text.size() > 2 && candidate.starts_with(text);
      const std::size_t distance = beginning ? 1 : edit_distance(text, candidate);
      if (distance < best) {
        best = distance;
        nearest = &candidate;
      }
    }
  }
  if (nearest != nullptr) return fmt::format("; did you mean {}?", in_quotes(*nearest));
  if (known.empty()) return "";
  const std::size_t listed = std::min(known.size(), kMaxListed);
  return fmt::format("; known here: {}{}",
                     fmt::join(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(listed), ", "),
                     listed < known.size() ? ", ..." : "");
}

}  // namespace lockstep::matrix
