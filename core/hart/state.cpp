// SPDX-License-Identifier: Apache-2.0
#include "core/hart/state.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace lockstep::core {

const StateField* StateLayout::find(std::string_view name) const {
  for (const StateField& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

const StateField* StateLayout::at(uint32_t offset) const {
  for (const StateField& field : fields) {
    if (field.offset == offset) return &field;
  }
  return nullptr;
}

void StateDeleter::operator()(StateHeader* state) const { std::free(state); }

StatePtr allocate_state(uint32_t size_bytes) {
  const size_t total = (size_t{size_bytes} + kScratchBytes + 63) / 64 * 64;
  void* memory = std::aligned_alloc(64, total);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, total);
  return StatePtr(new (memory) StateHeader());
}

}  // namespace lockstep::core
