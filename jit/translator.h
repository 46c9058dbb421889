// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asmjit/x86.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <utility>

#include "core/hart/hart.h"
#include "core/ir/ir.h"
#include "jit/access_groups.h"
#include "jit/frame.h"
#include "jit/host_assembler.h"
#include "jit/host_features.h"
#include "jit/pins.h"
#include "jit/region.h"
#include "jit/thunks.h"
#include "jit/unit.h"

namespace lockstep::jit {

// Writes the host code of a unit, one block in the first tier and a region in the second, in one pass. Values live in
// registers; a word of guest state that was read or written stays in its register until the block ends, pinned ones
// from block to block, and where code can be left in the middle a table says which register holds which word. An access
// that misses the inline TLB asks a thunk and is tried again; one that is more than a plain access to RAM is handed
// over to the interpreter as a whole guest instruction.
//
// translate_uses.cpp looks at a block first; translator.cpp has registers and state, translate_integer.cpp,
// translate_float.cpp, translate_memory.cpp, translate_atomics.cpp, translate_ends.cpp and translate_edges.cpp the
// operations.
class Translator {
 public:
  struct Input {
    std::span<const RegionBlock> blocks;  // the unit is entered at the first
    std::span<const PlannedPage> pages;   // of a region
    std::span<const Pin> pins;
    bool profiled;      // executions are counted, and where an indirect jump goes is noted
    bool joint_checks;  // accesses beside one another are checked together
    std::span<const core::HelperDescriptor> helpers;
    core::Hart& hart;
    const Thunks& thunks;
    uint32_t rounding;  // the guest's dynamic mode, which MXCSR has when that is one of 0 to 3
    uint32_t state_words;
    HostFeatures host = HostFeatures::all();          // what the code may use
    core::Coverage coverage = core::Coverage::kNone;  // what blocks tell of themselves
    core::MemoryBuffer* accesses = nullptr;           // where loads and stores are noted; nullptr: nowhere
  };

  Translator(const Input& input, asmjit::CodeHolder& code, Unit& unit);
  Translator(const Translator&) = delete;
  Translator& operator=(const Translator&) = delete;

  // False when an operation has no host code here.
  bool run();

 private:
  using Inst = core::ir::Inst;
  using Op = core::ir::Op;
  using Type = core::ir::Type;
  using Value = core::ir::Value;
  using Gp = asmjit::x86::Gp;
  using Xmm = asmjit::x86::Xmm;
  using Mem = asmjit::x86::Mem;

  static constexpr int kNone = -1;
  static constexpr int kFirstXmm = 16;
  static constexpr int kRegisters = 32;  // general ones, then vector ones

  // There is one for every instruction of a block: small types, so that clearing them costs little.
  struct Place {
    uint64_t imm = 0;
    uint32_t uses = 0;
    Value alias = core::ir::kNoValue;  // the value that stands for this one
    Value user = core::ir::kNoValue;   // the last one
    Value last = 0;                    // where it may be asked for last, whatever stands for it
    uint16_t word = 0;                 // of the state, with in_state and keeps_word
    int16_t spill = kNone;             // index into Frame::spill
    int8_t reg = kNone;
    int8_t home = kNone;  // of the pinned word that it is to become
    bool constant : 1 = false;
    bool lazy : 1 = false;  // made where it is used
    bool prefers_vector : 1 = false;
    bool in_state : 1 = false;    // in no register: a word of the state has it until nobody asks any more
    bool keeps_word : 1 = false;  // it is `word` until nobody asks any more, in a register or not
    bool wide_load : 1 = false;   // a load whose register already has the extension that its only user asks for
  };
  struct Register {
    Value value = core::ir::kNoValue;
    unsigned words = 0;   // of the state, bound to it
    bool narrow = false;  // only the low half is there: what it stands for is its sign extension
  };
  struct Word {
    uint64_t imm = 0;
    int8_t reg = kNone;
    bool dirty = false;
    bool constant = false;
    bool narrow = false;  // in a note of what to write later: as Register::narrow
  };

  // --- translate_uses.cpp
  void count_uses();
  void note_shape(const Inst& in);
  bool makes_word(Value v) const;
  void find_homes();
  Value made_of(Value made) const;
  bool observes_state(Op op) const;

