#pragma once

#include <map>
#include <vector>

#include "bus-service/core/registry.h"

namespace pvebus::bus {

// Makes the rows of publications again from what a journal kept: who matched follows from what each listener wanted then, how it
// ended from its progress and its deliveries. Publications ascending. One thread.
class RowRecovery {
 public:
  // Requires: the registry knows exactly these listeners, and both outlive this.
  RowRecovery(const Registry& registry, const std::vector<Recovery::Listener>& kept);

  void Rebuild(Publication& publication, Ledger& ledger);

 private:
  struct Source {
    const Recovery::Listener* kept;
    const std::shared_ptr<Subscription>* subscription;
    struct Wish {
      Sequence after;
      uint32_t event_types;
      Filter filter;
    };
    std::vector<Wish> wishes;
    size_t wish = 0;      // the one in force
    size_t delivery = 0;  // the next one to be looked at
    std::map<std::string, std::shared_ptr<const std::string>> instances;
  };

  static bool Matched(Source& source, const Event& event);
  static void Fill(Source& source, Publication& publication, ListenerRow& row, Ledger& ledger);

  std::vector<Source> sources_;  // by name
};

}  // namespace pvebus::bus
