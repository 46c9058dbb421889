// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lockstep::jit {

// A name for a part of a piece of generated code.
struct CodeSymbol {
  std::string name;
  uint32_t offset = 0;
  uint32_t size_bytes = 0;
};

// Where the stack pointer is in a part of a piece: `pushed` bytes lie between it and Frame (jit/frame.h). With 0 the
// code was entered by Thunks::enter; otherwise it was called by code that has 0, and the return address is the last of
// what was pushed before it began.
struct CodeFrame {
  uint32_t begin = 0, end = 0;  // offsets
  uint32_t pushed = 0;
};

// Generated code in its place, with what tools of the host may want to know.
struct CodePiece {
  std::span<const uint8_t> code;
  std::vector<CodeSymbol> symbols;
  std::vector<CodeFrame> frames;
};

// Is told of each piece of code that is installed, and that goes.
class CodeListener {
 public:
  virtual ~CodeListener() = default;
  virtual void installed(const CodePiece& piece) = 0;
  virtual void dropped([[maybe_unused]] const uint8_t* code) {}
};

}  // namespace lockstep::jit
