// SPDX-License-Identifier: Apache-2.0
#include "tests/farm/simulator/simulator.h"

#include <algorithm>
#include <functional>

namespace lockstep::farm::simulation {

namespace {

constexpr uint64_t kFaultsEndMs = 60'000;
constexpr uint64_t kHealedLimitMs = 400'000;  // after the faults, virtual time in which everything has to be done
constexpr uint64_t kTickMs = 500;
constexpr size_t kMaxEvents = 400'000;

struct Rates {
  uint32_t drop = 0;               // of 1000 messages
  uint32_t duplicate = 0;          // of 1000 messages
  uint32_t slow = 0;               // of 1000 messages, delayed by seconds: they arrive out of order
  uint32_t crash_coordinator = 0;  // of 1000 ticks
  uint32_t crash_worker = 0;       // of 1000 ticks
  uint32_t disk_failure = 0;       // of 1000 commits
};

struct WorkerNode {
  std::string name;
  uint32_t slots = 1;
  std::unique_ptr<Worker> logic;
  uint64_t incarnation = 0;                   // durable
  uint64_t life = 0;                          // events of an earlier life are void
  std::map<AttemptId, ResultReport> spool;    // durable
  std::map<AttemptId, ResultReport> writing;  // not durable yet
  std::set<AttemptId> running;
};

class World {
 public:
  explicit World(const Settings& settings) : settings_(settings), random_(settings.seed) {
    auto up_to = [this](uint32_t n) { return static_cast<uint32_t>(random_() % (n + 1)); };
    rates_ = {up_to(200), up_to(200), up_to(150), up_to(30), up_to(40), up_to(15)};
    if (settings.sabotage != Sabotage::kNone) rates_ = {50, 100, 100, 40, 40, 20};
    options_.heartbeat_ms = 1'000;
    options_.lease_ms = 5'000;
    // Loss is a matter of the faults here, not of the jobs, so it must not turn a job into ERROR.
    options_.max_lost = 1'000'000;
    job_count_ = 2 + random_() % 7;
    const size_t worker_count = 1 + random_() % 3;
    for (size_t i = 0; i < worker_count; ++i) {
      WorkerNode node;
      node.name = "w" + std::to_string(i);
      node.slots = 1 + static_cast<uint32_t>(random_() % 2);
      workers_.push_back(std::move(node));
    }
  }

  Outcome run() {
    start_coordinator();
    for (size_t i = 0; i < workers_.size(); ++i) start_worker(i);
    at(kTickMs, [this] { tick(); });
    size_t handled = 0;
    while (!events_.empty() && outcome_.violation.empty() && !done_) {
      if (++handled > kMaxEvents) {
        violate("the schedule does not come to an end");
        break;
      }
      Event event = std::move(const_cast<Event&>(events_.top()));
      events_.pop();
      now_ms_ = event.time_ms;
      event.action();
    }
    if (outcome_.violation.empty()) check_end();
    return outcome_;
  }

 private:
  struct Event {
    uint64_t time_ms;
    uint64_t order;
    std::function<void()> action;
    bool operator<(const Event& other) const {
      return time_ms != other.time_ms ? time_ms > other.time_ms : order > other.order;
    }
  };

  bool faulty() const { return now_ms_ < kFaultsEndMs; }
  bool chance(uint32_t of_1000) { return faulty() && random_() % 1000 < of_1000; }
  void at(uint64_t delay_ms, std::function<void()> action) {
    events_.push(Event{now_ms_ + delay_ms, next_order_++, std::move(action)});
  }
  void violate(const std::string& what) {
    if (outcome_.violation.empty()) {
      outcome_.violation =
          what + " (seed " + std::to_string(settings_.seed) + ", at " + std::to_string(now_ms_) + " ms)";
    }
  }

  // Sends through the network: maybe not, maybe twice, maybe late.
  void transmit(std::function<void()> deliver) {
    ++outcome_.messages;
    const int copies = chance(rates_.drop) ? 0 : chance(rates_.duplicate) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      at(chance(rates_.slow) ? 1 + random_() % 15'000 : 1 + random_() % 20, deliver);
    }
  }

