// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tlm_models/smmuv3/config_lookup.h"
#include "tlm_models/smmuv3/registers.h"

namespace lockstep::tlm_models::smmuv3 {

// A transaction of a device as it comes to the SMMU: untranslated, or marked Translated by ATS.
struct Transaction {
  uint64_t address = 0;
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  bool write = false;
  bool atomic = false;  // reads and writes; judged as a write first
  bool instruction = false;
  bool privileged = false;
  bool translated = false;   // ATS
  bool speculative = false;  // fails without an event and never stalls
  MemoryAttributes attributes;
  uint64_t token = 0;  // the caller's: names the transaction when a stall ends
};

enum class Outcome : uint8_t {
  kPass,         // goes on with the address and attributes of the result
  kAbort,        // a bus error for the device
  kZeroIgnored,  // reads give zero, writes are ignored, both without an error
  kStalled,      // held; Environment::resolved() gives its end
  kNoRoom,       // must be held upstream: it would stall and no stall is free
};

struct TranslateResult {
  Outcome outcome = Outcome::kAbort;
  EventType event = EventType::kNone;  // what happened, whether it was recorded or not; see Smmu::last_event()
  bool privileged = false;
  bool instruction = false;
  uint16_t stall_tag = 0;
  uint64_t address = 0;
  MemoryAttributes attributes;
};

struct AtsRequest {
  uint64_t address = 0;
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  bool no_write = false;
  bool execute = false;     // counts only with a substream
  bool privileged = false;  // likewise
};

enum class AtsStatus : uint8_t { kSuccess, kUnsupportedRequest, kCompleterAbort };

// One entry of an ATS translation completion; section "Responses to ATS Translation Requests".
struct AtsCompletion {
  AtsStatus status = AtsStatus::kUnsupportedRequest;
  bool read = false;
  bool write = false;
  bool execute = false;
  bool privileged = false;
  uint8_t size_log2 = 12;
  uint64_t address = 0;
};

struct PageRequest {
  uint64_t address = 0;  // bits 63:12
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  uint16_t group = 0;  // 9 bits
  bool last = false;
  bool read = false;
  bool write = false;
  bool execute = false;
  bool privileged = false;
  // A stop marker is a request for nothing with Last; it never gets a response.
  bool stop_marker() const { return substream_valid && last && !read && !write; }
};

// Section "PRG Response Message codes".
enum class PageResponseCode : uint8_t { kSuccess = 0, kInvalidRequest = 1, kFailure = 15 };

struct PageResponse {
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  uint16_t group = 0;
  PageResponseCode code = PageResponseCode::kSuccess;
};

struct AtcInvalidation {
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  bool global = false;
  uint64_t address = 0;    // aligned to the size
  uint8_t size_log2 = 12;  // 12 to 64
};
enum class AtcAnswer : uint8_t { kDone, kPending, kTimedOut };

enum class Interrupt : uint8_t { kEventQueue, kPriQueue, kCommandSync, kGlobalError };

// An invalidation that a processor broadcasts; section "TLB tagging, VMIDs, ASIDs and participation in broadcast TLB
// maintenance". Names are those of the processor's instructions without their suffixes.
struct BroadcastInvalidation {
  enum class Scope : uint8_t { kAlle1, kVmalle1, kVmalls12e1, kAside1, kVae1, kVaae1, kIpas2e1, kAlle2, kVae2 };
  Scope scope = Scope::kAlle1;
  bool host = false;  // of EL2: from a processor in host mode, so that ASIDs count and kAside1 to kVaae1 mean EL2
  uint16_t vmid = 0;
  uint16_t asid = 0;
  uint64_t first = 0;  // addresses, inclusive
  uint64_t last = 0;
  bool leaf_only = false;
};

// What the SMMU asks of its surroundings, memory apart. Calls come from inside the calls into Smmu; an implementation
// may call translate() but no register access from them.
class Environment {
 public:
  virtual ~Environment() = default;
  virtual void raise(Interrupt interrupt) = 0;  // a pulse on a wire of its own
  virtual void send_event() = 0;                // wakes processors that wait for events
  virtual void resolved(uint64_t token, const TranslateResult& result) = 0;
  // kPending: Smmu::atc_invalidated() follows, after this call.
  virtual AtcAnswer invalidate_atc(const AtcInvalidation& invalidation) = 0;
  virtual void page_response(const PageResponse& response) = 0;
  // Whether every transaction that was translated before has been seen downstream: CMD_SYNC waits for it, and
  // Smmu::resume_commands() goes on.
  virtual bool downstream_quiet() = 0;
};

// A transaction that waits for software; its tag is its place in the table.
struct StalledTransaction {
  bool used = false;
  bool recorded = false;  // software knows of it
  Transaction transaction;
};

// Everything that a snapshot needs. Caches are no part of it: a restored SMMU starts with empty ones. What they hold
// can be older than memory until software invalidates it, so who saves a state drops them, and both go on alike.
struct SmmuState {
  std::array<uint64_t, kRegisters> registers{};
  std::vector<StalledTransaction> stalled;
  uint32_t bypass_control = 0;
  bool stalls_allowed = true;
  EventRecord last_record{};
  bool last_record_mergeable = false;
  unsigned pending_atc = 0;
  bool atc_timed_out = false;
};

// The programming interface and translation of one SMMUv3 for non-secure streams, without time and without SystemC: a
// call does all of its work, and two runs with the same calls and memory do the same.
class Smmu {
 public:
  // `config` must have passed check().
  Smmu(const Config& config, MemoryPort& memory, Environment& environment);
  Smmu(const Smmu&) = delete;
  Smmu& operator=(const Smmu&) = delete;

