// SPDX-License-Identifier: Apache-2.0
#include "jit/sampler.h"

#include <fmt/format.h>
#include <sys/time.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace lockstep::jit::sampler {

namespace {

constexpr uint64_t kKept = uint64_t{1} << 16;
std::array<std::atomic<uint64_t>, kKept> samples;
std::atomic<uint64_t> taken = 0;

void on_signal(int, siginfo_t*, void* context) {
  const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext;
  const uint64_t at = taken.load(std::memory_order_relaxed);
  samples[at % kKept].store(static_cast<uint64_t>(registers.gregs[REG_RIP]), std::memory_order_relaxed);
  taken.store(at + 1, std::memory_order_release);
}

}  // namespace

core::Status start() {
  static bool started = false;
  if (started) return {};
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  const itimerval timer{{0, 1'000'000 / kRateHz}, {0, 1'000'000 / kRateHz}};
  if (sigaction(SIGPROF, &action, nullptr) != 0 || setitimer(ITIMER_PROF, &timer, nullptr) != 0) {
    return core::Error{fmt::format("no profile: the host refuses its profiling timer ({})", std::strerror(errno))};
  }
  started = true;
  return {};
}

uint64_t count() { return taken.load(std::memory_order_acquire); }

uint64_t read(uint64_t from, const std::function<void(uint64_t host_pc)>& f) {
  const uint64_t end = count();
  for (uint64_t at = std::max(from, end > kKept ? end - kKept : 0); at < end; ++at) {
    f(samples[at % kKept].load(std::memory_order_relaxed));
  }
  return end;
}

}  // namespace lockstep::jit::sampler
