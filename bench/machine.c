/* What the machine can do on the threads in use: multiply-adds on values that stay in registers,
 * and memory bandwidth after J. D. McCalpin's STREAM (copy a = b, triad a = b + s c; bytes counted
 * as STREAM does, without the read that a write causes; plain stores). */
#include <math.h>
#include <stdio.h>

#include "bench_impl.h"
#include "vector_impl.h"

/* Independent sums, enough to hide the latency of an addition, few enough to stay in registers. */
enum { SUMS = 12, ROUNDS = 4000 };

typedef struct registers {
    bool single;
    double kept; /* so that no compiler drops the work */
} registers;

static double fma_f64(double start) {
    f64s sum[SUMS], a, b;
    for (int k = 0; k < VECTOR_BYTES / 8; ++k) a[k] = start, b[k] = 1e-6;
    for (int k = 0; k < SUMS; ++k) sum[k] = a + (double)k;
    for (int i = 0; i < ROUNDS; ++i)
        for (int k = 0; k < SUMS; ++k) sum[k] = sum[k] * a + b;
    for (int k = 1; k < SUMS; ++k) sum[0] += sum[k];
    return sum[0][0];
}

static double fma_f32(double start) {
    f32s sum[SUMS], a, b;
    for (int k = 0; k < VECTOR_BYTES / 4; ++k) a[k] = (float)start, b[k] = 1e-6F;
    for (int k = 0; k < SUMS; ++k) sum[k] = a + (float)k;
    for (int i = 0; i < ROUNDS; ++i)
        for (int k = 0; k < SUMS; ++k) sum[k] = sum[k] * a + b;
    for (int k = 1; k < SUMS; ++k) sum[0] += sum[k];
    return (double)sum[0][0];
}

enum { REPEAT = 40 };

static void multiply_add(void *user, int64_t first, int64_t last) {
    registers *r = user;
    double kept = 0;
    for (int64_t i = first; i < last; ++i) {
        const double a =
            0.999999 - 1e-12 * (double)i; /* another one each time, or a compiler computes one */
        kept += r->single ? fma_f32(a) : fma_f64(a);
    }
    if (first == 0) r->kept = kept;
}

/* The best of a few tries is what the machine can do: a thread that wakes late takes nothing from
 * it. */
enum { TRIES = 3 };

/* The frequency does not change, so the best of the run so far counts. */
static double fma_rate(bool single) {
    static double most[2];
    registers r = {.single = single};
    const int64_t n = 8 * (int64_t)saros_threads() * (bench_quick() ? 1 : REPEAT / 8);
    const double lanes = VECTOR_BYTES / (single ? 4.0 : 8.0);
    double best = 0;
    for (int k = 0; k < TRIES; ++k) {
        const double began = bench_now();
        bench_parallel(n, multiply_add, &r);
        best = fmax(best, 2e-9 * lanes * SUMS * ROUNDS * (double)n / (bench_now() - began));
    }
    return most[single] = fmax(most[single], best);
}

/* New threads may share a core until the system has looked at them for a while. */
void bench_machine_warm(void) {
    const double began = bench_now();
    while (bench_now() - began < 0.5 && !bench_quick()) (void)fma_rate(false);
}

/* ---- memory ---- */
typedef struct arrays {
    int64_t n;
    double *a, *b, *c;
} arrays;

static void copy(void *user, int64_t first, int64_t last) {
    const arrays *x = user;
    double *restrict a = x->a;
    const double *restrict b = x->b;
    for (int64_t i = first; i < last; ++i)
        a[i] = b[i] + 0.0; /* no memcpy, whose stores may stream */
}

static void triad(void *user, int64_t first, int64_t last) {
    const arrays *x = user;
    double *restrict a = x->a;
    const double *restrict b = x->b, *restrict c = x->c;
    for (int64_t i = first; i < last; ++i) a[i] = b[i] + 3.0 * c[i];
}

