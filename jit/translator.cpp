// SPDX-License-Identifier: Apache-2.0
#include "jit/translator.h"

#include <algorithm>
#include <bit>

#include "core/ir/fold.h"
#include "jit/singles.h"

namespace lockstep::jit {

using core::ir::Effect;
using core::ir::kNoValue;
using core::ir::op_info;
using core::ir::type_bits;
using core::ir::type_bytes;

namespace {
// General registers for values, those that calls preserve last.
constexpr int kPool[] = {0, 1, 2, 6, 7, 8, 9, 10, 11, 3, 12, 13};
// Of each kind; most blocks have no more.
constexpr size_t kCommonNotes = 16;
}  // namespace

Translator::Translator(const Input& input, asmjit::CodeHolder& code, Unit& unit)
    : input_(input),
      a_(&code, &notes_),
      unit_(unit),
      words_(input.state_words, &notes_),
      pin_of_(input.state_words, kNone, &notes_) {
  active_.reserve(kCommonNotes);
  hand_overs_.reserve(kCommonNotes);
  state_homes_.reserve(kCommonNotes);
  slow_paths_.reserve(kCommonNotes);
  for (size_t k = 0; k < input.pins.size(); ++k) {
    pin_of_[input.pins[k].word] = static_cast<int>(k);
    homes_ |= uint64_t{1} << input.pins[k].home;
  }
}

bool Translator::run() {
  begin_unit();
  for (current_ = 0; current_ < input_.blocks.size(); ++current_) {
    if (!translate_block()) return false;
  }
  finish();
  return !failed_ && !a_.failed();
}

bool Translator::translate_block() {
  region_block_ = &input_.blocks[current_];
  block_ = &region_block_->ir;
  find_groups();
  places_.assign(block_->insts.size() + access_groups_.groups.size(), Place{});
  drop_bindings();
  registers_.fill(Register{});
  free_spills_.clear();
  spills_ = 0;
  begun_ = 0;
  check_exit_request_ = false;
  for (const Pin& pin : input_.pins) bind(pin.word, pin.home, pin.written);
  count_uses();
  find_homes();
  begin_block();
  for (index_ = 0; index_ < block_->insts.size(); ++index_) {
    const Inst& i = block_->insts[index_];
    if (op_info(i.op).effect == Effect::kPure && places_[index_].uses == 0) continue;
    locked_ = 0;
    if (!emit(i) || failed_) return false;
  }
  return true;
}

bool Translator::is_idle(int reg) const {
  const Register& r = registers_[static_cast<size_t>(reg)];
  return r.words == 0 && (r.value == kNoValue || places_[r.value].uses == 0);
}

int Translator::allocate(bool vector) {
  const auto usable = [&](int reg) { return (locked_ >> reg & 1) == 0; };
  const unsigned count = vector ? 16 : static_cast<unsigned>(std::size(kPool));
  const auto at = [&](unsigned k) { return vector ? kFirstXmm + static_cast<int>(k) : kPool[k]; };
  for (unsigned k = 0; k < count; ++k) {
    if (usable(at(k)) && is_idle(at(k))) {
      registers_[static_cast<size_t>(at(k))].value = kNoValue;
      registers_[static_cast<size_t>(at(k))].narrow = false;
      lock(at(k));
      return at(k);
    }
  }
  int best = kNone;
  int best_cost = 1 << 20;
  for (unsigned n = 0; n < count; ++n) {
    const int reg = at((next_victim_ + n) % count);
    if (!usable(reg)) continue;
    const Register& r = registers_[static_cast<size_t>(reg)];
    int cost = r.value != kNoValue && places_[r.value].uses > 0 ? 10 : 0;
    if (homes_ >> reg & 1) cost += 4;  // it would have to come back
    for (unsigned word : active_) cost += words_[word].reg == reg && words_[word].dirty ? 3 : 0;
    if (cost < best_cost) {
      best = reg;
      best_cost = cost;
    }
  }
  next_victim_ = (next_victim_ + 1) % count;
  if (best == kNone) {
    failed_ = true;
    return at(0);
  }
  evict(best);
  lock(best);
  return best;
}

void Translator::store_word(unsigned word, const Word& w) {
  const Mem to = state(8 * word);
  if (!w.constant) {
    if (w.reg >= kFirstXmm) {
      a_.vmovq(to, vec(w.reg));
    } else {
      if (w.narrow) a_.movsxd(gp(w.reg), gp32(w.reg));
      a_.mov(to, gp(w.reg));
    }
  } else if (fits32(w.imm)) {
    Mem whole = to;
    whole.setSize(8);
    a_.mov(whole, static_cast<int64_t>(w.imm));
  } else {
    for (unsigned half = 0; half < 2; ++half) {
      Mem part = state(8 * word + 4 * half);
      part.setSize(4);
      a_.mov(part, static_cast<uint32_t>(w.imm >> (32 * half)));
    }
  }
}

void Translator::drop_words(int reg) {
  for (size_t k = 0; k < active_.size();) {
    Word& word = words_[active_[k]];
    if (word.reg != reg) {
      ++k;
      continue;
    }
    if (word.dirty) {
      widen(reg);
      store_word(active_[k], word);
    }
    word = Word{};
    --registers_[static_cast<size_t>(reg)].words;
    active_[k] = active_.back();
    active_.pop_back();
  }
}

int Translator::lasting_word(int reg, Value last) const {
  for (unsigned word : active_) {
    if (words_[word].reg != reg) continue;
    Value k = index_;
    for (; k <= last; ++k) {
      const Inst& i = inst(k);
      if (i.op == Op::kSet && i.imm / 8 <= word && word <= (i.imm + type_bytes(i.operand_type) - 1) / 8) break;
      if (i.op == Op::kCall && (input_.helpers[i.imm].effects & core::kHelperWritesState) != 0) break;
    }
    if (k > last) return static_cast<int>(word);
  }
  return kNone;
}

void Translator::evict(int reg) {
  Register& r = registers_[static_cast<size_t>(reg)];
  if (r.value != kNoValue && places_[r.value].uses > 0 && !places_[r.value].keeps_word) {
    const int word = r.words > 0 ? lasting_word(reg, places_[r.value].last) : kNone;
    places_[r.value].keeps_word = word != kNone;
    places_[r.value].word = static_cast<unsigned>(std::max(word, 0));
  }
  drop_words(reg);
  if (r.value != kNoValue) {
    Place& place = places_[r.value];
    if (place.keeps_word) {
      place.in_state = true;
    } else if (place.uses > 0 && place.spill == kNone && !place.constant) {
      if (free_spills_.empty()) {
        if (spills_ == static_cast<int>(Frame::kSpills)) {
          failed_ = true;
          return;
        }
        free_spills_.push_back(spills_++);
      }
      place.spill = free_spills_.back();
      free_spills_.pop_back();
      const Mem to = frame(offsetof(Frame, spill) + 8 * static_cast<size_t>(place.spill));
      widen(reg);
      if (reg >= kFirstXmm) {
        a_.vmovq(to, vec(reg));
      } else {
        a_.mov(to, gp(reg));
      }
    }
    place.reg = kNone;
  }
  r.value = kNoValue;
  r.narrow = false;
}

void Translator::widen(int reg) {
  Register& r = registers_[static_cast<size_t>(reg)];
  if (!r.narrow) return;
  a_.movsxd(gp(reg), gp32(reg));
  r.narrow = false;
}

bool Translator::is_narrow(Value v) const {
  const Place& place = places_[resolve(v)];
  return place.reg != kNone && registers_[static_cast<size_t>(place.reg)].narrow;
}

Translator::Word Translator::noted(unsigned word) const {
  Word w = words_[word];
  w.narrow = w.reg != kNone && registers_[static_cast<size_t>(w.reg)].narrow;
  return w;
}

void Translator::unbind(unsigned word) {
  Word& w = words_[word];
  if (w.reg == kNone && !w.constant) return;
  if (w.reg != kNone) --registers_[static_cast<size_t>(w.reg)].words;
  w = Word{};
  std::erase(active_, word);
}

void Translator::bind(unsigned word, int reg, bool dirty) {
  unbind(word);
  words_[word].reg = reg;
  words_[word].dirty = dirty;
  ++registers_[static_cast<size_t>(reg)].words;
  active_.push_back(word);
}

void Translator::flush() {
  for (unsigned word : active_) {
    if (!words_[word].dirty) continue;
    if (words_[word].reg != kNone) widen(words_[word].reg);
    store_word(word, words_[word]);
    words_[word].dirty = false;
  }
}

void Translator::note_dirty(SideExit& exit) {
  exit.first_word = static_cast<uint32_t>(side_words_.size());
  for (unsigned word : active_) {
    if (words_[word].dirty) side_words_.emplace_back(word, noted(word));
  }
  exit.words = static_cast<uint32_t>(side_words_.size()) - exit.first_word;
}

void Translator::drop_bindings() {
  while (!active_.empty()) unbind(active_.back());
}

void Translator::move_const(int reg, uint64_t value) {
  if (value <= 0xffffffff) {
    a_.mov(gp32(reg), static_cast<uint32_t>(value));
  } else {
    a_.mov(gp(reg), static_cast<int64_t>(value));
  }
}

int Translator::use(Value v) {
  const int reg = use_narrow(v);
  if (v >= block_->insts.size() || type_bits(inst(v).type) == 64) widen(reg);
  return reg;
}

int Translator::use_narrow(Value v) {
  v = resolve(v);
  Place& place = places_[v];
  if (place.reg != kNone && place.reg < kFirstXmm) {
    lock(place.reg);
    return place.reg;
  }
  const int reg = allocate(false);
  if (place.constant) {
    move_const(reg, place.imm);
    return reg;
  }
  if (place.reg != kNone) {
    a_.vmovq(gp(reg), vec(place.reg));
    return reg;
  }
  if (place.in_state) {
    a_.mov(gp(reg), state(8 * place.word));
    place.in_state = false;
  } else {
    a_.mov(gp(reg), frame(offsetof(Frame, spill) + 8 * static_cast<size_t>(place.spill)));
  }
  set_register(v, reg);
  return reg;
}

asmjit::Operand Translator::use_operand(Value v, Type type) {
  const Place& place = places_[resolve(v)];
  if (!place.in_state) return sized(use(v), type);
  Mem where = state(8 * place.word);
  where.setSize(type_bits(type) / 8);
  return where;
}

// A word that is asked for once, as the second operand of the same guest instruction, is an operand in memory there.
bool Translator::folds_into_user(const Inst& get) const {
  const Place* place = &places_[index_];
  if (place->uses != 1) return false;
  Value value = index_;
  Value user = place->user;
  if (inst(user).op == Op::kTrunc && inst(user).type == Type::kI32) {
    value = user;
    place = &places_[user];
    if (place->uses != 1) return false;
    user = place->user;
  }
  const Inst& i = inst(user);
  if (i.operands != 2 || i.args[1] != value || i.args[0] == value) return false;
  const bool takes_memory = i.op == Op::kAdd || i.op == Op::kSub || i.op == Op::kAnd || i.op == Op::kOr ||
                            i.op == Op::kXor || i.op == Op::kMul;
  if (!takes_memory || type_bits(i.type) < 32) return false;
  for (Value k = index_ + 1; k < user; ++k) {
    const Inst& between = inst(k);
    if (observes_state(between.op) || (between.op == Op::kSet && between.imm / 8 == get.imm / 8)) return false;
  }
  return true;
}

int Translator::use_vector(Value v) {
  v = resolve(v);
  Place& place = places_[v];
  if (place.reg >= kFirstXmm) {
    lock(place.reg);
    return place.reg;
  }
  const int reg = allocate(true);
  if (place.constant) {
    const int temp = allocate(false);
    move_const(temp, place.imm);
    a_.vmovq(vec(reg), gp(temp));
  } else if (place.reg != kNone) {
    widen(place.reg);
    a_.vmovq(vec(reg), gp(place.reg));
  } else if (place.in_state) {
    a_.vmovq(vec(reg), state(8 * place.word));
    place.in_state = false;
    set_register(v, reg);
  } else {
    a_.vmovq(vec(reg), frame(offsetof(Frame, spill) + 8 * static_cast<size_t>(place.spill)));
    set_register(v, reg);
  }
  return reg;
}

void Translator::set_register(Value v, int reg) {
  places_[v].reg = reg;
  registers_[static_cast<size_t>(reg)].value = v;
}

void Translator::consume(Value v) {
  Place& place = places_[resolve(v)];
  if (place.uses == 0 || --place.uses > 0) return;
  if (place.spill != kNone) {
    free_spills_.push_back(place.spill);
    place.spill = kNone;
  }
}

int Translator::temporary() { return allocate(false); }

void Translator::move_register(int to, int from) {
  if (to >= kFirstXmm) {
    from >= kFirstXmm ? a_.vmovaps(vec(to), vec(from)) : a_.vmovq(vec(to), gp(from));
  } else if (from >= kFirstXmm) {
    a_.vmovq(gp(to), vec(from));
  } else {
    a_.mov(gp(to), gp(from));
  }
}

int Translator::take_home(int reuse) {
  const int home = places_[index_].home;
  if (home == kNone || (home != reuse && (locked_ >> home & 1))) return kNone;
  const Register& r = registers_[static_cast<size_t>(home)];
  if (r.value != kNoValue && places_[r.value].reg == home && places_[r.value].uses > 0) return kNone;
  const auto pin = std::find_if(input_.pins.begin(), input_.pins.end(), [&](const Pin& p) { return p.home == home; });
  const bool holds_old = words_[pin->word].reg == home;
  if (r.words != (holds_old ? 1u : 0u)) return kNone;
  // The old value is about to be overwritten and nobody sees it before.
  if (holds_old) unbind(pin->word);
  return home;
}

int Translator::define(int reuse) {
  int reg = places_[index_].home < kFirstXmm ? take_home(reuse) : kNone;
  if (reg == kNone) reg = reuse != kNone && reuse < kFirstXmm && is_idle(reuse) ? reuse : allocate(false);
  Register& r = registers_[static_cast<size_t>(reg)];
  if (r.value != kNoValue && places_[r.value].reg == reg) places_[r.value].reg = kNone;
  r.narrow = false;
  set_register(index_, reg);
  lock(reg);
  return reg;
}

int Translator::define_vector(int reuse) {
  int reg = places_[index_].home >= kFirstXmm ? take_home(reuse) : kNone;
  if (reg == kNone) reg = reuse >= kFirstXmm && is_idle(reuse) ? reuse : allocate(true);
  Register& r = registers_[static_cast<size_t>(reg)];
  if (r.value != kNoValue && places_[r.value].reg == reg) places_[r.value].reg = kNone;
  set_register(index_, reg);
  lock(reg);
  return reg;
}

// The current value is the same bits as `of`; the use that this was is handed to its users.
void Translator::define_alias(Value of) {
  of = resolve(of);
  places_[index_].alias = of;
  places_[of].uses += places_[index_].uses;
  places_[of].last = std::max(places_[of].last, places_[index_].last);
}

void Translator::define_const(uint64_t value) {
  places_[index_].constant = true;
  places_[index_].lazy = false;
  places_[index_].imm = value;
}

bool Translator::emit(const Inst& i) {
  // Its operands came by here before.
  if (type_bits(i.type) > 64 || type_bits(i.operand_type) > 64) return false;
  switch (i.op) {
    case Op::kConst:
      define_const(core::ir::mask_to(i.type, i.imm));
      return true;
    case Op::kGet:
      emit_get(i);
      return true;
    case Op::kSet:
      return emit_set(i);
    case Op::kInsn:
      if (check_exit_request_) {
        check_exit_request_ = false;
        SideExit exit{a_.new_label(), i.imm, block_->guest_instructions - begun_, false};
        note_dirty(exit);
        Mem request = header(offsetof(core::StateHeader, exit_request));
        request.setSize(4);
        a_.cmp(request, 0);
        a_.jne(exit.entry);
        add_side_exit(exit);
      }
      a_.commentf("; insn %#llx", static_cast<unsigned long long>(i.imm));
      insn_pc_ = i.imm;
      ++begun_;
      if (begun_ == block_->guest_instructions && input_.coverage == core::Coverage::kCovered &&
          tells_coverage(*region_block_)) {
        write_cell(current_, begun_, false);
      }
      return true;
    case Op::kFenceTso:
      return true;  // the host orders all but stores before loads by itself
    case Op::kFence:
      // Nobody else runs, or a locked operation drains the host's store buffer.
      if (input_.hart.concurrent()) fence();
      return true;
    case Op::kLoad:
      return emit_load(i);
    case Op::kStore:
      return emit_store(i);
    case Op::kLoadReserved:
    case Op::kStoreConditional:
    case Op::kAtomicRmw:
      return emit_atomic(i);
    case Op::kCall:
      return emit_call(i);
    case Op::kExitIf:
      return emit_exit_if(i);
    default:
      break;
  }
  if (op_info(i.op).effect == Effect::kEnd) return emit_end(i);
  if (op_info(i.op).effect == Effect::kFp || i.op == Op::kFClass) return emit_float(i);
  return emit_integer(i);
}

void Translator::emit_get(const Inst& i) {
  const auto word = static_cast<unsigned>(i.imm / 8);
  const bool whole = i.type == Type::kI64 && i.imm % 8 == 0;
  if (!whole) {
    // Whatever is bound to these bytes is written first.
    for (unsigned w = word; w <= (i.imm + type_bytes(i.type) - 1) / 8; ++w) {
      if (words_[w].dirty) flush();
    }
    const int reg = define();
    Mem from = state(i.imm);
    from.setSize(type_bytes(i.type));
    if (type_bytes(i.type) < 4) {
      a_.movzx(gp32(reg), from);
    } else if (type_bytes(i.type) == 4) {
      a_.mov(gp32(reg), from);
    } else {
      a_.mov(gp(reg), from);
    }
    return;
  }
  Word& w = words_[word];
  if (w.constant) return define_const(w.imm);
  if (w.reg != kNone) {
    Register& r = registers_[static_cast<size_t>(w.reg)];
    if (r.value != kNoValue && places_[r.value].reg == w.reg) {
      define_alias(r.value);
    } else {
      set_register(index_, w.reg);
    }
    return;
  }
  if (folds_into_user(i)) {
    places_[index_].in_state = true;
    places_[index_].word = word;
    return;
  }
  // A pinned word that had to leave its register comes back to it.
  const int home = pin_of_[word] != kNone ? input_.pins[static_cast<size_t>(pin_of_[word])].home : kNone;
  const bool vector = home != kNone ? home >= kFirstXmm : places_[index_].prefers_vector;
  int reg = home;
  if (home == kNone || !is_idle(home) || (locked_ >> home & 1)) {
    reg = vector ? define_vector() : define();
  } else {
    Register& r = registers_[static_cast<size_t>(home)];
    if (r.value != kNoValue && places_[r.value].reg == home) places_[r.value].reg = kNone;
    r.narrow = false;
    set_register(index_, home);
    lock(home);
  }
  if (vector) {
    a_.vmovq(vec(reg), state(i.imm));
  } else {
    a_.mov(gp(reg), state(i.imm));
  }
  bind(word, reg, false);
}

bool Translator::emit_set(const Inst& i) {
  const Value v = i.args[0];
  const unsigned bytes = type_bytes(i.operand_type);
  if (i.operand_type == Type::kI64 && i.imm % 8 == 0) {
    const auto word = static_cast<unsigned>(i.imm / 8);
    if (is_const(v)) {
      const uint64_t value = imm(v);
      unbind(word);
      words_[word].constant = words_[word].dirty = true;
      words_[word].imm = value;
      active_.push_back(word);
    } else {
      const Value r = resolve(v);
      const int reg = places_[r].reg != kNone ? places_[r].reg : use(v);
      if (words_[word].reg == reg) {
        words_[word].dirty = true;
      } else {
        bind(word, reg, true);
      }
    }
    consume(v);
    return true;
  }
  for (auto w = static_cast<unsigned>(i.imm / 8); w <= (i.imm + bytes - 1) / 8; ++w) {
    if (words_[w].dirty) flush();
    unbind(w);
  }
  int reg = use(v);
  consume(v);
  if (i.operand_type == Type::kI1) {
    const int clean = temporary();
    a_.mov(gp32(clean), gp32(reg));
    a_.and_(gp32(clean), 1);
    reg = clean;
  }
  switch (bytes) {
    case 1:
      a_.mov(state(i.imm), gp(reg).r8());
      break;
    case 2:
      a_.mov(state(i.imm), gp(reg).r16());
      break;
    case 4:
      a_.mov(state(i.imm), gp32(reg));
      break;
    default:
      a_.mov(state(i.imm), gp(reg));
  }
  return true;
}

}  // namespace lockstep::jit
