// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_net/user_network.h"

#include <libslirp.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace lockstep::tlm_models {
namespace {

constexpr size_t kEthernetHeaderBytes = 14;
// libslirp's own table has this many entries.
constexpr size_t kMaxNeighbourFrames = 16;
constexpr std::array<uint8_t, 4> kGateway = {10, 0, 2, 2};
constexpr std::array<uint8_t, 4> kNameServer = {10, 0, 2, 3};
constexpr size_t kMaxStackStateBytes = 1 << 20;

struct StateCursor {
  std::vector<uint8_t> bytes;
  size_t at = 0;
};

ssize_t append_state(const void* data, size_t size, void* opaque) {
  auto* cursor = static_cast<StateCursor*>(opaque);
  const auto* begin = static_cast<const uint8_t*>(data);
  cursor->bytes.insert(cursor->bytes.end(), begin, begin + size);
  return static_cast<ssize_t>(size);
}

// libslirp trusts the length it is given, so a short state is filled with zeros instead of read beyond its end.
ssize_t take_state(void* data, size_t size, void* opaque) {
  auto* cursor = static_cast<StateCursor*>(opaque);
  const size_t have = std::min(size, cursor->bytes.size() - cursor->at);
  std::memset(data, 0, size);
  if (have != 0) std::memcpy(data, cursor->bytes.data() + cursor->at, have);
  cursor->at += have;
  return static_cast<ssize_t>(size);
}

in_addr address(uint32_t value) { return in_addr{htonl(value)}; }

std::span<const uint8_t> arp_sender(std::span<const uint8_t> frame) { return frame.subspan(28, 4); }

// Whether the stack learns the sender's address from this frame: an ARP reply, a request for one of the stack's own
// addresses, or an announcement.
bool teaches_neighbour(std::span<const uint8_t> frame) {
  if (frame.size() < 42 || frame[12] != 0x08 || frame[13] != 0x06 || frame[20] != 0) return false;
  const auto target = frame.subspan(38, 4);
  const auto is = [&](std::span<const uint8_t> other) {
    return std::equal(other.begin(), other.end(), target.begin());
  };
  return frame[21] == 2 || (frame[21] == 1 && (is(kGateway) || is(kNameServer) || is(arp_sender(frame))));
}

}  // namespace

struct UserNetwork::Stack {
  Slirp* slirp = nullptr;
  SlirpCb callbacks{};
  uint64_t now_ns = 0;
  bool muted = false;
  std::deque<std::vector<uint8_t>> waiting;
  // ARP frames by which the stack learned the guest's addresses. libslirp does not save its table, so these are
  // replayed after a restore.
  std::deque<std::vector<uint8_t>> neighbours;

