// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tlm_models/smmuv3/context_descriptor.h"
#include "tlm_models/smmuv3/event.h"
#include "tlm_models/smmuv3/memory_port.h"
#include "tlm_models/smmuv3/walk.h"

namespace lockstep::tlm_models::smmuv3 {

// Where the stream table lies: STRTAB_BASE, STRTAB_BASE_CFG and the table attributes of CR1.
struct StreamTable {
  uint64_t base = 0;      // ADDR as written
  unsigned log2size = 0;  // as written; out-of-range streams are judged by the smaller of this and SIDSIZE
  bool two_level = false;
  unsigned split = 6;  // 6, 8 or 10
  MemoryAttributes attributes;
};

// A stream table entry as it was fetched, judged once.
struct CachedSte {
  bool valid = false;
  uint32_t stream_id = 0;
  Ste ste;
  const SteRule* broken = nullptr;
};

struct CachedCd {
  bool valid = false;
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;  // index in the table
  ContextDescriptor cd;
  const CdRule* broken = nullptr;
};

// Fetches and caches configuration structures; section "Configuration and Translation lookup". A structure that could
// not be fetched is never kept; one that is ILLEGAL may be.
class ConfigLookup {
 public:
  ConfigLookup(const Config& config, CountedMemory& memory, Walker& walker);

  // Null with `error` set (type and fetch address) when no entry can be had. The pointer holds until the next call.
  const CachedSte* find_ste(const StreamTable& table, uint32_t stream_id, ConfigError& error);
  // The descriptor at an index of the entry's table. Null with `error` (fetch or substream errors) or `fault` (stage
  // 2).
  const CachedCd* find_cd(const CachedSte& ste, uint32_t index, bool e2h, ConfigError& error, Fault& fault);

  void invalidate_ste(uint32_t first_stream, uint32_t last_stream);
  void invalidate_cd(uint32_t stream_id, uint32_t index);
  void invalidate_cds(uint32_t stream_id);
  void invalidate_all();

 private:
  bool fetch_ste(const StreamTable& table, uint32_t stream_id, StructureWords& words, ConfigError& error);
  bool locate_cd(const Ste& ste, uint32_t index, uint64_t& address, ConfigError& error, Fault& fault);
  bool read_context(const Ste& ste, uint64_t address, void* data, size_t size_bytes, AccessKind kind,
                    ConfigError& error, Fault& fault);
  size_t ste_place(uint32_t stream_id) const { return (stream_id ^ (stream_id >> 7)) & mask_; }
  size_t cd_place(uint32_t stream_id, uint32_t index) const {
    return (stream_id * 0x9e37u ^ (stream_id >> 5) ^ index ^ (index >> 6)) & mask_;
  }

  const Config& config_;
  CountedMemory& memory_;
  Walker& walker_;
  uint32_t mask_;
  std::vector<CachedSte> stes_;
  std::vector<CachedCd> cds_;
};

}  // namespace lockstep::tlm_models::smmuv3
