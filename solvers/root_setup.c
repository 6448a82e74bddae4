/** What all nodes of one root, or of one linear solve, share: the pattern of the matrix and the way
 * to its entries, the solver, the name. */
#include <string.h>

#include "root_impl.h"
#include "saros/memory.h"

/* Of Krylov solves where the options give none: Newton's steps need less. */
static const double RTOL_LINEAR = 1e-10, RTOL_STEP = 1e-6;

static void setup_release(void *payload) {
    saros_root_setup *setup = payload;
    saros_sparsity_release(setup->pattern);
    saros_krylov_plan_release(setup->krylov);
    saros_body_release(setup->entries);
    saros_tensor_release(setup->repeated);
    pthread_mutex_destroy(&setup->lock);
    saros_release(setup->name);
    saros_release(setup);
}

static const saros_opaque_class setup_class = {"root setup", setup_release};

saros_root_setup *saros_root_setup_of(const saros_attributes *attributes) {
    return saros_tensor_payload(attributes->tensor, &setup_class);
}

saros_status saros_root_setup_like(const saros_root_setup *like, saros_sparsity *pattern,
                                   int64_t lanes, saros_tensor **out) {
    saros_krylov_plan *krylov = NULL;
    saros_root_setup *setup = saros_allocate_zero(1, sizeof *setup);
    char *name = saros_string_copy(like->name);
    if (!setup || !name || saros_krylov_plan_copy(like->krylov, &krylov)) {
        saros_release(setup);
        saros_release(name);
        return SAROS_ERR_MEMORY;
    }
    setup->pattern = saros_sparsity_retain(pattern);
    setup->krylov = krylov;
    setup->lanes = lanes;
    setup->linear = like->linear;
    setup->name = name;
    atomic_init(&setup->verified, false);
    pthread_mutex_init(&setup->lock, NULL);
    return saros_tensor_opaque(&setup_class, setup, out);
}

bool saros_root_setup_serves(const saros_root_setup *setup, const saros_root_options *options) {
    saros_krylov_plan *plan = NULL;
    if (!setup->linear || strcmp(setup->name, options->name) != 0) return false;
    if (setup->lanes != 1 || (setup->krylov == NULL) != (options->krylov == NULL)) return false;
    bool same = setup->given == options->sparsity;
    if (!same || !options->krylov) return same;
    if (saros_krylov_plan_make(options->krylov, RTOL_LINEAR, &plan)) return false;
    same = saros_krylov_plan_equal(plan, setup->krylov);
    saros_krylov_plan_release(plan);
    return same;
}

static saros_status check_order(const saros_sparsity *pattern, int64_t n, const char *where) {
    if (!pattern || saros_sparsity_size(pattern) == n) return SAROS_OK;
    return saros_fail(SAROS_ERR_SHAPE, where, NULL,
                      "the sparsity is of order %lld, the unknowns are %lld",
                      (long long)saros_sparsity_size(pattern), (long long)n);
}

/* `like` holds name and kind; its solver is made here. */
static saros_status setup_make(saros_graph *graph, saros_body *residual,
                               const saros_root_options *options, saros_root_setup like,
                               saros_tensor **setup) {
    int64_t n = saros_value_type(saros_body_input(residual, 0))->shape[0];
    saros_sparsity *pattern = options ? options->sparsity : NULL, *found = NULL;
    saros_body *entries = NULL;
    saros_status status = check_order(pattern, n, like.name);
    if (status) return status;
    if (options && options->krylov)
        SAROS_TRY(saros_krylov_plan_make(options->krylov, like.linear ? RTOL_LINEAR : RTOL_STEP,
                                         &like.krylov));
    bool matrix = !like.krylov || !like.krylov->matrix_free;
    if (matrix)
        SAROS_TRY(saros_body_entries(graph, residual, pattern, &entries, pattern ? NULL : &found));
    SAROS_TRY(saros_root_setup_like(&like, !matrix ? NULL : pattern ? pattern : found, 1, setup));
    saros_root_setup *made = saros_tensor_payload(*setup, &setup_class);
    made->given = pattern;
    made->entries = entries;
    atomic_store(&made->verified, !like.linear && (!matrix || !pattern));
    entries = NULL;
done:
    saros_krylov_plan_release(like.krylov);
    saros_sparsity_release(found);
    saros_body_release(entries);
    return status;
}

saros_status saros_root_setup_for(saros_graph *graph, saros_body *residual,
                                  const saros_root_options *options, saros_tensor **setup) {
    const char *name = options && options->name ? options->name : "root";
    saros_root_setup like = {.name = (char *)(uintptr_t)name}; /* copied */
    return setup_make(graph, residual, options, like, setup);
}

saros_status saros_root_setup_linear(saros_graph *graph, saros_body *residual,
                                     const saros_root_options *options, saros_tensor **setup) {
    const char *name = options && options->name ? options->name : "linear_solve";
    saros_root_setup like = {.name = (char *)(uintptr_t)name, .linear = true};
    return setup_make(graph, residual, options, like, setup);
}
