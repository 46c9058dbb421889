// SPDX-License-Identifier: Apache-2.0
// Harts on threads of their own, without SystemC: the test is the machine. Also the test that ThreadSanitizer watches
// (docs/architecture.md says how): SystemC's coroutines would confuse it.
#include "tlm_models/vcpu/parallel_harts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/interpreter/interpreter.h"
#include "core/memory/guest_ram.h"
#include "core/memory/host_access.h"
#include "isa_frontends/riscv64/hart64.h"
#include "jit/jit_engine.h"
#include "tests/jit/assembler.h"

namespace lockstep::tlm_models {
namespace {

using core::RunResult;
using core::StopReason;

constexpr uint64_t kRam = 0x8000'0000;
constexpr uint64_t kRamBytes = 1 << 20;
constexpr uint64_t kData = kRam + 0x4'0000;
constexpr uint64_t kDevice = 0x1000'0000;   // a register that holds what was written, and that reads count
constexpr uint64_t kMessages = 0x200'0000;  // a word for each hart: its software interrupt
constexpr unsigned kSoftware = isa::riscv64::kMachineSoftware;

// The machine's side of a hart's bus, as Vcpu has it.
class Machine;
class Bus : public core::PhysicalBus {
 public:
  explicit Bus(Machine& machine) : machine_(machine) {}
  const core::RamWindow* window(uint64_t paddr) override;
  bool read(uint64_t paddr, unsigned size_bytes, uint64_t& value) override;
  bool write(uint64_t paddr, unsigned size_bytes, uint64_t value) override;
  void ram_written(uint64_t paddr, uint64_t size_bytes) override;
  void page_has_code(uint64_t paddr) override;

 private:
  Machine& machine_;
};

enum class EngineKind { kInterpreter, kBlocks, kRegions };

class Machine {
 public:
  Machine(unsigned count, EngineKind kind) {
    for (unsigned id = 0; id < count; ++id) {
      buses.push_back(std::make_unique<Bus>(*this));
      harts.push_back(isa::riscv64::make_hart(id, *buses.back(), clock));
      core::Hart& hart = *harts.back();
      hart.set_concurrent(true);
      hart.state().pc = kRam;
      engines.push_back(make_engine(hart, kind));
    }
    clock.set_concurrent(true);
    ram.set_code_write_guard([this](const std::function<void()>& work) { exclusive(work); });
    ram.add_code_write_listener([this](uint64_t paddr, uint64_t size_bytes) {
      bool remains = false;
      for (const auto& engine : engines) remains |= engine->invalidate_code(paddr, size_bytes);
      return remains;
    });
    std::vector<ParallelHarts::Member> members;
    for (unsigned id = 0; id < count; ++id) members.push_back({harts[id].get(), engines[id].get()});
    parallel = std::make_unique<ParallelHarts>(members, [this] { return ended(); });
    waiting.assign(count, false);
  }

  static std::unique_ptr<core::Engine> make_engine(core::Hart& hart, EngineKind kind) {
    if (kind == EngineKind::kInterpreter) return core::make_interpreter(hart);
    jit::JitOptions options{.code_cache_bytes = size_t{1} << 20, .threshold = 20};
    if (kind == EngineKind::kBlocks) options.tiers = 1;
    return std::move(jit::make_jit_engine(hart, options).value());
  }

  void load(const std::vector<std::string>& lines, uint64_t at = kRam) {
    const auto program = jit::assemble(lines, at);
    ASSERT_TRUE(program.ok()) << program.message();
    for (const auto& i : program->instructions) {
      std::memcpy(ram.bytes(i.pc, 4).data(), &i.word, sizeof i.word);
    }
  }
  uint64_t word(unsigned index) {
    uint64_t value = 0;
    core::host_access::load(ram.bytes(kData + 8 * index, 8).data(), 8, &value);
    return value;
  }
  bool ended() { return word(0) != 0; }

