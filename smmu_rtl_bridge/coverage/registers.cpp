// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/registers.h"

#include <iterator>

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::bit;
using smmuv3::bits;
using smmuv3::Guard;
using Id = smmuv3::RegisterId;

struct Flag {
  Id id;
  unsigned position;
  const char* name;
};
constexpr Flag kFlags[] = {
    {Id::kCr0, 0, "SMMUEN"},     {Id::kCr0, 1, "PRIQEN"},      {Id::kCr0, 2, "EVENTQEN"},   {Id::kCr0, 3, "CMDQEN"},
    {Id::kCr0, 4, "ATSCHK"},     {Id::kCr2, 0, "E2H"},         {Id::kCr2, 1, "RECINVSID"},  {Id::kCr2, 2, "PTM"},
    {Id::kCr2, 3, "RECATSERR"},  {Id::kGbpa, 20, "ABORT"},     {Id::kIrqCtrl, 0, "GERROR"}, {Id::kIrqCtrl, 1, "PRIQ"},
    {Id::kIrqCtrl, 2, "EVENTQ"}, {Id::kPriqIrqCfg2, 31, "LO"},
};

// Fields of a few bits of which every value is a point.
struct Field {
  Id id;
  unsigned high;
  unsigned low;
  const char* name;
  unsigned values;  // 0 to this, not included
};
constexpr Field kFields[] = {
    {Id::kCr0, 8, 6, "VMW", 5},         {Id::kCr1, 1, 0, "QUEUE_IC", 4},  {Id::kCr1, 3, 2, "QUEUE_OC", 4},
    {Id::kCr1, 5, 4, "QUEUE_SH", 4},    {Id::kCr1, 7, 6, "TABLE_IC", 4},  {Id::kCr1, 9, 8, "TABLE_OC", 4},
    {Id::kCr1, 11, 10, "TABLE_SH", 4},  {Id::kGbpa, 3, 0, "MemAttr", 16}, {Id::kGbpa, 4, 4, "MTCFG", 2},
    {Id::kGbpa, 11, 8, "ALLOCCFG", 16}, {Id::kGbpa, 13, 12, "SHCFG", 4},  {Id::kGbpa, 17, 16, "PRIVCFG", 4},
    {Id::kGbpa, 19, 18, "INSTCFG", 4},
};

struct Error {
  unsigned position;
  const char* name;
};
constexpr Error kErrors[] = {{0, "CMDQ_ERR"},          {2, "EVENTQ_ABT_ERR"},     {3, "PRIQ_ABT_ERR"},
                             {4, "MSI_CMDQ_ABT_ERR"},  {5, "MSI_EVENTQ_ABT_ERR"}, {6, "MSI_PRIQ_ABT_ERR"},
                             {7, "MSI_GERROR_ABT_ERR"}};

constexpr Id kQueueBases[] = {Id::kCmdqBase, Id::kEventqBase, Id::kPriqBase};

std::string root(const smmuv3::RegisterRow& row) { return std::string("registers/") + (row.name + 5); }

uint64_t all_bits(const smmuv3::RegisterRow& row) { return smmuv3::ones(8 * row.size_bytes); }

const smmuv3::RegisterRow& row_of(Id id) {
  for (const smmuv3::RegisterRow& row : smmuv3::register_rows())
    if (row.id == id) return row;
  return smmuv3::register_rows()[0];
}

}  // namespace

