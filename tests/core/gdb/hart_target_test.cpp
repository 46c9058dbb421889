// SPDX-License-Identifier: Apache-2.0
#include "core/gdb/hart_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "core/gdb/gdb_riscv64.h"
#include "core/memory/guest_ram.h"

namespace lockstep::core::gdb {
namespace {

using testing::HasSubstr;

constexpr uint64_t kRamBase = 0x80000000;
constexpr uint64_t kRamBytes = 0x4000;
constexpr uint64_t kVirtualOffset = 0x1000000000;  // virtual addresses are physical ones plus this

struct TinyState : StateHeader {
  uint64_t x1;
  uint64_t privilege;
};
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
constexpr StateField kFields[] = {{"pc", offsetof(TinyState, pc), 8, true},
                                  {"x1", offsetof(TinyState, x1), 8, true},
                                  {"privilege", offsetof(TinyState, privilege), 8, true}};
constexpr StateLayout kLayout{"tiny", kFields, sizeof(TinyState)};

class TestBus : public PhysicalBus {
 public:
  const RamWindow* window(uint64_t paddr) override { return ram.window().contains(paddr) ? &ram.window() : nullptr; }
  bool read(uint64_t, unsigned, uint64_t&) override {
    ++device_accesses;
    return true;
  }
  bool write(uint64_t, unsigned, uint64_t) override {
    ++device_accesses;
    return true;
  }
  void ram_written(uint64_t paddr, uint64_t size_bytes) override { written[paddr] = size_bytes; }
  void page_has_code(uint64_t) override {}

  GuestRam ram = std::move(GuestRam::create(kRamBase, kRamBytes)).value();
  std::map<uint64_t, uint64_t> written;
  int device_accesses = 0;
};

class TestHart : public Hart {
 public:
  TestHart(unsigned id, TestBus& bus, VirtualClock& clock) : Hart(id, bus, clock, sizeof(TinyState)) {}
  const StateLayout& layout() const override { return kLayout; }
  std::span<const HelperDescriptor> helpers() const override { return {}; }
  void reset() override {}
  void translate_block(CodeReader&, uint64_t, unsigned, ir::Builder&) override {}
  uint64_t code_key() const override { return 0; }
  Translation translate(uint64_t vaddr, Access, bool debug) override {
    EXPECT_TRUE(debug);
    if (vaddr < kVirtualOffset || unmapped_pages.contains(vaddr & kPageMask)) return {.fault = Fault::kPage};
    return {.fault = Fault::kNone, .paddr = vaddr - kVirtualOffset, .block_bits = kPageBits};
  }
  void raise_fault(Fault, Access, uint64_t) override { ADD_FAILURE() << "a debugger's access trapped"; }
  bool interrupt_ready() const override { return false; }
  void take_interrupt() override {}
  bool wakeup_pending() const override { return false; }
  void set_interrupt(unsigned, bool) override {}
  void state_restored() override { ++restored; }
  std::string disassemble(std::span<const uint8_t>, uint64_t, unsigned&) const override { return {}; }

  std::set<uint64_t> unmapped_pages;
  int restored = 0;
};

class TestEngine : public Engine {
 public:
  std::string_view name() const override { return "test"; }
  RunResult run(uint64_t) override { return {}; }
  bool invalidate_code(uint64_t, uint64_t) override { return false; }
  void invalidate_all_code() override {}
  void set_breakpoint(uint64_t vaddr, bool on) override { on ? (void)breaks.insert(vaddr) : (void)breaks.erase(vaddr); }
  void set_watchpoint(const Watchpoint& watchpoint, bool on) override {
    last_watch = watchpoint;
    watches += on ? 1 : -1;
  }
  uint64_t watchpoint_address() const override { return 0x1234; }
  void set_instruction_hook(InstructionHook, void*) override {}

  std::set<uint64_t> breaks;
  Watchpoint last_watch;
  int watches = 0;
};

class HartTargetTest : public testing::Test {
 protected:
  HartTargetTest() {
    static constexpr RiscvCsr kCsrs[] = {{"mscratch", 0x340}};
    const auto read_csr = [this](Hart&, unsigned number) -> std::optional<uint64_t> {
      return number == 0x340 ? std::optional<uint64_t>(scratch_) : std::nullopt;
    };
    const auto write_csr = [this](Hart&, unsigned number, uint64_t value) {
      if (number == 0x340) scratch_ = value;
      return number == 0x340;
    };
    target_.emplace(std::vector<DebuggedHart>{{&hart_, &engine_}, {&other_hart_, &other_engine_}},
                    riscv64_architecture(kCsrs), riscv64_register_access(read_csr, write_csr));
  }

  const Register& reg(std::string_view name) {
    for (const Register& candidate : target_->architecture().registers) {
      if (candidate.name == name) return candidate;
    }
    ADD_FAILURE() << name;
    return target_->architecture().registers[0];
  }
  std::optional<uint64_t> read(std::string_view name) {
    std::array<uint8_t, 8> value;
    const Register& found = reg(name);
    if (!target_->read_register(0, found, std::span(value).first(found.size_bits / 8))) return std::nullopt;
    uint64_t word = 0;
    std::memcpy(&word, value.data(), found.size_bits / 8);
    return word;
  }
  bool write(std::string_view name, uint64_t word) {
    std::array<uint8_t, 8> value;
    std::memcpy(value.data(), &word, sizeof word);
    const Register& found = reg(name);
    return target_->write_register(0, found, std::span(value).first(found.size_bits / 8));
  }

