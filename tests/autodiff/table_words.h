/** Every word of modes on an example: all words of {jvp, vjp} to length 4, jets to order 6, jets of
 * vjp and vjp of jets, vmap of all of these; against the oracle of table_oracle.h and against each
 * other.
 *
 *  They differentiate g(t) = <w, f(x + t v + t^2 z)>: through every operand at once, and mixed
 *  derivatives count. Also in f32, with strided and repeated operands, and with empty ones. What is
 * asked of rules alone, f32, empty operands and lanes of t, runs on the reference backend: it
 * compiles at once. */
#ifndef SAROS_TESTS_TABLE_WORDS_H
#define SAROS_TESTS_TABLE_WORDS_H

#include "autodiff/table_layouts.h"
#include "autodiff/table_oracle.h"

enum {
    WORD_LENGTH = 4,
    WORD_TREE = 1 << (WORD_LENGTH + 1), /**< value 1: g; 2 i and 2 i + 1: jvp and vjp of value i */
    WORD_JET = 6,
    WORD_MIXED = 3, /**< order of jets of vjp, and of vjp of jets */
    WORD_VALUES = WORD_TREE + WORD_JET + 2 * WORD_MIXED
};

static inline saros_value word_derivative(saros_value y, saros_value t, bool reverse) {
    saros_value one = saros_like(t, 1), d = SAROS_NONE;
    if (reverse)
        saros_vjp(1, &y, NULL, 1, &t, &d);
    else
        saros_jvp(1, &y, 1, &t, &one, &d);
    return saros_instantiate(d, t);
}

/** What is derived from g, and what each of it is a multiple of: g^(order)(t) times scale. */
typedef struct table_words {
    table_case c;
    saros_value t, in[TABLE_OPERANDS + 1], of[WORD_VALUES];
    saros_tensor *at[TABLE_OPERANDS + 1];
    int ins, order[WORD_VALUES], length;
    double scale[WORD_VALUES];
    saros_function *function, *plain;
} table_words;

/** A constant of the type of `like`: numbers that f32 has too. */
static inline saros_value word_constant(saros_value like, double size) {
    saros_type type = *saros_value_type(like), narrow = type;
    narrow.dtype = SAROS_F32;
    saros_tensor *single = run_tensor(&narrow, -size, size), *t = NULL;
    ck_ok(saros_tensor_cast(single, type.dtype, &t));
    saros_value v = saros_constant(like.graph, t);
    saros_tensor_release(single);
    saros_tensor_release(t);
    return v;
}

static inline saros_value word_function(table_words *q) {
    const table_example *example = q->c.example;
    saros_value moved[TABLE_OPERANDS], out[TABLE_OUTPUTS];
    saros_value g = saros_scalar(q->c.graph, q->c.dtype, 0);
    run_state = 777;
    for (int k = 0; k < example->operands; ++k) {
        moved[k] = q->c.in[k];
        if (!table_floats(moved[k])) continue;
        saros_value v = saros_mul(q->t, word_constant(moved[k], 0.5));
        saros_value z = saros_mul(saros_mul(q->t, q->t), word_constant(moved[k], 0.5));
        moved[k] = saros_add(moved[k], saros_add(v, z));
    }
    int outs = table_build(example, q->c.graph, moved, out);
    for (int m = 0; m < outs; ++m) {
        if (!table_floats(out[m])) continue;
        saros_value y = saros_cast(out[m], q->c.dtype), p = saros_mul(y, word_constant(y, 1));
        g = saros_add(g, saros_sum(p, saros_all_axes(p)));
    }
    return g;
}

static inline void word_put(table_words *q, int k, saros_value v, int order, double scale) {
    q->of[k] = saros_instantiate(v, q->t);
    q->order[k] = order;
    q->scale[k] = scale;
}

static inline void word_derive(table_words *q, saros_value g) {
    bool once = q->c.example->without & TABLE_NO_SECOND;
    int jets = once ? 1 : WORD_JET, mixed = once ? 0 : WORD_MIXED, at = WORD_TREE;
    saros_value series[WORD_JET] = {saros_like(q->t, 1)}, jet[WORD_JET], of[WORD_MIXED];
    double factorial = 1;
    q->length = once ? 1 : WORD_LENGTH;
    for (int k = 0; k < WORD_VALUES; ++k) word_put(q, k, g, 0, 1);
    for (int k = 1, order = 1; order <= q->length; ++order)
        for (int end = 2 * k; k < end; ++k)
            for (int s = 0; s < 2; ++s)
                word_put(q, 2 * k + s, word_derivative(q->of[k], q->t, s), order, 1);
    saros_jet(1, &g, 1, &q->t, jets, series, jet);
    if (mixed) saros_jet(1, &q->of[3], 1, &q->t, mixed, series, of);
    for (int k = 1; k <= jets; ++k) {
        factorial *= k;
        word_put(q, at++, jet[k - 1], k, 1 / factorial);
        if (k > mixed) continue;
        word_put(q, at++, of[k - 1], k + 1, 1 / factorial);
        word_put(q, at++, word_derivative(saros_instantiate(jet[k - 1], q->t), q->t, true), k + 1,
                 1 / factorial);
    }
}

