// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/observer.h"
#include "smmu_rtl_bridge/oracle/config_from_registers.h"
#include "smmu_rtl_bridge/oracle/evaluation.h"
#include "smmu_rtl_bridge/oracle/invalidation_log.h"
#include "smmu_rtl_bridge/oracle/rules.h"
#include "smmu_rtl_bridge/oracle/versioned_memory.h"
#include "tlm_models/smmuv3/registers.h"

namespace lockstep::smmu_rtl_bridge {

// Something that the architecture does not allow.
struct Failure {
  const char* rule = "";   // of rules(); stable
  std::string text;        // what was allowed and what was seen
  Sequence sequence = 0;   // of the observation that showed it
  uint64_t access_id = 0;  // where one access is concerned
  bool has_access = false;
};

struct JudgeStatistics {
  uint64_t answers = 0;
  uint64_t one_outcome = 0;
  uint64_t several_outcomes = 0;
  uint64_t undecided = 0;
  uint64_t hits = 0;    // went on by tables whose last descriptor was not read for them
  uint64_t misses = 0;  // the last descriptor was read while they were under way, whatever came of it
  uint64_t nested = 0;  // tables of both stages
  uint64_t events = 0;
  uint64_t updates = 0;
  uint64_t commands = 0;
  uint64_t evaluations = 0;
  std::map<std::string, uint64_t> by_rule;  // freedoms that answers made use of, obligations that were broken
};

// What a device does where the architecture leaves a choice and a judge may hold it to one.
struct JudgeProfile {
  // The access flag may be set for accesses that are not made: by speculation, or ahead of a fault.
  bool speculative_access_flag = false;
};

// Watches a device at its pins and finds what an SMMUv3 with these ID registers may not do. It knows nothing of the
// device's inside: each answer is compared with all outcomes that the cache-free core can have over every version of
// memory that the device could still have seen. docs/oracle.md tells how.
class Judge : public Observer {
 public:
  static constexpr size_t kFailuresMax = 64;  // a broken device breaks every rule; the first ones tell why

  static core::Result<std::unique_ptr<Judge>> make(const IdRegisters& registers, const JudgeProfile& profile = {});
  Judge(const tlm_models::smmuv3::Config& config, const JudgeProfile& profile);
  Judge(const tlm_models::smmuv3::Config& config, const IdRegisters& registers, const JudgeProfile& profile);

  const std::vector<Failure>& failures() const { return failures_; }
  JudgeStatistics statistics() const;
  // The same without `by_rule` and `evaluations`, at no cost.
  const JudgeStatistics& counts() const { return counts_; }
  Sequence sequence() const { return now_; }
  const tlm_models::smmuv3::Config& config() const { return config_; }
  // Tells of each access, when it is answered or its stall is recorded, what it might have done by all states of memory
  // and of caches; those included whose updates of descriptors were then not seen. `decided` false: there is more.
  using OutcomeWatcher = std::function<void(uint64_t id, const std::vector<Outcome>& outcomes, bool decided)>;
  void watch_outcomes(OutcomeWatcher watcher) { outcome_watcher_ = std::move(watcher); }

  void software_wrote(uint64_t address, const void* data, size_t size_bytes) override;
  void memory_was(uint64_t address, const void* data, size_t size_bytes) override;
  void page_broken(uint64_t page, bool broken) override;
  void register_written(uint32_t offset, unsigned size_bytes, uint64_t value) override;
  void register_write_done(uint32_t offset) override;
  void register_read(uint32_t offset, unsigned size_bytes, uint64_t value) override;
  void device_read(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                   bool failed) override;
  void device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                    bool failed) override;
  void device_exchanged(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes, bool done,
                        bool failed) override;
  void accepted(const ClientAccess& access) override;
  void forwarded(const ForwardedAccess& access) override;
  void finished_downstream(uint64_t id) override;
  void answered(uint64_t id, AccessEnd end) override;
  void ats_asked(const AtsQuestion& question) override;
  void ats_answered(const AtsAnswer& answer) override;
  void atc_invalidated(const smmu_rtl_bridge::AtcInvalidation& invalidation) override;
  void atc_invalidation_done(bool timed_out) override;
  void page_asked(const PageQuestion& question) override;
  void page_answered(const PageAnswer& answer) override;
  void pulsed(Wire wire) override;
  void quiet() override;
  void finished() override;

 private:
  using EventRecord = tlm_models::smmuv3::EventRecord;
  using CommandWords = tlm_models::smmuv3::CommandWords;
  using StructureWords = tlm_models::smmuv3::StructureWords;
  using RegisterId = tlm_models::smmuv3::RegisterId;

