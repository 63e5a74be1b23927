#include "bus-service/rpc/dead_letter_page.h"

#include "bus-service/core/errors.h"
#include "bus-service/rpc/journal_codec.h"
#include "bus-service/rpc/page_token.h"

namespace pvebus::bus {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaximumPageSize = 1000;
constexpr size_t kPageBytes = 2 * 1024 * 1024;  // clients read at most 4 MiB
constexpr size_t kBytesPerRead = 1024 * 1024;
constexpr int kMostReads = 16;  // then the page ends, and the caller sees that it goes on

}  // namespace

void DeadLetterPage::Start(UnaryCall& call, v1::ListDeadLettersRequest request, Bus& bus) {
  const std::shared_ptr<DeadLetterPage> page(new DeadLetterPage(call, std::move(request), bus));
  if (auto status = page->Check(); !status.ok()) return page->answer_.Fail(status);
  page->ReadOn();
}

absl::Status DeadLetterPage::Check() {
  if (request_.page_size() < 0 || request_.page_size() > kMaximumPageSize) return FieldInvalid("page_size", "must be 0 .. 1000");
  page_size_ = request_.page_size() == 0 ? kDefaultPageSize : request_.page_size();
  auto filter = DeadLetters::ParseFilter(request_.filter());
  if (!filter.ok()) return filter.status();
  filter_ = *std::move(filter);
  const std::string token = std::move(*request_.mutable_page_token());
  request_.clear_page_token();
  request_.clear_page_size();
  if (token.empty()) return absl::OkStatus();
  auto position = ReadPageToken(token, request_);
  if (!position.ok()) return position.status();
  after_ = *position;
  return absl::OkStatus();
}

void DeadLetterPage::ReadOn() {
  if (reads_++ == kMostReads) return Finish(true);
  // One more than the page has room for: then there is a next one.
  const auto wanted = static_cast<size_t>(page_size_ - response_.dead_letters_size()) + 1;
  bus_.dead_letters().List(filter_, after_, wanted, kBytesPerRead,
                           [page = shared_from_this()](const absl::StatusOr<DeadLetters::Page>& read) {
                             if (page->answer_.over()) return;
                             if (!read.ok()) return page->answer_.Fail(read.status());
                             page->Take(*read);
                           });
}

void DeadLetterPage::Take(const DeadLetters::Page& page) {
  if (page.next_after == 0) return Finish(false);
  for (const DeadLetter& letter : page.letters) {
    if (response_.dead_letters_size() == page_size_) return Finish(true);
    v1::DeadLetter encoded;
    EncodeDeadLetter(letter, bus_.dead_letters().RedriveOf(letter), false, encoded);
    bytes_ += encoded.ByteSizeLong();
    if (bytes_ > kPageBytes && response_.dead_letters_size() > 0) return Finish(true);
    response_.add_dead_letters()->Swap(&encoded);
    after_ = letter.id;
  }
  after_ = page.next_after;
  ReadOn();
}

void DeadLetterPage::Finish(bool more) {
  if (more) response_.set_next_page_token(MakePageToken(after_, request_));
  answer_.Reply(response_);
}

}  // namespace pvebus::bus
