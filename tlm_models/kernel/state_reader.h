// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/snapshot/snapshot.h"

namespace lockstep::tlm_models {

using core::SnapshotSection;

// Puts a list of words under one key.
void put_words(SnapshotSection& section, const std::string& key, std::span<const uint64_t> values);

// Reads a device's section and keeps the first failure, so that a device's restore is a list of fields. After a failure
// all values read as zero or empty.
class StateReader {
 public:
  explicit StateReader(const SnapshotSection& section) : section_(section) {}

  uint64_t word(const std::string& key);
  template <typename T>
  void get(const std::string& key, T& value) {
    const uint64_t word_value = word(key);
    if (status_.ok()) value = static_cast<T>(word_value);
  }
  // Exactly `count` words.
  std::vector<uint64_t> words(const std::string& key, size_t count);
  std::vector<uint64_t> words_up_to(const std::string& key, size_t max_count);
  std::vector<uint8_t> bytes(const std::string& key, size_t max_size);
  void fail(std::string message);

  bool ok() const { return status_.ok(); }
  const core::Status& status() const { return status_; }

 private:
  const SnapshotSection& section_;
  core::Status status_;
};

}  // namespace lockstep::tlm_models
