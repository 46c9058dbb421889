// SPDX-License-Identifier: Apache-2.0
#include "core/gdb/gdb_session.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/gdb/target_description.h"
#include "tests/core/gdb/fake_target.h"

namespace lockstep::core::gdb {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// The payloads in what the session wrote; acknowledgements are skipped, wrong checksums fail.
std::vector<std::string> payloads(const std::string& output) {
  PacketParser parser;
  std::vector<std::string> list;
  for (const char byte : output) {
    const PacketEvent event = parser.feed(static_cast<uint8_t>(byte));
    EXPECT_NE(event, PacketEvent::kBad);
    if (event == PacketEvent::kPacket) list.push_back(parser.payload());
  }
  return list;
}

class SessionTest : public testing::Test {
 protected:
  SessionTest() { session_.begin(false); }

  // Sends one packet; the payload of its answer, or "<none>".
  std::string ask(const std::string& payload) {
    session_.take_output();
    session_.receive(bytes_of(frame_packet(payload)));
    const std::vector<std::string> answers = payloads(session_.take_output());
    return answers.empty() ? "<none>" : answers.back();
  }

  std::string stop_reply() {
    const std::vector<std::string> answers = payloads(session_.take_output());
    return answers.empty() ? "<none>" : answers.back();
  }

  FakeTarget target_{2};
  Session session_{target_};
};

TEST(Packet, framing) {
  EXPECT_EQ(frame_packet("OK"), "$OK#9a");
  EXPECT_EQ(frame_packet(""), "$#00");
  EXPECT_EQ(frame_packet("a}b"), "$a}]b#9d");
  PacketParser parser;
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  PacketEvent last = PacketEvent::kNone;
  for (const char byte : frame_packet(all)) last = parser.feed(static_cast<uint8_t>(byte));
  EXPECT_EQ(last, PacketEvent::kPacket);
  EXPECT_EQ(parser.payload(), all);
}

TEST(Packet, bad_ones_are_refused_and_the_next_is_taken) {
  PacketParser parser;
  const auto feed = [&](const std::string& text) {
    PacketEvent last = PacketEvent::kNone;
    for (const char byte : text) last = parser.feed(static_cast<uint8_t>(byte));
    return last;
  };
  EXPECT_EQ(feed("$OK#9b"), PacketEvent::kBad);
  EXPECT_EQ(feed("$OK#zz"), PacketEvent::kBad);
  EXPECT_EQ(feed("$}#7d"), PacketEvent::kBad);
  EXPECT_EQ(feed("$lost$OK#9a"), PacketEvent::kPacket);
  EXPECT_EQ(parser.payload(), "OK");
  EXPECT_EQ(feed(frame_packet(std::string(kPacketBytesMax, 'x'))), PacketEvent::kPacket);
  EXPECT_EQ(feed(frame_packet(std::string(kPacketBytesMax + 1, 'x'))), PacketEvent::kBad);
  EXPECT_EQ(feed("garbage"), PacketEvent::kNone);
  EXPECT_EQ(feed("\x03"), PacketEvent::kInterrupt);
  EXPECT_EQ(feed("$a\x03"), PacketEvent::kNone);  // inside a packet it is data
  EXPECT_EQ(feed("#64"), PacketEvent::kPacket);
}

TEST(Packet, numbers) {
  EXPECT_EQ(PayloadReader("fFfFfFfFfFfFfFfF").number(), UINT64_MAX);
  EXPECT_EQ(PayloadReader("10000000000000000").number(), std::nullopt);
  EXPECT_EQ(PayloadReader("").number(), std::nullopt);
  EXPECT_EQ(PayloadReader("g").number(), std::nullopt);
  EXPECT_EQ(from_hex("abc"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
  EXPECT_EQ(from_hex("4f4B"), "OK");
}

TEST(Description, names_every_register_once_and_in_one_feature) {
  const FakeTarget target;
  const std::string xml = target_description(target.architecture());
  EXPECT_THAT(xml, HasSubstr("<architecture>riscv:rv64</architecture>"));
  EXPECT_THAT(xml, HasSubstr("<reg name=\"pc\" bitsize=\"64\" regnum=\"32\" type=\"code_ptr\"/>"));
  EXPECT_THAT(xml, HasSubstr("<reg name=\"mstatus\" bitsize=\"64\" regnum=\"833\" type=\"int\"/>"));
  EXPECT_EQ(xml.find("org.gnu.gdb.riscv.cpu"), xml.rfind("org.gnu.gdb.riscv.cpu"));
  EXPECT_EQ(xml.find("org.gnu.gdb.riscv.fpu"), xml.rfind("org.gnu.gdb.riscv.fpu"));
}

TEST_F(SessionTest, acknowledges_until_told_not_to) {
  session_.receive(bytes_of("$qC#b4"));
  EXPECT_EQ(session_.take_output(), "+$QC1#c5");
  session_.receive(bytes_of("-"));
  EXPECT_EQ(session_.take_output(), "$QC1#c5");
  session_.receive(bytes_of("$qC#b5"));
  EXPECT_EQ(session_.take_output(), "-");
  session_.receive(bytes_of(frame_packet("QStartNoAckMode")));
  EXPECT_EQ(session_.take_output(), "+$OK#9a");
  session_.receive(bytes_of("$qC#b4"));
  EXPECT_EQ(session_.take_output(), "$QC1#c5");
}

TEST_F(SessionTest, says_what_it_supports) {
  const std::string features = ask("qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+");
  EXPECT_THAT(features, HasSubstr("PacketSize=4000"));
  EXPECT_THAT(features, HasSubstr("qXfer:features:read+"));
  EXPECT_THAT(features, HasSubstr("QStartNoAckMode+"));
  EXPECT_EQ(ask("vMustReplyEmpty"), "");
  EXPECT_EQ(ask("vCont?"), "vCont;c;C;s;S");
  EXPECT_EQ(ask("qAttached"), "1");
  EXPECT_EQ(ask(""), "");
}

TEST_F(SessionTest, hands_out_the_description_in_pieces) {
  std::string xml;
  while (true) {
    const std::string part = ask("qXfer:features:read:target.xml:" + fmt::format("{:x}", xml.size()) + ",100");
    ASSERT_FALSE(part.empty());
    xml += part.substr(1);
    if (part[0] == 'l') break;
    ASSERT_EQ(part[0], 'm');
  }
  EXPECT_EQ(xml, target_description(target_.architecture()));
  EXPECT_EQ(ask("qXfer:features:read:other.xml:0,100"), "E00");
  EXPECT_EQ(ask("qXfer:features:read:target.xml:fffffffffffffff0,ffffffffffffffff"), "l");
}

TEST_F(SessionTest, registers) {
  target_.hart(0).x[10] = 0x1122334455667788;
  target_.hart(1).x[10] = 7;
  EXPECT_EQ(ask("pa"), "8877665544332211");
  EXPECT_EQ(ask("Hg2"), "OK");
  EXPECT_EQ(ask("pa"), "0700000000000000");
  EXPECT_EQ(ask("Pa=0102030405060708"), "OK");
  EXPECT_EQ(target_.hart(1).x[10], 0x0807060504030201u);
  EXPECT_EQ(ask("Hg1"), "OK");
  EXPECT_EQ(ask("p20"), "0000008000000000");
  EXPECT_EQ(ask("p1c1"), "xxxxxxxxxxxxxxxx");  // satp, which this machine refuses to show
  EXPECT_EQ(ask("p341"), "000000000a000000");
  EXPECT_EQ(ask("p1041"), "0300000000000000");
  EXPECT_EQ(ask("pffff"), "E16");
  EXPECT_EQ(ask("pfffffffff"), "E16");
  EXPECT_EQ(ask("Pa=01"), "E16");
  EXPECT_EQ(ask("P1041=0000000000000000"), "E16");

  const std::string all = ask("g");
  ASSERT_EQ(all.size(), 33u * 16);
  EXPECT_EQ(all.substr(10 * 16, 16), "8877665544332211");
  std::string changed = all;
  changed.replace(10 * 16, 16, "ff00000000000000");
  EXPECT_EQ(ask("G" + changed), "OK");
  EXPECT_EQ(target_.hart(0).x[10], 0xffu);
  EXPECT_EQ(ask("G00"), "E16");
  EXPECT_EQ(ask("G" + changed + "00"), "E16");
}

TEST_F(SessionTest, memory) {
  EXPECT_EQ(ask("m80000000,4"), "13055000");
  EXPECT_EQ(ask("M80000100,3:aabbcc"), "OK");
  EXPECT_EQ(ask("m80000100,4"), "aabbcc00");
  EXPECT_EQ(ask("X80000104,4:" + std::string("\x01#$}", 4)), "OK");
  EXPECT_EQ(ask("m80000104,4"), "0123247d");
  EXPECT_EQ(ask("X80000104,0:"), "OK");
  EXPECT_EQ(ask("m8000fffe,8"), "0000");  // what there is
  EXPECT_EQ(ask("m1000,4"), "E0e");
  EXPECT_EQ(ask("M8000fffe,4:01020304"), "E0e");
  EXPECT_EQ(ask("M80000100,3:aabb"), "E16");
  EXPECT_EQ(ask("m80000000"), "E16");
  EXPECT_EQ(ask("m80000000,ffffffffffffffff").size(), kPacketBytesMax);
}

TEST_F(SessionTest, breakpoints_reach_the_target_once_and_go_with_the_client) {
  EXPECT_EQ(ask("Z0,80000008,4"), "OK");
  EXPECT_EQ(ask("Z0,80000008,4"), "OK");
  EXPECT_EQ(ask("Z1,80000008,4"), "OK");
  EXPECT_EQ(ask("z0,80000008,4"), "OK");
  EXPECT_EQ(target_.breakpoints().size(), 1u);
  EXPECT_EQ(ask("z1,80000008,4"), "OK");
  EXPECT_TRUE(target_.breakpoints().empty());
  EXPECT_EQ(ask("z1,80000008,4"), "OK");
  EXPECT_EQ(ask("Z0,0,4"), "E0e");
  EXPECT_EQ(ask("Z5,80000008,4"), "");
  EXPECT_EQ(ask("Z2,80001000,0"), "E16");
  EXPECT_EQ(ask("Z2,80001000,8"), "OK");
  EXPECT_EQ(ask("Z4,80001000,8"), "OK");
  EXPECT_EQ(target_.watches().size(), 2u);
  EXPECT_EQ(ask("Z1,80000008,4"), "OK");
  EXPECT_EQ(ask("D"), "OK");
  EXPECT_TRUE(target_.watches().empty());
  EXPECT_TRUE(target_.breakpoints().empty());
  EXPECT_EQ(session_.take_request()->kind, Request::Kind::kDetach);
}

TEST_F(SessionTest, harts_are_threads) {
  EXPECT_EQ(ask("qfThreadInfo"), "m1,2");
  EXPECT_EQ(ask("qsThreadInfo"), "l");
  EXPECT_EQ(ask("T2"), "OK");
  EXPECT_EQ(ask("T3"), "E16");
  EXPECT_EQ(ask("T-1"), "E16");
  EXPECT_EQ(ask("Hg3"), "E16");
  EXPECT_EQ(ask("Hc-1"), "OK");
  EXPECT_EQ(ask("Hx1"), "E16");
  EXPECT_EQ(ask("qThreadExtraInfo,2"), to_hex("hart 1"));
}

TEST_F(SessionTest, resumes_by_vcont) {
  using enum HartAction;
  EXPECT_EQ(ask("vCont;s:2;c"), "<none>");
  std::optional<Request> request = session_.take_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->kind, Request::Kind::kResume);
  EXPECT_THAT(request->actions, testing::ElementsAre(kContinue, kStep));
  EXPECT_FALSE(session_.take_request());
  EXPECT_TRUE(session_.is_running());
  session_.report_stop({.kind = StopKind::kStep, .hart = 1});
  EXPECT_EQ(stop_reply(), "T05thread:2;20:0000008000000000;");
  EXPECT_EQ(ask("qC"), "QC2");

  EXPECT_EQ(ask("vCont;s:2"), "<none>");
  EXPECT_THAT(session_.take_request()->actions, testing::ElementsAre(kStay, kStep));
  session_.report_stop({.kind = StopKind::kStep, .hart = 1});
  EXPECT_EQ(ask("vCont;C05:1;s:-1"), "<none>");
  EXPECT_THAT(session_.take_request()->actions, testing::ElementsAre(kContinue, kStep));
  session_.report_stop({});
  EXPECT_EQ(ask("vCont;x"), "E16");
  EXPECT_EQ(ask("vCont;c:9"), "E16");
  EXPECT_EQ(ask("vCont;"), "E16");
  EXPECT_FALSE(session_.is_running());
}

TEST_F(SessionTest, resumes_by_the_old_packets) {
  using enum HartAction;
  EXPECT_EQ(ask("c"), "<none>");
  EXPECT_THAT(session_.take_request()->actions, testing::ElementsAre(kContinue, kContinue));
  session_.report_stop({});
  EXPECT_EQ(ask("Hc2"), "OK");
  EXPECT_EQ(ask("s80000004"), "<none>");
  EXPECT_EQ(target_.hart(1).pc, 0x80000004u);
  EXPECT_THAT(session_.take_request()->actions, testing::ElementsAre(kStay, kStep));
  session_.report_stop({});
  EXPECT_EQ(ask("C02;80000000"), "<none>");
  EXPECT_EQ(target_.hart(1).pc, 0x80000000u);
  session_.report_stop({});
  EXPECT_EQ(ask("szz"), "E16");
  EXPECT_EQ(ask("k"), "<none>");
}

TEST_F(SessionTest, says_why_it_stopped) {
  ask("qSupported:swbreak+;hwbreak+");
  EXPECT_THAT(ask("?"), StartsWith("T05thread:1;"));
  ask("Z0,80000000,4");
  ask("c");
  session_.report_stop({.kind = StopKind::kBreakpoint});
  EXPECT_THAT(stop_reply(), HasSubstr("swbreak:;"));
  ask("z0,80000000,4");
  ask("Z1,80000000,4");
  ask("c");
  session_.report_stop({.kind = StopKind::kBreakpoint});
  EXPECT_THAT(stop_reply(), HasSubstr("hwbreak:;"));
  ask("Z3,80001000,8");
  ask("c");
  session_.report_stop({.kind = StopKind::kWatchpoint, .hart = 1, .watch_address = 0x80001004});
  EXPECT_THAT(stop_reply(), HasSubstr("rwatch:80001004;"));
  ask("c");
  session_.receive(bytes_of("\x03"));
  EXPECT_TRUE(session_.stop_requested());
  session_.report_stop({.kind = StopKind::kInterrupt});
  EXPECT_FALSE(session_.stop_requested());
  EXPECT_THAT(stop_reply(), StartsWith("T02"));
  ask("c");
  session_.report_stop({.kind = StopKind::kExited, .exit_code = 3});
  EXPECT_EQ(stop_reply(), "W03");
  EXPECT_EQ(ask("c"), "W03");
  EXPECT_FALSE(session_.is_running());
}

TEST_F(SessionTest, packets_wait_while_the_machine_runs) {
  ask("c");
  EXPECT_EQ(ask("qC"), "<none>");
  session_.report_stop({.hart = 1});
  const std::vector<std::string> answers = payloads(session_.take_output());
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_THAT(answers[0], StartsWith("T05thread:2"));
  EXPECT_EQ(answers[1], "QC2");
}

TEST_F(SessionTest, a_client_of_a_running_machine_stops_it_and_gets_no_unasked_reply) {
  session_.begin(true);
  EXPECT_TRUE(session_.stop_requested());
  EXPECT_EQ(ask("?"), "<none>");
  session_.report_stop({.kind = StopKind::kInterrupt});
  const std::vector<std::string> answers = payloads(session_.take_output());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_THAT(answers[0], StartsWith("T02"));
}

TEST_F(SessionTest, an_interrupt_ahead_of_the_resume_holds_for_it) {
  const uint8_t interrupt[] = {0x03};
  ask("?");
  session_.receive(interrupt);
  ask("vCont;c");
  EXPECT_TRUE(session_.stop_requested());
  session_.report_stop({.kind = StopKind::kInterrupt});
  EXPECT_FALSE(session_.stop_requested());
}

TEST_F(SessionTest, an_interrupt_that_crossed_the_stop_is_spent) {
  const uint8_t interrupt[] = {0x03};
  ask("vCont;c");
  session_.report_stop({.kind = StopKind::kBreakpoint});
  session_.receive(interrupt);
  ask("vCont;c");
  EXPECT_FALSE(session_.stop_requested());
}

TEST_F(SessionTest, a_lost_client_lets_the_machine_run) {
  ask("Z0,80000000,4");
  session_.end();
  EXPECT_TRUE(target_.breakpoints().empty());
  EXPECT_EQ(session_.take_request()->kind, Request::Kind::kDetach);
  // Lost in the middle of a step.
  session_.begin(true);
  session_.report_stop({});
  ask("s");
  session_.end();
  EXPECT_EQ(session_.take_request()->kind, Request::Kind::kResume);
  session_.report_stop({.kind = StopKind::kStep});
  EXPECT_EQ(session_.take_request()->kind, Request::Kind::kDetach);
  EXPECT_EQ(session_.take_output(), "");
}

TEST_F(SessionTest, kill) {
  EXPECT_EQ(ask("vKill;1"), "OK");
  EXPECT_EQ(session_.take_request()->kind, Request::Kind::kKill);
}

TEST_F(SessionTest, monitor) {
  const auto monitor = [&](const std::string& command) {
    session_.receive(bytes_of(frame_packet("qRcmd," + to_hex(command))));
    std::string text;
    for (const std::string& payload : payloads(session_.take_output())) {
      if (payload.starts_with("O") && payload != "OK") text += from_hex(payload.substr(1)).value_or("<bad>");
    }
    return text;
  };
  EXPECT_EQ(monitor("help"), "monitor help    this list\nmonitor hello   a greeting\n");
  EXPECT_EQ(monitor("hello"), "hello from the machine\n");
  EXPECT_THAT(monitor("nonsense"), HasSubstr("Unknown monitor command 'nonsense'"));
  EXPECT_EQ(ask("qRcmd,zz"), "E16");
}

}  // namespace
}  // namespace lockstep::core::gdb
