/** Options of Krylov solves with every default in place. */
#include <string.h>

#include "krylov_impl.h"

#include "saros/memory.h"

static double first_positive(double a, double b) {
    return a > 0 ? a : b;
}

static saros_krylov_tolerance or_else(saros_krylov_tolerance given, double rtol,
                                      const saros_krylov_tolerance *otherwise) {
    return (saros_krylov_tolerance){
        .rtol = first_positive(given.rtol, rtol),
        .atol = first_positive(given.atol, otherwise->atol),
        .max_iterations =
            given.max_iterations > 0 ? given.max_iterations : otherwise->max_iterations,
    };
}

saros_status saros_krylov_plan_make(const saros_krylov_options *options, double rtol,
                                    saros_krylov_plan **out) {
    static const saros_krylov_tolerance defaults = {.max_iterations = 10000};
    saros_krylov_plan plan = {.matrix_free = options->matrix_free};
    saros_krylov_tolerance *of = plan.of;
    of[SAROS_SOLVE_ITSELF] = or_else(options->solve, rtol, &defaults);
    double tight = of[SAROS_SOLVE_ITSELF].rtol < 1e-10 ? of[SAROS_SOLVE_ITSELF].rtol : 1e-10;
    of[SAROS_SOLVE_DERIVATIVE] = or_else(options->derivative, tight, &of[SAROS_SOLVE_ITSELF]);
    of[SAROS_SOLVE_TRANSPOSED] =
        or_else(options->transposed, of[SAROS_SOLVE_DERIVATIVE].rtol, &of[SAROS_SOLVE_DERIVATIVE]);
    plan.petsc = (char *)(uintptr_t)options->petsc; /* copied below */
    return saros_krylov_plan_copy(&plan, out);
}

saros_status saros_krylov_plan_copy(const saros_krylov_plan *plan, saros_krylov_plan **out) {
    *out = NULL;
    if (!plan) return SAROS_OK;
    saros_krylov_plan *copy = saros_allocate_zero(1, sizeof *copy);
    if (!copy) return SAROS_ERR_MEMORY;
    *copy = *plan;
    copy->petsc = saros_string_copy(plan->petsc ? plan->petsc : "");
    if (!copy->petsc) {
        saros_release(copy);
        return SAROS_ERR_MEMORY;
    }
    *out = copy;
    return SAROS_OK;
}

bool saros_krylov_plan_equal(const saros_krylov_plan *a, const saros_krylov_plan *b) {
    bool same = a->matrix_free == b->matrix_free && strcmp(a->petsc, b->petsc) == 0;
    for (int k = 0; k < SAROS_SOLVE_ROLES; ++k)
        same = same && a->of[k].rtol == b->of[k].rtol && a->of[k].atol == b->of[k].atol &&
               a->of[k].max_iterations == b->of[k].max_iterations;
    return same;
}

void saros_krylov_plan_release(saros_krylov_plan *plan) {
    if (!plan) return;
    saros_release(plan->petsc);
    saros_release(plan);
}
