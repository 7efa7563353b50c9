// Block tiles: each member's own codes, whose largest is the block's maximum.
#include "core/blocks/block_tiles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/blocks/block_maxima.hpp"
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
    BlockTiles tiles(std::uint32_t block_size, std::uint32_t n_rows, unsigned threads = 1) const {
        Progress progress = test::silent();
        return BlockTiles::build(forward, quantiser, block_size, n_rows, threads, progress);
    }
    std::size_t n_blocks(std::uint32_t block_size) const { return (forward.n_docs() + block_size - 1) / block_size; }
};

unsigned code(const BlockTiles& tiles, std::size_t block, std::uint32_t row, std::uint32_t member) {
    const unsigned both = tiles.tile(block)[row * tiles.block_size() / 2 + member / 2];
    return member % 2 == 0 ? both % 16 : both / 16;
}

void expect_members(const Built& built, std::uint32_t block_size, std::uint32_t n_rows) {
    Progress progress = test::silent();
    const BlockTiles tiles = built.tiles(block_size, n_rows);
    const BlockMaxima maxima = BlockMaxima::build(built.forward, built.quantiser, block_size, n_rows, 1, progress);
    ASSERT_EQ(tiles.block_size(), block_size);
    ASSERT_EQ(tiles.n_rows(), n_rows);
    ASSERT_EQ(tiles.stride() % 64, 0U);
    ASSERT_EQ(tiles.nbytes(), built.n_blocks(block_size) * tiles.stride());
    std::vector<Posting> postings;
    for (std::size_t block = 0; block < built.n_blocks(block_size); ++block) {
        std::vector<unsigned> largest(n_rows);
        for (std::uint32_t member = 0; member < block_size; ++member) {
            const std::size_t doc = block * block_size + member;
            postings.clear();
            if (doc < built.forward.n_docs()) built.forward.read(doc, postings);
            std::map<std::uint32_t, unsigned> expected;
            for (const auto& [slot, weight] : postings) {
                expected[slot] = (built.quantiser.ceiling(slot, weight) + 16U) / 17U;
            }
            for (std::uint32_t row = 0; row < n_rows; ++row) {
                const unsigned own = code(tiles, block, row, member);
                ASSERT_EQ(own, expected[row]) << "document " << doc << " row " << row;
                largest[row] = std::max(largest[row], own);
            }
        }
        for (std::uint32_t row = 0; row < n_rows; ++row) ASSERT_EQ(largest[row], maxima.code(row, block));
    }
}

TEST(BlockTiles, HoldTheCodesOfEachMember) {
    Random random(1);
    for (const std::size_t n_docs : {1, 3, 4, 5, 64, 65, 700}) {
        const Built built(test::random_rows(random, n_docs, 60, 8, test::real_weight));
        const std::uint32_t n_slots = built.vocabulary.n_slots();
        for (const std::uint32_t block_size : {4U, 8U, 16U, 32U, 64U}) {
            for (const std::uint32_t n_rows : {0U, std::min(n_slots, 3U), n_slots}) {
                ASSERT_NO_FATAL_FAILURE(expect_members(built, block_size, n_rows))
                    << n_docs << " documents in blocks of " << block_size;
            }
        }
    }
}

TEST(BlockTiles, DoNotDependOnTheNumberOfThreads) {
    Random random(2);
    const Built built(test::random_rows(random, 9000, 50, 5, test::real_weight));
    const BlockTiles one = built.tiles(4, 30);
    for (unsigned threads = 2; threads <= 4; ++threads) {
        const BlockTiles many = built.tiles(4, 30, threads);
        ASSERT_EQ(many.nbytes(), one.nbytes());
        ASSERT_TRUE(std::equal(one.tile(0), one.tile(0) + one.nbytes(), many.tile(0)));
    }
}

TEST(BlockTiles, GoThroughAFile) {
    Random random(3);
    const Built built(test::random_rows(random, 500, 50, 5, test::real_weight));
    const BlockTiles tiles = built.tiles(8, 30);
    Parameters counts;
    SectionList sections;
    tiles.save(counts, sections);
    const TemporaryDirectory directory;
    write_index_file(directory.path("f"), "test", counts, sections, nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    const BlockTiles loaded = BlockTiles::load(file, 500, 8, 30);
    EXPECT_EQ(loaded.block_size(), 8U);
    EXPECT_EQ(loaded.n_rows(), 30U);
    ASSERT_EQ(loaded.nbytes(), tiles.nbytes());
    EXPECT_TRUE(std::equal(tiles.tile(0), tiles.tile(0) + tiles.nbytes(), loaded.tile(0)));
    EXPECT_THROW(BlockTiles::load(file, 500, 8, 29), FormatError) << "more rows than slots";
    EXPECT_THROW(BlockTiles::load(file, 500, 4, 30), FormatError) << "another number of blocks";
    EXPECT_THROW(BlockTiles::load(file, 520, 8, 30), FormatError);
}

}  // namespace
}  // namespace thresher
