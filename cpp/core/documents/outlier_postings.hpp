// Postings apart: those few that weigh so much more than all else that 8-bit impacts must not be scaled by them.
//
// A term's step follows its heaviest posting. One weight a thousand times the others would leave these an impact of 1,
// and make a query's integers so coarse that nothing can be told from them. A handful of postings a term at most are
// apart; their impacts stand for less than they weigh, and integer scores and bounds say nothing about the documents
// that have them. A search scores those of the query's terms in full precision before all else, and comes to them no
// more (Wanted::apart). Outliers in full precision beside a narrow quantisation: Dettmers et al., *LLM.int8()*, NeurIPS
// 2022. Cost: none where there are none, as in all collections of encoders that we know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "../base/buffer.hpp"
#include "../storage/index_file.hpp"

#include "slot_query.hpp"

namespace thresher {

class OutlierPostings {
  public:
    struct Posting {
        std::uint32_t slot;
        std::uint32_t position;  // of the document
    };

    OutlierPostings() = default;
    // In any order, none twice.
    explicit OutlierPostings(std::vector<Posting> postings);

    bool empty() const noexcept { return slots_.size() == 0; }
    std::size_t size() const noexcept { return slots_.size(); }
    // The positions of the documents that have one of a query's terms apart, ascending, into `positions` (overwritten).
    void find(const SlotQuery& query, std::vector<std::uint32_t>& positions) const;

    std::size_t nbytes() const noexcept { return slots_.nbytes() + positions_.nbytes(); }
    // No sections where there are none.
    void save(SectionList& sections) const;
    static OutlierPostings load(const IndexFile& file, std::size_t n_slots, std::size_t n_docs);

  private:
    Buffer<std::uint32_t> slots_;      // ascending
    Buffer<std::uint32_t> positions_;  // of each posting, ascending within a slot
};

}  // namespace thresher
