// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asmjit/x86.h>

#include <cassert>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <utility>
#include <vector>

namespace lockstep::jit {

// asmjit's assembler, with the forms that most of the first tier's code consists of written here, byte for byte as
// asmjit writes them (host_assembler_test compares), at a fifth of the cost: an operation on general registers of 32 or
// 64 bits with a register, a plain address (a base, maybe an index, a displacement) or a constant, and jumps. Whatever
// is anything else goes to asmjit, and everything does while a logger listens.
class HostAssembler : public asmjit::x86::Assembler, private asmjit::ErrorHandler {
 public:
  using Base = asmjit::x86::Assembler;
  using Gp = asmjit::x86::Gp;
  using Mem = asmjit::x86::Mem;
  using CondCode = asmjit::x86::CondCode;

  // A place in the code that jumps go to. Of this assembler, and of no use to asmjit.
  struct Label {
    uint32_t id = 0;
  };

  // `notes`: what labels are kept in; it outlives the assembler.
  HostAssembler(asmjit::CodeHolder* code, std::pmr::memory_resource* notes)
      : Base(code), code_(code), base_(code->baseAddress()), logged_(hasLogger()), labels_(notes) {
    labels_.reserve(kCommonLabels);
    code->setErrorHandler(this);
  }
  ~HostAssembler() override { code_->setErrorHandler(nullptr); }

  // Something could not be written, or a fixed buffer is full: the code is of no use.
  bool failed() const { return failed_; }

  Label new_label() {
    labels_.push_back(logged_ ? LabelState{static_cast<int32_t>(Base::newLabel().id()), kNowhere} : LabelState{});
    return {static_cast<uint32_t>(labels_.size() - 1)};
  }
  void bind(Label label) {
    LabelState& state = labels_[label.id];
    if (logged_) {
      Base::bind(asmjit::Label(static_cast<uint32_t>(state.at)));
      return;
    }
    state.at = here();
    for (int32_t at = state.last_jump; at != kNowhere;) {
      int32_t before = 0;
      std::memcpy(&before, _bufferData + at, sizeof before);
      const int32_t displacement = state.at - (at + 4);
      std::memcpy(_bufferData + at, &displacement, sizeof displacement);
      at = before;
    }
  }

  void j(CondCode condition, Label to) {
    const auto id = asmjit::x86::Inst::jccFromCond(condition);
    jump(static_cast<uint8_t>(0x70 | static_cast<uint8_t>(condition)), id, to);
  }
  void jmp(Label to) { jump(kJmpShort, asmjit::x86::Inst::kIdJmp, to); }
  void ja(Label to) { j(CondCode::kA, to); }
  void jae(Label to) { j(CondCode::kAE, to); }
  void jb(Label to) { j(CondCode::kB, to); }
  void je(Label to) { j(CondCode::kE, to); }
  void jne(Label to) { j(CondCode::kNE, to); }
  void jz(Label to) { j(CondCode::kZ, to); }
  void jnz(Label to) { j(CondCode::kNZ, to); }
  void jo(Label to) { j(CondCode::kO, to); }
  void jp(Label to) { j(CondCode::kP, to); }
  void js(Label to) { j(CondCode::kS, to); }
  void jl(Label to) { j(CondCode::kL, to); }

  // To an address that is known now.
  void jmp(uint64_t target) {
    if (!leap(0xe9, target)) Base::jmp(target);
  }
  void jmp(const Mem& where) { Base::jmp(where); }
  void call(uint64_t target) {
    if (!leap(0xe8, target)) Base::call(target);
  }
  void call(const Gp& target) { Base::call(target); }

