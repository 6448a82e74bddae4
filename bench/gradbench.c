/* GradBench's problems (tests/autodiff/gradbench_*.h, where they are tested): the time of the
 * gradient, which gives the value too, against that of the value alone. In place of a loop by hand
 * stands our own value.
 *
 *  Sizes are GradBench's: mixtures of K parts in D dimensions at 1000 points; bundle adjustment
 * number 1 (49 cameras, 7776 marks, 31843 observations); texts of 1024 and 4096 characters of 14
 * bits; 100 steps of an ODE of 10000 unknowns. */
#include <stdio.h>
#include <string.h>

#include "autodiff/gradbench_ba.h"
#include "autodiff/gradbench_descent.h"
#include "autodiff/gradbench_gmm.h"
#include "autodiff/gradbench_lstm.h"
#include "autodiff/gradbench_ode.h"
#include "bench_impl.h"

enum { MOST_INS = 6, MOST_OUTS = 5 };

/* The same problem in two graphs: [0] its values, [1] with derivatives. */
typedef struct problem {
    saros_graph *graph[2];
    saros_value in[2][MOST_INS], out[2][MOST_OUTS];
    int ins, outs[2];
    bench_call call[2];
} problem;

static void problem_open(problem *p, int ins, const saros_type *type) {
    *p = (problem){.ins = ins};
    for (int g = 0; g < 2; ++g) {
        bench_check(saros_graph_make(&p->graph[g]));
        for (int k = 0; k < ins; ++k) p->in[g][k] = saros_input(p->graph[g], &type[k], NULL);
    }
}

/* Of a scalar by the first `moving` inputs. */
static void add_gradient(problem *p, saros_value y, int moving) {
    p->out[1][0] = y;
    saros_vjp(1, &y, NULL, moving, p->in[1], p->out[1] + 1);
    p->outs[1] = 1 + moving;
}

static void compile(problem *p) {
    for (int g = 0; g < 2; ++g)
        bench_call_make(p->graph[g], p->ins, p->in[g], p->outs[g], p->out[g], &p->call[g]);
}

static void run_value(void *user) {
    bench_call_run(&((problem *)user)->call[0]);
}
static void run_gradient(void *user) {
    bench_call_run(&((problem *)user)->call[1]);
}

/* The row; clears the problem. */
static void row(const char *name, problem *p) {
    run_value(p);
    run_gradient(p);
    for (int k = 0; k < p->outs[0]; ++k)
        bench_agree(name, p->call[1].out[k], p->call[0].out[k], 1e-13);
    bench_compare(&(bench_case){.name = name, .run = run_gradient, .floor = run_value, .user = p});
    for (int g = 0; g < 2; ++g) bench_call_clear(&p->call[g]);
}

/* ---- problems ---- */
static void measure_gmm(int64_t d, int64_t parts) {
    char name[64];
    problem p;
    saros_type type[GMM_INS];
    snprintf(name, sizeof name, "gmm %lldx%lld gradient / value", (long long)d, (long long)parts);
    if (!bench_wanted(name)) return;
    const gmm sizes = {.points = bench_size(1000),
                       .d = bench_quick() ? 3 : d,
                       .parts = bench_quick() ? 4 : parts,
                       .gamma = 1,
                       .wishart = 0};
    gmm_types(&sizes, type);
    problem_open(&p, GMM_INS, type);
    p.out[0][0] = gmm_value(&sizes, p.in[0]);
    p.outs[0] = 1;
    add_gradient(&p, gmm_value(&sizes, p.in[1]), GMM_MOVING);
    compile(&p);
    row(name, &p);
}

/* Cameras before the marks, weights off zero; everything is seen by turns. */
static void fill_ba(const ba *sizes, bench_call *call) {
    double *camera = saros_tensor_data(call->in[0]), *mark = saros_tensor_data(call->in[1]);
    int64_t *camera_of = saros_tensor_data(call->in[4]), *mark_of = saros_tensor_data(call->in[5]);
    for (int64_t k = 0; k < sizes->cameras * BA_CAMERA; ++k) camera[k] = 0.5 + 0.3 * camera[k];
    for (int64_t k = 0; k < sizes->marks * 3; ++k) mark[k] = 3 + mark[k];
    for (int64_t k = 0; k < sizes->seen; ++k) {
        camera_of[k] = k % sizes->cameras;
        mark_of[k] = k * 7 % sizes->marks;
    }
}

