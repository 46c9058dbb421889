// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "farm/protocol/messages.h"

namespace lockstep::farm {

// A worker's folder: its lock, its incarnation counter, its spooled results and its jobs' folders.
class WorkerFolder {
 public:
  // Makes the folder where needed, locks it and takes the next incarnation. Error: another worker uses it.
  static core::Result<WorkerFolder> open(const std::string& path);
  WorkerFolder(WorkerFolder&& other) noexcept;
  WorkerFolder& operator=(WorkerFolder&&) = delete;
  ~WorkerFolder();

  uint64_t incarnation() const { return incarnation_; }
  const std::string& path() const { return path_; }
  // On return the report is on disk under its attempt's name.
  core::Status write_spool(const ResultReport& report) const;
  void remove_spool(const AttemptId& attempt) const;
  // A file that cannot be read is put aside as *.bad, and told in `problems`.
  std::vector<ResultReport> read_spool(std::vector<std::string>* problems) const;
  // An empty folder for an attempt, with an empty folder "scratch" in it.
  core::Result<std::string> make_job_folder(const AttemptId& attempt) const;

 private:
  WorkerFolder() = default;
  std::string spool_file(const AttemptId& attempt) const;
  std::string path_;
  uint64_t incarnation_ = 0;
  int lock_fd_ = -1;
};

// Writes `bytes` to `path` so that after a crash the file holds either its old or its new content.
core::Status write_file_durably(const std::string& path, const std::string& bytes);
// The whole file, or at most the last `max_bytes` of it; empty when it cannot be read.
std::string read_file_end(const std::string& path, size_t max_bytes);
// Takes the lock of `path`, made where needed; the number of a file descriptor, or an error that names the holder.
core::Result<int> lock_file(const std::string& path, const std::string& what);

}  // namespace lockstep::farm
