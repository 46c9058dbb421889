// SPDX-License-Identifier: Apache-2.0
// ATS translation requests, translated transactions, and the page request queue.
#include <gtest/gtest.h>

#include "tests/tlm_models/smmuv3/simple_world.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr uint64_t kInput = 0x123456000;

struct AtsWorld : SimpleWorld {
  explicit AtsWorld(uint64_t leaf = kPage | kStage1Leaf, const Config& config = default_config())
      : SimpleWorld(config) {
    write(Id::kCr2, kCr2RecordInvalidStream | kCr2RecordAtsErrors);
    start_stage1(kInput, leaf);
    set_ats(1);
    enable(kCr0AtsCheck | kCr0PriQueueEnable);
  }
  void set_ats(unsigned eats, unsigned config = 5) {
    Words words = stage1_ste();
    set_field(words, 93, 92, eats);
    set_field(words, 3, 1, config);
    change_ste(words);
  }
  // ATS for a stream with eight substreams and this S1DSS.
  void set_ats_with_substreams(unsigned default_substream) {
    Words words = stage1_ste();
    set_field(words, 93, 92, 1);
    set_field(words, 63, 59, 3);
    set_field(words, 65, 64, default_substream);
    change_ste(words);
  }
  void change_ste(const Words& words) {
    put_ste(3, words);
    command(0x03 | uint64_t{3} << 32);
  }
  AtsCompletion ask(uint64_t address = kInput, bool no_write = false) {
    return smmu.translate_for_ats({.address = address, .stream_id = 3, .no_write = no_write});
  }
  TranslateResult translated(uint64_t address) {
    Transaction transaction;
    transaction.stream_id = 3;
    transaction.address = address;
    transaction.translated = true;
    return smmu.translate(transaction);
  }
};

TEST(SmmuAts, GrantsWhatThePageAllows) {
  AtsWorld world;
  AtsCompletion completion = world.ask();
  EXPECT_EQ(completion.status, AtsStatus::kSuccess);
  EXPECT_TRUE(completion.read && completion.write && !completion.execute);
  EXPECT_EQ(completion.address, SimpleWorld::kPage);
  EXPECT_EQ(completion.size_log2, 12u);

  AtsWorld read_only(SimpleWorld::kPage | SimpleWorld::kStage1Leaf | 1 << 7);
  completion = read_only.ask();
  EXPECT_TRUE(completion.read && !completion.write);
  AtsWorld privileged(SimpleWorld::kPage | (SimpleWorld::kStage1Leaf & ~uint64_t{1 << 6}));
  completion = privileged.ask();
  EXPECT_EQ(completion.status, AtsStatus::kSuccess);
  EXPECT_FALSE(completion.read || completion.write);
  EXPECT_TRUE(privileged.take_events().empty());
}

TEST(SmmuAts, FaultsAreAnswersWithoutAccessAndConfigurationErrorsAborts) {
  AtsWorld world;
  AtsCompletion completion = world.ask(kInput + 0x1000);
  EXPECT_EQ(completion.status, AtsStatus::kSuccess);
  EXPECT_FALSE(completion.read);
  EXPECT_TRUE(world.take_events().empty());
  world.put_cd(0, Words{});
  world.command(0x05 | uint64_t{3} << 32);
  completion = world.ask();
  EXPECT_EQ(completion.status, AtsStatus::kCompleterAbort);
  ASSERT_EQ(world.take_events().size(), 1u);
  completion = world.smmu.translate_for_ats({.address = 0, .stream_id = 100});
  EXPECT_EQ(completion.status, AtsStatus::kCompleterAbort);
  EXPECT_EQ(world.take_events().at(0)[0] & 0xff, 0x02u);
  // Without REC_CFG_ATS nothing is recorded.
  SimpleWorld silent;
  silent.enable();
  EXPECT_EQ(silent.smmu.translate_for_ats({.address = 0, .stream_id = 100}).status, AtsStatus::kCompleterAbort);
  EXPECT_TRUE(silent.take_events().empty());
}

TEST(SmmuAts, RefusedWhereItIsOff) {
  AtsWorld world;
  world.set_ats(0);
  EXPECT_EQ(world.ask().status, AtsStatus::kUnsupportedRequest);
  EXPECT_EQ(world.take_events().at(0)[0] & 0xff, 0x05u);
  world.set_ats(1, 4);
  EXPECT_EQ(world.ask().status, AtsStatus::kUnsupportedRequest);
  EXPECT_EQ(world.take_events().size(), 1u);
  world.set_ats(1, 0);
  EXPECT_EQ(world.ask().status, AtsStatus::kUnsupportedRequest);
  EXPECT_TRUE(world.take_events().empty());
  world.write(Id::kCr0, kCr0EventQueueEnable);
  EXPECT_EQ(world.ask().status, AtsStatus::kUnsupportedRequest);
  EXPECT_EQ(world.take_events().size(), 1u);
}

