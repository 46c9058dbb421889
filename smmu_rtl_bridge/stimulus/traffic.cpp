// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/stimulus/traffic.h"

#include <algorithm>

namespace lockstep::smmu_rtl_bridge {

namespace {

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
    if (features_.substream_bits() && odd(2)) place.has_substream = true;
    return place;
  }
  context = &draw_.pick(stream.contexts);
  if (context->substream != 0) {
    place.substream = context->substream;
    place.has_substream = true;
  }
  if (features_.substream_bits() && odd(2)) {
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
  // What unprivileged software may write, privileged software cannot execute.
  if (draw_.chance(40) && (line.word != "exec" || odd(100))) line.set("priv");
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
  if (features_.ats() && mix_.ats != 0 && draw_.chance(stream.ats ? 4 : 1)) {
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
                              mix_.queue_error,
                              mix_.race};
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
    case 13:
      return race();
    default:
      return;
  }
}

}  // namespace lockstep::smmu_rtl_bridge
