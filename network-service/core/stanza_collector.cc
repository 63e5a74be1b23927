#include "network-service/core/stanza_collector.h"

#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/option_names.h"
#include "sdk/base/nearest.h"

namespace pvebus::network {
namespace {

// Of different unknown words: guessing takes long, and nobody makes more slips.
constexpr size_t kMostGuesses = 1000;

bool MeansEnabled(std::string_view keyword) { return keyword == "auto" || keyword == "allow-auto" || keyword == "allow-hotplug"; }

}  // namespace

std::optional<SourceRequest> StanzaCollector::Take(const std::string& file, const InterfacesLine& line) {
  const std::vector<std::string_view> words = Words(line.text);
  const Place place{file, line.number};
  const std::string_view word = words.front();
  if (!IsKeyword(word)) {
    TakeOption(place, line, word);
    return std::nullopt;
  }
  current_ = nullptr;
  if (word == "iface") {
    TakeIface(place, words);
  } else if (word == "source" || word == "source-directory") {
    return TakeSource(place, words);
  } else {
    TakeAuto(place, words);
  }
  return std::nullopt;
}

void StanzaCollector::TakeAuto(const Place& place, const std::vector<std::string_view>& words) {
  if (words.size() < 2) {
    diagnostics_.Error(place,
                       absl::StrFormat("%s names no interface; write the name behind it, in the same line", Quoted(words[0])));
    return;
  }
  for (size_t i = 1; i < words.size(); ++i) {
    if (std::string why = WhyNoInterfaceName(words[i]); !why.empty()) {
      diagnostics_.Error(place, std::move(why));
    } else if (MeansEnabled(words[0])) {
      enabled_.try_emplace(std::string(words[i]), place);
      if (words[0] == "auto") automatic_.emplace(words[i]);
    }
  }
}

void StanzaCollector::TakeIface(const Place& place, const std::vector<std::string_view>& words) {
  refused_.emplace();
  current_ = &*refused_;
  warned_of_blank_line_ = false;
  if (words.size() < 2) {
    diagnostics_.Error(place, "'iface' names no interface; write 'iface NAME inet static', or another family and method");
    return;
  }
  if (std::string why = WhyNoInterfaceName(words[1]); !why.empty()) {
    diagnostics_.Error(place, std::move(why));
    return;
  }
  Stanza stanza{.name = std::string(words[1]), .place = place};
  if (ReadFamilyAndMethod(stanza, words)) {
    stanzas_.push_back(std::move(stanza));
    current_ = &stanzas_.back();
  }
}

bool StanzaCollector::ReadFamilyAndMethod(Stanza& stanza, const std::vector<std::string_view>& words) {
  if (words.size() == 2) return true;
  if (words[2] != "inet" && words[2] != "inet6") {
    diagnostics_.Error(stanza.place, absl::StrFormat("%s is no address family; there are inet and inet6", Quoted(words[2])));
    return false;
  }
  stanza.family = words[2] == "inet" ? Stanza::Family::kInet : Stanza::Family::kInet6;
  if (words.size() == 3) {
    diagnostics_.Error(stanza.place, absl::StrFormat("the method is missing behind %s; there are: %s", Quoted(words[2]),
                                                     MethodsOf(stanza.family)));
    return false;
  }
  const auto method = ParseMethod(stanza.family, words[3]);
  if (!method) {
    diagnostics_.Error(stanza.place, absl::StrFormat("%s has no method %s; there are: %s", words[2], Quoted(words[3]),
                                                     MethodsOf(stanza.family)));
    return false;
  }
  stanza.method = *method;
  if (words.size() > 4) {
    diagnostics_.Warn(stanza.place, absl::StrFormat("what follows the method is ignored: %s%s", Quoted(words[4]),
                                                    words[4].starts_with('#') ? "; a comment needs a line of its own" : ""));
  }
  return true;
}

std::optional<SourceRequest> StanzaCollector::TakeSource(const Place& place, const std::vector<std::string_view>& words) {
  const bool folder = words[0] == "source-directory";
  if (words.size() < 2) {
    diagnostics_.Error(place, absl::StrFormat("'%s' names no %s", words[0], folder ? "folder" : "file"));
    return std::nullopt;
  }
  return SourceRequest{place, {words.begin() + 1, words.end()}, folder};
}

// In a stanza every line that begins with no keyword is an option, so a keyword's slip of the keyboard has to be guessed.
const StanzaCollector::Guess& StanzaCollector::GuessAt(const std::string& name) {
  static const auto& none = *new Guess();
  if (IsKnownOption(name)) return none;
  const auto known = guesses_.find(name);
  if (known != guesses_.end()) return known->second;
  if (guesses_.size() >= kMostGuesses) return none;
  Guess guess{.keyword = KeywordMeantBy(name)};
  if (guess.keyword.empty()) guess.option = DidYouMean(name, KnownOptions());
  return guesses_.emplace(name, std::move(guess)).first->second;
}

void StanzaCollector::RefuseUnknownKeyword(const Place& place, std::string_view word) {
  diagnostics_.Error(place, absl::StrFormat("unknown keyword %s%s; there are: auto, allow-auto, allow-hotplug, iface, source, "
                                            "source-directory",
                                            Quoted(word), GuessAt(CanonicalOptionName(word)).keyword));
  // What follows belongs to it, so that one slip is one error.
  refused_.emplace();
  current_ = &*refused_;
}

void StanzaCollector::TakeOption(const Place& place, const InterfacesLine& line, std::string_view word) {
  std::string name = CanonicalOptionName(word);
  const Guess& guess = GuessAt(name);
  if (IsKeyword(name) || IsForeignKeyword(name) || !guess.keyword.empty()) return RefuseUnknownKeyword(place, word);
  if (current_ == nullptr) {
    if (!IsKnownOption(name)) return RefuseUnknownKeyword(place, word);
    diagnostics_.Error(place,
                       absl::StrFormat("option %s stands before any stanza; it belongs below an 'iface' line", Quoted(word)));
    return;
  }
  const std::string_view value = AfterFirstWord(line.text);
  if (value.empty()) {
    diagnostics_.Error(place, absl::StrFormat("option %s has no value", Quoted(word)));
    return;
  }
  if (line.after_blank_line && !std::exchange(warned_of_blank_line_, true)) {
    diagnostics_.Warn(place,
                      absl::StrFormat("option %s stands behind an empty line, where the stanza ends for Proxmox VE; remove the "
                                      "empty line",
                                      Quoted(word)));
  }
  if (!guess.option.empty()) {
    diagnostics_.Warn(place, absl::StrFormat("option %s is not known%s", Quoted(word), guess.option));
  }
  current_->options.push_back({std::move(name), WithSingleBlanks(value), line.number});
}

std::map<std::string, std::vector<Stanza>, std::less<>> StanzaCollector::TakeStanzas() {
  std::map<std::string, std::vector<Stanza>, std::less<>> by_name;
  std::set<std::string> known;
  for (Stanza& stanza : stanzas_) {
    if (!known.insert(FingerprintOf(stanza)).second) {
      diagnostics_.Warn(stanza.place,
                        absl::StrFormat("the stanza of %s is there twice; this one is left out", Quoted(stanza.name)));
      continue;
    }
    by_name[stanza.name].push_back(std::move(stanza));
  }
  stanzas_.clear();
  current_ = nullptr;
  return by_name;
}

}  // namespace pvebus::network
