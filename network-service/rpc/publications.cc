#include "network-service/rpc/publications.h"

#include <string>

#include "network-service/rpc/network_event.h"

namespace pvebus::network {
namespace {

bool IsSettled(const Publication& publication) {
  bus::v1::PublishResult result;
  return !publication.result.empty() && result.ParseFromString(publication.result) && result.settled();
}

}  // namespace

absl::StatusOr<std::vector<Publication>> Publications::Await(const ApplyRecord& record) {
  // All events in their order; what could not be published stays owed.
  (void)outbox_.PublishNow(std::chrono::steady_clock::now() + limits_.bus, {});
  auto publications = store_.Publications(record.apply_id);
  if (!publications.ok()) return publications;
  for (Publication& publication : *publications) {
    if (!publication.published || IsSettled(publication)) continue;
    // It is in the journal: this waits for its listeners, as for any other publisher.
    const auto response = publisher_.Publish(EventOf(publication.kind, record),
                                             {.request_id = publication.request_id, .deadline = limits_.listeners});
    if (!response.ok()) continue;
    publication.result = response->result().SerializeAsString();
    // It is asked for again when somebody wants to see it.
    (void)store_.PutPublishResult(record.apply_id, publication.kind, publication.result);
  }
  return publications;
}

absl::StatusOr<std::vector<Publication>> Publications::Refresh(const ApplyRecord& record) {
  auto publications = store_.Publications(record.apply_id);
  if (!publications.ok()) return publications;
  for (Publication& publication : *publications) {
    if (!publication.published || IsSettled(publication)) continue;
    bus::v1::GetPublishResultRequest request;
    request.set_request_id(publication.request_id);
    const auto result = publisher_.GetResult(request, limits_.ask);
    if (!result.ok()) continue;
    publication.result = result->SerializeAsString();
    (void)store_.PutPublishResult(record.apply_id, publication.kind, publication.result);
  }
  return publications;
}

}  // namespace pvebus::network