  // --- translator.cpp
  bool translate_block();
  Value resolve(Value v) const {
    while (places_[v].alias != core::ir::kNoValue) v = places_[v].alias;
    return v;
  }
  bool is_const(Value v) const { return places_[resolve(v)].constant; }
  uint64_t imm(Value v) const { return places_[resolve(v)].imm; }
  const Inst& inst(Value v) const { return block_->insts[v]; }
  bool fits32(uint64_t value) const { return static_cast<int64_t>(value) == static_cast<int32_t>(value); }

  int allocate(bool vector);
  void evict(int reg);
  void drop_words(int reg);  // writes the dirty ones
  // A word bound to the register that stays what it is up to the instruction `last`, or kNone.
  int lasting_word(int reg, Value last) const;
  void lock(int reg) { locked_ |= uint64_t{1} << reg; }
  void unlock(int reg) { locked_ &= ~(uint64_t{1} << reg); }
  bool is_idle(int reg) const;
  void unbind(unsigned word);
  void bind(unsigned word, int reg, bool dirty);
  void store_word(unsigned word, const Word& w);
  void flush();          // writes every dirty word; bindings stay
  void drop_bindings();  // after something else may have written the state

  // The register of an operand, locked until the operation is done.
  int use(Value v);
  int use_narrow(Value v);  // of which the upper half may be missing
  bool is_narrow(Value v) const;
  void widen(int reg);
  Word noted(unsigned word) const;
  int use_vector(Value v);
  // The second operand of an integer operation: a register, or where it lies in memory.
  asmjit::Operand use_operand(Value v, Type type);
  bool folds_into_user(const Inst& get) const;
  void consume(Value v);
  // A register for the current value; `reuse` when that one is free by now.
  int define(int reuse = kNone);
  int define_vector(int reuse = kNone);
  void define_alias(Value of);
  void define_const(uint64_t value);
  int temporary();
  void set_register(Value v, int reg);
  void move_register(int to, int from);
  // The register in which the current value is wanted, when that is free for it: `reuse` or one that is no operand.
  int take_home(int reuse);
  void move_const(int reg, uint64_t value);

  static Gp gp(int reg) { return asmjit::x86::gpq(static_cast<uint32_t>(reg)); }
  static Gp gp32(int reg) { return asmjit::x86::gpd(static_cast<uint32_t>(reg)); }
  static Xmm vec(int reg) { return asmjit::x86::xmm(static_cast<uint32_t>(reg - kFirstXmm)); }
  static Gp sized(int reg, Type type) { return core::ir::type_bits(type) == 64 ? gp(reg) : gp32(reg); }
  Mem state(uint64_t offset) const {
    return asmjit::x86::ptr(asmjit::x86::rbp, static_cast<int32_t>(offset) - kStateBias);
  }
  Mem header(size_t offset) const { return state(offset); }
  Mem frame(size_t offset) const { return asmjit::x86::ptr(asmjit::x86::rsp, static_cast<int32_t>(offset)); }
  void describe(uint32_t descriptor) {
    a_.mov(asmjit::x86::dword_ptr(asmjit::x86::rsp, offsetof(Frame, descriptor)), descriptor);
  }
  void call(const uint8_t* thunk) {
    a_.call(reinterpret_cast<uint64_t>(thunk));
    relocate_last(Relocation::Kind::kThunk);
  }
  // The last bytes of what was just written are to be rewritten when the code has its place.
  void relocate_last(Relocation::Kind kind, size_t index = 0, Leave leave = {}) {
    Relocation r{0, kind, static_cast<uint8_t>(leave), static_cast<uint16_t>(index)};
    r.at = static_cast<uint32_t>(a_.offset() - r.size_bytes());
    unit_.relocations.push_back(r);
  }
  void move_address(const Gp& to, uint64_t address, Relocation::Kind kind, size_t index = 0, Leave leave = {}) {
    a_.movabs(to, address | static_cast<uint64_t>(leave));
    relocate_last(kind, index, leave);
  }

  bool emit(const Inst& i);
  void emit_get(const Inst& i);
  bool emit_set(const Inst& i);

