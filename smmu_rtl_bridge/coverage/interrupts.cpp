// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/interrupts.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::bits;
using Id = smmuv3::RegisterId;

struct Source {
  const char* name;
  Wire wire;
  Id address;
  Id attributes;
};
constexpr Source kSources[] = {
    {"EVENTQ", Wire::kEventQueue, Id::kEventqIrqCfg0, Id::kEventqIrqCfg2},
    {"PRIQ", Wire::kPriQueue, Id::kPriqIrqCfg0, Id::kPriqIrqCfg2},
    {"GERROR", Wire::kGlobalError, Id::kGerrorIrqCfg0, Id::kGerrorIrqCfg2},
};

const char* type_of(uint64_t memattr) {
  const uint64_t outer = memattr >> 2;
  const uint64_t inner = memattr & 3;
  if (outer == 0 || inner == 0) return "device";
  return outer == 1 && inner == 1 ? "non-cacheable" : "cacheable";
}

}  // namespace

void plan_interrupts(Planner& planner) {
  const Axis sources = {"EVENTQ", "PRIQ", "GERROR", "SYNC"};
  planner.cross("interrupts/wire", {{"EVENTQ", "PRIQ", "GERROR", "SYNC", "SEV"}});
  planner.cross("interrupts/wire-without-message", {sources});
  planner.cross("interrupts/message", {sources, {"device", "non-cacheable", "cacheable"}, {"written"}});
  planner.cross("interrupts/message", {sources, {"aborted"}});
  planner.add("interrupts/PRIQ-last-only");
}

void InterruptChapter::pulsed(Wire wire) {
  if (wire == Wire::kSendEvent) {
    watched_.hit("interrupts/wire/SEV");
    return;
  }
  if (wire == Wire::kCommandSync) {
    watched_.hit("interrupts/wire/SYNC");
    if (sync_address_ == 0) watched_.hit("interrupts/wire-without-message/SYNC");
    return;
  }
  for (const Source& source : kSources) {
    if (source.wire != wire) continue;
    watched_.hit("interrupts/wire", source.name);
    if (watched_.get(source.address) == 0) watched_.hit("interrupts/wire-without-message", source.name);
    if (wire == Wire::kPriQueue && watched_.get(Id::kPriqIrqCfg2) >> 31 != 0) watched_.hit("interrupts/PRIQ-last-only");
  }
}

void InterruptChapter::command(const smmuv3::CommandWords& command) {
  if (static_cast<smmuv3::Opcode>(command[0] & 0xff) != smmuv3::Opcode::kSync) return;
  sync_address_ = smmuv3::field_in_place(command[1], 51, 2) & smmuv3::ones(watched_.config().oas_bits);
  sync_attributes_ = bits(command[0], 27, 24);
  if (bits(command[0], 13, 12) != 1) sync_address_ = 0;
}

bool InterruptChapter::message(uint64_t address, bool failed) {
  const char* name = nullptr;
  uint64_t memattr = 0;
  for (const Source& source : kSources) {
    if (watched_.get(source.address) != address || address == 0) continue;
    name = source.name;
    memattr = bits(watched_.get(source.attributes), 3, 0);
    break;
  }
  if (!name && sync_address_ != 0 && address == sync_address_) {
    name = "SYNC";
    memattr = sync_attributes_;
  }
  if (!name) return false;
  if (failed) {
    watched_.hit("interrupts/message", name, "aborted");
  } else {
    watched_.hit("interrupts/message", name, type_of(memattr), "written");
  }
  return true;
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
