/* The training step of a network on Burgers' equation through the public problem interface: loss,
 * gradient and Adam, 4 hidden layers, 10 000 points, conditions held exactly, so that the equation
 * is the only term.
 *
 *  Operations counted are those of products of matrices between hidden layers alone: u, u_x, u_xx
 * and u_t go through 3 of them, each a product forwards and two backwards: 4 * 3 * 3 * 2 width^2 a
 * point. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pinn_impl.h"

enum { MANY_STEPS = 1000000, SAMPLES = 64 };

/* When the progress of training was told, and at which step. */
typedef struct watch {
    double began, first, last, seconds, limit;
    int64_t step;
    int count;
    double sample[SAMPLES];
} watch;

static bool look(double fraction, const char *text, void *user) {
    watch *w = user;
    const double now = bench_now();
    const int64_t step = llround(fraction * MANY_STEPS);
    (void)text;
    if (step == 0)
        w->first = now;
    else if (w->count < SAMPLES)
        w->sample[w->count++] = (now - w->last) / (double)(step - w->step);
    w->last = now;
    w->step = step;
    return w->count < 1 || (w->count < SAMPLES && now - w->first < w->limit);
}

static saros_status solve(const bench_pinn_size *size, const char *method, int64_t steps,
                          const saros_solve_options *options, saros_solution **out) {
    saros_problem *problem = NULL;
    saros_optimiser optimiser = {.method = method, .steps = steps};
    bench_check(saros_equation_burgers(&(saros_burgers_spec){0}, &problem));
    const saros_pinn_options pinn = {.network = {.layers = 4, .width = size->width},
                                     .points = {.interior = size->points},
                                     .sampler = "grid",
                                     .resample = -1,
                                     .optimizer = {1, &optimiser},
                                     .dtype = size->dtype == SAROS_F64 ? "f64" : "f32",
                                     .seed = 1,
                                     .cells = {16},
                                     .times = {.count = 2}};
    const saros_status status =
        saros_problem_solve(problem, &saros_network_method, &pinn, options, out);
    saros_problem_release(problem);
    return status;
}

/* Trains for about `limit` seconds. */
static void train(const bench_pinn_size *size, const char *method, double limit, watch *w) {
    saros_solution *solution = NULL;
    w->limit = limit;
    w->began = bench_now();
    const saros_status status = solve(
        size, method, MANY_STEPS, &(saros_solve_options){.progress = look, .user = w}, &solution);
    if (status != SAROS_ERR_STOPPED) bench_check(status);
    saros_solution_release(solution);
}

static void measure(int64_t width, saros_dtype dtype) {
    char name[64];
    watch w = {0};
    snprintf(name, sizeof name, "pinn step 4x%lld %s", (long long)width, saros_dtype_name(dtype));
    if (!bench_wanted(name)) return;
    const bench_pinn_size size = {width, bench_quick() ? 512 : 10000, dtype};
    train(&size, "adam", bench_quick() ? 0.15 : 4, &w);
    bench_samples(&(bench_case){.name = name,
                                .flops = 72.0 * (double)(width * width) * (double)size.points,
                                .limit = dtype == SAROS_F64 ? BENCH_FMA_F64 : BENCH_FMA_F32},
                  w.count, w.sample, 0, NULL);
}

/* The dense quasi-Newton step of the demo's network; in place of a loop by hand stands the
 * reference backend. */
static void measure_demo(void) {
    const bench_pinn_size size = {24, bench_quick() ? 512 : 4000, SAROS_F64};
    const char *name = "demo network step", *before = getenv("SAROS_BACKEND");
    watch ours = {0}, reference = {0};
    if (!bench_wanted(name)) return;
    for (int round = 0; round < 3; ++round) {
        train(&size, "bfgs", bench_quick() ? 0.15 : 1.5, &ours);
        setenv("SAROS_BACKEND", "reference", 1);
        train(&size, "bfgs", bench_quick() ? 0.15 : 1.5, &reference);
        if (before)
            setenv("SAROS_BACKEND", before, 1);
        else
            unsetenv("SAROS_BACKEND");
    }
    bench_samples(&(bench_case){.name = name}, ours.count, ours.sample, reference.count,
                  reference.sample);
}

void bench_pinn_start(void) {
    watch w = {0};
    train(&(bench_pinn_size){128, 10000, SAROS_F64}, "adam", 0.3, &w);
    printf("%.6f\n", w.first - w.began - bench_median(w.count, w.sample));
}

void bench_pinn_memory(int64_t points) {
    watch w = {0};
    train(&(bench_pinn_size){64, points, SAROS_F64}, "adam", 0.5, &w);
}

void bench_pinn(void) {
    for (int64_t width = 128; width >= 64; width /= 2)
        for (int single = 0; single < 2; ++single) measure(width, single ? SAROS_F32 : SAROS_F64);
    measure_demo();
}

/* ---- for programs that do the same work ---- */
static void export_size(const char *folder, const bench_pinn_size *size) {
    enum { STEPS = 10 };
    char name[64];
    saros_network network;
    saros_tensor *weights = NULL;
    saros_solution *solution = NULL;
    const char *dtype = saros_dtype_name(size->dtype);
    bench_check(saros_network_make(
        &(saros_network_options){.layers = 4, .width = size->width, .inputs = 2, .outputs = 1},
        &network));
    bench_check(saros_network_start(&network, 1, size->dtype, &weights));
    snprintf(name, sizeof name, "weights-%lld-%s", (long long)size->width, dtype);
    bench_put(folder, name, saros_tensor_const_data(weights),
              (size_t)saros_tensor_count(weights) * saros_dtype_bytes(size->dtype));
    bench_check(solve(size, "adam", STEPS, &(saros_solve_options){0}, &solution));
    const saros_info *info = saros_solution_info(solution);
    snprintf(name, sizeof name, "losses-%lld-%s", (long long)size->width, dtype);
    for (int k = 0; k < info->series; ++k)
        if (!strcmp(info->history[k].name, "loss"))
            bench_put(folder, name, info->history[k].value,
                      (size_t)info->history[k].count * sizeof(double));
    saros_solution_release(solution);
    saros_tensor_release(weights);
}

void bench_pinn_export(const char *folder) {
    for (int64_t width = 128; width >= 64; width /= 2)
        for (int single = 0; single < 2; ++single)
            export_size(folder, &(bench_pinn_size){width, 10000, single ? SAROS_F32 : SAROS_F64});
}
