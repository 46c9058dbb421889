// SPDX-License-Identifier: Apache-2.0
#include "farm/coordinator/service.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "farm/digest.h"
#include "farm/protocol/codec.h"
#include "farm/worker/spool.h"

namespace lockstep::farm {

using core::Error;
using core::Result;
using core::Status;

namespace {
constexpr size_t kFarmIdBytes = 8;
constexpr uint64_t kMaxGarbageLogLines = 20;  // a peer that sends nothing but garbage must not fill the log
}  // namespace

uint64_t steady_now_ms() {
  using namespace std::chrono;
  return static_cast<uint64_t>(duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

uint64_t unix_now_ms() {
  using namespace std::chrono;
  return static_cast<uint64_t>(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

Result<std::unique_ptr<CoordinatorService>> CoordinatorService::open(Options options, bool create) {
  std::unique_ptr<CoordinatorService> service(new CoordinatorService());
  service->options_ = std::move(options);
  const Options& o = service->options_;
  std::error_code error;
  std::filesystem::create_directories(o.run_folder, error);
  if (error) return Error{o.run_folder + ": cannot make it: " + error.message()};
  auto lock = lock_file(o.run_folder + "/lock", "the run " + o.run_folder);
  if (!lock.ok()) return lock.error();
  service->lock_fd_ = *lock;
  auto store =
      SqliteStore::open(o.run_folder + "/farm.db", create ? SqliteStore::Mode::kCreate : SqliteStore::Mode::kOpen);
  if (!store.ok()) return store.error();
  service->store_ = std::move(*store);
  auto journal = service->store_->read_journal();
  if (!journal.ok()) return journal.error();
  auto state = replay(*journal);
  if (!state.ok()) return Error{o.run_folder + "/farm.db: " + state.message()};
  auto socket = CoordinatorSocket::bind(o.endpoint, o.keys);
  if (!socket.ok()) return socket.error();
  service->socket_ = std::move(*socket);
  service->coordinator_ = std::make_unique<Coordinator>(o.coordinator, std::move(*state), random_hex(kFarmIdBytes),
                                                        steady_now_ms(), unix_now_ms());
  return Result<std::unique_ptr<CoordinatorService>>(std::move(service));
}

CoordinatorService::~CoordinatorService() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

Status CoordinatorService::flush() {
  const std::vector<JournalRecord> records = coordinator_->take_appends();
  if (!records.empty()) {
    Status status = store_->commit(records);
    if (!status.ok()) return status;
    coordinator_->committed(records.back().sequence);
  }
  for (const Outgoing& out : coordinator_->take_sends()) socket_->send(out.to, encode(out.message));
  return {};
}

Status CoordinatorService::step(int timeout_ms, const std::vector<int>& fds) {
  socket_->wait(timeout_ms, fds);
  const uint64_t now_ms = steady_now_ms();
  coordinator_->set_unix_time(unix_now_ms());
  for (size_t i = 0; i < kMaxMessagesPerStep; ++i) {
    auto received = socket_->receive();
    if (!received) break;
    auto message = decode_worker_message(received->second);
    if (message.ok()) {
      coordinator_->on_message(received->first, *message, now_ms);
    } else if (++garbage_count_ <= kMaxGarbageLogLines && options_.log) {
      options_.log("dropped a message: " + message.message());
    }
  }
  const uint64_t malformed_count = socket_->malformed_count();
  if (malformed_count > malformed_count_ &&
      (garbage_count_ += malformed_count - malformed_count_) <= kMaxGarbageLogLines && options_.log) {
    options_.log("dropped a message that is not one frame");
  }
  malformed_count_ = malformed_count;
  coordinator_->on_tick(now_ms);
  return flush();
}

}  // namespace lockstep::farm
