// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>

// A second opinion on what an SMMUv3 does with one transaction: short, slow, without caches, and written from the
// specification's prose and pseudocode alone. It shares no code and no headers with the model. It knows the SMMU by the
// values of its registers, as software does.
namespace lockstep::smmuv3_reference {

struct Registers {
  uint32_t idr0 = 0, idr1 = 0, idr3 = 0, idr5 = 0;
  uint32_t cr0 = 0, cr2 = 0, gbpa = 0, strtab_base_cfg = 0;
  uint64_t strtab_base = 0;
  bool secure = false;  // the values of the secure interface, without secure EL2
};

// Memory as the SMMU sees it. False is a bus error.
struct Memory {
  std::function<bool(uint64_t address, unsigned bytes, uint8_t* data)> read;
  std::function<bool(uint64_t address, uint64_t value)> write;  // eight bytes, little-endian value
};

// One cacheability level: 1 non-cacheable, 2 write-through, 3 write-back.
struct Level {
  int policy = 3;
  bool read_allocate = true, write_allocate = true, transient = false;
  bool operator==(const Level&) const = default;
};

struct Attributes {
  bool device = false;
  int device_type = 0;  // 0 nGnRnE to 3 GRE
  Level inner, outer;
  int shareability = 0;  // 0 none, 2 outer, 3 inner
  bool secure = false;   // the address space
  bool operator==(const Attributes&) const = default;
};

struct Request {
  uint64_t address = 0;
  uint32_t stream = 0, substream = 0;
  bool has_substream = false, write = false, atomic = false, instruction = false, privileged = false;
  Attributes attributes;
};

enum class Verdict { kPass, kAbort, kZero, kStall };

struct Answer {
  Verdict verdict = Verdict::kAbort;
  uint64_t address = 0;
  Attributes attributes;
  bool privileged = false, instruction = false;
  // The event record with STAG zero; its type is 0 where nothing happened that has one.
  std::array<uint64_t, 4> event{};
  bool recorded = false;
};

Answer translate(const Registers& registers, const Memory& memory, const Request& request);

}  // namespace lockstep::smmuv3_reference
