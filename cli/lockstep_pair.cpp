// SPDX-License-Identifier: Apache-2.0
#include "cli/lockstep_pair.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace lockstep::cli {
namespace {

// Records of one side that wait for the other's; beyond it the faster side waits.
constexpr size_t kMaxQueued = size_t{1} << 16;
// A side that has said nothing for so long, with the other far ahead, hangs.
constexpr auto kHangs = std::chrono::seconds(60);
constexpr int kPollMs = 200;

void check(bool good, const char* what) {
  if (!good) throw std::runtime_error(fmt::format("--lockstep: {}: {}", what, std::strerror(errno)));
}

}  // namespace

LockstepPair::LockstepPair(const VmOptions& options, const std::array<SideOptions, 2>& sides) {
  signal(SIGPIPE, SIG_IGN);
  // Copies whose maker has ended become this process's children.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (unsigned i = 0; i < 2; ++i) start(options, sides[i], sides_[i]);
}

LockstepPair::~LockstepPair() {
  for (Side& side : sides_) {
    stop(side);
    for (const int fd : {side.records, side.control, side.copy}) close(fd);
  }
  // Every copy ends when its channel does.
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

void LockstepPair::start(const VmOptions& options, const SideOptions& side_options, Side& side) {
  int records[2], control[2], copy[2];
  check(pipe(records) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, control) == 0 &&
            socketpair(AF_UNIX, SOCK_STREAM, 0, copy) == 0,
        "cannot make channels");
  std::fflush(nullptr);
  side.pid = fork();
  check(side.pid >= 0, "cannot start a process");
  if (side.pid == 0) {
    // An end that another process keeps open would never be seen closed.
    for (const Side& other : sides_) {
      for (const int fd : {other.records, other.control, other.copy}) {
        if (fd >= 0) close(fd);
      }
    }
    for (const int fd : {records[0], control[0], copy[0]}) close(fd);
    run_side(options, side_options, {records[1], control[1], copy[1]});
  }
  for (const int fd : {records[1], control[1], copy[1]}) close(fd);
  side.engine = side_options.engine.name;
  side.records = records[0];
  side.control = control[0];
  side.copy = copy[0];
}

void LockstepPair::stop(Side& side) {
  if (side.pid <= 0) return;
  if (!side.closed) kill(side.pid, SIGKILL);
  waitpid(side.pid, &side.status, 0);
  side.pid = -1;
}

void LockstepPair::receive(Side& side) {
  Frame frame;
  if (!receive_message(side.records, frame)) {
    side.closed = true;
    stop(side);
    return;
  }
  if (frame.message == Message::kEnd) side.end = frame.body;
  if (frame.message == Message::kError) side.error = frame.body;
  if (frame.message != Message::kRecords) return;
  for (const LockstepRecord& record : frame.items<LockstepRecord>()) side.queue.push_back(record);
  if (!side.queue.empty()) side.last_total = side.queue.back().total;
}

Divergence LockstepPair::divergence(std::string text, const PairResult& result, uint64_t seen) const {
  return {std::move(text), beginning_, checkpoint_, result.instructions, std::max(seen, checkpoint_ + 1), hung_};
}

std::string LockstepPair::noticed(const LockstepRecord& first, const LockstepRecord& second) const {
  if (first.kind != second.kind) {
    // A checkpoint comes at a boundary of turns, an end anywhere.
    const bool ends = first.kind == RecordKind::kEnd;
    return ends || second.kind == RecordKind::kEnd
               ? fmt::format("{} ends its run and {} goes on", sides_[ends ? 0 : 1].engine, sides_[ends ? 1 : 0].engine)
               : "the turns end at different counts";
  }
  if (first.total != second.total) return "the engines began different numbers of instructions";
  if (first.kind == RecordKind::kCheckpoint) return "memory or the TLB differs when it is compared as a whole";
  return first.kind == RecordKind::kEnd ? "the state or the TLB differs at the end of the run"
                                        : "the state or the TLB differs at the end of a window";
}

bool LockstepPair::take(PairResult& result) {
  auto& [a, b] = sides_;
  while (!a.queue.empty() && !b.queue.empty()) {
    const LockstepRecord left = a.queue.front(), right = b.queue.front();
    const uint64_t seen = std::max(left.total, right.total);
    if (!(left == right)) {
      result.divergence = divergence(noticed(left, right), result, seen);
      return true;
    }
    a.queue.pop_front();
    b.queue.pop_front();
    result.instructions = left.total;
    if (left.kind == RecordKind::kWindow) ++result.windows;
    if (left.kind == RecordKind::kCheckpoint) {
      checkpoint_ = left.total;
      if (result.checkpoints++ == 0) beginning_ = left.total;
      for (const Side& side : sides_) send_message(side.control, Message::kGo);
    }
    if (left.kind == RecordKind::kEnd) {
      if (a.end != b.end) {
        result.divergence = divergence("the machines' digests differ at the end of the run", result, seen);
      }
      return true;
    }
  }
  return false;
}

std::string LockstepPair::how_it_ended(Side& side) {
  if (hung_) return fmt::format("{} does not come back from its engine", side.engine);
  if (WIFSIGNALED(side.status)) {
    return fmt::format("the process of {} died of signal {} ({})", side.engine, WTERMSIG(side.status),
                       strsignal(WTERMSIG(side.status)));
  }
  return fmt::format("the process of {} ended with status {}", side.engine, WEXITSTATUS(side.status));
}

bool LockstepPair::look_for_death(PairResult& result) {
  for (unsigned i = 0; i < 2; ++i) {
    Side& side = sides_[i];
    Side& other = sides_[1 - i];
    if (side.error) {
      result.error = side.error;
      return true;
    }
    if (!side.closed || !side.queue.empty()) continue;
    if (result.windows == 0 && result.checkpoints == 0) {
      // It said on stderr what it lacks.
      result.error = how_it_ended(side) + " before it could run";
      return true;
    }
    // The last records of this side are lost, so the other must have gone further than they would.
    const bool far_enough = other.queue.size() >= 2 * WindowRecorder::kMaxBuffered || other.closed ||
                            (!other.queue.empty() && other.queue.back().kind != RecordKind::kWindow);
    if (!far_enough) continue;
    result.divergence = divergence(how_it_ended(side), result, other.last_total);
    return true;
  }
  return false;
}

PairResult LockstepPair::compare(const Progress& progress) {
  PairResult result;
  auto last_word = std::chrono::steady_clock::now();
  while (!take(result) && !look_for_death(result)) {
    std::array<pollfd, 2> entries;
    for (unsigned i = 0; i < 2; ++i) {
      const bool listens = !sides_[i].closed && sides_[i].queue.size() < kMaxQueued;
      entries[i] = {listens ? sides_[i].records : -1, POLLIN, 0};
    }
    const int ready = poll(entries.data(), entries.size(), kPollMs);
    const auto now = std::chrono::steady_clock::now();
    if (ready > 0) last_word = now;
    for (unsigned i = 0; i < 2; ++i) {
      if (entries[i].fd >= 0 && entries[i].revents != 0) receive(sides_[i]);
      if (now - last_word > kHangs && entries[1 - i].fd < 0 && !sides_[i].closed) {
        hung_ = true;
        kill(sides_[i].pid, SIGKILL);
      }
    }
    progress(result.instructions);
  }
  for (unsigned i = 0; i < 2; ++i) {
    stop(sides_[i]);
    result.end[i] = sides_[i].end;
  }
  return result;
}

}  // namespace lockstep::cli
