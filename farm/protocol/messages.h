// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "farm/job.h"

// What coordinator and workers say to each other, as plain values. The state machines know only these; codec.h turns
// them into bytes.
namespace lockstep::farm {

constexpr uint32_t kProtocolVersion = 1;
constexpr size_t kMaxMessageBytes =
    1 << 20;                                // an Assign with every bound of job.h used fits; anything larger is refused
constexpr size_t kMaxHeldAttempts = 8'192;  // twice the largest window
constexpr size_t kMaxWorkerNameBytes = 64;
constexpr uint32_t kMaxSlots = 1'024;
constexpr uint32_t kMaxWindow = 4'096;

enum class HeldState : uint8_t { kQueued, kRunning, kSpooled };

// An attempt that a worker holds. kSpooled: it has ended and its result is on the worker's disk.
struct HeldAttempt {
  std::string job_id;
  AttemptId attempt;
  HeldState state = HeldState::kQueued;
  uint64_t elapsed_ms = 0;
  uint64_t output_bytes = 0;
  bool operator==(const HeldAttempt&) const = default;
};

// Who speaks. `incarnation` grows at each start of the worker, `sequence` at each message of that incarnation, so that
// an old message that comes late is known as such.
struct WorkerIdentity {
  std::string name;
  uint64_t incarnation = 0;
  uint64_t sequence = 0;
  bool operator==(const WorkerIdentity&) const = default;
};

struct Hello {
  WorkerIdentity worker;
  std::string host;
  uint32_t slots = 1;   // jobs it runs at once
  uint32_t window = 1;  // credit: attempts it may hold, running ones included
  std::vector<HeldAttempt> held;
  bool operator==(const Hello&) const = default;
};
struct Heartbeat {
  WorkerIdentity worker;
  std::vector<HeldAttempt> held;
  bool operator==(const Heartbeat&) const = default;
};
struct ResultReport {
  WorkerIdentity worker;
  std::string job_id;
  AttemptId attempt;
  JobResult result;
  bool operator==(const ResultReport&) const = default;
};
struct Goodbye {
  WorkerIdentity worker;
  std::vector<HeldAttempt> held;  // spooled results it will bring again
  bool operator==(const Goodbye&) const = default;
};
using WorkerMessage = std::variant<Hello, Heartbeat, ResultReport, Goodbye>;

// Every message of a coordinator carries its epoch; a worker ignores one that is older than the newest it has seen.
struct Welcome {
  uint64_t epoch = 0;
  std::string farm_id;
  uint64_t heartbeat_ms = 0;
  bool operator==(const Welcome&) const = default;
};
struct HeartbeatAck {
  uint64_t epoch = 0;
  bool operator==(const HeartbeatAck&) const = default;
};
// Asks a worker that this coordinator does not know to say Hello.
struct Reregister {
  uint64_t epoch = 0;
  bool operator==(const Reregister&) const = default;
};
struct Assign {
  uint64_t epoch = 0;
  AttemptId attempt;
  JobSpec job;
  bool operator==(const Assign&) const = default;
};
enum class Disposition : uint8_t { kRecorded, kDuplicate, kUnknown };
// The result is durable at the coordinator, or not wanted: the worker may forget it.
struct ResultAck {
  uint64_t epoch = 0;
  AttemptId attempt;
  Disposition disposition = Disposition::kRecorded;
  bool operator==(const ResultAck&) const = default;
};
struct Cancel {
  uint64_t epoch = 0;
  AttemptId attempt;
  std::string reason;
  bool operator==(const Cancel&) const = default;
};
// Finish what is held, deliver it, then leave.
struct Drain {
  uint64_t epoch = 0;
  bool operator==(const Drain&) const = default;
};
// This worker may not take part; it should end with `reason`.
struct Reject {
  uint64_t epoch = 0;
  std::string reason;
  bool operator==(const Reject&) const = default;
};
using CoordinatorMessage = std::variant<Welcome, HeartbeatAck, Reregister, Assign, ResultAck, Cancel, Drain, Reject>;

}  // namespace lockstep::farm
