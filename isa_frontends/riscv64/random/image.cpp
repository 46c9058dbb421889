// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/image.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "isa_frontends/riscv64/random/assembler.h"
#include "isa_frontends/riscv64/random/initial_state.h"
#include "isa_frontends/riscv64/random/layout.h"
#include "isa_frontends/riscv64/random/machine.h"
#include "isa_frontends/riscv64/state.h"

namespace lockstep::isa::riscv64::random {
namespace {

constexpr uint64_t kMonitorData = kMonitor + 0x1000;  // the end state's registers, then the current record
constexpr uint64_t kRecords = kRamBase + 0x8'0000;
// Where programs for Spike say that they are done; its symbols name the two words.
constexpr uint64_t kToHost = kMonitor + 0xf00, kFromHost = kMonitor + 0xf40;
constexpr int64_t kHostTurns = 100'000;  // Spike looks there every few thousand instructions
constexpr uint64_t kUart = 0x1000'0000, kFinisher = 0x10'0000, kFinisherPass = 0x5555;
constexpr unsigned kUartStatus = 5, kUartEmpty = 0x20;
constexpr uint64_t kFactor = 0x9e37'79b9'7f4a'7c15;

constexpr unsigned kPrintedRegisters = 27;  // x1 to x27
struct PrintedCsr {
  const char* name;
  unsigned number;
  uint64_t State64::*field;
};
constexpr PrintedCsr kPrintedCsrs[] = {
    {"mstatus", kCsrMstatus, &State64::mstatus},
    {"mepc", kCsrMepc, &State64::mepc},
    {"mcause", kCsrMcause, &State64::mcause},
    {"mtval", kCsrMtval, &State64::mtval},
    {"satp", kCsrSatp, &State64::satp},
    {"sepc", kCsrSepc, &State64::sepc},
    {"scause", kCsrScause, &State64::scause},
    {"stval", kCsrStval, &State64::stval},
    {"sscratch", kCsrSscratch, &State64::sscratch},
    {"mscratch", kCsrMscratch, &State64::mscratch},
    {"medeleg", kCsrMedeleg, &State64::medeleg},
    {"mideleg", kCsrMideleg, &State64::mideleg},
};
// The bits of mstatus that every implementation has.
constexpr uint64_t kStatusPrinted = kStatusSie | kStatusMie | kStatusSpie | kStatusMpie | kStatusSpp | kStatusMpp |
                                    kStatusFs | kStatusMprv | kStatusSum | kStatusMxr;
constexpr unsigned kEndWords = kPrintedRegisters + std::size(kPrintedCsrs) + 1 + 32;
constexpr unsigned kCurrent = 8 * kEndWords;

// Registers of the monitor.
constexpr unsigned kT0 = 5, kT1 = 6, kT2 = 7, kRecord = 8, kBase = 9, kA0 = 10, kA1 = 11, kA2 = 12, kRa = 1, kFlag = 18,
                   kEnd = 19, kDigest = 20, kS5 = 21, kT5 = 30, kT6 = 31;

uint64_t mix(uint64_t digest, uint64_t word) { return (std::rotl(digest, 5) ^ word) * kFactor; }

uint64_t mix_all(uint64_t digest, std::span<const uint64_t> words) {
  for (const uint64_t word : words) digest = mix(digest, word);
  return digest;
}

std::unique_ptr<Hart64> sound_hart(core::PhysicalBus& bus, core::VirtualClock& clock) {
  return std::make_unique<Hart64>(0, bus, clock, kHartOptions);
}

class Monitor {
 public:
  std::vector<uint32_t> words() {
    const Assembler::Label finish = a_.label();
    a_.jump(kZero, finish);
    begin();
    a_.bind(finish);
    end();
    subroutines();
    return a_.finish();
  }

 private:
  void read(unsigned rd, unsigned number) { a_.csr("csrrs", rd, number, kZero); }

