// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/handler.h"

#include "isa_frontends/riscv64/random/assembler.h"
#include "isa_frontends/riscv64/random/layout.h"
#include "isa_frontends/riscv64/random/random_source.h"
#include "isa_frontends/riscv64/state.h"

namespace lockstep::isa::riscv64::random {
namespace {

constexpr unsigned kA = kHandlerRegisters[0], kB = kHandlerRegisters[1], kC = kHandlerRegisters[2],
                   kD = kHandlerRegisters[3];
constexpr unsigned kVectors = 12;
// a0 to a5, which most instructions write.
constexpr unsigned kFirstValue = 10, kLastValue = 15;

class Handler {
 public:
  Handler(const RandomProgram& program, bool supervisor)
      : program_(program),
        supervisor_(supervisor),
        base_(supervisor ? kSupervisorHandler : kMachineHandler),
        random_(program.seed ^ (supervisor ? 0x5af3 : 0x3c1d)),
        skip_(a_.label()),
        recover_(a_.label()),
        ecall_(a_.label()),
        interrupt_(a_.label()),
        leave_(a_.label()) {}

  std::vector<uint32_t> words() {
    const Assembler::Label main = a_.label();
    for (unsigned i = 0; i < kVectors; ++i) a_.jump(kZero, main);
    a_.bind(main);
    enter();
    note();
    if (!supervisor_ && program_.portable) stop();
    a_.imm("addi", kC, kA, -static_cast<int64_t>(kEcallUser));
    a_.imm("sltiu", kC, kC, 4);
    a_.branch("bne", kC, kZero, ecall_);
    if (program_.paging) mend();
    skip();
    change_mode();
    a_.bind(interrupt_);
    note_values();
    a_.imm("slli", kA, kA, 1);
    a_.imm("srli", kA, kA, 1);
    a_.imm("addi", kC, kZero, 1);
    a_.reg("sll", kC, kC, kA);
    a_.csr("csrrc", kZero, csr(kCsrMie), kC);
    leave();
    return a_.finish();
  }

 private:
  // The CSR with the same meaning in the handler's mode.
  unsigned csr(unsigned machine) const { return supervisor_ ? machine - 0x200 : machine; }
  void read(unsigned rd, unsigned number) { a_.csr("csrrs", rd, number, kZero); }
  void write(unsigned number, unsigned rs1) { a_.csr("csrrw", kZero, number, rs1); }
  void place(unsigned rd, uint64_t address) {
    const auto distance = static_cast<int64_t>(address - (base_ + 4 * a_.size()));
    const int64_t low = static_cast<int64_t>(static_cast<uint64_t>(distance) << 52) >> 52;
    a_.imm("auipc", rd, 0, distance - low);
    a_.imm("addi", rd, rd, low);
  }
  // The address of the current root's last-level table, added to `rd`; uses t3.
  void add_last_table(unsigned rd) {
    read(kA, kCsrSatp);
    a_.imm("slli", kA, kA, 20);
    a_.imm("srli", kA, kA, 8);
    a_.reg("add", rd, rd, kA);
    a_.imm("lui", kA, 0, kLast);
    a_.reg("add", rd, rd, kA);
  }

  void enter() {
    a_.csr("csrrw", kD, csr(kCsrMscratch), kD);
    a_.store("sd", kA, 0, kD);
    a_.store("sd", kB, 8, kD);
    a_.store("sd", kC, 16, kD);
    a_.csr("csrrw", kC, csr(kCsrMscratch), kD);
    a_.store("sd", kC, 24, kD);
    place(kB, kLog);
    read(kA, csr(kCsrMcause));
    a_.branch("blt", kA, kZero, interrupt_);
  }

