// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/collector.h"

#include <cstring>

#include "smmu_rtl_bridge/coverage/ats.h"
#include "smmu_rtl_bridge/coverage/commands.h"
#include "smmu_rtl_bridge/coverage/events.h"
#include "smmu_rtl_bridge/coverage/interrupts.h"
#include "smmu_rtl_bridge/coverage/invalidation.h"
#include "smmu_rtl_bridge/coverage/registers.h"
#include "smmu_rtl_bridge/coverage/stalls.h"
#include "smmu_rtl_bridge/coverage/translation.h"
#include "smmu_rtl_bridge/coverage/watched.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using Id = smmuv3::RegisterId;

constexpr uint32_t kGerrorNOffset = 0x64;

}  // namespace

struct Collector::Parts {
  Parts(const smmuv3::Config& config, Database& all)
      : database(all),
        watched(config, all),
        registers(watched),
        commands(watched),
        events(watched),
        invalidation(watched),
        stalls(watched),
        ats(watched),
        interrupts(watched) {}

  Database& database;
  Watched watched;
  RegisterChapter registers;
  CommandChapter commands;
  EventChapter events;
  InvalidationChapter invalidation;
  StallChapter stalls;
  AtsChapter ats;
  InterruptChapter interrupts;
  uint64_t acknowledged_errors = 0;  // GERRORN
};

Collector::Collector(const smmuv3::Config& config, Database& database)
    : parts_(std::make_unique<Parts>(config, database)) {}
Collector::~Collector() = default;

void Collector::software_wrote(uint64_t address, const void* data, size_t size_bytes) {
  parts_->watched.memory.write(address, data, size_bytes);
}

void Collector::page_broken(uint64_t page, bool broken) { parts_->watched.memory.set_broken(page, broken); }

void Collector::register_written(uint32_t offset, unsigned size_bytes, uint64_t value) {
  Parts& p = *parts_;
  if ((size_bytes != 4 && size_bytes != 8) || offset % size_bytes != 0) return;
  p.registers.written(offset, size_bytes, value);
  p.stalls.control_written(p.watched.enabled(smmuv3::kCr0SmmuEnable));
  if (offset == kGerrorNOffset) {
    p.events.errors_acknowledged(p.acknowledged_errors, value);
    p.ats.errors_acknowledged(p.acknowledged_errors, value);
    p.acknowledged_errors = value;
  }
}

void Collector::register_read(uint32_t offset, unsigned size_bytes, uint64_t value) {
  parts_->registers.read(offset, size_bytes, value);
}

void Collector::device_read(uint64_t address, const void* data, size_t size_bytes, const Attributes&, bool failed) {
  Parts& p = *parts_;
  uint64_t index = 0;
  unsigned log2 = 0;
  smmuv3::CommandWords command{};
  if (size_bytes != sizeof command || !p.watched.enabled(smmuv3::kCr0CommandQueueEnable) ||
      !p.watched.inside_queue(Id::kCmdqBase, address, index, log2))
    return;
  if (!failed) std::memcpy(command.data(), data, sizeof command);
  p.ats.device_fetches_command();
  p.commands.pending_atc = p.ats.pending_atc();
  p.commands.fetched(command, index, log2, failed);
  if (failed) return;
  p.stalls.command(command);
  p.invalidation.command(command);
  p.ats.command(command);
  p.interrupts.command(command);
}

void Collector::device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes&, bool failed) {
  Parts& p = *parts_;
  if (!failed) p.watched.memory.write(address, data, size_bytes);
  uint64_t index = 0;
  unsigned log2 = 0;
  smmuv3::EventRecord record{};
  if (size_bytes == sizeof record && p.watched.inside_queue(Id::kEventqBase, address, index, log2)) {
    if (failed) {
      p.events.record_failed();
      return;
    }
    std::memcpy(record.data(), data, sizeof record);
    p.events.recorded(record, index, log2);
    p.stalls.recorded(record);
    p.ats.event_recorded();
  } else if (size_bytes == 16 && p.watched.inside_queue(Id::kPriqBase, address, index, log2)) {
    p.ats.page_recorded(index, log2, failed);
  } else if (size_bytes == 4) {
    p.interrupts.message(address, failed);
  }
}

void Collector::device_exchanged(uint64_t address, uint64_t, uint64_t desired, const Attributes&, bool done, bool) {
  if (done) parts_->watched.memory.write(address, &desired, sizeof desired);
}

void Collector::accepted(const ClientAccess& access) {
  Parts& p = *parts_;
  const Look look = p.watched.look(access);
  if (access.translated) p.ats.translated(access, look);
  p.events.expected(access.id, access.translated, look);
  p.stalls.accepted(access, look);
  collect_configuration(p.watched, look, access);
  collect_walks(p.watched, look);
  collect_access(p.watched, look, access);
  p.invalidation.used(look, access);
}

void Collector::answered(uint64_t id, AccessEnd end) {
  parts_->events.answered(id, end);
  parts_->stalls.answered(id, end);
}

void Collector::ats_asked(const AtsQuestion& question) {
  Parts& p = *parts_;
  const Look look = p.watched.look(question);
  p.ats.asked(question, look);
  p.events.expected(question.id, true, look);
  collect_walks(p.watched, look);
}

void Collector::ats_answered(const AtsAnswer& answer) {
  parts_->ats.answered(answer);
  parts_->events.ats_answered(answer.id);
}

void Collector::atc_invalidated(const AtcInvalidation& invalidation) { parts_->ats.atc_invalidated(invalidation); }
void Collector::atc_invalidation_done(bool timed_out) { parts_->ats.atc_done(timed_out); }
void Collector::page_asked(const PageQuestion& question) { parts_->ats.page_asked(question); }
void Collector::page_answered(const PageAnswer& answer) { parts_->ats.page_answered(answer); }
void Collector::pulsed(Wire wire) { parts_->interrupts.pulsed(wire); }

void Collector::quiet() { parts_->stalls.quiet(parts_->events.queue_full()); }

void Collector::finished() { ++parts_->database.runs; }

}  // namespace lockstep::smmu_rtl_bridge::coverage
