// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace lockstep::core {

// Bytes that a tree may take; a kernel maps at most 2 MiB of it.
inline constexpr size_t kMaxFdtBytes = size_t{1} << 20;

// Writes a flattened device tree (Devicetree Specification 0.4, chapter 5) front to back. The first mistake sticks and
// is reported by finish(), so that a machine's tree may be written plainly:
//
//   FdtBuilder fdt;
//   fdt.u32("#address-cells", 2);
//   {
//     auto chosen = fdt.node("chosen");
//     fdt.string("bootargs", "console=ttyS0");
//   }
//   Result<std::vector<uint8_t>> blob = fdt.finish();
//
// The root node is open from the start. Properties of a node come before its children.
class FdtBuilder {
 public:
  // Closes its node when it goes out of scope.
  class [[nodiscard]] Node {
   public:
    explicit Node(FdtBuilder& fdt) : fdt_(&fdt) {}
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node() { fdt_->end_node(); }

   private:
    FdtBuilder* fdt_;
  };

  explicit FdtBuilder(size_t max_bytes = kMaxFdtBytes);

  // `name` includes the unit address: "serial@10000000".
  Node node(const std::string& name) {
    begin_node(name);
    return Node(*this);
  }
  void begin_node(const std::string& name);
  void end_node();

  void flag(const std::string& name);  // a property without a value
  void u32(const std::string& name, uint32_t value);
  void u64(const std::string& name, uint64_t value);
  void string(const std::string& name, std::string_view value);
  void strings(const std::string& name, std::initializer_list<std::string_view> values);
  void cells(const std::string& name, std::span<const uint32_t> values);
  void cells(const std::string& name, std::initializer_list<uint32_t> values);
  // Each value as two cells: a `reg` under #address-cells and #size-cells of 2.
  void cells64(const std::string& name, std::span<const uint64_t> values);
  void cells64(const std::string& name, std::initializer_list<uint64_t> values);
  void bytes(const std::string& name, std::span<const uint8_t> value);

  // A number that no other node of this tree has; refer to it in cells(), give it to its node with phandle().
  uint32_t new_phandle() { return ++last_phandle_; }
  void phandle(uint32_t value) { u32("phandle", value); }

  // The tree; closes the root. Fails with the first mistake: too large, a property behind a child, a node left open.
  Result<std::vector<uint8_t>> finish();

 private:
  void check(int libfdt_error, const std::string& what);

  std::vector<uint8_t> blob_;
  std::vector<bool> has_child_;  // of the open nodes
  uint32_t last_phandle_ = 0;
  bool finished_ = false;
  std::string error_;
};

}  // namespace lockstep::core