  void mov(const Gp& to, const Gp& from) {
    if (!of_registers(0x89, from, to)) Base::mov(to, from);
  }
  void mov(const Gp& to, const Mem& from) {
    if (!of_memory(0x8b, to, from)) Base::mov(to, from);
  }
  void mov(const Mem& to, const Gp& from) {
    if (!of_memory(0x89, from, to)) Base::mov(to, from);
  }
  void mov(const Gp& to, int64_t value) {
    if (!constant(to, value, false)) Base::mov(to, value);
  }
  void mov(const Mem& to, int64_t value) {
    if (!memory_constant(0xc7, 0, to, value)) Base::mov(to, value);
  }
  void mov(const Mem& to, const asmjit::Imm& value) { mov(to, value.value()); }
  void movabs(const Gp& to, uint64_t value) {
    if (!constant(to, static_cast<int64_t>(value), true)) Base::movabs(to, value);
  }
  void movsxd(const Gp& to, const Gp& from) {
    if (to.size() != 8 || from.size() != 4 || !write_registers(0x63, true, to.id(), from.id())) Base::movsxd(to, from);
  }
  void movsxd(const Gp& to, const Mem& from) {
    if (!of_memory(0x63, to, from)) Base::movsxd(to, from);
  }
  void lea(const Gp& to, const Mem& from) {
    if (!of_memory(0x8d, to, from)) Base::lea(to, from);
  }

  // ADD, OR, AND, SUB, XOR or CMP, by asmjit's name, with a register, an address or a constant of 32 bits.
  void arithmetic(asmjit::InstId id, const Gp& to, const asmjit::Operand& with) {
    if (with.isMem()) {
      operate(id, to, with.as<Mem>());
    } else if (with.isReg()) {
      operate(id, to, with.as<Gp>());
    } else if (const int64_t value = with.as<asmjit::Imm>().value(); fits32(value)) {
      operate(id, to, static_cast<int32_t>(value));
    } else {
      emit(id, to, with);
    }
  }
  void add(const Gp& to, const auto& with) { operate(asmjit::x86::Inst::kIdAdd, to, with); }
  void or_(const Gp& to, const auto& with) { operate(asmjit::x86::Inst::kIdOr, to, with); }
  void and_(const Gp& to, const auto& with) { operate(asmjit::x86::Inst::kIdAnd, to, with); }
  void sub(const Gp& to, const auto& with) { operate(asmjit::x86::Inst::kIdSub, to, with); }
  void xor_(const Gp& to, const auto& with) { operate(asmjit::x86::Inst::kIdXor, to, with); }
  void cmp(const Gp& to, const auto& with) { operate(asmjit::x86::Inst::kIdCmp, to, with); }
  void add(const Mem& to, int32_t with) {
    if (!memory_constant(0x83, kAdd, to, with)) Base::add(to, with);
  }
  void sub(const Mem& to, int32_t with) {
    if (!memory_constant(0x83, kSub, to, with)) Base::sub(to, with);
  }
  void cmp(const Mem& left, const Gp& right) {
    if (!of_memory(0x39, right, left)) Base::cmp(left, right);
  }
  void cmp(const Mem& left, int32_t right) {
    if (!memory_constant(0x83, kCmp, left, right)) Base::cmp(left, right);
  }
  void bextr(const Gp& to, const Gp& from, const Gp& control) {
    if (!direct() || to.size() != 8) {
      Base::bextr(to, from, control);
      return;
    }
    uint8_t* p = _bufferPtr;
    *p++ = 0xc4;
    *p++ = static_cast<uint8_t>((to.id() & 8 ? 0 : 0x80) | 0x40 | (from.id() & 8 ? 0 : 0x20) | 2);
    *p++ = static_cast<uint8_t>(0x80 | (~control.id() & 15) << 3);
    *p++ = 0xf7;
    *p++ = static_cast<uint8_t>(0xc0 | (to.id() & 7) << 3 | (from.id() & 7));
    wrote(p);
  }

  void comment(const char* text) {
    if (logged_) Base::comment(text);
  }
  template <typename... Args>
  void commentf(const char* format, Args... args) {
    if (logged_) Base::commentf(format, args...);
  }

 private:
  static constexpr int32_t kNowhere = -1;
  static constexpr uint8_t kJmpShort = 0xeb;
  static constexpr ptrdiff_t kLongest = 15;    // bytes of an instruction
  static constexpr size_t kCommonLabels = 32;  // few blocks have more

  // As opcodes number them.
  enum Operation : uint8_t { kAdd = 0, kOr = 1, kAnd = 4, kSub = 5, kXor = 6, kCmp = 7 };
  static Operation operation(asmjit::InstId id) {
    switch (id) {
      case asmjit::x86::Inst::kIdAdd:
        return kAdd;
      case asmjit::x86::Inst::kIdOr:
        return kOr;
      case asmjit::x86::Inst::kIdAnd:
        return kAnd;
      case asmjit::x86::Inst::kIdSub:
        return kSub;
      case asmjit::x86::Inst::kIdXor:
        return kXor;
      default:
        assert(id == asmjit::x86::Inst::kIdCmp);
        return kCmp;
    }
  }