  // Rounds until the guest says that it is done.
  void run() {
    if (testing::Test::HasFatalFailure()) return;
    uint64_t now = 0;
    for (unsigned round = 0; round < 100'000 && !ended(); ++round) {
      clock.begin_turn(now);
      const auto result = parallel->run({100'000, 1000}, waiting);
      executed += result.executed;
      now += std::max<uint64_t>(result.longest, 1);
    }
    EXPECT_TRUE(ended()) << "the guest has not come to its end";
  }
  void exclusive(const std::function<void()>& work) {
    if (parallel == nullptr) return work();
    parallel->exclusive(work);
  }

  const std::thread::id machine_thread = std::this_thread::get_id();
  core::VirtualClock clock;
  core::GuestRam ram = std::move(core::GuestRam::create(kRam, kRamBytes).value());
  std::vector<std::unique_ptr<Bus>> buses;
  std::vector<std::unique_ptr<core::Hart>> harts;
  std::vector<std::unique_ptr<core::Engine>> engines;
  std::unique_ptr<ParallelHarts> parallel;
  std::vector<bool> waiting;
  uint64_t executed = 0;
  // The device: only the machine's thread comes here, so plain words do.
  uint64_t device = 0, accesses = 0;
};

const core::RamWindow* Bus::window(uint64_t paddr) {
  const core::RamWindow& window = machine_.ram.window();
  return window.contains(paddr) ? &window : nullptr;
}

bool Bus::read(uint64_t paddr, unsigned, uint64_t& value) {
  machine_.parallel->on_machine_thread([&] {
    EXPECT_EQ(std::this_thread::get_id(), machine_.machine_thread);
    value = machine_.device;
    ++machine_.accesses;
  });
  return paddr == kDevice;
}

bool Bus::write(uint64_t paddr, unsigned, uint64_t value) {
  machine_.parallel->on_machine_thread([&] {
    EXPECT_EQ(std::this_thread::get_id(), machine_.machine_thread);
    ++machine_.accesses;
    if (paddr == kDevice) machine_.device += value;
    if (paddr >= kMessages && paddr < kMessages + 4 * machine_.harts.size()) {
      machine_.parallel->set_interrupt(static_cast<unsigned>(paddr - kMessages) / 4, kSoftware, value & 1);
    }
  });
  return true;
}

void Bus::ram_written(uint64_t paddr, uint64_t size_bytes) {
  machine_.parallel->on_machine_thread([&] { machine_.ram.note_write(paddr, size_bytes); });
}

void Bus::page_has_code(uint64_t paddr) {
  uint8_t& flags = machine_.ram.window().page_flags[(paddr - kRam) / core::kPageSize];
  if (core::host_access::flags(&flags) & core::kPageHasCode) return;
  machine_.parallel->on_machine_thread([&] {
    machine_.exclusive([&] {
      core::host_access::set_flags(&flags, flags | core::kPageHasCode);
      for (const auto& hart : machine_.harts) hart->tlb().drop_fast_stores(paddr & core::kPageMask);
    });
  });
}

class ParallelGuest : public testing::TestWithParam<EngineKind> {};

// Registers of the programs below: s0 kData, s1 the hart's number.
const std::vector<std::string> kPrologue = {"lui s0,0x80040", "slli s0,s0,0x20", "srli s0,s0,0x20",
                                            "csrrs s1,mhartid,zero"};

std::vector<std::string> program(std::vector<std::string> body) {
  std::vector<std::string> all = kPrologue;
  all.insert(all.end(), body.begin(), body.end());
  return all;
}

TEST_P(ParallelGuest, CountersAndALockAddUp) {
  constexpr unsigned kHarts = 4;
  Machine machine(kHarts, GetParam());
  machine.load(program({"addi t0,zero,2000",            //
                        "addi t3,zero,1",               //
                        "1: addi a0,s0,64",             // by AMO
                        "amoadd.d zero,t3,(a0)",        //
                        "addi a0,s0,128",               // by LR and SC
                        "2: lr.d t1,(a0)",              //
                        "addi t1,t1,1",                 //
                        "sc.d t2,t1,(a0)",              //
                        "bne t2,zero,2b",               //
                        "addi a0,s0,192",               // under a lock
                        "3: amoswap.w.aq t1,t3,(a0)",   //
                        "bne t1,zero,3b",               //
                        "ld t1,256(s0)",                //
                        "addi t1,t1,1",                 //
                        "sd t1,256(s0)",                //
                        "amoswap.w.rl zero,zero,(a0)",  //
                        "addi t0,t0,-1",                //
                        "bne t0,zero,1b",               //
                        "addi a0,s0,320",               // the last one ends the guest
                        "amoadd.d t1,t3,(a0)",          //
                        "addi t2,zero,3",               //
                        "bne t1,t2,4f",                 //
                        "sd t3,0(s0)",                  //
                        "4: jal zero,4b"}));
  machine.run();
  EXPECT_EQ(machine.word(8), 2000 * kHarts);
  EXPECT_EQ(machine.word(16), 2000 * kHarts);
  EXPECT_EQ(machine.word(32), 2000 * kHarts);
}

TEST_P(ParallelGuest, DevicesAreTheMachinesAlone) {
  constexpr unsigned kHarts = 4;
  Machine machine(kHarts, GetParam());
  machine.load(program({"addi t0,zero,300", "addi t3,zero,1", "lui a1,0x10000", "1: sd t3,0(a1)", "ld t1,0(a1)",
                        "addi t0,t0,-1", "bne t0,zero,1b", "addi a0,s0,320", "amoadd.d t1,t3,(a0)", "addi t2,zero,3",
                        "bne t1,t2,2f", "sd t3,0(s0)", "2: jal zero,2b"}));
  machine.run();
  EXPECT_EQ(machine.device, 300 * kHarts);
  EXPECT_EQ(machine.accesses, 600 * kHarts);
}

// Hart 0 sends interrupts to hart 1, which sleeps, or spins with interrupts off, and acknowledges each.
TEST_P(ParallelGuest, InterruptsReachAHartThatSleeps) {
  Machine machine(2, GetParam());
  machine.load(program({"lui a1,0x2000",      //
                        "addi t3,zero,1",     //
                        "addi t0,zero,200",   //
                        "bne s1,zero,3f",     //
                        "1: sw t3,4(a1)",     // hart 0: interrupt hart 1
                        "2: ld t1,64(s0)",    // and wait until it has counted
                        "bne t1,t0,2b",       //
                        "addi t0,t0,-1",      //
                        "bne t0,zero,1b",     //
                        "sd t3,0(s0)",        //
                        "5: jal zero,5b",     //
                        "3: addi t1,zero,8",  // hart 1: the interrupt is enabled, but not taken
                        "csrrw zero,mie,t1",  //
                        "4: wfi",             //
                        "csrrs t2,mip,zero",  //
                        "andi t2,t2,8",       //
                        "beq t2,zero,4b",     //
                        "sw zero,4(a1)",      //
                        "sd t0,64(s0)",       //
                        "addi t0,t0,-1",      //
                        "jal zero,4b"}));
  machine.run();
}

// Hart 0 writes a function, says so by a flag in memory, and hart 1 runs it after a fence.i: again and again, on a page
// that also holds data, which hart 1 writes.
TEST_P(ParallelGuest, CodeThatAnotherHartWroteIsWhatRuns) {
  Machine machine(2, GetParam());
  constexpr uint64_t kFunction = kRam + 0x1'0000;
  machine.load(program({"lui a1,0x80010",      // the function: li a0, n; ret
                        "slli a1,a1,0x20",     //
                        "srli a1,a1,0x20",     //
                        "addi t0,zero,1",      // n
                        "addi t4,zero,500",    //
                        "bne s1,zero,5f",      //
                        "1: slli t1,t0,0x14",  // hart 0
                        "addi t1,t1,1299",     //
                        "sw t1,0(a1)",         //
                        "fence.tso",           //
                        "sd t0,64(s0)",        // the flag
                        "2: ld t1,128(s0)",    //
                        "bne t1,t0,2b",        //
                        "addi t0,t0,1",        //
                        "bne t0,t4,1b",        //
                        "sd t0,0(s0)",         //
                        "3: jal zero,3b",      //
                        "5: ld t1,64(s0)",     // hart 1
                        "bne t1,t0,5b",        //
                        "fence.i",             //
                        "jalr ra,0(a1)",       //
                        "bne a0,t0,9f",        //
                        "sd t0,256(a1)",       //
                        "sd t0,128(s0)",       //
                        "addi t0,t0,1",        //
                        "jal zero,5b",         //
                        "9: sd a0,192(s0)",    //
                        "sd t4,0(s0)",         //
                        "8: jal zero,8b"}));
  machine.load({"addi a0,zero,0", "jalr zero,0(ra)"}, kFunction);
  machine.run();
  EXPECT_EQ(machine.word(24), 0u) << "code that ran was not what was written last";
  EXPECT_EQ(machine.word(16), 499u);
}

// Time that a hart reads never goes back, whichever hart read it before.
TEST_P(ParallelGuest, TimeGoesForwardForAllHarts) {
  Machine machine(2, GetParam());
  machine.load(program({"addi t3,zero,1",               //
                        "addi a0,s0,192",               //
                        "lui t0,0x5",                   //
                        "1: amoswap.w.aq t1,t3,(a0)",   //
                        "bne t1,zero,1b",               //
                        "csrrs t2,time,zero",           //
                        "ld t4,64(s0)",                 //
                        "sd t2,64(s0)",                 //
                        "amoswap.w.rl zero,zero,(a0)",  //
                        "bltu t2,t4,2f",                //
                        "addi t0,t0,-1",                //
                        "bne t0,zero,1b",               //
                        "sd t3,0(s0)",                  //
                        "3: jal zero,3b",               //
                        "2: sd t3,128(s0)",             //
                        "sd t3,0(s0)",                  //
                        "4: jal zero,4b"}));
  machine.run();
  EXPECT_EQ(machine.word(16), 0u) << "a hart read an earlier time than another one before it";
}

std::string engine_name(const testing::TestParamInfo<EngineKind>& info) {
  constexpr const char* kNames[] = {"Interpreter", "Blocks", "Regions"};
  return kNames[static_cast<unsigned>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Engines, ParallelGuest,
                         testing::Values(EngineKind::kInterpreter, EngineKind::kBlocks, EngineKind::kRegions),
                         engine_name);

// --- With engines that do what a test says.

class ScriptedEngine : public core::Engine {
 public:
  ScriptedEngine(core::Hart& hart, std::function<StopReason(uint64_t call)> step)
      : hart_(hart), step_(std::move(step)) {}
  std::string_view name() const override { return "scripted"; }
  RunResult run(uint64_t budget) override {
    const StopReason reason = step_(calls_++);
    hart_.state().end_count += budget;
    return {reason, budget};
  }
  bool invalidate_code(uint64_t, uint64_t) override { return false; }
  void invalidate_all_code() override {}
  void set_breakpoint(uint64_t, bool) override {}
  void set_watchpoint(const core::Watchpoint&, bool) override {}
  uint64_t watchpoint_address() const override { return 0; }
  void set_instruction_hook(InstructionHook, void*) override {}

 private:
  core::Hart& hart_;
  std::function<StopReason(uint64_t call)> step_;
  uint64_t calls_ = 0;
};

class NoBus : public core::PhysicalBus {
 public:
  const core::RamWindow* window(uint64_t) override { return nullptr; }
  bool read(uint64_t, unsigned, uint64_t&) override { return false; }
  bool write(uint64_t, unsigned, uint64_t) override { return false; }
  void ram_written(uint64_t, uint64_t) override {}
  void page_has_code(uint64_t) override {}
};

struct Scripted {
  using Step = std::function<StopReason(uint64_t call)>;
  explicit Scripted(std::vector<Step> steps) {
    std::vector<ParallelHarts::Member> members;
    for (Step& step : steps) {
      harts.push_back(isa::riscv64::make_hart(static_cast<unsigned>(harts.size()), bus, clock));
      engines.push_back(std::make_unique<ScriptedEngine>(*harts.back(), std::move(step)));
      members.push_back({harts.back().get(), engines.back().get()});
    }
    waiting.assign(harts.size(), false);
    parallel = std::make_unique<ParallelHarts>(members, nullptr);
  }
  ParallelHarts::Result run(uint64_t quanta) { return parallel->run({quanta * kQuantum, kQuantum}, waiting); }
  isa::riscv64::Hart64& hart(unsigned index) { return static_cast<isa::riscv64::Hart64&>(*harts[index]); }

  static constexpr uint64_t kQuantum = 1000;
  NoBus bus;
  core::VirtualClock clock;
  std::vector<std::unique_ptr<core::Hart>> harts;
  std::vector<std::unique_ptr<core::Engine>> engines;
  std::vector<bool> waiting;
  std::unique_ptr<ParallelHarts> parallel;
};

TEST(ParallelHarts, ARoundIsAsLongAsItIsMade) {
  Scripted scripted({[](uint64_t) { return StopReason::kBudget; }, [](uint64_t) { return StopReason::kBudget; }});
  const auto result = scripted.run(7);
  EXPECT_EQ(result.executed, 2 * 7 * Scripted::kQuantum);
  EXPECT_EQ(result.longest, 7 * Scripted::kQuantum);
}

TEST(ParallelHarts, NobodyRunsDuringExclusiveWork) {
  std::atomic<int> inside = 0;
  std::atomic<unsigned> works = 0;
  Scripted* all = nullptr;
  const auto step = [&](unsigned hart) {
    return [&, hart](uint64_t call) {
      ++inside;
      for (int spin = 0; spin < 200; ++spin) std::atomic_signal_fence(std::memory_order_seq_cst);
      --inside;
      if (call % 3 == hart) {
        all->parallel->on_machine_thread([&] {
          all->parallel->exclusive([&] {
            EXPECT_EQ(inside.load(), 0);
            ++works;
          });
        });
      }
      return StopReason::kBudget;
    };
  };
  Scripted scripted({step(0), step(1), step(2)});
  all = &scripted;
  scripted.run(300);
  EXPECT_EQ(works.load(), 300u);
}

TEST(ParallelHarts, AnInterruptWakesAHartInTheSameRound) {
  Scripted* all = nullptr;
  std::atomic<unsigned> woken = 0;
  Scripted scripted({[&](uint64_t call) {
                       if (call == 4) {
                         all->parallel->on_machine_thread([&] { all->parallel->set_interrupt(1, kSoftware, true); });
                       }
                       return StopReason::kBudget;
                     },
                     [&](uint64_t call) {
                       if (call > 0) ++woken;
                       return StopReason::kWaitForInterrupt;
                     }});
  all = &scripted;
  scripted.hart(1).s().mie = 1u << kSoftware;
  scripted.waiting[1] = true;
  scripted.run(10);
  EXPECT_GE(woken.load(), 1u);
  EXPECT_FALSE(scripted.waiting[1]) << "the interrupt is still pending, so the hart does not sleep";
}

// A level that goes up while its hart runs and down while it asks stays down.
TEST(ParallelHarts, AnInterruptThatIsOverDoesNotComeBack) {
  for (unsigned attempt = 0; attempt < 50; ++attempt) {
    Scripted* all = nullptr;
    std::atomic<bool> up = false;
    Scripted scripted({[&](uint64_t call) {
                         if (call == 0) {
                           all->parallel->on_machine_thread([&] {
                             all->parallel->set_interrupt(1, kSoftware, true);
                             up = true;
                           });
                           up.notify_one();
                         }
                         return StopReason::kBudget;
                       },
                       [&](uint64_t call) {
                         if (call == 0) {
                           up.wait(false);
                           all->parallel->on_machine_thread([&] { all->parallel->set_interrupt(1, kSoftware, false); });
                         }
                         return StopReason::kBudget;
                       }});
    all = &scripted;
    scripted.run(20);
    EXPECT_EQ(scripted.hart(1).pending(), 0u);
  }
}

// Both spin until a third hart, which sleeps until the next round, does something: the round must not take as many
// turns of theirs as it has instructions.
TEST(ParallelHarts, HartsThatSpinLetTimePass) {
  std::atomic<uint64_t> calls = 0;
  const auto spin = [&](uint64_t) {
    ++calls;
    return StopReason::kYield;
  };
  Scripted scripted({spin, spin});
  const auto result = scripted.run(100);
  EXPECT_EQ(result.longest, 100 * Scripted::kQuantum);
  EXPECT_LE(calls.load(), 2 * 100 * 11u);
}

TEST(ParallelHarts, StopEndsTheRoundForAll) {
  Scripted* all = nullptr;
  Scripted scripted({[&](uint64_t call) {
                       if (call == 3) all->parallel->on_machine_thread([&] { all->parallel->stop(); });
                       return StopReason::kBudget;
                     },
                     [](uint64_t) { return StopReason::kBudget; }});
  all = &scripted;
  const auto result = scripted.run(1'000'000'000);
  EXPECT_LT(result.longest, 1'000'000'000 * Scripted::kQuantum);
  // The next round is a new one.
  EXPECT_EQ(scripted.run(2).longest, 2 * Scripted::kQuantum);
}

TEST(ParallelHarts, ARoundIsShortenedWhileItRuns) {
  Scripted* all = nullptr;
  Scripted scripted({[&](uint64_t call) {
                       if (call == 3)
                         all->parallel->on_machine_thread([&] { all->parallel->shorten(8 * Scripted::kQuantum); });
                       return StopReason::kBudget;
                     },
                     [](uint64_t) { return StopReason::kWaitForInterrupt; }});
  all = &scripted;
  EXPECT_EQ(scripted.run(1'000'000'000).longest, 8 * Scripted::kQuantum);
}

// A hart that is further than the shortened round goes on where it is: time goes forward.
TEST(ParallelHarts, AShortenedRoundTakesNothingBackFromAHartThatSpins) {
  Scripted* all = nullptr;
  Scripted scripted({[&](uint64_t call) {
                       if (call < 20) return StopReason::kBudget;
                       all->parallel->on_machine_thread([&] { all->parallel->shorten(8 * Scripted::kQuantum); });
                       return StopReason::kYield;
                     },
                     [](uint64_t) { return StopReason::kWaitForInterrupt; }});
  all = &scripted;
  EXPECT_GE(scripted.run(1'000'000'000).longest, 20 * Scripted::kQuantum);
}

}  // namespace
}  // namespace lockstep::tlm_models
