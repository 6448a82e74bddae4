/** Reductions in compiled kernels against the reference: shapes, layouts, sets of axes, dtypes; the
 * same bits at every number of threads and vector width; what becomes one kernel. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/primitive_run.h"
#include "kernel/kernel_impl.h"
#include "saros/pool.h"

/* ---- cases ---- */

static saros_value plain(saros_value x) {
    return saros_sub(saros_mul(x, x), saros_like(x, 5.0));
}
static saros_value transposed(saros_value x) {
    if (saros_value_rank(x) < 2) return plain(x);
    saros_value t = saros_transpose(x);
    return saros_sub(saros_mul(t, t), saros_like(t, 5.0));
}
static saros_value strided(saros_value x) {
    int last = saros_value_rank(x) - 1;
    if (saros_value_type(x)->shape[last] == 0) return plain(x);
    saros_value s = saros_slice(x, last, 0, saros_value_type(x)->shape[last], 2);
    return saros_add(saros_mul(s, s), saros_like(s, 1.0));
}
/** The first row (column) times the array: operands that stand still along one axis. */
static saros_value with_row(saros_value x) {
    const saros_type *type = saros_value_type(x);
    saros_value row = saros_slice(x, 0, 0, 1, 1);
    return saros_sub(saros_mul(saros_broadcast(row, type->rank, type->shape, NULL), x), x);
}
static saros_value with_column(saros_value x) {
    const saros_type *type = saros_value_type(x);
    if (type->shape[type->rank - 1] == 0) return plain(x);
    saros_value column = saros_slice(x, type->rank - 1, 0, 1, 1);
    return saros_sub(saros_mul(saros_broadcast(column, type->rank, type->shape, NULL), x), x);
}

enum { LAYOUTS = 5 };
static saros_unary_fn *const layouts[LAYOUTS] = {plain, transposed, strided, with_row, with_column};
static const char *const layout_names[LAYOUTS] = {"plain", "transposed", "strided", "row",
                                                  "column"};

static const struct {
    int rank;
    int64_t shape[4];
} shapes[] = {{1, {100003}},    {2, {130, 257}},   {2, {2049, 5}},      {2, {5, 9001}},
              {2, {20001, 3}},  {2, {3, 20001}},   {2, {700, 64}},      {2, {1, 40}},
              {2, {40, 1}},     {2, {40, 0}},      {3, {31, 17, 29}},   {3, {300, 1, 70}},
              {3, {3, 300, 9}}, {3, {2, 3, 5000}}, {4, {7, 20, 6, 11}}, {4, {11, 1, 70, 2}}};

typedef saros_value reduction(saros_value x, uint32_t axes);

/** out: the reduction, the values it reduces, the sum of their magnitudes. */
static void run_case(const char *backend, saros_unary_fn *layout, reduction *reduce, uint32_t axes,
                     saros_tensor *at, saros_tensor **out) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_tensor_type(at);
    saros_value x = saros_input(g, &type, "x"), v = layout(x);
    saros_value y[3] = {reduce(v, axes), v, saros_sum(saros_abs(v), axes)};
    ck_ok(saros_compile(g, 1, &x, 3, y, &(saros_compile_options){.backend = backend}, &f));
    ck_ok(saros_function_call(f, &at, out, NULL));
    saros_function_release(f);
    saros_graph_release(g);
}

static double at_flat(saros_tensor *t, int64_t i) {
    const void *data = saros_tensor_const_data(t);
    switch (saros_tensor_dtype(t)) {
    case SAROS_F64:
        return ((const double *)data)[i];
    case SAROS_F32:
        return (double)((const float *)data)[i];
    case SAROS_I32:
        return ((const int32_t *)data)[i];
    default:
        return (double)((const int64_t *)data)[i];
    }
}

/** Sums: |a - b| <= 600 eps sum |v|, for each side adds at most 256 elements in a row and combines
 * the rest in a tree. Others are equal. */
static void compare(saros_tensor *const *a, saros_tensor *const *b, bool sums, const char *what) {
    double eps = saros_tensor_dtype(a[0]) == SAROS_F32 ? 0x1p-24 : 0x1p-53;
    ck_assert_int_eq(saros_tensor_count(a[0]), saros_tensor_count(b[0]));
    for (int64_t i = 0; i < saros_tensor_count(a[0]); ++i) {
        double x = at_flat(a[0], i), y = at_flat(b[0], i);
        double bound = sums ? 600 * eps * at_flat(a[2], i) : 0;
        ck_assert_msg(fabs(x - y) <= bound || x == y, "%s, element %lld: %.17g, reference %.17g",
                      what, (long long)i, y, x);
    }
    ck_assert_mem_eq(saros_tensor_const_data(a[1]), saros_tensor_const_data(b[1]),
                     (size_t)saros_tensor_count(a[1]) *
                         saros_dtype_bytes(saros_tensor_dtype(a[1])));
}