static const saros_compile_options words_reference = {.backend = "reference"};

static inline table_words words_open(const table_example *example, saros_dtype dtype, int64_t n,
                                     const saros_compile_options *options) {
    table_words q = {.c = table_open(example, dtype, n)};
    saros_type real = saros_type_scalar(dtype);
    q.t = saros_input(q.c.graph, &real, "t");
    for (int k = 0; k < example->operands; ++k) {
        q.in[k] = q.c.in[k];
        q.at[k] = saros_tensor_retain(q.c.at[k]);
    }
    q.in[example->operands] = q.t;
    ck_ok(saros_tensor_scalar(dtype, 0, &q.at[example->operands]));
    q.ins = example->operands + 1;
    saros_value g = word_function(&q);
    word_derive(&q, g);
    ck_assert_msg(saros_graph_status(q.c.graph) == SAROS_OK, "%s: %s", example->row,
                  saros_error_last()->message);
    ck_ok(saros_compile(q.c.graph, q.ins, q.in, WORD_VALUES, q.of, options, &q.function));
    ck_ok(saros_compile(q.c.graph, q.ins, q.in, 1, &g, options, &q.plain));
    return q;
}

static inline void words_close(table_words *q) {
    for (int k = 0; k < q->ins; ++k) saros_tensor_release(q->at[k]);
    saros_function_release(q->function);
    saros_function_release(q->plain);
    table_close(&q->c);
}

/** All values at the operands `at`; the function's outputs are scalars, or vectors of `lanes`. */
static inline void words_run(const saros_function *f, saros_tensor *const *at, int64_t lanes,
                             double *to) {
    saros_tensor *out[WORD_VALUES] = {NULL};
    ck_ok(saros_function_call(f, at, out, NULL));
    for (int k = 0; k < WORD_VALUES; ++k) {
        double *x = run_read(out[k]);
        ck_assert_int_eq(saros_tensor_count(out[k]), lanes);
        for (int64_t b = 0; b < lanes; ++b) to[b * WORD_VALUES + k] = x[b];
        saros_release(x);
        saros_tensor_release(out[k]);
    }
}

static inline double words_plain(double t, void *user) {
    table_words *q = user;
    saros_tensor *out = NULL, *keep = q->at[q->ins - 1];
    double y;
    ck_ok(saros_tensor_scalar(SAROS_F64, t, &q->at[q->ins - 1]));
    ck_ok(saros_function_call(q->plain, q->at, &out, NULL));
    ck_ok(saros_tensor_item(out, &y));
    saros_tensor_release(out);
    saros_tensor_release(q->at[q->ins - 1]);
    q->at[q->ins - 1] = keep;
    return y;
}

/** Against differences of g itself, and all words of one order against each other. */
static inline void words_check_numbers(table_words *q, const double *got) {
    const table_example *example = q->c.example;
    double slack = table_slack(example), first[ORACLE_ORDER + 1];
    bool seen[ORACLE_ORDER + 1] = {false};
    oracle o = oracle_of(words_plain, q, DBL_EPSILON * slack);
    if (example->without & TABLE_NO_DIFFERENCES)
        for (int k = 1; k <= ORACLE_ORDER; ++k) o.value[k] = o.noise[k] = 0;
    if (example->without & TABLE_ROUNDS)
        for (int k = 2; k <= ORACLE_ORDER; ++k) o.value[k] = o.noise[k] = NAN;
    for (int k = 1; k < WORD_VALUES; ++k) {
        int order = q->order[k];
        double a = got[k] / q->scale[k], size = 1 + fabs(o.value[order]);
        double error = fabs(a - o.value[order]), room = o.noise[order] + 1e-10 * slack * size;
        ck_assert_msg(!(error > room), "%s: value %d, derivative %d: %.15g, by differences %.15g",
                      example->row, k, order, a, o.value[order]);
        ck_assert_msg(order > WORD_LENGTH || !(o.noise[order] > 1e-3 * size),
                      "%s: differences of order %d say nothing", example->row, order);
        if (!seen[order]) first[order] = a;
        seen[order] = true;
        error = fabs(a - first[order]) / (1 + fabs(a)) / slack;
        ck_assert_msg(error <= 1e-11, "%s: value %d, derivative %d: %.15g, in another word %.15g",
                      example->row, k, order, a, first[order]);
        table_note(&table_seen.word, &table_seen.word_row, error, example->row);
    }
}

static inline void words_compare(const table_words *q, const char *what, const double *got,
                                 const double *want, double tolerance) {
    for (int k = 1; k < WORD_VALUES; ++k) {
        double error = fabs(got[k] - want[k]) / (1 + fabs(want[k]));
        ck_assert_msg(error <= tolerance, "%s: value %d, derivative %d, %s: %.15g for %.15g",
                      q->c.example->row, k, q->order[k], what, got[k], want[k]);
    }
}

