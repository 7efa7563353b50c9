# Warnings, sanitizers and assertions, the same for every target of ours.
function(thresher_compile_options target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>
    $<$<BOOL:${THRESHER_WERROR}>:-Werror>)
  if(THRESHER_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${THRESHER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${THRESHER_SANITIZE})
  endif()
endfunction()

# For benchmarks, which are around the library: sanitized, it is not optimised, which would take twice as long
# to compile.
function(thresher_harness_options target)
  thresher_compile_options(${target})
  if(THRESHER_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()
