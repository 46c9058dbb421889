// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/gdb/gdb_session.h"
#include "core/gdb/gdb_target.h"
#include "core/result.h"

namespace lockstep::core::gdb {

// Where `--gdb [HOST]:PORT` listens.
struct ListenAddress {
  std::string host = "127.0.0.1";  // an IPv4 address of the loopback network
  uint16_t port = 0;               // 0: any free one
};

// ":1234", "1234", "localhost:1234" or "127.0.0.1:1234". The stub gives its client the whole machine without asking who
// it is, so that other networks are an Error.
Result<ListenAddress> parse_listen_address(std::string_view text);

// A gdb stub on a TCP port: one client at a time, a second one waits for the first to leave. It has no thread; the run
// loop of the machine drives it:
//
//   for (Request r = server.wait(); ...; r = server.wait()) {
//     run by r.actions, calling server.poll() every so often, until a stop or until poll() says so
//     server.report_stop(stop);
//   }
//
// The machine stands still at first. After kDetach it runs freely; poll() then answers true when a new client arrives.
class Server {
 public:
  // The target must outlive the server.
  static Result<std::unique_ptr<Server>> listen(const ListenAddress& address, Target& target);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  bool has_client() const;

  // While the machine stands still: serves the client, and waits for one if there is none, until it asks for something.
  // Nothing when timeout_ms has passed first (negative: no limit) or a signal came.
  std::optional<Request> wait(int timeout_ms = -1);

  // While the machine runs, between two turns of its harts: takes what has arrived without waiting. True: stop the
  // harts and call report_stop().
  bool poll();

  void report_stop(const Stop& stop);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockstep::core::gdb
