// Keeps a wheel from depending on the building machine's glibc: the few functions that came or changed after 2.28.
// The linker's --wrap sends calls of `f` to `__wrap_f`; .symver binds `old_f` to the version that every glibc has.
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#if defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
constexpr int kStatVersion = 1;
#elif defined(__aarch64__)
#define OLDEST "GLIBC_2.17"
constexpr int kStatVersion = 0;
#endif

extern "C" {

// Since 2.32, a hint that the process has one thread; zero, "it may have more", is always right.
char __libc_single_threaded = 0;

__asm__(".symver old_pthread_create, pthread_create@" OLDEST);
__asm__(".symver old_pthread_join, pthread_join@" OLDEST);
__asm__(".symver old_pthread_once, pthread_once@" OLDEST);
__asm__(".symver old_pthread_key_create, __pthread_key_create@" OLDEST);

int old_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int old_pthread_join(pthread_t, void**);
int old_pthread_once(pthread_once_t*, void (*)());
int old_pthread_key_create(pthread_key_t*, void (*)(void*));

int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
    return old_pthread_create(thread, attributes, start, argument);
}
int __wrap_pthread_join(pthread_t thread, void** result) { return old_pthread_join(thread, result); }
int __wrap_pthread_once(pthread_once_t* once, void (*routine)()) { return old_pthread_once(once, routine); }
int __wrap___pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) {
    return old_pthread_key_create(key, destructor);
}

__asm__(".symver old_getspecific, pthread_getspecific@" OLDEST);
__asm__(".symver old_setspecific, pthread_setspecific@" OLDEST);
__asm__(".symver old_key_create, pthread_key_create@" OLDEST);

void* old_getspecific(pthread_key_t);
int old_setspecific(pthread_key_t, const void*);
int old_key_create(pthread_key_t*, void (*)(void*));

void* __wrap_pthread_getspecific(pthread_key_t key) { return old_getspecific(key); }
int __wrap_pthread_setspecific(pthread_key_t key, const void* value) { return old_setspecific(key, value); }
int __wrap_pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) { return old_key_create(key, destructor); }

// Renewed in 2.29, without the old way of telling errors.
__asm__(".symver old_exp, exp@" OLDEST);
__asm__(".symver old_log, log@" OLDEST);
__asm__(".symver old_log2, log2@" OLDEST);
__asm__(".symver old_pow, pow@" OLDEST);

double old_exp(double);
double old_log(double);
double old_log2(double);
double old_pow(double, double);

double __wrap_exp(double x) { return old_exp(x); }
double __wrap_log(double x) { return old_log(x); }
double __wrap_log2(double x) { return old_log2(x); }
double __wrap_pow(double base, double exponent) { return old_pow(base, exponent); }

// Since 2.30. A condition variable made with default attributes measures by CLOCK_REALTIME.
int __wrap_pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                                  const struct timespec* deadline) {
    constexpr long kSecond = 1'000'000'000;
    struct timespec now;
    struct timespec until;
    clock_gettime(clock, &now);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += deadline->tv_sec - now.tv_sec;
    until.tv_nsec += deadline->tv_nsec - now.tv_nsec;
    if (until.tv_nsec < 0) {
        until.tv_nsec += kSecond;
        --until.tv_sec;
    } else if (until.tv_nsec >= kSecond) {
        until.tv_nsec -= kSecond;
        ++until.tv_sec;
    }
    return pthread_cond_timedwait(condition, mutex, &until);
}

// Before 2.33, fstat, lstat and stat were inline functions around these.
int __fxstat(int version, int descriptor, struct stat* status);
int __lxstat(int version, const char* path, struct stat* status);
int __xstat(int version, const char* path, struct stat* status);

int __wrap_fstat(int descriptor, struct stat* status) { return __fxstat(kStatVersion, descriptor, status); }
int __wrap_lstat(const char* path, struct stat* status) { return __lxstat(kStatVersion, path, status); }
int __wrap_stat(const char* path, struct stat* status) { return __xstat(kStatVersion, path, status); }

}  // extern "C"
