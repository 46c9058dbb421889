// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "isa_frontends/riscv64/random/image.h"

namespace lockstep::cli {

// Another program that runs images of random programs: an emulator of its own kind, or this one's whole machine.
class RandomPeer {
 public:
  // `name` is a known one; `program` the file to run, or empty for the usual one. Errors name what is missing.
  static core::Result<std::unique_ptr<RandomPeer>> make(const std::string& name, const std::string& program);
  ~RandomPeer();
  static bool is_known(std::string_view name) { return name == "qemu" || name == "spike" || name == "vm"; }

  // What the monitor prints for these programs (isa::riscv64::random::make_image).
  core::Result<std::vector<uint64_t>> run(std::span<const isa::riscv64::random::RandomProgram> programs,
                                          isa::riscv64::random::Print print);
  // The first line of what `--version` prints.
  const std::string& version() const { return version_; }

 private:
  RandomPeer() = default;
  // What it prints on stdout; or on stderr, whatever its status is.
  core::Result<std::string> output_of(const std::vector<std::string>& argv, uint64_t wall_ms, bool as_error = false);

  std::vector<std::string> command_;  // the image's path follows
  std::string version_;
  std::filesystem::path folder_;
};

}  // namespace lockstep::cli