  void begin() {
    a_.constant(kRecord, kRecords);
    a_.bind(next_);
    a_.constant(kBase, kMonitorData);
    a_.store("sd", kRecord, kCurrent, kBase);
    a_.imm("ld", kT0, kRecord, 0);
    a_.branch("beq", kT0, kZero, done_);
    // Nothing of the program before is left.
    a_.constant(kT0, kRamBase);
    a_.constant(kT1, kRamBase + kRamBytes);
    const Assembler::Label clear = a_.label(), pieces = a_.label(), copy = a_.label(), go = a_.label();
    a_.bind(clear);
    a_.store("sd", kZero, 0, kT0);
    a_.imm("addi", kT0, kT0, 8);
    a_.branch("bltu", kT0, kT1, clear);
    // Pieces of memory, each with its address and its number of words; a piece without words is the last.
    a_.imm("addi", kA0, kRecord, 16);
    a_.bind(pieces);
    a_.imm("ld", kT0, kA0, 0);
    a_.imm("ld", kT1, kA0, 8);
    a_.imm("addi", kA0, kA0, 16);
    a_.branch("beq", kT1, kZero, go);
    a_.bind(copy);
    a_.imm("ld", kT2, kA0, 0);
    a_.store("sd", kT2, 0, kT0);
    a_.imm("addi", kA0, kA0, 8);
    a_.imm("addi", kT0, kT0, 8);
    a_.imm("addi", kT1, kT1, -1);
    a_.branch("bne", kT1, kZero, copy);
    a_.jump(kZero, pieces);
    // Behind them is the code that fills the registers and enters the program.
    a_.bind(go);
    a_.plain("fence.i");
    a_.imm("jalr", kZero, kA0, 0);
  }

  void end() {
    a_.constant(kT5, kMonitorData);
    unsigned at = 0;
    for (unsigned i = 1; i <= kPrintedRegisters; ++i, at += 8) a_.store("sd", i, at, kT5);
    a_.imm("addi", kBase, kT5, 0);
    for (const PrintedCsr& csr : kPrintedCsrs) {
      read(kT0, csr.number);
      if (csr.number == kCsrMstatus) {
        a_.constant(kT1, kStatusPrinted);
        a_.reg("and", kT0, kT0, kT1);
      }
      a_.store("sd", kT0, at, kBase);
      at += 8;
    }
    a_.constant(kT0, kStatusFs);
    a_.csr("csrrs", kZero, kCsrMstatus, kT0);
    read(kT0, kCsrFcsr);
    a_.store("sd", kT0, at, kBase);
    at += 8;
    for (unsigned i = 0; i < 32; ++i, at += 8) a_.store("fsd", i, at, kBase);
    a_.imm("ld", kRecord, kBase, kCurrent);
    a_.imm("ld", kFlag, kRecord, 8);
    a_.imm("addi", kDigest, kZero, 0);
    walk(kMonitorData, kEndWords);
    a_.imm("srli", kFlag, kFlag, 1);
    walk(kRamBase, kRamBytes / 8);
    const Assembler::Label over = a_.label();
    a_.branch("bne", kFlag, kZero, over);
    a_.imm("addi", kA0, kDigest, 0);
    a_.jump(kRa, print_);
    a_.bind(over);
    a_.imm("ld", kT0, kRecord, 0);
    a_.reg("add", kRecord, kRecord, kT0);
    a_.jump(kZero, next_);
    a_.bind(done_);
    a_.constant(kT0, kToHost);
    a_.imm("addi", kT1, kZero, 1);
    a_.store("sd", kT1, 0, kT0);
    const Assembler::Label wait = a_.label();
    a_.constant(kT1, kHostTurns);
    a_.bind(wait);
    a_.imm("addi", kT1, kT1, -1);
    a_.branch("bne", kT1, kZero, wait);
    a_.constant(kT0, kFinisher);
    a_.constant(kT1, kFinisherPass);
    a_.store("sw", kT1, 0, kT0);
    const Assembler::Label self = a_.label();
    a_.bind(self);
    a_.jump(kZero, self);
  }

  void walk(uint64_t first, uint64_t words) {
    a_.constant(kBase, first);
    a_.constant(kEnd, first + 8 * words);
    a_.jump(kRa, walk_);
  }