  TestBus bus_;
  VirtualClock clock_;
  TestHart hart_{0, bus_, clock_}, other_hart_{1, bus_, clock_};
  TestEngine engine_, other_engine_;
  uint64_t scratch_ = 0;
  std::optional<HartTarget> target_;
};

TEST_F(HartTargetTest, registers) {
  hart_.state().pc = 0x80000010;
  EXPECT_EQ(read("pc"), 0x80000010u);
  EXPECT_TRUE(write("ra", 77));
  EXPECT_EQ(static_cast<TinyState&>(hart_.state()).x1, 77u);
  EXPECT_EQ(hart_.restored, 1);
  EXPECT_TRUE(write("zero", 1));
  EXPECT_EQ(read("zero"), 0u);
  EXPECT_TRUE(write("mscratch", 5));
  EXPECT_EQ(read("mscratch"), 5u);
  EXPECT_EQ(read("fcsr"), std::nullopt);
  EXPECT_FALSE(write("fcsr", 1));
  EXPECT_EQ(read("sp"), std::nullopt);  // this hart has none
  EXPECT_EQ(read("priv"), 0u);
}

TEST_F(HartTargetTest, memory_through_the_hart_s_translation) {
  const std::array<uint8_t, 4> data = {1, 2, 3, 4};
  std::array<uint8_t, 4> back{};
  const uint64_t edge = kVirtualOffset + kRamBase + 0x1ffe;  // two bytes on each side of a page boundary
  EXPECT_EQ(target_->write_memory(0, edge, data), 4u);
  EXPECT_THAT(bus_.written, testing::ElementsAre(std::pair(kRamBase + 0x1ffe, 2), std::pair(kRamBase + 0x2000, 2)));
  EXPECT_EQ(target_->read_memory(0, edge, back), 4u);
  EXPECT_EQ(back, data);
  hart_.unmapped_pages.insert(kVirtualOffset + kRamBase + 0x2000);
  EXPECT_EQ(target_->read_memory(0, edge, back), 2u);
  EXPECT_EQ(target_->read_memory(1, edge, back), 4u);
  EXPECT_EQ(target_->write_memory(0, edge, data), 2u);
  EXPECT_EQ(target_->read_memory(0, kRamBase, back), 0u);
  EXPECT_EQ(target_->read_memory(0, kVirtualOffset + 0x10000000, back), 0u);  // a device
  EXPECT_EQ(target_->write_memory(0, kVirtualOffset + 0x10000000, data), 0u);
  EXPECT_EQ(target_->read_memory(0, kVirtualOffset + kRamBase + kRamBytes - 2, back), 2u);
  EXPECT_EQ(bus_.device_accesses, 0);
}

TEST_F(HartTargetTest, breakpoints_reach_every_engine) {
  EXPECT_TRUE(target_->set_breakpoint(0x1000, true));
  EXPECT_TRUE(engine_.breaks.contains(0x1000));
  EXPECT_TRUE(other_engine_.breaks.contains(0x1000));
  EXPECT_TRUE(target_->set_breakpoint(0x1000, false));
  EXPECT_TRUE(other_engine_.breaks.empty());
  EXPECT_TRUE(target_->set_watchpoint({0x2000, 8, WatchKind::kRead}, true));
  EXPECT_TRUE(other_engine_.last_watch.on_read);
  EXPECT_FALSE(other_engine_.last_watch.on_write);
  EXPECT_TRUE(target_->set_watchpoint({0x2000, 8, WatchKind::kRead}, false));
  EXPECT_EQ(engine_.watches, 0);
  EXPECT_FALSE(target_->stop_after(0, {.reason = StopReason::kBudget}));
  EXPECT_EQ(target_->stop_after(1, {.reason = StopReason::kBreakpoint})->kind, StopKind::kBreakpoint);
  EXPECT_EQ(target_->stop_after(1, {.reason = StopReason::kWatchpoint})->watch_address, 0x1234u);
}

TEST_F(HartTargetTest, monitor) {
  EXPECT_THAT(*target_->monitor(0, "harts"), HasSubstr("hart 1: pc 0x0"));
  EXPECT_EQ(*target_->monitor(0, "translate 0x1080000000"), "0x1080000000 -> 0x80000000\n");
  EXPECT_EQ(*target_->monitor(0, "translate 0"), "0x0 is not mapped\n");
  EXPECT_FALSE(target_->monitor(0, "translate zz").ok());
  EXPECT_FALSE(target_->monitor(0, "physical maybe").ok());
  EXPECT_FALSE(target_->monitor(0, "").ok());
  std::array<uint8_t, 4> back{};
  EXPECT_TRUE(target_->monitor(0, "physical on").ok());
  EXPECT_EQ(target_->read_memory(0, kRamBase, back), 4u);
  EXPECT_TRUE(target_->monitor(0, "physical off").ok());
  EXPECT_EQ(target_->read_memory(0, kRamBase, back), 0u);
}

}  // namespace
}  // namespace lockstep::core::gdb