  void note() {
    if (program_.portable) {
      // ebreak may leave its address here or nothing.
      const Assembler::Label other = a_.label();
      a_.imm("addi", kC, kA, -static_cast<int64_t>(kBreakpoint));
      a_.branch("bne", kC, kZero, other);
      write(csr(kCsrMtval), kZero);
      a_.bind(other);
    }
    a_.imm("ld", kC, kB, kLogTraps);
    a_.imm("addi", kC, kC, 1);
    a_.store("sd", kC, kLogTraps, kB);
    a_.imm("ld", kC, kB, kLogDigest);
    a_.imm("rori", kC, kC, 7);
    read(kD, csr(kCsrMepc));
    a_.reg("xor", kC, kC, kD);
    a_.reg("add", kC, kC, kA);
    read(kD, csr(kCsrMtval));
    a_.reg("xor", kC, kC, kD);
    a_.store("sd", kC, kLogDigest, kB);
    if (!program_.portable) return;
    // The last traps one by one, for people who look for the first difference.
    a_.imm("ld", kC, kB, kLogTraps);
    a_.imm("andi", kC, kC, kLogTrapsKept - 1);
    a_.imm("slli", kC, kC, 5);
    a_.reg("add", kC, kC, kB);
    a_.store("sd", kD, kLogList + 16, kC);
    read(kD, csr(kCsrMepc));
    a_.store("sd", kD, kLogList, kC);
    a_.store("sd", kA, kLogList + 8, kC);
    read(kD, csr(kCsrMtval));
  }

  // The cause in t3 and its address in t6 are those of the program's last store: the program is over, and a monitor
  // goes on where there is one.
  void stop() {
    const Assembler::Label other = a_.label();
    a_.branch("bne", kD, kStopPointer, other);
    a_.imm("addi", kC, kA, -static_cast<int64_t>(kStoreAccess));
    a_.branch("bne", kC, kZero, other);
    place(kC, kStop);
    a_.store("sd", kZero, 0, kC);
    place(kC, kMonitor);
    a_.imm("jalr", kZero, kC, 0);
    a_.bind(other);
  }

  // What the program's values were when it was interrupted: some are overwritten as soon as it goes on.
  void note_values() {
    a_.imm("ld", kC, kB, kLogDigest);
    for (unsigned value = kFirstValue; value <= kLastValue; ++value) {
      a_.imm("rori", kC, kC, 11);
      a_.reg("xor", kC, kC, value);
    }
    a_.store("sd", kC, kLogDigest, kB);
  }

  void mend() {
    const Assembler::Label again = a_.label(), fresh = a_.label();
    a_.imm("addi", kC, kA, -static_cast<int64_t>(kFetchPage));
    a_.imm("sltiu", kC, kC, 4);
    a_.branch("beq", kC, kZero, skip_);
    constexpr int64_t kMasks[] = {0, 0, 1, 3};
    if (const int64_t mask = random_.pick(kMasks); mask != 0) {
      a_.imm("ld", kC, kB, kLogTraps);
      a_.imm("andi", kC, kC, mask);
      a_.branch("bne", kC, kZero, skip_);
    }
    // What faults twice in a row is not mended by an entry.
    read(kC, csr(kCsrMepc));
    a_.imm("ld", kD, kB, kLogLast);
    a_.store("sd", kC, kLogLast, kB);
    a_.branch("bne", kC, kD, fresh);
    a_.bind(again);
    a_.store("sd", kZero, kLogLast, kB);
    a_.jump(kZero, skip_);
    a_.bind(fresh);
    read(kC, csr(kCsrMtval));
    a_.imm("srli", kD, kC, 21);
    a_.imm("ld", kA, kB, kLogWindow);
    a_.branch("bne", kD, kA, skip_);
    a_.imm("slli", kC, kC, 43);
    a_.imm("srli", kC, kC, 55);
    a_.imm("slli", kC, kC, 3);
    place(kD, kSoundEntries);
    a_.reg("add", kD, kD, kC);
    a_.imm("ld", kD, kD, 0);
    a_.branch("beq", kD, kZero, skip_);
    // The entry belongs to the mode that faulted.
    read(kA, csr(kCsrMstatus));
    a_.imm("srli", kA, kA, supervisor_ ? 8 : static_cast<int64_t>(kStatusMppShift));
    a_.imm("andi", kA, kA, supervisor_ ? 1 : 3);
    a_.imm("sltiu", kA, kA, 1);
    a_.imm("slli", kA, kA, 4);
    a_.reg("or", kD, kD, kA);
    add_last_table(kC);
    a_.store("sd", kD, 0, kC);
    if (random_.one_in(3)) take_a_page();
    switch (random_.below(program_.portable ? 2 : 3)) {
      case 0:
        a_.reg("sfence.vma", 0, kZero, kZero);
        break;
      case 1:
        read(kC, csr(kCsrMtval));
        a_.reg("sfence.vma", 0, kC, kZero);
        break;
      default:
        break;
    }
    a_.jump(kZero, leave_);
  }

