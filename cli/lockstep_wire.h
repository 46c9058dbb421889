// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// What the processes of a lockstep run say to each other: messages of a kind and some bytes, over pipes and sockets
// between processes of one program, so structs travel as they lie in memory.
namespace lockstep::cli {

enum class Message : uint32_t {
  // From a running side.
  kRecords,  // LockstepRecord[]
  kEnd,      // JSON: how the machine ended; the record of the end follows
  kError,    // text: what the user did wrong
  // To a running side.
  kGo,  // the checkpoint agrees
  // To a frozen copy, and its answers.
  kProbe,     // ProbeRequest -> kProbe with a ProbeAnswer, from the probe itself
  kReport,    // u64 hart -> kReport with JSON
  kCode,      // CodeRequest -> kCode with JSON; the hart's TLB is not what it was any more
  kTrace,     // -> kTrace with JSON: what a probe with a trace executed
  kPages,     // -> kPages with PageHash[]
  kPage,      // u64 index -> kPage with the page's bytes
  kSnapshot,  // SnapshotRequest and a path -> kSnapshot with a u64 and the text of an error
  kQuit,
  kDied,  // u32: how a probe ended that did not answer, as from waitpid()
};

enum class RecordKind : uint32_t { kWindow, kCheckpoint, kEnd };

// One point at which both sides must agree.
struct LockstepRecord {
  uint64_t total = 0;  // instructions that all harts have begun
  uint64_t hash = 0;
  uint32_t hart = 0;
  RecordKind kind = RecordKind::kWindow;
  bool operator==(const LockstepRecord&) const = default;
};

// "Copy yourself and run on." Windows are as the first time, with these cuts.
struct ProbeRequest {
  uint64_t target = 0;
  uint64_t exact = 0;      // 1: stop at the target; 0: at the end of the first window at or behind it
  uint64_t cut = 0;        // a window ends here and what follows is one run; 0: no cut
  uint64_t trace = 0;      // 1: note each instruction, for kTrace
  uint64_t limit_s = 300;  // a probe that takes longer is ended
};

struct ProbeAnswer {
  uint64_t total = 0;
  uint64_t state = 0, tlb = 0, memory = 0;
  uint64_t boundary = 0;  // the total when the last round of turns began
  uint32_t hart = 0;      // that ran last
  uint32_t ended = 0;     // the machine ended before the target
};

struct CodeRequest {
  uint64_t hart = 0;
  uint64_t pc = 0;
};

struct SnapshotRequest {
  uint64_t boundary = 0;
};

struct Frame {
  Message message = Message::kQuit;
  std::string body;

  template <typename T>
  T as() const {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    std::memcpy(static_cast<void*>(&value), body.data(), std::min(body.size(), sizeof value));
    return value;
  }
  template <typename T>
  std::vector<T> items() const {
    std::vector<T> all(body.size() / sizeof(T));
    if (!all.empty()) std::memcpy(static_cast<void*>(all.data()), body.data(), all.size() * sizeof(T));
    return all;
  }
};

// Both wait until the whole message is through. False: the other process is gone.
bool send_message(int fd, Message message, std::string_view body = {});
bool receive_message(int fd, Frame& frame);

template <typename T>
std::string_view as_bytes_of(const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
template <typename T>
std::string_view as_bytes_of(const std::vector<T>& values) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// After fork(): memory that both processes share, such as a code cache that is mapped twice, becomes this process's
// own, with all its mappings. The other process must stand still meanwhile. False when the host refuses.
bool make_shared_memory_private();

}  // namespace lockstep::cli