  struct LabelState {
    int32_t at = kNowhere;         // offset in the code; with a logger asmjit's number of it
    int32_t last_jump = kNowhere;  // offset of a displacement that waits for it, which has the offset of the one before
  };

  bool direct() const { return !logged_ && _bufferEnd - _bufferPtr >= kLongest; }
  int32_t here() const { return static_cast<int32_t>(_bufferPtr - _bufferData); }
  void wrote(uint8_t* end) {
    _bufferPtr = end;
    _section->buffer()._size = static_cast<size_t>(end - _bufferData);
  }
  template <typename T>
  static uint8_t* put(uint8_t* p, T value) {
    std::memcpy(p, &value, sizeof value);
    return p + sizeof value;
  }
  static bool fits8(int64_t value) { return value == static_cast<int8_t>(value); }
  static bool fits32(int64_t value) { return value == static_cast<int32_t>(value); }

  void jump(uint8_t short_opcode, asmjit::InstId id, Label to) {
    LabelState& state = labels_[to.id];
    if (logged_) {
      emit(id, asmjit::Label(static_cast<uint32_t>(state.at)));
      return;
    }
    if (_bufferEnd - _bufferPtr < kLongest && !grow()) return;
    uint8_t* p = _bufferPtr;
    if (state.at != kNowhere) {
      const int32_t distance = state.at - here();
      if (fits8(distance - 2)) {
        *p++ = short_opcode;
        *p++ = static_cast<uint8_t>(distance - 2);
        return wrote(p);
      }
    }
    if (short_opcode == kJmpShort) {
      *p++ = 0xe9;
    } else {
      *p++ = 0x0f;
      *p++ = static_cast<uint8_t>(short_opcode + 0x10);
    }
    const auto at = static_cast<int32_t>(p - _bufferData);
    if (state.at != kNowhere) return wrote(put(p, state.at - (at + 4)));
    p = put(p, state.last_jump);
    state.last_jump = at;
    wrote(p);
  }
  // asmjit makes the buffer larger when it writes and there is no room.
  bool grow() {
    static constexpr uint8_t kNothing[kLongest] = {};
    const size_t before = offset();
    return embed(kNothing, sizeof kNothing) == asmjit::kErrorOk && setOffset(before) == asmjit::kErrorOk;
  }
  void handleError(asmjit::Error, const char*, asmjit::BaseEmitter*) override { failed_ = true; }

  bool leap(uint8_t opcode, uint64_t target) {
    const int64_t distance = static_cast<int64_t>(target - (base_ + offset() + 5));
    if (!direct() || !fits32(distance)) return false;
    uint8_t* p = _bufferPtr;
    *p++ = opcode;
    wrote(put(p, static_cast<int32_t>(distance)));
    return true;
  }

  static uint8_t* rex(uint8_t* p, bool wide, uint32_t reg, uint32_t index, uint32_t base) {
    const auto bits = static_cast<uint8_t>((wide ? 8 : 0) | (reg & 8) >> 1 | (index & 8) >> 2 | (base & 8) >> 3);
    if (bits != 0) *p++ = static_cast<uint8_t>(0x40 | bits);
    return p;
  }

  bool write_registers(uint8_t opcode, bool wide, uint32_t reg, uint32_t rm) {
    if (!direct()) return false;
    uint8_t* p = rex(_bufferPtr, wide, reg, 0, rm);
    *p++ = opcode;
    *p++ = static_cast<uint8_t>(0xc0 | (reg & 7) << 3 | (rm & 7));
    wrote(p);
    return true;
  }
  bool of_registers(uint8_t opcode, const Gp& reg, const Gp& rm) {
    if (reg.size() != rm.size() || reg.size() < 4) return false;
    return write_registers(opcode, reg.size() == 8, reg.id(), rm.id());
  }

