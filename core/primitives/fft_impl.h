/** One-dimensional transforms of one row of contiguous numbers, through FFTW plans that are made
 * once per length and kept. Real and imaginary parts are separate arrays. Thread-safe.
 */
#ifndef SAROS_FFT_IMPL_H
#define SAROS_FFT_IMPL_H

#include "saros/tensor.h"

typedef enum saros_fft_kind {
    SAROS_FFT_REAL_TO_HALF, /**< n reals (re_in) -> n/2+1 pairs */
    SAROS_FFT_HALF_TO_REAL, /**< n/2+1 pairs -> n reals (re_out); destroys its input */
    SAROS_FFT_COMPLEX       /**< n pairs -> n pairs, forward; swap re and im for backward */
} saros_fft_kind;

typedef struct saros_fft_plan saros_fft_plan;

/** Plan for length n >= 1 and dtype f64 or f32; lives as long as the process. */
saros_status saros_fft_find(saros_fft_kind kind, int64_t n, saros_dtype dtype,
                            const saros_fft_plan **out);
/** Unscaled transform; inputs and outputs must not overlap. */
void saros_fft_execute(const saros_fft_plan *plan, void *re_in, void *im_in, void *re_out,
                       void *im_out);

#endif
