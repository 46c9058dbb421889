// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tlm_models/machines/riscv_virt/interpreter_parts.h"
#include "tlm_models/machines/riscv_virt/machine.h"

namespace lockstep::tlm_models::testing {

// A guest of a few instructions as a plain binary, which a machine without firmware enters at 0x80000000.
class GuestFile {
 public:
  explicit GuestFile(const std::vector<uint32_t>& words) {
    const int fd = mkstemp(path_.data());
    EXPECT_EQ(write(fd, words.data(), words.size() * 4), static_cast<ssize_t>(words.size() * 4));
    close(fd);
  }
  ~GuestFile() { unlink(path_.c_str()); }
  GuestFile(const GuestFile&) = delete;
  GuestFile& operator=(const GuestFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = ::testing::TempDir() + "lockstep_guest_XXXXXX";
};

inline MachineConfig small_config(const GuestFile& guest) {
  MachineConfig config;
  config.kernel = guest.path();
  config.memory_bytes = 16 << 20;
  use_interpreter(config);
  return config;
}

inline std::unique_ptr<Machine> make_machine(MachineConfig config) {
  auto machine = Machine::create(std::move(config));
  EXPECT_TRUE(machine.ok()) << (machine.ok() ? "" : machine.message());
  return machine.ok() ? std::move(*machine) : nullptr;
}

// SystemC has one simulation a process, so each machine of a comparison runs in a child.
template <typename Body>
std::string in_child(Body body) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    const std::string text = body();
    const bool written = write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char buffer[512];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof(buffer))) > 0;)
    text.append(buffer, static_cast<size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  return text;
}

// Instructions of the guests below, as the assembler encodes them.
inline constexpr uint32_t kLuiFinisher = 0x001002b7;    // lui  t0, 0x100
inline constexpr uint32_t kLuiUart = 0x10000337;        // lui  t1, 0x10000
inline constexpr uint32_t kStoreFinisher = 0x0072a023;  // sw   t2, 0(t0)
inline constexpr uint32_t kJumpSelf = 0x0000006f;       // j    .
inline constexpr uint32_t kWfi = 0x10500073;
inline constexpr uint32_t kAddiT0 = 0x00128293;  // addi t0, t0, 1

}  // namespace lockstep::tlm_models::testing
