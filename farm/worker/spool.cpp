// SPDX-License-Identifier: Apache-2.0
#include "farm/worker/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "farm/protocol/codec.h"

namespace lockstep::farm {

namespace fs = std::filesystem;
using core::Error;
using core::Result;
using core::Status;

namespace {
constexpr const char* kSpoolSuffix = ".result";

Error system_error(const std::string& path, const char* what) {
  return Error{path + ": cannot " + what + ": " + strerror(errno)};
}

bool sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = fsync(fd) == 0;
  close(fd);
  return done;
}
}  // namespace

Status write_file_durably(const std::string& path, const std::string& bytes) {
  // Two processes may write the same file at once, as two runs that begin do: each has a temporary file of its own.
  const std::string temporary = path + "." + std::to_string(getpid()) + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return system_error(temporary, "write");
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = write(fd, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      Error error = system_error(temporary, "write");
      close(fd);
      return error;
    }
    done += static_cast<size_t>(wrote);
  }
  const bool synced = fsync(fd) == 0;
  close(fd);
  if (!synced) return system_error(temporary, "sync");
  if (rename(temporary.c_str(), path.c_str()) != 0) return system_error(path, "rename to");
  if (!sync_folder(fs::path(path).parent_path().string())) return system_error(path, "sync the folder of");
  return {};
}

std::string read_file_end(const std::string& path, size_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  struct stat info {};
  std::string bytes;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
    const auto size = static_cast<uint64_t>(info.st_size);
    const uint64_t start = size > max_bytes ? size - max_bytes : 0;
    bytes.resize(size - start);
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t got = pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(start + done));
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    bytes.resize(done);
  }
  close(fd);
  return bytes;
}

Result<int> lock_file(const std::string& path, const std::string& what) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return system_error(path, "open");
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    [[maybe_unused]] ssize_t got = pread(fd, holder, sizeof holder - 1, 0);
    close(fd);
    return Error{what + " is in use by process " + (holder[0] == 0 ? "?" : holder) + "; wait for it, or end it"};
  }
  const std::string self = std::to_string(getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, self.data(), self.size(), 0) < 0) {
    Error error = system_error(path, "write");
    close(fd);
    return error;
  }
  return fd;
}

Result<WorkerFolder> WorkerFolder::open(const std::string& path) {
  std::error_code error;
  fs::create_directories(path + "/spool", error);
  if (!error) fs::create_directories(path + "/jobs", error);
  if (error) return Error{path + ": cannot make the worker's folder: " + error.message()};
  auto lock = lock_file(path + "/lock", "the worker folder " + path);
  if (!lock.ok()) return lock.error();
  WorkerFolder folder;
  folder.path_ = path;
  folder.lock_fd_ = *lock;
  const std::string counter = read_file_end(path + "/incarnation", 32);
  folder.incarnation_ = std::strtoull(counter.c_str(), nullptr, 10) + 1;
  Status status = write_file_durably(path + "/incarnation", std::to_string(folder.incarnation_) + "\n");
  if (!status.ok()) return status.error();
  return Result<WorkerFolder>(std::move(folder));
}

WorkerFolder::WorkerFolder(WorkerFolder&& other) noexcept
    : path_(std::move(other.path_)), incarnation_(other.incarnation_), lock_fd_(std::exchange(other.lock_fd_, -1)) {}

WorkerFolder::~WorkerFolder() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

std::string WorkerFolder::spool_file(const AttemptId& attempt) const {
  return path_ + "/spool/" + attempt.farm_id + "." + attempt.text() + kSpoolSuffix;
}

Status WorkerFolder::write_spool(const ResultReport& report) const {
  return write_file_durably(spool_file(report.attempt), encode(WorkerMessage(report)));
}

void WorkerFolder::remove_spool(const AttemptId& attempt) const { unlink(spool_file(attempt).c_str()); }

std::vector<ResultReport> WorkerFolder::read_spool(std::vector<std::string>* problems) const {
  std::vector<ResultReport> reports;
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path_ + "/spool", error)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    if (file.extension() != kSpoolSuffix) continue;
    auto message = decode_worker_message(read_file_end(file.string(), kMaxMessageBytes));
    if (message.ok() && std::holds_alternative<ResultReport>(*message)) {
      reports.push_back(std::get<ResultReport>(std::move(*message)));
    } else {
      problems->push_back(file.string() + " is damaged and put aside");
      fs::rename(file, file.string() + ".bad", error);
    }
  }
  return reports;
}

Result<std::string> WorkerFolder::make_job_folder(const AttemptId& attempt) const {
  const std::string folder = path_ + "/jobs/" + attempt.farm_id + "." + attempt.text();
  std::error_code error;
  fs::remove_all(folder, error);
  fs::create_directories(folder + "/scratch", error);
  if (error) return Error{folder + ": cannot make the job's folder: " + error.message()};
  return folder;
}

}  // namespace lockstep::farm
