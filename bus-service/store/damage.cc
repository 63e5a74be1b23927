#include "bus-service/store/damage.h"

#include <string>

#include "absl/strings/cord.h"
#include "bus-service/store/record_codec.h"

namespace pvebus::bus {
namespace {

constexpr char kProblem[] = "pvebus.journal/problem";

}  // namespace

absl::Status Damaged(std::string_view part, Sequence sequence, std::string_view message) {
  absl::Status status(absl::StatusCode::kDataLoss, std::string(message));
  RecordWriter writer;
  writer.Text(part);
  writer.Number(sequence);
  status.SetPayload(kProblem, absl::Cord(writer.Take()));
  return status;
}

bool IsDamage(const absl::Status& status) { return absl::IsDataLoss(status) || absl::IsInternal(status); }

JournalProblem ProblemOf(const absl::Status& status) {
  JournalProblem problem{"journal.db", 0, std::string(status.message())};
  if (const auto payload = status.GetPayload(kProblem)) {
    const std::string bytes(*payload);
    RecordReader reader(bytes);
    problem.part = reader.Text();
    problem.sequence = reader.Number();
  }
  return problem;
}

}  // namespace pvebus::bus
