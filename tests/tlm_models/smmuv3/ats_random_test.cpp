// SPDX-License-Identifier: Apache-2.0
// What ATS grants is what ordinary accesses may do, and nothing else: every completion is held against the reference's
// verdict on a read, a write and a fetch of the same address.
#include "tests/core/seed.h"
#include "tests/tlm_models/smmuv3/reference_bridge.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

namespace ref = smmuv3_reference;

constexpr unsigned kWorlds = 1500;
constexpr unsigned kRequests = 40;

struct Verdicts {
  unsigned granted = 0, denied = 0, aborted = 0, refused = 0;
};

// The reference's answer without its updates of descriptors.
ref::Answer probe(const ComparedWorld& world, const ref::Request& request) {
  const ref::Memory memory{
      [&](uint64_t address, unsigned bytes, uint8_t* data) { return world.shadow.read(address, data, bytes); },
      [](uint64_t, uint64_t) { return true; }};
  return ref::translate(world.registers, memory, request);
}

bool is_translation_fault(const ref::Answer& answer) {
  return (answer.event[0] & 0xff) >= 0x10 && (answer.event[0] & 0xff) <= 0x13;
}

bool run_world(uint64_t seed, Verdicts& verdicts) {
  std::mt19937_64 random(seed);
  Config config = random_config(random, false);
  config.ats = true;
  ComparedWorld world(config, random, false, random() % 2);
  world.bench.write(RegisterId::kCr0, world.bench.read(RegisterId::kCr0) | kCr0AtsCheck);
  for (unsigned i = 0; i < kRequests; ++i) {
    const Transaction drawn = world.draw(random);
    AtsRequest request{.address = drawn.address & ~uint64_t{0xfff},
                       .stream_id = drawn.stream_id,
                       .substream_id = drawn.substream_id,
                       .substream_valid = drawn.substream_valid,
                       .no_write = random() % 2 == 0,
                       .execute = random() % 2 == 0,
                       .privileged = drawn.privileged};
    ref::Request access;
    access.address = request.address;
    access.stream = request.stream_id;
    access.substream = request.substream_id;
    access.has_substream = request.substream_valid;
    access.privileged = request.substream_valid && request.privileged;
    const ref::Answer read = probe(world, access);
    access.instruction = true;
    const ref::Answer fetch = probe(world, access);
    access.instruction = false;
    access.write = true;
    const ref::Answer write = probe(world, access);

    world.bench.memory.updates.clear();
    const AtsCompletion completion = world.bench.smmu.translate_for_ats(request);
    // What the request marked accessed or dirty is marked for the reference too.
    for (const auto& [address, value] : world.bench.memory.updates) world.shadow.put64(address, value);
    const auto events = world.bench.take_events();

    std::string wrong;
    const auto passes = [](const ref::Answer& answer) { return answer.verdict == ref::Verdict::kPass; };
    switch (completion.status) {
      case AtsStatus::kUnsupportedRequest:
        ++verdicts.refused;
        break;
      case AtsStatus::kCompleterAbort:
        ++verdicts.aborted;
        // Something that is no fault of a page, on the way of one of the three.
        if (passes(read) && passes(write)) wrong = "aborted although accesses pass";
        if (is_translation_fault(read) && is_translation_fault(write)) wrong = "aborted for a fault of a page";
        break;
      case AtsStatus::kSuccess: {
        ++(completion.read || completion.write ? verdicts.granted : verdicts.denied);
        if (!events.empty()) wrong = "an event was recorded";
        // With INSTCFG the reference's read is a fetch, as the request's is.
        if (completion.read && !passes(read)) wrong = "read granted";
        if (!completion.read && passes(read)) wrong = "read not granted";
        if (completion.write && !passes(write)) wrong = "write granted";
        if (!completion.write && !request.no_write && passes(write)) wrong = "write not granted";
        if (completion.execute && (!request.substream_valid || !request.execute)) wrong = "execute not asked for";
        if (completion.execute && !passes(fetch)) wrong = "execute granted";
        if (completion.execute && !completion.read) wrong = "execute without read";
        if (!completion.execute && request.substream_valid && request.execute && passes(read) && passes(fetch))
          wrong = "execute not granted";
        const uint64_t below = (uint64_t{1} << completion.size_log2) - 1;
        Transaction translated;
        translated.stream_id = request.stream_id;
        translated.translated = true;
        translated.address = completion.address | (request.address & below);
        // Stage 2 of a split-stage address judges the access by itself; it is unprivileged data.
        const TranslateResult later = world.bench.smmu.translate(translated);
        const bool judged = completion.read && access.privileged == false && passes(read) && !read.instruction;
        if (judged && later.outcome != Outcome::kPass) wrong = "the granted address does not pass";
        if (judged && later.outcome == Outcome::kPass && later.address != read.address) wrong = "another address";
        world.bench.take_events();
        for (const auto& [address, value] : world.bench.memory.updates) world.shadow.put64(address, value);
        break;
      }
    }
    if (wrong.empty()) continue;
    char line[256];
    std::snprintf(line, sizeof line, "\n stream %x ssv %d ssid %x address %llx no_write %d: r %d w %d x %d status %d",
                  request.stream_id, request.substream_valid, request.substream_id,
                  static_cast<unsigned long long>(request.address), request.no_write, completion.read, completion.write,
                  completion.execute, static_cast<int>(completion.status));
    ADD_FAILURE() << "LOCKSTEP_SEED=" << seed << " LOCKSTEP_WORLDS=1 request " << i << ": " << wrong << line
                  << "\n read " << text(read.event) << "\n write " << text(write.event) << "\n fetch "
                  << text(fetch.event);
    return false;
  }
  return true;
}

TEST(SmmuAtsRandom, GrantsWhatOrdinaryAccessesMayDo) {
  const uint64_t first = test::seed();
  const uint64_t worlds = test::from_environment("LOCKSTEP_WORLDS", kWorlds);
  Verdicts verdicts;
  for (unsigned i = 0; i < worlds; ++i)
    if (!run_world(first + i, verdicts)) break;
  std::printf("granted %u denied %u aborted %u refused %u\n", verdicts.granted, verdicts.denied, verdicts.aborted,
              verdicts.refused);
  if (worlds < kWorlds) return;
  for (const unsigned count : {verdicts.granted, verdicts.denied, verdicts.aborted, verdicts.refused})
    EXPECT_GT(count, 1000u);
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
