/** The sparsity of the Jacobian holds every entry there is: dense columns by jvp, compared with the
 * pattern, on small grids of every kind. */
#include "grid/program_impl.h"
#include "manufactured.h"
#include "saros/memory.h"
#include "saros_check.h"
#include "task_impl.h"

/** u v-coupled: r1 = u + v u.x - (v u.x).x - u.yy, r2 = v - v.xx + u.xy - (u v.y).y */
static saros_status coupled(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value u = saros_get(s, "u"), v = saros_get(s, "v"), ux = saros_d(s, "u", "x");
    saros_value flux = saros_mul(v, ux), other = saros_mul(u, saros_d(s, "v", "y"));
    r[0] =
        saros_sub(saros_add(u, flux), saros_add(saros_d_of(s, flux, "x"), saros_d(s, "u", "yy")));
    r[1] = saros_sub(saros_add(v, saros_d(s, "u", "xy")),
                     saros_add(saros_d(s, "v", "xx"), saros_d_of(s, other, "y")));
    return SAROS_OK;
}
/** r = u - ((1 + u^2) u.x).x */
static saros_status single(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value u = saros_get(s, "u");
    saros_value k = saros_add(saros_like(u, 1), saros_mul(u, u));
    r[0] = saros_sub(u, saros_d_of(s, saros_mul(k, saros_d(s, "u", "x")), "x"));
    return SAROS_OK;
}

/** One product with all entries agrees with that of the compressed values. */
static void check_values(const saros_grid_program *program, saros_tensor *const *in,
                         saros_tensor *along, const saros_sparsity *pattern, const double *value) {
    double *v = saros_tensor_data(along);
    saros_tensor *product = NULL;
    const int64_t *row = saros_sparsity_rows(pattern), *column = saros_sparsity_columns(pattern);
    for (int64_t i = 0; i < program->plan.size; ++i) v[i] = 0.5 + rand() / (double)RAND_MAX;
    ck_ok(saros_function_call(program->jvp, in, &product, NULL));
    for (int64_t i = 0; i < program->plan.size; ++i) {
        double sum = 0, size = 1;
        for (int64_t k = row[i]; k < row[i + 1]; ++k) {
            sum += value[k] * v[column[k]];
            size += fabs(value[k] * v[column[k]]);
        }
        ck_near(sum / size, ((const double *)saros_tensor_const_data(product))[i] / size, 1e-13);
    }
    saros_tensor_release(product);
}

/** Number of entries of J at a random state; fails if one lies outside the pattern. */
static void check_pattern(saros_problem *p, int64_t cells, int64_t order, double most_fill) {
    saros_task task;
    saros_grid_options options = {.cells = {cells}, .order = order};
    const saros_grid_program *program = NULL;
    int64_t each[3];
    ck_ok(saros_task_resolve(p, &saros_grid, &options, NULL, &task));
    saros_grid_cells(&task, each);
    ck_ok(saros_grid_program_get(&task, each, order, &program));
    int64_t n = program->plan.size, used = 0;
    saros_tensor *in[16] = {NULL}, *state = NULL, *v = NULL;
    ck_ok(saros_tensor_make(SAROS_F64, 1, &n, &state));
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, &n, &v));
    double *y = saros_tensor_data(state), *direction = saros_tensor_data(v);
    srand(7);
    for (int64_t i = 0; i < n; ++i) y[i] = 0.5 + rand() / (double)RAND_MAX;
    in[0] = state;
    ck_ok(saros_grid_arguments(&task, &program->plan, in + 1));
    in[1 + program->parameters] = v;
    saros_jacobian *jacobian = NULL;
    ck_ok(saros_grid_jacobian_get(&task, program, &jacobian));
    const saros_sparsity *pattern = saros_jacobian_sparsity(jacobian);
    const int64_t *row = saros_sparsity_rows(pattern);
    const int64_t *column = saros_sparsity_columns(pattern);
    for (int64_t j = 0; j < n; ++j) {
        saros_tensor *product = NULL;
        direction[j] = 1;
        ck_ok(saros_function_call(program->jvp, in, &product, NULL));
        direction[j] = 0;
        const double *entry = saros_tensor_const_data(product);
        for (int64_t i = 0; i < n; ++i) {
            bool there = false;
            for (int64_t k = row[i]; k < row[i + 1]; ++k) there |= column[k] == j;
            used += entry[i] != 0;
            ck_assert_msg(there || entry[i] == 0,
                          "%s order %d: J(%d,%d) = %g is not in the pattern", saros_problem_name(p),
                          (int)order, (int)i, (int)j, entry[i]);
        }
        saros_tensor_release(product);
    }
    double *value = malloc((size_t)row[n] * sizeof *value);
    ck_ok(saros_jacobian_values(jacobian, in, value));
    check_values(program, in, v, pattern, value);
    free(value);
    double fill = (double)saros_sparsity_nonzeros(pattern) / (double)used;
    ck_assert_msg(fill <= most_fill, "the pattern holds %.2f times the entries", fill);
    for (int k = 0; k < program->parameters; ++k) saros_tensor_release(in[1 + k]);
    saros_tensor_release(state);
    saros_tensor_release(v);
    saros_task_clear(&task);
}

