/** One objective on 3 ranks (threads of this process, a communicator with barriers) and on 1: a
 * parameter used inside and outside of a sum over ranks has the same gradient on each.
 *
 *  Parameters are the same numbers on every rank; points are cut over ranks, unevenly. */
#include <pthread.h>
#include <stdio.h>

#include "autodiff/graph_run.h"

enum { POINTS = 9, RANKS = 3, PARAMETERS = 3 };
static const int64_t cut[RANKS + 1] = {0, 2, 5, 9};

/* ---- a communicator of threads ---- */

typedef struct meeting {
    pthread_barrier_t barrier;
    void *part[RANKS];
} meeting;

static saros_status meet(const saros_communicator *self, saros_dtype dtype, int64_t count,
                         void *data) {
    meeting *m = self->user;
    double *sum = saros_allocate((size_t)(count + 1) * sizeof *sum);
    if (!sum || dtype != SAROS_F64) return SAROS_ERR_INTERNAL;
    m->part[self->rank] = data;
    pthread_barrier_wait(&m->barrier);
    for (int64_t k = 0; k < count; ++k) {
        sum[k] = 0;
        for (int r = 0; r < self->ranks; ++r) sum[k] += ((double *)m->part[r])[k];
    }
    pthread_barrier_wait(&m->barrier);
    memcpy(data, sum, (size_t)count * sizeof *sum);
    saros_release(sum);
    return SAROS_OK;
}

/* ---- the objective ---- */

/** u <- u - h nu u^3 + h mean(u): the mean couples the ranks at every step. */
static saros_status relax(saros_graph *body, saros_value index, const saros_value *carry,
                          const saros_value *input, void *user, saros_value *next,
                          saros_value *kept) {
    saros_value nu = *(const saros_value *)user, u = carry[0], h = saros_like(u, 0.1);
    saros_value total = saros_sum(u, 1), mean = saros_div(total, saros_like(u, POINTS));
    (void)body;
    (void)index;
    (void)input;
    next[0] =
        saros_add(saros_sub(u, saros_mul(h, saros_mul(nu, saros_power(u, 3)))), saros_mul(h, mean));
    kept[0] = saros_mul(nu, saros_sum(saros_mul(u, u), 1));
    return SAROS_OK;
}

/** A number the same on all ranks, from nu (scalar), w (2), b (scalar) and x (points, 2). */
static saros_value objective(saros_graph *g, const saros_value *p, saros_value x) {
    saros_value u = saros_tanh(saros_add(saros_matmul(x, p[1]), p[2])), end, energy;
    saros_loop_spec spec = {.n = saros_scalar(g, SAROS_I64, 5),
                            .bound = 5,
                            .carries = 1,
                            .carry = &u,
                            .kept = 1,
                            .build = relax,
                            .user = (void *)&p[0]};
    saros_loop(g, &spec, &end, &energy);
    saros_value inside = saros_sum(saros_mul(p[0], saros_sin(saros_mul(p[2], end))), 1);
    saros_value dot = saros_matmul(end, saros_mul(p[0], end));
    saros_value outside = saros_add(saros_mul(p[0], p[0]), saros_sum(saros_mul(p[1], p[1]), 1));
    saros_value sum = saros_add(saros_mul(outside, inside), saros_mul(saros_exp(p[0]), dot));
    return saros_add(sum, saros_sum(energy, 1));
}

/** J, gradients by parameters and points, J', J'' and the gradient of J', on one rank's part. */
typedef struct run {
    saros_communicator communicator;
    saros_tensor *at[PARAMETERS + 1];
    saros_tensor *out[3 + 2 * (PARAMETERS + 1)];
    saros_status status;
    char message[256];
} run;

static saros_status build(int64_t points, bool shared, saros_function **out) {
    saros_graph *g = NULL;
    saros_status status = saros_graph_make(&g);
    if (status != SAROS_OK) return status;
    saros_value in[PARAMETERS + 1], v[PARAMETERS + 1], result[3 + 2 * (PARAMETERS + 1)];
    const int rank[PARAMETERS] = {0, 1, 0};
    for (int k = 0; k < PARAMETERS; ++k) {
        saros_type type = saros_type_make(SAROS_F64, rank[k], (int64_t[]){2});
        in[k] = saros_input(g, &type, NULL);
        v[k] = saros_cos(in[k]);
    }
    saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){points, 2});
    type.split = shared ? 1 : 0;
    in[PARAMETERS] = saros_input(g, &type, "x");
    v[PARAMETERS] = SAROS_NONE;
    saros_value *j = result, *d = result + 1, series[2 * (PARAMETERS + 1)];
    j[0] = objective(g, in, in[PARAMETERS]);
    saros_vjp(1, j, NULL, PARAMETERS + 1, in, d);
    saros_value *more = d + PARAMETERS + 1;
    saros_jvp(1, j, PARAMETERS + 1, in, v, more);
    saros_vjp(1, more, NULL, PARAMETERS + 1, in, more + 2);
    for (int k = 0; k <= PARAMETERS; ++k) {
        series[2 * k] = v[k];
        series[2 * k + 1] = SAROS_NONE;
    }
    saros_value jet[2];
    saros_jet(1, j, PARAMETERS + 1, in, 2, series, jet);
    more[1] = jet[1];
    status = saros_compile(g, PARAMETERS + 1, in, 3 + 2 * (PARAMETERS + 1), result, NULL, out);
    saros_graph_release(g);
    return status;
}

