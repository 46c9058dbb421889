// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device/load.h"

#include <dlfcn.h>

#include <filesystem>

namespace lockstep::smmu_rtl_bridge {

std::string design_path(const std::string& name, const std::string& variant) {
  const bool is_file = name.find('/') != std::string::npos || name.ends_with(".so");
  const std::string ending = variant == "plain" ? ".so" : "." + variant + ".so";
  if (is_file) {
    if (variant == "plain" || !name.ends_with(".so")) return name;
    return name.substr(0, name.size() - 3) + ending;
  }
  std::error_code ignored;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  // Tests lie deeper in the build folder than the program, and have no designs beside them.
  for (std::filesystem::path folder = program.parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    const std::filesystem::path file = folder / "rtl" / (name + ending);
    if (std::filesystem::exists(file, ignored)) return file.string();
  }
  return (program.parent_path() / "rtl" / (name + ending)).string();
}

core::Result<const DesignFile*> load_design_file(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    const std::string file = std::filesystem::path(path).filename().string();
    std::string target = "rtl_" + file.substr(0, file.rfind(".so"));
    for (char& c : target)
      if (c == '.') c = '_';
    return core::Error{path +
                       ": there is no such design. It is built with Verilator (Debian: apt install verilator) by "
                       "`ninja -C build/release " +
                       target + "`."};
  }
  void* library = dlopen(std::filesystem::absolute(path, ignored).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return core::Error{path + ": the design cannot be loaded: " + dlerror() + "."};
  const auto* file = static_cast<const DesignFile*>(dlsym(library, "lockstep_rtl_design"));
  if (!file) return core::Error{path + ": this is no design: it has no lockstep_rtl_design (docs/bring-your-rtl.md)."};
  if (file->interface != kDesignInterface)
    return core::Error{path + ": built for interface " + std::to_string(file->interface) +
                       " of designs; this program has " + std::to_string(kDesignInterface) + ". Build it again."};
  return file;
}

core::Status open_waveform(Design& design, const std::string& path) {
  if (design.open_waveform(path)) return {};
  return core::Error{path + ": no waveform can be written: the design was built without, or the file is out of reach."};
}

}  // namespace lockstep::smmu_rtl_bridge
