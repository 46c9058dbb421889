// SPDX-License-Identifier: Apache-2.0
// Chapters permissions and attributes.
#include <algorithm>

#include "smmu_rtl_bridge/coverage/translation.h"
#include "tlm_models/smmuv3/descriptor.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

using smmuv3::bit;
using smmuv3::bits;
using smmuv3::MemoryAttributes;
using smmuv3::Outcome;

const Axis kDeviceTypes = {"device-nGnRnE", "device-nGnRE", "device-nGRE", "device-GRE"};
const Axis kPolicies = {"NC", "WT", "WB"};
const Axis kAccesses = {"read", "write", "fetch"};
const Axis kLevels = {"user", "privileged"};

std::string policy(const smmuv3::CacheLevel& level) { return kPolicies[static_cast<unsigned>(level.policy) - 1]; }

// Four classes of memory type, for crosses.
std::string type_class(const MemoryAttributes& a) {
  return a.device ? "device" : a.inner.policy == a.outer.policy ? policy(a.inner) : "mixed";
}

std::string shareability(smmuv3::Shareability s) {
  return s == smmuv3::Shareability::kNone ? "NSH" : s == smmuv3::Shareability::kOuter ? "OSH" : "ISH";
}

std::string number(uint64_t value) { return std::to_string(value); }

// The effective marks of an access once the stream's overrides are in.
struct Marks {
  bool privileged = false;
  bool fetch = false;
};
Marks marks_of(const smmuv3::Ste& ste, const ClientAccess& access) {
  Marks marks;
  marks.privileged = ste.privilege_override == 3 || (ste.privilege_override != 2 && access.privileged);
  const bool read = !access.write && !access.atomic;
  marks.fetch = read && (ste.instruction_override == 3 || (ste.instruction_override != 2 && access.instruction));
  return marks;
}

// Whether the walk of stage 1 came to a leaf whose permissions were looked at.
bool judged_by_stage1(const Look& look) {
  if (!look.cd || look.stage1.empty() || look.stage1_failed) return false;
  if (look.event.type == smmuv3::EventType::kNone) return true;
  return look.event.type == smmuv3::EventType::kPermission && look.event.fault_class == smmuv3::FaultClass::kInput;
}

bool judged_by_stage2(const Look& look) {
  if (look.stage2.empty() || look.stage2.back().failed || look.stage2.back().purpose != Stage2Walk::Purpose::kInput)
    return false;
  return look.event.type == smmuv3::EventType::kNone ||
         (look.event.type == smmuv3::EventType::kPermission && look.event.stage2);
}

void collect_stage1_permissions(Watched& watched, const Look& look, const Marks& marks, bool write) {
  if (!judged_by_stage1(look)) return;
  const smmuv3::ContextDescriptor& cd = *look.cd;
  const uint64_t leaf = look.stage1.back();
  const char* access = marks.fetch ? "fetch" : write ? "write" : "read";
  const char* level = marks.privileged ? "privileged" : "user";
  const bool denied = look.event.type != smmuv3::EventType::kNone && !look.event.stage2;
  const bool user_page = bit(leaf, 6);
  const bool writable = !bit(leaf, 7) || (cd.update_access && cd.update_dirty && bit(leaf, 51));
  if (cd.has_two_halves()) {
    watched.hit("permissions/stage1", world_name(cd.world), "AP-" + number(bits(leaf, 7, 6)), level, access);
    if (marks.fetch)
      watched.hit("permissions/stage1/execute", bit(leaf, 54) ? "UXN-1" : "UXN-0", bit(leaf, 53) ? "PXN-1" : "PXN-0",
                  level);
  } else {
    watched.hit("permissions/stage1/EL2", bit(leaf, 7) ? "read-only" : "writable", access);
    if (marks.fetch) watched.hit("permissions/stage1/EL2", bit(leaf, 54) ? "XN-1" : "XN-0");
  }
  if (cd.write_execute_never && marks.fetch && writable && denied)
    watched.hit("permissions/WXN", cd.has_two_halves() ? level : "EL2");
  if (cd.has_two_halves() && marks.fetch && marks.privileged && user_page && writable && !bit(leaf, 53) &&
      !cd.write_execute_never)
    watched.hit("permissions/privileged-fetch-from-user-writable");
  if (cd.privileged_access_never && marks.privileged && !marks.fetch && user_page)
    watched.hit("permissions/PAN", access);

  uint64_t tables = 0;
  for (size_t i = 0; i + 1 < look.stage1.size(); ++i) tables |= look.stage1[i];
  const char* counted = cd.half[look.half].hierarchical_disabled ? "HAD-1" : "HAD-0";
  if (bit(tables, 61) && cd.has_two_halves() && !marks.privileged && user_page && !marks.fetch)
    watched.hit("permissions/tables/APTable-no-user", counted);
  if (bit(tables, 62) && write && writable) watched.hit("permissions/tables/APTable-read-only", counted);
  if (bit(tables, 60) && marks.fetch && (!marks.privileged || !cd.has_two_halves()) && !bit(leaf, 54))
    watched.hit("permissions/tables/UXNTable", counted);
  if (bit(tables, 59) && marks.fetch && marks.privileged && cd.has_two_halves() && !bit(leaf, 53))
    watched.hit("permissions/tables/PXNTable", counted);
}

