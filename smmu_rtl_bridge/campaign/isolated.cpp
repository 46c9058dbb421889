// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/campaign/isolated.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr int kKeptBytes = 256 << 20;

void write_all(int descriptor, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(descriptor, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    done += static_cast<size_t>(written);
  }
}

}  // namespace

Worker::Worker(const std::function<void(int)>& body) {
  int ends[2];
  if (::pipe(ends) != 0) {
    std::perror("pipe");
    return;
  }
  // What is buffered now would otherwise be written twice.
  std::fflush(nullptr);
  process_ = ::fork();
  if (process_ == 0) {
    ::close(ends[0]);
    // A device that crashes is a result, not a reason to fill a disk.
    const rlimit none = {0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    // Each seed takes and gives back the same memory: the kernel need not hear of it.
    ::mallopt(M_TRIM_THRESHOLD, kKeptBytes);
    ::mallopt(M_MMAP_THRESHOLD, kKeptBytes);
    body(ends[1]);
    ::close(ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  if (process_ < 0) {
    std::perror("fork");
    ::close(ends[0]);
    return;
  }
  descriptor_ = ends[0];
}

Worker::~Worker() {
  if (process_ > 0) {
    kill();
    wait();
  }
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Worker::receive() {
  if (descriptor_ < 0) return false;
  char bytes[65536];
  const ssize_t count = ::read(descriptor_, bytes, sizeof bytes);
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  buffer_.append(bytes, static_cast<size_t>(count));
  return count != 0;
}

bool Worker::next_line(std::string& line) {
  const size_t end = buffer_.find('\n');
  if (end == std::string::npos) return false;
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return true;
}

uint64_t Silence::ms() {
  const Clock::time_point now = Clock::now();
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - asked_);
  constexpr int kLateSteps = 4;  // as late as a busy machine makes a step
  asked_ += since;
  silent_ms_ += static_cast<uint64_t>(std::min<int64_t>(since.count(), kLateSteps * kStepMs));
  return silent_ms_;
}

void Worker::kill() {
  if (process_ > 0) ::kill(process_, SIGKILL);
}

int Worker::wait() {
  if (process_ <= 0) return 0;
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

IsolatedResult run_isolated(const std::function<std::string()>& body, uint64_t silence_ms) {
  Worker worker([&](int descriptor) {
    const std::string text = body();
    write_all(descriptor, std::to_string(text.size()) + "\n" + text);
  });
  IsolatedResult result;
  Silence silence;
  for (;;) {
    pollfd waiting = {worker.descriptor(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<uint64_t>(silence_ms, Silence::kStepMs)));
    if (ready > 0) {
      if (!worker.receive()) break;
      silence.heard();
    }
    if (silence.ms() >= silence_ms) {
      result.end = ProcessEnd::kHang;
      return result;
    }
  }
  result.signal = worker.wait();
  std::string size;
  if (!worker.next_line(size) || result.signal != 0) {
    result.end = ProcessEnd::kCrash;
    return result;
  }
  result.text = worker.rest();
  if (std::to_string(result.text.size()) != size) result.end = ProcessEnd::kCrash;
  return result;
}

}  // namespace lockstep::smmu_rtl_bridge
