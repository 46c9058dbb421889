// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "smmu_rtl_bridge/observer.h"
#include "smmu_rtl_bridge/oracle/invalidation_log.h"
#include "smmu_rtl_bridge/oracle/outcome.h"
#include "smmu_rtl_bridge/oracle/steady_answers.h"
#include "smmu_rtl_bridge/oracle/versioned_memory.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::smmu_rtl_bridge {

// When an access was under way and what it may have seen.
struct Window {
  Sequence accepted = 0;
  Sequence until = 0;
  Sequence completed_before = 0;  // invalidations that count: those completed before this
  // For naming what went wrong: as though no invalidation had been, or as though faulting descriptors were cached.
  bool ignore_invalidations = false;
  bool keep_faults = false;
  // Structures in place of those that the tables lead to: a device may have kept them.
  const tlm_models::smmuv3::StructureWords* ste = nullptr;
  const tlm_models::smmuv3::StructureWords* cd = nullptr;
};

// Registers as far as translation depends on them.
struct Control {
  uint64_t number = 0;  // no two of a run share one
  Sequence from = 0;
  Sequence until = kNever;  // when the next one was known to be in effect
  uint32_t cr0 = 0;
  uint32_t gbpa = 0;
  uint64_t cr1 = 0;
  uint64_t cr2 = 0;
  uint64_t strtab_base = 0;
  uint64_t strtab_base_cfg = 0;
};

// The cache-free core over versioned memory: every outcome that an access may have.
class Evaluator : private tlm_models::smmuv3::MemoryPort, private tlm_models::smmuv3::Environment {
 public:
  // Evaluations of one access under one state of the registers with every combination of choices. Where that is not
  // enough, as many again in which each word reads alike throughout; the access is undecided then unless one of them
  // fits.
  static constexpr unsigned kEvaluationsMax = 192;

  Evaluator(const tlm_models::smmuv3::Config& config, VersionedMemory& memory, const InvalidationLog& log);

  // Adds the outcomes under one state of the registers. False: there were more choices than kEvaluationsMax.
  bool evaluate(const ClientAccess& access, const Control& control, const Window& window, std::vector<Outcome>& out);
  bool evaluate(const AtsQuestion& question, const Control& control, const Window& window, std::vector<Outcome>& out);

  // Before the evaluations that belong to one answer.
  void begin_answer() {
    met_.clear();
    // Places are kept for their memory's sake, but not without end.
    if (known_.size() > kKnownMax) known_.clear();
    ++answer_;
    fetches_.clear();
    runs_ = 0;
    alike_ = false;
  }
  // What they read, with what attributes.
  const std::vector<Fetch>& fetches() const { return fetches_; }
  // What the evaluations since then went through, each once.
  const std::vector<Structures>& met() const { return met_; }
  // The tag of stage 2's translations where an entry has no other.
  tlm_models::smmuv3::TlbTag intermediate_tag(const tlm_models::smmuv3::StructureWords& ste) const;
  // The latest invalidation that reaches translations of the address with the tag.
  Sequence translation_gone(const tlm_models::smmuv3::TlbTag& tag, uint64_t address, Sequence limit) const;

  uint64_t evaluations() const { return evaluations_; }

 private:
  struct Choice {
    unsigned count = 0;
    unsigned index = 0;
  };
  struct Option {
    Snapshot snapshot;
    bool live = true;
    bool newest = true;
    unsigned seen = 0;
  };
  struct Chosen {
    uint64_t address = 0;
    Option option;
  };
  struct TableRead {
    uint64_t address = 0;
    uint64_t value = 0;
  };

