// SPDX-License-Identifier: Apache-2.0
#include "farm/protocol/codec.h"

#include <algorithm>

#include <google/protobuf/stubs/logging.h>

#include "farm.pb.h"

namespace lockstep::farm {

using core::Error;
using core::Result;

namespace {

template <typename T>
Result<T> wrap(T value) {
  return Result<T>(std::move(value));
}

void put(wire::AttemptId* out, const AttemptId& in) {
  out->set_farm_id(in.farm_id);
  out->set_epoch(in.epoch);
  out->set_counter(in.counter);
}

void put(wire::WorkerIdentity* out, const WorkerIdentity& in) {
  out->set_name(in.name);
  out->set_incarnation(in.incarnation);
  out->set_sequence(in.sequence);
}

void put(wire::JobSpec* out, const JobSpec& in) {
  out->set_id(clean_utf8(in.id, kMaxJobIdBytes));
  out->set_title(clean_utf8(in.title, kMaxMessageTextBytes));
  for (const std::string& arg : in.argv) out->add_argv(arg);
  out->set_wall_ms(in.limits.wall_ms);
  out->set_cpu_s(in.limits.cpu_s);
  out->set_memory_bytes(in.limits.memory_bytes);
  out->set_judge_by_exit_status(in.judge == Judge::kExitStatus);
  for (const GroupMembership& g : in.groups) {
    wire::GroupMembership* group = out->add_groups();
    group->set_name(clean_utf8(g.name, kMaxMessageTextBytes));
    group->set_behavioural(g.grade == Grade::kBehavioural);
  }
  for (const std::string& f : in.needed_files) out->add_needed_files(f);
  out->set_missing_hint(in.missing_hint);
  for (const std::string& line : in.keep_lines) out->add_keep_lines(line);
  for (const std::string& line : in.drop_lines) out->add_drop_lines(line);
  for (const auto& [name, value] : in.features) {
    wire::Feature* feature = out->add_features();
    feature->set_name(clean_utf8(name, kMaxMessageTextBytes));
    feature->set_value(clean_utf8(value, kMaxMessageTextBytes));
  }
  if (in.skip_reason) out->set_skip_reason(clean_utf8(*in.skip_reason, kMaxMessageTextBytes));
  for (const int32_t code : in.pass_codes) out->add_pass_codes(code);
}

void put(wire::JobResult* out, const JobResult& in) {
  out->set_status(static_cast<wire::JobStatus>(static_cast<int>(in.status) + 1));
  out->set_message(clean_utf8(in.message, kMaxMessageTextBytes));
  out->set_retryable(in.retryable);
  out->set_exit_code(in.exit_code);
  out->set_signal(in.signal);
  out->set_exit_reason(clean_utf8(in.exit_reason, kMaxMessageTextBytes));
  out->set_guest_code(in.guest_code);
  if (in.observables) {
    wire::Observables* o = out->mutable_observables();
    o->set_instructions(in.observables->instructions);
    o->set_console_sha256(in.observables->console_sha256);
    o->set_state_sha256(in.observables->state_sha256);
    o->set_memory_sha256(in.observables->memory_sha256);
  }
  out->set_behaviour_sha256(in.behaviour_sha256);
  out->set_wall_ms(in.wall_ms);
  out->set_cpu_ms(in.cpu_ms);
  out->set_peak_rss_bytes(in.peak_rss_bytes);
  out->set_log_excerpt(clean_utf8(in.log_excerpt, kMaxLogExcerptBytes));
  for (const Artifact& a : in.artifacts) {
    wire::Artifact* artifact = out->add_artifacts();
    artifact->set_name(a.name);
    artifact->set_sha256(a.sha256);
    artifact->set_size_bytes(a.size_bytes);
  }
  if (!in.coverage) return;
  wire::PlanCoverage* coverage = out->mutable_coverage();
  coverage->set_plan(in.coverage->plan);
  coverage->set_points(in.coverage->points);
  for (const auto& [point, hits] : in.coverage->hits) {
    wire::CoverageHit* hit = coverage->add_hits();
    hit->set_point(point);
    hit->set_hits(hits);
  }
}

template <typename Repeated>
void put_held(Repeated* out, const std::vector<HeldAttempt>& in) {
  for (const HeldAttempt& h : in) {
    wire::HeldAttempt* held = out->Add();
    held->set_job_id(h.job_id);
    put(held->mutable_attempt(), h.attempt);
    held->set_state(static_cast<uint32_t>(h.state));
    held->set_elapsed_ms(h.elapsed_ms);
    held->set_output_bytes(h.output_bytes);
  }
}

AttemptId get(const wire::AttemptId& in) { return AttemptId{in.farm_id(), in.epoch(), in.counter()}; }

// Collects the first thing that is wrong with a message.
class Checker {
 public:
  void require(bool holds, const char* what) {
    if (!holds && problem_.empty()) problem_ = what;
  }
  bool ok() const { return problem_.empty(); }
  Error error() const { return Error{"the message is refused: " + problem_}; }