static double stream_rate(const arrays *x, bench_part *kernel, double bytes) {
    const int64_t passes = bench_quick() ? 1 : 1 + ((int64_t)1 << 23) / x->n;
    double best = 0;
    for (int try = 0; try < TRIES; ++try) {
        const double began = bench_now();
        for (int64_t k = 0; k < passes; ++k) bench_parallel(x->n, kernel, (void *)(uintptr_t)x);
        best = fmax(best, 1e-9 * bytes * (double)(passes * x->n) / (bench_now() - began));
    }
    return best;
}

/* Sides of the square arrays that lie in each place; kept for the next sample. */
static const int64_t side[] = {[BENCH_L2] = 128, [BENCH_L3] = 512, [BENCH_DRAM] = 4096};

static const arrays *arrays_in(bench_limit place) {
    static arrays kept[BENCH_DRAM + 1];
    arrays *x = &kept[place];
    if (x->n) return x;
    const int64_t n = bench_size(side[place]) * bench_size(side[place]);
    saros_tensor *made[3];
    for (int k = 0; k < 3; ++k)
        made[k] = bench_tensor(SAROS_F64, 1, &n); /* until the program ends */
    *x = (arrays){n, saros_tensor_data(made[0]), saros_tensor_data(made[1]),
                  saros_tensor_data(made[2])};
    return x;
}

bench_limit bench_place(int64_t n) {
    if (n <= side[BENCH_L2] * side[BENCH_L2]) return BENCH_L2;
    return n <= side[BENCH_L3] * side[BENCH_L3] ? BENCH_L3 : BENCH_DRAM;
}

double bench_machine(bench_limit limit) {
    if (limit == BENCH_NO_LIMIT) return NAN;
    if (limit == BENCH_FMA_F64 || limit == BENCH_FMA_F32) return fma_rate(limit == BENCH_FMA_F32);
    const arrays *x = arrays_in(limit);
    return fmax(stream_rate(x, copy, 16), stream_rate(x, triad, 24));
}

const char *bench_limit_name(bench_limit limit) {
    static const char *const name[] = {"",          "fma f64",   "fma f32",
                                       "stream L2", "stream L3", "stream DRAM"};
    return name[limit];
}

/* ---- rows ---- */
enum { SAMPLES = 9 };

/* A row of one unit of work, a thousand million operations or bytes. */
static void rate_row(const char *name, bool arithmetic, double *rate) {
    double seconds[SAMPLES];
    for (int k = 0; k < SAMPLES; ++k) seconds[k] = 1 / rate[k];
    bench_samples(
        &(bench_case){.name = name, .bytes = arithmetic ? 0 : 1e9, .flops = arithmetic ? 1e9 : 0},
        SAMPLES, seconds, 0, NULL);
}

static void memory_rows(bench_limit place, const char *of_copy, const char *of_triad) {
    double rate[SAMPLES], other[SAMPLES];
    if (!bench_wanted(of_copy) && !bench_wanted(of_triad)) return;
    const arrays *x = arrays_in(place);
    for (int k = 0; k < SAMPLES; ++k) {
        rate[k] = stream_rate(x, copy, 16);
        other[k] = stream_rate(x, triad, 24);
    }
    rate_row(of_copy, false, rate);
    rate_row(of_triad, false, other);
}

void bench_machine_rows(void) {
    double rate[2][SAMPLES];
    if (bench_wanted("machine fma")) {
        for (int k = 0; k < SAMPLES; ++k)
            for (int single = 0; single < 2; ++single) rate[single][k] = fma_rate(single);
        rate_row("machine fma f64", true, rate[0]);
        rate_row("machine fma f32", true, rate[1]);
    }
    memory_rows(BENCH_L2, "machine copy L2", "machine triad L2");
    memory_rows(BENCH_L3, "machine copy L3", "machine triad L3");
    memory_rows(BENCH_DRAM, "machine copy DRAM", "machine triad DRAM");
}
