// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "smmu_rtl_bridge/player/sparse_memory.h"
#include "smmu_rtl_bridge/script/features.h"
#include "smmu_rtl_bridge/script/script.h"
#include "smmu_rtl_bridge/script/vocabulary.h"

namespace lockstep::smmu_rtl_bridge {

// Where things are that a script does not place, below 4 GiB and apart from each other, so that the smallest script is
// legal on every device. Scripts for real use give their own.
namespace default_place {
inline constexpr uint64_t kStreamTable = 0x0100'0000;
inline constexpr uint64_t kCommandQueue = 0x0600'0000;
inline constexpr uint64_t kEventQueue = 0x0680'0000;
inline constexpr uint64_t kPageQueue = 0x0700'0000;
inline constexpr uint64_t kStreamLeaves = 0x0800'0000;
inline constexpr uint64_t kContextTables = 0x1000'0000;
inline constexpr uint64_t kContextLeaves = 0x1800'0000;
inline constexpr uint64_t kStage1Roots = 0x2000'0000;
inline constexpr uint64_t kStage2Roots = 0x3000'0000;
inline constexpr uint64_t kTables = 0x4000'0000;
inline constexpr uint64_t kData = 0x8000'0000;
}  // namespace default_place

// Software's side of memory: turns lines about streams, context descriptors and mappings into the words that an SMMU
// reads. What a line leaves out is what makes the structure legal on this device.
class World {
 public:
  using Write = std::function<void(uint64_t address, const void* data, size_t size_bytes)>;

  // `write` must end in `memory`.
  World(SparseMemory& memory, Write write) : memory_(memory), write_(std::move(write)) {}

  void set_features(const Features& features) { features_ = features; }
  const Features& features() const { return features_; }
  // Registers that say where the stream table is.
  void set_stream_table(uint64_t base, uint32_t config);

  // Lines kStream, kCd, kMap, kUnmap, kDescriptor, kPointer, kPoke.
  void carry_out(const Line& line);
  // The address that a line of "break", "mend" or "slow" means, but for queues; none: there is no such thing in memory.
  std::optional<uint64_t> fetched_by(const Line& line);

  std::optional<uint64_t> ste_place(uint32_t stream) const;
  // Physical.
  std::optional<uint64_t> cd_place(const Place& place);

 private:
  // One translation table tree, as the structures in memory describe it.
  struct Tree {
    uint64_t base = 0;  // in the space of the tables
    unsigned granule_log2 = 12;
    unsigned input_bits = 39;
    unsigned start = 1;
    bool big_endian = false;
    bool stage2 = false;
    uint64_t hash = 0;    // for default places of tables
    bool nested = false;  // stage 2 of the entry translates the tables' addresses
    StructureWords ste{};
  };
  struct Slot {
    uint64_t place = 0;  // physical, of the descriptor
    unsigned level = 0;
  };

  void stream(const Line& line);
  void context(const Line& line);
  void map(const Line& line);
  void unmap(const Line& line);
  void descriptor(const Line& line);
  void pointer(const Line& line);
  void poke(const Line& line);

  StructureWords words_at(uint64_t address);
  void put64(uint64_t address, uint64_t value) { write_(address, &value, sizeof value); }
  StructureWords default_ste(uint32_t stream, unsigned config) const;
  StructureWords default_cd(const Place& place) const;
  void write_context(const Place& place, const StructureWords& ste, const Line* line);
  void write_identity(uint32_t stream, const StructureWords& words);
  std::optional<uint64_t> context_place(const Place& place, const StructureWords& ste, const Line* creating);

  std::optional<Tree> tree_of(const Place& place, uint64_t address);
  static Tree stage2_tree(const StructureWords& ste, uint32_t stream);
  // Where an intermediate address lies, as far as software's own tables tell; what they do not map lies at itself.
  uint64_t physical(const StructureWords* ste, uint64_t address);
  std::optional<uint64_t> walk_stage2(const StructureWords& ste, uint64_t address);
  uint64_t place_in(const Tree& tree, uint64_t table, unsigned level, uint64_t address);
  // Goes down to a level, and makes tables on the way where `tables` says where.
  std::optional<Slot> reach(const Tree& tree, uint64_t address, unsigned level, std::optional<uint64_t> tables);
  uint64_t load(const Tree& tree, uint64_t place);
  void store(const Tree& tree, uint64_t place, uint64_t descriptor);
  uint64_t output_field(const Tree& tree, uint64_t address) const;

  SparseMemory& memory_;
  Write write_;
  Features features_;
  uint64_t stream_table_ = default_place::kStreamTable;
  uint32_t stream_table_config_ = 0;
  std::unordered_map<uint64_t, uint64_t> level1_;    // place of a level 1 stream descriptor -> its table
  std::unordered_map<uint64_t, bool> structures_;    // places of entries and descriptors that were written
  std::unordered_map<uint64_t, uint64_t> context1_;  // place of a level 1 context descriptor -> its table
  std::unordered_map<uint64_t, uint64_t> tables_;    // place of a table descriptor -> the next table
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> last_physical_;  // (stage 2 root, page) -> where it lay
};

}  // namespace lockstep::smmu_rtl_bridge
