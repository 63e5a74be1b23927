#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace pvebus::migration {

// A call of the node's API, in the one form that all its spellings have: as nginx's $uri, without /api2/<format>/.
struct Endpoint {
  std::string method;                 // upper case
  std::vector<std::string> segments;  // "nodes", "pve1", "network"; of the API's root none
  bool is_read = false;               // GET, HEAD: it changes nothing, whoever answers it

  // "nodes/pve1/network"
  std::string path() const;
};

// INVALID_ARGUMENT METHOD_INVALID, PATH_INVALID. The path may begin with /api2/<format>/ or with a slash, and have a query; what is
// percent-encoded is decoded, "//" and "/./" are "/", "/x/../" is "/". Any thread.
absl::StatusOr<Endpoint> ParseEndpoint(std::string_view method, std::string_view path);

// What paths have in common. Segments between slashes:
//   nodes      itself
//   network*   all that begins so
//   {node}     any one
//   **         any number of any, none too
class PathPattern {
 public:
  // INVALID_ARGUMENT PATTERN_INVALID.
  static absl::StatusOr<PathPattern> Parse(std::string_view text);

  bool Matches(const std::vector<std::string>& segments) const;
  // A regular expression of PCRE that matches the same paths: "nodes/[^/]+/network". Anchored by who uses it.
  std::string ToRegex() const;
  const std::string& text() const { return text_; }

  bool operator==(const PathPattern& other) const { return text_ == other.text_; }

 private:
  struct Segment {
    enum class Kind { kExact, kPrefix, kAny, kAnyNumber };
    Kind kind = Kind::kExact;
    std::string text;
  };

  std::string text_;
  std::vector<Segment> segments_;
};

}  // namespace pvebus::migration
