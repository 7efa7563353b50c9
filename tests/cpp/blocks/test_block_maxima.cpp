// Block maxima: never below a member's weight, and no higher than the largest member's code.
#include "core/blocks/block_maxima.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "support/document_parts.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;
using test::TemporaryDirectory;

struct Built : test::DocumentParts {
    using DocumentParts::DocumentParts;
    BlockMaxima maxima(std::uint32_t block_size, std::uint32_t n_rows, unsigned threads = 1) const {
        Progress progress = test::silent();
        return BlockMaxima::build(forward, quantiser, block_size, n_rows, threads, progress);
    }
    BlockMaxima means(std::uint32_t block_size, std::uint32_t n_rows, unsigned threads = 1) const {
        Progress progress = test::silent();
        return BlockMaxima::build_means(forward, quantiser, block_size, n_rows, threads, progress);
    }
};

std::vector<std::uint8_t> row_bytes(const BlockMaxima& maxima, std::uint32_t row) {
    return {maxima.row(row), maxima.row(row) + maxima.n_superblocks() * kernels::kSuperblock / 2};
}

void expect_tight_bounds(const Built& built, std::uint32_t block_size, std::uint32_t n_rows) {
    const std::size_t n_docs = built.forward.n_docs();
    const BlockMaxima maxima = built.maxima(block_size, n_rows);
    ASSERT_EQ(maxima.block_size(), block_size);
    ASSERT_EQ(maxima.n_rows(), n_rows);
    ASSERT_EQ(maxima.n_blocks(), (n_docs + block_size - 1) / block_size);
    ASSERT_EQ(maxima.n_superblocks(), (maxima.n_blocks() + 127) / 128);
    const std::size_t padded = maxima.n_superblocks() * kernels::kSuperblock;
    std::vector<std::vector<unsigned>> expected(n_rows, std::vector<unsigned>(padded));
    std::vector<Posting> postings;
    for (std::size_t doc = 0; doc < n_docs; ++doc) {
        built.forward.read(doc, postings);
        for (const auto& [slot, given] : postings) {
            if (slot >= n_rows) continue;
            const float weight = std::min(given, built.quantiser.largest(slot));  // maxima leave out what is apart
            const std::uint32_t code = maxima.code(slot, doc / block_size);
            ASSERT_GE(17 * code * built.quantiser.step(slot), static_cast<double>(weight) * (1 - 1e-15));
            auto& max = expected[slot][doc / block_size];
            max = std::max(max, (built.quantiser.ceiling(slot, weight) + 16U) / 17U);
        }
    }
    for (std::uint32_t row = 0; row < n_rows; ++row) {
        for (std::size_t block = 0; block < padded; ++block) {
            ASSERT_EQ(maxima.code(row, block), expected[row][block]) << "row " << row << " block " << block;
            const unsigned both = maxima.row(row)[block / 32 * 16 + block % 16];
            ASSERT_EQ(block % 32 < 16 ? both % 16 : both / 16, expected[row][block]) << "in the kernels' order";
        }
    }
}

TEST(BlockMaxima, CodesCoverEveryImpact) {
    EXPECT_EQ(BlockMaxima::code_of(0), 0U);
    for (unsigned impact = 1; impact <= 255; ++impact) {
        const unsigned code = BlockMaxima::code_of(static_cast<std::uint8_t>(impact));
        EXPECT_GE(17 * code, impact);
        EXPECT_LT(17 * (code - 1), impact);
        EXPECT_LE(code, 15U);
    }
}

TEST(BlockMaxima, AreTheCodesOfTheLargestMembers) {
    Random random(1);
    for (const std::size_t n_docs : {1, 3, 4, 5, 127, 512, 513, 3000}) {
        const Built built(test::random_rows(random, n_docs, 60, 8, test::real_weight));
        const std::uint32_t n_slots = built.vocabulary.n_slots();
        for (const std::uint32_t block_size : {4U, 8U, 16U, 32U, 64U, 512U}) {
            for (const std::uint32_t n_rows : {0U, n_slots / 2, n_slots}) {
                ASSERT_NO_FATAL_FAILURE(expect_tight_bounds(built, block_size, n_rows))
                    << n_docs << " documents in blocks of " << block_size;
            }
        }
    }
}

// Of the term's impacts in a block, to the power of 8: in double precision, so that the code may be one off where the
// mean is halfway between two.
double power_mean(const std::vector<double>& impacts, std::uint32_t block_size) {
    double sum = 0;
    for (const double impact : impacts) sum += std::pow(impact, 8);
    return std::pow(sum / block_size, 1.0 / 8);
}

