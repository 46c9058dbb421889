// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <iterator>

#include "core/fp/fp.h"
#include "core/interpreter/threaded_interpreter.h"
#include "core/interpreter/wide.h"
#include "core/ir/fold.h"
#include "core/ir/fp_semantics.h"

namespace lockstep::core {

#define R(i) (*reinterpret_cast<uint64_t*>(base + size_t{8} * (i)))
#define NEXT            \
  do {                  \
    ++ip;               \
    goto * ip->handler; \
  } while (0)
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ALU2(name, expression)                    \
  h_##name##_rr : {                               \
    const uint64_t a = R(ip->a), b = R(ip->b);    \
    R(ip->d) = static_cast<uint64_t>(expression); \
  }                                               \
  NEXT;                                           \
  h_##name##_ri : {                               \
    const uint64_t a = R(ip->a), b = ip->imm;     \
    R(ip->d) = static_cast<uint64_t>(expression); \
  }                                               \
  NEXT;
#define ALU1(name, expression)                    \
  h_##name##_rr : {                               \
    const uint64_t a = R(ip->a), b = R(ip->b);    \
    R(ip->d) = static_cast<uint64_t>(expression); \
  }                                               \
  NEXT;
#define UNARY(name, expression)                   \
  h_##name : {                                    \
    const uint64_t a = R(ip->a);                  \
    R(ip->d) = static_cast<uint64_t>(expression); \
  }                                               \
  NEXT;

#define CHAIN(k)                                               \
  do {                                                         \
    Link& link = block->links[k];                              \
    CodeBlock* target = link.target;                           \
    if (LIKELY(state->budget >= target->count)) {              \
      if (LIKELY(!link.check_page) || still_mapped(*target)) { \
        state->budget -= target->count;                        \
        block = target;                                        \
        ip = target->entry;                                    \
        goto * ip->handler;                                    \
      }                                                        \
    } else {                                                   \
      pending_link_ = &link;                                   \
    }                                                          \
    state->pc = link.pc;                                       \
    return;                                                    \
  } while (0)

#define BRANCH(name, expression)               \
  h_##name##_rr : {                            \
    const uint64_t a = R(ip->a), b = R(ip->b); \
    if (expression) CHAIN(0);                  \
    CHAIN(1);                                  \
  }                                            \
  h_##name##_ri : {                            \
    const uint64_t a = R(ip->a), b = ip->imm;  \
    if (expression) CHAIN(0);                  \
    CHAIN(1);                                  \
  }

// The trap has been entered: instructions behind this one have not begun.
#define TRAPPED                                            \
  do {                                                     \
    state->budget += static_cast<int64_t>(state->unbegun); \
    state->unbegun = 0;                                    \
    state->trapped = 0;                                    \
    return;                                                \
  } while (0)

#define AFTER_SLOW                               \
  do {                                           \
    state->unbegun = 0;                          \
    if (UNLIKELY(leave_now()) && !finishing_) {  \
      ip = finish_instruction(block, ip, ip->c); \
      goto * ip->handler;                        \
    }                                            \
    NEXT;                                        \
  } while (0)

#define LOAD(name, ctype, wide)                                                                                     \
  h_##name : {                                                                                                      \
    const uint64_t vaddr = R(ip->a) + ip->imm;                                                                      \
    ctype value;                                                                                                    \
    if (LIKELY(data->hits(0, vaddr, sizeof(ctype)))) {                                                              \
      std::memcpy(&value, reinterpret_cast<const void*>(vaddr + data->addends[0][tlb_index(vaddr)]), sizeof value); \
      R(ip->d) = static_cast<uint64_t>(static_cast<wide>(value));                                                   \
      NEXT;                                                                                                         \
    }                                                                                                               \
    begin_slow(block, ip->c);                                                                                       \
    if (!memory_.load(vaddr, sizeof value, 0, &value)) TRAPPED;                                                     \
    R(ip->d) = static_cast<uint64_t>(static_cast<wide>(value));                                                     \
    AFTER_SLOW;                                                                                                     \
  }

