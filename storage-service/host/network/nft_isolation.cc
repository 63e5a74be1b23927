#include "storage-service/host/network/nft_isolation.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "sdk/netlink/netlink_message.h"
#include "sdk/netlink/netlink_socket.h"
#include "sdk/netlink/network_errors.h"

namespace pvebus::storage {
namespace {

constexpr std::string_view kSupport = "nftables with tables of family inet (modules nf_tables, nf_tables_inet)";

absl::Status LinkNameInvalid(std::string_view link) {
  return MakeError(absl::StatusCode::kInvalidArgument, "LINK_NAME_INVALID",
                   absl::StrFormat("link \"%s\": a name here has 1 to 15 letters, digits, dots, underscores and hyphens", link));
}

// libnftables ends the process when it cannot have its socket, and writes to standard error when it may not use it: this finds
// out before it does.
absl::Status CheckNftables(std::string_view doing) {
  auto socket = NetlinkSocket::Open(NETLINK_NETFILTER);
  if (!socket.ok()) return socket.status();
  NetlinkMessage request((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN, 0, nfgenmsg{.version = NFNETLINK_V0});
  const auto answer = socket->Exchange(request);
  if (!answer.ok()) return answer.status();
  if (answer->error == 0) return absl::OkStatus();
  if (answer->error == EINVAL) return KernelSupportMissing(doing, kSupport);  // no such subsystem
  return RefusalOf(*answer, doing, kSupport);
}

// It tells its reasons in words only: those of strerror.
bool Says(std::string_view words, int error) { return words.find(std::strerror(error)) != std::string_view::npos; }

absl::Status RefusalIn(std::string_view words, std::string_view doing) {
  if (Says(words, EPERM)) return NetAdminMissing(doing);
  for (const int error : {EOPNOTSUPP, EAFNOSUPPORT, EPROTONOSUPPORT}) {
    if (Says(words, error)) return KernelSupportMissing(doing, kSupport);
  }
  // The first line is the reason, the others show where.
  const std::string_view reason = words.substr(0, words.find('\n'));
  return KernelRefused(doing, reason.empty() ? "nftables does not say why" : reason);
}

struct FreeContext {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};

}  // namespace

absl::StatusOr<std::string> NftIsolation::Run(const std::string& commands, std::string_view doing) {
  if (const absl::Status status = CheckNftables(doing); !status.ok()) return status;
  const std::unique_ptr<nft_ctx, FreeContext> context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (context == nullptr) std::abort();  // no memory
  if (nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0) std::abort();
  nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_ALL);
  const int result = nft_run_cmd_from_buffer(context.get(), commands.c_str());
  if (result != 0) return RefusalIn(nft_ctx_get_error_buffer(context.get()), doing);
  return std::string(nft_ctx_get_output_buffer(context.get()));
}

absl::StatusOr<std::optional<NftTable>> NftIsolation::List() {
  constexpr std::string_view kDoing = "list the rules that isolate links";
  // To ask for a table that is not there would be an error like others.
  const auto tables = Run("list tables inet", kDoing);
  if (!tables.ok()) return tables.status();
  if (!absl::StrContains(*tables, "\"pvebus_storage\"")) return std::nullopt;
  const auto listed = Run(absl::StrFormat("list table %s", kNftTable), kDoing);
  if (!listed.ok()) return listed.status();
  auto table = NftTable::Parse(*listed);
  if (!table.ok()) return table.status();
  return *std::move(table);
}

absl::StatusOr<std::optional<std::vector<IpPrefix>>> NftIsolation::Read(const std::string& link) {
  if (!IsNftLinkName(link)) return LinkNameInvalid(link);
  const MutexLock lock(mutex_);
  const auto table = List();
  if (!table.ok()) return table.status();
  return *table ? (*table)->SubnetsOf(link) : std::nullopt;
}

absl::Status NftIsolation::Isolate(const std::string& link, const std::vector<IpPrefix>& subnets) {
  if (!IsNftLinkName(link)) return LinkNameInvalid(link);
  const MutexLock lock(mutex_);
  return Run(NftIsolate(link, subnets), "isolate " + link).status();
}

absl::Status NftIsolation::Release(const std::string& link) {
  if (!IsNftLinkName(link)) return LinkNameInvalid(link);
  const MutexLock lock(mutex_);
  const auto table = List();
  if (!table.ok()) return table.status();
  const std::string commands = *table ? (*table)->Release(link) : "";
  return commands.empty() ? absl::OkStatus() : Run(commands, "end the isolation of " + link).status();
}

}  // namespace pvebus::storage
