// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/gdb/gdb_target.h"
#include "core/gdb/packet.h"

namespace lockstep::core::gdb {

// Breakpoints and watchpoints that one client may have at a time, each kind.
inline constexpr size_t kBreakpointsMax = 4096;
// Packets kept while the machine runs; gdb sends none then but an interrupt.
inline constexpr size_t kPendingPacketsMax = 64;

enum class HartAction : uint8_t { kStay, kContinue, kStep };

// What the client wants of the machine, which stands still until then.
struct Request {
  enum class Kind : uint8_t {
    kResume,  // run by `actions` until something stops it, then report_stop()
    kDetach,  // run freely; all breakpoints are gone
    kKill,    // end the machine
  };
  Kind kind = Kind::kResume;
  std::vector<HartAction> actions;  // one a hart, for kResume
};

// One client's conversation in gdb's remote serial protocol: its bytes in, our bytes out, no input or output of its
// own. Harts are gdb's threads, numbered from 1, in one process. All-stop: either the machine runs or the client talks.
class Session {
 public:
  explicit Session(Target& target);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // A new client. The machine must stop if it runs: until report_stop() the client's packets only wait.
  void begin(bool machine_is_running);
  // The client is gone: its breakpoints go, and a machine that stands still is to run on (take_request() gives
  // kDetach).
  void end();

  void receive(std::span<const uint8_t> bytes);
  // Bytes for the client since the last call.
  std::string take_output();

  // The machine stopped. If the client has left meanwhile, take_request() lets it run on.
  void report_stop(const Stop& stop);
  // What to do next, once.
  std::optional<Request> take_request();
  // The client wants the running machine to stop; holds until report_stop().
  bool stop_requested() const { return is_stop_requested_; }
  bool is_running() const { return is_running_; }

 private:
  enum class BreakpointKind : uint8_t { kSoftware, kHardware };
  struct Breakpoint {
    uint64_t vaddr;
    BreakpointKind kind;
    bool operator<(const Breakpoint& other) const {
      return vaddr != other.vaddr ? vaddr < other.vaddr : kind < other.kind;
    }
  };

  void send(std::string_view payload);
  void handle_packet(const std::string& packet);
  // The answer to a packet; nothing when there is none, or none yet.
  std::optional<std::string> answer(std::string_view packet);
  std::optional<std::string> answer_query(std::string_view packet);
  std::optional<std::string> answer_v(std::string_view packet);

  std::string set_thread(std::string_view text);
  std::string read_registers();
  std::string write_registers(std::string_view hex);
  std::string read_register(std::string_view text);
  std::string write_register(std::string_view text);
  std::string read_memory(std::string_view text);
  std::string write_memory(std::string_view text, bool is_binary);
  std::string change_breakpoint(std::string_view text, bool on);
  std::string change_code_breakpoint(const Breakpoint& breakpoint, bool on);
  std::string change_watchpoint(const Watch& watch, bool on);
  std::string transfer_features(std::string_view text) const;
  std::string run_monitor(std::string_view hex);
  std::optional<std::string> resume_one(std::string_view text, HartAction action, bool has_signal);
  std::optional<std::string> resume_all(std::string_view text);
  void resume(std::vector<HartAction> actions);
  void run_freely();

  const Register* find_register(unsigned number) const;
  std::string describe_stop();
  void remove_breakpoints();
  bool has_breakpoint_at(uint64_t vaddr) const;

  Target& target_;
  std::string description_;
  PacketParser parser_;
  std::deque<std::string> pending_;
  std::string output_;
  std::string last_frame_;
  std::set<Breakpoint> breakpoints_;
  std::vector<Watch> watches_;
  Stop stop_;
  std::optional<Request> request_;
  unsigned general_hart_ = 0;   // of g, m, ... packets
  unsigned continue_hart_ = 0;  // of c and s packets
  bool continue_all_ = true;
  bool has_client_ = false;
  bool is_running_ = false;
  bool is_reply_due_ = false;  // the client waits for a stop reply
  bool is_stop_requested_ = false;
  // gdb sends a Ctrl-C that is pressed early in `continue` ahead of the packet that resumes. One that comes after the
  // client has spoken since the last stop therefore holds for the next resume; one before crossed that stop's reply.
  bool is_stop_due_ = false;
  bool has_heard_packet_ = false;
  bool is_ack_off_ = false;
  bool reports_swbreak_ = false;
  bool reports_hwbreak_ = false;
};

}  // namespace lockstep::core::gdb