#define STORE(name, ctype)                                                                                    \
  h_##name : {                                                                                                \
    const uint64_t vaddr = R(ip->a) + ip->imm;                                                                \
    const ctype value = static_cast<ctype>(R(ip->b));                                                         \
    if (LIKELY(data->hits(1, vaddr, sizeof(ctype)))) {                                                        \
      std::memcpy(reinterpret_cast<void*>(vaddr + data->addends[1][tlb_index(vaddr)]), &value, sizeof value); \
      NEXT;                                                                                                   \
    }                                                                                                         \
    begin_slow(block, ip->c);                                                                                 \
    if (!memory_.store(vaddr, sizeof value, 0, &value)) TRAPPED;                                              \
    AFTER_SLOW;                                                                                               \
  }

#define ROUNDING(imm) \
  static_cast<fp::RoundingMode>((imm) == ir::kRoundDynamic ? state->fp_rounding : static_cast<uint32_t>(imm))
#define FP2(name, function, ctype)                                                                                    \
  h_##name : {                                                                                                        \
    R(ip->d) =                                                                                                        \
        fp::function(static_cast<ctype>(R(ip->a)), static_cast<ctype>(R(ip->b)), ROUNDING(ip->imm), state->fp_flags); \
  }                                                                                                                   \
  NEXT;
#define FP3(name, function, ctype)                                                                                    \
  h_##name : {                                                                                                        \
    R(ip->d) = fp::function(static_cast<ctype>(R(ip->a)), static_cast<ctype>(R(ip->b)), static_cast<ctype>(R(ip->c)), \
                            ROUNDING(ip->imm), state->fp_flags);                                                      \
  }                                                                                                                   \
  NEXT;
#define FPCMP(name, function, ctype)                                                                                   \
  h_##name : { R(ip->d) = fp::function(static_cast<ctype>(R(ip->a)), static_cast<ctype>(R(ip->b)), state->fp_flags); } \
  NEXT;

__attribute__((optimize("no-gcse", "no-crossjumping"))) void ThreadedInterpreter::execute(CodeBlock* block) {
  if (block == nullptr) {
    static const void* const kLabels[] = {
#define BC(name) &&h_##name,
#define BC1(name) &&h_##name##_rr,
#define BC2(name) &&h_##name##_rr, &&h_##name##_ri,
#include "core/interpreter/bytecode.def"
#undef BC
#undef BC1
#undef BC2
    };
    std::copy(std::begin(kLabels), std::end(kLabels), handlers_);
    return;
  }
  StateHeader* const state = &state_;
  auto* const base = reinterpret_cast<uint8_t*>(state);
  TlbContext* data = &hart_.tlb().data();
  const Cell* ip = block->entry;
  goto * ip->handler;

  ALU2(add, a + b)
  ALU2(sub, a - b)
  ALU2(mul, a * b)
  ALU2(and, a & b)
  ALU2(or, a | b)
  ALU2(xor, a ^ b)
  ALU2(shl, a << (b & 63))
  ALU2(shr, a >> (b & 63))
  ALU2(sar, static_cast<int64_t>(a) >> (b & 63))
  ALU2(rotl, std::rotl(a, static_cast<int>(b & 63)))
  ALU2(rotr, std::rotr(a, static_cast<int>(b & 63)))
  ALU1(mulhu, static_cast<unsigned __int128>(a) * b >> 64)
  ALU1(mulhs, static_cast<__int128>(static_cast<int64_t>(a)) * static_cast<int64_t>(b) >> 64)
  ALU1(mulhsu, static_cast<__int128>(static_cast<int64_t>(a)) * static_cast<__int128>(b) >> 64)
  ALU1(divu, b == 0 ? ~uint64_t{0} : a / b)
  ALU1(divs, b == 0              ? ~uint64_t{0}
             : b == ~uint64_t{0} ? 0 - a
                                 : static_cast<uint64_t>(static_cast<int64_t>(a) / static_cast<int64_t>(b)))
  ALU1(remu, b == 0 ? a : a % b)
  ALU1(rems, b == 0              ? a
             : b == ~uint64_t{0} ? 0
                                 : static_cast<uint64_t>(static_cast<int64_t>(a) % static_cast<int64_t>(b)))
  ALU1(minu, a < b ? a : b)
  ALU1(mins, static_cast<int64_t>(a) < static_cast<int64_t>(b) ? a : b)
  ALU1(maxu, a > b ? a : b)
  ALU1(maxs, static_cast<int64_t>(a) > static_cast<int64_t>(b) ? a : b)
  UNARY(not, ~a)
  UNARY(clz, std::countl_zero(a))
  UNARY(ctz, std::countr_zero(a))
  UNARY(popcnt, std::popcount(a))
  UNARY(bswap, __builtin_bswap64(a))
  UNARY(orcb, *ir::fold_unary(ir::Op::kOrcB, ir::Type::kI64, a))
  ALU2(addw, static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(a + b))))
  ALU2(subw, static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(a - b))))
  ALU2(mulw, static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(a * b))))
  ALU2(shlw, static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(a) << (b & 31))))
  ALU2(shrw, static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(a) >> (b & 31))))
  ALU2(sarw, static_cast<int64_t>(static_cast<int32_t>(a) >> (b & 31)))
  ALU2(eq, a == b)
  ALU2(ne, a != b)
  ALU2(ltu, a < b)
  ALU2(lts, static_cast<int64_t>(a) < static_cast<int64_t>(b))
  ALU2(geu, a >= b)
  ALU2(ges, static_cast<int64_t>(a) >= static_cast<int64_t>(b))