  void subroutines() {
    // The words from kBase to kEnd go into the digest, or are printed.
    const Assembler::Label top = a_.label(), printed = a_.label();
    a_.bind(walk_);
    a_.imm("addi", kS5, kRa, 0);
    a_.constant(kT2, kFactor);
    a_.bind(top);
    a_.imm("ld", kA0, kBase, 0);
    a_.imm("addi", kBase, kBase, 8);
    a_.branch("bne", kFlag, kZero, printed);
    a_.imm("slli", kT0, kDigest, 5);
    a_.imm("srli", kDigest, kDigest, 59);
    a_.reg("or", kDigest, kDigest, kT0);
    a_.reg("xor", kDigest, kDigest, kA0);
    a_.reg("mul", kDigest, kDigest, kT2);
    a_.branch("bltu", kBase, kEnd, top);
    a_.imm("jalr", kZero, kS5, 0);
    a_.bind(printed);
    a_.jump(kRa, print_);
    a_.branch("bltu", kBase, kEnd, top);
    a_.imm("jalr", kZero, kS5, 0);
    // Sixteen digits of a0 and a line's end.
    const Assembler::Label digits = a_.label(), decimal = a_.label();
    a_.bind(print_);
    a_.constant(kA1, kUart);
    a_.imm("addi", kT0, kZero, 16);
    a_.imm("addi", kA2, kRa, 0);
    a_.bind(digits);
    a_.imm("srli", kT1, kA0, 60);
    a_.imm("slli", kA0, kA0, 4);
    a_.imm("addi", kT1, kT1, '0');
    a_.imm("sltiu", kT6, kT1, '9' + 1);
    a_.branch("bne", kT6, kZero, decimal);
    a_.imm("addi", kT1, kT1, 'a' - '9' - 1);
    a_.bind(decimal);
    a_.jump(kRa, put_);
    a_.imm("addi", kT0, kT0, -1);
    a_.branch("bne", kT0, kZero, digits);
    a_.imm("addi", kT1, kZero, '\n');
    a_.imm("addi", kRa, kA2, 0);
    a_.bind(put_);
    a_.imm("lbu", kT6, kA1, kUartStatus);
    a_.imm("andi", kT6, kT6, kUartEmpty);
    a_.branch("beq", kT6, kZero, put_);
    a_.store("sb", kT1, 0, kA1);
    a_.imm("jalr", kZero, kRa, 0);
  }

