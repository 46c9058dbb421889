// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device/coverage_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <unordered_map>

namespace lockstep::smmu_rtl_bridge {
namespace {

// A point is a line "C 'what it is' how-often".
using Points = std::unordered_map<std::string, uint64_t>;

void read_points(const std::string& path, Points& points) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t end = line.rfind("' ");
    if (!line.starts_with("C '") || end == std::string::npos) continue;
    points[line.substr(0, end + 2)] += std::strtoull(line.c_str() + end + 2, nullptr, 10);
  }
}

}  // namespace

bool add_coverage(Design& design, const std::string& path) {
  const std::string own = path + "." + std::to_string(::getpid());
  if (!design.write_coverage(own)) return false;
  const int lock = ::open((path + ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
  if (lock < 0) return false;
  ::flock(lock, LOCK_EX);
  Points points;
  read_points(path, points);
  read_points(own, points);
  std::ofstream file(own);
  file << "# SystemC::Coverage-3\n";
  for (const auto& [what, count] : points) file << what << count << "\n";
  file.close();
  std::error_code failed;
  std::filesystem::rename(own, path, failed);
  ::close(lock);
  return file.good() && !failed;
}

}  // namespace lockstep::smmu_rtl_bridge
