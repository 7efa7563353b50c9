#include "rare_lists.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <vector>

namespace thresher {

namespace {

constexpr const char* kOffsets = "rare/offsets";
constexpr const char* kDocs = "rare/docs";
constexpr std::size_t kListsPerTask = 4096;

}  // namespace

void RarePostings::save(SectionList& sections, const std::string& impacts) const {
    sections.add(kDocs, docs_);
    sections.add("rare/" + impacts, impacts_);
}

RarePostings RarePostings::load(const IndexFile& file, const std::string& impacts, std::size_t size) {
    return {file.section<std::uint32_t>(kDocs, size), file.section<std::uint8_t>("rare/" + impacts, size)};
}

RareLists::RareLists(std::span<const std::uint64_t> offsets, std::span<const std::uint32_t> docs,
                     Buffer<std::uint8_t> impacts, std::size_t n_docs)
    : offsets_(AscendingNumbers::build(offsets.size(), docs.size() + 1, [&](std::size_t i) { return offsets[i]; })),
      docs_(PackedNumbers::build(docs.size(), n_docs, [&](std::size_t i) { return docs[i]; })),
      impacts_(std::move(impacts)) {}

RareLists::List RareLists::operator[](std::size_t list) const noexcept {
    const auto docs = docs_.between(offsets_[list], offsets_[list + 1]);
    const std::size_t first = docs.first();
    return {docs, impacts_.items().subspan(first, docs.size())};
}

double RareLists::estimated_nbytes(std::size_t n_lists, double n_postings, std::size_t n_docs) noexcept {
    return AscendingNumbers::estimated_nbytes(static_cast<double>(n_lists) + 1,
                                              static_cast<std::uint64_t>(n_postings) + 1) +
           PackedNumbers::estimated_nbytes(n_postings, n_docs) + n_postings * sizeof(impacts_[0]);
}

void RareLists::save(SectionList& sections, const std::string& impacts) const {
    offsets_.save(sections, kOffsets);
    docs_.save(sections, kDocs);
    sections.add("rare/" + impacts, impacts_);
}

RareLists RareLists::load(const IndexFile& file, std::size_t n_lists, std::size_t n_docs, const std::string& impacts) {
    if (file.has_section(kOffsets)) {  // versions 1 to 3: 64 bits an offset, 32 a document
        const auto offsets = file.section<std::uint64_t>(kOffsets, n_lists + 1);
        const auto docs = file.section<std::uint32_t>(kDocs);
        file.require(std::ranges::is_sorted(offsets.items()) && offsets[n_lists] <= docs.size(),
                     "the rare terms' postings do not lie one behind the other");
        file.require(std::ranges::all_of(docs.items(), [&](std::uint32_t doc) { return doc < n_docs; }),
                     "a rare term's document is beyond the number of documents");
        return {offsets.items(), docs.items(), file.section<std::uint8_t>("rare/" + impacts, docs.size()), n_docs};
    }
    RareLists lists;
    lists.impacts_ = file.section<std::uint8_t>("rare/" + impacts);
    lists.offsets_ = AscendingNumbers::load(file, kOffsets, n_lists + 1, lists.impacts_.size() + 1);
    lists.docs_ = PackedNumbers::load(file, kDocs, lists.impacts_.size(), n_docs);
    return lists;
}

void RareListsBuilder::place() {
    std::uint64_t total = 0;
    for (std::uint64_t& offset : offsets_.items.subspan(1)) total += std::exchange(offset, total);
    docs_ = Filling<std::uint32_t>(static_cast<std::size_t>(total));
    impacts_ = Filling<std::uint8_t>(docs_.items.size());
}

RareLists RareListsBuilder::finish(std::size_t n_docs, unsigned threads, Monitor* monitor) {
    Progress silent(monitor);
    parallel_for_rows(offsets_.items.size() - 1, kListsPerTask, threads, silent,
                      [&](std::size_t begin, std::size_t end, unsigned) {
                          std::vector<std::pair<std::uint32_t, std::uint8_t>> list;
                          for (std::size_t i = begin; i < end; ++i) {
                              const auto first = static_cast<std::size_t>(offsets_.items[i]);
                              const auto size = static_cast<std::size_t>(offsets_.items[i + 1]) - first;
                              const auto docs = docs_.items.subspan(first, size);
                              interruption_point(4 * size);
                              if (std::ranges::is_sorted(docs)) continue;
                              list.clear();
                              for (std::size_t p = 0; p < size; ++p)
                                  list.emplace_back(docs[p], impacts_.items[first + p]);
                              std::sort(list.begin(), list.end(), interruptible(std::less<>{}));
                              for (std::size_t p = 0; p < size; ++p) {
                                  std::tie(docs[p], impacts_.items[first + p]) = list[p];
                              }
                          }
                      });
    return {offsets_.items, docs_.items, std::move(impacts_.buffer), n_docs};
}

}  // namespace thresher