/* The blocks of the Jacobian, or the gradient of half the sum of squares. */
static void measure_ba(const char *name, bool blocks) {
    problem p;
    saros_type type[BA_INS];
    saros_value at[3], error[2];
    if (!bench_wanted(name)) return;
    const ba sizes = {
        .cameras = bench_size(49), .marks = bench_size(7776), .seen = bench_size(31843)};
    ba_types(&sizes, type);
    problem_open(&p, BA_INS, type);
    for (int g = 0; g < 2; ++g) {
        ba_rows(p.in[g], at);
        ba_errors(at, p.in[g][3], error);
        saros_value squares = saros_add(saros_sum(saros_mul(error[0], error[0]), 3),
                                        saros_sum(saros_mul(error[1], error[1]), 3));
        memcpy(p.out[g], blocks ? error : &squares, (blocks ? 2 : 1) * sizeof squares);
        p.outs[g] = blocks ? 2 : 1;
        if (g && blocks) ba_jacobian(at, error, p.out[g] + 2);
        if (g && blocks) p.outs[g] = 5;
        if (g && !blocks) add_gradient(&p, squares, BA_MOVING);
    }
    compile(&p);
    for (int g = 0; g < 2; ++g) fill_ba(&sizes, &p.call[g]);
    row(name, &p);
}

static void measure_lstm(int64_t layers, int64_t length) {
    char name[64];
    problem p;
    saros_type type[LSTM_INS];
    snprintf(name, sizeof name, "lstm l%lld c%lld gradient / value", (long long)layers,
             (long long)length);
    if (!bench_wanted(name)) return;
    const lstm sizes = {.layers = layers, .width = 14, .length = bench_size(length)};
    lstm_types(&sizes, type);
    problem_open(&p, LSTM_INS, type);
    p.out[0][0] = lstm_value(&sizes, p.in[0]);
    p.outs[0] = 1;
    add_gradient(&p, lstm_value(&sizes, p.in[1]), LSTM_MOVING);
    compile(&p);
    row(name, &p);
}

static void measure_ode(int64_t n, int64_t steps) {
    char name[64];
    problem p;
    snprintf(name, sizeof name, "ode n%lld s%lld gradient / value", (long long)n, (long long)steps);
    if (!bench_wanted(name)) return;
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){bench_size(n)});
    problem_open(&p, 1, &type);
    p.out[0][0] = ode_last(p.in[0][0], steps);
    p.outs[0] = 1;
    add_gradient(&p, ode_last(p.in[1][0], steps), 1);
    compile(&p);
    row(name, &p);
}

/* The whole search. */
static void measure_search(const char *what, saros_value (*value)(descent_modes, saros_value),
                           int64_t n, double start) {
    for (int pair = 0; pair < 4; ++pair) {
        char name[64];
        saros_graph *graph;
        bench_call call;
        snprintf(name, sizeof name, "%s %c%c", what, pair & 2 ? 'r' : 'f', pair & 1 ? 'r' : 'f');
        if (!bench_wanted(name)) continue;
        saros_type type = saros_type_make(SAROS_F64, 1, &n);
        bench_check(saros_graph_make(&graph));
        saros_value in = saros_input(graph, &type, NULL);
        saros_value out =
            value((descent_modes){.outer_reverse = pair & 2, .inner_reverse = pair & 1}, in);
        bench_call_make(graph, 1, &in, 1, &out, &call);
        for (int64_t k = 0; k < n; ++k) ((double *)saros_tensor_data(call.in[0]))[k] = start;
        bench_compare(&(bench_case){.name = name, .run = bench_call_run, .user = &call});
        bench_call_clear(&call);
    }
}

void bench_gradbench(void) {
    measure_gmm(10, 25);
    measure_gmm(64, 50);
    measure_ba("ba gradient / value", false);
    measure_ba("ba jacobian / value", true);
    measure_lstm(2, 1024);
    measure_lstm(4, 4096);
    measure_ode(10000, 100);
    measure_search("saddle", saddle_value, 2, 1);
    measure_search("particle", particle_value, 1, 0);
}