  // --- translate_integer.cpp
  bool emit_integer(const Inst& i);
  bool fold_constants(const Inst& i);
  bool wants_swap(Value left, Value right) const;
  bool emit_add(const Inst& i);
  bool emit_scaled_add(const Inst& i, Value times, Value other);
  bool emit_sub(const Inst& i);
  bool emit_logic(const Inst& i);
  bool emit_shift(const Inst& i);
  bool emit_shift_by_cl(const Inst& i);
  bool emit_bit_scan(const Inst& i);
  int take_wide_operands(const Inst& i, int a, int b);
  bool emit_multiply(const Inst& i);
  bool emit_divide(const Inst& i);
  bool emit_unary(const Inst& i);
  bool emit_min_max(const Inst& i);
  bool emit_fold(const Inst& i);
  bool emit_select(const Inst& i);
  bool emit_extend(const Inst& i);
  bool emit_compare_value(const Inst& i);
  // Emits the comparison or test of an i1 value and answers the condition under which it is 1.
  asmjit::x86::CondCode test_condition(Value v);

  // --- translate_float.cpp
  bool emit_float(const Inst& i);
  bool emit_float_call(const Inst& i);
  bool emit_float_arithmetic(const Inst& i, bool is_double);
  bool emit_box(const Inst& i);
  bool emit_unbox(const Inst& i);
  bool emit_float_compare(const Inst& i, bool is_double);
  bool emit_from_integer(const Inst& i);
  bool emit_to_integer(const Inst& i, bool is_double, bool truncate);

  // --- translate_memory.cpp
  bool emit_load(const Inst& i);
  bool emit_store(const Inst& i);
  // The host address of the current access; misses go to the slow path.
  Mem translate_address(Value address, unsigned size_bytes, bool store);
  void take_index(int to, int address);  // of the TLB entry
  void find_groups();
  bool any_group_begun() const;
  // A call may hand over the instruction that is being translated: answers its place among the notes. Where it returns
  // to is told when the call has been written.
  size_t note_hand_over();
  void returns_here(size_t hand_over) { hand_overs_[hand_over].return_at = static_cast<uint32_t>(a_.offset()); }

  // --- translate_atomics.cpp
  bool emit_atomic(const Inst& i);
  bool call_atomic(const Inst& i, Type type);
  void emit_load_reserved(const Inst& i, Type type);
  void emit_store_conditional(const Inst& i, Type type);
  void emit_plain_rmw(const Inst& i, Type type);
  void emit_locked_rmw(const Inst& i, Type type);
  Mem translate_aligned(Value address, unsigned size_bytes, bool store, int* physical);
  asmjit::Operand atomic_operand(Value v, Type type, bool may_be_constant);
  static uint32_t host_instruction(core::ir::RmwOp op);
  void choose(core::ir::RmwOp op, const Gp& to, const Gp& left, const Gp& right);
  Mem reserved_value(int reg);
  // What it reads comes from memory by a load of the host, which may extend it.
  bool loads_wide(const Inst& i) const {
    return i.type == Type::kI32 && input_.accesses == nullptr &&
           (i.op == Op::kLoadReserved || (i.op == Op::kAtomicRmw && !input_.hart.concurrent()));
  }
  void load_old(int to, Type type, const Mem& from);
  // Stores before it are seen by all before loads behind it are done; the frame's word is nobody's.
  void fence() { a_.lock().or_(asmjit::x86::dword_ptr(asmjit::x86::rsp, offsetof(Frame, descriptor)), 0); }

  // --- translate_instrumentation.cpp
  // Writes a cell: this block has begun, or so many of its instructions have.
  void write_cell(size_t block, uint32_t begun, bool entry);
  bool tells_coverage(const RegionBlock& block) const {
    return input_.coverage == core::Coverage::kCounted ||
           (input_.coverage == core::Coverage::kCovered && !block.covered);
  }
  // Leaves when the buffer of accesses is full.
  void look_at_buffer();
  // Notes an access that is about to be tried, but for its value; `a` and `b` are free registers.
  void begin_record(int base, int32_t displacement, unsigned size_bytes, bool store, int a, int b);
  // It was done.
  void end_record(const asmjit::Operand& value);
  void note_pc();

  // --- translate_ends.cpp
  bool emit_call(const Inst& i);
  bool emit_fp_flags(const Inst& i, core::HelperMeaning meaning);
  bool emit_exit_if(const Inst& i);
  bool emit_end(const Inst& i);
  void emit_indirect(const Inst& i);
  void set_pc(uint64_t pc);
  void leave(Leave how);
  void leave(Leave how, const void* what, Relocation::Kind kind, size_t index = 0);
  void finish();

