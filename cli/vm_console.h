// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "cli/vm_options.h"
#include "core/result.h"

namespace lockstep::cli {

using FilePtr = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

core::Result<FilePtr> open_for_writing(const std::string& path, const std::string& option);

// Where the guest's console goes: stdout, or stderr with --json, and to `log` where --console-log asks for a copy.
// `log` must outlive the machine.
core::Status connect_screen(const VmOptions& options, tlm_models::MachineConfig& config, FilePtr& log);

// What the guest may read that is known in advance: --input and --replay-input.
core::Status connect_script(const VmOptions& options, tlm_models::MachineConfig& config);

}  // namespace lockstep::cli
