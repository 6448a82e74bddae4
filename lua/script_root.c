/** saros.root and saros.linear_solve: F(x) = 0 by Newton, A x = b, both differentiated by the
 * implicit function theorem, solved directly or by PETSc's Krylov methods. */
#include "saros/root.h"
#include "script_problem_impl.h"
#include "script_vector_impl.h"

/* ---- krylov = {petsc=, matrix_free=, rtol=, …, derivative={}, transposed={}} ---- */

#define FIELD(name) offsetof(saros_krylov_tolerance, name)
static const saros_option tolerance_rows[] = {
    {"rtol", SAROS_OPTION_NUMBER, FIELD(rtol), "", 0, 1, NULL, NULL,
     "on |b - A x|, relative to |b|", NULL},
    {"atol", SAROS_OPTION_NUMBER, FIELD(atol), "", 0, 1e300, NULL, NULL, "the same, absolute",
     NULL},
    {"max_iterations", SAROS_OPTION_INTEGER, FIELD(max_iterations), "", 1, 1e9, NULL, NULL,
     "more are an error", NULL},
};
#undef FIELD
static const saros_option_table tolerance_table = {"tolerance", sizeof(saros_krylov_tolerance),
                                                   tolerance_rows, 3, -1};

typedef struct krylov_table_fields {
    const char *petsc;
    int matrix_free;
    saros_krylov_tolerance solve, derivative, transposed;
} krylov_table_fields;

#define FIELD(name) offsetof(krylov_table_fields, name)
static const saros_option krylov_rows[] = {
    {"petsc", SAROS_OPTION_DICTIONARY, FIELD(petsc), "gmres, ilu", 0, 0, NULL, NULL,
     "PETSc KSP and PC options by their own names", NULL},
    {"matrix_free", SAROS_OPTION_FLAG, FIELD(matrix_free), "false", 0, 0, NULL, NULL,
     "by products with A and its transpose, without a matrix", NULL},
    {"rtol", SAROS_OPTION_NUMBER, FIELD(solve.rtol), "1e-10", 0, 1, NULL, NULL,
     "on |b - A x|, relative to |b|; steps of a root: 1e-6", NULL},
    {"atol", SAROS_OPTION_NUMBER, FIELD(solve.atol), "0", 0, 1e300, NULL, NULL,
     "the same, absolute", NULL},
    {"max_iterations", SAROS_OPTION_INTEGER, FIELD(solve.max_iterations), "10000", 1, 1e9, NULL,
     NULL, "more are an error", NULL},
    {"derivative", SAROS_OPTION_GROUP, FIELD(derivative), "", 0, 0, NULL, NULL,
     "tolerance of derivatives, default rtol 1e-10", &tolerance_table},
    {"transposed", SAROS_OPTION_GROUP, FIELD(transposed), "", 0, 0, NULL, NULL,
     "tolerance of transposed derivatives, default that of derivatives", &tolerance_table},
};
#undef FIELD
static const saros_option_table krylov_table = {"krylov", sizeof(krylov_table_fields), krylov_rows,
                                                7, -1};

/** Fields of the tables of both functions; zero rtol of a linear solve: unused. */
typedef struct root_fields {
    double rtol, atol;
    krylov_table_fields krylov;
} root_fields;

#define FIELD(name) offsetof(root_fields, name)
static const saros_option root_rows[] = {
    {"krylov", SAROS_OPTION_GROUP, FIELD(krylov), "", 0, 0, NULL, NULL,
     "solve by a Krylov method of PETSc instead of directly", &krylov_table},
    {"rtol", SAROS_OPTION_NUMBER, FIELD(rtol), "1e-10", 0, 1, NULL, NULL,
     "on |F|, relative to its first value", NULL},
    {"atol", SAROS_OPTION_NUMBER, FIELD(atol), "1e-14", 0, 1e300, NULL, NULL, "on |F|, absolute",
     NULL},
};
#undef FIELD
static const saros_option_table root_table = {"root", sizeof(root_fields), root_rows, 3, -1};
static const saros_option_table linear_table = {"linear_solve", sizeof(root_fields), root_rows, 1,
                                                -1};

