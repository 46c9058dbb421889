// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/hart/hart.h"
#include "core/ir/ir.h"

// What engines tell about the guest code that they run, where somebody asks: which instructions began, how often, and
// the loads and stores that were done. All engines tell the same, and none of it is guest state. What is not asked for
// is not in their code.
namespace lockstep::core {

// What an instruction does, as its IR shows: the first of these that applies.
enum class InstructionClass : uint8_t { kAtomic, kStore, kLoad, kFloat, kFence, kSystem, kBranch, kInteger };
inline constexpr unsigned kInstructionClasses = 8;
std::string_view class_name(InstructionClass c);

struct CodeInstruction {
  static constexpr unsigned kMaxBytes = 15;

  uint64_t pc = 0;
  uint8_t length_bytes = 0;
  InstructionClass kind = InstructionClass::kInteger;
  bool ends_block = false;  // what follows is not always the instruction behind it
  std::array<uint8_t, kMaxBytes> bytes = {};
};

// A block as an engine translated it, and what happened to it so far.
struct CodeRecord {
  struct Step {
    uint8_t length_bytes = 0;
    InstructionClass kind = InstructionClass::kInteger;
    bool ends_block = false;
  };

  uint64_t pc = 0;
  uint64_t code_key = 0;  // Hart::code_key() when it was translated
  std::vector<uint8_t> code;
  std::vector<Step> steps;  // the instructions, one behind another
  // Where only coverage is asked for: so many of its first instructions have begun, at least once.
  uint32_t reached = 0;
  // Where counts are: how often it was entered; by instruction, how many of these entries were left before it began,
  // and how often it began besides.
  uint64_t entered = 0;
  std::vector<uint64_t> left;
  std::vector<uint64_t> alone;

  bool complete() const { return reached == steps.size(); }
  void reach(uint32_t begun) { reached = std::max(reached, begun); }
};

// One load or store that was done. What faults is no access; a store-conditional that fails is none either. An atomic
// operation is a load of the old value and a store of the new one. Wider ones than 8 bytes are several, ascending.
struct MemoryRecord {
  uint64_t pc = 0;
  uint64_t vaddr = 0;
  uint64_t value = 0;  // only its low size_bytes count, in the host's byte order
  uint32_t size_bytes = 0;
  uint32_t is_store = 0;
};

// Where a hart's accesses wait to be told. Generated code writes at `next` and moves it on; each block looks at its
// begin whether `limit` is passed, and leaves. kSlack records fit behind it: more than a block makes.
struct MemoryBuffer {
  static constexpr size_t kRecords = 4096;
  static constexpr size_t kSlack = 1024;

  MemoryRecord* next = records.data();
  MemoryRecord* limit = records.data() + kRecords;
  std::array<MemoryRecord, kRecords + kSlack> records;
};

enum class Coverage : uint8_t { kNone, kCovered, kCounted };

struct InstrumentationOptions {
  Coverage coverage = Coverage::kNone;
  // Is given the accesses of a hart, in the order in which it did them; `privilege` is the mode in which it ran. Called
  // on the hart's thread, one call at a time. Empty: accesses are not watched.
  std::function<void(unsigned hart, unsigned privilege, std::span<const MemoryRecord>)> memory = {};
};

// An instruction that began, with how often (1 where only coverage is asked for).
struct ExecutedInstruction {
  CodeInstruction instruction;
  uint64_t count = 0;
};

class Instrumentation;

// One hart's part, for its engine and whatever engines that one keeps for itself.
class HartInstrumentation {
 public:
  // Blocks that are remembered; past them code is run without a record, and told of as lost.
  static constexpr size_t kMaxRecords = size_t{1} << 21;

  HartInstrumentation(Instrumentation& all, unsigned hart) : all_(all), hart_(hart) {}

  Coverage coverage() const;
  bool traces_memory() const;

  // The record of a block that is translated from these bytes; nullptr when there are too many.
  CodeRecord* record(const ir::Block& block, std::span<const uint8_t> bytes, uint64_t code_key);

  // Accesses that come now are of the hart in this mode.
  void set_privilege(unsigned privilege) {
    if (privilege == privilege_) return;
    flush();
    privilege_ = privilege;
  }
  MemoryBuffer& buffer() { return *buffer_; }
  // An access of the instruction at the hart's pc.
  void add(const Hart& hart, uint64_t vaddr, unsigned size_bytes, bool is_store, const void* value);
  // Tells of those that wait; engines do so when a run ends.
  void flush();

  // An instruction began that could not be fetched; it is in no record.
  void count_unfetched() { ++unfetched_; }

  // Called before the records are read: the engine brings them up to date.
  void set_gatherer(std::function<void()> gather) { gather_ = std::move(gather); }

 private:
  friend class Instrumentation;

  Instrumentation& all_;
  unsigned hart_;
  unsigned privilege_ = 0;
  std::unordered_multimap<uint64_t, std::unique_ptr<CodeRecord>> records_;  // by a hash of address and bytes
  std::unique_ptr<MemoryBuffer> buffer_ = std::make_unique<MemoryBuffer>();
  std::function<void()> gather_;
  uint64_t unfetched_ = 0;
  uint64_t lost_ = 0;
};

// What is asked of the engines of a machine. It must outlive them.
class Instrumentation {
 public:
  explicit Instrumentation(InstrumentationOptions options) : options_(std::move(options)) {}

  const InstrumentationOptions& options() const { return options_; }
  HartInstrumentation& hart(unsigned id);

  // What has begun up to now on all harts, by address; instructions that another one replaced at their address are
  // beside it. Not while an engine runs.
  std::vector<ExecutedInstruction> executed();
  // Instructions that began and could not be fetched.
  uint64_t unfetched() const;
  // Blocks that ran without a record.
  uint64_t lost() const;

 private:
  friend class HartInstrumentation;

  InstrumentationOptions options_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<HartInstrumentation>> harts_;
};

// A CodeReader that keeps what is read through another one, as the bytes of the block at `pc`.
class CodeCopy final : public CodeReader {
 public:
  CodeCopy(CodeReader& reader, uint64_t pc) : reader_(reader), pc_(pc) {}

  bool fetch16(uint64_t vaddr, uint16_t& bits) override {
    return reader_.fetch16(vaddr, bits) && keep(vaddr, &bits, sizeof bits);
  }
  bool fetch8(uint64_t vaddr, uint8_t& byte) override { return reader_.fetch8(vaddr, byte) && keep(vaddr, &byte, 1); }

  std::span<const uint8_t> bytes() const { return bytes_; }

 private:
  bool keep(uint64_t vaddr, const void* value, size_t size_bytes);

  CodeReader& reader_;
  uint64_t pc_;
  std::vector<uint8_t> bytes_;
};

}  // namespace lockstep::core