  static bool plain(const Mem& mem) {
    return mem.hasBaseReg() && mem.baseType() == asmjit::RegType::kGp64 && !mem.hasSegment() &&
           (!mem.hasIndex() || mem.indexType() == asmjit::RegType::kGp64);
  }
  // Room for an instruction, prefix to address, was asked for.
  static uint8_t* address(uint8_t* p, uint8_t opcode, bool wide, uint32_t reg, const Mem& mem) {
    const uint32_t base = mem.baseId();
    const bool indexed = mem.hasIndex();
    const uint32_t index = indexed ? mem.indexId() : 0;
    p = rex(p, wide, reg, index, base);
    *p++ = opcode;
    const int32_t displacement = mem.offsetLo32();
    const bool none = displacement == 0 && (base & 7) != 5;
    const bool narrow = fits8(displacement);
    const bool has_sib = indexed || (base & 7) == 4;
    *p++ = static_cast<uint8_t>((none ? 0 : narrow ? 0x40 : 0x80) | (reg & 7) << 3 | (has_sib ? 4 : base & 7));
    if (has_sib) *p++ = static_cast<uint8_t>((indexed ? mem.shift() << 6 | (index & 7) << 3 : 0x20) | (base & 7));
    if (none) return p;
    if (!narrow) return put(p, displacement);
    *p++ = static_cast<uint8_t>(displacement);
    return p;
  }
  bool of_memory(uint8_t opcode, const Gp& reg, const Mem& mem) {
    if (!direct() || reg.size() < 4 || !plain(mem)) return false;
    wrote(address(_bufferPtr, opcode, reg.size() == 8, reg.id(), mem));
    return true;
  }
  // Opcode 0x83 stands for the group of arithmetic operations, whose constants may be narrow.
  bool memory_constant(uint8_t opcode, uint32_t extension, const Mem& mem, int64_t value) {
    const uint32_t bytes = mem.size();
    if (!direct() || !plain(mem) || bytes < 4) return false;
    if (bytes == 4 ? value != static_cast<int32_t>(value) : !fits32(value)) return false;
    const bool narrow = opcode == 0x83 && fits8(value);
    const uint8_t first = opcode == 0x83 && !narrow ? 0x81 : opcode;
    uint8_t* p = address(_bufferPtr, first, bytes == 8, extension, mem);
    if (narrow) {
      *p++ = static_cast<uint8_t>(value);
    } else {
      p = put(p, static_cast<int32_t>(value));
    }
    wrote(p);
    return true;
  }
  bool constant(const Gp& to, int64_t value, bool whole) {
    if (!direct() || to.size() < 4) return false;
    const bool wide = to.size() == 8;
    if (!wide && whole) return false;
    uint8_t* p = rex(_bufferPtr, wide, 0, 0, to.id());
    if (wide && !whole && fits32(value)) {
      *p++ = 0xc7;
      *p++ = static_cast<uint8_t>(0xc0 | (to.id() & 7));
      p = put(p, static_cast<int32_t>(value));
    } else {
      *p++ = static_cast<uint8_t>(0xb8 | (to.id() & 7));
      p = wide ? put(p, value) : put(p, static_cast<uint32_t>(value));
    }
    wrote(p);
    return true;
  }

  void operate(asmjit::InstId id, const Gp& to, const auto& with) {
    if (!take(operation(id), to, with)) emit(id, to, with);
  }
  bool take(Operation operation, const Gp& to, const Gp& with) {
    return of_registers(static_cast<uint8_t>(operation << 3 | 1), with, to);
  }
  bool take(Operation operation, const Gp& to, const Mem& with) {
    return of_memory(static_cast<uint8_t>(operation << 3 | 3), to, with);
  }
  bool take(Operation operation, const Gp& to, int32_t with) {
    if (!direct() || to.size() < 4) return false;
    uint8_t* p = rex(_bufferPtr, to.size() == 8, 0, 0, to.id());
    const bool narrow = fits8(with);
    if (!narrow && to.id() == 0) {
      *p++ = static_cast<uint8_t>(operation << 3 | 5);
    } else {
      *p++ = narrow ? 0x83 : 0x81;
      *p++ = static_cast<uint8_t>(0xc0 | operation << 3 | (to.id() & 7));
    }
    if (narrow) {
      *p++ = static_cast<uint8_t>(with);
    } else {
      p = put(p, with);
    }
    wrote(p);
    return true;
  }

  asmjit::CodeHolder* code_;
  uint64_t base_;
  bool logged_;
  bool failed_ = false;
  std::pmr::vector<LabelState> labels_;
};

}  // namespace lockstep::jit
