// SPDX-License-Identifier: Apache-2.0
// What goes wrong in a world, and what else its software and its devices ask.
#include <algorithm>

#include "smmu_rtl_bridge/bits.h"
#include "smmu_rtl_bridge/script/vocabulary.h"
#include "smmu_rtl_bridge/stimulus/traffic.h"

namespace lockstep::smmu_rtl_bridge {

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

// A queue is off for a while, and what waits for it goes on when it is on again.
void Traffic::pause_queue() {
  const bool events = draw_.chance(50);
  Line& off = plan_.emit(Verb::kWrite);
  off.word = "CR0";
  off.number = plan_.control & ~(events ? 4u : 8u);
  accesses(static_cast<unsigned>(draw_.between(2, 8)));
  if (!events) everything_invalid();
  Line& on = plan_.emit(Verb::kWrite);
  on.word = "CR0";
  on.number = plan_.control;
  plan_.emit(Verb::kQuiet);
  if (draw_.chance(50)) plan_.emit(Verb::kQuiet);
}

void Traffic::disable() {
  if (draw_.chance(40)) return pause_queue();
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
  const uint64_t drawn = draw_.below(plan_.messages != 0 ? 5 : 4);
  const char* which = drawn < 2 ? "evtq" : drawn == 2 ? "cmdq" : features_.pri() ? "priq" : "evtq";
  Line line;
  line.verb = Verb::kBreak;
  line.word = which;
  const bool messages = drawn == 4;
  if (messages) {
    line.word = "page";
    line.number = plan_.messages;
  }
  plan_.emit(Verb::kBreak) = line;
  // A queue that is not empty sends no message.
  if (messages) {
    accesses(6);
    plan_.emit(Verb::kQuiet);
  }
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
