/* Vectors of the widest kind this program is compiled for, as GCC and Clang know them: + - * / by
 * elements, a cast between types of one size keeps the bits. */
#ifndef SAROS_BENCH_VECTOR_IMPL_H
#define SAROS_BENCH_VECTOR_IMPL_H

#include <stdint.h>

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
typedef double f64s __attribute__((vector_size(VECTOR_BYTES)));
typedef float f32s __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t i64s __attribute__((vector_size(VECTOR_BYTES)));
/** The same in memory, at any multiple of 8 bytes. */
typedef double f64s_loose __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));

#endif
