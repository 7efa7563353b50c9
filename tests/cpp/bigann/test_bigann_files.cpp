#include "bigann_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "bigann_bytes.hpp"
#include "core/base/error.hpp"

namespace thresher::bench {
namespace {

using test::any_error_of;
using test::append;
using test::csr_bytes;
using test::TemporaryDirectory;
using test::truth_bytes;
using test::write_bytes;

constexpr float kNone = -std::numeric_limits<float>::infinity();

class BigannFiles : public testing::Test {
  protected:
    std::string file(const std::vector<std::byte>& bytes) const {
        write_bytes(directory_.path("f"), bytes);
        return directory_.path("f");
    }
    std::string csr_error(const std::vector<std::byte>& bytes) const {
        const std::string path = file(bytes);
        return any_error_of([&] { read_csr(path); });
    }
    std::string truth_error(const std::vector<std::byte>& bytes) const {
        const std::string path = file(bytes);
        return any_error_of([&] { read_ground_truth(path); });
    }
    std::string in_file(const std::string& what) const { return directory_.path("f") + ": " + what; }
    const TemporaryDirectory& directory() const { return directory_; }

  private:
    TemporaryDirectory directory_;
};

const test::Rows& three_rows() {
    static const test::Rows rows = test::rows_of(9, {{{1, 0.5F}, {8, 2.0F}}, {}, {{0, -1.5F}}});
    return rows;
}

std::vector<std::byte> header(std::int64_t n_rows, std::int64_t n_terms, std::int64_t nnz) {
    std::vector<std::byte> bytes;
    append(bytes, std::vector<std::int64_t>{n_rows, n_terms, nnz});
    return bytes;
}

TEST_F(BigannFiles, OfRowsAreReadAsTheyAre) {
    const CsrFile read = read_csr(file(csr_bytes(three_rows())));
    EXPECT_EQ(read.rows.n_terms, 9U);
    EXPECT_TRUE(std::ranges::equal(read.rows.indptr, three_rows().indptr));
    EXPECT_TRUE(std::ranges::equal(read.rows.terms, three_rows().terms));
    EXPECT_TRUE(std::ranges::equal(read.rows.weights, three_rows().weights));
    EXPECT_EQ(read_csr(file(csr_bytes(test::rows_of(0, {})))).rows.n_rows(), 0U);
}

TEST_F(BigannFiles, OfRowsMustBeAsLongAsTheirHeaderSays) {
    auto bytes = csr_bytes(three_rows());
    const std::string whole = std::to_string(bytes.size());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(csr_error(cut),
                  in_file(size < 24 ? "truncated: the header has 24 bytes, the file " + std::to_string(size)
                                    : "truncated: " + std::to_string(size) + " bytes, the header says " + whole));
    }
    bytes.push_back({});
    EXPECT_EQ(csr_error(bytes),
              in_file("too long: " + std::to_string(bytes.size()) + " bytes, the header says " + whole));
}

TEST_F(BigannFiles, OfRowsRefuseImpossibleHeaders) {
    const std::int64_t max = std::numeric_limits<std::int64_t>::max();
    const std::vector<std::vector<std::byte>> headers{header(-1, 1, 0),  header(1, -1, 0),  header(1, 1, -1),
                                                      header(max, 1, 0), header(1, max, 0), header(1, 1, max)};
    for (const auto& bytes : headers) {
        EXPECT_NE(csr_error(bytes).find("not a .csr file of the sparse track"), std::string::npos) << csr_error(bytes);
    }
}

TEST_F(BigannFiles, ThatAreNotThereAreErrors) {
    const std::string path = directory().path("none");
    EXPECT_THROW(read_csr(path), FileError);
    EXPECT_THROW(read_ground_truth(path), FileError);
    EXPECT_THROW(read_csr(directory().path("")), FileError);
}

TEST_F(BigannFiles, OfTruthAreReadAsTheyAre) {
    const GroundTruth truth =
        read_ground_truth(file(truth_bytes(2, 3, {5, 0, 7, 1, -1, -1}, {3, 2, 2, 1, kNone, kNone})));
    EXPECT_EQ(truth.n_queries, 2U);
    EXPECT_EQ(truth.k, 3U);
    EXPECT_TRUE(std::ranges::equal(truth.ids, std::vector<std::int32_t>{5, 0, 7, 1, -1, -1}));
    EXPECT_TRUE(std::ranges::equal(truth.scores, std::vector<float>{3, 2, 2, 1, kNone, kNone}));
    EXPECT_EQ(read_ground_truth(file(truth_bytes(0, 10, {}, {}))).n_queries, 0U);
}

TEST_F(BigannFiles, OfTruthMustBeAsLongAsTheirHeaderSays) {
    auto bytes = truth_bytes(1, 2, {5, 0}, {3, 2});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(truth_error(cut),
                  in_file(size < 8 ? "truncated: the header has 8 bytes, the file " + std::to_string(size)
                                   : "truncated: " + std::to_string(size) + " bytes, the header says 24"));
    }
    bytes.push_back({});
    EXPECT_EQ(truth_error(bytes), in_file("too long: 25 bytes, the header says 24"));
    EXPECT_EQ(truth_error(truth_bytes(0xffffffff, 0xffffffff, {}, {})),
              in_file("truncated: no file is as large as its header says"));
}

TEST_F(BigannFiles, OfTruthRefuseWhatIsNoAnswer) {
    EXPECT_EQ(truth_error(truth_bytes(1, 2, {5, -2}, {3, 2})),
              in_file("query 0 has at rank 1 the impossible answer of id -2 and score 2.000000"));
    EXPECT_EQ(truth_error(truth_bytes(2, 1, {5, 1}, {3, std::numeric_limits<float>::quiet_NaN()})),
              in_file("query 1 has at rank 0 the impossible answer of id 1 and score nan"));
    EXPECT_EQ(truth_error(truth_bytes(1, 2, {5, 1}, {2, 3})),
              in_file("query 0 has at rank 1 the impossible answer of id 1 and score 3.000000"))
        << "distances, perhaps";
}

}  // namespace
}  // namespace thresher::bench