  // A transaction between its acceptance and its answer.
  struct Flight {
    ClientAccess access;
    Sequence accepted = 0;
    bool forwarded = false;
    Sequence forwarded_at = 0;
    Sequence finished_at = 0;  // downstream; 0 where the pins do not tell
    ForwardedAccess seen;
    bool stalled = false;  // its record is in the event queue
    uint16_t tag = 0;
    EventRecord record{};  // of the latest stall, with STAG 0
    bool several = false;  // it might have done something else than to stall
    // What ended its stall may end it so.
    bool may_abort = false;
    bool may_zero = false;
  };
  struct OwedRecord {
    EventRecord record{};
    unsigned seen = 0;  // see Outcome::seen
    bool may_merge = false;
  };
  // What an answered access owes to the event queue.
  struct Owed {
    uint64_t id = 0;
    ClientAccess access;
    bool has_access = false;
    std::vector<OwedRecord> options;
    bool maybe_none = false;
    bool undecided = false;  // other records may be right as well
    Sequence from = 0;
    Sequence answered = 0;
  };
  struct SeenEvent {
    EventRecord record{};
    Sequence at = 0;
    bool matched = false;
  };
  // A CMD_SYNC: records of what ended before it was fetched are there when it completes.
  struct SeenSync {
    Sequence fetched = 0;
    Sequence completed = 0;
  };
  struct SeenUpdate {
    DescriptorUpdate update;
    Sequence at = 0;
    bool explained = false;
  };
  // A read of the device's own, or an update, until all is quiet.
  struct SeenFetch {
    uint64_t address = 0;
    Sequence at = 0;
    Attributes attributes;
    bool right = false;
    bool wrong = false;  // for some access it would have been another one
    Attributes expected;
  };
  static constexpr size_t kFetchesLookedAt = 96;  // of the latest: a walk makes 24, and few walks overlap
  struct SeenCommand {
    uint64_t place = 0;  // counts all commands of the run
    CommandWords words{};
    Sequence fetched = 0;
    bool failed = false;
    bool legal = false;
    bool stops_here = false;  // illegal, or could not be read
    bool blocked = false;     // an earlier one stops the queue
    bool is_sync = false;
    bool completed = false;
    bool consumed = false;
    bool signalled = false;  // by a message
    bool pulsed = false;     // by a wire

    bool waits_for_signal() const {
      return is_sync && (words[0] >> 12 & 3) == 1 && !(pulsed && (signalled || (words[1] & 0xffffffffffffc) == 0));
    }
    bool taken_into_account_twice(const void* data, size_t at, bool now_failed) const;
  };

  // Structures that accesses of a stream were translated with, or that translations of a tag were made with: a device
  // may have kept them from then, wherever they lay.
  struct Kept {
    Structures structures;
    Sequence used = 0;  // memory held them then
    uint32_t stream = 0;
    uint32_t index = 0;  // of the context
  };
  using KeptList = std::vector<Kept>;
  static constexpr size_t kKeptMax = 12;  // of one stream's context or of one tag; the oldest are forgotten

  // judge.cpp: reporting
  void fail(Rule rule, std::string text);
  void fail(Rule rule, uint64_t id, std::string text);
  void used(Rule rule) { ++used_[static_cast<size_t>(rule)]; }

  // judge_accesses.cpp
  template <typename Asked>
  bool outcomes_of(const Asked& asked, Window window, std::vector<Outcome>& out);
  // judge_kept.cpp
  const KeptList& keep_structures(uint32_t stream, uint32_t index, const std::vector<Structures>& met);
  const KeptList& keep_regime(uint32_t stream, uint32_t index, const Structures& structures);
  bool fetched_since(const Kept& kept, const std::vector<Structures>& met, Sequence context_gone, Sequence limit) const;
  static bool same_regime(const Structures& first, const Structures& second);
  static Structures with_regime_of(const Structures& structures, const Structures& regime);
  // judge_accesses.cpp
  template <typename Asked>
  bool kept_outcomes(const Asked& asked, const Control& control, const Window& window, std::vector<Outcome>& out);
  bool updates_seen(const Outcome& outcome, Sequence from);
  void explain_fetches(Sequence from);
  void settle_fetches();
  void check_fetch_enabled(uint64_t address);
  void check_queue_attributes(const char* queue, const Attributes& attributes);
  void explain_updates(const std::vector<Outcome>& outcomes, Sequence from);
  static bool agrees(const Outcome& outcome, const Flight& flight, AccessEnd end);
  void judge_answer(Flight& flight, AccessEnd end);
  void count_share(const Flight& flight, const Outcome& outcome);
  size_t count_outcomes(bool may_have_stalled) const;
  void count_answer(bool several) { ++(several ? counts_.several_outcomes : counts_.one_outcome); }
  bool outlived_sync(const Flight& flight, AccessEnd end);
  void name_failure(const Flight& flight, AccessEnd end, Window window);
  static Rule stale_rule(unsigned seen);
  void fail_stall(const Flight& flight, const EventRecord& record, Rule rule, const std::string& text);
  bool stalls_with(const Flight& flight, const EventRecord& record);
  bool swap_with_resumed(Flight& flight);
  bool swap_with_stalled(Flight& flight, AccessEnd end);
  void settle_flights();
  static bool sets_access_flag(const DescriptorUpdate& update);
  void count_freedoms(unsigned seen);
  bool match_stall(const EventRecord& record);
  Sequence oldest_flight() const;
  static std::string text_of(const Outcome& outcome);
  static std::string text_of(const Flight& flight, AccessEnd end);
  static std::string text_of(const ClientAccess& access);
  static std::string text_of(const EventRecord& record);
  static std::string text_of_owed(const Owed& owed);

