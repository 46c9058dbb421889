// SPDX-License-Identifier: Apache-2.0
#include "farm/transport/endpoint.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace lockstep::farm {

using core::Error;
using core::Result;
using core::Status;

namespace {

constexpr size_t kZ85KeyBytes = 40;
constexpr size_t kMaxIpcPathBytes = 107;  // sun_path without its final NUL

bool loopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

Result<std::string> read_key(const std::string& path) {
  std::ifstream file(path);
  std::string key;
  if (!file || !(file >> key))
    return Error{path + ": cannot read a key; make a folder of keys with `lockstep farm keys`"};
  std::array<uint8_t, 32> raw{};
  if (key.size() != kZ85KeyBytes || zmq_z85_decode(raw.data(), key.c_str()) == nullptr) {
    return Error{path + ": not a CURVE key of 40 characters"};
  }
  return key;
}

Status write_key(const std::string& path, const char* key, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return Error{path + ": cannot make it: " + strerror(errno)};
  const std::string line = std::string(key) + "\n";
  const bool done = write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  close(fd);
  if (!done) return Error{path + ": cannot write it: " + strerror(errno)};
  return {};
}

}  // namespace

Result<CurveKeys> read_keys(const std::string& folder) {
  CurveKeys keys;
  auto coordinator_public = read_key(folder + "/coordinator.public");
  if (!coordinator_public.ok()) return coordinator_public.error();
  auto worker_public = read_key(folder + "/worker.public");
  if (!worker_public.ok()) return worker_public.error();
  auto worker_secret = read_key(folder + "/worker.secret");
  if (!worker_secret.ok()) return worker_secret.error();
  keys.coordinator_public = *coordinator_public;
  keys.worker_public = *worker_public;
  keys.worker_secret = *worker_secret;
  std::error_code error;
  if (std::filesystem::exists(folder + "/coordinator.secret", error)) {
    auto secret = read_key(folder + "/coordinator.secret");
    if (!secret.ok()) return secret.error();
    keys.coordinator_secret = *secret;
  }
  return Result<CurveKeys>(std::move(keys));
}

Status make_keys(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{folder + ": cannot make it: " + error.message()};
  for (const char* who : {"coordinator", "worker"}) {
    char public_key[kZ85KeyBytes + 1];
    char secret_key[kZ85KeyBytes + 1];
    if (zmq_curve_keypair(public_key, secret_key) != 0) return Error{"this libzmq was built without CURVE"};
    Status status = write_key(folder + "/" + who + ".public", public_key, 0644);
    if (status.ok()) status = write_key(folder + "/" + who + ".secret", secret_key, 0600);
    if (!status.ok()) return status;
  }
  return {};
}

Status check_endpoint(const std::string& endpoint, bool have_keys) {
  if (endpoint.starts_with("ipc://")) {
    const size_t length = endpoint.size() - 6;
    if (length == 0) return Error{endpoint + ": a path is missing after ipc://"};
    if (length > kMaxIpcPathBytes) {
      return Error{endpoint + ": the path has " + std::to_string(length) + " bytes, a socket's path at most " +
                   std::to_string(kMaxIpcPathBytes) + "; use a shorter one, or tcp://127.0.0.1:PORT"};
    }
    return {};
  }
  if (!endpoint.starts_with("tcp://")) return Error{endpoint + ": not an endpoint; use tcp://HOST:PORT or ipc://PATH"};
  const std::string rest = endpoint.substr(6);
  const size_t colon = rest.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == rest.size()) {
    return Error{endpoint + ": not an endpoint; use tcp://HOST:PORT"};
  }
  const std::string port = rest.substr(colon + 1);
  const bool digits = port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (port != "*" && (!digits || std::stoul(port) > 65535)) return Error{endpoint + ": " + port + " is not a port"};
  const std::string host = rest.substr(0, colon);
  if (!loopback(host) && !have_keys) {
    return Error{
        endpoint + ": " + host + " is not a loopback address, and without keys anybody who reaches it could run " +
        "programs here; make keys with `lockstep farm keys DIR` and pass --keys DIR, or use tcp://127.0.0.1:" + port};
  }
  return {};
}

}  // namespace lockstep::farm