  void take_a_page() {
    a_.imm("ld", kC, kB, kLogTraps);
    a_.imm("andi", kC, kC, 7);
    a_.imm("slli", kC, kC, 3);
    add_last_table(kC);
    a_.store("sd", kZero, static_cast<int64_t>(8 * page_index(kData)), kC);
    if (program_.portable || random_.one_in(2)) a_.reg("sfence.vma", 0, kZero, kZero);
  }

  void skip() {
    a_.bind(skip_);
    read(kA, csr(kCsrMcause));
    for (const Cause cause : {kFetchMisaligned, kFetchAccess, kFetchPage}) {
      a_.imm("addi", kC, kA, -static_cast<int64_t>(cause));
      a_.branch("beq", kC, kZero, recover_);
    }
    // All zeros: this is no program any more.
    const Assembler::Label program = a_.label();
    a_.imm("addi", kC, kA, -static_cast<int64_t>(kIllegalInstruction));
    a_.branch("bne", kC, kZero, program);
    read(kC, csr(kCsrMtval));
    a_.branch("beq", kC, kZero, recover_);
    a_.bind(program);
    // The instruction is read as its own mode would, with what it may execute made readable.
    read(kD, csr(kCsrMepc));
    a_.constant(kC, kStatusMxr | (supervisor_ ? kStatusSum : kStatusMprv));
    a_.csr("csrrs", kA, csr(kCsrMstatus), kC);
    a_.imm("lhu", kC, kD, 0);
    write(csr(kCsrMstatus), kA);
    a_.imm("andi", kC, kC, 3);
    a_.imm("addi", kC, kC, -3);
    a_.reg("sltu", kC, kZero, kC);
    a_.imm("slli", kC, kC, 1);
    a_.reg("sub", kD, kD, kC);
    a_.imm("addi", kD, kD, 4);
    write(csr(kCsrMepc), kD);
    a_.jump(kZero, leave_);
    a_.bind(recover_);
    write(csr(kCsrMepc), kRecover);
    a_.jump(kZero, leave_);
  }

  void change_mode() {
    a_.bind(ecall_);
    if (random_.one_in(2)) {
      const Assembler::Label change = a_.label();
      read(kC, csr(kCsrMstatus));
      a_.constant(kD, supervisor_ ? kStatusSpp : uint64_t{1} << kStatusMppShift);
      if (!supervisor_) {
        // From M to S, from S to U and back.
        a_.imm("addi", kA, kA, -static_cast<int64_t>(kEcallUser) - static_cast<int64_t>(kMachine));
        a_.branch("bne", kA, kZero, change);
        a_.imm("slli", kD, kD, 1);
        a_.bind(change);
      }
      a_.reg("xor", kC, kC, kD);
      write(csr(kCsrMstatus), kC);
    }
    if (program_.paging && random_.one_in(3)) {
      read(kC, kCsrSatp);
      a_.reg("xor", kC, kC, kRootSwap);
      write(kCsrSatp, kC);
      if (program_.portable || random_.one_in(2)) a_.reg("sfence.vma", 0, kZero, kZero);
    }
    read(kC, csr(kCsrMepc));
    a_.imm("addi", kC, kC, 4);
    write(csr(kCsrMepc), kC);
    a_.jump(kZero, leave_);
  }

  void leave() {
    a_.bind(leave_);
    read(kD, csr(kCsrMscratch));
    a_.imm("ld", kA, kD, 0);
    a_.imm("ld", kB, kD, 8);
    a_.imm("ld", kC, kD, 16);
    a_.imm("ld", kD, kD, 24);
    a_.plain(supervisor_ ? "sret" : "mret");
  }

  const RandomProgram& program_;
  bool supervisor_;
  uint64_t base_;
  RandomSource random_;
  Assembler a_;
  Assembler::Label skip_, recover_, ecall_, interrupt_, leave_;
};

}  // namespace

std::vector<uint32_t> handler_words(const RandomProgram& program, bool supervisor) {
  return Handler(program, supervisor).words();
}

}  // namespace lockstep::isa::riscv64::random