  // judge_events.cpp
  bool event_bytes_written(uint64_t address, const void* data, size_t size_bytes, bool failed);
  void event_written(const EventRecord& record);
  void settle_events();
  bool outlived_sync(const Owed& owed, const SeenEvent& event) const;
  bool name_stale_event(const Owed& owed, const SeenEvent& event, const std::string& text);
  bool event_queue_blocked_since(Sequence from) const;
  void note_event_queue();
  void note_lost_event(const Owed& owed);
  uint64_t event_queue_used() const;
  unsigned event_queue_log2() const;

  // judge_commands.cpp
  bool command_fetched(uint64_t address, const void* data, size_t size_bytes, bool failed);
  void take_command(SeenCommand& command);
  void consumed_up_to(uint64_t place);
  void complete_sync(SeenCommand& command);
  void settle_commands();
  void settle_stopped_commands();
  bool atc_before(uint64_t place) const;
  SeenCommand* command_at(uint64_t place);
  unsigned command_queue_log2() const;
  void commands_handed_over();
  void command_queue_started();
  void sync_signalled(bool by_wire, uint64_t address, uint32_t data);

  // judge_interrupts.cpp
  struct Source {
    uint32_t enable;       // in IRQ_CTRL
    RegisterId config0;    // its address; data and attributes follow
    uint32_t abort_error;  // in GERROR
    const char* name;
  };
  static constexpr size_t kSources = 3;
  static const std::array<Source, kSources> kSourceTable;
  void happened(size_t source);
  void may_have_happened(size_t source);
  bool message_written(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                       bool failed);
  void settle_interrupts();
  bool may_interrupt(size_t source) const;
  bool has_message(size_t source) const;
  void cause_error(uint32_t bit);
  void settle_sent_events();
  void read_errors(const tlm_models::smmuv3::RegisterRow& row, uint32_t value);

  // judge_pages.cpp
  bool page_bytes_written(uint64_t address, const void* data, size_t size_bytes, bool failed);
  void settle_pages();
  unsigned page_queue_log2() const;
  uint64_t page_queue_used() const;
  bool page_queue_usable() const;
  bool pages_usable_since(Sequence from) const;

  // judge_registers.cpp
  void write_word(uint32_t offset, uint32_t value);
  void control_changed(bool acknowledged_later);
  void control_in_effect();
  void interrupts_in_effect();
  void read_word(uint32_t offset, uint32_t value);
  void check_index(const tlm_models::smmuv3::RegisterRow& row, uint32_t value, uint64_t mask);
  void read_commands_consumed(const tlm_models::smmuv3::RegisterRow& row, uint32_t value);
  void read_events_produced(const tlm_models::smmuv3::RegisterRow& row, uint32_t value);
  void wrong_value(const tlm_models::smmuv3::RegisterRow& row, uint64_t value, uint64_t allowed);
  uint64_t reg(RegisterId id) const { return registers_.get(id); }
  // Until CR0ACK shows that a queue is off, the device may go on with it.
  bool may_be_on(uint32_t cr0_bit) const {
    return on(cr0_bit) || (static_cast<uint32_t>(reg(RegisterId::kCr0Ack)) & cr0_bit) != 0;
  }
  bool on(uint32_t cr0_bits) const { return (static_cast<uint32_t>(reg(RegisterId::kCr0)) & cr0_bits) == cr0_bits; }

  const tlm_models::smmuv3::Config config_;
  const JudgeProfile profile_;
  Sequence now_ = 0;
  VersionedMemory memory_;
  InvalidationLog log_;
  Evaluator evaluator_;
  tlm_models::smmuv3::RegisterFile registers_;  // as software wrote them
  std::deque<Control> controls_;                // that may still be in effect for something, the oldest first
  uint64_t next_control_ = 0;
  Sequence last_quiet_ = 0;
  Sequence first_enabled_ = 0;  // when SMMUEN was set first