void collect_stage2_permissions(Watched& watched, const Look& look, const Marks& marks, bool write, bool atomic) {
  if (!judged_by_stage2(look)) return;
  const uint64_t leaf = look.stage2.back().descriptors.back();
  const char* access = marks.fetch ? "fetch" : write ? "write" : "read";
  const std::string data = "S2AP-" + number(bits(leaf, 7, 6));
  watched.hit("permissions/stage2", look.cd ? "nested" : "alone", data, access);
  if (atomic) watched.hit("permissions/stage2/atomic", data);
  if (marks.fetch)
    watched.hit("permissions/stage2/execute", "XN-" + number(bits(leaf, 54, 53)),
                marks.privileged ? "privileged" : "user");
}

void collect_attributes(Watched& watched, const Look& look, const ClientAccess& access) {
  const smmuv3::Ste& ste = *look.ste;
  const MemoryAttributes input = smmuv3::from_mair(access.attributes.type, access.attributes.shareability);
  watched.hit("attributes/input", type_class(input));

  const smmuv3::AttributeOverrides& overrides = ste.overrides;
  const bool read = !access.write && !access.atomic;
  if (overrides.replace_type) watched.hit("attributes/override/MTCFG", number(overrides.memory_type));
  if (bit(overrides.allocation, 3)) watched.hit("attributes/override/ALLOCCFG", number(overrides.allocation & 7));
  watched.hit("attributes/override/SHCFG", number(overrides.shareability),
              type_class(input) == "device" ? "device" : "normal");
  watched.hit("attributes/override/PRIVCFG", number(ste.privilege_override), access.privileged ? "privileged" : "user");
  watched.hit("attributes/override/INSTCFG", number(ste.instruction_override),
              !read                ? "write"
              : access.instruction ? "fetch"
                                   : "read");

  MemoryAttributes first = input;
  if (look.cd && !look.stage1.empty()) {
    const uint64_t leaf = look.stage1.back();
    const auto attribute = static_cast<uint8_t>(look.cd->mair >> (8 * bits(leaf, 4, 2)));
    first = smmuv3::from_mair(attribute, static_cast<unsigned>(bits(leaf, 9, 8)));
    watched.hit("attributes/stage1/index", number(bits(leaf, 4, 2)));
    if (first.device) {
      watched.hit("attributes/stage1", kDeviceTypes[static_cast<unsigned>(first.device_type)]);
    } else {
      watched.hit("attributes/stage1", "outer-" + policy(first.outer), "inner-" + policy(first.inner),
                  shareability(first.shareability));
      if (first.inner.transient || first.outer.transient) watched.hit("attributes/stage1/transient");
      if (!first.inner.read_allocate && first.inner.policy != smmuv3::Cacheability::kNonCacheable)
        watched.hit("attributes/stage1/no-read-allocate");
    }
  }
  if (!ste.stage2_translates() || look.stage2.empty()) return;
  const uint64_t leaf = look.stage2.back().descriptors.back();
  const uint64_t memattr = bits(leaf, 5, 2);
  const std::string from = look.cd ? "stage1-" : "input-";
  if (ste.stage2.force_write_back) {
    watched.hit("attributes/forced", from + type_class(first), "MemAttr-" + number(memattr & 7));
    return;
  }
  watched.hit("attributes/stage2/MemAttr", number(memattr));
  const MemoryAttributes second =
      smmuv3::from_stage2_encoding(static_cast<unsigned>(memattr), static_cast<unsigned>(bits(leaf, 9, 8)));
  watched.hit("attributes/combined", from + type_class(first), "stage2-" + type_class(second));
  if (!first.device && !second.device)
    watched.hit("attributes/combined-shareability", shareability(first.shareability),
                shareability(second.shareability));
}

// Attributes of the SMMU's own reads, as structures have them.
void collect_walk_attributes(Watched& watched, const Look& look) {
  for (const CoreAccess& access : look.accesses) {
    const auto fields = [&](const char* what, uint64_t word, unsigned low) {
      watched.hit("attributes/own-reads", what, "inner-" + number(bits(word, low + 1, low)));
      watched.hit("attributes/own-reads", what, "outer-" + number(bits(word, low + 3, low + 2)));
      watched.hit("attributes/own-reads", what, "shareability-" + number(bits(word, low + 5, low + 4)));
    };
    if (access.kind == smmuv3::AccessKind::kStreamTableEntry && look.ste) {
      if (look.ste->stage1_translates() && look.cd) fields("context", access.words[1], 2);
      if (look.ste->stage2_translates() && !look.stage2.empty()) fields("stage2", access.words[2], 40);
    } else if (access.kind == smmuv3::AccessKind::kContextDescriptor && look.cd && !look.stage1.empty()) {
      fields(look.half ? "TTB1" : "TTB0", access.words[0], look.half ? 24 : 8);
    }
  }
}

}  // namespace

