// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "tlm_models/kernel/state_reader.h"

namespace lockstep::tlm_models {

// The user-mode network of a machine: a gateway at 10.0.2.2 with DHCP (guest 10.0.2.15) and echo, by libslirp. It is
// closed: nothing reaches the host or beyond, so its answers depend on the guest's frames and virtual time alone.
class UserNetwork {
 public:
  static constexpr size_t kMaxFrameBytes = 65536;
  // Frames waiting for the guest; more are dropped, as a switch would.
  static constexpr size_t kMaxWaitingFrames = 256;

  UserNetwork();
  ~UserNetwork();
  UserNetwork(const UserNetwork&) = delete;
  UserNetwork& operator=(const UserNetwork&) = delete;

  // A frame from the guest, at this virtual time. Answers are in the queue when it returns.
  void send(std::span<const uint8_t> frame, uint64_t now_ns);

  bool has_frame() const;
  const std::vector<uint8_t>& front() const;
  void pop_front();
  void drop_frames();

  void save(SnapshotSection& section);
  void restore(StateReader& reader);

 private:
  struct Stack;
  std::unique_ptr<Stack> stack_;
};

}  // namespace lockstep::tlm_models