  std::unordered_map<uint64_t, Flight> flights_;
  std::unordered_map<uint64_t, std::pair<AtsQuestion, Sequence>> questions_;
  // Records of stalls that several accesses might have had: which of them a tag means is a guess, and what follows from
  // the guess is not held against the device.
  std::set<EventRecord> ambiguous_stalls_;
  std::vector<SeenUpdate> updates_;
  Sequence prefetched_from_ = kNever;  // when the first prefetch was asked for since all was quiet
  std::vector<SeenFetch> fetches_;
  std::vector<Outcome> outcomes_;
  OutcomeWatcher outcome_watcher_;

  std::unordered_map<uint64_t, KeptList> kept_structures_;  // by stream and index of the context
  std::unordered_map<uint64_t, KeptList> kept_regimes_;     // by tag
  std::vector<Outcome> kept_outcomes_;

  std::vector<Owed> owed_;
  std::vector<SeenEvent> events_;
  std::vector<SeenSync> syncs_;   // since all was quiet
  uint64_t events_produced_ = 0;  // index with wrap
  std::deque<SeenEvent> earlier_events_;
  Sequence now_for_report_ = 0;
  bool event_queue_blocked_ = true;
  Sequence event_queue_blocked_until_ = 0;
  // The same of a queue that is off or aborted, which loses records without a word.
  bool event_queue_shut_ = true;
  Sequence event_queue_shut_until_ = 0;
  uint64_t event_bytes_ = 0;  // of the record that is being written
  EventRecord event_piece_{};

  std::deque<SeenCommand> commands_;
  uint64_t command_front_ = 0;       // place of commands_.front()
  uint64_t commands_consumed_ = 0;   // places that are surely over
  uint64_t commands_written_ = 0;    // places that software has handed over
  uint64_t command_index_base_ = 0;  // index of place 0
  bool command_queue_moved_ = true;  // since it was on last
  struct ExpectedAtc {
    smmu_rtl_bridge::AtcInvalidation invalidation;
    uint64_t place = 0;  // of its command
  };
  std::deque<ExpectedAtc> atc_expected_;
  std::deque<uint64_t> atc_open_;  // places of those that are under way
  std::deque<PageAnswer> page_answers_expected_;
  uint64_t atc_timed_out_ = kNever;  // place of the first that timed out and that no CMD_SYNC has told of

  struct PageFlight {
    PageQuestion question;
    Sequence at = 0;
    bool written = false;
    bool responded = false;
    bool may_be_lost = false;  // the queue had overflowed
    // How an overflow may answer it.
    bool may_name_substream = false;
    bool may_be_plain = false;
    bool may_fail = false;
  };
  void note_responses(PageFlight& page);
  std::vector<PageFlight> pages_;
  uint64_t pages_produced_ = 0;
  uint64_t page_bytes_ = 0;
  std::array<uint64_t, 2> page_piece_{};
  bool page_queue_overflowed_ = false;         // maybe
  Sequence pages_overflowed_surely_ = kNever;  // from here on
  Sequence pages_unusable_until_ = kNever;

  // Whether there are wires, nothing tells but a pulse on one. A message takes the place of none.
  bool has_wires_ = false;
  // The same of the one that wakes processors. What it is due for: a CMD_SYNC that asks for it, by when it was fetched,
  // and a command queue that was surely full, with the place of the command that made room.
  bool has_event_wire_ = false;
  Sequence event_sent_ = 0;
  Sequence event_asked_for_ = 0;
  Sequence commands_full_at_ = 0;
  uint64_t commands_full_place_ = 0;
  // Per source: how often it may still interrupt, and whether it must.
  std::array<uint64_t, kSources> wires_open_{};
  std::array<uint64_t, kSources> messages_open_{};
  std::array<bool, kSources> wire_due_{};
  std::array<bool, kSources> message_due_{};
  uint32_t errors_caused_ = 0;      // bits of GERROR that may be active
  uint32_t errors_due_ = 0;         // and that must be
  uint32_t errors_unclear_ = 0;     // acknowledged without being active
  unsigned error_code_ = 0;         // CMDQ_CONS.ERR of the last command error
  bool events_overflowed_ = false;  // maybe
  bool events_were_lost_ = false;   // surely, to a full queue
  bool events_overflow_flag_ = false;
  Sequence events_overflow_seen_ = 0;                               // when software saw it last
  Sequence events_overflow_acknowledged_ = 0;                       // and changed OVACKFLG, seen or not
  uint64_t events_consumed_surely_ = 0;                             // consumer index that has reached the device
  uint64_t events_read_ = 0;                                        // producer index that software read last
  std::array<uint64_t, tlm_models::smmuv3::kRegisters> unclear_{};  // bits whose value the next read tells
  IdRegisters ids_;

  std::vector<Failure> failures_;
  uint64_t failures_total_ = 0;
  std::array<uint64_t, kRules> used_{};
  JudgeStatistics counts_;
};

}  // namespace lockstep::smmu_rtl_bridge