void plan_access(Planner& planner) {
  planner.cross("permissions/stage1", {{"EL1", "EL2-E2H"}, {"AP-0", "AP-1", "AP-2", "AP-3"}, kLevels, kAccesses});
  planner.cross("permissions/stage1/EL2", {{"read-only", "writable"}, kAccesses});
  planner.cross("permissions/stage1/EL2", {{"XN-0", "XN-1"}});
  planner.cross("permissions/stage1/execute", {{"UXN-0", "UXN-1"}, {"PXN-0", "PXN-1"}, kLevels});
  planner.cross("permissions/WXN", {{"user", "privileged", "EL2"}});
  planner.add("permissions/privileged-fetch-from-user-writable");
  planner.cross("permissions/PAN", {{"read", "write"}});
  planner.cross("permissions/tables",
                {{"APTable-no-user", "APTable-read-only", "UXNTable", "PXNTable"}, {"HAD-0", "HAD-1"}});
  planner.cross("permissions/stage2", {{"alone", "nested"}, {"S2AP-0", "S2AP-1", "S2AP-2", "S2AP-3"}, kAccesses});
  planner.cross("permissions/stage2/atomic", {{"S2AP-0", "S2AP-1", "S2AP-2", "S2AP-3"}});
  planner.cross("permissions/stage2/execute", {{"XN-0", "XN-1", "XN-2", "XN-3"}, kLevels});

  const Axis classes = {"device", "NC", "WT", "WB", "mixed"};
  planner.cross("attributes/input", {classes});
  Axis sixteen;
  for (unsigned i = 0; i < 16; ++i) sixteen.push_back(number(i));
  const Axis eight(sixteen.begin(), sixteen.begin() + 8);
  const Axis four(sixteen.begin(), sixteen.begin() + 4);
  planner.cross("attributes/override/MTCFG", {sixteen});
  planner.cross("attributes/override/ALLOCCFG", {eight});
  planner.cross("attributes/override/SHCFG", {four, {"device", "normal"}});
  planner.cross("attributes/override/PRIVCFG", {four, kLevels});
  planner.cross("attributes/override/INSTCFG", {four, kAccesses});
  planner.cross("attributes/stage1/index", {eight});
  planner.cross("attributes/stage1", {kDeviceTypes});
  planner.cross("attributes/stage1",
                {{"outer-NC", "outer-WT", "outer-WB"}, {"inner-NC", "inner-WT", "inner-WB"}, {"NSH", "OSH", "ISH"}},
                [](const Axis& v) { return v[0] != "outer-NC" || v[1] != "inner-NC" || v[2] == "OSH"; });
  planner.cross("attributes/stage1", {{"transient", "no-read-allocate"}});
  planner.cross("attributes/stage2/MemAttr", {sixteen});
  Axis firsts;
  for (const char* from : {"stage1-", "input-"})
    for (const std::string& name : classes) firsts.push_back(from + name);
  Axis forced;
  for (const std::string& name : eight) forced.push_back("MemAttr-" + name);
  planner.cross("attributes/forced", {firsts, forced});
  planner.cross("attributes/combined",
                {firsts, {"stage2-device", "stage2-NC", "stage2-WT", "stage2-WB", "stage2-mixed"}});
  planner.cross("attributes/combined-shareability", {{"NSH", "OSH", "ISH"}, {"NSH", "OSH", "ISH"}});
  planner.cross("attributes/own-reads",
                {{"context", "stage2", "TTB0", "TTB1"},
                 {"inner-0", "inner-1", "inner-2", "inner-3", "outer-0", "outer-1", "outer-2", "outer-3",
                  "shareability-0", "shareability-1", "shareability-2", "shareability-3"}});
}

void collect_access(Watched& watched, const Look& look, const ClientAccess& access) {
  if (!look.ste || access.translated) return;
  const bool judged = look.event.type == smmuv3::EventType::kNone || look.event.type == smmuv3::EventType::kPermission;
  if (!judged) return;
  const bool write = access.write || access.atomic;
  const Marks marks = marks_of(*look.ste, access);
  if (look.ste->translates()) {
    collect_stage1_permissions(watched, look, marks, write);
    collect_stage2_permissions(watched, look, marks, write, access.atomic);
    collect_walk_attributes(watched, look);
  }
  if (look.result.outcome == Outcome::kPass) collect_attributes(watched, look, access);
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
