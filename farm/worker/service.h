// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/result.h"
#include "farm/transport/endpoint.h"
#include "farm/worker/worker.h"

namespace lockstep::farm {

struct WorkerServiceOptions {
  std::string endpoint;
  std::optional<CurveKeys> keys;
  WorkerOptions worker;   // its incarnation comes from the folder
  std::string folder;     // spool, jobs, lock
  std::string artifacts;  // where logs go by their hash; empty: "artifacts" in the folder
  std::string program;    // what {lockstep} in a job's arguments stands for
  bool keep_job_folders = false;
  std::function<void(const std::string&)> log;
};

// Serves until it is drained, rejected, orphaned or signalled (SIGINT, SIGTERM). Error: it could not start, or its disk
// failed. The string says why it ended.
core::Result<std::string> run_worker(WorkerServiceOptions options);

}  // namespace lockstep::farm
