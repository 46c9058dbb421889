// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "tlm_models/console/input_source.h"

namespace lockstep::tlm_models {
namespace {

constexpr uint8_t kEscape = 0x01;  // Ctrl-A
constexpr size_t kReadBytes = 256;
// Turns between two looks at the descriptor: a system call each turn would cost more than many turns do.
constexpr unsigned kTurnsBetweenPolls = 64;

// The terminal as it was, for the ways out that run no destructor: exit() and fatal signals.
struct SavedTerminal {
  int fd = -1;
  termios settings{};
};
SavedTerminal saved_terminal;

void restore_terminal() {
  if (saved_terminal.fd >= 0) tcsetattr(saved_terminal.fd, TCSANOW, &saved_terminal.settings);
}

void restore_terminal_and_die(int number) {
  restore_terminal();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

bool readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

}  // namespace

LiveInput::LiveInput(int fd) : fd_(fd) {
  if (isatty(fd) == 0 || tcgetattr(fd, &saved_terminal.settings) != 0) return;
  terminal_ = true;
  saved_terminal.fd = fd;
  static const bool registered = [] {
    std::atexit(restore_terminal);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) {
      struct sigaction previous {};
      // A handler that somebody else installed stays; it ends by way of exit() or the destructor.
      if (sigaction(number, nullptr, &previous) == 0 && previous.sa_handler == SIG_DFL) {
        std::signal(number, restore_terminal_and_die);
      }
    }
    return true;
  }();
  (void)registered;
  termios raw = saved_terminal.settings;
  cfmakeraw(&raw);
  raw.c_oflag |= OPOST | ONLCR;
  tcsetattr(fd, TCSANOW, &raw);
}

LiveInput::~LiveInput() {
  if (!terminal_) return;
  restore_terminal();
  saved_terminal.fd = -1;
}

void LiveInput::take(uint8_t byte) {
  if (!terminal_) {
    waiting_.push_back(byte);
    return;
  }
  if (!escaped_) {
    if (byte == kEscape) {
      escaped_ = true;
    } else {
      waiting_.push_back(byte);
    }
    return;
  }
  escaped_ = false;
  static constexpr char kHelp[] = "\r\nCtrl-A X  leave\r\nCtrl-A H  this help\r\nCtrl-A Ctrl-A  send Ctrl-A\r\n";
  switch (byte) {
    case 'x':
    case 'X':
      quit_ = true;
      break;
    case 'h':
    case 'H':
      if (write(STDERR_FILENO, kHelp, sizeof(kHelp) - 1) < 0) at_end_ = true;
      break;
    case kEscape:
      waiting_.push_back(kEscape);
      break;
    default:
      waiting_.push_back(kEscape);
      waiting_.push_back(byte);
      break;
  }
}

void LiveInput::poll(uint64_t, size_t space, bool guest_waits, std::vector<uint8_t>& bytes) {
  const bool look = guest_waits || ++polls_ % kTurnsBetweenPolls == 0;
  if (look && !at_end_ && waiting_.size() < kReadBytes && readable(fd_)) {
    uint8_t buffer[kReadBytes];
    const ssize_t got = read(fd_, buffer, sizeof(buffer));
    if (got <= 0) at_end_ = true;
    for (ssize_t i = 0; i < got; ++i) take(buffer[i]);
  }
  // A guest that is not listening yet would lose what it is sent.
  if (!guest_waits) return;
  while (space-- > 0 && !waiting_.empty()) {
    bytes.push_back(waiting_.front());
    waiting_.pop_front();
  }
}

}  // namespace lockstep::tlm_models