void plan_registers(Planner& planner) {
  for (const smmuv3::RegisterRow& row : smmuv3::register_rows()) {
    if (row.feature == smmuv3::Feature::kSecure) continue;
    const std::string name = root(row);
    planner.add(name + "/read");
    if (row.guard == Guard::kReadOnly) {
      planner.add(name + "/write-ignored");
      continue;
    }
    planner.add(name + "/changed");
    if (row.guard != Guard::kNone) planner.add(name + "/guarded-write-ignored");
    if (row.writable != all_bits(row)) planner.add(name + "/reserved-bits-set");
    if (row.size_bytes == 8) planner.cross(name, {{"whole", "low-half", "high-half"}});
  }
  for (const Flag& flag : kFlags) planner.cross(root(row_of(flag.id)), {{flag.name}, {"set", "cleared"}});
  for (const Field& field : kFields)
    for (unsigned value = 0; value < field.values; ++value)
      planner.add(root(row_of(field.id)) + "/" + field.name + "/" + std::to_string(value));
  planner.add("registers/CR0/VMW/reserved");
  planner.cross("registers/CR1", {{"table-fields-guarded", "queue-fields-guarded"}});
  planner.add("registers/GBPA/ignored-without-Update");
  for (const Error& error : kErrors) {
    planner.add(std::string("registers/GERROR/") + error.name);
    planner.add(std::string("registers/GERRORN/") + error.name);
  }
  planner.cross("registers/CMDQ_CONS/ERR", {{"none", "illegal", "abort", "ATC-sync"}});
  planner.cross("registers", {{"EVENTQ_PROD", "PRIQ_PROD"}, {"overflow-seen"}});
  planner.cross("registers", {{"EVENTQ_CONS", "PRIQ_CONS"}, {"overflow-acknowledged"}});
  for (const Id base : kQueueBases)
    planner.cross(root(row_of(base)) + "/LOG2SIZE", {{"one-entry", "between", "largest", "above-largest"}});
  planner.cross("registers/STRTAB_BASE_CFG/format", {{"linear", "two-level/split-6", "two-level/split-8",
                                                      "two-level/split-10", "two-level/split-reserved", "reserved"}});
  planner.cross("registers/STRTAB_BASE_CFG/LOG2SIZE", {{"0", "below-SIDSIZE", "SIDSIZE", "above-SIDSIZE"}});
  planner.cross("registers/no-register", {{"read", "write"}});
}

void RegisterChapter::written(uint32_t offset, unsigned size_bytes, uint64_t value) {
  bool known = false;
  const uint64_t gerrorn = acknowledged_errors_;
  struct Before {
    const smmuv3::RegisterRow* row;
    uint64_t value;
  };
  Before before[2] = {};
  size_t count = 0;
  for (const smmuv3::RegisterRow& row : smmuv3::register_rows()) {
    if (offset + size_bytes <= row.offset || offset >= row.offset + row.size_bytes || count == 2) continue;
    if (!smmuv3::present(row, watched_.config())) continue;
    before[count++] = {&row, row.id == Id::kCmdqProd ? watched_.command_produced : watched_.get(row.id)};
  }
  watched_.register_written(offset, size_bytes, value);
  for (size_t i = 0; i < count; ++i) {
    known = true;
    const smmuv3::RegisterRow& row = *before[i].row;
    if (row.size_bytes == 8)
      watched_.hit(root(row), size_bytes == 8 ? "whole" : offset == row.offset ? "low-half" : "high-half");
    const unsigned shift = offset > row.offset ? 8 * (offset - row.offset) : 0;
    const uint64_t mask = smmuv3::ones(8 * size_bytes) << shift & all_bits(row);
    const uint64_t in_place = (offset < row.offset ? value >> 8 * (row.offset - offset) : value << shift) & mask;
    uint64_t after = row.id == Id::kCmdqProd ? watched_.command_produced : watched_.get(row.id);
    uint64_t was = before[i].value;
    if (row.id == Id::kGerrorN) {
      was = gerrorn;
      after = acknowledged_errors_ = in_place & row.writable;
    }
    judge(row, was, in_place, mask, after);
  }
  if (!known) watched_.hit("registers/no-register/write");
}

