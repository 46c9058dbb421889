// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device/coverage_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

namespace lockstep::smmu_rtl_bridge {
namespace {

// A point is a line "C 'what it is' how-often".
constexpr std::string_view kFirstLine = "# SystemC::Coverage-3\n";

struct Point {
  std::string_view what;  // up to the number
  uint64_t count = 0;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The next line that is a point; false: there is none.
bool next_point(std::string_view& text, Point& point) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t end = line.rfind("' ");
    if (!line.starts_with("C '") || end == std::string_view::npos) continue;
    point.what = line.substr(0, end + 2);
    point.count = 0;
    std::from_chars(line.data() + end + 2, line.data() + line.size(), point.count);
    return true;
  }
  return false;
}

std::string sum_of(const std::string& before, const std::string& own) {
  std::string sum(kFirstLine);
  sum.reserve(own.size() + own.size() / 16);
  const auto put = [&](std::string_view what, uint64_t count) {
    sum.append(what).append(std::to_string(count)).push_back('\n');
  };
  // One design writes its points in one order, so that both files are alike line by line.
  std::string_view left = before, right = own;
  Point a, b;
  bool alike = true;
  while (alike && next_point(right, b)) {
    alike = next_point(left, a) && a.what == b.what;
    if (alike) put(a.what, a.count + b.count);
  }
  if (alike && !next_point(left, a)) return sum;
  std::map<std::string_view, uint64_t> points;
  for (std::string_view text : {std::string_view(before), std::string_view(own)})
    while (next_point(text, a)) points[a.what] += a.count;
  sum = kFirstLine;
  for (const auto& [what, count] : points) put(what, count);
  return sum;
}

}  // namespace

bool add_coverage(Design& design, const std::string& path) {
  const std::string own = path + "." + std::to_string(::getpid());
  if (!design.write_coverage(own)) return false;
  const int lock = ::open((path + ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
  if (lock < 0) return false;
  ::flock(lock, LOCK_EX);
  const std::string sum = sum_of(text_of(path), text_of(own));
  std::ofstream file(own, std::ios::binary);
  file << sum;
  file.close();
  std::error_code failed;
  std::filesystem::rename(own, path, failed);
  ::close(lock);
  return file.good() && !failed;
}

}  // namespace lockstep::smmu_rtl_bridge
