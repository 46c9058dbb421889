// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "jit/unit.h"

namespace lockstep::jit {

// Guest code that an archived unit was made from: a block.
struct ArchivedBlock {
  uint64_t pc = 0;
  uint32_t size_bytes = 0;
  uint32_t spans_pages = 0;  // or 0
};

struct ArchivedLink {
  uint64_t pc = 0;
  uint32_t jump_at = 0, stub_at = 0, mapping_at = 0;
  uint32_t unused = 0;
};

// Host code with all that makes a unit of it. The spans lie in a record of an archive, or wherever a new one is made
// from. Relocations rewrite everything in `code` that belongs to one process.
struct ArchivedUnit {
  uint64_t pc = 0;
  uint64_t code_key = 0;
  uint32_t is_region = 0;  // or 0, as the next two
  uint32_t joint_checks = 0;
  uint32_t has_targets = 0;  // BlockProfile::targets
  uint32_t entry_at = 0;
  std::array<uint32_t, 2> mapping_at = {};
  uint32_t guest_instructions = 0;  // of the first block
  uint32_t all_instructions = 0;
  std::span<const ArchivedBlock> blocks;
  std::span<const uint8_t> guest;  // their bytes, one after another
  std::span<const uint8_t> code;
  std::span<const uint64_t> pages;  // addresses of those that a region's code compares, as Relocation counts them
  std::span<const ArchivedLink> links;
  std::span<const HandOver> hand_overs;
  std::span<const StateHome> homes;
  std::span<const Relocation> relocations;
};

// What offsets and numbers in a record are checked against.
struct ArchiveLimits {
  uint32_t state_words = 0;
  uint32_t helpers = 0;
};

// Both ways between a unit and its bytes in a file; a record's size is a multiple of eight. Reading answers nothing
// where an offset or a count does not fit; what the code does is believed. A view looks at the sizes alone, for records
// that were read before.
std::vector<uint8_t> write_record(const ArchivedUnit& unit);
std::optional<ArchivedUnit> view_record(std::span<const uint8_t> record);
std::optional<ArchivedUnit> read_record(std::span<const uint8_t> record, const ArchiveLimits& limits);

// Generated code that outlives its process: a file for each identity (build, host, ISA and whatever else code depends
// on beside the guest's bytes). It is read where it lies; what is new is written with the old at the end. Safe from
// several threads.
class CodeArchive {
 public:
  // What a file may hold; code that was not used in the latest runs goes first.
  static constexpr size_t kMaxBytes = size_t{256} << 20;

  // Takes what `file` holds, if anything. A damaged file, or one of another identity, is empty. Fails for a file that
  // others may write to: it holds code that will be run.
  static core::Result<std::unique_ptr<CodeArchive>> open(const std::filesystem::path& file, std::string_view identity,
                                                         const ArchiveLimits& limits);
  CodeArchive(const CodeArchive&) = delete;
  CodeArchive& operator=(const CodeArchive&) = delete;
  ~CodeArchive();

  // Of what the file held: the unit for which `fits` answers true. It may be read until the archive goes.
  std::optional<ArchivedUnit> find(uint64_t pc, uint64_t code_key, bool is_region,
                                   const std::function<bool(const ArchivedUnit&)>& fits);
  bool has(uint64_t pc, uint64_t code_key, bool is_region) const;
  // For later runs, in the place of what the file held for the same guest bytes.
  void add(const ArchivedUnit& unit);

  // Writes the file where enough is new. Another process that reads the old one is not disturbed.
  core::Status save();

  struct Counts {
    uint64_t loaded = 0;
    uint64_t used = 0;  // of the loaded ones
    uint64_t added = 0;
  };
  Counts counts() const;

 private:
  // A record of the file, in ascending order of hashes.
  struct Entry {
    uint64_t hash;  // of address, key and tier
    uint64_t checksum;
    uint64_t offset;  // in the file
    uint32_t bytes;
    uint32_t idle_runs;  // since it was used
  };
  enum State : uint8_t { kUnread = 0, kGood = 1, kDamaged = 2, kUsed = 4, kReplaced = 8 };
  struct Kept {
    uint64_t hash;
    uint64_t checksum;
    std::span<const uint8_t> record;
    uint32_t idle_runs;
  };
  CodeArchive(std::filesystem::path file, std::string identity, const ArchiveLimits& limits)
      : file_(std::move(file)), identity_(std::move(identity)), limits_(limits) {}
  core::Status load();
  bool read_index();
  std::span<const uint8_t> record(size_t index) const { return {map_ + index_[index].offset, index_[index].bytes}; }
  // The record's unit, where it is whole.
  std::optional<ArchivedUnit> read(size_t index);
  // The entries with this hash: the first, and the one behind the last.
  std::pair<size_t, size_t> range(uint64_t hash) const;
  std::vector<Kept> kept() const;

  std::filesystem::path file_;
  std::string identity_;
  ArchiveLimits limits_;
  const uint8_t* map_ = nullptr;
  size_t map_bytes_ = 0;
  std::span<const Entry> index_;
  std::unique_ptr<std::atomic<uint8_t>[]> states_;  // State of each
  mutable std::mutex mutex_;                        // of what follows
  std::unordered_multimap<uint64_t, std::vector<uint8_t>> added_;
  size_t added_bytes_ = 0;
};

// A folder of archives, one for each identity.
class CodeArchiveFolder {
 public:
  // Files of other identities that are kept, the latest ones.
  static constexpr size_t kMaxFiles = 8;

  // Makes the folder where it is missing.
  static core::Result<std::shared_ptr<CodeArchiveFolder>> open(const std::filesystem::path& folder);

  // The archive of this identity; all engines that ask for it share it.
  core::Result<std::shared_ptr<CodeArchive>> archive(const std::string& identity, const ArchiveLimits& limits);
  core::Status save();
  CodeArchive::Counts counts() const;

 private:
  explicit CodeArchiveFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void remove_old() const;

  std::filesystem::path folder_;
  std::map<std::string, std::shared_ptr<CodeArchive>> archives_;
};

}  // namespace lockstep::jit
