#include "packing.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "../../kernels/kernels.hpp"
#include "../base/interruption.hpp"

namespace thresher {

namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kMaxCode = 255;
constexpr std::size_t kMaxOverlap = 65535;
// Terms of a document that count: those that contribute most.
constexpr std::size_t kMaxTerms = 256;
// A term has a row if at least one in so many documents has it.
constexpr std::size_t kRowShare = 16;
// Codes reach to this many times the median, over documents, of the greatest contribution: no outlier sets the scale.
constexpr double kHeadroom = 2;
constexpr std::size_t kScaledBy = 256;  // documents, about

// Documents of the sample that mean weights are taken from, at most.
constexpr std::size_t kSampled = 1 << 17;
// Weights count up to 2 to this power times their geometric mean, about.
constexpr std::uint32_t kMaxExponent = 6;

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) noexcept {
    return (n + multiple - 1) / multiple * multiple;
}

// Calls visit(postings) for every document of a sample.
template <class Visit>
void for_each_sampled(const PostingSource& documents, const Visit& visit) {
    std::vector<Posting> postings;
    const std::size_t step = documents.n / kSampled + 1;
    for (std::size_t doc = 0; doc < documents.n; doc += step) {
        documents.read(doc, postings);
        visit(std::span<const Posting>(postings));
    }
}

}  // namespace

ExpectedContributions ExpectedContributions::of(const PostingSource& documents, std::uint32_t n_slots) {
    // The mean of patterns, read as a float, is near the geometric mean, and no outlier moves it far.
    std::uint64_t sum = 0;
    std::uint64_t n = 0;
    for_each_sampled(documents, [&](std::span<const Posting> postings) {
        for (const Posting& posting : postings) sum += std::bit_cast<std::uint32_t>(posting.weight);
        n += postings.size();
    });
    const std::uint64_t most = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::max());
    const std::uint64_t pattern = n == 0 ? 0 : sum / n + (std::uint64_t{kMaxExponent} << 23);
    ExpectedContributions expected;
    expected.max_weight = std::bit_cast<float>(static_cast<std::uint32_t>(std::min(pattern, most)));

    std::vector<double> sums(n_slots);
    double max = 0;
    for_each_sampled(documents, [&](std::span<const Posting> postings) {
        for (const auto& [slot, weight] : postings) {
            sums[slot] += static_cast<double>(std::min(weight, expected.max_weight));
            max = std::max(max, sums[slot]);
        }
    });
    expected.weights.resize(n_slots);
    const double unit = max * static_cast<double>(expected.max_weight);
    for (std::size_t slot = 0; slot < n_slots; ++slot) {
        expected.weights[slot] = unit > 0 ? static_cast<float>(sums[slot] / unit) : 0.0F;
    }
    return expected;
}

float ExpectedContributions::of(const Posting& posting) const noexcept {
    return std::min(posting.weight, max_weight) * weights[posting.slot];
}

void Packer::pack(std::span<std::uint32_t> docs) {
    if (docs.empty()) return;
    quantise(docs);
    sort_lanes();
    lay_out();
    packed_.clear();
    std::size_t left = 0;  // the first lane that is
    while (packed_.size() < docs.size()) {
        const std::size_t begin = packed_.size();
        const std::size_t end = std::min(begin + block_size_, docs.size());
        while (packed_.size() < end) {
            while (taken_[left]) ++left;
            const std::size_t lane = packed_.size() == begin ? left : best_lane(left);
            take(lane);
            if (packed_.size() < end) cover(lane, left);
        }
        end_block(begin);
    }
    for (std::uint32_t& lane : packed_) lane = docs[lanes_[lane]];
    std::copy(packed_.begin(), packed_.end(), docs.begin());
    for (const Term& term : terms_) term_of_slot_[term.slot] = kNone;
}

// The contributions of a document, the greatest if there are many.
void Packer::read(std::uint32_t doc) {
    documents_.read(doc, contributions_);
    for (Posting& posting : contributions_) posting.weight = expected_.of(posting);
    if (contributions_.size() <= kMaxTerms) return;
    std::nth_element(contributions_.begin(), contributions_.begin() + kMaxTerms, contributions_.end(),
                     [](const Posting& a, const Posting& b) {
                         return a.weight != b.weight ? a.weight > b.weight : a.slot < b.slot;
                     });
    contributions_.resize(kMaxTerms);
}

// By some of the documents.
double Packer::codes_per_unit(std::span<const std::uint32_t> docs) {
    std::vector<float> heaviest;
    for (std::size_t i = 0; i < docs.size(); i += docs.size() / kScaledBy + 1) {
        read(docs[i]);
        float max = 0;
        for (const Posting& posting : contributions_) max = std::max(max, posting.weight);
        heaviest.push_back(max);
    }
    std::sort(heaviest.begin(), heaviest.end());
    double max = kHeadroom * static_cast<double>(heaviest[heaviest.size() / 2]);
    if (!(max > 0)) max = static_cast<double>(heaviest.back());
    return max > 0 ? kMaxCode / max : 0;
}

