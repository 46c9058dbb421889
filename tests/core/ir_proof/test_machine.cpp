// SPDX-License-Identifier: Apache-2.0
#include "tests/core/ir_proof/test_machine.h"

#include <cstddef>
#include <cstdlib>
#include <deque>

#include "core/ir/builder.h"

namespace lockstep::test {

namespace {

using core::StateHeader;

// Builds a layout: fields one after the other behind the header, wide ones first so that all are aligned.
class LayoutMaker {
 public:
  explicit LayoutMaker(std::string_view isa) {
    layout_.isa = isa;
    header("pc", offsetof(StateHeader, pc), 8, true);
    header("fp_flags", offsetof(StateHeader, fp_flags), 4, true);
    header("fp_rounding", offsetof(StateHeader, fp_rounding), 4, true);
    header("reservation_valid", offsetof(StateHeader, reservation_valid), 8, false);
    header("reservation_address", offsetof(StateHeader, reservation_address), 8, false);
  }

  void registers(const std::string& prefix, unsigned first, unsigned last, uint32_t bytes) {
    for (unsigned i = first; i <= last; ++i) named(prefix + std::to_string(i), bytes);
  }
  void named(const std::string& name, uint32_t bytes) {
    at_ = (at_ + bytes - 1) / bytes * bytes;
    names_.push_back(name);
    fields_.push_back({names_.back(), at_, bytes, true});
    at_ += bytes;
  }
  const StateLayout& finish() {
    layout_.fields = fields_;
    layout_.size_bytes = (at_ + 63) / 64 * 64;
    return layout_;
  }

 private:
  void header(std::string_view name, size_t offset, uint32_t bytes, bool architectural) {
    fields_.push_back({name, static_cast<uint32_t>(offset), bytes, architectural});
  }

  std::deque<std::string> names_;
  std::vector<StateField> fields_;
  StateLayout layout_;
  uint32_t at_ = sizeof(StateHeader);
};

const StateLayout& riscv64() {
  static LayoutMaker maker("riscv64");
  static const StateLayout& kLayout = [&]() -> const StateLayout& {
    maker.registers("v", 0, 31, 16);
    maker.registers("x", 1, 31, 8);
    maker.registers("f", 0, 31, 8);
    return maker.finish();
  }();
  return kLayout;
}

const StateLayout& arm64() {
  static LayoutMaker maker("arm64");
  static const StateLayout& kLayout = [&]() -> const StateLayout& {
    maker.registers("v", 0, 31, 16);
    maker.registers("x", 0, 30, 8);
    maker.named("sp", 8);
    for (const char* flag : {"n", "z", "c", "v"}) maker.named(flag, 1);
    return maker.finish();
  }();
  return kLayout;
}

const StateLayout& x86_64() {
  static LayoutMaker maker("x86_64");
  static const StateLayout& kLayout = [&]() -> const StateLayout& {
    maker.registers("xmm", 0, 15, 16);
    for (const char* name : {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"}) maker.named(name, 8);
    maker.registers("r", 8, 15, 8);
    for (const char* flag : {"cf", "pf", "af", "zf", "sf", "of"}) maker.named(flag, 1);
    return maker.finish();
  }();
  return kLayout;
}

uint64_t divide_error(core::Hart& hart, uint64_t raise, uint64_t, uint64_t, uint64_t) {
  if (raise != 0) static_cast<TestHart&>(hart).raise_exception();
  return 0;
}

constexpr core::HelperDescriptor kHelpers[] = {
    {"divide_error", &divide_error, core::kHelperMayTrap | core::kHelperWritesState, 1, core::ir::Type::kVoid}};

}  // namespace

std::span<const core::HelperDescriptor> test_helpers() { return kHelpers; }

const StateLayout& test_layout(std::string_view isa) {
  if (isa == "riscv64") return riscv64();
  if (isa == "arm64") return arm64();
  if (isa == "x86_64") return x86_64();
  std::abort();
}

FlatBus::FlatBus() : memory_(kMemoryBytes), flags_(kMemoryBytes / core::kPageSize) {
  window_ = core::RamWindow{kMemoryBase, kMemoryBytes, memory_.data(), flags_.data(), true};
}

const core::RamWindow* FlatBus::window(uint64_t paddr) { return window_.contains(paddr) ? &window_ : nullptr; }

TestHart::TestHart(const StateLayout& layout, std::span<const core::HelperDescriptor> helpers)
    : TestHart(layout, helpers, std::make_unique<FlatBus>(), std::make_unique<core::VirtualClock>()) {}

TestHart::TestHart(const StateLayout& layout, std::span<const core::HelperDescriptor> helpers,
                   std::unique_ptr<FlatBus> bus, std::unique_ptr<core::VirtualClock> clock)
    : Hart(0, *bus, *clock, layout.size_bytes),
      bus_storage_(std::move(bus)),
      clock_storage_(std::move(clock)),
      owned_bus_(*bus_storage_),
      layout_(&layout),
      helpers_(helpers) {
  tlb().select(1, 1, 0);
}

void TestHart::translate_block(core::CodeReader& code, uint64_t pc, unsigned, core::ir::Builder& builder) {
  uint16_t bits = 0;
  code.fetch16(pc, bits);
  if (block_ != nullptr && pc == block_->pc) {
    builder.block() = *block_;
    return;
  }
  builder.insn(pc, 4);
  builder.jump(pc);
}

core::Translation TestHart::translate(uint64_t vaddr, core::Access, bool) {
  core::Translation result;
  if (vaddr < kMemoryBase || vaddr - kMemoryBase >= kMemoryBytes) {
    result.fault = core::Fault::kPage;
    return result;
  }
  result.paddr = vaddr;
  return result;
}

void TestHart::raise_fault(core::Fault fault, core::Access, uint64_t) {
  last_fault_ = fault;
  state().pc = kFaultHandler;
  state().trapped = 1;
}

void TestHart::raise_exception() {
  exception_ = true;
  state().pc = kFaultHandler;
  state().trapped = 1;
}

std::string TestHart::disassemble(std::span<const uint8_t>, uint64_t, unsigned& length) const {
  length = 4;
  return "test";
}

}  // namespace lockstep::test
