// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa_frontends/riscv64/random/compare.h"
#include "isa_frontends/riscv64/random/program.h"

// Portable programs as one bare-metal guest of a machine with the addresses of QEMU's `virt` (RAM at 0x80000000, UART
// at 0x10000000, test device at 0x100000): a monitor runs them one after another and prints a digest of how each ended,
// or everything. Another emulator runs the same image, and what it prints is compared with our own harts.

namespace lockstep::isa::riscv64::random {

// How a program ended: what the monitor prints, in its order. t3 to t6 are in memory, where the handler saved them.
struct EndState {
  std::vector<uint64_t> registers;  // as end_names() names them
  std::vector<uint64_t> memory;     // the words of RAM
  uint64_t instructions = 0;        // up to the end, the last store's trap included; the monitor does not print it

  uint64_t digest() const;
  uint64_t traps() const;  // as the handlers counted them
};

// The names of EndState::registers.
const std::vector<std::string>& end_names();

// Runs a portable program on a hart of our own. Empty where it does not come to its end.
class EndStates {
 public:
  explicit EndStates(const EngineFactory& engine);
  EndStates(const EngineFactory& engine, const HartFactory& hart);
  ~EndStates();
  std::optional<EndState> run(const RandomProgram& program);

 private:
  std::unique_ptr<class RandomMachine> machine_;
};

// What the monitor prints of each end state, a word a line: its digest; its registers and a digest of memory; all of
// it.
enum class Print : uint8_t { kDigest = 0, kRegisters = 1, kEverything = 3 };

// An ELF file for `-bios none -kernel`.
std::vector<uint8_t> make_image(std::span<const RandomProgram> programs, Print print);

// The lines that the monitor printed, as numbers; other lines are left out.
std::vector<uint64_t> printed_words(std::string_view console);

// The first difference of a program's end state from the words that the monitor printed of it: not Print::kDigest.
std::optional<Difference> compare_end(const EndState& ours, std::span<const uint64_t> printed);

}  // namespace lockstep::isa::riscv64::random
