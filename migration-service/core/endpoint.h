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

// INVALID_ARGUMENT METHOD_INVALID, PATH_INVALID. The path may begin with /api2/<format>/ or with a slash, and have a query or a
// fragment, which do not count. As nginx does for $uri: what is percent-encoded is decoded first, and once ("%2F" is a slash
// between segments, "%2e%2e" is "..", "%252F" is the three characters "%2F", "%3F" is no query); then "//" and "/./" are "/",
// "/x/../" is
// "/", and ".." out of the root is no path. A slash at the end does not count. Proxmox VE decodes the same way. Any thread.
absl::StatusOr<Endpoint> ParseEndpoint(std::string_view method, std::string_view path);

// What paths have in common. Segments between slashes, of letters, digits and -_.~:@+,=
//   nodes      itself
//   network*   all that begins so
//   {node}     any one; {} too
//   **         any number of any, none too
// /api2/<format>/ in front does not count.
class PathPattern {
 public:
  // INVALID_ARGUMENT PATTERN_INVALID.
  static absl::StatusOr<PathPattern> Parse(std::string_view text);

  bool Matches(const std::vector<std::string>& segments) const;
  // A regular expression, the same in PCRE and in ECMAScript, for the paths that match, each segment with its slash in front:
  // "/nodes/[^/]+/network"; of the root it is "". Anchored by who uses it: in PCRE with \z, because '$' also matches before a
  // line feed ("%0A") at the end.
  std::string ToRegex() const;
  const std::string& text() const { return text_; }

  bool operator==(const PathPattern& other) const { return text_ == other.text_; }

 private:
  struct Segment {
    enum class Kind { kExact, kPrefix, kAny, kAnyNumber };
    Kind kind = Kind::kExact;
    std::string text;  // without the '*' of a beginning

    bool Matches(std::string_view segment) const;
  };
  // Nothing when it is none.
  static std::optional<Segment> ParseSegment(std::string_view part);

  std::string text_;
  std::vector<Segment> segments_;
};

}  // namespace pvebus::migration