  void reset();
  SmmuState state() const;
  // The state must come from an SMMU with the same configuration.
  void restore(const SmmuState& state);

  // Aligned accesses of 4 or 8 bytes; others, and offsets without a register, read as zero and write nothing.
  uint64_t read_register(uint32_t offset, unsigned size_bytes) const;
  void write_register(uint32_t offset, unsigned size_bytes, uint64_t value);
  uint64_t register_value(RegisterId id) const { return registers_.get(id); }
  // Ends the updates that Config::deferred_updates holds back.
  void complete_updates();

  TranslateResult translate(const Transaction& transaction);
  // What translate() would give at once from what is kept, without an access to memory or an event; false: it would
  // have to look further.
  bool translated_already(const Transaction& transaction, TranslateResult& result) {
    return quick(transaction, result) || hit(transaction, result);
  }
  // Changes whenever anything that was translated before may translate otherwise.
  uint64_t generation() const { return generation_; }
  AtsCompletion translate_for_ats(const AtsRequest& request);
  void page_request(const PageRequest& request);
  // E_PAGE_REQUEST: a hint that needs no response.
  void page_hint(const Event& hint);
  // F_UUT: the shell met a transaction that it cannot express.
  TranslateResult unsupported(const Transaction& transaction, uint16_t reason);

  // Ignored where the feature is off, while CR2.PTM asks for it, and for stages that do not exist.
  void broadcast(const BroadcastInvalidation& message);

  // The other side of an SMMU with two security states: what secure commands say of non-secure streams goes there. Set
  // on the secure side alone.
  void set_non_secure_side(Smmu* side) { non_secure_side_ = side; }

  // A pending ATC invalidation came to its end.
  void atc_invalidated(bool timed_out);
  // Goes on with commands that waited for downstream or for ATC invalidations.
  void resume_commands() { process_commands(); }

  // What Environment::resolved() is about, while it runs.
  const Transaction& resolved_transaction() const { return resolved_transaction_; }
  // The last event that any call above met, whether recorded or not.
  const Event& last_event() const { return last_event_; }
  unsigned stalled_transactions() const;
  CountedMemory& memory() { return memory_; }
  const Config& config() const { return config_; }
  void drop_cached_translations();
  void drop_cached_configuration();

 private:
  // A translation of one 4 KiB page for one stream, with everything that the registers, configuration and tables say
  // already applied. Any invalidation and any change of control makes all of them old.
  struct alignas(64) QuickEntry {
    uint64_t generation = 0;
    uint64_t page = 0;
    uint64_t output = 0;
    uint64_t source = 0;  // stream and substream
    PermissionMask allowed = 0;
    uint8_t privilege_override = 0;
    uint8_t instruction_override = 0;
    MemoryAttributes input_attributes;
    MemoryAttributes output_attributes;
  };
  static_assert(sizeof(QuickEntry) == 64);         // a line of a host's cache
  static constexpr unsigned kQuickEntries = 1024;  // a power of two; as many as the TLB has unless it is made otherwise
  static size_t quick_place(uint64_t page, uint32_t stream_id) {
    return (page ^ (page >> 9) ^ stream_id * 13) % kQuickEntries;
  }

  // What configuration says of a stream and substream whose pages are in the TLB, as long as `generation` holds.
  struct StreamShortcut {
    uint64_t generation = 0;
    uint64_t source = 0;
    TlbTag tag;
    uint8_t privilege_override = 0;
    uint8_t instruction_override = 0;
    bool two_halves = false;  // TTB0 and TTB1
    bool stage1 = false;
    bool top_byte_ignored[2] = {false, false};
    bool overrides_attributes = false;
    AttributeOverrides overrides;
  };
  static constexpr unsigned kShortcuts = 16;  // a power of two; few streams are busy at a time
  static size_t shortcut_place(uint64_t source) { return (source ^ source >> 4 ^ source >> 32) % kShortcuts; }

