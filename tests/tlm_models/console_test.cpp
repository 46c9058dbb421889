// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "core/digest/digest.h"
#include "tlm_models/console/console_output.h"
#include "tlm_models/console/input_source.h"

namespace lockstep::tlm_models {
namespace {

std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

TEST(ConsoleOutput, DigestIsThatOfAllBytes) {
  ConsoleOutput console;
  std::string written;
  console.set_writer([&](std::string_view text) { written += text; });
  for (const char byte : std::string("hello")) console.put(static_cast<uint8_t>(byte));
  EXPECT_EQ(console.sha256(), core::sha256_hex("hello"));
  console.flush();
  EXPECT_EQ(written, "hello");
  EXPECT_EQ(console.sha256(), core::sha256_hex("hello"));
  ConsoleOutput other;
  other.restore(console.text());
  other.put('!');
  EXPECT_EQ(other.sha256(), core::sha256_hex("hello!"));
}

TEST(ScriptedInput, GivesOnlyToAGuestThatWaits) {
  ScriptedInput input({'a', 'b', 'c'});
  std::vector<uint8_t> bytes;
  input.poll(0, 16, false, bytes);
  EXPECT_TRUE(bytes.empty());
  input.poll(0, 2, true, bytes);
  EXPECT_EQ(text_of(bytes), "ab");
  EXPECT_TRUE(input.may_have_more());
  input.poll(0, 2, true, bytes);
  EXPECT_EQ(text_of(bytes), "abc");
  EXPECT_FALSE(input.may_have_more());
  input.restore_position(1);
  bytes.clear();
  input.poll(0, 16, true, bytes);
  EXPECT_EQ(text_of(bytes), "bc");
}

TEST(ReplayInput, BringsBackWhatTheLogRecorded) {
  const std::string path = ::testing::TempDir() + "lockstep_input_" + std::to_string(getpid());
  {
    auto log = InputLog::create(path);
    ASSERT_TRUE(log.ok());
    (*log)->record(100, 7, {'h', 'i'});
    (*log)->record(200, 9, {0xff});
  }
  auto replay = ReplayInput::open(path);
  unlink(path.c_str());
  ASSERT_TRUE(replay.ok());
  std::vector<uint8_t> bytes;
  (*replay)->poll(99, 16, true, bytes);
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ((*replay)->next_time_ns(), 100u);
  (*replay)->poll(100, 16, false, bytes);
  EXPECT_EQ(text_of(bytes), "hi");
  (*replay)->poll(500, 16, false, bytes);
  EXPECT_EQ(bytes.back(), 0xff);
  EXPECT_EQ((*replay)->next_time_ns(), kNoInputTime);
}

TEST(ReplayInput, BadLinesAreNamed) {
  for (const char* text : {"x", "1 2", "1 2 z0", "1 2 abc", "5 1 aa\n4 1 aa", " 1 2 aa"}) {
    const auto replay = ReplayInput::parse(text, "log.txt");
    ASSERT_FALSE(replay.ok()) << text;
    EXPECT_NE(replay.message().find("log.txt:"), std::string::npos);
  }
}

TEST(LiveInput, PipeIsReadWhenTheGuestWaits) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  LiveInput input(ends[0]);
  ASSERT_EQ(write(ends[1], "q\x01x", 3), 3);
  std::vector<uint8_t> bytes;
  input.poll(0, 16, true, bytes);
  EXPECT_EQ(text_of(bytes), "q\x01x") << "Ctrl-A is an escape on terminals only";
  EXPECT_FALSE(input.quit_requested());
  close(ends[1]);
  input.poll(0, 16, true, bytes);
  EXPECT_EQ(input.wait_fd(), -1);
  close(ends[0]);
}

}  // namespace
}  // namespace lockstep::tlm_models
