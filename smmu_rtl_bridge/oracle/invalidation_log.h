// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "smmu_rtl_bridge/oracle/versioned_memory.h"
#include "tlm_models/smmuv3/commands.h"
#include "tlm_models/smmuv3/tlb.h"

namespace lockstep::smmu_rtl_bridge {

// Something that a cache of translations may keep: a leaf or a pointer to a table, with the addresses that it is for.
struct CachedPiece {
  tlm_models::smmuv3::TlbTag tag;
  bool global = false;
  bool leaf = false;
  uint8_t granule_log2 = 0;
  uint8_t level = 0;
  uint64_t first = 0;
  uint64_t last = 0;  // inclusive
};

// The registers that commands depend on when they are executed.
struct CommandContext {
  bool e2h = false;
  unsigned vmid_wildcard = 0;
};

// Which invalidations the device fetched, and which of them a CMD_SYNC has completed. Each question is: what was the
// latest completed invalidation that reaches this? Whatever was read before it was fetched is gone.
class InvalidationLog {
 public:
  explicit InvalidationLog(const tlm_models::smmuv3::Config& config) : config_(config) {}

  // Notes a command at its place in the order of commands; one that invalidates nothing is not kept.
  void add(const tlm_models::smmuv3::CommandWords& words, uint64_t place, Sequence fetched,
           const CommandContext& context);
  // Takes back what was noted for this place and later ones: the command was fetched again after an error.
  void withdraw(uint64_t place);
  // A CMD_SYNC after these places is known to be complete.
  void complete(uint64_t places_before, Sequence now);
  // Whether one was completed after `from` and before `to`.
  bool completed_within(Sequence from, Sequence to) const;

  // When the latest was fetched of those that were completed before `limit` and fetched at `filled` or before; 0 where
  // there is none. No two commands are fetched at the same time, so that what is fetched at `filled` is the command
  // that emptied the outer cache, and it emptied the inner one too. A cache that is filled from another one has what
  // that one had at the time: the answer for the outer cache is `filled` of the inner one.
  Sequence stream_entry(uint32_t stream, bool level1, Sequence limit, Sequence filled = kNever) const;
  Sequence context(uint32_t stream, uint32_t index, bool level1, Sequence limit, Sequence filled = kNever) const;
  Sequence translation(const CachedPiece& piece, Sequence limit, Sequence filled = kNever) const;
  // The latest time before which nothing at all can be cached any more.
  Sequence everything(Sequence limit) const;

 private:
  enum class Kind : uint8_t { kStreams, kContext, kContexts, kTranslations };
  struct Entry {
    uint64_t place = 0;
    Sequence fetched = 0;
    Sequence completed = kNever;
    Kind kind = Kind::kTranslations;
    bool leaf_only = false;
    uint32_t first_stream = 0;
    uint32_t last_stream = 0;
    uint32_t index = 0;
    bool all = false;
    tlm_models::smmuv3::TlbInvalidation scope;
  };
  void add_translations(const tlm_models::smmuv3::CommandWords& words, Entry entry, const CommandContext& context);

  const tlm_models::smmuv3::Config& config_;
  std::vector<Entry> entries_;
  std::vector<size_t> open_;  // not completed yet
};

}  // namespace lockstep::smmu_rtl_bridge