START_TEST(reductions_agree_with_the_reference) {
    static const saros_dtype dtypes[] = {SAROS_F64, SAROS_F32, SAROS_I64, SAROS_I32};
    const int s = _i / 4, rank = shapes[s].rank;
    const saros_dtype dtype = dtypes[_i % 4];
    saros_tensor *at = run_random(dtype, rank, shapes[s].shape, -3, 3, 5);
    for (int k = 0; k < LAYOUTS; ++k)
        for (uint32_t axes = 1;
             (dtype == SAROS_F64 || k == (s + (int)dtype) % LAYOUTS) && axes < UINT32_C(1) << rank;
             ++axes)
            for (int r = dtype == SAROS_I32 ? 1 : 0; r < 3; ++r) {
                reduction *const reduce = r == 0 ? saros_sum : r == 1 ? saros_max : saros_min;
                saros_tensor *a[3] = {0}, *b[3] = {0};
                char what[96];
                snprintf(what, sizeof what, "shape %d, %s, axes 0x%x, %s, %s", s, layout_names[k],
                         (unsigned)axes,
                         r == 0   ? "sum"
                         : r == 1 ? "max"
                                  : "min",
                         saros_dtype_name(dtype));
                run_case("reference", layouts[k], reduce, axes, at, a);
                run_case("cpu", layouts[k], reduce, axes, at, b);
                compare(a, b, r == 0, what);
                for (int m = 0; m < 3; ++m) saros_tensor_release(a[m]);
                for (int m = 0; m < 3; ++m) saros_tensor_release(b[m]);
            }
    saros_tensor_release(at);
}
END_TEST

/** A running sum, dead after the kernel that adds its squares over an axis of one element: the
 * result has as many elements, but may not be cleared in the operand's memory. */
static saros_value dying(saros_value x) {
    saros_value v = saros_cumsum(x, 0, false);
    return saros_sum(saros_add(saros_mul(v, v), v), 2);
}
static saros_value one_after(saros_value x, uint32_t axes) {
    (void)axes;
    return dying(x);
}

START_TEST(sums_over_one_element_are_not_written_over_their_operand) {
    saros_tensor *at = run_random(SAROS_F64, 2, SHAPE(100, 1), -3, 3, 5);
    saros_tensor *a[3] = {0}, *b[3] = {0};
    run_case("reference", plain, one_after, 2, at, a);
    run_case("cpu", plain, one_after, 2, at, b);
    compare(a, b, true, "axis of one element");
    for (int m = 0; m < 3; ++m) saros_tensor_release(a[m]);
    for (int m = 0; m < 3; ++m) saros_tensor_release(b[m]);
    saros_tensor_release(at);
}
END_TEST

/* ---- NaN, infinities ---- */

START_TEST(extremes_hand_on_nan_wherever_it_stands) {
    enum { N = 2100 };
    double x[N];
    int64_t n = N, shape[2] = {N / 7, 7};
    for (int where = 0; where < N; where += where < 40 ? 1 : 97) {
        for (int i = 0; i < N; ++i) x[i] = -i;
        x[where] = NAN;
        for (int two = 0; two < 2; ++two) {
            saros_tensor *out[3] = {0}, *at = NULL;
            ck_ok(saros_tensor_from(SAROS_F64, 1 + two, two ? shape : &n, x, &at));
            run_case("cpu", plain, saros_max, two ? 2 : 1, at, out);
            ck_assert(isnan(at_flat(out[0], two ? where / 7 : 0)));
            for (int m = 0; m < 3; ++m) saros_tensor_release(out[m]);
            saros_tensor_release(at);
        }
    }
}
END_TEST

/* ---- the same bits ---- */

enum { ROOM = 1 << 16 };

