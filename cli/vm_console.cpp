// SPDX-License-Identifier: Apache-2.0
#include "cli/vm_console.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "tlm_models/console/input_source.h"

namespace lockstep::cli {

core::Result<FilePtr> open_for_writing(const std::string& path, const std::string& option) {
  FilePtr file(std::fopen(path.c_str(), "wb"), &std::fclose);
  if (!file) return core::Error{fmt::format("{}: cannot write '{}': {}", option, path, std::strerror(errno))};
  return file;
}

core::Status connect_screen(const VmOptions& o, tlm_models::MachineConfig& config, FilePtr& log) {
  std::FILE* screen = o.json ? stderr : stdout;
  if (!o.console_log.empty()) {
    auto file = open_for_writing(o.console_log, "--console-log");
    if (!file) return file.error();
    log = std::move(*file);
  }
  config.console_writer = [screen, copy = log.get()](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), screen);
    std::fflush(screen);
    if (copy == nullptr) return;
    std::fwrite(text.data(), 1, text.size(), copy);
    std::fflush(copy);
  };
  return {};
}

core::Status connect_script(const VmOptions& o, tlm_models::MachineConfig& config) {
  if (!o.input.empty()) {
    auto scripted = tlm_models::ScriptedInput::open(o.input);
    if (!scripted) return scripted.error();
    config.input = std::move(*scripted);
  } else if (!o.replay_input.empty()) {
    auto replay = tlm_models::ReplayInput::open(o.replay_input);
    if (!replay) return replay.error();
    config.input = std::move(*replay);
  }
  return {};
}

}  // namespace lockstep::cli
