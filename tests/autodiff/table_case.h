/** Examples of primitive rows and a graph made from one: what the checks of primitive_table.h work
 * on. */
#ifndef SAROS_TESTS_TABLE_CASE_H
#define SAROS_TESTS_TABLE_CASE_H

#include "autodiff/graph_run.h"

enum { TABLE_OPERANDS = 5, TABLE_OUTPUTS = 8, TABLE_ORDER = 4, TABLE_BATCH = 3 };
enum { N = -1 }; /**< extent 3, or 0 in the check of empty inputs */

/** What a check cannot be asked of an example; each use says why. */
enum {
    TABLE_NO_DIFFERENCES = 1, /**< its tangent is zero by definition */
    TABLE_NO_SECOND = 2,      /**< differentiates once only */
    TABLE_ROUNDS = 4          /**< rounds on the way: its higher differences are noise */
};

/** kind: 'f' float of the dtype under test, 'i' i64, 'b' bool. */
typedef struct table_operand {
    char kind;
    int rank;
    int64_t shape[4];
    double lo, hi;
} table_operand;

typedef struct table_example {
    const char *row;
    int operands;
    table_operand operand[TABLE_OPERANDS];
    int (*build)(saros_graph *graph, const saros_value *in, saros_value *out);
    unsigned without;
    double slack;          /**< factor on the tolerances; 0: 1 */
    saros_unary_fn *unary; /**< instead of `build` */
    saros_binary_fn *binary;
} table_example;

static inline double table_slack(const table_example *example) {
    return example->slack > 0 ? example->slack : 1;
}

static inline int table_build(const table_example *example, saros_graph *graph,
                              const saros_value *in, saros_value *out) {
    if (example->build) return example->build(graph, in, out);
    out[0] = example->unary ? example->unary(in[0]) : example->binary(in[0], in[1]);
    return 1;
}

/** Largest errors seen, printed with SAROS_TABLE_VERBOSE. */
typedef struct table_worst {
    double jvp, dot, jet, narrow, word; /**< over the example's slack */
    const char *jvp_row, *dot_row, *jet_row, *narrow_row, *word_row;
} table_worst;
static table_worst table_seen;

static inline void table_note(double *worst, const char **row, double error, const char *name) {
    if (!(error <= *worst)) {
        *worst = error;
        *row = name;
    }
}

static inline saros_type table_type(const table_operand *o, saros_dtype dtype, int64_t n) {
    saros_type type = saros_type_make(o->kind == 'f'   ? dtype
                                      : o->kind == 'i' ? SAROS_I64
                                                       : SAROS_BOOL,
                                      o->rank, o->shape);
    for (int a = 0; a < type.rank; ++a)
        if (type.shape[a] == N) type.shape[a] = n;
    return type;
}

/** A graph with the example's inputs and outputs. */
typedef struct table_case {
    const table_example *example;
    saros_dtype dtype;
    saros_graph *graph;
    saros_value in[TABLE_OPERANDS], out[TABLE_OUTPUTS];
    int outs;
    saros_tensor *at[TABLE_OPERANDS];
} table_case;

static inline saros_tensor *table_data(const table_operand *o, const saros_type *type) {
    if (o->kind == 'f' && type->dtype == SAROS_F64) { /* numbers that f32 has too */
        saros_type narrow = *type;
        narrow.dtype = SAROS_F32;
        saros_tensor *single = run_tensor(&narrow, o->lo, o->hi), *wide = NULL;
        ck_ok(saros_tensor_cast(single, SAROS_F64, &wide));
        saros_tensor_release(single);
        return wide;
    }
    if (o->kind == 'b') {
        saros_type bits = *type;
        bits.dtype = SAROS_I64;
        saros_tensor *number = run_tensor(&bits, 0, 2), *mask = NULL; /* cut off to 0 or 1 */
        ck_ok(saros_tensor_cast(number, SAROS_BOOL, &mask));
        saros_tensor_release(number);
        return mask;
    }
    return run_tensor(type, o->lo, o->hi);
}

static inline table_case table_open(const table_example *example, saros_dtype dtype, int64_t n) {
    table_case c = {.example = example, .dtype = dtype};
    ck_ok(saros_graph_make(&c.graph));
    run_state = 12345;
    for (int k = 0; k < example->operands; ++k) {
        saros_type type = table_type(&example->operand[k], dtype, n);
        c.in[k] = saros_input(c.graph, &type, NULL);
        c.at[k] = table_data(&example->operand[k], &type);
    }
    c.outs = table_build(example, c.graph, c.in, c.out);
    saros_status status = saros_graph_status(c.graph);
    ck_assert_msg(status == SAROS_OK, "%s: %s", example->row, saros_error_last()->message);
    return c;
}

static inline void table_close(table_case *c) {
    for (int k = 0; k < c->example->operands; ++k) saros_tensor_release(c->at[k]);
    saros_graph_release(c->graph);
}

static inline bool table_floats(saros_value v) {
    return saros_dtype_is_float(saros_value_dtype(v));
}
static inline int64_t table_count(saros_value v) {
    return saros_type_count(saros_value_type(v));
}

static inline bool table_differentiable(const table_case *c) {
    bool in = false, out = false;
    for (int k = 0; k < c->example->operands; ++k) in = in || table_floats(c->in[k]);
    for (int m = 0; m < c->outs; ++m) out = out || table_floats(c->out[m]);
    return in && out;
}

/** Operands of an example. */
#define TABLE_F0(lo, hi)                                                                           \
    { 'f', 0, {0}, lo, hi }
#define TABLE_F1(lo, hi, a)                                                                        \
    { 'f', 1, {a}, lo, hi }
#define TABLE_F2(lo, hi, a, b)                                                                     \
    { 'f', 2, {a, b}, lo, hi }
#define TABLE_F3(lo, hi, a, b, c)                                                                  \
    { 'f', 3, {a, b, c}, lo, hi }

#endif