  Assembler a_;
  Assembler::Label next_ = a_.label(), done_ = a_.label(), walk_ = a_.label(), print_ = a_.label(), put_ = a_.label();
};

void append_word(std::vector<uint8_t>& bytes, uint64_t word) {
  for (unsigned i = 0; i < 8; ++i) bytes.push_back(static_cast<uint8_t>(word >> 8 * i));
}

void append_code(std::vector<uint8_t>& bytes, std::span<const uint32_t> words) {
  for (const uint32_t word : words) {
    for (unsigned i = 0; i < word_bytes(word); ++i) bytes.push_back(static_cast<uint8_t>(word >> 8 * i));
  }
}

// A piece's stretches of words that are not all zero.
void append_piece(std::vector<uint8_t>& record, const InitialState::Piece& piece) {
  const uint64_t shift = piece.address % 8;
  std::vector<uint64_t> words((shift + piece.bytes.size() + 7) / 8);
  std::memcpy(reinterpret_cast<uint8_t*>(words.data()) + shift, piece.bytes.data(), piece.bytes.size());
  constexpr size_t kGap = 4;  // zeros that are cheaper than another piece
  for (size_t i = 0; i < words.size();) {
    if (words[i] == 0) {
      ++i;
      continue;
    }
    size_t end = i + 1;
    for (size_t j = end; j < words.size() && j < end + kGap; ++j) {
      if (words[j] != 0) end = j + 1;
    }
    append_word(record, piece.address - shift + 8 * i);
    append_word(record, end - i);
    for (; i < end; ++i) append_word(record, words[i]);
  }
}

// The code at a record's end: it takes its values from behind itself.
void append_entry(std::vector<uint8_t>& record, const InitialState& state) {
  Assembler a;
  std::vector<uint64_t> values;
  const Assembler::Label table = a.label();
  const auto load = [&](std::string_view name, unsigned rd, uint64_t value) {
    a.imm(name, rd, kT6, static_cast<int64_t>(8 * values.size()));
    values.push_back(value);
  };
  a.address(kT6, table);
  for (const unsigned number : {kCsrSatp, kCsrMedeleg, kCsrMideleg, kCsrMie, kCsrMip, kCsrSepc, kCsrScause, kCsrStval,
                                kCsrMcounteren, kCsrScounteren}) {
    a.csr("csrrw", kZero, number, kZero);
  }
  a.constant(kT0, kStatusFs);
  a.csr("csrrs", kZero, kCsrMstatus, kT0);
  for (unsigned i = 0; i < 32; ++i) load("fld", i, state.f[i]);
  for (const auto& [number, value] : state.csrs) {
    // The return into the program takes the interrupt enable and the mode from where a trap would have left them.
    const uint64_t before_return = number != kCsrMstatus
                                       ? value
                                       : (value & ~(kStatusMie | kStatusMpie | kStatusMpp)) |
                                             (value & kStatusMie) << 4 | state.privilege << kStatusMppShift;
    load("ld", kT0, before_return);
    a.csr("csrrw", kZero, number, kT0);
  }
  a.reg("sfence.vma", 0, kZero, kZero);
  for (unsigned i = 1; i < 31; ++i) load("ld", i, state.x[i]);
  load("ld", kT6, state.x[kT6]);
  a.plain("mret");
  if (a.size() % 2 != 0) a.plain("fence.i");  // the values are aligned; every word so far has four bytes
  a.bind(table);
  append_code(record, a.finish());
  for (const uint64_t value : values) append_word(record, value);
}

std::vector<uint8_t> make_record(const RandomProgram& program, Print print) {
  const InitialState state = initial_state(program);
  std::vector<uint8_t> record;
  append_word(record, 0);
  append_word(record, static_cast<uint64_t>(print));
  for (const InitialState::Piece& piece : state.memory) append_piece(record, piece);
  append_word(record, 0);
  append_word(record, 0);
  append_entry(record, state);
  const uint64_t size_bytes = record.size();
  std::memcpy(record.data(), &size_bytes, sizeof size_bytes);
  return record;
}

// One segment, and the symbols that Spike looks for.
std::vector<uint8_t> elf_of(std::span<const uint8_t> memory) {
  constexpr std::string_view kSymbolNames("\0tohost\0fromhost\0", 17);
  constexpr std::string_view kSectionNames("\0.symtab\0.strtab\0", 17);
  constexpr uint32_t kSymtabName = 1, kStrtabName = 9, kToHostName = 1, kFromHostName = 8;
  std::vector<uint8_t> file(kPageBytes);
  const auto append = [&file](const void* bytes, size_t size_bytes) {
    const uint64_t at = file.size();
    file.resize(at + size_bytes);
    std::memcpy(file.data() + at, bytes, size_bytes);
    file.resize((file.size() + 7) / 8 * 8);
    return at;
  };
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_W | PF_X;
  segment.p_offset = append(memory.data(), memory.size());
  segment.p_vaddr = segment.p_paddr = kRamBase;
  segment.p_filesz = segment.p_memsz = memory.size();
  segment.p_align = kPageBytes;

  Elf64_Sym symbols[3]{};
  symbols[1].st_name = kToHostName;
  symbols[1].st_value = kToHost;
  symbols[2].st_name = kFromHostName;
  symbols[2].st_value = kFromHost;
  for (Elf64_Sym& symbol : std::span(symbols).subspan(1)) {
    symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
    symbol.st_shndx = SHN_ABS;
    symbol.st_size = 8;
  }
  enum Section : uint16_t { kNone, kSymtab, kStrtab, kNames, kSections };
  Elf64_Shdr sections[kSections]{};
  const auto table = [&](Section section, uint32_t name, uint32_t type, const void* bytes, size_t size_bytes) {
    sections[section].sh_name = name;
    sections[section].sh_type = type;
    sections[section].sh_offset = append(bytes, size_bytes);
    sections[section].sh_size = size_bytes;
    sections[section].sh_addralign = 8;
  };
  table(kSymtab, kSymtabName, SHT_SYMTAB, symbols, sizeof symbols);
  sections[kSymtab].sh_entsize = sizeof symbols[0];
  sections[kSymtab].sh_link = kStrtab;
  sections[kSymtab].sh_info = 1;
  table(kStrtab, kStrtabName, SHT_STRTAB, kSymbolNames.data(), kSymbolNames.size());
  table(kNames, 0, SHT_STRTAB, kSectionNames.data(), kSectionNames.size());

  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_RISCV;
  header.e_version = EV_CURRENT;
  header.e_entry = kRamBase;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof segment;
  header.e_phnum = 1;
  header.e_shoff = append(sections, sizeof sections);
  header.e_shentsize = sizeof sections[0];
  header.e_shnum = kSections;
  header.e_shstrndx = kNames;
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, &segment, sizeof segment);
  return file;
}

}  // namespace

uint64_t EndState::digest() const { return mix_all(mix_all(0, registers), memory); }

uint64_t EndState::traps() const { return memory[(kLog - kRamBase + kLogTraps) / 8]; }

const std::vector<std::string>& end_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (unsigned i = 1; i <= kPrintedRegisters; ++i) made.push_back(fmt::format("x{}", i));
    for (const PrintedCsr& csr : kPrintedCsrs) made.push_back(csr.name);
    made.push_back("fcsr");
    for (unsigned i = 0; i < 32; ++i) made.push_back(fmt::format("f{}", i));
    return made;
  }();
  return names;
}