TEST(SmmuAts, DirtyStateFollowsWhatIsAskedFor) {
  const uint64_t clean =
      (SimpleWorld::kPage | SimpleWorld::kStage1Leaf | 1 << 7 | uint64_t{1} << 51) & ~uint64_t{1 << 10};
  AtsWorld world(clean);
  Words cd = SimpleWorld::cd(world.root);
  set_field(cd, 43, 42, 3);
  world.put_cd(0, cd);
  world.command(0x05 | uint64_t{3} << 32);
  AtsCompletion completion = world.ask(kInput, true);
  EXPECT_TRUE(completion.read && !completion.write);
  EXPECT_EQ(world.memory.memory.get64(world.last_leaf), clean | 1 << 10);
  completion = world.ask(kInput, false);
  EXPECT_TRUE(completion.read && completion.write);
  EXPECT_EQ(world.memory.memory.get64(world.last_leaf), (clean | 1 << 10) & ~uint64_t{1 << 7});
}

TEST(SmmuAts, ExecuteIsGrantedOnlyWithASubstreamThatAsksForIt) {
  AtsWorld world;
  world.set_ats_with_substreams(2);
  world.put_cd(2, SimpleWorld::cd(world.root));
  AtsRequest request{.address = kInput, .stream_id = 3, .substream_id = 2, .substream_valid = true, .execute = true};
  AtsCompletion completion = world.smmu.translate_for_ats(request);
  // The page is writable for users: they may execute it, privileged code may not.
  EXPECT_TRUE(completion.read && completion.execute && !completion.privileged);
  request.privileged = true;
  completion = world.smmu.translate_for_ats(request);
  EXPECT_TRUE(completion.read && !completion.execute && completion.privileged);
  request.substream_valid = false;
  EXPECT_FALSE(world.smmu.translate_for_ats(request).execute);
}

TEST(SmmuAts, SkippedStage1IsAnIdentity) {
  AtsWorld world;
  world.set_ats_with_substreams(1);
  const AtsCompletion completion = world.ask(0x777000);
  EXPECT_TRUE(completion.read && completion.write);
  EXPECT_EQ(completion.address, 0x777000u);
}

TEST(SmmuAts, TranslatedTransactionsPassOnlyWhereTheyMay) {
  AtsWorld world;
  EXPECT_EQ(world.translated(0x777008).address, 0x777008u);
  EXPECT_EQ(world.translated(uint64_t{1} << 52).outcome, Outcome::kAbort);
  world.set_ats(0);
  EXPECT_EQ(world.translated(0x777000).event, EventType::kTranslationForbidden);
  EXPECT_EQ(world.take_events().size(), 1u);
  // The fast mode looks nothing up.
  world.write(Id::kCr0, world.read(Id::kCr0) & ~uint64_t{kCr0AtsCheck});
  EXPECT_EQ(world.translated(0x777000).outcome, Outcome::kPass);
  world.write(Id::kCr0, kCr0EventQueueEnable);
  EXPECT_EQ(world.translated(0x777000).event, EventType::kTranslationForbidden);
}

TEST(SmmuAts, SplitStageGivesIntermediateAddressesAndTranslatesThemLater) {
  AtsWorld world;
  const uint64_t root2 = world.new_table();
  world.map_tables_at_stage2(root2);
  world.map(root2, SimpleWorld::kPage, 0x80000000 | SimpleWorld::kStage2Leaf);
  Words ste = SimpleWorld::stage1_ste();
  SimpleWorld::add_stage2(ste, root2, 7);
  set_field(ste, 93, 92, 2);
  world.put_ste(3, ste);
  world.command(0x03 | uint64_t{3} << 32);
  const AtsCompletion completion = world.ask();
  EXPECT_TRUE(completion.read && completion.write);
  EXPECT_EQ(completion.address, SimpleWorld::kPage);
  EXPECT_EQ(world.translated(completion.address | 0x88).address, 0x80000088u);
  const TranslateResult wrong = world.translated(SimpleWorld::kPage + 0x1000);
  EXPECT_EQ(wrong.event, EventType::kTranslation);
  EXPECT_TRUE(world.smmu.last_event().stage2);
  EXPECT_EQ(world.smmu.last_event().ipa, SimpleWorld::kPage + 0x1000);
  // Nothing would check the intermediate addresses without ATSCHK, so none are given.
  world.write(Id::kCr0, world.read(Id::kCr0) & ~uint64_t{kCr0AtsCheck});
  EXPECT_EQ(world.ask().status, AtsStatus::kUnsupportedRequest);
}