  void start_coordinator() {
    ++coordinator_life_;
    FarmState state;
    for (const JournalRecord& record : journal_) {
      core::Status status = state.apply(record);
      if (!status.ok()) return violate("the journal cannot be replayed: " + status.error().message);
    }
    const bool fresh = journal_.empty();
    coordinator_ = std::make_unique<Coordinator>(options_, std::move(state), "farm", now_ms_, 0);
    if (fresh) {
      for (size_t i = 0; i < job_count_; ++i) {
        JobSpec job;
        job.id = "job" + std::to_string(i);
        job.limits.wall_ms = 20'000;
        if (i % 5 == 4) job.skip_reason = "not now";
        [[maybe_unused]] core::Status status = coordinator_->add_job(std::move(job));
      }
      coordinator_->complete_plan();
    }
    pump_coordinator();
  }

  void crash_coordinator() {
    if (!coordinator_) return;
    ++outcome_.restarts;
    coordinator_.reset();
    uncommitted_.clear();
    committing_ = false;
    ++coordinator_life_;
    if (settings_.sabotage == Sabotage::kLyingDisk && journal_.size() > job_count_ + 8) {
      journal_.resize(journal_.size() - 1 - random_() % 6);
    }
    if (settings_.sabotage == Sabotage::kDropJob && !journal_.empty()) {
      std::erase_if(journal_, [](const JournalRecord& r) {
        const auto* added = std::get_if<JobAdded>(&r.event);
        return added != nullptr && added->job.id == "job0";
      });
      for (size_t i = 0; i < journal_.size(); ++i) journal_[i].sequence = i + 1;
    }
    at(1 + random_() % 8'000, [this] { start_coordinator(); });
  }

  void pump_coordinator() {
    if (!coordinator_) return;
    for (JournalRecord& record : coordinator_->take_appends()) uncommitted_.push_back(std::move(record));
    if (settings_.sabotage == Sabotage::kSendBeforeCommit && !uncommitted_.empty()) {
      coordinator_->committed(uncommitted_.back().sequence);
    }
    if (!uncommitted_.empty() && !committing_) {
      committing_ = true;
      const uint64_t life = coordinator_life_;
      at(random_() % (settings_.sabotage == Sabotage::kSendBeforeCommit ? 300 : 30), [this, life] { commit(life); });
    }
    release_sends();
  }

  void release_sends() {
    for (const Outgoing& out : coordinator_->take_sends()) {
      if (const auto* ack = std::get_if<ResultAck>(&out.message)) check_ack(*ack);
      if (const auto* assign = std::get_if<Assign>(&out.message)) check_assign(*assign);
      const size_t index = std::stoul(out.to);
      transmit([this, index, message = out.message] {
        if (!workers_[index].logic) return;
        workers_[index].logic->on_message(message, now_ms_);
        pump_worker(index);
      });
    }
  }

  void commit(uint64_t life) {
    if (life != coordinator_life_ || !coordinator_) return;
    committing_ = false;
    if (chance(rates_.disk_failure)) return crash_coordinator();
    for (JournalRecord& record : uncommitted_) {
      check_record(record);
      journal_.push_back(std::move(record));
    }
    uncommitted_.clear();
    if (!journal_.empty()) coordinator_->committed(journal_.back().sequence);
    if (coordinator_->finished() && coordinator_->all_committed()) {
      check_replay();
      done_ = true;
      return;
    }
    pump_coordinator();
  }

  void start_worker(size_t index) {
    WorkerNode& node = workers_[index];
    if (node.logic) return;
    ++node.life;
    ++node.incarnation;
    WorkerOptions options;
    options.name = node.name;
    options.incarnation = node.incarnation;
    options.slots = node.slots;
    options.window = node.slots + 1;
    options.orphan_ms = 30'000;
    std::vector<ResultReport> spooled;
    for (const auto& [id, report] : node.spool) spooled.push_back(report);
    node.logic = std::make_unique<Worker>(options, std::move(spooled), now_ms_);
    pump_worker(index);
  }

  void stop_worker(size_t index) {
    WorkerNode& node = workers_[index];
    node.logic.reset();
    node.running.clear();
    node.writing.clear();
    ++node.life;
    at(1 + random_() % 6'000, [this, index] { start_worker(index); });
  }

  void crash_worker(size_t index) {
    if (!workers_[index].logic) return;
    ++outcome_.restarts;
    stop_worker(index);
  }

  void pump_worker(size_t index) {
    WorkerNode& node = workers_[index];
    if (!node.logic) return;
    bool leave = false;
    for (WorkerAction& action : node.logic->take_actions()) {
      if (auto* send = std::get_if<SendMessage>(&action)) {
        if (const auto* report = std::get_if<ResultReport>(&send->message)) {
          if (!node.spool.contains(report->attempt))
            violate("worker " + node.name + " reported a result that is not on its disk");
        }
        transmit([this, index, message = send->message] {
          if (!coordinator_) return;
          coordinator_->on_message(std::to_string(index), message, now_ms_);
          pump_coordinator();
        });
      } else if (auto* start = std::get_if<StartJob>(&action)) {
        ++outcome_.executions;
        node.running.insert(start->attempt);
        if (node.running.size() > node.slots) violate("worker " + node.name + " runs more jobs than it has slots");
        const uint64_t life = node.life;
        JobResult result;
        result.status = JobStatus::kPass;
        result.message = start->attempt.text();
        at(50 + random_() % 9'000,
           [this, index, life, id = start->attempt, result] { job_exits(index, life, id, result); });
      } else if (auto* kill = std::get_if<KillJob>(&action)) {
        const uint64_t life = node.life;
        JobResult result;
        result.status = JobStatus::kError;
        at(1, [this, index, life, id = kill->attempt, result] { job_exits(index, life, id, result); });
      } else if (auto* spool = std::get_if<WriteSpool>(&action)) {
        write_spool(index, spool->report);
      } else if (auto* remove = std::get_if<RemoveSpool>(&action)) {
        node.spool.erase(remove->attempt);
      } else if (std::holds_alternative<Leave>(action)) {
        leave = true;
      }
    }
    if (leave) stop_worker(index);
  }

  void job_exits(size_t index, uint64_t life, const AttemptId& id, const JobResult& result) {
    WorkerNode& node = workers_[index];
    if (node.life != life || !node.logic || node.running.erase(id) == 0) return;
    node.logic->on_job_exited(id, result, now_ms_);
    pump_worker(index);
  }

  void write_spool(size_t index, const ResultReport& report) {
    WorkerNode& node = workers_[index];
    const uint64_t life = node.life;
    if (settings_.sabotage == Sabotage::kSpoolInMemory) {
      at(1, [this, index, life, id = report.attempt] {
        if (workers_[index].life != life || !workers_[index].logic) return;
        workers_[index].logic->on_spooled(id, now_ms_);
        pump_worker(index);
      });
      return;
    }
    node.writing[report.attempt] = report;
    at(1 + random_() % 50, [this, index, life, id = report.attempt] {
      WorkerNode& n = workers_[index];
      if (n.life != life || !n.logic) return;
      if (chance(rates_.disk_failure)) return crash_worker(index);
      n.spool[id] = n.writing.at(id);
      n.writing.erase(id);
      n.logic->on_spooled(id, now_ms_);
      pump_worker(index);
    });
  }

  void tick() {
    if (chance(rates_.crash_coordinator)) crash_coordinator();
    for (size_t i = 0; i < workers_.size(); ++i) {
      if (chance(rates_.crash_worker)) crash_worker(i);
    }
    if (coordinator_) {
      coordinator_->on_tick(now_ms_);
      check_leases();
      pump_coordinator();
    }
    for (size_t i = 0; i < workers_.size(); ++i) {
      if (!workers_[i].logic) continue;
      workers_[i].logic->on_tick(now_ms_);
      pump_worker(i);
    }
    if (now_ms_ > kFaultsEndMs + kHealedLimitMs) {
      violate("a job is lost: the world healed long ago and there is still no result");
      return;
    }
    at(kTickMs, [this] { tick(); });
  }

  // The oracles.

  // Each record that becomes durable: one result a job, one grant and one end an attempt.
  void check_record(const JournalRecord& record) {
    if (const auto* recorded = std::get_if<ResultRecorded>(&record.event)) {
      if (!recorded_.insert(recorded->job_id).second) violate("job " + recorded->job_id + " was recorded twice");
      if (recorded->attempt.epoch != 0 && recorded->result.message != recorded->attempt.text()) {
        violate("the result of one attempt was recorded under another");
      }
      ended_.insert(recorded->attempt);
    } else if (const auto* granted = std::get_if<LeaseGranted>(&record.event)) {
      if (!granted_.insert(granted->attempt).second)
        violate("attempt " + granted->attempt.text() + " was granted twice");
      if (recorded_.contains(granted->job_id)) violate("job " + granted->job_id + " was leased after its result");
    } else if (const auto* lost = std::get_if<AttemptLost>(&record.event)) {
      if (!ended_.insert(lost->attempt).second) violate("attempt " + lost->attempt.text() + " ended twice");
    } else if (const auto* started = std::get_if<EpochStarted>(&record.event)) {
      if (started->epoch <= last_durable_epoch_) violate("the epoch did not grow");
      last_durable_epoch_ = started->epoch;
    }
  }

  // Whoever is told that a result is recorded may forget it, so it must be in the journal by then.
  void check_ack(const ResultAck& ack) {
    if (ack.disposition != Disposition::kRecorded) {
      ++outcome_.late_or_duplicate;
      return;
    }
    for (auto it = journal_.rbegin(); it != journal_.rend(); ++it) {
      if (const auto* recorded = std::get_if<ResultRecorded>(&it->event); recorded && recorded->attempt == ack.attempt)
        return;
      if (const auto* failed = std::get_if<AttemptFailed>(&it->event); failed && failed->attempt == ack.attempt) return;
    }
    violate("a result was acknowledged before it was durable");
  }

  void check_assign(const Assign& assign) {
    if (!granted_.contains(assign.attempt)) violate("an attempt was sent out before its lease was durable");
  }

  // At most one live lease a job, and none for a job that has its result.
  void check_leases() {
    std::map<uint32_t, int> live;
    for (const auto& [id, attempt] : coordinator_->state().attempts()) {
      if (attempt.phase == AttemptPhase::kLeased && ++live[attempt.job_index] > 1) violate("a job has two live leases");
    }
    for (const JobEntry& job : coordinator_->state().jobs()) {
      if (job.phase == JobPhase::kRecorded && job.lease) violate("a recorded job holds a lease");
    }
    if (coordinator_->state().recorded_count() < recorded_.size())
      violate("a durable result is missing from the state");
  }

  void check_replay() {
    FarmState replayed;
    for (const JournalRecord& record : journal_) {
      core::Status status = replayed.apply(record);
      if (!status.ok()) return violate("the journal cannot be replayed: " + status.error().message);
    }
    if (!(replayed == coordinator_->state())) violate("the replayed journal differs from the live state");
  }

  void check_end() {
    if (recorded_.size() != job_count_)
      violate(std::to_string(recorded_.size()) + " of " + std::to_string(job_count_) + " jobs have a result");
  }

  Settings settings_;
  std::mt19937_64 random_;
  Rates rates_;
  CoordinatorOptions options_;
  size_t job_count_ = 0;
  uint64_t now_ms_ = 0;
  uint64_t next_order_ = 0;
  bool done_ = false;
  std::priority_queue<Event> events_;
  std::unique_ptr<Coordinator> coordinator_;
  uint64_t coordinator_life_ = 0;
  std::vector<JournalRecord> journal_;      // durable
  std::vector<JournalRecord> uncommitted_;  // lost at a crash
  bool committing_ = false;
  std::vector<WorkerNode> workers_;
  std::set<std::string> recorded_;
  std::set<AttemptId> granted_;
  std::set<AttemptId> ended_;
  uint64_t last_durable_epoch_ = 0;
  Outcome outcome_;
};

}  // namespace

Outcome run_schedule(const Settings& settings) { return World(settings).run(); }

}  // namespace lockstep::farm::simulation