  Stack() {
    callbacks.send_packet = [](const void* data, size_t size, void* opaque) -> ssize_t {
      auto* stack = static_cast<Stack*>(opaque);
      const auto* begin = static_cast<const uint8_t*>(data);
      if (!stack->muted && stack->waiting.size() < kMaxWaitingFrames && size <= kMaxFrameBytes) {
        stack->waiting.emplace_back(begin, begin + size);
      }
      return static_cast<ssize_t>(size);
    };
    callbacks.guest_error = [](const char*, void*) {};
    callbacks.clock_get_ns = [](void* opaque) { return static_cast<int64_t>(static_cast<Stack*>(opaque)->now_ns); };
    // The only timer of the stack sends IPv6 router advertisements, and IPv6 is off.
    callbacks.timer_new = [](SlirpTimerCb, void*, void*) -> void* { return nullptr; };
    callbacks.timer_free = [](void*, void*) {};
    callbacks.timer_mod = [](void*, int64_t, void*) {};
    callbacks.register_poll_fd = [](int, void*) {};
    callbacks.unregister_poll_fd = [](int, void*) {};
    callbacks.notify = [](void*) {};
    SlirpConfig config{};
    config.version = 3;
    config.restricted = 1;
    config.in_enabled = true;
    config.vnetwork = address(0x0a000200);
    config.vnetmask = address(0xffffff00);
    config.vhost = address(0x0a000202);
    config.vdhcp_start = address(0x0a00020f);
    config.vnameserver = address(0x0a000203);
    config.disable_host_loopback = true;
    config.disable_dns = true;
    slirp = slirp_new(&config, &callbacks, this);
  }
  ~Stack() {
    muted = true;
    if (slirp != nullptr) slirp_cleanup(slirp);
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // Lets the stack do its housekeeping. It is closed, so there are no sockets to wait for.
  void poll() {
    uint32_t timeout_ms = 0;
    slirp_pollfds_fill(
        slirp, &timeout_ms, [](int, int, void*) { return -1; }, this);
    slirp_pollfds_poll(
        slirp, 0, [](int, void*) { return 0; }, this);
  }

  void remember(std::span<const uint8_t> frame) {
    // As in the stack's table: what is known of an address is replaced in its place, and the oldest entry gives way.
    std::vector<uint8_t> copy(frame.begin(), frame.end());
    for (auto& known : neighbours) {
      const auto sender = arp_sender(known);
      if (std::equal(sender.begin(), sender.end(), arp_sender(copy).begin())) {
        known = std::move(copy);
        return;
      }
    }
    if (neighbours.size() >= kMaxNeighbourFrames) neighbours.pop_front();
    neighbours.push_back(std::move(copy));
  }
};

UserNetwork::UserNetwork() : stack_(std::make_unique<Stack>()) {}
UserNetwork::~UserNetwork() = default;

void UserNetwork::send(std::span<const uint8_t> frame, uint64_t now_ns) {
  if (frame.size() < kEthernetHeaderBytes || frame.size() > kMaxFrameBytes || stack_->slirp == nullptr) return;
  stack_->now_ns = std::max(stack_->now_ns, now_ns);
  if (teaches_neighbour(frame)) stack_->remember(frame);
  slirp_input(stack_->slirp, frame.data(), static_cast<int>(frame.size()));
  stack_->poll();
}

bool UserNetwork::has_frame() const { return !stack_->waiting.empty(); }
const std::vector<uint8_t>& UserNetwork::front() const { return stack_->waiting.front(); }
void UserNetwork::pop_front() { stack_->waiting.pop_front(); }
void UserNetwork::drop_frames() { stack_->waiting.clear(); }

void UserNetwork::save(SnapshotSection& section) {
  const auto put_frames = [&](const std::string& key, const std::deque<std::vector<uint8_t>>& frames) {
    section.put(key, frames.size());
    for (size_t i = 0; i < frames.size(); ++i) section.put_bytes(key + std::to_string(i), frames[i]);
  };
  StateCursor cursor;
  slirp_state_save(stack_->slirp, append_state, &cursor);
  section.put("slirp_version", static_cast<uint64_t>(slirp_state_version()));
  section.put_bytes("slirp", cursor.bytes);
  section.put("slirp_now_ns", stack_->now_ns);
  put_frames("waiting", stack_->waiting);
  put_frames("neighbours", stack_->neighbours);
}

void UserNetwork::restore(StateReader& reader) {
  const auto get_frames = [&](const std::string& key, size_t max_count) {
    std::deque<std::vector<uint8_t>> frames;
    const uint64_t count = reader.word(key);
    if (count > max_count) reader.fail("snapshot has too many network frames in '" + key + "'");
    for (uint64_t i = 0; reader.ok() && i < count; ++i) {
      frames.push_back(reader.bytes(key + std::to_string(i), kMaxFrameBytes));
      if (reader.ok() && frames.back().size() < kEthernetHeaderBytes) reader.fail("a network frame is too short");
    }
    return frames;
  };
  const uint64_t version = reader.word("slirp_version");
  StateCursor cursor{reader.bytes("slirp", kMaxStackStateBytes)};
  const uint64_t now_ns = reader.word("slirp_now_ns");
  auto waiting = get_frames("waiting", kMaxWaitingFrames);
  auto neighbours = get_frames("neighbours", kMaxNeighbourFrames);
  const bool teaching = std::all_of(neighbours.begin(), neighbours.end(), teaches_neighbour);
  if (reader.ok() && !teaching) reader.fail("the snapshot's network neighbours are not ARP frames");
  if (!reader.ok()) return;
  if (version > static_cast<uint64_t>(slirp_state_version())) {
    reader.fail("the snapshot's network state needs a newer libslirp (state version " + std::to_string(version) + ")");
    return;
  }
  stack_ = std::make_unique<Stack>();
  stack_->now_ns = now_ns;
  stack_->muted = true;
  for (const auto& frame : neighbours) {
    slirp_input(stack_->slirp, frame.data(), static_cast<int>(frame.size()));
  }
  if (slirp_state_load(stack_->slirp, static_cast<int>(version), take_state, &cursor) != 0) {
    reader.fail("libslirp refuses the snapshot's network state");
    return;
  }
  stack_->muted = false;
  stack_->waiting = std::move(waiting);
  stack_->neighbours = std::move(neighbours);
}

}  // namespace lockstep::tlm_models
