// SPDX-License-Identifier: Apache-2.0
#include "jit/thunks.h"

#include <asmjit/x86.h>

#include <optional>
#include <string>
#include <utility>

#include "jit/runtime.h"

namespace lockstep::jit {

namespace {

using namespace asmjit::x86;  // NOLINT(google-build-using-namespace): register names

constexpr int32_t kFrame = sizeof(Frame);
constexpr int32_t kBudgetAt = static_cast<int32_t>(offsetof(core::StateHeader, budget)) - kStateBias;
constexpr int32_t kFpFlagsAt = static_cast<int32_t>(offsetof(core::StateHeader, fp_flags)) - kStateBias;
constexpr uint32_t kFlagMask = 0x3d;  // MXCSR's sticky flags but DE, which no RISC-V guest has

// IEEE flags of StateHeader::fp_flags by MXCSR's: NX 1, UF 2, OF 4, DZ 8, NV 16 from PE 32, UE 16, OE 8, ZE 4, IE 1.
constexpr uint8_t ieee_flags(unsigned mxcsr) {
  return static_cast<uint8_t>((mxcsr >> 5 & 1) | (mxcsr >> 4 & 1) << 1 | (mxcsr >> 3 & 1) << 2 | (mxcsr >> 2 & 1) << 3 |
                              (mxcsr & 1) << 4);
}

// Registers that generated code keeps values in.
constexpr unsigned kValueRegisters[] = {0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13};
constexpr bool callee_saved(unsigned id) { return id == 3 || id == 12 || id == 13; }

class Writer {
 public:
  explicit Writer(asmjit::CodeHolder& code) : a(&code), flag_table_(a.newLabel()), leave_(a.newLabel()) {}

  asmjit::x86::Assembler a;
  std::vector<CodeFrame> frames;

  // From here on so many bytes are pushed since the frame was made; nothing: nobody unwinds what follows.
  void pushed(std::optional<uint32_t> bytes) {
    const auto here = static_cast<uint32_t>(a.offset());
    if (!frames.empty() && frames.back().end == 0) frames.back().end = here;
    if (bytes) frames.push_back({here, 0, *bytes});
  }

  // `depth`: bytes pushed since the frame was made.
  static Mem at(size_t offset, int32_t depth = 0) { return ptr(rsp, static_cast<int32_t>(offset) + depth); }
#define FRAME(field) offsetof(Frame, field)

  void merge_flags(int32_t depth) {
    const asmjit::Label none = a.newLabel();
    a.stmxcsr(at(FRAME(saved_mxcsr), depth));
    a.mov(r10d, at(FRAME(saved_mxcsr), depth));
    a.and_(r10d, kFlagMask);
    a.jz(none);
    a.lea(r11, ptr(flag_table_));
    a.movzx(r10d, byte_ptr(r11, r10));
    a.or_(dword_ptr(rbp, kFpFlagsAt), r10d);
    a.bind(none);
    a.ldmxcsr(at(FRAME(host_mxcsr), depth));
  }

  void enter() {
    for (const Gp& reg : {rbx, rbp, r12, r13, r14, r15}) a.push(reg);
    a.sub(rsp, kFrame);
    pushed(0);
    for (size_t offset : {FRAME(runtime), FRAME(fetch), FRAME(jumps), FRAME(guest_mxcsr)}) {
      a.mov(rax, ptr(rdx, static_cast<int32_t>(offset)));  // guest_mxcsr and host_mxcsr are one word
      a.mov(at(offset), rax);
    }
    static_assert(FRAME(host_mxcsr) == FRAME(guest_mxcsr) + 4);
    a.lea(rbp, ptr(rsi, kStateBias));
    a.mov(r14, ptr(rdx, FRAME(data)));
    a.mov(r15, ptr(rbp, kBudgetAt));
    a.ldmxcsr(at(FRAME(guest_mxcsr)));
    a.jmp(rdi);
  }

  void leave() {
    a.bind(leave_);
    pushed(0);
    a.mov(ptr(rbp, kBudgetAt), r15);
    merge_flags(0);
    a.add(rsp, kFrame);
    pushed({});
    for (const Gp& reg : {r15, r14, r13, r12, rbp, rbx}) a.pop(reg);
    a.ret();
  }

  void save_all() {
    pushed(8);
    for (unsigned id : kValueRegisters) a.mov(at(FRAME(gpr) + 8 * id, 8), gpq(id));
    for (unsigned id = 0; id < 16; ++id) a.vmovq(at(FRAME(xmm) + 8 * id, 8), xmm(id));
    a.stmxcsr(at(FRAME(saved_mxcsr), 8));
    a.ldmxcsr(at(FRAME(host_mxcsr), 8));
    a.mov(rdi, at(FRAME(runtime), 8));
  }
  void call(const void* function) {
    a.sub(rsp, 8);
    pushed(16);
    a.mov(rax, reinterpret_cast<uint64_t>(function));
    a.call(rax);
    a.add(rsp, 8);
    pushed(8);
  }
  void restore_all() {
    a.ldmxcsr(at(FRAME(saved_mxcsr), 8));
    for (unsigned id = 0; id < 16; ++id) a.vmovq(xmm(id), at(FRAME(xmm) + 8 * id, 8));
    for (unsigned id : kValueRegisters) {
      if (!callee_saved(id)) a.mov(gpq(id), at(FRAME(gpr) + 8 * id, 8));
    }
    a.ret();
  }
  // Zero: the call did not do it.
  void restore_or_hand_over() {
    const asmjit::Label failed = a.newLabel();
    a.jz(failed);
    restore_all();
    a.bind(failed);
    finish_hand_over();
  }
  void finish_hand_over() {
    a.pop(rsi);
    pushed(0);
    a.mov(rdi, at(FRAME(runtime)));
    a.mov(rdx, rsp);
    a.mov(rax, reinterpret_cast<uint64_t>(&runtime::hand_over));
    a.call(rax);
    a.add(r15, rax);
    a.ldmxcsr(at(FRAME(saved_mxcsr)));
    a.mov(eax, static_cast<uint32_t>(Leave::kHandOver));
    a.jmp(leave_);
  }

