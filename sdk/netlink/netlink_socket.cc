#include "sdk/netlink/netlink_socket.h"

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_format.h"
#include "sdk/netlink/network_errors.h"

namespace pvebus {
namespace {

// The sentence is in attributes behind the errno (the request is not repeated there: NETLINK_CAP_ACK).
KernelAnswer AnswerOf(nlmsghdr* message) {
  const auto* error = static_cast<const nlmsgerr*>(nlmsg_data(message));
  KernelAnswer answer;
  answer.error = -error->error;
  if ((message->nlmsg_flags & NLM_F_ACK_TLVS) != 0 && (message->nlmsg_flags & NLM_F_CAPPED) != 0) {
    answer.sentence = NetlinkAttributes(message, sizeof(nlmsgerr)).Text(NLMSGERR_ATTR_MSG);
  }
  return answer;
}

// A list ends with a word too: an errno.
KernelAnswer EndOf(nlmsghdr* message) {
  KernelAnswer answer;
  if (nlmsg_datalen(message) >= static_cast<int>(sizeof(int))) answer.error = -*static_cast<const int*>(nlmsg_data(message));
  return answer;
}

}  // namespace

std::string KernelAnswer::ToString() const {
  if (sentence.empty()) return std::strerror(error);
  return absl::StrFormat("%s (%s)", sentence, std::strerror(error));
}

absl::StatusOr<NetlinkSocket> NetlinkSocket::Open(int protocol) {
  NetlinkSocket socket(nl_socket_alloc());
  if (socket.socket_ == nullptr) std::abort();  // no memory
  constexpr const char* kDoing = "open a netlink socket";
  const int error = nl_connect(socket.socket_.get(), protocol);
  if (error == -NLE_PROTO_MISMATCH) return KernelSupportMissing(kDoing, absl::StrFormat("netlink protocol %d", protocol));
  if (error < 0) return KernelRefused(kDoing, nl_geterror(error));
  // Lists come in answers of any length.
  nl_socket_enable_msg_peek(socket.socket_.get());
  // Old kernels have no sentences.
  const int on = 1;
  setsockopt(nl_socket_get_fd(socket.socket_.get()), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  setsockopt(nl_socket_get_fd(socket.socket_.get()), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
  return socket;
}

absl::StatusOr<KernelAnswer> NetlinkSocket::Exchange(NetlinkMessage& request, const std::function<void(nlmsghdr*)>& on_message) {
  if (const int error = nl_send_auto(socket_.get(), request.get()); error < 0) {
    return KernelRefused("take a netlink request", nl_geterror(error));
  }
  const uint32_t sequence = nlmsg_hdr(request.get())->nlmsg_seq;
  bool interrupted = false;
  while (true) {
    sockaddr_nl sender{};
    unsigned char* bytes = nullptr;
    int left = nl_recv(socket_.get(), &sender, &bytes, nullptr);
    const std::unique_ptr<unsigned char, decltype(&std::free)> owner(bytes, &std::free);
    if (left <= 0) return KernelRefused("answer a netlink request", left == 0 ? "no answer" : nl_geterror(left));
    if (sender.nl_pid != 0) continue;  // not the kernel
    for (auto* message = reinterpret_cast<nlmsghdr*>(bytes); nlmsg_ok(message, left); message = nlmsg_next(message, &left)) {
      if (message->nlmsg_seq != sequence) continue;
      interrupted = interrupted || (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (message->nlmsg_type == NLMSG_ERROR) return AnswerOf(message);
      if (message->nlmsg_type == NLMSG_DONE) {
        if (interrupted) return NetworkUnsettled();
        return EndOf(message);
      }
      if (message->nlmsg_type >= NLMSG_MIN_TYPE && on_message) on_message(message);
    }
  }
}

absl::Status RefusalOf(const KernelAnswer& answer, std::string_view doing, std::string_view missing_support) {
  if (answer.error == EPERM) return NetAdminMissing(doing);
  if (answer.error == EOPNOTSUPP && !missing_support.empty()) return KernelSupportMissing(doing, missing_support);
  return KernelRefused(doing, answer.ToString());
}

}  // namespace pvebus
