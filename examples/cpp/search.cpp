// Builds an index of three documents, saves it, opens it again and prints the best two for one query.
#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thresher/thresher.hpp>

int main() try {
    // Row by row: the terms of a document and their weights.
    const std::array<std::int64_t, 4> indptr{0, 2, 4, 6};
    const std::array<std::uint32_t, 6> terms{0, 2, 1, 2, 0, 1};
    const std::array<float, 6> weights{1.5F, 0.5F, 2.0F, 1.0F, 0.25F, 0.75F};
    const thresher::CsrView docs{.n_terms = 3, .indptr = indptr, .terms = terms, .weights = weights};

    thresher::build_index("clustered", docs, {{"cluster_size", 8}})->save("example.thresher");
    const auto index = thresher::open_index("example.thresher");
    std::printf("%zu documents of %llu terms\n", index->n_docs(), static_cast<unsigned long long>(index->n_terms()));

    const std::array<std::uint32_t, 2> query_terms{0, 2};
    const std::array<float, 2> query_weights{1.0F, 2.0F};
    const thresher::Hits hits = index->search_one(query_terms, query_weights, {.k = 2});
    for (std::size_t rank = 0; rank < hits.k; ++rank) {
        std::printf("%zu. document %lld, score %g\n", rank + 1, static_cast<long long>(hits.ids[rank]),
                    hits.scores[rank]);
    }

    // What terms and documents are called is kept in the file, too.
    const std::array<std::string_view, 3> words{"cat", "dog", "emu"};
    const std::array<std::string_view, 3> names{"pets", "birds", "farm"};
    index->with_words(thresher::Words::of(words), thresher::Words::of(names, "names"))->save("named.thresher");
    const auto named = thresher::open_index("named.thresher");
    const std::optional<std::uint32_t> emu = named->words()->find("emu");
    const std::string best_of_emu = (*named->names())[static_cast<std::uint32_t>(hits.ids[0])];
    std::printf("term %u is '%s', document 0 '%s'\n", emu.value(), (*named->words())[*emu].c_str(),
                best_of_emu.c_str());
    if (emu != 2U || best_of_emu != "pets" || named->words()->find("cow")) return 1;

    // Queries may also come as rows, and searches have parameters.
    const auto careful = index->with_named_search_params({{"cluster_budget", 100}});
    const thresher::Hits best = careful->search(docs, {.k = 1, .threads = 1});
    return hits.ids == std::vector<std::int64_t>{0, 1} && best.ids == std::vector<std::int64_t>{0, 1, 1} ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
