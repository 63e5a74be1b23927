#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "network-service/core/diagnostic.h"
#include "network-service/core/interfaces_lines.h"
#include "network-service/core/stanza.h"

namespace pvebus::network {

// What a source or source-directory line asks for.
struct SourceRequest {
  Place place;
  std::vector<std::string> paths;  // as written
  bool folder = false;
};

// Understands the lines of a configuration one after the other, and gathers stanzas and which interfaces come up at boot. One
// thread; `diagnostics` must outlive it.
class StanzaCollector {
 public:
  explicit StanzaCollector(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  // When the line asks for other files, which; it is for the caller to read them before the next line.
  std::optional<SourceRequest> Take(const std::string& file, const InterfacesLine& line);
  // A stanza does not go on in another file.
  void EndFile() { current_ = nullptr; }

  // Of each interface its stanzas in their order, those that are there twice left out.
  std::map<std::string, std::vector<Stanza>, std::less<>> TakeStanzas();
  // Where each interface that comes up at boot is said to.
  const std::map<std::string, Place, std::less<>>& enabled() const { return enabled_; }
  // Those of them that are said to by `auto`: to ifupdown2 all other words are classes.
  const std::set<std::string, std::less<>>& automatic() const { return automatic_; }

 private:
  // " (did you mean ...?)" of an unknown word, as a keyword or as an option; empty: neither is plausible.
  struct Guess {
    std::string keyword;
    std::string option;
  };

  void TakeAuto(const Place& place, const std::vector<std::string_view>& words);
  void TakeIface(const Place& place, const std::vector<std::string_view>& words);
  std::optional<SourceRequest> TakeSource(const Place& place, const std::vector<std::string_view>& words);
  void TakeOption(const Place& place, const InterfacesLine& line, std::string_view word);
  const Guess& GuessAt(const std::string& name);
  void RefuseUnknownKeyword(const Place& place, std::string_view word);
  bool ReadFamilyAndMethod(Stanza& stanza, const std::vector<std::string_view>& words);

  Diagnostics& diagnostics_;
  std::vector<Stanza> stanzas_;
  std::map<std::string, Place, std::less<>> enabled_;
  std::set<std::string, std::less<>> automatic_;
  std::optional<Stanza> refused_;  // its options are read, and forgotten
  Stanza* current_ = nullptr;      // the last of stanzas_, or refused_; null: an option belongs to none
  bool warned_of_blank_line_ = false;
  std::map<std::string, Guess, std::less<>> guesses_;  // by unknown word
};

}  // namespace pvebus::network