  void slow_access(uint32_t size_bytes, core::Access access) {
    save_all();
    a.mov(rsi, at(FRAME(address), 8));
    a.mov(edx, size_bytes);
    a.mov(ecx, static_cast<uint32_t>(access));
    call(reinterpret_cast<const void*>(&runtime::probe));
    a.mov(at(FRAME(lost), 8), rax);
    a.test(al, 1);
    restore_or_hand_over();
  }
  void on_frame(const void* function, bool may_hand_over) {
    save_all();
    a.lea(rsi, ptr(rsp, 8));
    call(function);
    if (may_hand_over) {
      a.test(al, al);
      restore_or_hand_over();
    } else {
      restore_all();
    }
  }

  void hand_over() {
    save_all();
    finish_hand_over();
  }

  void merge_flags_here() {
    pushed(8);
    a.mov(at(FRAME(gpr) + 8 * 10, 8), r10);
    a.mov(at(FRAME(gpr) + 8 * 11, 8), r11);
    merge_flags(8);
    a.ldmxcsr(at(FRAME(guest_mxcsr), 8));
    a.mov(r10, at(FRAME(gpr) + 8 * 10, 8));
    a.mov(r11, at(FRAME(gpr) + 8 * 11, 8));
    a.ret();
  }

  void call_helper() {
    pushed(8);
    merge_flags(8);
    a.sub(rsp, 8);
    pushed(16);
    a.call(rax);
    a.add(rsp, 8);
    pushed(8);
    a.ldmxcsr(at(FRAME(guest_mxcsr), 8));
    a.ret();
  }

  void flag_table() {
    pushed({});
    a.bind(flag_table_);
    for (unsigned mxcsr = 0; mxcsr <= kFlagMask; ++mxcsr) a.db(ieee_flags(mxcsr));
  }
#undef FRAME

 private:
  asmjit::Label flag_table_;
  asmjit::Label leave_;
};

constexpr uint64_t kNominalDistance = 1u << 20;

}  // namespace

core::Result<Thunks> Thunks::make(CodeCache& cache) {
  asmjit::CodeHolder code;
  code.init(asmjit::Environment::host(), reinterpret_cast<uint64_t>(cache.next_address()));
  Writer w(code);
  Thunks thunks;
  const uint8_t* base = cache.next_address();
  thunks.nominal_base = reinterpret_cast<uint64_t>(base) + kNominalDistance;
  const auto begin = [&](std::string name) {
    w.a.align(asmjit::AlignMode::kCode, 16);
    const auto offset = static_cast<uint32_t>(w.a.offset());
    std::vector<CodeSymbol>& symbols = thunks.piece.symbols;
    if (!symbols.empty()) symbols.back().size_bytes = offset - symbols.back().offset;
    symbols.push_back({"lockstep_jit_" + std::move(name), offset, 0});
    return base + offset;
  };
  thunks.enter = reinterpret_cast<Enter>(begin("enter"));
  w.enter();
  thunks.leave = begin("leave");
  w.leave();
  for (unsigned log2 = 0; log2 < 4; ++log2) {
    const std::string bits = std::to_string(8u << log2);
    thunks.slow_load[log2] = begin("slow_load_" + bits);
    w.slow_access(1u << log2, core::Access::kLoad);
    thunks.slow_store[log2] = begin("slow_store_" + bits);
    w.slow_access(1u << log2, core::Access::kStore);
  }
  thunks.hand_over = begin("hand_over");
  w.hand_over();
  thunks.atomic = begin("atomic");
  w.on_frame(reinterpret_cast<const void*>(&runtime::atomic), true);
  thunks.fp = begin("fp");
  w.on_frame(reinterpret_cast<const void*>(&runtime::fp), false);
  thunks.fold = begin("fold");
  w.on_frame(reinterpret_cast<const void*>(&runtime::fold), false);
  thunks.merge_flags = begin("merge_flags");
  w.merge_flags_here();
  thunks.call = begin("call");
  w.call_helper();
  thunks.piece.symbols.back().size_bytes = static_cast<uint32_t>(w.a.offset()) - thunks.piece.symbols.back().offset;
  w.flag_table();
  if (code.flatten() != asmjit::kErrorOk || code.resolveUnresolvedLinks() != asmjit::kErrorOk) {
    return core::Error{"the fixed pieces of generated code cannot be assembled: use the interpreter engine"};
  }
  const asmjit::CodeBuffer& buffer = code.textSection()->buffer();
  thunks.piece.code = {cache.add({buffer.data(), buffer.size()}), buffer.size()};
  thunks.piece.frames = std::move(w.frames);
  cache.seal_fixed_part();
  return thunks;
}

}  // namespace lockstep::jit