static void *run_rank(void *user) {
    run *r = user;
    saros_function *f = NULL;
    int64_t points = saros_tensor_shape(r->at[PARAMETERS])[0];
    r->status = build(points, r->communicator.ranks > 1, &f);
    if (r->status == SAROS_OK)
        r->status = saros_function_call(
            f, r->at, r->out,
            &(saros_call_options){.communicator =
                                      r->communicator.ranks > 1 ? &r->communicator : NULL});
    if (r->status != SAROS_OK)
        snprintf(r->message, sizeof r->message, "%s", saros_error_last()->message);
    saros_function_release(f);
    return NULL;
}

static void run_open(run *r, int rank, int ranks, meeting *m, int64_t first, int64_t last) {
    static const double nu = 0.7, w[2] = {0.4, -0.9}, b = 0.3;
    double x[2 * POINTS];
    *r = (run){.communicator = {rank, ranks, meet, m}};
    for (int k = 0; k < 2 * POINTS; ++k) x[k] = sin(1.0 + 1.7 * k);
    r->at[0] = run_from(0, NULL, &nu);
    r->at[1] = run_from(1, (int64_t[]){2}, w);
    r->at[2] = run_from(0, NULL, &b);
    r->at[3] = run_from(2, (int64_t[]){last - first, 2}, x + 2 * first);
}

static void run_close(run *r) {
    for (int k = 0; k <= PARAMETERS; ++k) saros_tensor_release(r->at[k]);
    for (int k = 0; k < 3 + 2 * (PARAMETERS + 1); ++k) saros_tensor_release(r->out[k]);
}

/** Output k of a rank against rows [first, …) of the whole, or against all of it. */
static void compare(const run *part, const run *whole, int k, int64_t first) {
    double *a = run_read(part->out[k]), *b = run_read(whole->out[k]);
    for (int64_t i = 0; i < saros_tensor_count(part->out[k]); ++i)
        ck_assert_msg(fabs(a[i] - b[2 * first + i]) < 1e-13 * fmax(1, fabs(b[2 * first + i])),
                      "output %d of rank %d: %.17g, on one rank %.17g", k, part->communicator.rank,
                      a[i], b[2 * first + i]);
    saros_release(a);
    saros_release(b);
}

START_TEST(gradients_on_three_ranks_equal_those_on_one) {
    meeting m;
    run whole, part[RANKS];
    pthread_t thread[RANKS];
    run_open(&whole, 0, 1, NULL, 0, POINTS);
    run_rank(&whole);
    ck_assert_msg(whole.status == SAROS_OK, "%s", whole.message);
    pthread_barrier_init(&m.barrier, NULL, RANKS);
    for (int r = 0; r < RANKS; ++r) {
        run_open(&part[r], r, RANKS, &m, cut[r], cut[r + 1]);
        pthread_create(&thread[r], NULL, run_rank, &part[r]);
    }
    for (int r = 0; r < RANKS; ++r) pthread_join(thread[r], NULL);
    pthread_barrier_destroy(&m.barrier);
    for (int r = 0; r < RANKS; ++r) {
        ck_assert_msg(part[r].status == SAROS_OK, "rank %d: %s", r, part[r].message);
        for (int k = 0; k < 3 + 2 * (PARAMETERS + 1); ++k) {
            bool points = k == 1 + PARAMETERS || k == 2 + 2 * (PARAMETERS + 1);
            compare(&part[r], &whole, k, points ? cut[r] : 0);
        }
    }
    for (int r = 0; r < RANKS; ++r) run_close(&part[r]);
    run_close(&whole);
}
END_TEST

START_TEST(transposes_of_spread_and_allreduce_are_each_other) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type real = saros_type_scalar(SAROS_F64);
    saros_value x = saros_input(g, &real, "x"), part = saros_spread(x), d;
    saros_value whole = saros_allreduce(part), c = saros_input(g, &real, "c");
    saros_vjp(1, &whole, &c, 1, &x, &d);
    ck_assert_int_eq(run_count(&saros_row_allreduce, 1, &d), 1);
    saros_vjp(1, &whole, &c, 1, &part, &d);
    ck_assert_int_eq(run_count(&saros_row_allreduce, 1, &d), 0);
    ck_assert_int_eq(run_count(&saros_row_spread, 1, &d), 1);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("autodiff/ranks", gradients_on_three_ranks_equal_those_on_one,
                transposes_of_spread_and_allreduce_are_each_other)
