// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/stimulus/traffic.h"

#include <algorithm>

#include "smmu_rtl_bridge/script/vocabulary.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr uint64_t ones(unsigned bits) { return bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1; }

// Memory types that clients use, with the shareability that goes with them where there is no choice.
struct ClientType {
  uint8_t type;
  int shareability;
};
constexpr ClientType kTypes[] = {{0xff, -1}, {0xbb, -1}, {0xaa, -1}, {0xee, -1}, {0x77, -1}, {0x4f, -1},
                                 {0xf4, -1}, {0x44, 2},  {0x00, 2},  {0x04, 2},  {0x08, 2},  {0x0c, 2}};

}  // namespace

void Traffic::run() {
  for (unsigned i = 0; i < mix_.rounds; ++i) round();
  for (const StreamPlan& stream : plan_.streams) {
    if (!stream.can_stall() || features_.stall_model() == 1) continue;
    command("STALL_TERM").set("sid", stream.id);
  }
  sync();
}

void Traffic::round() {
  accesses(mix_.accesses / mix_.rounds);
  maybe_quiet();
  something();
}

void Traffic::maybe_quiet() {
  if (!draw_.chance(mix_.hasty)) plan_.emit(Verb::kQuiet);
}

void Traffic::accesses(unsigned count) {
  // Some streams are busier than others for a while.
  const size_t favourite = draw_.below(plan_.streams.size());
  for (unsigned i = 0; i < count; ++i) access(draw_.chance(40) ? favourite : draw_.below(plan_.streams.size()));
}

Place Traffic::place_of(StreamPlan& stream, ContextPlan*& context) {
  Place place;
  place.stream = stream.id;
  context = nullptr;
  if (!stream.has_stage1()) {
    if (features_.substream_bits() && draw_.chance(2)) place.has_substream = true;
    return place;
  }
  context = &draw_.pick(stream.contexts);
  if (context->substream != 0) {
    place.substream = context->substream;
    place.has_substream = true;
  }
  if (features_.substream_bits() && draw_.chance(2)) {
    place.has_substream = !place.has_substream;
    if (draw_.chance(50)) place.substream = static_cast<uint32_t>(draw_.below(uint64_t{2} << stream.substreams_log2));
    if (!place.has_substream) place.substream = 0;
  }
  return place;
}

void Traffic::access(size_t index) {
  StreamPlan& stream = plan_.streams[index];
  ContextPlan* context = nullptr;
  Line line;
  line.verb = Verb::kAccess;
  line.place = place_of(stream, context);
  std::vector<uint64_t>& addresses = context ? context->addresses : stream.addresses;
  uint64_t& last = context ? context->last : stream.last;
  uint64_t address = draw_.chance(mix_.locality) && last ? last : draw_.pick(addresses);
  if (draw_.chance(35)) address ^= draw_.below(4096) & ~uint64_t{7};
  if (draw_.chance(mix_.holes)) {
    address ^= uint64_t{1} << draw_.below(64);
  } else {
    last = address;
  }
  if (draw_.chance(mix_.unknown_streams))
    line.place.stream = static_cast<uint32_t>(draw_.below(uint64_t{2} << features_.stream_bits()));
  line.number = address;
  const uint64_t kind = draw_.below(100);
  line.word = kind < 55 ? "read" : kind < 82 ? "write" : kind < 90 ? "atomic" : "exec";
  if (draw_.chance(40)) line.set("priv");
  if (draw_.chance(20)) {
    constexpr uint64_t kSizes[] = {1, 4, 16, 64};
    line.set("size", kSizes[draw_.below(4)]);
  }
  if (draw_.chance(mix_.attributes / 2)) {
    const ClientType& type = kTypes[draw_.below(std::size(kTypes))];
    line.set("type", type.type);
    const uint64_t drawn = draw_.pick({0, 2, 3});
    line.set("sh", type.shareability < 0 ? drawn : static_cast<uint64_t>(type.shareability));
  }
  if (features_.ats() && draw_.chance(stream.ats ? 4 : 1)) {
    line.set("translated");
    if (!plan_.leaves.empty() && draw_.chance(70)) {
      const LeafPlan& leaf = draw_.pick(plan_.leaves);
      line.number = leaf.output + draw_.below(std::min<uint64_t>(leaf.size, 4096));
    }
  }
  if (draw_.chance(4)) line.delay = static_cast<uint32_t>(draw_.between(1, 20));
  plan_.emit(Verb::kAccess) = line;
}