TEST(SmmuPri, RequestsAreQueuedInTheirFormat) {
  AtsWorld world;
  world.smmu.page_request({.address = 0x123456789000,
                           .stream_id = 3,
                           .substream_id = 5,
                           .substream_valid = true,
                           .group = 0x101,
                           .last = true,
                           .read = true,
                           .write = true,
                           .privileged = true});
  EXPECT_EQ(world.memory.memory.get64(kPriQueue), uint64_t{5} << 32 | 3 | uint64_t{0xf4} << 56);
  EXPECT_EQ(world.memory.memory.get64(kPriQueue + 8), 0x123456789101u);
  EXPECT_EQ(world.read(Id::kPriqProd), 1u);
  EXPECT_EQ(world.environment.interrupts[static_cast<size_t>(Interrupt::kPriQueue)], 1u);
  EXPECT_TRUE(world.environment.responses.empty());
  world.command(0x41 | 1 << 11 | 5 << 12 | uint64_t{3} << 32, 2 << 12 | 0x101);
  ASSERT_EQ(world.environment.responses.size(), 1u);
  EXPECT_EQ(world.environment.responses[0].code, PageResponseCode::kSuccess);
  EXPECT_EQ(world.environment.responses[0].group, 0x101u);
}

TEST(SmmuPri, OverflowAnswersTheLastOfAGroupByItself) {
  AtsWorld world;
  PageRequest request{.address = 0x1000, .stream_id = 3, .group = 7, .read = true};
  for (unsigned i = 0; i < 64; ++i) world.smmu.page_request(request);
  world.smmu.page_request(request);
  EXPECT_EQ(world.read(Id::kPriqProd), uint64_t{kQueueOverflow} | 64);
  EXPECT_TRUE(world.environment.responses.empty());
  request.last = true;
  world.smmu.page_request(request);
  ASSERT_EQ(world.environment.responses.size(), 1u);
  EXPECT_EQ(world.environment.responses[0].code, PageResponseCode::kSuccess);
  // With a PASID, STE.PPAR says whether the answer has one; without an entry it is a failure.
  request.substream_valid = true;
  request.substream_id = 9;
  world.smmu.page_request(request);
  EXPECT_FALSE(world.environment.responses[1].substream_valid);
  Words ste = SimpleWorld::stage1_ste();
  set_field(ste, 82, 82, 1);
  world.put_ste(3, ste);
  world.command(0x03 | uint64_t{3} << 32);
  world.smmu.page_request(request);
  EXPECT_TRUE(world.environment.responses[2].substream_valid);
  request.stream_id = 50;
  world.smmu.page_request(request);
  EXPECT_EQ(world.environment.responses[3].code, PageResponseCode::kFailure);
  EXPECT_EQ(world.take_events().size(), 1u);
  // Overflow inhibits new entries until it is acknowledged, even with room.
  request.stream_id = 3;
  world.write(Id::kPriqCons, 64);
  world.smmu.page_request(request);
  EXPECT_EQ(world.environment.responses.size(), 5u);
  world.write(Id::kPriqCons, uint64_t{kQueueOverflow} | 64);
  world.smmu.page_request(request);
  EXPECT_EQ(world.read(Id::kPriqProd), uint64_t{kQueueOverflow} | 65);
}

TEST(SmmuPri, FailuresWhereTheQueueCannotBeUsed) {
  AtsWorld world;
  const PageRequest request{.address = 0x1000, .stream_id = 3, .last = true, .read = true};
  world.memory.memory.break_page(kPriQueue);
  world.smmu.page_request(request);
  EXPECT_EQ(world.read(Id::kGerror), uint64_t{kGerrorPriAbort});
  world.memory.memory.mend_page(kPriQueue);
  world.smmu.page_request(request);
  world.write(Id::kGerrorN, kGerrorPriAbort);
  world.write(Id::kCr0, world.read(Id::kCr0) & ~uint64_t{kCr0PriQueueEnable});
  world.smmu.page_request(request);
  ASSERT_EQ(world.environment.responses.size(), 3u);
  for (const PageResponse& response : world.environment.responses) EXPECT_EQ(response.code, PageResponseCode::kFailure);
  // Stop markers have no response.
  world.smmu.page_request({.stream_id = 3, .substream_valid = true, .last = true});
  EXPECT_EQ(world.environment.responses.size(), 3u);
}

TEST(SmmuPri, InterruptForTheLastAlone) {
  AtsWorld world;
  world.write(Id::kIrqCtrl, 0);
  world.write(Id::kPriqIrqCfg2, uint64_t{1} << 31);
  world.write(Id::kIrqCtrl, 7);
  world.smmu.page_request({.stream_id = 3, .read = true});
  EXPECT_EQ(world.environment.interrupts[static_cast<size_t>(Interrupt::kPriQueue)], 0u);
  world.smmu.page_request({.stream_id = 3, .last = true, .read = true});
  EXPECT_EQ(world.environment.interrupts[static_cast<size_t>(Interrupt::kPriQueue)], 1u);
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
