// SPDX-License-Identifier: Apache-2.0
// Whatever a client sends, the session neither crashes nor grows without bound, answers in well-formed packets, and
// serves the next client. Built with -fsanitize=fuzzer, LLVMFuzzerTestOneInput is the same check for a real fuzzer.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/gdb/gdb_session.h"
#include "tests/core/gdb/fake_target.h"
#include "tests/core/seed.h"

namespace lockstep::core::gdb {
namespace {

// The first byte of an input chooses how often the machine stops; the rest is what the client sends. Answers what is
// wrong with the session's behaviour, or nothing.
std::string check_session(std::span<const uint8_t> input) {
  FakeTarget target(3);
  Session session(target);
  session.begin(!input.empty() && input[0] % 4 == 0);
  PacketParser reply_parser;
  const size_t piece_bytes = input.empty() ? 1 : 1 + input[0] % 61;
  for (size_t i = 1; i < input.size(); i += piece_bytes) {
    session.receive(input.subspan(i, std::min(piece_bytes, input.size() - i)));
    const std::optional<Request> request = session.take_request();
    if (request && !request->actions.empty() && request->actions.size() != target.hart_count()) return "actions";
    if (session.is_running()) {
      Stop stop;
      if (!request || !target.run_turn(*request, &stop)) stop.kind = StopKind::kInterrupt;
      session.report_stop(stop);
    }
    const std::string output = session.take_output();
    // Each byte of input may ask for the last frame again, hence the product.
    if (output.size() > (piece_bytes + kPendingPacketsMax) * (2 * kPacketBytesMax + 8)) return "too much output";
    for (const char byte : output) {
      if (reply_parser.feed(static_cast<uint8_t>(byte)) == PacketEvent::kBad) return "a malformed reply";
    }
  }
  session.end();
  if (!target.breakpoints().empty() || !target.watches().empty()) return "breakpoints left behind";
  session.take_request();
  session.begin(true);
  session.report_stop({});
  session.take_output();
  const std::string probe = frame_packet("qC");
  session.receive({reinterpret_cast<const uint8_t*>(probe.data()), probe.size()});
  if (session.take_output() != "+$QC1#c5") return "the next client is not served";
  return {};
}

constexpr const char* kSeeds[] = {
    "qSupported:swbreak+;hwbreak+;vContSupported+",
    "QStartNoAckMode",
    "qXfer:features:read:target.xml:0,ffb",
    "vCont?",
    "vCont;s:1;c",
    "vCont;C05:2;S0a:-1;c:0",
    "Hg1",
    "Hc-1",
    "qfThreadInfo",
    "qThreadExtraInfo,2",
    "T2",
    "g",
    "p20",
    "P20=0000008000000000",
    "m80000000,40",
    "M80000100,4:01020304",
    "X80000100,2:ab",
    "Z0,80000008,4",
    "Z2,80001000,8",
    "z4,80001000,8",
    "qRcmd,68656c70",
    "qC",
    "?",
    "c",
    "s80000000",
    "C02;80000004",
    "D",
    "k",
    "vKill;1",
    "vMustReplyEmpty",
    "qSymbol::",
};

TEST(GdbFuzz, random_and_mutated_conversations) {
  std::mt19937_64 random(test::seed());
  constexpr int kInputs = 20000;
  for (int i = 0; i < kInputs; ++i) {
    std::string input(1, static_cast<char>(random()));
    const uint64_t packets = random() % 12;
    for (uint64_t packet = 0; packet < packets; ++packet) {
      std::string payload = kSeeds[random() % std::size(kSeeds)];
      for (uint64_t edits = random() % 3; edits > 0 && !payload.empty(); --edits) {
        const size_t at = random() % payload.size();
        switch (random() % 5) {
          case 0:
            payload[at] = static_cast<char>(random());
            break;
          case 1:
            payload.erase(at, 1 + random() % 4);
            break;
          case 2:
            payload.insert(at, 1 + random() % 20, "0123456789abcdef,:;=-#$}*"[random() % 25]);
            break;
          case 3:
            payload.resize(at);
            break;
          default:
            payload += payload.substr(at);
            break;
        }
      }
      std::string frame = frame_packet(payload);
      if (random() % 16 == 0) frame[random() % frame.size()] = static_cast<char>(random());
      if (random() % 16 == 0) frame += '\x03';
      if (random() % 32 == 0) frame += std::string(random() % 8, '-');
      input += frame;
    }
    for (uint64_t noise = random() % 8 == 0 ? random() % 200 : 0; noise > 0; --noise) {
      input += static_cast<char>(random());
    }
    const std::string complaint = check_session({reinterpret_cast<const uint8_t*>(input.data()), input.size()});
    ASSERT_EQ(complaint, "") << "input " << i << ": " << to_hex(input);
  }
}

}  // namespace
}  // namespace lockstep::core::gdb

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (!lockstep::core::gdb::check_session({data, size}).empty()) std::abort();
  return 0;
}
