// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "jit/code_listener.h"

namespace lockstep::jit {

// Describes generated code to a gdb that debugs this process, by gdb's JIT interface: an object file in memory for each
// piece, with its symbols and with how to unwind its frames.
class GdbJit final : public CodeListener {
 public:
  // Pieces that gdb knows at a time; the oldest are taken back first. gdb looks through all of them.
  static constexpr size_t kMaxPieces = 1u << 14;

  GdbJit();
  ~GdbJit() override;
  void installed(const CodePiece& piece) override;
  void dropped(const uint8_t* code) override;

 private:
  struct Entry;
  std::deque<std::unique_ptr<Entry>> entries_;  // oldest first
};

// The object file: ELF, its addresses absolute.
std::vector<uint8_t> object_file(const CodePiece& piece);

}  // namespace lockstep::jit