  // What configuration says of a transaction before any table is walked.
  struct Context {
    const CachedSte* ste = nullptr;
    const CachedCd* cd = nullptr;
    bool passes = false;  // no stage translates
    bool stage2 = false;
    bool privileged = false;
    bool instruction = false;
  };
  enum class Found : uint8_t { kYes, kEvent, kFault, kSilentAbort };

  // smmu.cpp: registers
  void write_word(uint32_t offset, uint32_t value);
  void write_effect(const RegisterRow& row, uint64_t before);
  void update_control();
  void update_interrupts();
  void update_bypass();
  void set_bypass(uint32_t value);
  void allow_stalls(bool allowed);
  StreamTable stream_table() const;
  bool secure_fetch_only() const { return config_.secure && enabled(kCr0SecureFetchOnly); }
  bool enabled(uint32_t bits) const { return (registers_.get32(RegisterId::kCr0Ack) & bits) == bits; }

  // translate.cpp
  Found find_context(const Transaction& transaction, Context& context, ConfigError& error, Fault& fault);
  TranslateResult translate_slowly(const Transaction& transaction);
  bool quick(const Transaction& transaction, TranslateResult& result) const;
  // A hit in the TLB for a stream that had one before.
  bool hit(const Transaction& transaction, TranslateResult& result);
  void remember_stream(const Transaction& transaction, const Context& context, const TlbTag& tag);
  void remember_page(const Transaction& transaction, const StreamShortcut& stream, const TlbEntry& entry,
                     const TranslateResult& result);
  // To remember a page costs as much as to find it, and is for nothing where more are used in turn than fit.
  static constexpr unsigned kHitsARememberedPage = 4;
  TranslateResult pass_disabled(const Transaction& transaction);
  TranslateResult pass_through(const Transaction& transaction, const Context& context);
  TranslateResult translate_in(const Transaction& transaction, const Context& context);
  TranslateResult translated_by_ats(const Transaction& transaction);
  TranslateResult fail(const Transaction& transaction, const Context& context, const Fault& fault);
  // `found`: the stream's entry, where it came so far; it says whether records may be merged.
  TranslateResult abort_with(const Transaction& transaction, Event event, const CachedSte* found = nullptr);
  TranslateResult output(const Transaction& transaction, const Context& context, const TlbEntry& entry) const;
  Event event_of(const Transaction& transaction) const;
  TlbTag tag_of(const Context& context) const;
  bool goes_to_non_secure_side(const std::array<uint64_t, 2>& command) const;
  MemoryAttributes input_attributes(const Transaction& transaction, const Context& context) const;

  // stall.cpp
  bool stall(const Transaction& transaction, Event event, uint16_t& tag);
  void retry(StalledTransaction& stalled);
  void terminate(StalledTransaction& stalled, bool abort);
  void retry_unrecorded();
  void terminate_all_stalled();

  // event_queue.cpp
  bool event_queue_writable() const;
  bool record(const Event& event, bool may_merge);
  void raise_global_error(uint32_t bit);
  bool error_active(uint32_t bit) const;
  void interrupt(Interrupt source, uint32_t enable, RegisterId config0, uint32_t abort_bit);

  // commands.cpp
  void process_commands();
  void command_error(unsigned code);
  void execute(const std::array<uint64_t, 2>& command);
  void execute_tlb_invalidation(const std::array<uint64_t, 2>& command);
  bool synchronise(const std::array<uint64_t, 2>& command, unsigned& error);
  void signal_sync(const std::array<uint64_t, 2>& command);
  void invalidate(const TlbInvalidation& invalidation);
  uint16_t ignored_vmid_bits() const;  // CR0.VMW

  // page_request_queue.cpp
  void auto_response(const PageRequest& request, PageResponseCode code, bool with_pasid);
  void overflow_response(const PageRequest& request);

  Config config_;
  StallModel physical_stall_model_;
  CountedMemory memory_;
  Environment& environment_;
  RegisterFile registers_;
  Tlb tlb_;
  WalkCache walk_cache_;
  Walker walker_;
  ConfigLookup lookup_;
  Smmu* non_secure_side_ = nullptr;
  StreamTable stream_table_;
  AttributeOverrides bypass_overrides_;
  uint32_t bypass_control_ = 0;  // GBPA as it is in effect
  Event last_event_;
  std::array<QuickEntry, kQuickEntries> quick_;
  std::array<StreamShortcut, kShortcuts> shortcuts_;
  uint64_t generation_ = 1;
  unsigned tlb_hits_ = 0;
  std::vector<StalledTransaction> stalled_;
  Transaction resolved_transaction_;
  EventRecord last_record_{};
  bool last_record_mergeable_ = false;
  bool processing_commands_ = false;
  bool retrying_ = false;
  unsigned pending_atc_ = 0;
  bool atc_timed_out_ = false;
};

}  // namespace lockstep::tlm_models::smmuv3
