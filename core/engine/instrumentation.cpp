// SPDX-License-Identifier: Apache-2.0
#include "core/engine/instrumentation.h"

#include <cstring>
#include <tuple>

namespace lockstep::core {

namespace {

using ir::Inst;
using ir::Op;

// The class of the instruction whose operations these are; `next_pc` is the address behind it.
InstructionClass class_of(std::span<const Inst> operations, uint64_t next_pc) {
  InstructionClass found = InstructionClass::kInteger;
  const auto apply = [&](InstructionClass c) { found = std::min(found, c); };
  for (const Inst& i : operations) {
    switch (i.op) {
      case Op::kLoadReserved:
      case Op::kStoreConditional:
      case Op::kAtomicRmw:
      case Op::kCas:
        apply(InstructionClass::kAtomic);
        break;
      case Op::kStore:
        apply(InstructionClass::kStore);
        break;
      case Op::kLoad:
        apply(InstructionClass::kLoad);
        break;
      case Op::kFClass:
        apply(InstructionClass::kFloat);
        break;
      case Op::kFence:
        apply(InstructionClass::kFence);
        break;
      case Op::kCall:
      case Op::kExit:
      case Op::kExitIndirect:
        apply(InstructionClass::kSystem);
        break;
      case Op::kJump:
        if (i.imm != next_pc) apply(InstructionClass::kBranch);
        break;
      case Op::kBranch:
      case Op::kJumpIndirect:
        apply(InstructionClass::kBranch);
        break;
      default:
        if (ir::op_info(i.op).effect == ir::Effect::kFp) apply(InstructionClass::kFloat);
        break;
    }
  }
  return found;
}

bool leads_elsewhere(std::span<const Inst> operations, uint64_t next_pc) {
  if (operations.empty()) return false;
  const Inst& end = operations.back();
  return ir::op_info(end.op).effect == ir::Effect::kEnd && !(end.op == Op::kJump && end.imm == next_pc);
}

uint64_t hash_of(uint64_t pc, std::span<const uint8_t> bytes) {
  uint64_t h = pc * 0x9e3779b97f4a7c15u ^ bytes.size();
  for (size_t at = 0; at < bytes.size(); at += sizeof h) {
    uint64_t unit = 0;
    std::memcpy(&unit, bytes.data() + at, std::min(sizeof unit, bytes.size() - at));
    h = (h ^ unit ^ h >> 29) * 0xbf58476d1ce4e5b9u;
  }
  return h ^ h >> 32;
}

auto identity(const CodeInstruction& i) { return std::tie(i.pc, i.length_bytes, i.bytes); }

bool same(const CodeRecord& record, const ir::Block& block, std::span<const uint8_t> code, uint64_t code_key) {
  return record.pc == block.pc && record.code_key == code_key && record.steps.size() == block.guest_instructions &&
         std::equal(record.code.begin(), record.code.end(), code.begin(), code.end());
}

}  // namespace

std::string_view class_name(InstructionClass c) {
  static constexpr std::string_view kNames[kInstructionClasses] = {"atomic", "store",  "load",   "float",
                                                                   "fence",  "system", "branch", "integer"};
  return kNames[static_cast<size_t>(c)];
}

bool CodeCopy::keep(uint64_t vaddr, const void* value, size_t size_bytes) {
  const uint64_t at = vaddr - pc_;
  if (at + size_bytes > bytes_.size()) bytes_.resize(at + size_bytes);
  std::memcpy(bytes_.data() + at, value, size_bytes);
  return true;
}

Coverage HartInstrumentation::coverage() const { return all_.options().coverage; }
bool HartInstrumentation::traces_memory() const { return all_.options().memory != nullptr; }

CodeRecord* HartInstrumentation::record(const ir::Block& block, std::span<const uint8_t> bytes, uint64_t code_key) {
  const std::span<const uint8_t> code = bytes.first(std::min<size_t>(bytes.size(), block.code_bytes));
  const uint64_t key = hash_of(block.pc, code);
  const auto [first, last] = records_.equal_range(key);
  for (auto it = first; it != last; ++it) {
    if (same(*it->second, block, code, code_key)) return it->second.get();
  }
  if (records_.size() >= kMaxRecords) {
    ++lost_;
    return nullptr;
  }
  auto record = std::make_unique<CodeRecord>();
  record->pc = block.pc;
  record->code_key = code_key;
  record->code.assign(code.begin(), code.end());
  record->steps.reserve(block.guest_instructions);
  const std::span<const Inst> all(block.insts);
  for (size_t at = 0; at < all.size();) {
    size_t end = at + 1;
    while (end < all.size() && all[end].op != Op::kInsn) ++end;
    if (all[at].op == Op::kInsn) {
      const uint64_t next_pc = all[at].imm + all[at].imm2;
      const std::span<const Inst> operations = all.subspan(at + 1, end - at - 1);
      record->steps.push_back(
          {static_cast<uint8_t>(all[at].imm2), class_of(operations, next_pc), leads_elsewhere(operations, next_pc)});
    }
    at = end;
  }
  if (coverage() == Coverage::kCounted) {
    record->left.resize(record->steps.size());
    record->alone.resize(record->steps.size());
  }
  return records_.emplace(key, std::move(record))->second.get();
}

void HartInstrumentation::add(const Hart& hart, uint64_t vaddr, unsigned size_bytes, bool is_store, const void* value) {
  const auto* bytes = static_cast<const uint8_t*>(value);
  set_privilege(hart.privilege());
  for (unsigned done = 0; done < size_bytes; done += 8) {
    if (buffer_->next == buffer_->records.data() + buffer_->records.size()) flush();
    MemoryRecord& record = *buffer_->next++;
    record = {hart.state().pc, vaddr + done, 0, std::min(size_bytes - done, 8u), is_store ? 1u : 0u};
    std::memcpy(&record.value, bytes + done, record.size_bytes);
  }
}

void HartInstrumentation::flush() {
  MemoryRecord* const first = buffer_->records.data();
  const auto count = static_cast<size_t>(buffer_->next - first);
  buffer_->next = first;
  if (count == 0) return;
  const std::lock_guard lock(all_.mutex_);
  all_.options().memory(hart_, privilege_, {first, count});
}

HartInstrumentation& Instrumentation::hart(unsigned id) {
  const std::lock_guard lock(mutex_);
  while (harts_.size() <= id) {
    harts_.push_back(std::make_unique<HartInstrumentation>(*this, static_cast<unsigned>(harts_.size())));
  }
  return *harts_[id];
}

std::vector<ExecutedInstruction> Instrumentation::executed() {
  std::vector<ExecutedInstruction> all;
  for (const std::unique_ptr<HartInstrumentation>& hart : harts_) {
    if (hart->gather_) hart->gather_();
    for (const auto& [key, record] : hart->records_) {
      uint64_t count = record->entered;
      uint64_t offset = 0;
      for (size_t k = 0; k < record->steps.size(); ++k) {
        const CodeRecord::Step& step = record->steps[k];
        uint64_t begun = k < record->reached ? 1 : 0;
        if (options_.coverage == Coverage::kCounted) {
          count -= record->left[k];
          begun = count + record->alone[k];
        }
        if (begun != 0) {
          CodeInstruction i{record->pc + offset, step.length_bytes, step.kind, step.ends_block, {}};
          const size_t length = std::min<size_t>({step.length_bytes, i.bytes.size(), record->code.size() - offset});
          std::copy_n(record->code.begin() + static_cast<ptrdiff_t>(offset), length, i.bytes.begin());
          all.push_back({i, begun});
        }
        offset += step.length_bytes;
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const ExecutedInstruction& a, const ExecutedInstruction& b) {
    return identity(a.instruction) < identity(b.instruction);
  });
  size_t made = 0;
  for (const ExecutedInstruction& next : all) {
    if (made == 0 || identity(all[made - 1].instruction) != identity(next.instruction)) {
      all[made++] = next;
      continue;
    }
    ExecutedInstruction& one = all[made - 1];
    one.count = options_.coverage == Coverage::kCounted ? one.count + next.count : 1;
    // In another mode of the hart it may have been refused; what it is where it is not counts.
    one.instruction.kind = std::min(one.instruction.kind, next.instruction.kind);
    one.instruction.ends_block &= next.instruction.ends_block;
  }
  all.resize(made);
  return all;
}

uint64_t Instrumentation::unfetched() const {
  uint64_t sum = 0;
  for (const auto& hart : harts_) sum += hart->unfetched_;
  return sum;
}

uint64_t Instrumentation::lost() const {
  uint64_t sum = 0;
  for (const auto& hart : harts_) sum += hart->lost_;
  return sum;
}

}  // namespace lockstep::core