void RegisterChapter::judge(const smmuv3::RegisterRow& row, uint64_t before, uint64_t value, uint64_t mask,
                            uint64_t after) {
  const std::string name = root(row);
  if (row.guard == Guard::kReadOnly) {
    watched_.hit(name, "write-ignored");
    return;
  }
  const uint64_t wanted = (value ^ before) & mask & smmuv3::writable_bits(row, watched_.config());
  if (after != before) watched_.hit(name, "changed");
  if (value & ~row.writable & mask) watched_.hit(name, "reserved-bits-set");
  if (wanted != 0 && after == before && row.guard != Guard::kNone) watched_.hit(name, "guarded-write-ignored");
  for (const Flag& flag : kFlags) {
    if (flag.id != row.id || !(mask >> flag.position & 1)) continue;
    if (bit(after, flag.position) != bit(before, flag.position))
      watched_.hit(name, flag.name, bit(after, flag.position) ? "set" : "cleared");
  }
  // A field has its value once something was written that counted.
  if (wanted == 0 || after != before) {
    for (const Field& field : kFields) {
      if (field.id != row.id) continue;
      const uint64_t now = bits(after, field.high, field.low);
      if (now < field.values) {
        watched_.hit(name, field.name, std::to_string(now));
      } else if (row.id == Id::kCr0) {
        watched_.hit(name, field.name, "reserved");
      }
    }
  }
  switch (row.id) {
    case Id::kCr1:
      if (wanted & ~(after ^ before) & 0xfc0) watched_.hit(name, "table-fields-guarded");
      if (wanted & ~(after ^ before) & 0x3f) watched_.hit(name, "queue-fields-guarded");
      break;
    case Id::kGbpa:
      if (!(value & smmuv3::kGbpaUpdate) && (wanted & ~uint64_t{smmuv3::kGbpaUpdate}))
        watched_.hit(name, "ignored-without-Update");
      break;
    case Id::kGerrorN:
      for (const Error& error : kErrors)
        if (bit(before ^ after, error.position)) watched_.hit(name, error.name);
      break;
    case Id::kEventqCons:
    case Id::kPriqCons:
      if (bit(before ^ after, 31)) watched_.hit(name, "overflow-acknowledged");
      break;
    case Id::kCmdqBase:
    case Id::kEventqBase:
    case Id::kPriqBase: {
      const unsigned largest = row.id == Id::kCmdqBase     ? watched_.config().command_queue_log2
                               : row.id == Id::kEventqBase ? watched_.config().event_queue_log2
                                                           : watched_.config().pri_queue_log2;
      const uint64_t log2 = bits(after, 4, 0);
      watched_.hit(name, "LOG2SIZE",
                   log2 == 0         ? "one-entry"
                   : log2 == largest ? "largest"
                   : log2 > largest  ? "above-largest"
                                     : "between");
      break;
    }
    case Id::kStrtabBaseCfg: {
      const uint64_t format = bits(after, 17, 16);
      const uint64_t split = bits(after, 10, 6);
      watched_.hit(name, "format",
                   format == 0   ? "linear"
                   : format != 1 ? "reserved"
                   : split == 6  ? "two-level/split-6"
                   : split == 8  ? "two-level/split-8"
                   : split == 10 ? "two-level/split-10"
                                 : "two-level/split-reserved");
      const uint64_t log2size = bits(after, 5, 0);
      const unsigned largest = watched_.config().stream_id_bits;
      watched_.hit(name, "LOG2SIZE",
                   log2size == 0         ? "0"
                   : log2size < largest  ? "below-SIDSIZE"
                   : log2size == largest ? "SIDSIZE"
                                         : "above-SIDSIZE");
      break;
    }
    default:
      break;
  }
}

void RegisterChapter::read(uint32_t offset, unsigned size_bytes, uint64_t value) {
  bool known = false;
  for (const smmuv3::RegisterRow& row : smmuv3::register_rows()) {
    if (offset + size_bytes <= row.offset || offset >= row.offset + row.size_bytes) continue;
    if (!smmuv3::present(row, watched_.config())) continue;
    known = true;
    const std::string name = root(row);
    watched_.hit(name, "read");
    if (offset > row.offset) continue;
    const uint64_t in_place = value >> 8 * (row.offset - offset);
    switch (row.id) {
      case Id::kGerror:
        for (const Error& error : kErrors)
          if (bit(in_place ^ acknowledged_errors_, error.position)) watched_.hit(name, error.name);
        break;
      case Id::kCmdqCons: {
        static constexpr const char* kCodes[] = {"none", "illegal", "abort", "ATC-sync"};
        const uint64_t code = bits(in_place, 30, 24);
        if (code < std::size(kCodes)) watched_.hit(name, "ERR", kCodes[code]);
        break;
      }
      case Id::kEventqProd:
      case Id::kPriqProd: {
        const uint64_t consumed = watched_.get(row.id == Id::kEventqProd ? Id::kEventqCons : Id::kPriqCons);
        if (bit(in_place ^ consumed, 31)) watched_.hit(name, "overflow-seen");
        break;
      }
      default:
        break;
    }
  }
  if (!known) watched_.hit("registers/no-register/read");
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
