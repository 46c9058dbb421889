// SPDX-License-Identifier: Apache-2.0
// The farm's command beside a `vm run` that obeys the contract of the real one without emulating anything. What it does
// is chosen by its --append text: "sleep=MS", "fail", "crash", "hang", "differ", "garbage", "once=FILE" (a line a run).

#include <fcntl.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "cli/farm_command.h"
#include "farm/digest.h"

namespace {

int run_fake_vm(const std::string& append, const std::string& console_log, const std::string& fusion) {
  using lockstep::farm::sha256_hex;
  std::string console = "[    0.000001] booting\nCHECK files PASS\nCHECKS 1 passed, 0 failed\n";
  uint64_t instructions = 1'000'000;
  int code = 0;
  nlohmann::json coverage;
  std::istringstream words(append);
  for (std::string word; std::getline(words, word, ',');) {
    if (word.starts_with("sleep=")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(word.c_str() + 6)));
    } else if (word.starts_with("once=")) {
      const int fd = open(word.c_str() + 5, O_WRONLY | O_CREAT | O_APPEND, 0644);
      const std::string line = std::to_string(getpid()) + "\n";
      if (fd < 0 || write(fd, line.data(), line.size()) < 0) return 3;
      close(fd);
    } else if (word.starts_with("leave=")) {
      std::ofstream(word.substr(6)) << "what shows it\n";
    } else if (word == "cover") {
      // Each setting meets another point.
      coverage = {{"plan", "plan 1"}, {"points", 4}, {"hits", {{"always", 2}, {"fusion." + fusion, 1}}}};
    } else if (word == "fail") {
      code = 7;
      console += "CHECK files FAIL\n";
    } else if (word == "crash") {
      std::raise(SIGSEGV);
    } else if (word == "hang") {
      while (true) pause();
    } else if (word == "garbage") {
      std::puts("not a JSON object");
      return 0;
    } else if (word == "differ") {
      if (fusion == "off") instructions += 2;
    }
  }
  if (fusion == "stray") ++instructions;
  std::ofstream(console_log) << console;
  nlohmann::json result = {{"exit", {{"reason", code == 0 ? "guest-pass" : "guest-fail"}, {"code", code}}},
                           {"instructions", instructions},
                           {"observables",
                            {{"instructions", instructions},
                             {"console_sha256", sha256_hex(console)},
                             {"state_sha256", sha256_hex("state")},
                             {"memory_sha256", sha256_hex("memory")}}},
                           {"message", code == 0 ? "" : "the guest said no"}};
  if (!coverage.is_null()) result["coverage"] = coverage;
  std::printf("%s\n", result.dump().c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"the farm with a fake emulator", "lockstep"};
  app.require_subcommand(1);
  int exit_code = 0;
  lockstep::cli::add_farm_command(app, exit_code);
  CLI::App* vm = app.add_subcommand("vm")->require_subcommand(1);
  CLI::App* run = vm->add_subcommand("run");
  run->allow_extras();
  std::string append, console_log = "/dev/null", fusion;
  run->add_option("--append", append);
  run->add_option("--console-log", console_log);
  run->add_option("--fusion", fusion);
  run->callback([&] { exit_code = run_fake_vm(append, console_log, fusion); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return exit_code;
}