void Traffic::something() {
  const unsigned weights[] = {mix_.nothing,
                              mix_.update,
                              mix_.update_live,
                              mix_.reconfigure,
                              mix_.invalidate,
                              mix_.bus_error,
                              mix_.bad_command,
                              mix_.resume,
                              features_.ats() ? mix_.translation_request : 0,
                              features_.pri() ? mix_.page_request : 0,
                              mix_.registers,
                              mix_.disable,
                              mix_.queue_error};
  unsigned total = 0;
  for (const unsigned weight : weights) total += weight;
  if (total == 0) return;
  switch (draw_.weighted(weights)) {
    case 1:
      return update(false);
    case 2:
      return update(true);
    case 3:
      return reconfigure();
    case 4:
      return invalidate();
    case 5:
      return bus_error();
    case 6:
      return bad_command();
    case 7:
      return resume();
    case 8:
      return translation_requests();
    case 9:
      return page_requests();
    case 10:
      return registers();
    case 11:
      return disable();
    case 12:
      return queue_error();
    default:
      return;
  }
}

Line& Traffic::command(const char* name) {
  Line& line = plan_.emit(Verb::kCommand);
  line.word = name;
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
    const bool hint = leaf.level > 0 && !(leaf.granule_log2 == 14 && leaf.level == 1) && draw_.chance(50);
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
    if (!leaf_only || !whole_group || drawn == 0) {
      command("TLBI_EL2_ALL");
    } else if (drawn == 1 && plan_.e2h) {
      tags(command("TLBI_EL2_ASID"), leaf, true);
    } else if (drawn == 2) {
      tags(by_address("TLBI_EL2_VA", leaf, true), leaf, true);
    } else {
      by_address("TLBI_EL2_VAA", leaf, true);
    }
    return;
  }
  const uint64_t drawn = draw_.below(leaf_only && whole_group ? 8 : 4);
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
    tags(by_address("TLBI_NH_VA", leaf, true), leaf, true);
  } else {
    tags(by_address("TLBI_NH_VAA", leaf, true), leaf, false);
  }
}

// A leaf gets another output, other permissions or goes: with break-before-make, or at once.
void Traffic::update(bool live) {
  if (plan_.leaves.empty()) return;
  LeafPlan& leaf = draw_.pick(plan_.leaves);
  Line fresh = leaf.line;
  const auto drop = [&](std::string_view name) {
    std::erase_if(fresh.fields, [&](const Field& field) { return field.name == name; });
  };
  const uint64_t kind = draw_.below(leaf.holds_tables ? 2 : 5);
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
  }
  const bool moves = kind >= 3;
  if (moves) {
    const uint64_t reach = leaf.granule_log2 == 16 ? 31 : 30;
    const uint64_t moved = leaf.output ^ (uint64_t{1} << std::max<uint64_t>(reach, 63 - __builtin_clzll(leaf.size)));
    drop("pa");
    fresh.set("pa", moved);
    leaf.output = moved;
  }
  const bool goes = !moves && draw_.chance(10);
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
  command("CFGI_STE_RANGE").set("range", 31).set("hold", 1);
  if (features_.hypervisor()) command("TLBI_EL2_ALL").set("hold", 1);
  command("TLBI_NSNH_ALL").set("hold", 1);
  sync();
}

void Traffic::bus_error() {
  const size_t index = draw_.below(plan_.streams.size());
  StreamPlan& stream = plan_.streams[index];
  Line line;
  line.verb = Verb::kBreak;
  line.place.stream = stream.id;
  const uint64_t drawn = draw_.below(10);
  line.word = "ste";
  if (drawn < 6 && !plan_.leaves.empty()) {
    const LeafPlan& leaf = draw_.pick(plan_.leaves);
    if (drawn < 2) {
      line.word = "page";
      line.place = {};
      line.number = leaf.output;
    } else {
      line.word = "desc";
      line.place = leaf.place;
      line.number = leaf.address;
      line.set("level", leaf.level == 0 ? 0 : draw_.between(leaf.level - std::min(leaf.level, 1u), leaf.level));
    }
  } else if (drawn < 8 && stream.has_stage1()) {
    const ContextPlan& context = draw_.pick(stream.contexts);
    line.word = stream.format && stream.substreams_log2 && draw_.chance(40) ? "l1cd" : "cd";
    line.place.substream = context.substream;
    line.place.has_substream = context.substream != 0;
  } else if (plan_.two_level && draw_.chance(40)) {
    line.word = "l1ste";
  }
  plan_.emit(Verb::kQuiet);
  plan_.emit(Verb::kBreak) = line;
  if (draw_.chance(75)) everything_invalid();
  for (unsigned i = 0; i < 6; ++i) access(draw_.chance(70) ? index : draw_.below(plan_.streams.size()));
  plan_.emit(Verb::kQuiet);
  line.verb = Verb::kMend;
  plan_.emit(Verb::kMend) = line;
}

