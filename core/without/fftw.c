/* Fourier transforms for a build without FFTW: the sum of the definition, n^2 operations, with the
 * n roots of unity from a table. Right for any length; for transforms of some thousands of points.
 */
#include "primitives/fft_impl.h"

#include <math.h>
#include <pthread.h>

#include "saros/memory.h"

struct saros_fft_plan {
    saros_fft_kind kind;
    int64_t n;
    saros_dtype dtype;
    double *cosine, *sine; /**< of 2 pi j / n */
    saros_fft_plan *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static saros_fft_plan *plans; /* grows at the front; entries stay */

static saros_status make_plan(saros_fft_kind kind, int64_t n, saros_dtype dtype,
                              saros_fft_plan **out) {
    saros_fft_plan *p = saros_allocate(sizeof *p);
    if (!p) return SAROS_ERR_MEMORY;
    *p = (saros_fft_plan){.kind = kind, .n = n, .dtype = dtype};
    if (!(p->cosine = saros_allocate(2 * (size_t)n * sizeof *p->cosine))) {
        saros_release(p);
        return SAROS_ERR_MEMORY;
    }
    p->sine = p->cosine + n;
    for (int64_t j = 0; j < n; ++j) {
        const double angle = 2 * acos(-1.0) * (double)j / (double)n;
        p->cosine[j] = cos(angle);
        p->sine[j] = sin(angle);
    }
    *out = p;
    return SAROS_OK;
}

saros_status saros_fft_find(saros_fft_kind kind, int64_t n, saros_dtype dtype,
                            const saros_fft_plan **out) {
    saros_status status = SAROS_OK;
    pthread_mutex_lock(&lock);
    saros_fft_plan *p = plans;
    while (p && (p->kind != kind || p->n != n || p->dtype != dtype)) p = p->next;
    if (!p) {
        status = make_plan(kind, n, dtype, &p);
        if (status == SAROS_OK) {
            p->next = plans;
            plans = p;
        }
    }
    pthread_mutex_unlock(&lock);
    if (status == SAROS_OK) *out = p;
    return status;
}

static double get(const saros_fft_plan *p, const void *x, int64_t j) {
    return p->dtype == SAROS_F64 ? ((const double *)x)[j] : (double)((const float *)x)[j];
}

static void set(const saros_fft_plan *p, void *x, int64_t j, double value) {
    if (p->dtype == SAROS_F64)
        ((double *)x)[j] = value;
    else
        ((float *)x)[j] = (float)value;
}

/* Half of the spectrum of real numbers: x_j = sum over k of re_k cos - im_k sin, the other half
 * being conjugate. */
static void half_to_real(const saros_fft_plan *p, const void *re, const void *im, void *out) {
    for (int64_t j = 0; j < p->n; ++j) {
        double sum = get(p, re, 0);
        for (int64_t k = 1; 2 * k <= p->n; ++k) {
            const int64_t at = j * k % p->n;
            const double part = get(p, re, k) * p->cosine[at] - get(p, im, k) * p->sine[at];
            sum += 2 * k == p->n ? part : 2 * part;
        }
        set(p, out, j, sum);
    }
}

void saros_fft_execute(const saros_fft_plan *p, void *re_in, void *im_in, void *re_out,
                       void *im_out) {
    if (p->kind == SAROS_FFT_HALF_TO_REAL) {
        half_to_real(p, re_in, im_in, re_out);
        return;
    }
    const bool complex = p->kind == SAROS_FFT_COMPLEX;
    const int64_t outputs = complex ? p->n : p->n / 2 + 1;
    for (int64_t k = 0; k < outputs; ++k) {
        double re = 0, im = 0;
        for (int64_t j = 0; j < p->n; ++j) {
            const double x = get(p, re_in, j), y = complex ? get(p, im_in, j) : 0;
            const int64_t at = j * k % p->n;
            re += x * p->cosine[at] + y * p->sine[at];
            im += y * p->cosine[at] - x * p->sine[at];
        }
        set(p, re_out, k, re);
        set(p, im_out, k, im);
    }
}
