// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/result.h"

namespace lockstep::farm {

// CURVE keys in ZeroMQ's Z85 form. A keys folder holds coordinator.public, coordinator.secret, worker.public and
// worker.secret; a worker's machine needs all but coordinator.secret.
struct CurveKeys {
  std::string coordinator_public;
  std::string coordinator_secret;  // empty on a worker's machine
  std::string worker_public;
  std::string worker_secret;
};

core::Result<CurveKeys> read_keys(const std::string& folder);
// Makes a keys folder that must not hold keys yet; the secrets are readable by their owner alone.
core::Status make_keys(const std::string& folder);

// Whether an endpoint may be used: ipc:// and loopback tcp:// always, any other tcp:// only with keys, since without
// them whoever reaches the port could run programs on the workers.
core::Status check_endpoint(const std::string& endpoint, bool have_keys);

}  // namespace lockstep::farm