void Traffic::bad_command() {
  const uint64_t drawn = draw_.below(10);
  if (drawn < 4) {
    const uint64_t opcode = draw_.pick({0x00, 0x07, 0x08, 0x0f, 0x14, 0x18, 0x1a, 0x24, 0x29, 0x31,
                                        0x42, 0x47, 0x50, 0x55, 0x58, 0x60, 0x70, 0x73, 0x80, 0xff});
    command("RAW").set("w0", (draw_.any() & ~uint64_t{0xff}) | opcode).set("w1", draw_.any());
  } else if (drawn == 4) {
    command("SYNC").set("cs", 3);
  } else if (drawn == 5) {
    command("CFGI_STE").set("ssec", 1).set("sid", draw_.below(256));
  } else if (drawn == 6) {
    command("TLBI_NH_VA").set("tg", draw_.between(1, 3)).set("va", 0x1000);
  } else if (drawn == 7) {
    command("ATC_INV").set("span", draw_.between(53, 63));
  } else if (drawn == 8) {
    command("PRI_RESP").set("code", 3);
  } else {
    const CommandName& name = command_names()[draw_.below(command_names().size())];
    Line& line = command("RAW");
    line.set("w0", (draw_.any() & ~uint64_t{0xff}) | name.opcode).set("w1", draw_.any());
    // Whatever it means, no device may be left with tags that nobody knows of, so tables are covered below.
  }
  if (draw_.chance(50)) command("CFGI_STE").set("sid", draw_.pick(plan_.streams).id);
  sync();
  plan_.emit(Verb::kRecover);
  sync();
}

void Traffic::resume() {
  if (features_.stall_model() == 1) return;
  for (StreamPlan& stream : plan_.streams) {
    if (!stream.can_stall()) continue;
    for (uint64_t count = draw_.below(8); count != 0; --count) {
      Line& line = plan_.emit(Verb::kResume);
      line.word = draw_.pick({"retry", "terminate", "abort"});
      line.place.stream = stream.id;
      if (draw_.chance(5)) line.set("tag", draw_.below(64));
    }
    if (draw_.chance(25)) command("STALL_TERM").set("sid", stream.id);
  }
  sync();
}

void Traffic::translation_requests() {
  for (uint64_t count = draw_.between(2, 8); count != 0; --count) {
    StreamPlan& stream = draw_.pick(plan_.streams);
    if (stream.ats == 0 && draw_.chance(80)) continue;
    ContextPlan* context = nullptr;
    Line line;
    line.verb = Verb::kAts;
    line.place = place_of(stream, context);
    line.number = draw_.pick(context ? context->addresses : stream.addresses) & ~uint64_t{0xfff};
    if (draw_.chance(mix_.holes)) line.number ^= uint64_t{1} << draw_.between(12, 63);
    if (draw_.chance(30)) line.set("nowrite");
    if (draw_.chance(30)) line.set("exec");
    if (draw_.chance(40)) line.set("priv");
    plan_.emit(Verb::kAts) = line;
    if (draw_.chance(40)) {
      Line& translated = plan_.emit(Verb::kAccess);
      translated.word = draw_.chance(60) ? "read" : "write";
      translated.place = line.place;
      translated.number = plan_.leaves.empty() ? draw_.any() & ones(features_.output_bits())
                                               : draw_.pick(plan_.leaves).output + draw_.below(4096) / 8 * 8;
      translated.set("translated");
    }
  }
  if (draw_.chance(50)) {
    Line& mode = plan_.emit(Verb::kAtc);
    mode.word = draw_.chance(20) ? "timeout" : draw_.chance(30) ? "later" : "done";
    const bool times_out = mode.word == "timeout";
    const StreamPlan& stream = draw_.pick(plan_.streams);
    Line& line = command("ATC_INV");
    line.set("sid", stream.id).set("va", draw_.any() & ~uint64_t{0xfff}).set("span", draw_.below(53));
    if (features_.substream_bits() && draw_.chance(40)) line.set("ssv", 1).set("ssid", draw_.below(8));
    sync();
    if (times_out) {
      plan_.emit(Verb::kAtc).word = "done";
      plan_.emit(Verb::kRecover);
      sync();
    }
  }
}

