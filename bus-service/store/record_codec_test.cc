#include "bus-service/store/record_codec.h"

#include <random>

#include "bus-service/store/state_codec.h"
#include "bus-service/store/testing/journal_rig.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

TEST(RecordCodecTest, NumbersComeBackAtEveryLimit) {
  RecordWriter writer;
  const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, (1ull << 63) - 1, 1ull << 63, ~0ull};
  const int64_t signeds[] = {0, 1, -1, 63, -64, INT64_MAX, INT64_MIN};
  for (const uint64_t number : numbers) writer.Number(number);
  for (const int64_t number : signeds) writer.Signed(number);
  const std::string bytes = writer.Take();

  RecordReader reader(bytes);
  for (const uint64_t number : numbers) EXPECT_EQ(reader.Number(), number);
  for (const int64_t number : signeds) EXPECT_EQ(reader.Signed(), number);
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
}

TEST(RecordCodecTest, TextsAndMapsComeBackWithEveryByte) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::map<std::string, std::string> map{{"", ""}, {all, "x"}, {"y", all}};
  RecordWriter writer;
  writer.Text(all);
  writer.Text("");
  writer.Map(map);
  const std::string bytes = writer.Take();

  RecordReader reader(bytes);
  EXPECT_EQ(reader.Text(), all);
  EXPECT_EQ(reader.Text(), "");
  EXPECT_EQ(reader.Map(), map);
  EXPECT_TRUE(reader.ok() && reader.at_end());
}

TEST(RecordCodecTest, ASnapshotComesBackEqual) {
  const ListenerSnapshot snapshot = MakeSnapshot("a");
  ListenerSnapshot read;

  ASSERT_TRUE(DecodeSnapshot(EncodeSnapshot(snapshot), read));
  EXPECT_TRUE(Same(read, snapshot));
}

TEST(RecordCodecTest, ASnapshotOfTheVersionBeforeIsRead) {
  ListenerSnapshot snapshot = MakeSnapshot("a");
  snapshot.incidents.clear();
  snapshot.last_error.reset();
  snapshot.lost_deliveries = 0;
  std::string bytes = EncodeSnapshot(snapshot);
  bytes.resize(bytes.size() - 3);  // no losses, no error, not deleted
  bytes[0] = 1;
  ListenerSnapshot read;

  ASSERT_TRUE(DecodeSnapshot(bytes, read));
  EXPECT_TRUE(Same(read, snapshot));
}

TEST(RecordCodecTest, SequencesComeBackEqual) {
  for (const std::vector<Sequence>& sequences : {std::vector<Sequence>{}, {1}, {1, 2, 900, 1ull << 62}}) {
    std::vector<Sequence> read;
    ASSERT_TRUE(DecodeSequences(EncodeSequences(sequences), read));
    EXPECT_EQ(read, sequences);
  }
}

TEST(RecordCodecTest, GapsEventsAndDeliveriesComeBackEqual) {
  for (const std::vector<Gap>& gaps : {std::vector<Gap>{}, {{1, 1}}, {{3, 9}, {9, 1ull << 60}}}) {
    std::vector<Gap> read;
    ASSERT_TRUE(DecodeGaps(EncodeGaps(gaps), read));
    EXPECT_EQ(read, gaps);
  }
  for (Sequence sequence = 1; sequence < 20; ++sequence) {
    Event event;
    ASSERT_TRUE(DecodeEvent(EncodeEvent(*MakeEvent(sequence)), event));
    EXPECT_TRUE(Same(event, *MakeEvent(sequence)));
  }
  RecordWriter writer;
  EncodeDelivery(MakeDelivery(7), writer);
  DeliveryRecord delivery;
  ASSERT_TRUE(DecodeDelivery(writer.bytes(), delivery));
  EXPECT_TRUE(Same(delivery, MakeDelivery(7)));
}

TEST(RecordCodecTest, ACutRecordIsRefusedAtEveryLength) {
  const std::string snapshot = EncodeSnapshot(MakeSnapshot("a"));
  const std::string detail = EncodeDetail(MakeDelivery(1));
  for (size_t size = 0; size < snapshot.size(); ++size) {
    ListenerSnapshot out;
    EXPECT_FALSE(DecodeSnapshot(snapshot.substr(0, size), out)) << size;
  }
  for (size_t size = 0; size < detail.size(); ++size) {
    DeliveryRecord out;
    EXPECT_FALSE(DecodeDetail(detail.substr(0, size), out)) << size;
  }
  const std::string event = EncodeEvent(*MakeEvent(12));
  for (size_t size = 0; size < event.size(); ++size) {
    Event out;
    EXPECT_FALSE(DecodeEvent(event.substr(0, size), out)) << size;
  }
  ListenerSnapshot longer;
  EXPECT_FALSE(DecodeSnapshot(snapshot + "x", longer)) << "what is too long is no record either";
}

TEST(RecordCodecTest, AfterAFailureEverythingReadIsEmpty) {
  RecordReader reader(
      "\x05"
      "ab");

  EXPECT_EQ(reader.Text(), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.Number(), 0u);
  EXPECT_TRUE(reader.Map().empty());
}

TEST(RecordCodecTest, RandomBytesAreReadWithoutHarm) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 80, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (!bytes.empty() && round % 2) bytes[0] = 1;  // past the version
    ListenerSnapshot snapshot;
    DeliveryRecord delivery;
    std::vector<Sequence> sequences;
    DecodeSnapshot(bytes, snapshot);
    DecodeDetail(bytes, delivery);
    Event event;
    DecodeEvent(bytes, event);
    std::vector<Gap> gaps;
    DecodeGaps(bytes, gaps);
    DecodeSequences(bytes, sequences);
    EXPECT_LE(sequences.size(), bytes.size());
  }
}

TEST(RecordCodecTest, AChecksumTellsApartWhatOnlyMovedBetweenColumns) {
  const int64_t one = RowChecksum().Add("ab").Add("c").value();
  EXPECT_NE(one, RowChecksum().Add("a").Add("bc").value());
  EXPECT_NE(one, RowChecksum().Add("c").Add("ab").value());
  EXPECT_EQ(one, RowChecksum().Add("ab").Add("c").value());
  EXPECT_NE(RowChecksum().Add(int64_t{1}).Add(int64_t{0}).value(), RowChecksum().Add(int64_t{0}).Add(int64_t{1}).value());
}

}  // namespace
}  // namespace pvebus::bus