// Numbers the terms, and makes codes of contributions.
void Packer::quantise(std::span<const std::uint32_t> docs) {
    const double scale = codes_per_unit(docs);
    term_of_slot_.resize(expected_.weights.size(), kNone);
    terms_.clear();
    codes_.clear();
    offsets_.assign(1, 0);
    own_.clear();
    for (const std::uint32_t doc : docs) {
        read(doc);
        std::uint32_t own = 0;
        for (const auto& [slot, weight] : contributions_) {
            const double code = std::min(static_cast<double>(weight) * scale + 0.5, double{kMaxCode});
            if (code < 1) continue;
            std::uint32_t& term = term_of_slot_[slot];
            if (term == kNone) {
                term = static_cast<std::uint32_t>(terms_.size());
                terms_.push_back({slot, 0, kNone, 0, 0, 0});
            }
            ++terms_[term].n_docs;
            codes_.push_back({term & 0xFFFFFFU, static_cast<std::uint32_t>(code) & 0xFFU});
            own += codes_.back().code;
        }
        offsets_.push_back(codes_.size());
        own_.push_back(own);
    }
}

// The heaviest documents first.
void Packer::sort_lanes() {
    const std::size_t n = own_.size();
    lanes_.resize(n);
    std::iota(lanes_.begin(), lanes_.end(), 0U);
    std::stable_sort(lanes_.begin(), lanes_.end(), [&](std::uint32_t a, std::uint32_t b) { return own_[a] > own_[b]; });
    const std::size_t n_lanes = round_up(n, kernels::kLanes);
    overlaps_.assign(n_lanes, 0);
    inverses_.assign(n_lanes, 0);
    taken_.assign(n_lanes, false);
    for (std::size_t lane = 0; lane < n; ++lane) {
        const std::size_t own = std::min<std::size_t>(own_[lanes_[lane]], kMaxOverlap);
        if (own > 0) inverses_[lane] = 1 / static_cast<float>(own);
    }
}

// Rows of the frequent terms, and lists of the others but for those that a single document has.
void Packer::lay_out() {
    const std::size_t n = own_.size();
    n_rows_ = 0;
    std::uint32_t n_listed = 0;
    for (Term& term : terms_) {
        if (term.n_docs * kRowShare >= n) {
            term.row = static_cast<std::uint32_t>(n_rows_++);
        } else if (term.n_docs > 1) {
            term.begin = term.end = n_listed;
            n_listed += term.n_docs;
        }
    }
    rows_.assign(n_rows_ * overlaps_.size(), 0);
    listed_lanes_.resize(n_listed);
    listed_codes_.resize(n_listed);
    for (std::size_t lane = 0; lane < n; ++lane) {
        const auto codes = codes_of(lane);
        interruption_point(4 * codes.size());
        std::uint8_t* const tile = rows_.data() + lane / kernels::kLanes * n_rows_ * kernels::kLanes;
        for (const auto& [of, code] : codes) {
            Term& term = terms_[of];
            if (term.row != kNone) {
                tile[term.row * kernels::kLanes + lane % kernels::kLanes] = static_cast<std::uint8_t>(code);
            } else if (term.n_docs > 1) {
                listed_lanes_[term.end] = static_cast<std::uint16_t>(lane);
                listed_codes_[term.end++] = static_cast<std::uint8_t>(code);
            }
        }
    }
}

std::span<const Packer::Code> Packer::codes_of(std::size_t lane) const noexcept {
    const std::size_t begin = offsets_[lanes_[lane]];
    return {codes_.data() + begin, offsets_[lanes_[lane] + 1] - begin};
}

void Packer::take(std::size_t lane) {
    taken_[lane] = true;
    inverses_[lane] = 0;
    packed_.push_back(static_cast<std::uint32_t>(lane));
}

// The one that raises the block's bound least, of those from lane `left` on; if none overlaps, the heaviest.
std::size_t Packer::best_lane(std::size_t left) const noexcept {
    const std::size_t first = left / kernels::kLanes * kernels::kLanes;
    const std::size_t n = overlaps_.size() - first;
    const std::size_t best = kernels::active().best_overlap(overlaps_.data() + first, inverses_.data() + first, n);
    return best < n ? first + best : left;
}

// Raises the block's maxima to what the document in `lane` has, and the overlaps of those from lane `left` on.
void Packer::cover(std::size_t lane, std::size_t left) {
    raised_rows_.clear();
    floors_.clear();
    rises_.clear();
    for (const auto& [of, code] : codes_of(lane)) {
        Term& term = terms_[of];
        if (code <= term.max) continue;
        if (term.row != kNone) {
            raised_rows_.push_back(term.row);
            floors_.push_back(static_cast<std::uint8_t>(term.max));
            rises_.push_back(static_cast<std::uint8_t>(code - term.max));
        }
        for (std::size_t i = term.begin; i < term.end; ++i) {
            const std::uint32_t other = listed_codes_[i];
            std::uint16_t& overlap = overlaps_[listed_lanes_[i]];
            const std::uint32_t risen = overlap + std::min<std::uint32_t>(other, code) - std::min(other, term.max);
            overlap = static_cast<std::uint16_t>(std::min<std::uint32_t>(risen, kMaxOverlap));
        }
        term.max = code;
    }
    const std::size_t tile = left / kernels::kLanes;
    const std::size_t n_tiles = overlaps_.size() / kernels::kLanes - tile;
    interruption_point(2 * n_tiles * raised_rows_.size());
    kernels::active().add_overlaps(rows_.data() + tile * n_rows_ * kernels::kLanes, n_rows_, raised_rows_.data(),
                                   floors_.data(), rises_.data(), raised_rows_.size(), n_tiles,
                                   overlaps_.data() + tile * kernels::kLanes);
}

void Packer::end_block(std::size_t begin) {
    for (std::size_t i = begin; i < packed_.size(); ++i) {
        for (const Code& code : codes_of(packed_[i])) terms_[code.term].max = 0;
    }
    std::fill(overlaps_.begin(), overlaps_.end(), std::uint16_t{0});
}

}  // namespace thresher
