// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/kernel/state_reader.h"

#include <fmt/format.h>

#include <cstring>

namespace lockstep::tlm_models {

void put_words(SnapshotSection& section, const std::string& key, std::span<const uint64_t> values) {
  section.put_bytes(key, {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()});
}

void StateReader::fail(std::string message) {
  if (status_.ok()) status_ = core::Error{std::move(message)};
}

uint64_t StateReader::word(const std::string& key) {
  if (!status_.ok()) return 0;
  auto value = section_.u64(key);
  if (value.ok()) return *value;
  fail(value.message());
  return 0;
}

std::vector<uint64_t> StateReader::words(const std::string& key, size_t count) {
  auto values = words_up_to(key, count);
  if (status_.ok() && values.size() != count) {
    fail(fmt::format("snapshot section '{}' has {} values of '{}', this machine has {}", section_.name(), values.size(),
                     key, count));
  }
  if (!status_.ok()) values.assign(count, 0);
  return values;
}

std::vector<uint64_t> StateReader::words_up_to(const std::string& key, size_t max_count) {
  const auto data = bytes(key, max_count * sizeof(uint64_t));
  if (data.size() % sizeof(uint64_t) != 0) {
    fail(fmt::format("snapshot section '{}': '{}' is not a list of words", section_.name(), key));
    return {};
  }
  std::vector<uint64_t> values(data.size() / sizeof(uint64_t));
  if (!data.empty()) std::memcpy(values.data(), data.data(), data.size());
  return values;
}

std::vector<uint8_t> StateReader::bytes(const std::string& key, size_t max_size) {
  if (!status_.ok()) return {};
  auto found = section_.bytes(key);
  if (!found.ok()) {
    fail(found.message());
    return {};
  }
  if (found->size() > max_size) {
    fail(fmt::format("snapshot section '{}' has {} bytes of '{}', at most {} fit", section_.name(), found->size(), key,
                     max_size));
    return {};
  }
  return *found;
}

}  // namespace lockstep::tlm_models
