/* What the benchmarks share.
 *
 *  A row of the table is one piece of work done by the library and by plain C beside it (the floor:
 * what one writes by hand, with the same flags and threads), against what the machine can do,
 * measured in the same run. Ours and the floor alternate round by round, so that a disturbance
 * meets both; the numbers are medians of the rounds. */
#ifndef SAROS_BENCH_IMPL_H
#define SAROS_BENCH_IMPL_H

#include <saros/saros.h>

typedef void bench_fn(void *user);

/** What a rate is held against. The memory limits are STREAM rates of arrays that lie there. */
typedef enum bench_limit {
    BENCH_NO_LIMIT,
    BENCH_FMA_F64,
    BENCH_FMA_F32,
    BENCH_L2,
    BENCH_L3,
    BENCH_DRAM
} bench_limit;

typedef struct bench_case {
    const char *name;
    bench_fn *run;   /**< the library */
    bench_fn *floor; /**< the same by hand; NULL: none */
    void *user;      /**< of both */
    double calls;    /**< operations in one call, whose time is reported: 0 means 1 */
    double bytes;    /**< moved by one operation at least: inputs read and outputs written once */
    double flops;    /**< of one operation, where `limit` is one of arithmetic */
    bench_limit limit;
    double goal; /**< most seconds of one operation that the project asks for; 0: none */
} bench_case;

/* ---- measure.c ---- */
/** Seconds since some fixed moment. */
double bench_now(void);
/** Runs a case if it was asked for, prints its row, adds it to the CSV file. */
void bench_compare(const bench_case *what);
/** A row from samples taken elsewhere: seconds per operation, sorted in place; those of the floor
 * may be none. */
void bench_samples(const bench_case *what, int count, double *seconds, int floor_count,
                   double *floor_seconds);
/** A row of one number that is no time. */
void bench_value(const char *name, double value, const char *unit);
/** Whether a row was asked for by the words of the command line. */
bool bench_wanted(const char *name);
/** n, or few in quick mode, whose times mean nothing. */
int64_t bench_size(int64_t n);
bool bench_quick(void);
/** Median of `count` numbers, which are sorted. */
double bench_median(int count, double *x);

/* ---- machine.c ---- */
/** Operations (Gflop/s) or bytes (GB/s) a second of the machine on the threads in use; measured
 * now. */
double bench_machine(bench_limit limit);
const char *bench_limit_name(bench_limit limit);
/** The limit of arrays of n f64 each. */
bench_limit bench_place(int64_t n);
/** Works for half a second, so that every thread has found its core. */
void bench_machine_warm(void);
void bench_machine_rows(void);

/* ---- support.c ---- */
/** Ends the program with the recorded error unless `status` is OK. */
void bench_check(saros_status status);
/** Runs part(user, first, last) over 0 … n-1 cut in as many equal runs as there are threads. */
typedef void bench_part(void *user, int64_t first, int64_t last);
void bench_parallel(int64_t n, bench_part *part, void *user);
/** Row-major tensor with numbers in [-1, 1) that differ from each other. */
saros_tensor *bench_tensor(saros_dtype dtype, int rank, const int64_t *shape);
/** The largest |a - b| over the largest |b|. */
double bench_difference(const saros_tensor *a, const saros_tensor *b);
/** Ends the program if a and b differ by more than `tolerance`: a floor that computes something
 * else measures nothing. */
void bench_agree(const char *name, const saros_tensor *a, const saros_tensor *b, double tolerance);

/** Writes a file into a folder, for programs that do the same work. */
void bench_put(const char *folder, const char *name, const void *data, size_t bytes);

/** A compiled function with inputs and outputs; and room where the floor puts what it computes. */
enum { BENCH_MOST = 8 };
typedef struct bench_call {
    saros_function *function;
    int ins, outs;
    saros_tensor *in[BENCH_MOST], *out[BENCH_MOST], *floor[BENCH_MOST];
} bench_call;
/** Compiles outputs of inputs, fills inputs, allocates outputs. Consumes the graph. */
void bench_call_make(saros_graph *graph, int ins, const saros_value *in, int outs,
                     const saros_value *out, bench_call *call);
/** Calls the function; a bench_fn of a bench_call. */
void bench_call_run(void *call);
void bench_call_clear(bench_call *call);

/* ---- the groups ---- */
void bench_pinn(void);
void bench_operators(void);
void bench_gradbench(void);
void bench_pointwise(void);
void bench_stencil(void);
void bench_loops(void);
void bench_arrays(void);
void bench_brusselator(void);
void bench_bratu(void);
void bench_ode(void);
void bench_jacobian(void);
void bench_hessian(void);
void bench_overhead(void);
void bench_processes(void);

#endif
