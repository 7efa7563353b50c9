#include "rare_lists.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <vector>

namespace thresher {

namespace {

constexpr std::size_t kListsPerTask = 4096;

}  // namespace

RarePostings::List RarePostings::between(std::uint64_t begin, std::uint64_t end) const noexcept {
    const auto last = static_cast<std::size_t>(std::min<std::uint64_t>(end, docs_.size()));
    const auto first = static_cast<std::size_t>(std::min<std::uint64_t>(begin, last));
    return {docs_.items().subspan(first, last - first), impacts_.items().subspan(first, last - first)};
}

void RarePostings::save(SectionList& sections, const std::string& impacts) const {
    sections.add("rare/docs", docs_);
    sections.add("rare/" + impacts, impacts_);
}

RarePostings RarePostings::load(const IndexFile& file, const std::string& impacts, std::optional<std::size_t> size) {
    auto docs = size ? file.section<std::uint32_t>("rare/docs", *size) : file.section<std::uint32_t>("rare/docs");
    auto of_docs = file.section<std::uint8_t>("rare/" + impacts, docs.size());
    return {std::move(docs), std::move(of_docs)};
}

void RareListsBuilder::place() {
    std::uint64_t total = 0;
    for (std::uint64_t& offset : offsets_.items.subspan(1)) total += std::exchange(offset, total);
    docs_ = Filling<std::uint32_t>(static_cast<std::size_t>(total));
    impacts_ = Filling<std::uint8_t>(docs_.items.size());
}

RareLists RareListsBuilder::finish(unsigned threads, Monitor* monitor) {
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
    RareLists lists;
    lists.offsets_ = std::move(offsets_.buffer);
    lists.postings_ = {std::move(docs_.buffer), std::move(impacts_.buffer)};
    return lists;
}

void RareLists::save(SectionList& sections, const std::string& impacts) const {
    sections.add("rare/offsets", offsets_);
    postings_.save(sections, impacts);
}

RareLists RareLists::load(const IndexFile& file, std::size_t n_lists, const std::string& impacts) {
    RareLists lists;
    lists.offsets_ = file.section<std::uint64_t>("rare/offsets", n_lists + 1);
    lists.postings_ = RarePostings::load(file, impacts);
    return lists;
}

}  // namespace thresher
