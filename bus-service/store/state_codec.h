#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bus-service/core/state_log.h"
#include "bus-service/store/record_codec.h"

namespace pvebus::bus {

// The core's records as the journal's blobs. What Decode refuses (false) was not written by Encode.

std::string EncodeSnapshot(const ListenerSnapshot& snapshot);
bool DecodeSnapshot(std::string_view bytes, ListenerSnapshot& out);

// Ascending numbers, as differences.
std::string EncodeSequences(const std::vector<Sequence>& sequences);
bool DecodeSequences(std::string_view bytes, std::vector<Sequence>& out);
std::string EncodeGaps(const std::vector<Gap>& gaps);
bool DecodeGaps(std::string_view bytes, std::vector<Gap>& out);

// What has no column of its own in `deliveries`.
std::string EncodeDetail(const DeliveryRecord& delivery);
bool DecodeDetail(std::string_view bytes, DeliveryRecord& out);
// All of it.
void EncodeDelivery(const DeliveryRecord& delivery, RecordWriter& writer);
bool DecodeDelivery(std::string_view bytes, DeliveryRecord& out);

// What has no column of its own in `events`.
void EncodeEventRecord(const Event& event, RecordWriter& writer);
bool DecodeEventRecord(std::string_view bytes, Event& out);
// All of it.
std::string EncodeEvent(const Event& event);
bool DecodeEvent(std::string_view bytes, Event& out);

}  // namespace pvebus::bus