void Traffic::page_requests() {
  for (uint64_t count = draw_.between(1, 6); count != 0; --count) {
    StreamPlan& stream = draw_.pick(plan_.streams);
    ContextPlan* context = nullptr;
    Line line;
    line.verb = Verb::kPage;
    line.place = place_of(stream, context);
    line.number = draw_.pick(context ? context->addresses : stream.addresses) & ~uint64_t{0xfff};
    next_group_ = (next_group_ + 1) % 512;
    line.set("group", next_group_);
    if (draw_.chance(80)) line.set("read");
    if (draw_.chance(40)) line.set("write");
    if (draw_.chance(20)) line.set("exec");
    if (draw_.chance(20)) line.set("priv");
    const bool last = draw_.chance(75);
    if (last) line.set("last");
    plan_.emit(Verb::kPage) = line;
    if (last && draw_.chance(60)) {
      Line& answer = command("PRI_RESP");
      answer.set("sid", stream.id).set("group", next_group_).set("code", draw_.below(3));
      if (line.place.has_substream) answer.set("ssv", 1).set("ssid", line.place.substream);
    }
  }
  if (draw_.chance(70)) sync();
}

void Traffic::registers() {
  for (uint64_t count = draw_.between(3, 10); count != 0; --count) {
    const RegisterName& name = register_names()[draw_.below(register_names().size())];
    if (draw_.chance(60)) {
      Line& line = plan_.emit(Verb::kRead);
      line.word = name.name;
      continue;
    }
    Line line;
    line.verb = Verb::kWrite;
    line.number = draw_.any() & 0xffffffff;
    const uint64_t drawn = draw_.below(4);
    if (drawn == 0) {
      // Nothing is there, or nothing that can be written.
      constexpr const char* kReserved[] = {"0x1000", "0x3c",    "0x5c",    "0x78",   "0x8c",    "0x1ff0",
                                           "0xfd0",  "0x10000", "0x100a0", "0x7000", "0x1fff8", "0x130"};
      line.word = kReserved[draw_.below(std::size(kReserved))];
    } else if (drawn == 1) {
      line.word = draw_.pick({"IDR0", "IDR1", "IDR5", "IIDR", "AIDR", "CR0ACK", "STATUSR", "GERROR", "IRQ_CTRLACK"});
    } else if (drawn == 2) {
      // Guarded while the SMMU and its queues are on.
      line.word = draw_.pick({"STRTAB_BASE", "STRTAB_BASE_CFG", "CR2", "CMDQ_BASE", "EVENTQ_BASE", "CMDQ_CONS"});
    } else {
      line.word = "IRQ_CTRL";
      line.number = draw_.below(8);
    }
    plan_.emit(Verb::kWrite) = line;
  }
}

void Traffic::disable() {
  plan_.emit(Verb::kQuiet);
  Line& off = plan_.emit(Verb::kWrite);
  off.word = "CR0";
  off.number = plan_.control & ~1u;
  if (draw_.chance(60)) {
    Line& bypass = plan_.emit(Verb::kWrite);
    bypass.word = "GBPA";
    bypass.number = (draw_.any() & (draw_.chance(30) ? 0x1fff1f : 0x0fff1f)) | (draw_.chance(90) ? 1u << 31 : 0);
  }
  accesses(static_cast<unsigned>(draw_.between(2, 8)));
  plan_.emit(Verb::kQuiet);
  everything_invalid();
  Line& on = plan_.emit(Verb::kWrite);
  on.word = "CR0";
  on.number = plan_.control;
}

void Traffic::queue_error() {
  plan_.emit(Verb::kQuiet);
  const uint64_t drawn = draw_.below(4);
  const char* which = drawn < 2 ? "evtq" : drawn == 2 ? "cmdq" : features_.pri() ? "priq" : "evtq";
  Line line;
  line.verb = Verb::kBreak;
  line.word = which;
  plan_.emit(Verb::kBreak) = line;
  if (line.word == "cmdq") {
    command("CFGI_STE").set("sid", draw_.pick(plan_.streams).id);
    sync();
  } else if (line.word == "priq") {
    page_requests();
  } else {
    accesses(6);
  }
  plan_.emit(Verb::kQuiet);
  line.verb = Verb::kMend;
  plan_.emit(Verb::kMend) = line;
  plan_.emit(Verb::kRead).word = "GERROR";
  plan_.emit(Verb::kRecover);
  sync();
}

}  // namespace lockstep::smmu_rtl_bridge
