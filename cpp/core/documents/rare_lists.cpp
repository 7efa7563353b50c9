#include "rare_lists.hpp"

#include <algorithm>
#include <numeric>

#include "../base/interruption.hpp"

namespace thresher {

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

RareLists RareLists::build(std::size_t n_lists, std::vector<std::vector<Posting>>& parts) {
    Filling<std::uint64_t> offsets(n_lists + 1);
    for (const auto& part : parts) {
        interruption_point(2 * part.size());
        for (const Posting& posting : part) ++offsets.items[posting.list + 1];
    }
    std::partial_sum(offsets.items.begin(), offsets.items.end(), offsets.items.begin());
    Filling<std::uint32_t> docs(static_cast<std::size_t>(offsets.items.back()));
    Filling<std::uint8_t> impacts(docs.items.size());
    std::vector<std::uint64_t> next(offsets.items.begin(), offsets.items.end() - 1);
    for (auto& part : parts) {
        interruption_point(4 * part.size());
        for (const auto& [list, doc, impact] : part) {
            const auto p = static_cast<std::size_t>(next[list]++);
            docs.items[p] = doc;
            impacts.items[p] = impact;
        }
        part = {};
    }
    RareLists lists;
    lists.offsets_ = std::move(offsets.buffer);
    lists.postings_ = {std::move(docs.buffer), std::move(impacts.buffer)};
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