/** vmap of all words, over t alone or over every operand, against single calls. */
static inline void words_check_batch(table_words *q, bool all) {
    const table_example *example = q->c.example;
    saros_value in[TABLE_OPERANDS + 1], out[WORD_VALUES];
    saros_tensor *at[TABLE_OPERANDS + 1], *lane[TABLE_OPERANDS + 1];
    double got[TABLE_BATCH * WORD_VALUES], want[WORD_VALUES];
    bool batched[TABLE_OPERANDS + 1];
    saros_graph *graph = NULL;
    saros_body *body = NULL;
    saros_function *function = NULL;
    ck_ok(saros_body_extract(q->c.graph, q->ins, q->in, WORD_VALUES, q->of, &body, NULL));
    ck_ok(saros_graph_make(&graph));
    for (int k = 0; k < q->ins; ++k) {
        saros_type type = *saros_value_type(q->in[k]), wide = type;
        batched[k] = all || k == q->ins - 1;
        if (batched[k]) {
            wide.rank = type.rank + 1;
            wide.shape[0] = TABLE_BATCH;
            for (int a = 0; a < type.rank; ++a) wide.shape[a + 1] = type.shape[a];
        }
        in[k] = saros_input(graph, &wide, NULL);
        at[k] = k == q->ins - 1 ? run_tensor(&wide, -0.05, 0.05)
                : all           ? table_data(&example->operand[k], &wide)
                                : saros_tensor_retain(q->at[k]);
    }
    saros_vmap(graph, body, TABLE_BATCH, in, batched, out);
    ck_assert_msg(saros_graph_status(graph) == SAROS_OK, "%s: vmap of words: %s", example->row,
                  saros_error_last()->message);
    ck_ok(saros_compile(graph, q->ins, in, WORD_VALUES, out, all ? NULL : &words_reference,
                        &function));
    words_run(function, at, TABLE_BATCH, got);
    for (int64_t b = 0; b < TABLE_BATCH; ++b) {
        for (int k = 0; k < q->ins; ++k) lane[k] = table_lane(at[k], batched[k], b);
        words_run(q->function, lane, 1, want);
        words_compare(q, all ? "in a lane of all operands" : "in a lane of t",
                      got + b * WORD_VALUES, want, 1e-11 * table_slack(example));
        for (int k = 0; k < q->ins; ++k) saros_tensor_release(lane[k]);
    }
    for (int k = 0; k < q->ins; ++k) saros_tensor_release(at[k]);
    saros_function_release(function);
    saros_body_release(body);
    saros_graph_release(graph);
}

/** Operands behind other strides: the same numbers. */
static inline void words_check_layout(table_words *q, saros_tensor *(*change)(saros_tensor *),
                                      bool densify) {
    saros_tensor *moved[TABLE_OPERANDS + 1], *dense[TABLE_OPERANDS + 1];
    double got[WORD_VALUES], want[WORD_VALUES];
    for (int k = 0; k < q->ins; ++k) {
        moved[k] = change(q->at[k]);
        dense[k] = NULL;
        if (densify)
            ck_ok(saros_tensor_cast(moved[k], saros_tensor_dtype(moved[k]), &dense[k]));
        else
            dense[k] = saros_tensor_retain(q->at[k]);
    }
    words_run(q->function, moved, 1, got);
    words_run(q->function, dense, 1, want);
    words_compare(q, densify ? "repeated operands" : "strided operands", got, want,
                  1e-11 * table_slack(q->c.example));
    for (int k = 0; k < q->ins; ++k) {
        saros_tensor_release(moved[k]);
        saros_tensor_release(dense[k]);
    }
}

static inline bool words_apply(const table_example *example) {
    table_case c = table_open(example, SAROS_F64, 3);
    bool any = table_differentiable(&c);
    table_close(&c);
    return any;
}

static inline void table_check_words(const table_example *example) {
    double wide[WORD_VALUES], narrow[WORD_VALUES];
    if (!words_apply(example)) return;
    table_words q = words_open(example, SAROS_F64, 3, NULL);
    words_run(q.function, q.at, 1, wide);
    words_check_numbers(&q, wide);
    words_check_layout(&q, table_strided, false);
    words_check_layout(&q, table_repeated, true);
    words_check_batch(&q, false);
    words_check_batch(&q, true);
    words_close(&q);
    q = words_open(example, SAROS_F32, 3, &words_reference);
    words_run(q.function, q.at, 1, narrow);
    words_compare(&q, "in f32", narrow, wide, 1e-3);
    words_close(&q);
    q = words_open(example, SAROS_F64, 0, &words_reference);
    words_run(q.function, q.at, 1, narrow);
    for (int k = 0; k < WORD_VALUES; ++k)
        ck_assert_msg(isfinite(narrow[k]), "%s: value %d of empty operands", example->row, k);
    words_close(&q);
}

#endif
