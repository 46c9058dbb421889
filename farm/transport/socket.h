// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "farm/coordinator/coordinator.h"
#include "farm/transport/endpoint.h"

namespace lockstep::farm {

constexpr int kSendHighWater = 10'000;  // messages waiting for one peer; more are dropped, and resent by the protocol
constexpr int kReceiveHighWater = 10'000;  // messages of one peer not yet read; the peer waits

// The coordinator's end. ZeroMQ stays behind this class.
class CoordinatorSocket {
 public:
  // Error: an endpoint that check_endpoint() refuses, or one that is in use.
  static core::Result<std::unique_ptr<CoordinatorSocket>> bind(const std::string& endpoint,
                                                               const std::optional<CurveKeys>& keys);
  ~CoordinatorSocket();

  const std::string& endpoint() const;  // with the port that was chosen for "*"
  // Returns when a message, a readable file descriptor of `fds`, a signal or the end of the time comes.
  void wait(int timeout_ms, const std::vector<int>& fds);
  // The next message, without waiting. Messages of another shape than ours are dropped and counted.
  std::optional<std::pair<PeerId, std::string>> receive();
  // False: the peer is gone or its queue is full, and the message is dropped.
  bool send(const PeerId& peer, const std::string& bytes);
  uint64_t malformed_count() const;
  uint64_t refused_key_count() const;

  struct Impl;

 private:
  explicit CoordinatorSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The worker's end; it connects again by itself.
class WorkerSocket {
 public:
  static core::Result<std::unique_ptr<WorkerSocket>> connect(const std::string& endpoint,
                                                             const std::optional<CurveKeys>& keys);
  ~WorkerSocket();
  void wait(int timeout_ms, const std::vector<int>& fds);
  std::optional<std::string> receive();
  bool send(const std::string& bytes);

  struct Impl;

 private:
  explicit WorkerSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockstep::farm