h_select:
  R(ip->d) = R(ip->a) & 1 ? R(ip->b) : R(ip->c);
  NEXT;
  UNARY(mov, a)
h_movi:
  R(ip->d) = ip->imm;
  NEXT;
  UNARY(zext1, a & 1)
  UNARY(zext8, a & 0xff)
  UNARY(zext16, a & 0xffff)
  UNARY(zext32, static_cast<uint32_t>(a))
  UNARY(sext8, static_cast<int64_t>(static_cast<int8_t>(a)))
  UNARY(sext16, static_cast<int64_t>(static_cast<int16_t>(a)))
  UNARY(sext32, static_cast<int64_t>(static_cast<int32_t>(a)))
h_scalar1:
  R(ip->d) = run_scalar1(ip->imm, R(ip->a));
  NEXT;
h_scalar2:
  R(ip->d) = run_scalar2(ip->imm, R(ip->a), R(ip->b));
  NEXT;
h_scalar3:
  R(ip->d) = run_scalar3(ip->imm, R(ip->a), R(ip->b), R(ip->c));
  NEXT;
h_wide:
  begin_slow(block, ip->c);
  if (!run_wide(block->wide[ip->imm], state_, memory_)) TRAPPED;
  AFTER_SLOW;

#define GET(bits)                                             \
  h_get##bits : {                                             \
    uint##bits##_t value;                                     \
    std::memcpy(&value, base + ip->imm, sizeof value);        \
    R(ip->d) = value;                                         \
  }                                                           \
  NEXT;                                                       \
  h_set##bits : {                                             \
    const auto value = static_cast<uint##bits##_t>(R(ip->a)); \
    std::memcpy(base + ip->imm, &value, sizeof value);        \
  }                                                           \
  NEXT;
  GET(8)
  GET(16)
  GET(32)
  GET(64)

  LOAD(ldu8, uint8_t, uint64_t)
  LOAD(lds8, int8_t, int64_t)
  LOAD(ldu16, uint16_t, uint64_t)
  LOAD(lds16, int16_t, int64_t)
  LOAD(ldu32, uint32_t, uint64_t)
  LOAD(lds32, int32_t, int64_t)
  LOAD(ld64, uint64_t, uint64_t)
  STORE(st8, uint8_t)
  STORE(st16, uint16_t)
  STORE(st32, uint32_t)
  STORE(st64, uint64_t)
