# THRESHER_PORTABLE makes the extension module run on glibc 2.28 although the building machine has a newer one:
# libstdc++ is linked in, and portable.cpp stands between it and the functions that glibc renewed since.
# If auditwheel finds a symbol too recent (nm -D shows which), it needs a wrapper there. A manylinux image needs none.
option(THRESHER_PORTABLE "Bind the Python module to glibc 2.28's symbols" OFF)

function(thresher_portable_module target)
  if(NOT THRESHER_PORTABLE)
    return()
  endif()
  set(renewed
    fstat lstat stat pthread_create pthread_join pthread_once __pthread_key_create pthread_cond_clockwait
    pthread_getspecific pthread_setspecific pthread_key_create exp log log2 pow)
  list(TRANSFORM renewed PREPEND "LINKER:--wrap=")
  target_sources(${target} PRIVATE cmake/portable.cpp)
  # By itself: it names what others declare.
  set_source_files_properties(cmake/portable.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_link_options(${target} PRIVATE
    -static-libstdc++ LINKER:--exclude-libs,ALL LINKER:--gc-sections ${renewed}
    LINKER:--push-state,--no-as-needed -l:libpthread.so.0 LINKER:--pop-state)
endfunction()
