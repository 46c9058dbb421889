// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstring>

#include "core/snapshot/snapshot.h"
#include "tlm_models/machines/riscv_virt/machine.h"
#include "tlm_models/machines/riscv_virt/parts.h"

namespace lockstep::tlm_models {
namespace {

void save_hart(SnapshotSection& section, const core::Hart& hart) {
  const core::StateHeader& state = hart.state();
  section.put("instruction_count", hart.instruction_count());
  section.put("pc", state.pc);
  section.put("exit_request", state.exit_request);
  section.put("fp_flags", state.fp_flags);
  section.put("fp_rounding", state.fp_rounding);
  section.put("reservation_valid", state.reservation_valid);
  section.put("reservation_address", state.reservation_address);
  const auto* base = reinterpret_cast<const uint8_t*>(&state);
  for (const core::StateField& field : hart.layout().fields) {
    section.put_bytes("state." + std::string(field.name), {base + field.offset, field.size_bytes});
  }
}

core::Status restore_hart(const SnapshotSection& section, core::Hart& hart) {
  StateReader reader(section);
  core::StateHeader& state = hart.state();
  auto* base = reinterpret_cast<uint8_t*>(&state);
  for (const core::StateField& field : hart.layout().fields) {
    const std::string key = "state." + std::string(field.name);
    const auto bytes = reader.bytes(key, field.size_bytes);
    if (reader.ok() && bytes.size() != field.size_bytes) {
      reader.fail(fmt::format("'{}' has {} bytes, not {}", key, bytes.size(), field.size_bytes));
    }
    if (!reader.ok()) return reader.status();
    std::memcpy(base + field.offset, bytes.data(), bytes.size());
  }
  reader.get("pc", state.pc);
  reader.get("exit_request", state.exit_request);
  reader.get("fp_flags", state.fp_flags);
  reader.get("fp_rounding", state.fp_rounding);
  reader.get("reservation_valid", state.reservation_valid);
  reader.get("reservation_address", state.reservation_address);
  reader.get("instruction_count", state.end_count);
  state.budget = 0;
  state.unbegun = 0;
  state.trapped = 0;
  if (reader.ok()) {
    hart.tlb().flush_all();
    hart.state_restored();
    hart.begin_turn();
  }
  return reader.status();
}

// What a snapshot must find again in the machine that restores it. Images are not among it: RAM has them.
uint64_t smmu_word(const SmmuOptions& smmu) {
  if (!smmu.present) return 0;
  return 1 | uint64_t{smmu.mmu} << 1 | uint64_t{smmu.atsu} << 2 | uint64_t{smmu.tlb} << 3 |
         uint64_t{smmu.interrupt} << 4;
}

core::Status check_shape(const SnapshotSection& section, const MachineConfig& config, size_t drives) {
  struct Item {
    const char* key;
    uint64_t here;
    const char* option;
  };
  const Item items[] = {
      {"harts", config.harts, "--smp"},
      {"memory_bytes", config.memory_bytes, "--memory"},
      {"ns_per_instruction", config.ns_per_instruction, "the time of an instruction"},
      {"quantum_ns", config.quantum_ns, "--quantum"},
      {"drives", drives, "the number of --drive"},
      {"user_network", config.user_network ? 1u : 0u, "--net"},
      {"virtio_console", config.virtio_console ? 1u : 0u, "the virtio console"},
      {"smmu", smmu_word(config.smmu), "--smmu and its parts as bits"},
  };
  for (const Item& item : items) {
    // Snapshots from before there was one.
    if (std::string_view(item.key) == "smmu" && item.here == 0 && !section.has(item.key)) continue;
    auto saved = section.u64(item.key);
    if (!saved.ok()) return saved.error();
    if (*saved != item.here) {
      return core::Error{
          fmt::format("the snapshot was taken with {} = {}, this machine has {}", item.option, *saved, item.here)};
    }
  }
  return {};
}

}  // namespace

core::Status Machine::save_snapshot(const std::string& path) {
  if (!parts_->scheduler.at_boundary()) {
    return core::Error{"a snapshot can only be taken between the turns of the harts"};
  }
  if (parts_->config.make_smmu) {
    return core::Error{"the state of an SMMU in RTL cannot be saved; the model's can: --smmu on"};
  }
  for (const auto& vcpu : parts_->vcpus) vcpu->hart().tlb().flush_all();
  core::SnapshotWriter writer;
  const MachineConfig& config = parts_->config;
  SnapshotSection& machine = writer.section("machine");
  machine.put_string("machine", "riscv-virt");
  machine.put("harts", config.harts);
  machine.put("memory_bytes", config.memory_bytes);
  machine.put("ns_per_instruction", config.ns_per_instruction);
  machine.put("quantum_ns", config.quantum_ns);
  machine.put("drives", config.drives.size());
  machine.put("user_network", config.user_network ? 1 : 0);
  machine.put("virtio_console", config.virtio_console ? 1 : 0);
  machine.put("smmu", smmu_word(config.smmu));
  machine.put("has_tohost", parts_->tohost_address.has_value() ? 1 : 0);
  machine.put("tohost", parts_->tohost_address.value_or(0));
  machine.put("input_position", config.input ? config.input->position() : 0);
  machine.put_string("description", config.description);
  machine.put_string("console", parts_->console.text());
  parts_->scheduler.save(writer.section("scheduler"));
  for (size_t i = 0; i < parts_->vcpus.size(); ++i) {
    save_hart(writer.section(fmt::format("hart{}", i)), parts_->vcpus[i]->hart());
  }
  for (const auto& [name, device] : parts_->devices()) device->save(writer.section("device." + name));
  writer.add_ram("ram", parts_->ram_memory.ram());
  writer.add_ram("rom", parts_->rom_memory.ram());
  return writer.write(path);
}

core::Status Machine::restore(const std::string& path) {
  if (parts_->started) return core::Error{"a snapshot can only be restored into a machine that has not run"};
  auto reader = core::SnapshotReader::open(path);
  if (!reader.ok()) return reader.error();
  const auto in_file = [&path](const core::Status& status) {
    return core::Error{fmt::format("cannot restore '{}': {}", path, status.message())};
  };
  auto machine = reader->section("machine");
  if (!machine.ok()) return machine.error();
  if (const auto shape = check_shape(**machine, parts_->config, parts_->config.drives.size()); !shape.ok()) {
    return in_file(shape);
  }
  // Time first: timers that the devices arm are relative to it.
  auto scheduler = reader->section("scheduler");
  if (!scheduler.ok()) return scheduler.error();
  parts_->started = true;
  if (const auto status = parts_->scheduler.restore(**scheduler); !status.ok()) return in_file(status);
  for (const char* memory : {"ram", "rom"}) {
    core::GuestRam& target = std::string_view(memory) == "ram" ? parts_->ram_memory.ram() : parts_->rom_memory.ram();
    if (const auto status = reader->restore_ram(memory, target); !status.ok()) return in_file(status);
  }
  for (const auto& [name, device] : parts_->devices()) {
    auto section = reader->section("device." + name);
    if (!section.ok()) return section.error();
    if (const auto status = device->restore(**section); !status.ok()) return in_file(status);
  }
  for (size_t i = 0; i < parts_->vcpus.size(); ++i) {
    auto section = reader->section(fmt::format("hart{}", i));
    if (!section.ok()) return section.error();
    if (const auto status = restore_hart(**section, parts_->vcpus[i]->hart()); !status.ok()) return in_file(status);
    parts_->vcpus[i]->engine().invalidate_all_code();
  }
  StateReader values(**machine);
  const bool has_tohost = values.word("has_tohost") != 0;
  const uint64_t tohost = values.word("tohost");
  const uint64_t input_position = values.word("input_position");
  if (!values.ok()) return in_file(values.status());
  auto console = (*machine)->string("console");
  if (!console.ok()) return in_file(console.error());
  if (has_tohost && !parts_->ram_memory.ram().window().contains(tohost, sizeof(uint64_t))) {
    return core::Error{fmt::format("cannot restore '{}': tohost at {:#x} is not in RAM", path, tohost)};
  }
  parts_->tohost_address = has_tohost ? std::optional(tohost) : std::nullopt;
  if (parts_->config.input) parts_->config.input->restore_position(input_position);
  parts_->console.restore(std::move(*console));
  return {};
}

}  // namespace lockstep::tlm_models