 private:
  std::string problem_;
};

bool plausible_attempt(const wire::AttemptId& in) {
  return valid_worker_name(in.farm_id()) && in.epoch() != 0;  // the name becomes part of a file's name
}

WorkerIdentity get(const wire::WorkerIdentity& in, Checker& check) {
  check.require(valid_worker_name(in.name()),
                "the worker's name is empty, too long or has a character other than letters, digits, '.', '-' and '_'");
  check.require(in.incarnation() != 0, "the worker's incarnation is 0");
  return WorkerIdentity{in.name(), in.incarnation(), in.sequence()};
}

JobSpec get(const wire::JobSpec& in, Checker& check) {
  JobSpec out;
  check.require(!in.id().empty() && in.id().size() <= kMaxJobIdBytes, "the job's id is empty or too long");
  check.require(in.title().size() <= kMaxMessageTextBytes, "the job's title is too long");
  check.require(static_cast<size_t>(in.argv_size()) <= kMaxArguments, "the job has too many arguments");
  size_t argument_bytes = 0;
  for (const std::string& arg : in.argv()) {
    argument_bytes += arg.size();
    check.require(arg.find('\0') == std::string::npos, "an argument of the job contains a NUL byte");
  }
  check.require(argument_bytes <= kMaxArgumentBytes, "the job's arguments are too long");
  if (!check.ok()) return out;
  out.id = in.id();
  out.title = in.title();
  out.argv.assign(in.argv().begin(), in.argv().end());
  out.limits = JobLimits{in.wall_ms(), in.cpu_s(), in.memory_bytes()};
  out.judge = in.judge_by_exit_status() ? Judge::kExitStatus : Judge::kVmJson;
  for (const wire::GroupMembership& g : in.groups()) {
    out.groups.push_back({g.name(), g.behavioural() ? Grade::kBehavioural : Grade::kExact});
  }
  out.needed_files.assign(in.needed_files().begin(), in.needed_files().end());
  out.missing_hint = in.missing_hint();
  out.keep_lines.assign(in.keep_lines().begin(), in.keep_lines().end());
  out.drop_lines.assign(in.drop_lines().begin(), in.drop_lines().end());
  for (const wire::Feature& f : in.features()) out.features.emplace_back(f.name(), f.value());
  if (in.has_skip_reason()) out.skip_reason = in.skip_reason();
  out.pass_codes.assign(in.pass_codes().begin(), in.pass_codes().end());
  return out;
}

JobResult get(const wire::JobResult& in, Checker& check) {
  JobResult out;
  check.require(in.status() >= wire::FAIL && in.status() <= wire::SKIP, "the result has no known status");
  check.require(in.message().size() <= kMaxMessageTextBytes, "the result's message is too long");
  check.require(in.exit_reason().size() <= kMaxMessageTextBytes, "the result's exit reason is too long");
  check.require(in.log_excerpt().size() <= kMaxLogExcerptBytes, "the result's log excerpt is too long");
  check.require(static_cast<size_t>(in.artifacts_size()) <= kMaxArtifacts, "the result has too many artifacts");
  if (!check.ok()) return out;
  out.status = static_cast<JobStatus>(in.status() - 1);
  out.message = in.message();
  out.retryable = in.retryable();
  out.exit_code = in.exit_code();
  out.signal = in.signal();
  out.exit_reason = in.exit_reason();
  out.guest_code = in.guest_code();
  if (in.has_observables()) {
    const wire::Observables& o = in.observables();
    out.observables = Observables{o.instructions(), o.console_sha256(), o.state_sha256(), o.memory_sha256()};
  }
  out.behaviour_sha256 = in.behaviour_sha256();
  out.wall_ms = in.wall_ms();
  out.cpu_ms = in.cpu_ms();
  out.peak_rss_bytes = in.peak_rss_bytes();
  out.log_excerpt = clean_utf8(in.log_excerpt(), kMaxLogExcerptBytes);
  for (const wire::Artifact& a : in.artifacts()) out.artifacts.push_back({a.name(), a.sha256(), a.size_bytes()});
  if (in.has_coverage()) {
    PlanCoverage coverage{in.coverage().plan(), in.coverage().points(), {}};
    size_t bytes = coverage.plan.size();
    check.require(static_cast<size_t>(in.coverage().hits_size()) <= kMaxCoveragePoints,
                  "the result's coverage has too many points");
    if (!check.ok()) return out;
    for (const wire::CoverageHit& hit : in.coverage().hits()) {
      bytes += hit.point().size();
      coverage.hits.emplace_back(hit.point(), hit.hits());
    }
    check.require(bytes <= kMaxCoverageBytes, "the names of the result's coverage are too long");
    out.coverage = std::move(coverage);
  }
  return out;
}

template <typename Repeated>
std::vector<HeldAttempt> get_held(const Repeated& in, Checker& check) {
  std::vector<HeldAttempt> out;
  check.require(static_cast<size_t>(in.size()) <= kMaxHeldAttempts, "the worker lists too many attempts");
  for (const wire::HeldAttempt& h : in) {
    check.require(h.state() <= static_cast<uint32_t>(HeldState::kSpooled), "an attempt is in an unknown state");
    check.require(h.job_id().size() <= kMaxJobIdBytes && plausible_attempt(h.attempt()),
                  "an attempt has no proper name");
    if (!check.ok()) break;
    out.push_back({h.job_id(), get(h.attempt()), static_cast<HeldState>(h.state()), h.elapsed_ms(), h.output_bytes()});
  }
  return out;
}

template <typename Envelope>
Result<Envelope> parse(std::string_view bytes, const char* what) {
  if (bytes.size() > kMaxMessageBytes) {
    return Error{std::string(what) + " of " + std::to_string(bytes.size()) + " bytes; at most " +
                 std::to_string(kMaxMessageBytes) + " are allowed"};
  }
  // The library would print its own complaint about bad text; the error below is what the farm logs, and bounds.
  [[maybe_unused]] static google::protobuf::LogHandler* const former = google::protobuf::SetLogHandler(nullptr);
  Envelope envelope;
  if (!envelope.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error{std::string(what) + " of " + std::to_string(bytes.size()) + " bytes is not a Lockstep farm message"};
  }
  if (envelope.version() != kProtocolVersion) {
    return Error{std::string(what) + " speaks protocol version " + std::to_string(envelope.version()) +
                 ", this program version " + std::to_string(kProtocolVersion) +
                 "; run the same lockstep on both sides"};
  }
  return wrap(std::move(envelope));
}

}  // namespace

bool valid_worker_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxWorkerNameBytes || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
}

