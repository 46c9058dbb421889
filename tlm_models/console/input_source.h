// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"

namespace lockstep::tlm_models {

inline constexpr uint64_t kNoInputTime = ~uint64_t{0};

// Bytes from outside for the guest's console, taken at the boundaries of turns only.
class InputSource {
 public:
  virtual ~InputSource() = default;

  // Appends what is for the guest at this time, at most `space` bytes. `guest_waits`: the guest asks for input and has
  // none; sources that set their own pace give something only then.
  virtual void poll(uint64_t now_ns, size_t space, bool guest_waits, std::vector<uint8_t>& bytes) = 0;

  // With all harts idle: the virtual time at which this source wants to be polled, or kNoInputTime.
  virtual uint64_t next_time_ns() const { return kNoInputTime; }
  // Whether the source may still bring something for a guest that waits.
  virtual bool may_have_more() const = 0;
  // A host file descriptor that becomes readable with new input, or -1. Idle time is paced to real time while waiting.
  virtual int wait_fd() const { return -1; }
  // What comes next depends on when the guest asks for it, so that every boundary counts.
  virtual bool follows_guest() const { return false; }
  // The user asked to leave (Ctrl-A X).
  virtual bool quit_requested() const { return false; }

  // Position for snapshots; sources of live input have none.
  virtual uint64_t position() const { return 0; }
  virtual void restore_position(uint64_t) {}
};

// A file or text given in advance. Each poll of a waiting guest gets the next bytes, so the same guest sees the same
// input at the same count on every run.
class ScriptedInput : public InputSource {
 public:
  explicit ScriptedInput(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}
  static core::Result<std::unique_ptr<ScriptedInput>> open(const std::string& path);

  void poll(uint64_t now_ns, size_t space, bool guest_waits, std::vector<uint8_t>& bytes) override;
  bool may_have_more() const override { return next_ < bytes_.size(); }
  bool follows_guest() const override { return may_have_more(); }
  uint64_t position() const override { return next_; }
  void restore_position(uint64_t position) override;

 private:
  std::vector<uint8_t> bytes_;
  size_t next_ = 0;
};

// A log of live input, replayed at the virtual times at which it was taken.
class ReplayInput : public InputSource {
 public:
  // The format is InputLog's.
  static core::Result<std::unique_ptr<ReplayInput>> open(const std::string& path);
  static core::Result<std::unique_ptr<ReplayInput>> parse(const std::string& text, const std::string& name);

  void poll(uint64_t now_ns, size_t space, bool guest_waits, std::vector<uint8_t>& bytes) override;
  uint64_t next_time_ns() const override;
  bool may_have_more() const override { return next_ < events_.size(); }
  uint64_t position() const override { return next_; }
  void restore_position(uint64_t position) override;

 private:
  struct Event {
    uint64_t time_ns;
    std::vector<uint8_t> bytes;
  };
  std::vector<Event> events_;
  size_t next_ = 0;
};

// A terminal, pipe or socket of the host. On a terminal it is put into raw mode for the life of the object, and Ctrl-A
// is an escape: X leaves, H helps, Ctrl-A sends itself.
class LiveInput : public InputSource {
 public:
  explicit LiveInput(int fd);
  ~LiveInput() override;
  LiveInput(const LiveInput&) = delete;
  LiveInput& operator=(const LiveInput&) = delete;

  void poll(uint64_t now_ns, size_t space, bool guest_waits, std::vector<uint8_t>& bytes) override;
  bool may_have_more() const override { return !at_end_ || !waiting_.empty(); }
  int wait_fd() const override { return at_end_ ? -1 : fd_; }
  bool quit_requested() const override { return quit_; }

 private:
  void take(uint8_t byte);

  int fd_;
  bool terminal_ = false;
  bool escaped_ = false;
  bool quit_ = false;
  bool at_end_ = false;
  unsigned polls_ = 0;
  std::deque<uint8_t> waiting_;
};

// Writes down what came from outside: one line an injection, "TIME_NS COUNT HEXBYTES", with the virtual time and the
// total instruction count. Replayed by time; the count is for people and for checking.
class InputLog {
 public:
  static core::Result<std::unique_ptr<InputLog>> create(const std::string& path);
  ~InputLog();
  InputLog(const InputLog&) = delete;
  InputLog& operator=(const InputLog&) = delete;

  void record(uint64_t now_ns, uint64_t instructions, const std::vector<uint8_t>& bytes);

 private:
  explicit InputLog(std::FILE* file) : file_(file) {}
  std::FILE* file_;
};

}  // namespace lockstep::tlm_models
