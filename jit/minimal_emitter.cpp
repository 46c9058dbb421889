// SPDX-License-Identifier: Apache-2.0
#include "jit/minimal_emitter.h"

#include <asmjit/core.h>
#include <fmt/format.h>

#include <cassert>
#include <functional>
#include <vector>

#include "jit/minimal_translator.h"

namespace lockstep::jit {

namespace ir = core::ir;
using core::Error;
using core::Result;
using core::StateHeader;

namespace {

// A slot's displacement must fit 31 bits by far; blocks have a few hundred operations.
constexpr size_t kMaxInsts = 1u << 16;

using BlockFunction = uint32_t (*)(StateHeader* state, uint8_t* slots, core::Hart* hart, core::MemoryAccess* memory);

// Keeps the first thing that the assembler could not do.
class FirstError : public asmjit::ErrorHandler {
 public:
  void handleError(asmjit::Error, const char* message, asmjit::BaseEmitter*) override {
    if (text_.empty()) text_ = message;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

class MinimalEmitter::Runtime {
 public:
  asmjit::JitRuntime jit;
};

struct MinimalBlock::Code {
  ~Code() { release(function); }

  BlockFunction function = nullptr;
  size_t code_bytes = 0;
  size_t values = 0;
  std::function<void(BlockFunction)> release;
};

BlockEnd MinimalBlock::run(core::Hart& hart, core::MemoryAccess& memory) const {
  assert(hart.state().budget >= 0);
  std::vector<uint8_t> slots(code_->values * MinimalTranslator::kSlotBytes);
  hart.state().trapped = 0;
  return static_cast<BlockEnd>(code_->function(&hart.state(), slots.data(), &hart, &memory));
}

size_t MinimalBlock::code_bytes() const { return code_->code_bytes; }

MinimalEmitter::MinimalEmitter(const HostFeatures& features)
    : features_(features), runtime_(std::make_shared<Runtime>()) {}
MinimalEmitter::~MinimalEmitter() = default;

Result<MinimalBlock> MinimalEmitter::compile(const ir::Block& block,
                                             std::span<const core::HelperDescriptor> helpers) const {
  if (core::Status usable = features_.check(); !usable) return usable.error();
  if (block.insts.size() > kMaxInsts) {
    return Error{fmt::format("the block at {:#x} has {} operations; at most {} are compiled", block.pc,
                             block.insts.size(), kMaxInsts)};
  }
  FirstError errors;
  asmjit::CodeHolder code;
  code.init(runtime_->jit.environment());
  code.setErrorHandler(&errors);
  MinimalTranslator translator(block, helpers, code);
  if (!translator.run()) {
    const ir::Inst& inst = block.insts[translator.index()];
    return Error{fmt::format("the block at {:#x}: operation %{} `{}` has no host code", block.pc, translator.index(),
                             ir::op_info(inst.op).text)};
  }
  auto result = std::make_shared<MinimalBlock::Code>();
  result->release = [runtime = runtime_](BlockFunction function) { runtime->jit.release(function); };
  const asmjit::Error failed = errors.text().empty() ? runtime_->jit.add(&result->function, &code) : asmjit::kErrorOk;
  if (!errors.text().empty() || failed != asmjit::kErrorOk) {
    return Error{fmt::format("the block at {:#x} cannot be assembled: {}", block.pc,
                             errors.text().empty() ? asmjit::DebugUtils::errorAsString(failed) : errors.text())};
  }
  result->code_bytes = code.codeSize();
  result->values = block.insts.size();
  return MinimalBlock(std::move(result));
}

}  // namespace lockstep::jit
