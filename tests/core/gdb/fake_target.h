// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/gdb/gdb_riscv64.h"
#include "core/gdb/gdb_session.h"

namespace lockstep::core::gdb {

// A riscv64 machine just big enough for a debugger: some memory, and harts that know ADDI, SD and JAL.
class FakeTarget : public Target {
 public:
  static constexpr uint64_t kBase = 0x80000000;
  static constexpr uint64_t kStackTop = kBase + 0x1000;
  static constexpr size_t kMemoryBytes = 0x10000;

  struct FakeHart {
    std::array<uint64_t, 32> x{};
    std::array<uint64_t, 32> f{};
    uint64_t pc = kBase;
    uint64_t mstatus = 0xa00000000;
  };

  explicit FakeTarget(unsigned hart_count = 2) : harts_(hart_count), memory_(kMemoryBytes) {
    static constexpr RiscvCsr kCsrs[] = {{"satp", 0x180}, {"mstatus", 0x300}};
    architecture_ = riscv64_architecture(kCsrs);
    static constexpr uint32_t kProgram[] = {
        0x00500513,  // addi a0, zero, 5
        0x00150513,  // addi a0, a0, 1
        0x00a13023,  // sd a0, 0(sp)
        0xff9ff06f,  // j .-8
    };
    std::memcpy(memory_.data(), kProgram, sizeof kProgram);
    for (FakeHart& hart : harts_) hart.x[2] = kStackTop;
  }

  const Architecture& architecture() const override { return architecture_; }
  unsigned hart_count() const override { return static_cast<unsigned>(harts_.size()); }

  bool read_register(unsigned hart, const Register& reg, std::span<uint8_t> value) override {
    uint64_t word = 0;
    const uint64_t* place = find(hart, reg);
    if (place != nullptr) {
      word = *place;
    } else if (reg.name == "priv") {
      word = 3;
    } else if (reg.name == "satp") {
      return false;
    }
    std::memcpy(value.data(), &word, std::min(value.size(), sizeof word));
    return true;
  }

  bool write_register(unsigned hart, const Register& reg, std::span<const uint8_t> value) override {
    uint64_t* place = find(hart, reg);
    if (place == nullptr) return false;
    uint64_t word = 0;
    std::memcpy(&word, value.data(), std::min(value.size(), sizeof word));
    *place = reg.number == 0 ? 0 : word;
    return true;
  }

  size_t read_memory(unsigned, uint64_t vaddr, std::span<uint8_t> bytes) override {
    if (vaddr - kBase >= kMemoryBytes) return 0;
    const size_t count = std::min<size_t>(bytes.size(), kMemoryBytes - (vaddr - kBase));
    std::copy_n(memory_.begin() + static_cast<ptrdiff_t>(vaddr - kBase), count, bytes.begin());
    return count;
  }

  size_t write_memory(unsigned, uint64_t vaddr, std::span<const uint8_t> bytes) override {
    if (vaddr - kBase >= kMemoryBytes) return 0;
    const size_t count = std::min<size_t>(bytes.size(), kMemoryBytes - (vaddr - kBase));
    std::copy_n(bytes.begin(), count, memory_.begin() + static_cast<ptrdiff_t>(vaddr - kBase));
    return count;
  }

  bool set_breakpoint(uint64_t vaddr, bool on) override {
    if (vaddr - kBase >= kMemoryBytes) return false;
    on ? (void)breakpoints_.insert(vaddr) : (void)breakpoints_.erase(vaddr);
    return true;
  }
  bool set_watchpoint(const Watch& watch, bool on) override {
    std::erase(watches_, watch);
    if (on) watches_.push_back(watch);
    return true;
  }
  Result<std::string> monitor(std::string_view command) override {
    if (command == "hello") return std::string("hello from the machine\n");
    return Target::monitor(command);
  }
  std::string monitor_help() const override { return "monitor hello   a greeting\n"; }

  // Executes one instruction; true if it wrote to watched memory, whose address is then *touched.
  bool step(unsigned index, uint64_t* touched) {
    FakeHart& hart = harts_[index];
    uint32_t word = 0;
    if (hart.pc - kBase <= kMemoryBytes - sizeof word) std::memcpy(&word, &memory_[hart.pc - kBase], sizeof word);
    const unsigned rd = word >> 7 & 31, rs1 = word >> 15 & 31, rs2 = word >> 20 & 31;
    bool is_watched = false;
    uint64_t next = hart.pc + 4;
    switch (word & 0x7f) {
      case 0x13:
        hart.x[rd] = hart.x[rs1] + static_cast<uint64_t>(static_cast<int32_t>(word) >> 20);
        break;
      case 0x23: {
        const uint64_t vaddr = hart.x[rs1];
        std::array<uint8_t, 8> bytes;
        std::memcpy(bytes.data(), &hart.x[rs2], bytes.size());
        write_memory(index, vaddr, bytes);
        for (const Watch& watch : watches_)
          is_watched |= vaddr < watch.vaddr + watch.size_bytes && watch.vaddr < vaddr + 8;
        *touched = vaddr;
        break;
      }
      case 0x6f:
        next = hart.pc - 8;
        break;
      default:
        break;
    }
    hart.x[0] = 0;
    hart.pc = next;
    return is_watched;
  }

  // One turn by the client's wish: every hart that may moves by one instruction. True if *stop says why to stop.
  bool run_turn(const Request& request, Stop* stop) {
    for (unsigned hart = 0; hart < hart_count(); ++hart) {
      const HartAction action = request.actions.empty() ? HartAction::kContinue : request.actions[hart];
      if (action == HartAction::kStay) continue;
      uint64_t touched = 0;
      if (step(hart, &touched)) {
        *stop = {.kind = StopKind::kWatchpoint, .hart = hart, .watch_address = touched};
        return true;
      }
      if (action == HartAction::kStep) {
        *stop = {.kind = StopKind::kStep, .hart = hart};
        return true;
      }
      if (breakpoints_.contains(harts_[hart].pc)) {
        *stop = {.kind = StopKind::kBreakpoint, .hart = hart};
        return true;
      }
    }
    return false;
  }

  FakeHart& hart(unsigned index) { return harts_[index]; }
  const std::set<uint64_t>& breakpoints() const { return breakpoints_; }
  const std::vector<Watch>& watches() const { return watches_; }

 private:
  uint64_t* find(unsigned hart, const Register& reg) {
    FakeHart& state = harts_[hart];
    if (reg.number < 32) return &state.x[reg.number];
    if (reg.number == kRiscvPcNumber) return &state.pc;
    if (reg.number < kRiscvFloatBase + 32) return &state.f[reg.number - kRiscvFloatBase];
    if (reg.name == "mstatus") return &state.mstatus;
    return nullptr;
  }

  Architecture architecture_;
  std::vector<FakeHart> harts_;
  std::vector<uint8_t> memory_;
  std::set<uint64_t> breakpoints_;
  std::vector<Watch> watches_;
};

}  // namespace lockstep::core::gdb
