/** Stencils on arrays that lie elsewhere, with ghosts around: kernels read the parts of the joined
 * arrays, in the same bits as the reference backend, which joins them. */
#include "engine_rows.h"

#include <string.h>

#include "saros/pool.h"

enum { ROWS = 150, COLUMNS = 260, LAYERS = 20, LINE = 40000 };

/** u and `width` ghosts on both sides, periodic ones or these at the left and others at the right.
 */
static saros_value around(saros_value u, int axis, int64_t width, bool periodic) {
    const int64_t n = saros_value_type(u)->shape[axis];
    const saros_value low = saros_slice(u, axis, 0, width, 1),
                      high = saros_slice(u, axis, n - width, n, 1);
    saros_value part[] = {high, u, low};
    if (!periodic) {
        part[0] = saros_mul(saros_like(low, -2), low);
        part[2] = saros_add(saros_like(high, 1), high);
    }
    return saros_concat(3, part, axis);
}

static saros_value moved(saros_value wide, int axis, int64_t by, saros_value like) {
    return saros_slice(wide, axis, by, by + saros_value_type(like)->shape[axis], 1);
}

/** f of the neighbours at distance `width` along every axis. */
static saros_value stencil(saros_value u, int64_t width, bool periodic) {
    saros_value sum = saros_mul(saros_like(u, -2.5), u);
    for (int a = 0; a < saros_value_type(u)->rank; ++a) {
        const saros_value wide = around(u, a, width, periodic);
        sum = saros_add(sum, saros_mul(moved(wide, a, 0, u), moved(wide, a, 2 * width, u)));
    }
    return sum;
}

/** The cross derivative: ghosts of ghosts. */
static saros_value corners(saros_value u) {
    const saros_value all = around(around(u, 1, 1, true), 0, 1, false);
    const saros_value low = moved(all, 0, 0, u), high = moved(all, 0, 2, u);
    return saros_sub(saros_sub(moved(high, 1, 2, u), moved(high, 1, 0, u)),
                     saros_sub(moved(low, 1, 2, u), moved(low, 1, 0, u)));
}

static saros_value part_of(saros_value packed, int k) {
    const int64_t shape[] = {ROWS, COLUMNS}, count = ROWS * COLUMNS;
    return saros_reshape(saros_slice(packed, 0, k * count, (k + 1) * count, 1), 2, shape);
}

typedef enum subject { WALLS, RING, FAR, CROSS, SOLID, ROD, PACKED, TURNED } subject;

static saros_value build(saros_graph *g, subject what, saros_value *x) {
    const int64_t plane[] = {ROWS, COLUMNS}, solid[] = {LAYERS, 30, 140}, line = LINE,
                  flat = 2 * ROWS * COLUMNS;
    switch (what) {
    case SOLID:
        *x = input_of(g, SAROS_F64, 3, solid, "x");
        return stencil(*x, 1, false);
    case ROD:
        *x = input_of(g, SAROS_F64, 1, &line, "x");
        return stencil(*x, 2, true);
    case PACKED: { /* two fields read each other, results packed again */
        *x = input_of(g, SAROS_F64, 1, &flat, "x");
        const saros_value u = part_of(*x, 0), v = part_of(*x, 1);
        const saros_value out[] = {saros_add(saros_mul(u, v), stencil(u, 1, true)),
                                   saros_sub(stencil(v, 1, false), u)};
        const int64_t count = flat / 2;
        const saros_value rate[] = {saros_reshape(out[0], 1, &count),
                                    saros_reshape(out[1], 1, &count)};
        return saros_concat(2, rate, 0);
    }
    case TURNED: /* another load runs across */
        *x = input_of(g, SAROS_F64, 2, (int64_t[]){200, 200}, "x");
        return saros_add(stencil(*x, 1, true), saros_transpose(*x));
    default:
        *x = input_of(g, SAROS_F64, 2, plane, "x");
        if (what == CROSS) return corners(*x);
        return stencil(*x, what == FAR ? 3 : 1, what != WALLS);
    }
}

/** The function of x on a backend, its value for some numbers; `copies`: joins left in its dump. */
static saros_tensor *value_of(subject what, const char *backend, int *copies) {
    static char text[1 << 16];
    saros_graph *g = new_graph();
    saros_value x, y = build(g, what, &x);
    saros_function *f = NULL;
    saros_tensor *in = NULL, *out = NULL;
    ck_ok(saros_compile(g, 1, &x, 1, &y, &(saros_compile_options){.backend = backend}, &f));
    const saros_type *type = saros_value_type(x);
    ck_ok(saros_tensor_make(SAROS_F64, type->rank, type->shape, &in));
    double *a = saros_tensor_data(in);
    for (int64_t i = 0; i < saros_tensor_count(in); ++i) a[i] = (double)(i * 7919 % 1013) / 64 - 7;
    ck_ok(saros_function_call(f, &in, &out, NULL));
    ck_assert_uint_lt(saros_function_dump(f, text, sizeof text), sizeof text);
    *copies = 0;
    for (const char *at = text; (at = strstr(at, "\nconcat")); ++at) ++*copies;
    if (strcmp(saros_backend_default(NULL), "cpu") == 0 && (!backend || !strcmp(backend, "cpu")))
        ck_assert_ptr_nonnull(strstr(text, "boxes"));
    saros_tensor_release(in);
    saros_function_release(f);
    saros_graph_release(g);
    return out;
}

static void compare(subject what) {
    int copies, joins;
    saros_tensor *expected = value_of(what, "reference", &joins);
    for (int threads = 1; threads <= 4; threads *= 2) {
        ck_ok(saros_threads_set(threads));
        saros_tensor *got = value_of(what, NULL, &copies);
        ck_assert_mem_eq(saros_tensor_const_data(got), saros_tensor_const_data(expected),
                         8 * (size_t)saros_tensor_count(expected));
        saros_tensor_release(got);
    }
    if (strcmp(saros_backend_default(NULL), "cpu") == 0)
        ck_assert_int_eq(copies, what == PACKED || what == CROSS); /* of the results, of corners */
    ck_ok(saros_threads_set(0));
    saros_tensor_release(expected);
}

START_TEST(ghosts_of_every_kind_are_read_where_they_are) {
    for (subject what = WALLS; what <= ROD; ++what) compare(what);
}
END_TEST

START_TEST(fields_of_a_packed_state_are_read_where_they_are) {
    compare(PACKED);
}
END_TEST

START_TEST(loads_that_run_across_are_read_by_tiles) {
    compare(TURNED);
}
END_TEST

SAROS_TEST_MAIN("core/parts", ghosts_of_every_kind_are_read_where_they_are,
                fields_of_a_packed_state_are_read_where_they_are,
                loads_that_run_across_are_read_by_tiles)