static void check_single(saros_condition_kind lo, saros_condition_kind hi, double most_fill) {
    saros_problem *p = NULL;
    saros_condition sides[3] = {{.axis = "x", .side = "lo", .kind = lo, .a = 1, .b = 2},
                                {.axis = "x", .side = "hi", .kind = hi, .a = 1, .b = 2},
                                {0}};
    saros_condition both[2] = {{.axis = "x", .kind = SAROS_PERIODIC}, {0}};
    ck_ok(saros_problem_make(&(saros_problem_spec){.name = "single",
                                                   .axes = (saros_axis[]){{"x", 0, 1}, {0}},
                                                   .unknowns = (const char *[]){"u", NULL},
                                                   .equation = single,
                                                   .boundary = lo == SAROS_PERIODIC ? both : sides},
                             &p));
    check_pattern(p, 12, 2, most_fill);
    check_pattern(p, 16, 4, most_fill);
    saros_problem_release(p);
}

START_TEST(the_pattern_holds_every_entry_in_one_axis) {
    check_single(SAROS_PERIODIC, SAROS_PERIODIC, 1.05);
    check_single(SAROS_DIRICHLET, SAROS_DIRICHLET, 1.2);
    check_single(SAROS_NEUMANN, SAROS_ROBIN, 1.2);
    check_single(SAROS_ROBIN, SAROS_DIRICHLET, 1.2);
}
END_TEST

static void check_coupled(const saros_condition *list) {
    saros_problem *p = NULL;
    ck_ok(saros_problem_make(
        &(saros_problem_spec){.name = "coupled",
                              .axes = (saros_axis[]){{"x", 0, 1}, {"y", 0, 1}, {0}},
                              .unknowns = (const char *[]){"u", "v", NULL},
                              .equation = coupled,
                              .boundary = list},
        &p));
    check_pattern(p, 6, 2, 1.6);
    check_pattern(p, 9, 4, 1.9);
    saros_problem_release(p);
}

START_TEST(the_pattern_holds_every_entry_of_coupled_unknowns_in_two_axes) {
    check_coupled((saros_condition[]){
        {.axis = "x", .kind = SAROS_PERIODIC}, {.axis = "y", .kind = SAROS_PERIODIC}, {0}});
    check_coupled((saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET, .value = 1},
                                      {.axis = "y", .kind = SAROS_DIRICHLET, .value = 1},
                                      {0}});
    /* own points differ between the unknowns: not interleaved */
    check_coupled(
        (saros_condition[]){{.axis = "x", .unknown = "u", .kind = SAROS_DIRICHLET, .value = 1},
                            {.axis = "x", .unknown = "v", .kind = SAROS_NEUMANN},
                            {.axis = "y", .side = "lo", .kind = SAROS_ROBIN, .a = 1, .b = 1},
                            {.axis = "y", .side = "hi", .kind = SAROS_NEUMANN},
                            {0}});
}
END_TEST

SAROS_TEST_MAIN("physics/pattern", the_pattern_holds_every_entry_in_one_axis,
                the_pattern_holds_every_entry_of_coupled_unknowns_in_two_axes)