EndStates::EndStates(const EngineFactory& engine) : EndStates(engine, sound_hart) {}
EndStates::EndStates(const EngineFactory& engine, const HartFactory& hart)
    : machine_(std::make_unique<RandomMachine>(engine, hart)) {}
EndStates::~EndStates() = default;

std::optional<EndState> EndStates::run(const RandomProgram& program) {
  RandomMachine& machine = *machine_;
  machine.load(program, initial_state(program));
  machine.clock().begin_turn(0);
  machine.hart().begin_turn();
  EndState end;
  while (!machine.ended() && end.instructions < program.bound) {
    const core::RunResult result = machine.engine().run(program.bound - end.instructions);
    end.instructions += result.executed;
    if (result.executed == 0) return std::nullopt;
  }
  if (!machine.ended()) return std::nullopt;
  const State64& s = machine.hart().s();
  for (unsigned i = 1; i <= kPrintedRegisters; ++i) end.registers.push_back(s.x[i]);
  for (const PrintedCsr& csr : kPrintedCsrs) {
    end.registers.push_back(s.*csr.field & (csr.number == kCsrMstatus ? kStatusPrinted : ~uint64_t{0}));
  }
  end.registers.push_back(s.fp_rounding << 5 | s.fp_flags);
  end.registers.insert(end.registers.end(), std::begin(s.f), std::end(s.f));
  end.memory.resize(kRamBytes / 8);
  std::memcpy(end.memory.data(), machine.memory().data(), kRamBytes);
  return end;
}

std::vector<uint8_t> make_image(std::span<const RandomProgram> programs, Print print) {
  std::vector<uint8_t> memory(kMonitor - kRamBase);
  Assembler enter;
  enter.imm("auipc", kT0, 0, static_cast<int64_t>(kMonitor - kRamBase));
  enter.imm("jalr", kZero, kT0, 4);  // behind the monitor's jump to what is done at a program's end
  std::vector<uint8_t> first;
  append_code(first, enter.words());
  std::copy(first.begin(), first.end(), memory.begin());
  append_code(memory, Monitor().words());
  memory.resize(kRecords - kRamBase);
  for (const RandomProgram& program : programs) {
    const std::vector<uint8_t> record = make_record(program, print);
    memory.insert(memory.end(), record.begin(), record.end());
  }
  append_word(memory, 0);
  return elf_of(memory);
}

std::vector<uint64_t> printed_words(std::string_view console) {
  std::vector<uint64_t> words;
  constexpr size_t kDigits = 16;
  while (!console.empty()) {
    const size_t end = std::min(console.find('\n'), console.size());
    std::string_view line = console.substr(0, end);
    console.remove_prefix(std::min(end + 1, console.size()));
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    uint64_t word = 0;
    if (line.size() != kDigits) continue;
    const auto [stop, code] = std::from_chars(line.data(), line.data() + line.size(), word, 16);
    if (code == std::errc() && stop == line.data() + line.size()) words.push_back(word);
  }
  return words;
}

std::optional<Difference> compare_end(const EndState& ours, std::span<const uint64_t> printed) {
  const size_t all = ours.registers.size() + ours.memory.size();
  const bool with_digest = printed.size() == ours.registers.size() + 1;
  if (!with_digest && printed.size() != all) {
    return Difference{"stop",
                      fmt::format("the other one printed {} words of {} and then stopped", printed.size(), all)};
  }
  for (size_t i = 0; i < printed.size(); ++i) {
    const bool in_memory = i >= ours.registers.size();
    if (in_memory && with_digest) {
      if (mix_all(0, ours.memory) == printed[i]) continue;
      return Difference{"value", "the digest of memory differs"};
    }
    const uint64_t word = in_memory ? ours.memory[i - ours.registers.size()] : ours.registers[i];
    if (word == printed[i]) continue;
    const std::string name =
        in_memory ? fmt::format("memory at 0x{:x}", kRamBase + 8 * (i - ours.registers.size())) : end_names()[i];
    const bool is_value = in_memory || name[0] == 'x' || (name[0] == 'f' && name != "fcsr");
    return Difference{is_value ? "value" : name,
                      fmt::format("{} is 0x{:x} here and 0x{:x} there", name, word, printed[i])};
  }
  return std::nullopt;
}

}  // namespace lockstep::isa::riscv64::random
