// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "farm/coordinator/coordinator.h"
#include "farm/store/store.h"
#include "farm/transport/socket.h"

namespace lockstep::farm {

constexpr size_t kMaxMessagesPerStep = 2'048;  // read before one grouped commit

uint64_t steady_now_ms();
uint64_t unix_now_ms();

// The coordinator's logic on its socket and its store: reads what came, commits what follows from it in one
// transaction, then sends what the commit releases.
class CoordinatorService {
 public:
  struct Options {
    std::string run_folder;  // holds farm.db and the lock
    std::string endpoint;
    std::optional<CurveKeys> keys;
    CoordinatorOptions coordinator;
    std::function<void(const std::string&)> log;  // one line, without a newline
  };
  // create: a new run in an empty folder; otherwise the journal of the folder is replayed and a new epoch begins.
  static core::Result<std::unique_ptr<CoordinatorService>> open(Options options, bool create);
  ~CoordinatorService();

  // One round. Error: the store failed; nothing that was not durable has been sent, and the process should end.
  core::Status step(int timeout_ms, const std::vector<int>& fds);
  // Commits what is pending and sends what that releases.
  core::Status flush();

  Coordinator& coordinator() { return *coordinator_; }
  const std::string& endpoint() const { return socket_->endpoint(); }
  uint64_t garbage_count() const { return garbage_count_; }

 private:
  CoordinatorService() = default;
  Options options_;
  int lock_fd_ = -1;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<CoordinatorSocket> socket_;
  std::unique_ptr<Coordinator> coordinator_;
  uint64_t garbage_count_ = 0;
  uint64_t malformed_count_ = 0;  // of the socket, as far as it is counted above
};

}  // namespace lockstep::farm
