/** Inside of training: loops over long vectors compiled for several instruction sets; which one
 * runs is chosen when the program starts. Results do not depend on it: sums have eight fixed parts
 * and contraction is off. Not under sanitizers, whose run time is not up yet when the choice is
 * made. */
#ifndef SAROS_VECTOR_IMPL_H
#define SAROS_VECTOR_IMPL_H

#if defined(__x86_64__) && defined(__linux__) && defined(__OPTIMIZE__) && defined(__GNUC__) &&     \
    !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SAROS_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SAROS_WIDE
#endif

#endif
