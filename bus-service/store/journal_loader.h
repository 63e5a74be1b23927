#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "bus-service/core/event_log.h"
#include "bus-service/core/lost_ranges.h"
#include "bus-service/core/state_log.h"
#include "bus-service/store/id_index.h"
#include "bus-service/store/journal_mark.h"
#include "bus-service/store/journal_tables.h"
#include "bus-service/store/segment_index.h"
#include "bus-service/store/segment_writer.h"

namespace pvebus::bus {

// What a bus must know of its journal before it begins: state, never the whole journal.
struct LoadedJournal {
  JournalState state;
  std::optional<SegmentWriter> segment_writer;
  SegmentIndex segments;
  std::unique_ptr<IdIndex> ids;
  LostRanges lost;
  std::vector<Loss> losses;
  struct LetterKey {
    ListenerId listener = 0;
    uint64_t bytes = 0;
  };
  std::map<uint64_t, LetterKey> dead_letters;
  std::set<ListenerId> dropped_listeners;  // deleted, and some of what waited for them is still here
  std::vector<uint64_t> forgotten_blocks;  // of events that were dropped
  bool unfinished_block = false;           // a crash left buckets of a block that is not there
  bool sealed_ids_left = false;            // ids of segments that are in blocks now are still here
  Sequence sealed_until = 0;               // ids of segments before are in blocks
  Recovery recovery;
  std::vector<JournalProblem> problems;
};

// Reads it, and goes on over what is damaged; that is among the problems then. `mark` is what was committed, as far as is known.
LoadedJournal LoadJournal(JournalTables& tables, const std::optional<Mark>& mark);

}  // namespace pvebus::bus