std::string clean_utf8(std::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes) {
    text.remove_prefix(text.size() - max_bytes);
    while (!text.empty() && (static_cast<uint8_t>(text.front()) & 0xc0) == 0x80) text.remove_prefix(1);
  }
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                          : (lead & 0xf0) == 0xe0       ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;
    bool good = length != 0 && i + length <= text.size();
    for (size_t k = 1; good && k < length; ++k) good = (static_cast<uint8_t>(text[i + k]) & 0xc0) == 0x80;
    if (good && length >= 3) {
      const auto second = static_cast<uint8_t>(text[i + 1]);
      good = !(lead == 0xe0 && second < 0xa0) && !(lead == 0xed && second > 0x9f) && !(lead == 0xf0 && second < 0x90) &&
             !(lead == 0xf4 && second > 0x8f);
    }
    if (good) {
      out.append(text.substr(i, length));
      i += length;
    } else {
      out.push_back('?');
      ++i;
    }
  }
  return out;
}

std::string encode(const WorkerMessage& message) {
  wire::WorkerEnvelope envelope;
  envelope.set_version(kProtocolVersion);
  if (const auto* hello = std::get_if<Hello>(&message)) {
    wire::Hello* out = envelope.mutable_hello();
    put(out->mutable_worker(), hello->worker);
    out->set_host(clean_utf8(hello->host, kMaxMessageTextBytes));
    out->set_slots(hello->slots);
    out->set_window(hello->window);
    put_held(out->mutable_held(), hello->held);
  } else if (const auto* beat = std::get_if<Heartbeat>(&message)) {
    put(envelope.mutable_heartbeat()->mutable_worker(), beat->worker);
    put_held(envelope.mutable_heartbeat()->mutable_held(), beat->held);
  } else if (const auto* report = std::get_if<ResultReport>(&message)) {
    wire::ResultReport* out = envelope.mutable_result();
    put(out->mutable_worker(), report->worker);
    out->set_job_id(report->job_id);
    put(out->mutable_attempt(), report->attempt);
    put(out->mutable_result(), report->result);
  } else if (const auto* bye = std::get_if<Goodbye>(&message)) {
    put(envelope.mutable_goodbye()->mutable_worker(), bye->worker);
    put_held(envelope.mutable_goodbye()->mutable_held(), bye->held);
  }
  return envelope.SerializeAsString();
}