TEST(BlockMaxima, OrPowerMeansOfTheMembers) {
    Random random(5);
    for (const std::size_t n_docs : {1, 5, 127, 2000, 9000}) {
        const Built built(test::random_rows(random, n_docs, 60, 8, test::real_weight));
        const std::uint32_t n_rows = built.vocabulary.n_slots() * 2 / 3;
        for (const std::uint32_t block_size : {4U, 128U, 512U}) {
            const BlockMaxima means = built.means(block_size, n_rows);
            ASSERT_EQ(means.n_blocks(), (n_docs + block_size - 1) / block_size);
            ASSERT_EQ(means.n_rows(), n_rows);
            const std::size_t padded = means.n_superblocks() * kernels::kSuperblock;
            std::vector<std::vector<std::vector<double>>> impacts(n_rows, std::vector<std::vector<double>>(padded));
            std::vector<Posting> postings;
            for (std::size_t doc = 0; doc < n_docs; ++doc) {
                built.forward.read(doc, postings);
                for (const auto& [slot, weight] : postings) {
                    if (slot < n_rows) impacts[slot][doc / block_size].push_back(built.quantiser.ceiling(slot, weight));
                }
            }
            for (std::uint32_t row = 0; row < n_rows; ++row) {
                for (std::size_t block = 0; block < padded; ++block) {
                    const auto& of_block = impacts[row][block];
                    const double expected = power_mean(of_block, block_size) / 17;
                    const unsigned code = means.code(row, block);
                    ASSERT_EQ(code == 0, of_block.empty()) << "row " << row << " block " << block;
                    ASSERT_LE(code, 15U);
                    if (code == 0) continue;
                    ASSERT_LT(expected, code + 0.5 + 1e-4) << "row " << row << " block " << block;
                    ASSERT_TRUE(code == 1 || expected > code - 0.5 - 1e-4) << "row " << row << " block " << block;
                }
            }
            for (unsigned threads = 2; threads <= 3; ++threads) {
                const BlockMaxima again = built.means(block_size, n_rows, threads);
                for (std::uint32_t row = 0; row < n_rows; ++row)
                    ASSERT_EQ(row_bytes(again, row), row_bytes(means, row));
            }
        }
    }
}

TEST(BlockMaxima, BoundWeightsOfEveryMagnitude) {
    Random random(2);
    const auto any = [](Random& source) {
        return std::ldexp(static_cast<float>(1 + test::unit(source)),
                          static_cast<int>(test::uniform(source, -149, 126)));
    };
    const Built built(test::random_rows(random, 700, 40, 8, any));
    expect_tight_bounds(built, 4, built.vocabulary.n_slots());
    const auto subnormal = [](Random& source) {
        return static_cast<float>(test::uniform(source, 1, 1000)) * std::numeric_limits<float>::denorm_min();
    };
    const Built tiny(test::random_rows(random, 700, 40, 8, subnormal));
    expect_tight_bounds(tiny, 8, tiny.vocabulary.n_slots());
}

TEST(BlockMaxima, OfNoDocuments) {
    const Built built(test::rows_of(5, {}));
    const BlockMaxima maxima = built.maxima(4, 0);
    EXPECT_EQ(maxima.n_blocks(), 0U);
    EXPECT_EQ(maxima.n_superblocks(), 0U);
}

TEST(BlockMaxima, DoNotDependOnTheNumberOfThreads) {
    Random random(3);
    const Built built(test::random_rows(random, 5000, 100, 8, test::real_weight));
    const std::uint32_t n_slots = built.vocabulary.n_slots();
    const BlockMaxima one = built.maxima(4, n_slots);
    for (unsigned threads = 2; threads <= 4; ++threads) {
        const BlockMaxima many = built.maxima(4, n_slots, threads);
        for (std::uint32_t row = 0; row < n_slots; ++row) ASSERT_EQ(row_bytes(many, row), row_bytes(one, row));
    }
}

TEST(BlockMaxima, GoThroughAFile) {
    Random random(4);
    const Built built(test::random_rows(random, 3000, 60, 8, test::real_weight));
    const std::uint32_t n_slots = built.vocabulary.n_slots();
    const BlockMaxima fine = built.maxima(4, n_slots);
    const BlockMaxima coarse = built.maxima(512, n_slots / 2);
    Parameters counts;
    SectionList sections;
    fine.save("fine", counts, sections);
    coarse.save("coarse", counts, sections);
    const TemporaryDirectory directory;
    write_index_file(directory.path("f"), "test", counts, sections, nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    const auto expect_same = [](const BlockMaxima& loaded, const BlockMaxima& saved) {
        ASSERT_EQ(loaded.block_size(), saved.block_size());
        ASSERT_EQ(loaded.n_blocks(), saved.n_blocks());
        ASSERT_EQ(loaded.n_rows(), saved.n_rows());
        ASSERT_EQ(loaded.nbytes(), saved.nbytes());
        for (std::uint32_t row = 0; row < saved.n_rows(); ++row)
            ASSERT_EQ(row_bytes(loaded, row), row_bytes(saved, row));
    };
    expect_same(BlockMaxima::load(file, "fine", 3000, 4, n_slots), fine);
    expect_same(BlockMaxima::load(file, "coarse", 3000, 512, n_slots), coarse);
    EXPECT_THROW(BlockMaxima::load(file, "fine", 3000, 4, n_slots - 1), FormatError) << "more rows than slots";
    EXPECT_THROW(BlockMaxima::load(file, "fine", 3000, 8, n_slots), FormatError) << "another number of superblocks";
    EXPECT_THROW(BlockMaxima::load(file, "fine", 4000, 4, n_slots), FormatError);
    EXPECT_THROW(BlockMaxima::load(file, "none", 3000, 4, n_slots), FormatError);
}

}  // namespace
}  // namespace thresher
