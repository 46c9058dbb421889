// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "smmu_rtl_bridge/coverage/database.h"
#include "smmu_rtl_bridge/observer.h"
#include "tlm_models/smmuv3/queue.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::smmu_rtl_bridge::coverage {

namespace smmuv3 = tlm_models::smmuv3;

// Memory as everybody at the pins has written it.
class Mirror {
 public:
  bool read(uint64_t address, void* data, size_t size_bytes) const;
  void write(uint64_t address, const void* data, size_t size_bytes);
  void set_broken(uint64_t page, bool broken);

 private:
  static constexpr unsigned kPageLog2 = 12;
  std::unordered_map<uint64_t, std::array<uint8_t, 1u << kPageLog2>> pages_;
  std::unordered_set<uint64_t> broken_;
};

// One access to memory that the core made for an evaluation.
struct CoreAccess {
  smmuv3::AccessKind kind;
  bool failed = false;
  uint64_t address = 0;
  std::array<uint64_t, 8> words{};  // what was read; of an update the old and the new descriptor
};

// A walk of stage 2 inside an evaluation, by what it was for.
struct Stage2Walk {
  enum class Purpose : uint8_t { kContext, kTable, kTableUpdate, kInput };
  Purpose purpose = Purpose::kInput;
  unsigned stage1_level = 0;  // of the table whose descriptor was wanted
  std::vector<uint64_t> descriptors;
  bool failed = false;  // the last read answered a bus error
};

// What the architecture says of one access with the memory of this moment.
struct Look {
  smmuv3::TranslateResult result;
  smmuv3::AtsCompletion completion;  // of an ATS request
  smmuv3::Event event;               // of type kNone where all goes well
  std::vector<CoreAccess> accesses;
  std::optional<smmuv3::Ste> ste;
  std::optional<smmuv3::ContextDescriptor> cd;
  std::vector<uint64_t> stage1;  // descriptors as the walk sees them
  bool stage1_failed = false;
  std::vector<Stage2Walk> stage2;

  unsigned half = 0;  // of stage 1, where there is a context descriptor
  unsigned stage1_start = 0;
  unsigned stage1_level() const { return stage1_start + static_cast<unsigned>(stage1.size()) - 1; }
  unsigned stage2_start = 0;
};

// The device as software knows it: registers with their rules, memory, and the core without caches to ask.
class Watched : private smmuv3::MemoryPort, private smmuv3::Environment {
 public:
  Watched(const smmuv3::Config& config, Database& database);

  const smmuv3::Config& config() const { return core_.config(); }
  uint64_t get(smmuv3::RegisterId id) const;
  bool enabled(uint32_t bits) const;
  void register_written(uint32_t offset, unsigned size_bytes, uint64_t value);
  smmuv3::QueueView queue(smmuv3::RegisterId base, uint64_t produced, uint64_t consumed) const;
  // Where a queue lies: first and last byte.
  bool inside_queue(smmuv3::RegisterId base, uint64_t address, uint64_t& index, unsigned& log2) const;

  Look look(const ClientAccess& access);
  Look look(const AtsQuestion& question);

  template <typename... Parts>
  void hit(const Parts&... parts) {
    name_.clear();
    append(parts...);
    database_.hit(name_);
  }

  Mirror memory;
  // Registers that the core is kept out of, because it would act on them.
  uint64_t command_produced = 0;
  uint64_t event_consumed = 0;
  uint64_t page_consumed = 0;

 private:
  template <typename First, typename... Rest>
  void append(const First& first, const Rest&... rest) {
    if (!name_.empty()) name_ += '/';
    name_ += first;
    if constexpr (sizeof...(rest) > 0) append(rest...);
  }

  bool read(uint64_t address, void* data, size_t size_bytes, const smmuv3::MemoryAttributes& attributes,
            smmuv3::AccessKind kind) override;
  bool write(uint64_t, const void*, size_t, const smmuv3::MemoryAttributes&, smmuv3::AccessKind) override {
    return true;
  }
  smmuv3::ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired,
                                  const smmuv3::MemoryAttributes& attributes, smmuv3::AccessKind kind) override;
  void raise(smmuv3::Interrupt) override {}
  void send_event() override {}
  void resolved(uint64_t, const smmuv3::TranslateResult&) override {}
  smmuv3::AtcAnswer invalidate_atc(const smmuv3::AtcInvalidation&) override { return smmuv3::AtcAnswer::kDone; }
  void page_response(const smmuv3::PageResponse&) override {}
  bool downstream_quiet() override { return true; }

  void understand(Look& look, uint64_t address) const;

  Database& database_;
  std::string name_;
  std::vector<CoreAccess> accesses_;
  // What the core wrote in this evaluation; the device's own writes reach memory by themselves.
  std::vector<std::pair<uint64_t, uint64_t>> updated_;
  smmuv3::Smmu core_;
};

// Names of classes that several chapters share.
std::string granule_name(unsigned granule_log2);
std::string level_name(unsigned level);
const char* access_name(bool write, bool atomic, bool instruction);
const char* world_name(smmuv3::StreamWorld world);
const char* class_name(bool stage2, smmuv3::FaultClass fault_class);
// A granule and the level of a leaf that can be, like "4K/L2".
Axis leaves();
Axis levels_of_granules();

}  // namespace lockstep::smmu_rtl_bridge::coverage
