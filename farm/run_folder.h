// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace lockstep::farm {

// How a run was started, kept beside its journal so that it can be gone on with.
struct RunSettings {
  std::string matrix_path;
  std::string strategy;
  std::string endpoint;
  std::string keys_folder;
  uint32_t workers = 1;
  std::vector<std::string> notes;
};

// Makes STATE/runs/NNNN with the next free number.
core::Result<std::string> make_run_folder(const std::string& state_folder);
// Lets STATE/latest name this run, which is what `resume` and `report` take: only once the run can be gone on with.
core::Status make_newest(const std::string& run_folder);
// The run named by `run` (a number), or the newest where it is empty.
core::Result<std::string> find_run_folder(const std::string& state_folder, const std::string& run);
std::string run_name(const std::string& run_folder);

core::Status write_settings(const std::string& run_folder, const RunSettings& settings);
core::Result<RunSettings> read_settings(const std::string& run_folder);

// A socket in the run's folder, or a free loopback port where that path is too long for a socket.
std::string default_endpoint(const std::string& run_folder);

}  // namespace lockstep::farm