  // --- translate_edges.cpp
  void begin_unit();
  void begin_block();
  void compare_mapping(uint64_t pc, uint32_t& constant_at);
  void settle();
  void place_pin(const Pin& pin);
  void store_pins();
  int find_block(uint64_t pc) const;
  bool on_same_page(const RegionBlock& to) const;
  size_t page_index(uint64_t vaddr) const;
  // Goes to `pc` from the end of the current block, everything settled: here, or at the label that is answered.
  void edge_here(uint64_t pc);
  HostAssembler::Label edge(uint64_t pc);
  void finish_edges();

  // What is noted while a block is translated lies here; only large regions ask the heap.
  static constexpr size_t kNotesBytes = 32768;
  std::pmr::monotonic_buffer_resource notes_{notes_bytes_.data(), notes_bytes_.size()};
  template <typename T>
  using Notes = std::pmr::vector<T>;

  const Input& input_;
  const RegionBlock* region_block_ = nullptr;
  const core::ir::Block* block_ = nullptr;
  size_t current_ = 0;
  HostAssembler a_;
  Unit& unit_;
  Notes<Place> places_{&notes_};
  std::array<Register, kRegisters> registers_;
  Notes<Word> words_{&notes_};
  Notes<unsigned> active_{&notes_};  // words that are bound or constant
  Notes<int> pin_of_{&notes_};       // by word: index into Input::pins, or kNone
  uint64_t homes_ = 0;               // registers of pins
  bool has_vectors_ = false;         // values that prefer vector registers
  uint64_t locked_ = 0;
  unsigned next_victim_ = 0;
  Notes<int> free_spills_{&notes_};
  int spills_ = 0;
  Value index_ = 0;
  unsigned begun_ = 0;
  uint64_t insn_pc_ = 0;
  bool check_exit_request_ = false;

  static constexpr size_t kNoHandOver = ~size_t{0};
  // Code out of the hot path, written when the block is done.
  struct SlowPath {
    HostAssembler::Label entry, retry;
    size_t hand_over;
    int base;
    int32_t displacement;
    int index, page;  // registers that are free there
    const uint8_t* thunk;
    // Of a group: its bytes, from `displacement` on; equal where the access is alone.
    int32_t low, high;
    bool guarded;      // other groups have been checked and have accesses to come
    unsigned aligned;  // bytes: 1, or what the address must be a multiple of
    size_t split;      // the note of the call that gives up, or kNoHandOver
  };
  void finish_slow(const SlowPath& slow);
  Notes<SlowPath> slow_paths_{&notes_};
  AccessGroups access_groups_;
  Notes<bool> begun_groups_ = Notes<bool>(&notes_);
  struct SideExit {
    HostAssembler::Label entry;
    uint64_t pc;
    uint64_t unbegun;
    bool trapped;
    uint32_t first_word = 0, words = 0;  // dirty ones, in side_words_
    size_t block = 0;
    uint32_t begun = 0;  // instructions of the block
  };
  void add_side_exit(SideExit exit) {
    exit.block = current_;
    exit.begun = static_cast<uint32_t>(block_->guest_instructions - exit.unbegun);
    side_exits_.push_back(exit);
  }
  // Notes the words that are dirty now for the exit that is about to be added.
  void note_dirty(SideExit& exit);
  Notes<std::pair<unsigned, Word>> side_words_{&notes_};
  Notes<SideExit> side_exits_{&notes_};
  // An operation whose result the host did not settle.
  struct FloatPath {
    HostAssembler::Label entry, done;
    int result;
    std::array<int, 3> operands;
    uint32_t descriptor;
    bool canonical;  // the result is the NaN of its width, and no more is to be known
    bool is_double;
  };
  void finish_float(const FloatPath& path);
  Notes<FloatPath> float_paths_{&notes_};
  struct PendingLink {
    HostAssembler::Label stub;
    size_t link;
  };
  Notes<PendingLink> pending_links_{&notes_};
  struct PendingEdge {
    HostAssembler::Label entry;
    const RegionBlock* from;
    uint64_t pc;
  };
  Notes<PendingEdge> pending_edges_{&notes_};
  struct StaleExit {
    HostAssembler::Label entry;
    uint64_t pc;
  };
  Notes<StaleExit> stale_exits_{&notes_};
  Notes<HostAssembler::Label> block_labels_{&notes_}, short_budgets_{&notes_}, full_buffers_{&notes_};
  Notes<HandOver> hand_overs_{&notes_};
  Notes<StateHome> state_homes_{&notes_};
  HostAssembler::Label moved_, hot_;
  bool failed_ = false;
  std::array<std::byte, kNotesBytes> notes_bytes_;
};

}  // namespace lockstep::jit
