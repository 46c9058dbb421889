// SPDX-License-Identifier: Apache-2.0
// What software changes, and the commands that make the SMMU forget what it knew of it.
#include <algorithm>

#include "smmu_rtl_bridge/bits.h"
#include "smmu_rtl_bridge/script/vocabulary.h"
#include "smmu_rtl_bridge/stimulus/traffic.h"

namespace lockstep::smmu_rtl_bridge {

Line& Traffic::command(const char* name) {
  Line& line = plan_.emit(Verb::kCommand);
  line.word = name;
  if (draw_.chance(15)) line.set("hold", 1);
  return line;
}

bool Traffic::has_command(std::string_view name) const {
  if (name.starts_with("TLBI_EL3")) return false;
  if (name.starts_with("TLBI_EL2")) return features_.hypervisor();
  if (name.starts_with("TLBI_NH") || name.starts_with("CFGI_CD")) return features_.stage1();
  if (name.starts_with("TLBI_S")) return features_.stage2();
  if (name == "ATC_INV") return features_.ats();
  if (name == "PRI_RESP") return features_.pri();
  if (name == "RESUME" || name == "STALL_TERM") return features_.stall_model() != 1;
  return true;
}

void Traffic::sync() {
  Line& line = plan_.emit(Verb::kSync);
  if (draw_.chance(15)) line.set("cs", draw_.between(1, 2));
  if (line.get("cs", 0) == 1 && features_.msi() && draw_.chance(mix_.messages)) {
    line.set("msi_addr", 0x9ff0'0000).set("msi_data", draw_.any() & 0xffffffff);
    line.set("mattr", draw_.below(16)).set("msh", draw_.below(4));
  }
}

void Traffic::tags(Line& line, const LeafPlan& leaf, bool with_asid) {
  const StreamPlan& stream = plan_.streams[leaf.stream];
  if (!stream.el2) line.set("vmid", stream.vmid);
  if (with_asid && !leaf.place.stage2) line.set("asid", stream.contexts[leaf.context].asid);
}

// With TG, a level and a range, or without.
Line& Traffic::by_address(const char* name, const LeafPlan& leaf, bool leaf_only) {
  Line& line = command(name);
  uint64_t address = leaf.address + (draw_.below(leaf.size) & ~uint64_t{0xfff});
  if (leaf_only && draw_.chance(50)) line.set("leaf", 1);
  if (leaf.group_log2 != 0) {
    // Each page of a contiguous group may be cached alone: a range covers all, where there are ranges.
    address = leaf.address;
    if (features_.ranges()) {
      const uint64_t count = leaf.size >> leaf.granule_log2;
      unsigned scale = 1;
      while (count >> scale > 32) ++scale;
      line.set("tg", (leaf.granule_log2 - 10) / 2u).set("scale", scale);
      line.set("num", (count + ones(scale)) >> scale ? ((count + ones(scale)) >> scale) - 1 : 0);
    }
  } else if (features_.ranges() && draw_.chance(50)) {
    line.set("tg", (leaf.granule_log2 - 10) / 2u);
    const bool hint = leaf_only && leaf.level > 0 && !(leaf.granule_log2 == 14 && leaf.level == 1) && draw_.chance(50);
    const uint64_t unit = hint ? leaf.size : uint64_t{1} << leaf.granule_log2;
    address &= ~(unit - 1);
    if (hint) line.set("ttl", leaf.level);
    if (!hint || draw_.chance(50)) {
      const uint64_t back = hint ? 0 : std::min<uint64_t>(draw_.below(4), address >> leaf.granule_log2);
      address -= back << leaf.granule_log2;
      line.set("scale", draw_.between(1, 3)).set("num", draw_.between(2, 9));
    }
  }
  line.set("va", address & ~uint64_t{0xfff});
  return line;
}

void Traffic::cover(const LeafPlan& leaf, bool leaf_only) {
  if (draw_.chance(mix_.forgotten)) return;
  const StreamPlan& stream = plan_.streams[leaf.stream];
  const bool whole_group = leaf.group_log2 == 0 || features_.ranges();
  if (leaf.place.stage2) {
    const bool narrow = leaf_only && whole_group && draw_.chance(60);
    if (narrow) {
      Line& line = by_address("TLBI_S2_IPA", leaf, true);
      line.set("vmid", stream.vmid);
      if (features_.stage1()) command("TLBI_NH_ALL").set("vmid", stream.vmid);
    } else if (draw_.chance(60)) {
      command("TLBI_S12_VMALL").set("vmid", stream.vmid);
    } else {
      command("TLBI_NSNH_ALL");
    }
    if (leaf.holds_tables) command("CFGI_STE_RANGE").set("range", 31);
    return;
  }
  if (stream.el2) {
    const uint64_t drawn = draw_.below(4);
    if (!whole_group || drawn == 0) {
      command("TLBI_EL2_ALL");
    } else if (drawn == 1 && plan_.e2h) {
      tags(command("TLBI_EL2_ASID"), leaf, true);
    } else if (drawn == 2) {
      tags(by_address("TLBI_EL2_VA", leaf, leaf_only), leaf, true);
    } else {
      by_address("TLBI_EL2_VAA", leaf, leaf_only);
    }
    return;
  }
  const uint64_t drawn = draw_.below(whole_group ? 8 : 4);
  if (drawn == 0) {
    command("TLBI_NSNH_ALL");
  } else if (drawn == 1) {
    tags(command("TLBI_NH_ALL"), leaf, false);
  } else if (drawn < 4) {
    // Global pages do not go with an ASID.
    if (leaf.line.get("ng", 1)) {
      tags(command("TLBI_NH_ASID"), leaf, true);
    } else {
      tags(command("TLBI_NH_ALL"), leaf, false);
    }
  } else if (drawn < 7) {
    tags(by_address("TLBI_NH_VA", leaf, leaf_only), leaf, true);
  } else {
    tags(by_address("TLBI_NH_VAA", leaf, leaf_only), leaf, false);
  }
}

Line Traffic::changed(LeafPlan& leaf, uint64_t kind) {
  Line fresh = leaf.line;
  const auto drop = [&](std::string_view name) {
    std::erase_if(fresh.fields, [&](const Field& field) { return field.name == name; });
  };
  const bool stage2 = leaf.place.stage2;
  if (kind == 0) {
    drop(stage2 ? "s2ap" : "ap");
    fresh.set(stage2 ? "s2ap" : "ap", leaf.holds_tables ? 3 - draw_.below(2) * 2 : draw_.below(4));
  } else if (kind == 1) {
    drop("af");
    if (draw_.chance(60)) fresh.set("af", 0);
  } else if (kind == 2) {
    drop(stage2 ? "memattr" : "attr");
    fresh.set(stage2 ? "memattr" : "attr", draw_.below(stage2 ? 16 : 8));
  } else {
    const uint64_t reach = leaf.granule_log2 == 16 ? 31 : 30;
    const uint64_t moved = leaf.output ^ (uint64_t{1} << std::max<uint64_t>(reach, 63 - __builtin_clzll(leaf.size)));
    drop("pa");
    fresh.set("pa", moved);
    leaf.output = moved;
  }
  return fresh;
}

// A leaf gets another output, other permissions or goes: with break-before-make, or at once.
void Traffic::update(bool live) {
  if (plan_.leaves.empty()) return;
  LeafPlan& leaf = draw_.pick(plan_.leaves);
  const bool faultless = !odd(100);
  if (faultless && leaf.holds_tables) return;
  const uint64_t kind = faultless ? draw_.between(2, 4) : draw_.below(leaf.holds_tables ? 2 : 5);
  const Line fresh = changed(leaf, kind);
  const bool moves = kind >= 3;
  const bool goes = !moves && odd(10);
  const bool breaks = (moves && !live) || goes || draw_.chance(20);
  if (breaks && leaf.group_log2 == 0) {
    Line& gone = plan_.emit(Verb::kUnmap);
    gone.place = leaf.place;
    gone.number = leaf.address;
    if (leaf.level != 3) gone.set("level", leaf.level);
    if (draw_.chance(20)) gone.set("value", draw_.any() & ~uint64_t{1});
    cover(leaf, true);
    sync();
    if (draw_.chance(50)) accesses(3);
    if (draw_.chance(50)) plan_.emit(Verb::kQuiet);
  }
  leaf.line = fresh;
  plan_.emit(Verb::kMap) = fresh;
  if (!breaks || draw_.chance(20) || leaf.group_log2 != 0) {
    if (live && draw_.chance(40)) accesses(4);
    cover(leaf, true);
    sync();
  }
}

void Traffic::cover_configuration(const StreamPlan& stream, const Place& place, bool entry) {
  if (draw_.chance(mix_.forgotten)) return;
  const uint64_t drawn = draw_.below(10);
  const auto name = [&](const StreamPlan& one) {
    if (drawn < 2) {
      command("CFGI_STE_RANGE").set("sid", one.id).set("range", draw_.below(4));
    } else if (entry || drawn < 4 || !features_.stage1()) {
      command("CFGI_STE").set("sid", one.id).set("leaf", draw_.below(2));
    } else if (drawn < 6) {
      command("CFGI_CD_ALL").set("sid", one.id);
    } else {
      command("CFGI_CD").set("sid", one.id).set("ssid", place.substream).set("leaf", draw_.below(2));
    }
  };
  if (drawn == 9) {
    command("CFGI_STE_RANGE").set("range", 31);
    return;
  }
  name(stream);
  if (entry) return;
  for (const StreamPlan& other : plan_.streams)
    if (&other != &stream && other.context_pointer == stream.context_pointer && stream.has_stage1() &&
        other.has_stage1())
      name(other);
}

void Traffic::reconfigure() {
  if (!plan_.damages.empty() && draw_.chance(30)) {
    const size_t which = draw_.below(plan_.damages.size());
    const Damage damage = plan_.damages[which];
    plan_.damages.erase(plan_.damages.begin() + static_cast<std::ptrdiff_t>(which));
    const StreamPlan& stream = plan_.streams[damage.stream];
    plan_.emit(Verb::kQuiet);
    plan_.emit(Verb::kCd) = damage.cure;
    cover_configuration(stream, damage.cure.place, damage.cure.verb == Verb::kStream);
    command("TLBI_NSNH_ALL");
    if (stream.el2) command("TLBI_EL2_ALL");
    sync();
    return;
  }
  StreamPlan& stream = draw_.pick(plan_.streams);
  plan_.emit(Verb::kQuiet);
  Line line;
  line.place.stream = stream.id;
  const bool alone = !stream.is_sharer && stream.sharers.empty();
  if (stream.has_stage1() && draw_.chance(65)) {
    const ContextPlan& context = draw_.pick(stream.contexts);
    line.verb = Verb::kCd;
    line.place.substream = context.substream;
    line.place.has_substream = context.substream != 0;
    const uint64_t drawn = draw_.below(10);
    bool in_tlb = true;
    if (drawn < 2) {
      line.set("R", draw_.below(2));
      in_tlb = false;
    } else if (drawn < 4) {
      // Gone for a while.
      line.set("V", 0);
      plan_.emit(Verb::kCd) = line;
      cover_configuration(stream, line.place, false);
      sync();
      accesses(4);
      plan_.emit(Verb::kQuiet);
      line.fields[0].value = 1;
      in_tlb = false;
    } else if (drawn == 4) {
      line.set("WXN", draw_.below(2));
    } else if (drawn == 5) {
      line.set("PAN", draw_.below(2));
    } else if (drawn == 6) {
      line.set("AFFD", draw_.below(2));
    } else if (drawn == 7) {
      line.set("MAIR", draw_.any());
    } else if (drawn == 8) {
      line.set("HAD0", draw_.below(2));
    } else {
      line.set("EPD0", draw_.below(2));
    }
    plan_.emit(Verb::kCd) = line;
    cover_configuration(stream, line.place, false);
    if (in_tlb || draw_.chance(20)) {
      if (stream.el2) {
        command("TLBI_EL2_ALL");
      } else {
        command("TLBI_NH_ALL").set("vmid", stream.vmid);
      }
    }
  } else {
    line.verb = Verb::kStream;
    const uint64_t drawn = draw_.below(8);
    // Something else for a while.
    const auto away = [&](const char* name, uint64_t other, uint64_t back) {
      line.set(name, other);
      plan_.emit(Verb::kStream) = line;
      cover_configuration(stream, line.place, true);
      sync();
      accesses(4);
      plan_.emit(Verb::kQuiet);
      line.fields[0].value = back;
    };
    if (drawn < 2) {
      line.set("PRIVCFG", draw_.below(4));
    } else if (drawn == 2) {
      line.set("INSTCFG", draw_.below(4));
    } else if (drawn == 3) {
      away("V", 0, 1);
    } else if (drawn == 4) {
      line.set("MTCFG", draw_.below(2)).set("MemAttr", draw_.below(16)).set("SHCFG", draw_.below(4));
    } else if (drawn == 5 && stream.substreams_log2) {
      line.set("S1DSS", draw_.below(3));
    } else if (drawn == 6 && stream.has_stage2() && alone) {
      line.set(draw_.chance(50) ? "S2R" : "S2AFFD", draw_.below(2));
    } else {
      away("Config", draw_.pick({0u, 4u}), stream.config);
    }
    plan_.emit(Verb::kStream) = line;
    cover_configuration(stream, line.place, true);
    if (line.has("S2AFFD")) command("TLBI_S12_VMALL").set("vmid", stream.vmid);
  }
  sync();
}

void Traffic::invalidate() {
  for (uint64_t count = draw_.between(1, 4); count != 0; --count) {
    if (!plan_.leaves.empty() && draw_.chance(55)) {
      cover(draw_.pick(plan_.leaves), draw_.chance(70));
      continue;
    }
    const CommandName& name = command_names()[draw_.below(command_names().size())];
    if (!has_command(name.name) || name.name == "RAW" || name.name == "SYNC" || name.name == "RESUME" ||
        name.name == "STALL_TERM" || name.name == "PRI_RESP")
      continue;
    const StreamPlan& stream = draw_.pick(plan_.streams);
    Line& line = command(std::string(name.name).c_str());
    if (name.opcode < 0x10 || name.opcode >= 0x40) {
      line.set("sid", draw_.chance(80) ? stream.id : draw_.below(uint64_t{1} << features_.stream_bits()));
      if (name.name == "CFGI_CD" && !stream.contexts.empty())
        line.set("ssid", stream.contexts[draw_.below(stream.contexts.size())].substream);
      if (name.name == "CFGI_STE_RANGE") line.set("range", draw_.below(32));
      if (name.name == "ATC_INV") {
        if (features_.substream_bits() && draw_.chance(40)) line.set("ssv", 1).set("ssid", draw_.below(8));
        if (draw_.chance(20)) line.set("global", 1);
        line.set("va", draw_.any() & ~uint64_t{0xfff}).set("span", draw_.chance(50) ? 52 : draw_.below(53));
      }
      if (name.opcode <= 2 && !stream.contexts.empty() && stream.substreams_log2)
        line.set("ssv", 1).set("ssid", stream.contexts.back().substream);
      continue;
    }
    line.set("vmid", stream.vmid);
    if (!stream.contexts.empty()) line.set("asid", stream.contexts.front().asid);
    if (name.opcode == 0x12 || name.opcode == 0x13 || name.opcode == 0x22 || name.opcode == 0x23 ||
        name.opcode == 0x2a) {
      if (!plan_.leaves.empty()) line.set("va", draw_.pick(plan_.leaves).address);
      if (features_.ranges() && draw_.chance(60)) {
        line.set("tg", draw_.between(1, 3)).set("ttl", draw_.below(4));
        line.set("num", draw_.below(32)).set("scale", draw_.chance(80) ? draw_.between(1, 12) : draw_.between(1, 31));
      }
      if (draw_.chance(30)) line.set("leaf", 1);
    }
  }
  sync();
}

void Traffic::everything_invalid() {
  const auto held = [&](Line& line) -> Line& {
    if (!line.has("hold")) line.set("hold");
    return line;
  };
  held(command("CFGI_STE_RANGE")).set("range", 31);
  if (features_.hypervisor()) held(command("TLBI_EL2_ALL"));
  held(command("TLBI_NSNH_ALL"));
  sync();
}

}  // namespace lockstep::smmu_rtl_bridge
