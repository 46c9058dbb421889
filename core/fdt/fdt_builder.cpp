// SPDX-License-Identifier: Apache-2.0
#include "core/fdt/fdt_builder.h"

#include <fmt/format.h>
#include <libfdt.h>

#include <cassert>

namespace lockstep::core {

namespace {

void append_be32(std::vector<uint8_t>& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(value >> shift));
}

}  // namespace

FdtBuilder::FdtBuilder(size_t max_bytes) : blob_(max_bytes) {
  assert(max_bytes <= kMaxFdtBytes);
  check(fdt_create(blob_.data(), static_cast<int>(blob_.size())), "the header");
  check(fdt_finish_reservemap(blob_.data()), "the reservation map");
  begin_node("");
}

void FdtBuilder::check(int libfdt_error, const std::string& what) {
  if (libfdt_error == 0 || !error_.empty()) return;
  if (libfdt_error == -FDT_ERR_NOSPACE) {
    error_ = fmt::format("the device tree does not fit {} bytes (at {})", blob_.size(), what);
  } else {
    error_ = fmt::format("the device tree cannot take {}: {}", what, fdt_strerror(libfdt_error));
  }
}

void FdtBuilder::begin_node(const std::string& name) {
  if (!has_child_.empty()) has_child_.back() = true;
  has_child_.push_back(false);
  if (error_.empty()) check(fdt_begin_node(blob_.data(), name.c_str()), fmt::format("node '{}'", name));
}

void FdtBuilder::end_node() {
  if (finished_) return;
  if (has_child_.empty()) {
    if (error_.empty()) error_ = "the device tree has an end_node() too many";
    return;
  }
  has_child_.pop_back();
  if (error_.empty()) check(fdt_end_node(blob_.data()), "the end of a node");
}

void FdtBuilder::bytes(const std::string& name, std::span<const uint8_t> value) {
  if (!error_.empty()) return;
  if (has_child_.empty() || has_child_.back()) {
    error_ = fmt::format("the device tree's property '{}' stands behind a child of its node", name);
    return;
  }
  if (value.size() > blob_.size()) {
    check(-FDT_ERR_NOSPACE, fmt::format("property '{}'", name));
    return;
  }
  check(fdt_property(blob_.data(), name.c_str(), value.data(), static_cast<int>(value.size())),
        fmt::format("property '{}'", name));
}

void FdtBuilder::flag(const std::string& name) { bytes(name, {}); }

void FdtBuilder::u32(const std::string& name, uint32_t value) { cells(name, {value}); }

void FdtBuilder::u64(const std::string& name, uint64_t value) { cells64(name, {value}); }

void FdtBuilder::string(const std::string& name, std::string_view value) { strings(name, {value}); }

void FdtBuilder::strings(const std::string& name, std::initializer_list<std::string_view> values) {
  std::vector<uint8_t> out;
  for (const std::string_view value : values) {
    if (value.find('\0') != std::string_view::npos && error_.empty()) {
      error_ = fmt::format("the device tree's string '{}' holds a zero byte", name);
    }
    out.insert(out.end(), value.begin(), value.end());
    out.push_back(0);
  }
  bytes(name, out);
}

void FdtBuilder::cells(const std::string& name, std::span<const uint32_t> values) {
  std::vector<uint8_t> out;
  for (const uint32_t value : values) append_be32(out, value);
  bytes(name, out);
}

void FdtBuilder::cells(const std::string& name, std::initializer_list<uint32_t> values) {
  cells(name, std::span(values.begin(), values.size()));
}

void FdtBuilder::cells64(const std::string& name, std::span<const uint64_t> values) {
  std::vector<uint8_t> out;
  for (const uint64_t value : values) {
    append_be32(out, static_cast<uint32_t>(value >> 32));
    append_be32(out, static_cast<uint32_t>(value));
  }
  bytes(name, out);
}

void FdtBuilder::cells64(const std::string& name, std::initializer_list<uint64_t> values) {
  cells64(name, std::span(values.begin(), values.size()));
}

Result<std::vector<uint8_t>> FdtBuilder::finish() {
  if (error_.empty() && has_child_.size() != 1) error_ = "the device tree has a node that was not closed";
  if (!finished_) end_node();
  finished_ = true;
  if (error_.empty()) check(fdt_finish(blob_.data()), "its end");
  if (!error_.empty()) return Error{error_};
  return std::vector<uint8_t>(blob_.begin(), blob_.begin() + fdt_totalsize(blob_.data()));
}

}  // namespace lockstep::core