h_load_any : {
  uint64_t value = 0;
  begin_slow(block, ip->c);
  if (!memory_.load(R(ip->a), ip->b, ip->imm, &value)) TRAPPED;
  R(ip->d) = value;
  AFTER_SLOW;
}
h_store_any : {
  const uint64_t value = R(ip->b);
  begin_slow(block, ip->c);
  if (!memory_.store(R(ip->a), ip->d, ip->imm, &value)) TRAPPED;
  AFTER_SLOW;
}
h_load_reserved : {
  uint64_t value = 0;
  begin_slow(block, ip->c);
  if (!memory_.load_reserved(R(ip->a), ip->b, ip->imm, &value)) TRAPPED;
  R(ip->d) = value;
  AFTER_SLOW;
}
h_store_conditional : {
  uint64_t failed = 0;
  begin_slow(block, ip->c);
  if (!memory_.store_conditional(R(ip->a), static_cast<unsigned>(ip->imm >> 32), ip->imm & 0xffffffff, &R(ip->b),
                                 failed)) {
    TRAPPED;
  }
  R(ip->d) = failed;
  AFTER_SLOW;
}
h_rmw : {
  uint64_t old = 0;
  begin_slow(block, ip->c);
  if (!memory_.rmw(static_cast<ir::RmwOp>(ip->imm >> 32 & 0xff), R(ip->a), static_cast<ir::Type>(ip->imm >> 40),
                   ip->imm & 0xffffffff, R(ip->b), old)) {
    TRAPPED;
  }
  R(ip->d) = old;
  AFTER_SLOW;
}
h_fence:
  if (hart_.concurrent()) std::atomic_thread_fence(std::memory_order_seq_cst);
  NEXT;

  FP2(fadd32, f32_add, uint32_t)
  FP2(fsub32, f32_sub, uint32_t)
  FP2(fmul32, f32_mul, uint32_t)
  FP2(fdiv32, f32_div, uint32_t)
  FP2(fadd64, f64_add, uint64_t)
  FP2(fsub64, f64_sub, uint64_t)
  FP2(fmul64, f64_mul, uint64_t)
  FP2(fdiv64, f64_div, uint64_t)
  FP3(fma32, f32_fma, uint32_t)
  FP3(fma64, f64_fma, uint64_t)
  FPCMP(feq32, f32_eq, uint32_t)
  FPCMP(flt32, f32_lt, uint32_t)
  FPCMP(fle32, f32_le, uint32_t)
  FPCMP(feq64, f64_eq, uint64_t)
  FPCMP(flt64, f64_lt, uint64_t)
  FPCMP(fle64, f64_le, uint64_t)
h_fp_any:
  R(ip->d) =
      ir::run_fp(ir::FpOperation::unpack(ip->imm), R(ip->a), R(ip->b), R(ip->c), state->fp_rounding, state->fp_flags);
  NEXT;

h_call : {
  begin_slow(block, ip->c);
  const Cell& arguments = ip[1];
  const auto function = reinterpret_cast<HelperFunction>(ip->imm);
  const uint64_t result = function(hart_, R(arguments.d), R(arguments.a), R(arguments.b), R(arguments.c));
  if (UNLIKELY(state->trapped)) TRAPPED;
  if (ip->a) R(ip->d) = result;
  state->unbegun = 0;
  data = &hart_.tlb().data();
  ++ip;  // the arguments' cell
  if (UNLIKELY(leave_now()) && !finishing_) {
    ip = finish_instruction(block, ip, ip[-1].c);
    goto * ip->handler;
  }
  NEXT;
}

h_cover:
  reinterpret_cast<CodeRecord*>(ip->imm)->reach(ip->d);
  NEXT;
h_count:
  ++*reinterpret_cast<uint64_t*>(ip->imm);
  NEXT;

  BRANCH(beq, a == b)
  BRANCH(bne, a != b)
  BRANCH(bltu, a < b)
  BRANCH(blts, static_cast<int64_t>(a) < static_cast<int64_t>(b))
  BRANCH(bgeu, a >= b)
  BRANCH(bges, static_cast<int64_t>(a) >= static_cast<int64_t>(b))
h_btrue:
  if (R(ip->a) & 1) CHAIN(0);
  CHAIN(1);
h_exit_if:
  if (R(ip->a) & 1) {
    begin_slow(block, ip->c);
    state->pc = ip->imm;
    state->budget += static_cast<int64_t>(state->unbegun);
    state->unbegun = 0;
    return;
  }
  NEXT;
h_jump:
  CHAIN(0);
h_jump_ind : {
  const uint64_t pc = R(ip->a);
  CodeBlock* target = cache_.jump_cache(pc);
  if (LIKELY(target->pc == pc && target->code_key == code_key_ && state->budget >= target->count &&
             options_.block_links && still_mapped(*target))) {
    state->budget -= target->count;
    block = target;
    ip = target->entry;
    goto * ip->handler;
  }
  state->pc = pc;
  return;
}
h_exit:
  state->pc = ip->imm;
  return;
h_exit_ind:
  state->pc = R(ip->a);
  return;
}

}  // namespace lockstep::core