Result<WorkerMessage> decode_worker_message(std::string_view bytes) {
  auto parsed = parse<wire::WorkerEnvelope>(bytes, "a message to the coordinator");
  if (!parsed.ok()) return parsed.error();
  const wire::WorkerEnvelope& envelope = *parsed;
  Checker check;
  WorkerMessage message;
  switch (envelope.message_case()) {
    case wire::WorkerEnvelope::kHello: {
      const wire::Hello& in = envelope.hello();
      check.require(in.slots() >= 1 && in.slots() <= kMaxSlots, "the worker's slots are not between 1 and 1024");
      check.require(in.window() >= in.slots() && in.window() <= kMaxWindow,
                    "the worker's window is not between its slots and 4096");
      message = Hello{get(in.worker(), check), in.host(), in.slots(), in.window(), get_held(in.held(), check)};
      break;
    }
    case wire::WorkerEnvelope::kHeartbeat:
      message = Heartbeat{get(envelope.heartbeat().worker(), check), get_held(envelope.heartbeat().held(), check)};
      break;
    case wire::WorkerEnvelope::kResult: {
      const wire::ResultReport& in = envelope.result();
      check.require(!in.job_id().empty() && in.job_id().size() <= kMaxJobIdBytes && plausible_attempt(in.attempt()),
                    "the result names no proper job and attempt");
      message = ResultReport{get(in.worker(), check), in.job_id(), get(in.attempt()), get(in.result(), check)};
      break;
    }
    case wire::WorkerEnvelope::kGoodbye:
      message = Goodbye{get(envelope.goodbye().worker(), check), get_held(envelope.goodbye().held(), check)};
      break;
    case wire::WorkerEnvelope::MESSAGE_NOT_SET:
      check.require(false, "it says nothing that this version knows");
  }
  if (!check.ok()) return check.error();
  return wrap(std::move(message));
}

