// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tests/smmuv3_reference/test_memory.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {

// Memory behind a model under test: sparse, with a log of the hardware's updates of descriptors.
class BenchMemory : public MemoryPort {
 public:
  bool read(uint64_t address, void* data, size_t size_bytes, const MemoryAttributes& attributes,
            AccessKind kind) override {
    last_attributes[static_cast<size_t>(kind)] = attributes;
    if (fails(address, kind)) return false;
    return memory.read(address, data, size_bytes);
  }
  bool write(uint64_t address, const void* data, size_t size_bytes, const MemoryAttributes& attributes,
             AccessKind kind) override {
    last_attributes[static_cast<size_t>(kind)] = attributes;
    return memory.write(address, data, size_bytes);
  }
  ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired, const MemoryAttributes&,
                          AccessKind kind) override {
    if (fails(address, kind)) return ExchangeResult::kBusError;
    uint64_t now = 0;
    if (!memory.read(address, &now, sizeof now)) return ExchangeResult::kBusError;
    if (now != expected || changed_before_exchange > 0) {
      changed_before_exchange -= changed_before_exchange > 0;
      return ExchangeResult::kChanged;
    }
    memory.put64(address, desired);
    updates.emplace_back(address, desired);
    return ExchangeResult::kDone;
  }

  // The access that comes after so many others answers a bus error; negative: none.
  int fail_after = -1;
  uint64_t failed_address = 0;
  AccessKind failed_kind = AccessKind::kCount;

  smmuv3_reference::SparseMemory memory;
  std::vector<std::pair<uint64_t, uint64_t>> updates;
  std::array<MemoryAttributes, kAccessKinds> last_attributes{};
  unsigned changed_before_exchange = 0;  // exchanges that fail as though another agent had come first

 private:
  bool fails(uint64_t address, AccessKind kind) {
    if (fail_after < 0 || fail_after-- > 0) return false;
    failed_address = address;
    failed_kind = kind;
    return true;
  }
};

// Surroundings that note what they were told.
class BenchEnvironment : public Environment {
 public:
  void raise(Interrupt interrupt) override { ++interrupts[static_cast<size_t>(interrupt)]; }
  void send_event() override { ++events; }
  void resolved(uint64_t token, const TranslateResult& result) override { resolutions.emplace_back(token, result); }
  AtcAnswer invalidate_atc(const AtcInvalidation& invalidation) override {
    atc.push_back(invalidation);
    return atc_answer;
  }
  void page_response(const PageResponse& response) override { responses.push_back(response); }
  bool downstream_quiet() override { return quiet; }

  std::array<unsigned, 4> interrupts{};
  unsigned events = 0;
  std::vector<std::pair<uint64_t, TranslateResult>> resolutions;
  std::vector<AtcInvalidation> atc;
  std::vector<PageResponse> responses;
  AtcAnswer atc_answer = AtcAnswer::kDone;
  bool quiet = true;
};

// Where the bench puts its queues.
inline constexpr uint64_t kCommandQueue = 0x10000;
inline constexpr uint64_t kEventQueue = 0x20000;
inline constexpr uint64_t kPriQueue = 0x30000;
inline constexpr unsigned kQueueLog2 = 6;

// A model with its surroundings, and short forms of what software does with it.
struct Bench {
  explicit Bench(const Config& config = {}) : smmu(config, memory, environment) {}

  void write(RegisterId id, uint64_t value) {
    for (const RegisterRow& row : register_rows(smmu.config().secure))
      if (row.id == id) smmu.write_register(row.offset, row.size_bytes, value);
  }
  uint64_t read(RegisterId id) const {
    for (const RegisterRow& row : register_rows(smmu.config().secure))
      if (row.id == id) return smmu.read_register(row.offset, row.size_bytes);
    return 0;
  }
  void put_words(uint64_t address, const std::vector<uint64_t>& words) {
    for (size_t i = 0; i < words.size(); ++i) memory.memory.put64(address + 8 * i, words[i]);
  }
  // Queues of 64 entries, command and event queue on, all interrupts on.
  void start_queues() {
    write(RegisterId::kCmdqBase, kCommandQueue | kQueueLog2);
    write(RegisterId::kEventqBase, kEventQueue | kQueueLog2);
    write(RegisterId::kPriqBase, kPriQueue | kQueueLog2);
    write(RegisterId::kIrqCtrl, 7);
    write(RegisterId::kCr0, kCr0EventQueueEnable | kCr0CommandQueueEnable);
  }
  void enable(uint32_t more = 0) {
    write(RegisterId::kCr0, kCr0SmmuEnable | kCr0EventQueueEnable | kCr0CommandQueueEnable | more);
  }
  // One command; true when it was consumed.
  bool command(uint64_t low, uint64_t high = 0) {
    const uint64_t index = read(RegisterId::kCmdqProd);
    put_words(kCommandQueue + (index & 63) * 16, {low, high});
    write(RegisterId::kCmdqProd, (index + 1) & 127);
    return read(RegisterId::kCmdqProd) == (read(RegisterId::kCmdqCons) & 0xfffff);
  }
  unsigned command_error() const { return static_cast<unsigned>(read(RegisterId::kCmdqCons) >> 24 & 0x7f); }
  // Acknowledges a command error and skips the command.
  void recover() {
    write(RegisterId::kCmdqProd, read(RegisterId::kCmdqCons) & 0xfffff);
    write(RegisterId::kGerrorN, read(RegisterId::kGerror));
  }
  // The records that were written since the last call.
  std::vector<EventRecord> take_events() {
    std::vector<EventRecord> result;
    const uint64_t produced = read(RegisterId::kEventqProd);
    uint64_t consumed = read(RegisterId::kEventqCons) & 127;
    for (; consumed != (produced & 127); consumed = (consumed + 1) & 127) {
      EventRecord record;
      memory.memory.read(kEventQueue + (consumed & 63) * 32, record.data(), sizeof record);
      result.push_back(record);
    }
    write(RegisterId::kEventqCons, consumed | (produced & kQueueOverflow));
    return result;
  }

  BenchMemory memory;
  BenchEnvironment environment;
  Smmu smmu;
};

}  // namespace lockstep::tlm_models::smmuv3
