// Builds an index of three documents, saves it, opens it again and prints the best two for one query.
#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <thresher/engines/exact_index.hpp>
#include <thresher/engines/registry.hpp>

int main() try {
    const std::array<std::int64_t, 4> indptr{0, 2, 4, 6};
    const std::array<std::uint32_t, 6> terms{0, 2, 1, 2, 0, 1};
    const std::array<float, 6> weights{1.5F, 0.5F, 2.0F, 1.0F, 0.25F, 0.75F};
    const thresher::CsrView docs{.n_terms = 3, .indptr = indptr, .terms = terms, .weights = weights};

    thresher::ExactIndex::build(docs, {}, 0, nullptr)->save("example.thresher", nullptr);
    const auto index = thresher::open_index("example.thresher", true, nullptr);

    const std::array<std::uint32_t, 2> query_terms{0, 2};
    const std::array<float, 2> query_weights{1.0F, 2.0F};
    std::array<std::int64_t, 2> ids{};
    std::array<float, 2> scores{};
    index->search_one(query_terms, query_weights, {.k = 2, .ids = ids, .scores = scores});

    std::printf("%zu documents of %llu terms\n", index->n_docs(), static_cast<unsigned long long>(index->n_terms()));
    for (std::size_t rank = 0; rank < ids.size(); ++rank) {
        std::printf("%zu. document %lld, score %g\n", rank + 1, static_cast<long long>(ids[rank]), scores[rank]);
    }
    return ids[0] == 0 && ids[1] == 1 ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
