// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_net/virtio_net.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/tlm_models/virtio_bench.h"

namespace lockstep::tlm_models {
namespace {

using testing::kTestRamBase;

constexpr VirtioNet::MacAddress kMac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
constexpr uint64_t kFrame = kTestRamBase + 0x20000;
constexpr uint64_t kBuffers = kTestRamBase + 0x40000;

struct NetBench : testing::VirtioBench {
  TimerQueue timers{"timers"};
  VirtioNet net{"net", timers, kMac};

  NetBench() {
    plug(net);
    start(2);
    for (uint16_t i = 0; i < 8; ++i) submit(0, i, {{kBuffers + i * 2048u, 2048, true}});
    notify(0);
  }
  void send(const std::vector<uint8_t>& frame) {
    std::vector<uint8_t> packet(12, 0);
    packet.insert(packet.end(), frame.begin(), frame.end());
    std::copy(packet.begin(), packet.end(), bytes(kFrame, packet.size()).begin());
    submit(1, 0, {{kFrame, static_cast<uint32_t>(packet.size()), false}});
    notify(1);
  }
  std::span<uint8_t> received(unsigned index) { return bytes(kBuffers + index * 2048u + 12, 1500); }
};

std::vector<uint8_t> arp_request() {
  std::vector<uint8_t> frame(6, 0xff);
  frame.insert(frame.end(), kMac.begin(), kMac.end());
  frame.insert(frame.end(), {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1});
  frame.insert(frame.end(), kMac.begin(), kMac.end());
  frame.insert(frame.end(), {10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2});
  return frame;
}

uint16_t checksum(std::span<const uint8_t> data) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < data.size(); i += 2) sum += static_cast<uint32_t>(data[i] << 8 | data[i + 1]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

std::vector<uint8_t> echo_request() {
  std::vector<uint8_t> frame = {0x52, 0x55, 10, 0, 2, 2};
  frame.insert(frame.end(), kMac.begin(), kMac.end());
  frame.insert(frame.end(), {0x08, 0x00});
  std::vector<uint8_t> ip = {0x45, 0, 0, 36, 0, 1, 0, 0, 64, 1, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2};
  std::vector<uint8_t> icmp = {8, 0, 0, 0, 0, 1, 0, 1, 'p', 'i', 'n', 'g', 'p', 'o', 'n', 'g'};
  const uint16_t ip_sum = checksum(ip);
  ip[10] = static_cast<uint8_t>(ip_sum >> 8);
  ip[11] = static_cast<uint8_t>(ip_sum);
  const uint16_t icmp_sum = checksum(icmp);
  icmp[2] = static_cast<uint8_t>(icmp_sum >> 8);
  icmp[3] = static_cast<uint8_t>(icmp_sum);
  frame.insert(frame.end(), ip.begin(), ip.end());
  frame.insert(frame.end(), icmp.begin(), icmp.end());
  return frame;
}

TEST(VirtioNet, ConfigurationHasMacAndLink) {
  NetBench bench;
  EXPECT_EQ(bench.get(0x100), 0x12005452u);
  EXPECT_EQ(bench.get(0x104), 0x00015634u);
}

TEST(VirtioNet, GatewayAnswersArpAfterItsLatency) {
  NetBench bench;
  bench.send(arp_request());
  EXPECT_EQ(bench.used_index(1), 1u);
  EXPECT_EQ(bench.used_index(0), 0u);
  bench.advance(VirtioNet::kLatencyNs);
  EXPECT_EQ(bench.used_index(0), 1u);
  EXPECT_EQ(bench.received(0)[21], 2);
}

TEST(VirtioNet, GatewayAnswersEcho) {
  NetBench bench;
  bench.send(arp_request());
  bench.advance(VirtioNet::kLatencyNs);
  bench.send(echo_request());
  bench.advance(VirtioNet::kLatencyNs);
  ASSERT_EQ(bench.used_index(0), 2u);
  EXPECT_EQ(bench.received(1)[34], 0) << "echo reply";
  EXPECT_EQ(std::memcmp(&bench.received(1)[42], "pingpong", 8), 0);
}

TEST(VirtioNet, RestoredNetworkKnowsItsNeighbour) {
  NetBench bench;
  bench.send(arp_request());
  bench.advance(VirtioNet::kLatencyNs);
  SnapshotSection section("net");
  bench.net.save(section);
  ASSERT_TRUE(bench.net.restore(section).ok());
  bench.send(echo_request());
  bench.advance(VirtioNet::kLatencyNs);
  ASSERT_EQ(bench.used_index(0), 2u);
  EXPECT_EQ(bench.received(1)[34], 0) << "echo reply";
}

TEST(VirtioNet, ResetLosesFramesOnTheirWay) {
  NetBench bench;
  bench.send(arp_request());
  bench.put(0x70, 0);
  for (unsigned queue = 0; queue < 2; ++queue) {
    bench.poke<uint16_t>(testing::VirtioBench::kAvailable + queue * testing::VirtioBench::kQueueBytes + 2, 0);
  }
  bench.start(2);
  bench.submit(0, 0, {{kBuffers, 2048, true}});
  bench.notify(0);
  bench.advance(1'000'000);
  EXPECT_EQ(bench.used_index(0), 0u);
}

std::vector<uint8_t> echo_from(uint8_t host) {
  auto frame = echo_request();
  frame[29] = host;
  frame[24] = frame[25] = 0;
  const uint16_t sum = checksum(std::span(frame).subspan(14, 20));
  frame[24] = static_cast<uint8_t>(sum >> 8);
  frame[25] = static_cast<uint8_t>(sum);
  return frame;
}

std::vector<std::vector<uint8_t>> take_frames(UserNetwork& network) {
  std::vector<std::vector<uint8_t>> frames;
  for (; network.has_frame(); network.pop_front()) frames.push_back(network.front());
  return frames;
}

// More neighbours than the stack's table has places, so that it shows which of them it still knows.
TEST(UserNetwork, RestoredOneKnowsAndForgotTheSameNeighbours) {
  UserNetwork original;
  uint64_t now_ns = 1'000'000;
  for (uint8_t host = 0; host < 20; ++host) {
    auto frame = arp_request();
    frame[31] = static_cast<uint8_t>(20 + host);
    original.send(frame, now_ns);
    // A request for another host teaches the stack nothing.
    frame[31] = static_cast<uint8_t>(100 + host);
    frame[41] = 99;
    original.send(frame, now_ns);
  }
  EXPECT_EQ(take_frames(original).size(), 20u);
  SnapshotSection section("net");
  original.save(section);
  UserNetwork restored;
  StateReader reader(section);
  restored.restore(reader);
  ASSERT_TRUE(reader.ok());
  for (const uint8_t host : {22, 23, 24, 30, 39, 100}) {
    now_ns += 1'000'000;
    original.send(echo_from(host), now_ns);
    restored.send(echo_from(host), now_ns);
    const auto expected = take_frames(original);
    EXPECT_FALSE(expected.empty());
    EXPECT_EQ(take_frames(restored), expected) << "host " << int{host};
  }
}

TEST(UserNetwork, AnswersDependOnFramesAndVirtualTimeAlone) {
  UserNetwork first;
  UserNetwork second;
  for (UserNetwork* network : {&first, &second}) {
    network->send(arp_request(), 5'000'000'000);
    network->send(echo_request(), 6'000'000'000);
    // Let host time pass between the two: it must not show.
    usleep(20'000);
    network->send(echo_request(), 900'000'000'000);
  }
  const auto frames = take_frames(first);
  EXPECT_EQ(frames.size(), 3u);
  EXPECT_EQ(take_frames(second), frames);
}

TEST(VirtioNet, NonsenseFramesAreSurvived) {
  NetBench bench;
  bench.send({});
  bench.send({1, 2, 3});
  std::vector<uint8_t> frame = echo_request();
  for (size_t length = 14; length < frame.size(); ++length) {
    bench.send({frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(length)});
  }
  EXPECT_FALSE(bench.needs_reset());
}

}  // namespace
}  // namespace lockstep::tlm_models