std::string encode(const CoordinatorMessage& message) {
  wire::CoordinatorEnvelope envelope;
  envelope.set_version(kProtocolVersion);
  envelope.set_epoch(std::visit([](const auto& m) { return m.epoch; }, message));
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    envelope.mutable_welcome()->set_farm_id(welcome->farm_id);
    envelope.mutable_welcome()->set_heartbeat_ms(welcome->heartbeat_ms);
  } else if (std::holds_alternative<HeartbeatAck>(message)) {
    envelope.mutable_heartbeat_ack();
  } else if (std::holds_alternative<Reregister>(message)) {
    envelope.mutable_reregister();
  } else if (const auto* assign = std::get_if<Assign>(&message)) {
    put(envelope.mutable_assign()->mutable_attempt(), assign->attempt);
    put(envelope.mutable_assign()->mutable_job(), assign->job);
  } else if (const auto* ack = std::get_if<ResultAck>(&message)) {
    put(envelope.mutable_result_ack()->mutable_attempt(), ack->attempt);
    envelope.mutable_result_ack()->set_disposition(static_cast<uint32_t>(ack->disposition));
  } else if (const auto* cancel = std::get_if<Cancel>(&message)) {
    put(envelope.mutable_cancel()->mutable_attempt(), cancel->attempt);
    envelope.mutable_cancel()->set_reason(clean_utf8(cancel->reason, kMaxMessageTextBytes));
  } else if (std::holds_alternative<Drain>(message)) {
    envelope.mutable_drain();
  } else if (const auto* reject = std::get_if<Reject>(&message)) {
    envelope.mutable_reject()->set_reason(clean_utf8(reject->reason, kMaxMessageTextBytes));
  }
  return envelope.SerializeAsString();
}

Result<CoordinatorMessage> decode_coordinator_message(std::string_view bytes) {
  auto parsed = parse<wire::CoordinatorEnvelope>(bytes, "a message to the worker");
  if (!parsed.ok()) return parsed.error();
  const wire::CoordinatorEnvelope& envelope = *parsed;
  const uint64_t epoch = envelope.epoch();
  Checker check;
  check.require(epoch != 0, "it has no epoch");
  CoordinatorMessage message;
  switch (envelope.message_case()) {
    case wire::CoordinatorEnvelope::kWelcome:
      message = Welcome{epoch, envelope.welcome().farm_id(), envelope.welcome().heartbeat_ms()};
      break;
    case wire::CoordinatorEnvelope::kHeartbeatAck:
      message = HeartbeatAck{epoch};
      break;
    case wire::CoordinatorEnvelope::kReregister:
      message = Reregister{epoch};
      break;
    case wire::CoordinatorEnvelope::kAssign:
      check.require(plausible_attempt(envelope.assign().attempt()), "the attempt has no proper name");
      message = Assign{epoch, get(envelope.assign().attempt()), get(envelope.assign().job(), check)};
      break;
    case wire::CoordinatorEnvelope::kResultAck:
      check.require(envelope.result_ack().disposition() <= static_cast<uint32_t>(Disposition::kUnknown),
                    "the acknowledgement is of an unknown kind");
      message = ResultAck{epoch, get(envelope.result_ack().attempt()),
                          static_cast<Disposition>(envelope.result_ack().disposition() % 3)};
      break;
    case wire::CoordinatorEnvelope::kCancel:
      message = Cancel{epoch, get(envelope.cancel().attempt()), envelope.cancel().reason()};
      break;
    case wire::CoordinatorEnvelope::kDrain:
      message = Drain{epoch};
      break;
    case wire::CoordinatorEnvelope::kReject:
      message = Reject{epoch, envelope.reject().reason()};
      break;
    case wire::CoordinatorEnvelope::MESSAGE_NOT_SET:
      check.require(false, "it says nothing that this version knows");
  }
  if (!check.ok()) return check.error();
  return wrap(std::move(message));
}