/** Results of many cases, in a child whose machine has these vectors and threads. */
static void collect(const char *isa, int threads, char *to) {
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child > 0) {
        int status = -1;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        return;
    }
    size_t used = 0;
    setenv("SAROS_MAX_ISA", isa, 1);
    ck_ok(saros_threads_set(threads));
    for (int s = 0; s < 12; ++s)
        for (int k = 0; k < LAYOUTS; ++k)
            for (int dtype = SAROS_F64; dtype <= SAROS_F32; ++dtype) {
                saros_tensor *out[3] = {0};
                saros_tensor *at =
                    run_random((saros_dtype)dtype, shapes[s].rank, shapes[s].shape, -3, 3, 9);
                run_case("cpu", layouts[k], saros_sum, (uint32_t)(1 + s % 3) & 3, at, out);
                size_t bytes =
                    (size_t)saros_tensor_count(out[0]) * saros_dtype_bytes((saros_dtype)dtype);
                if (bytes > 512) bytes = 512;
                memcpy(to + used, saros_tensor_const_data(out[0]), bytes);
                used += bytes;
                for (int m = 0; m < 3; ++m) saros_tensor_release(out[m]);
                saros_tensor_release(at);
            }
    _exit(used > 0 && used <= ROOM ? 0 : 1);
}

START_TEST(sums_are_the_same_bits_at_every_width_and_thread_count) {
    static const struct {
        const char *isa;
        int threads;
    } machines[] = {{"avx512", 1}, {"avx512", 2}, {"avx512", 4}, {"avx2", 1}, {"avx2", 4}};
    char *first = mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *other = first + ROOM;
    ck_assert_ptr_ne(first, MAP_FAILED);
    collect(machines[0].isa, machines[0].threads, first);
    for (size_t k = 1; k < sizeof machines / sizeof *machines; ++k) {
        memset(other, 0, ROOM);
        collect(machines[k].isa, machines[k].threads, other);
        for (int i = 0; i < ROOM; ++i)
            ck_assert_msg(first[i] == other[i], "%s, %d threads: byte %d", machines[k].isa,
                          machines[k].threads, i);
    }
    munmap(first, 2 * ROOM);
}
END_TEST

/* ---- what becomes one kernel ---- */

START_TEST(what_is_only_reduced_is_never_stored) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    char text[1024];
    saros_type type = saros_type_make(SAROS_F64, 2, SHAPE(200, 100));
    ck_ok(saros_graph_make(&g));
    saros_value in[] = {saros_input(g, &type, "x"), saros_input(g, &type, "y")};
    saros_value p = saros_mul(in[0], in[1]);
    saros_value out[] = {saros_sum(p, 2), saros_max(saros_sqrt(saros_abs(p)), 2)};
    ck_ok(saros_compile(g, 2, in, 2, out, &(saros_compile_options){.backend = "cpu"}, &f));
    saros_function_dump(f, text, sizeof text);
    ck_assert_msg(strstr(text, "function: 1 steps\nkernel f64[200,100], f64[200,100] -> f64[200], "
                               "f64[200]\n  kernel: 2 loads, 3 operations, 2 stores\n") == text,
                  "%s", text);
    ck_assert_msg(strstr(text, "store sum(%2) over axes 1\n") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "store max(%4) over axes 1\n") != NULL, "%s", text);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

/** x / sum(x): the quotient needs the sum, so it is a kernel of its own. */
START_TEST(what_needs_the_sum_comes_after_it) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    char text[1024];
    const int64_t n = 20000;
    saros_type type = saros_type_make(SAROS_F64, 1, &n);
    ck_ok(saros_graph_make(&g));
    saros_value x = saros_input(g, &type, "x"), e = saros_add(saros_abs(x), saros_like(x, 1.0));
    saros_value y = saros_mul(saros_div(e, saros_sum(e, 1)), x);
    ck_ok(saros_compile(g, 1, &x, 1, &y, &(saros_compile_options){.backend = "cpu"}, &f));
    saros_function_dump(f, text, sizeof text);
    ck_assert_msg(strstr(text, "function: 2 steps\n") == text, "%s", text);
    ck_assert_msg(strstr(text, "over axes 0\n") != NULL, "%s", text);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

/** Whether code can be made here, asked in a child: once asked, the vectors are chosen. */
static bool can_compile(void) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) _exit(saros_jit_bits() > 0);
    return child > 0 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 1;
}

int main(void) {
    if (!can_compile()) {
        printf("no code generator here: the compiled backend is not tested\n");
        return EXIT_SUCCESS;
    }
    const saros_check_test tests[] = {
        {reductions_agree_with_the_reference, 4 * (int)(sizeof shapes / sizeof *shapes)},
        {sums_over_one_element_are_not_written_over_their_operand, 1},
        {extremes_hand_on_nan_wherever_it_stands, 1},
        {sums_are_the_same_bits_at_every_width_and_thread_count, 1},
        {what_is_only_reduced_is_never_stored, 1},
        {what_needs_the_sum_comes_after_it, 1}};
    return saros_check_loops("core/kernel_reduce", tests, (int)(sizeof tests / sizeof *tests));
}
