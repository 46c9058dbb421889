// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

// A YAML document as a plain tree whose nodes know their lines. Size, depth and what aliases may repeat are bounded, so
// that no document, however hostile, costs more than a moment.
namespace lockstep::matrix {

inline constexpr int kMaxYamlDepth = 32;
// Counted with every alias written out, so that a few nested aliases cannot stand for billions of nodes.
inline constexpr std::size_t kMaxYamlNodes = 20'000;

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  int line = 0;                                        // 1-based
  std::string scalar;                                  // kScalar
  std::size_t weight = 1;                              // nodes of this subtree
  std::vector<std::shared_ptr<const YamlNode>> items;  // kSequence
  std::vector<std::pair<std::shared_ptr<const YamlNode>, std::shared_ptr<const YamlNode>>> entries;  // kMap, in order

  bool is_null() const { return kind == Kind::kNull; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_sequence() const { return kind == Kind::kSequence; }
  bool is_map() const { return kind == Kind::kMap; }
  // "a list", "a mapping", ... for messages.
  const char* kind_text() const;
};

// Reads the first document of `text`; a second one is an error. `name` stands for the file in messages.
core::Result<std::shared_ptr<const YamlNode>> read_yaml(std::string_view text, const std::string& name);

}  // namespace lockstep::matrix
