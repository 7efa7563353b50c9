# Warnings, sanitizers and assertions, the same for every target of ours.
function(thresher_compile_options target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    $<$<BOOL:${THRESHER_WERROR}>:-Werror>)
  if(THRESHER_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${THRESHER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${THRESHER_SANITIZE})
  endif()
endfunction()