/** The Krylov options of the table at 3, or NULL where it has none. */
static const saros_krylov_options *krylov_of(lua_State *L, const root_fields *fields,
                                             saros_krylov_options *out) {
    bool given = lua_istable(L, 3) && lua_getfield(L, 3, "krylov") != LUA_TNIL;
    if (lua_istable(L, 3)) lua_pop(L, 1);
    const krylov_table_fields *k = &fields->krylov;
    *out = (saros_krylov_options){.petsc = k->petsc,
                                  .matrix_free = k->matrix_free > 0,
                                  .solve = k->solve,
                                  .derivative = k->derivative,
                                  .transposed = k->transposed};
    return given ? out : NULL;
}

/** (F, x0, options, anchor) inside a recording. */
static int root_core(lua_State *L) {
    static const char *const also[] = {"args", "max_iterations"};
    root_fields fields = {0};
    saros_krylov_options krylov;
    saros_root_options options = {.name = "saros.root"};
    lua_settop(L, 4);
    if (lua_istable(L, 3)) {
        script_options_read(L, 3, 4, &root_table, &fields, "saros.root", also, 2);
        if (lua_getfield(L, 3, "max_iterations") != LUA_TNIL)
            options.max_iterations = (int)script_integer(L, -1, "max_iterations");
        lua_pop(L, 1);
    }
    options.rtol = fields.rtol;
    options.atol = fields.atol;
    options.krylov = krylov_of(L, &fields, &krylov);
    script_locate(L, script_state_of(L)->top->graph);
    int args = script_args_option(L, 3);
    saros_value guess;
    script_vector x = script_vector_read(L, 2, &guess);
    if (guess.graph != script_state_of(L)->top->graph) guess = script_alias(L, guess);
    script_vector_call *call = script_vector_hold(L, 4, 1, &x, args, "root");
    saros_value solution = saros_root(guess, script_vector_residual, call, &options);
    if (saros_is_poisoned(solution)) script_push_value(L, solution, false); /* raises */
    script_vector_push(L, &x, solution);
    return 1;
}

/** (A, b, options, anchor) inside a recording. */
static int linear_core(lua_State *L) {
    static const char *const also[] = {"args"};
    root_fields fields = {0};
    saros_krylov_options krylov;
    lua_settop(L, 4);
    if (lua_istable(L, 3))
        script_options_read(L, 3, 4, &linear_table, &fields, "saros.linear_solve", also, 1);
    saros_linear_options options = {.name = "saros.linear_solve",
                                    .krylov = krylov_of(L, &fields, &krylov)};
    script_locate(L, script_state_of(L)->top->graph);
    int args = script_args_option(L, 3);
    saros_value b;
    script_vector x = script_vector_read(L, 2, &b);
    if (b.graph != script_state_of(L)->top->graph) b = script_alias(L, b);
    script_vector_call *call = script_vector_hold(L, 4, 1, &x, args, "linear_solve");
    saros_value solution = saros_linear_solve(b, script_vector_residual, call, &options);
    if (saros_is_poisoned(solution)) script_push_value(L, solution, false); /* raises */
    script_vector_push(L, &x, solution);
    return 1;
}

static int solve_with(lua_State *L, const char *function, lua_CFunction core) {
    script_check_function(L, 1, function);
    lua_settop(L, 3);
    lua_newtable(L);
    script_transform_push(L, core, 0);
    lua_insert(L, 1);
    lua_call(L, 4, 1);
    return 1;
}

static int solver_root(lua_State *L) {
    return solve_with(L, "F", root_core);
}
static int solver_linear(lua_State *L) {
    return solve_with(L, "A", linear_core);
}

static const script_entry entries[] = {
    {"root", "F, x0, options?", "any",
     "x with F(x, …) = 0 near x0; {args=, rtol=, atol=, max_iterations=, krylov=}", solver_root},
    {"linear_solve", "A, b, options?", "any",
     "x with A(x, …) = b, A a linear function; {args=, krylov={petsc=, matrix_free=, rtol=, …}}",
     solver_linear},
};

const script_entries script_root_entries = {entries, (int)(sizeof entries / sizeof *entries)};