std::string encode(const JournalEvent& event) {
  wire::JournalEvent out;
  out.set_version(kProtocolVersion);
  if (const auto* e = std::get_if<EpochStarted>(&event)) {
    out.mutable_epoch_started()->set_epoch(e->epoch);
    out.mutable_epoch_started()->set_farm_id(e->farm_id);
  } else if (const auto* added = std::get_if<JobAdded>(&event)) {
    put(out.mutable_job_added()->mutable_job(), added->job);
  } else if (const auto* plan = std::get_if<PlanCompleted>(&event)) {
    out.mutable_plan_completed()->set_job_count(plan->job_count);
  } else if (const auto* joined = std::get_if<WorkerJoined>(&event)) {
    wire::WorkerJoined* w = out.mutable_worker_joined();
    w->set_worker(joined->worker);
    w->set_incarnation(joined->incarnation);
    w->set_host(clean_utf8(joined->host, kMaxMessageTextBytes));
    w->set_slots(joined->slots);
  } else if (const auto* granted = std::get_if<LeaseGranted>(&event)) {
    wire::LeaseGranted* l = out.mutable_lease_granted();
    l->set_job_id(granted->job_id);
    put(l->mutable_attempt(), granted->attempt);
    l->set_worker(granted->worker);
    l->set_incarnation(granted->incarnation);
  } else if (const auto* lost = std::get_if<AttemptLost>(&event)) {
    wire::AttemptLost* l = out.mutable_attempt_lost();
    l->set_job_id(lost->job_id);
    put(l->mutable_attempt(), lost->attempt);
    l->set_reason(clean_utf8(lost->reason, kMaxMessageTextBytes));
  } else if (const auto* failed = std::get_if<AttemptFailed>(&event)) {
    wire::AttemptFailed* f = out.mutable_attempt_failed();
    f->set_job_id(failed->job_id);
    put(f->mutable_attempt(), failed->attempt);
    put(f->mutable_result(), failed->result);
  } else if (const auto* recorded = std::get_if<ResultRecorded>(&event)) {
    wire::ResultRecorded* r = out.mutable_result_recorded();
    r->set_job_id(recorded->job_id);
    put(r->mutable_attempt(), recorded->attempt);
    put(r->mutable_result(), recorded->result);
  }
  return out.SerializeAsString();
}

Result<JournalEvent> decode_journal_event(std::string_view bytes) {
  auto parsed = parse<wire::JournalEvent>(bytes, "a journal record");
  if (!parsed.ok()) return parsed.error();
  const wire::JournalEvent& in = *parsed;
  Checker check;
  JournalEvent event;
  switch (in.event_case()) {
    case wire::JournalEvent::kEpochStarted:
      event = EpochStarted{in.epoch_started().epoch(), in.epoch_started().farm_id()};
      break;
    case wire::JournalEvent::kJobAdded:
      event = JobAdded{get(in.job_added().job(), check)};
      break;
    case wire::JournalEvent::kPlanCompleted:
      event = PlanCompleted{in.plan_completed().job_count()};
      break;
    case wire::JournalEvent::kWorkerJoined: {
      const wire::WorkerJoined& w = in.worker_joined();
      event = WorkerJoined{w.worker(), w.incarnation(), w.host(), w.slots()};
      break;
    }
    case wire::JournalEvent::kLeaseGranted: {
      const wire::LeaseGranted& l = in.lease_granted();
      event = LeaseGranted{l.job_id(), get(l.attempt()), l.worker(), l.incarnation()};
      break;
    }
    case wire::JournalEvent::kAttemptLost:
      event = AttemptLost{in.attempt_lost().job_id(), get(in.attempt_lost().attempt()), in.attempt_lost().reason()};
      break;
    case wire::JournalEvent::kAttemptFailed:
      event = AttemptFailed{in.attempt_failed().job_id(), get(in.attempt_failed().attempt()),
                            get(in.attempt_failed().result(), check)};
      break;
    case wire::JournalEvent::kResultRecorded:
      event = ResultRecorded{in.result_recorded().job_id(), get(in.result_recorded().attempt()),
                             get(in.result_recorded().result(), check)};
      break;
    case wire::JournalEvent::EVENT_NOT_SET:
      check.require(false, "it records nothing that this version knows");
  }
  if (!check.ok()) return check.error();
  return wrap(std::move(event));
}

}  // namespace lockstep::farm