  bool read(uint64_t address, void* data, size_t size_bytes, const tlm_models::smmuv3::MemoryAttributes& attributes,
            tlm_models::smmuv3::AccessKind kind) override;
  bool write(uint64_t address, const void* data, size_t size_bytes,
             const tlm_models::smmuv3::MemoryAttributes& attributes, tlm_models::smmuv3::AccessKind kind) override;
  tlm_models::smmuv3::ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired,
                                              const tlm_models::smmuv3::MemoryAttributes& attributes,
                                              tlm_models::smmuv3::AccessKind kind) override;
  void raise(tlm_models::smmuv3::Interrupt) override {}
  void send_event() override {}
  void resolved(uint64_t, const tlm_models::smmuv3::TranslateResult&) override {}
  tlm_models::smmuv3::AtcAnswer invalidate_atc(const tlm_models::smmuv3::AtcInvalidation&) override {
    return tlm_models::smmuv3::AtcAnswer::kDone;
  }
  void page_response(const tlm_models::smmuv3::PageResponse&) override {}
  bool downstream_quiet() override { return true; }

  bool answer_as_before(const ClientAccess& access, const Control& control, std::vector<Outcome>& out);
  void remember(const ClientAccess& access, const Control& control, const Outcome& outcome);
  template <typename Run>
  bool explore(const Control& control, const Window& window, std::vector<Outcome>& out, const Run& run);
  template <typename Run>
  bool explore_all(const Control& control, std::vector<Outcome>& out, const Run& run);
  void load(const Control& control);
  void begin();
  void meet();
  tlm_models::smmuv3::TlbTag tag_of(const Structures& structures) const;
  bool next();
  unsigned choose(unsigned count);
  bool leads_to_kept_context(tlm_models::smmuv3::AccessKind kind);
  uint64_t towards_kept_context(tlm_models::smmuv3::AccessKind kind);
  bool gives_fault(uint64_t raw, uint64_t address, tlm_models::smmuv3::AccessKind kind);

  bool changing_read(uint64_t address, uint64_t* words, unsigned count, tlm_models::smmuv3::AccessKind kind);
  void note(uint64_t address, const uint64_t* words, tlm_models::smmuv3::AccessKind kind);
  const std::vector<Snapshot>& snapshots_of(uint64_t address, unsigned count);
  void add_options(uint64_t address, unsigned count, tlm_models::smmuv3::AccessKind kind);
  bool big_endian_tables(tlm_models::smmuv3::AccessKind kind) const;
  bool may_be_of_group(uint64_t address, bool big_endian);
  void add_neighbours(uint64_t address, tlm_models::smmuv3::AccessKind kind);

  // Until when what was cached is surely gone: what was read at or before that may not be used.
  Sequence gone(const Snapshot& snapshot, uint64_t address, tlm_models::smmuv3::AccessKind kind);
  Sequence whole_translation_gone() const;
  Sequence pointers_gone(unsigned level) const;
  Sequence stage1_holders_gone(unsigned reads) const;
  Sequence stage1_gone(uint64_t raw);
  std::optional<uint64_t> intermediate_address(unsigned reads) const;
  bool update_is_due() const;
  Sequence stage2_gone(uint64_t raw, uint64_t address);
  Sequence stage2_gone(CachedPiece piece, unsigned reads) const;
  // Where the walk of stage 2 is that this read goes on with.
  struct Stage2Place {
    unsigned level = 0;
    uint64_t ipa = 0;  // as far as the indices tell
  };
  Stage2Place stage2_place(uint64_t address) const;
  void decode();
  tlm_models::smmuv3::TlbTag virtual_tag() const;
  CachedPiece virtual_piece(unsigned shift, unsigned level, bool leaf, bool global) const;
  unsigned stage1_level(unsigned reads) const;
  const tlm_models::smmuv3::TableHalf& half() const;

  tlm_models::smmuv3::Config config_;
  VersionedMemory& memory_;
  const InvalidationLog& log_;
  tlm_models::smmuv3::Smmu smmu_;
  uint64_t loaded_ = ~uint64_t{0};
  uint64_t records_ = 0;
  unsigned runs_ = 0;
  bool alike_ = false;  // each word reads alike throughout an evaluation
  uint64_t evaluations_ = 0;
  bool e2h_ = false;

  // The access that is evaluated.
  Window window_;
  uint32_t stream_ = 0;
  uint32_t index_ = 0;  // of its context descriptor
  uint64_t address_ = 0;
  bool has_substream_ = false;
  std::vector<Choice> choices_;
  size_t position_ = 0;

  // What this evaluation has read so far.
  bool ste_read_ = false;
  bool cd_read_ = false;
  bool decoded_ste_ = false;
  bool decoded_cd_ = false;
  tlm_models::smmuv3::StructureWords ste_words_{};
  tlm_models::smmuv3::StructureWords cd_words_{};
  tlm_models::smmuv3::Ste ste_;
  tlm_models::smmuv3::ContextDescriptor cd_;
  std::vector<TableRead> stage1_reads_;
  std::vector<TableRead> stage2_reads_;
  uint64_t last_descriptor_ = 0;
  Sequence structures_until_ = kNever;
  bool stage1_updated_ = false;
  bool steady_ = true;           // what was read gives the same choices whoever reads it, until memory changes
  unsigned kept_level_ = 0;      // of the next read towards a context descriptor that is kept
  bool may_mark_dirty_ = false;  // the access writes, or ATS asks whether it may
  std::vector<DescriptorUpdate> updates_;
  std::optional<tlm_models::smmuv3::EventRecord> record_;
  unsigned seen_ = 0;
  std::vector<Option> options_;
  std::vector<Chosen> chosen_;
  // Memory stands still while one answer is evaluated.
  struct Known {
    uint64_t answer = 0;  // for which `snapshots` holds
    std::vector<Snapshot> snapshots;
  };
  static constexpr size_t kKnownMax = 1024;
  std::unordered_map<uint64_t, Known> known_;
  uint64_t answer_ = 1;
  std::vector<Structures> met_;
  std::vector<Fetch> fetches_;
  SteadyAnswers steady_answers_;
};

}  // namespace lockstep::smmu_rtl_bridge
