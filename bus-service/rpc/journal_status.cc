#include "bus-service/rpc/journal_status.h"

#include "absl/strings/str_format.h"
#include "bus-service/rpc/journal_codec.h"
#include "bus-service/rpc/later_answer.h"
#include "bus-service/rpc/time_codec.h"

namespace pvebus::bus {
namespace {

constexpr uint64_t kNearlyFullPercent = 90;

std::string NearlyFull(const EventLog::Stats& stats, const ListenerRecord* slowest, Sequence journaled) {
  const std::string full = absl::StrFormat("the journal holds %d of at most %d bytes", stats.event_bytes, stats.max_event_bytes);
  // Whatever everybody has settled makes room by itself.
  if (!slowest || slowest->subscription->floor() > stats.first_sequence + (journaled - stats.first_sequence) / 2) return {};
  const Subscription& subscription = *slowest->subscription;
  return absl::StrFormat(
      "%s, and listener \"%s\" has not settled event %d yet: let it catch up (`pvebus listeners`), move it (SeekListener), "
      "delete "
      "it, limit what it may keep (--retention-backlog), or raise --journal-limit; publishers get JOURNAL_FULL otherwise",
      full, subscription.name(), subscription.floor());
}

}  // namespace

v1::GetJournalStatusResponse EncodeJournalStatus(Bus& bus) {
  const EventLog::Stats stats = bus.log().GetStats();
  v1::GetJournalStatusResponse response;
  response.set_kind(stats.durable ? v1::JOURNAL_KIND_SQLITE : v1::JOURNAL_KIND_MEMORY);
  response.set_durable(stats.durable);
  response.set_event_count(stats.event_count);
  response.set_event_bytes(stats.event_bytes);
  response.set_max_event_bytes(stats.max_event_bytes);
  response.set_first_sequence(stats.first_sequence);
  response.set_last_sequence(stats.last_sequence);
  response.set_durable_sequence(bus.journaled_sequence());
  response.set_lost_deliveries(bus.registry().lost_deliveries());
  response.set_read_only(stats.read_only);
  for (const JournalProblem& problem : stats.problems) EncodeProblem(problem, *response.add_problems());
  for (const Loss& loss : stats.losses) EncodeLoss(loss, *response.add_losses());
  if (stats.read_only) {
    response.add_warnings(
        "the journal is damaged: what it holds can be read, publishes and registrations are refused with JOURNAL_DAMAGED. Stop "
        "the bus and restore its data directory from a copy, or start it once with --accept-data-loss to go on without what is "
        "damaged");
  }
  if (!stats.durable)
    response.add_warnings("the journal is in memory: every event and every listener's backlog is lost when the bus ends");
  if (response.lost_deliveries() > 0) {
    response.add_warnings(
        absl::StrFormat("%d deliveries were given up as their listeners lagged too far behind: GetListener shows whose and "
                        "which (BACKLOG_TRUNCATED)",
                        response.lost_deliveries()));
  }
  if (stats.first_sequence != 0 && stats.event_bytes >= stats.max_event_bytes / 100 * kNearlyFullPercent) {
    if (auto warning = NearlyFull(stats, bus.registry().Slowest(), bus.journaled_sequence()); !warning.empty())
      response.add_warnings(std::move(warning));
  }
  return response;
}

void AnswerJournalStatus(UnaryCall& call, Bus& bus) {
  const auto response = std::make_shared<v1::GetJournalStatusResponse>(EncodeJournalStatus(bus));
  if (response->first_sequence() == 0) return call.Reply(*response);
  const LaterAnswer answer(call);
  bus.log().Read(response->first_sequence(), 1, SIZE_MAX, [answer, response](absl::StatusOr<std::vector<EventPtr>> events) {
    // A status that cannot be told because the journal is damaged would be a poor one.
    if (events.ok() && !events->empty()) *response->mutable_first_event_time() = ToProto(events->front()->publish_time);
    answer.Reply(*response);
  });
}

}  // namespace pvebus::bus
