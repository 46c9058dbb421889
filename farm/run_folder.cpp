// SPDX-License-Identifier: Apache-2.0
#include "farm/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "farm/local_workers.h"
#include "farm/protocol/codec.h"
#include "farm/transport/endpoint.h"
#include "farm/worker/spool.h"

namespace lockstep::farm {

namespace fs = std::filesystem;
using core::Error;
using core::Result;
using core::Status;

namespace {

constexpr size_t kMaxRunDigits = 9;
constexpr const char* kDamaged = "; this run cannot be read, start a new one with `lockstep farm run`";

bool is_number(const std::string& name) {
  return !name.empty() && name.size() <= kMaxRunDigits && name.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

Result<std::string> make_run_folder(const std::string& state_folder) {
  std::error_code error;
  const fs::path runs = fs::path(state_folder) / "runs";
  fs::create_directories(runs, error);
  if (error) return Error{runs.string() + ": cannot make it: " + error.message()};
  unsigned highest = 0;
  for (const auto& entry : fs::directory_iterator(runs, error)) {
    highest = std::max(highest, static_cast<unsigned>(std::strtoul(entry.path().filename().c_str(), nullptr, 10)));
  }
  // Two runs that start at once race for a number: the loser takes the next.
  std::string name;
  constexpr int kMaxTries = 100;
  for (int i = 0; i < kMaxTries; ++i) {
    name = fmt::format("{:04}", ++highest);
    if (fs::create_directory(runs / name, error)) break;
    if (error) return Error{(runs / name).string() + ": cannot make it: " + error.message()};
  }
  return fs::absolute(runs / name).string();
}

Status make_newest(const std::string& run_folder) {
  return write_file_durably((fs::path(run_folder).parent_path().parent_path() / "latest").string(),
                            run_name(run_folder) + "\n");
}

Result<std::string> find_run_folder(const std::string& state_folder, const std::string& run) {
  std::string name = run;
  if (name.empty()) {
    std::ifstream latest(state_folder + "/latest");
    if (!(latest >> name)) {
      return Error{state_folder + " holds no run; start one with `lockstep farm run matrix/features.yaml`"};
    }
    if (!is_number(name)) {
      return Error{state_folder + "/latest does not hold the number of a run; name the run with --run, `ls " +
                   state_folder + "/runs` shows what is there"};
    }
  } else if (!is_number(name)) {
    return Error{"--run takes the number of a run; `ls " + state_folder + "/runs` shows what is there"};
  } else if (name.size() < 4) {
    name = fmt::format("{:04}", std::stoul(name));
  }
  std::error_code error;
  const fs::path folder = fs::path(state_folder) / "runs" / name;
  if (!fs::exists(folder / "farm.db", error)) {
    return Error{"there is no run " + name + " in " + state_folder + "; `ls " + state_folder +
                 "/runs` shows what is there"};
  }
  return fs::absolute(folder).string();
}

std::string run_name(const std::string& run_folder) { return fs::path(run_folder).filename().string(); }

Status write_settings(const std::string& run_folder, const RunSettings& settings) {
  nlohmann::json json = {{"matrix", settings.matrix_path}, {"strategy", settings.strategy},
                         {"endpoint", settings.endpoint},  {"keys", settings.keys_folder},
                         {"workers", settings.workers},    {"notes", settings.notes}};
  return write_file_durably(run_folder + "/run.json",
                            json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<RunSettings> read_settings(const std::string& run_folder) {
  const std::string path = run_folder + "/run.json";
  std::ifstream file(path);
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object()) return Error{path + ": it is not the JSON object that a run begins with" + kDamaged};
  try {
    RunSettings settings;
    settings.matrix_path = json.value("matrix", "");
    settings.strategy = json.value("strategy", "");
    settings.endpoint = json.value("endpoint", "");
    settings.keys_folder = json.value("keys", "");
    const int64_t workers = json.value("workers", int64_t{1});
    if (workers < 0 || workers > kMaxLocalWorkers) {
      return Error{path + ": \"workers\" is not between 0 and " + std::to_string(kMaxLocalWorkers) + kDamaged};
    }
    settings.workers = static_cast<uint32_t>(workers);
    settings.notes = json.value("notes", std::vector<std::string>());
    return Result<RunSettings>(std::move(settings));
  } catch (const nlohmann::json::exception& e) {
    return Error{path + ": " + e.what() + kDamaged};
  }
}

std::string default_endpoint(const std::string& run_folder) {
  const std::string endpoint = "ipc://" + run_folder + "/farm.sock";
  return check_endpoint(endpoint, false).ok() ? endpoint : "tcp://127.0.0.1:*";
}

}  // namespace lockstep::farm
