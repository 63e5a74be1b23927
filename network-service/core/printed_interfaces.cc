#include "network-service/core/printed_interfaces.h"

#include <utility>

#include "network-service/core/interfaces_files.h"
#include "network-service/core/interfaces_reader.h"

namespace pvebus::network {
namespace {

// One text that sources nothing.
class OneText final : public InterfacesFiles {
 public:
  explicit OneText(const std::string& text) : text_(text) {}

  absl::StatusOr<std::string> Read(const std::string&) override { return text_; }
  std::vector<std::string> Glob(const std::string&) override { return {}; }
  absl::StatusOr<std::vector<std::string>> List(const std::string&) override { return std::vector<std::string>(); }

 private:
  const std::string& text_;
};

}  // namespace

Interfaces ParsePrinted(const std::string& text) {
  OneText files(text);
  auto configuration = ReadConfiguration({.most_main_bytes = text.size()}, files);
  return configuration.ok() ? std::move(configuration->interfaces) : Interfaces();
}

std::vector<ConfigChange> ChangesOf(const ApplyRecord& record) {
  return Diff(ParsePrinted(record.old_interfaces), ParsePrinted(record.new_interfaces));
}

std::vector<ConfigChange> ChangesBack(const ApplyRecord& record) {
  return Diff(ParsePrinted(record.new_interfaces), ParsePrinted(record.old_interfaces));
}

}  // namespace pvebus::network
