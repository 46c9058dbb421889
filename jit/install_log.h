// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "jit/region_plan.h"

namespace lockstep::jit {

// A region that began to run: when, and what it was made of.
struct Install {
  uint64_t count = 0;        // instructions that its hart had begun
  uint64_t asked_count = 0;  // when it was asked for
  uint64_t code_key = 0;
  bool joint_checks = false;
  RegionPlan plan;
};

// The installs of a run, by hart, in order.
using InstallList = std::map<unsigned, std::vector<Install>>;

// Writes installs as lines of text while they happen. Safe from several threads.
class InstallLog {
 public:
  static core::Result<std::shared_ptr<InstallLog>> create(const std::string& file);

  void add(unsigned hart, const Install& install);
  // Fails when something could not be written.
  core::Status flush();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  InstallLog(std::string name, std::FILE* file) : name_(std::move(name)), file_(file) {}

  std::string name_;
  std::mutex mutex_;
  std::unique_ptr<std::FILE, Close> file_;
  bool failed_ = false;
};

std::string print_install(unsigned hart, const Install& install);
// Reads what a log holds. Errors name `name` and the line.
core::Result<InstallList> parse_installs(std::string_view text, const std::string& name);
core::Result<std::shared_ptr<const InstallList>> read_installs(const std::string& file);

}  // namespace lockstep::jit
