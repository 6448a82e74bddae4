/** Functions: making, ending and reading them; compile from values and from bodies. */
#include <stdlib.h>
#include <string.h>

#include "compile_impl.h"
#include "gemm/lower_impl.h"
#include "kernel/kernel_impl.h"
#include "rewrite_impl.h"
#include "rows/rows_impl.h"
#include "saros/memory.h"
#include "saros/rows.h"

saros_function *saros_function_make(saros_graph *graph, const saros_compile_options *options) {
    saros_function *f = saros_allocate_zero(1, sizeof *f);
    if (!f) return NULL;
    f->name = saros_string_copy(options && options->name ? options->name : "function");
    if (!f->name || pthread_mutex_init(&f->lock, NULL) != 0) {
        if (f->name) saros_fail(SAROS_ERR_MEMORY, "saros_compile", NULL, "no lock to be had");
        saros_release(f->name);
        saros_release(f);
        return NULL;
    }
    atomic_init(&f->references, 1);
    atomic_init(&f->spare, NULL);
    f->graph = saros_graph_retain(graph);
    f->check_finite = options && options->check_finite;
    f->backend = options ? options->backend : "reference";
    return f;
}

saros_function *saros_function_retain(saros_function *f) {
    if (f) atomic_fetch_add_explicit(&f->references, 1, memory_order_relaxed);
    return f;
}

void saros_function_release(saros_function *f) {
    if (!f || atomic_fetch_sub_explicit(&f->references, 1, memory_order_acq_rel) != 1) return;
    saros_frames_free(f);
    for (int32_t b = 0; b < f->bodies; ++b) saros_function_release(f->body[b]);
    void *const parts[] = {f->name,       f->input_type, f->output_type, (void *)f->input_name,
                           f->input_slot, f->input_last, f->output,      f->step,
                           f->body,       f->prototype,  f->place,       f->table,
                           f->view,       f->opaque,     f->drop,        f->use,
                           f->cell,       f->carry};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; ++k) saros_release(parts[k]);
    saros_graph_release(f->graph);
    pthread_mutex_destroy(&f->lock);
    saros_release(f);
}

int saros_function_inputs(const saros_function *f) {
    return f->inputs;
}
int saros_function_outputs(const saros_function *f) {
    return f->outputs;
}
const saros_type *saros_function_input_type(const saros_function *f, int k) {
    return &f->input_type[k];
}
const saros_type *saros_function_output_type(const saros_function *f, int k) {
    return &f->output_type[k];
}

/* ---- compile ---- */

/** Chooses the backend: named by the caller, else by SAROS_BACKEND, else the compiled one if this
 * machine and build have it. Functions that are checked step by step run on the reference. */
static saros_status choose_backend(const saros_compile_options *options,
                                   saros_compile_options *chosen) {
    *chosen = options ? *options : (saros_compile_options){0};
    const char *name = chosen->backend;
    bool named = name != NULL;
    if (!name) name = getenv("SAROS_BACKEND");
    bool any = !name || !name[0];
    bool possible = saros_jit_bits() != 0 && !chosen->check_finite;
    chosen->backend = possible && (any || strcmp(name, "cpu") == 0) ? "cpu" : "reference";
    if (any || strcmp(name, "reference") == 0) return SAROS_OK;
    if (strcmp(name, "cpu") != 0)
        return saros_fail(SAROS_ERR_USAGE, "saros_compile", "use \"cpu\" or \"reference\"",
                          "there is no backend '%s'", name);
    if (named && saros_jit_bits() == 0)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "saros_compile", "use \"reference\"",
                          "the compiled backend needs LLVM and AVX2 or NEON");
    return SAROS_OK;
}

const char *saros_backend_default(int *vector_bits) {
    saros_compile_options chosen = {0};
    if (choose_backend(NULL, &chosen) != SAROS_OK) chosen.backend = "reference";
    if (vector_bits) *vector_bits = strcmp(chosen.backend, "cpu") == 0 ? saros_jit_bits() : 0;
    return chosen.backend;
}

/** The passes of the compiled backend. `whole`: the body is no block of rows of something larger.
 */
static saros_status lower_body(const saros_body *body, int carries, bool whole, saros_body **out) {
    saros_body *packed = NULL, *cut = NULL, *lowered = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_gemm_pack(body, &packed));
    if (whole) SAROS_TRY(saros_rows_pass(packed, &cut));
    SAROS_TRY(saros_gemm_lower(cut ? cut : packed, &lowered));
    status = saros_kernel_fuse(lowered, carries, !whole, out);
done:
    saros_body_release(packed);
    saros_body_release(cut);
    saros_body_release(lowered);
    return status;
}

/** The passes on `body`, a window on its graph, then the compiler proper. */
static saros_status compile_passes(const saros_body *body, const saros_compile_options *options,
                                   int carries, bool whole, saros_function **out) {
    saros_compile_options chosen;
    saros_body *contracted = NULL, *hoisted = NULL, *fused = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(choose_backend(options, &chosen));
    SAROS_TRY(saros_simplify(body, &contracted));
    SAROS_TRY(saros_hoist(contracted, &hoisted));
    const saros_body *ready = hoisted ? hoisted : contracted;
    if (strcmp(chosen.backend, "cpu") == 0 && !ready->graph->ordered)
        SAROS_TRY(lower_body(ready, carries, whole, &fused));
    status = saros_compile_ready(fused ? fused : ready, &chosen, carries, out);
done:
    saros_body_release(contracted);
    saros_body_release(hoisted);
    saros_body_release(fused);
    return status;
}

/** Whether all of `id` are inputs of the graph, each once. */
static saros_status check_inputs(const saros_graph *graph, int n, const int32_t *id) {
    for (int k = 0; k < n; ++k) {
        if (saros_graph_maker(graph, id[k])->row != &saros_row_input)
            return saros_fail(SAROS_ERR_USAGE, "saros_compile", "use a value of saros_input",
                              "input %d is no input of the graph", k + 1);
        for (int j = 0; j < k; ++j)
            if (id[j] == id[k])
                return saros_fail(SAROS_ERR_USAGE, "saros_compile", NULL,
                                  "input %d is given twice (also as input %d)", k + 1, j + 1);
    }
    return SAROS_OK;
}

/** Id of a value of `graph`, or -1 with the error recorded. */
static int32_t own_id(saros_graph *graph, saros_value value, const char *what, int k) {
    if (value.graph == graph && value.id >= 0) return value.id;
    if (saros_is_none(value))
        saros_fail(SAROS_ERR_USAGE, "saros_compile", "use saros_instantiate",
                   "%s %d is the symbolic zero", what, k + 1);
    else if (value.id < 0)
        saros_graph_status(value.graph);
    else
        saros_fail(SAROS_ERR_USAGE, "saros_compile", NULL, "%s %d belongs to another graph", what,
                   k + 1);
    return -1;
}

saros_status saros_compile(saros_graph *graph, int inputs, const saros_value *input, int outputs,
                           const saros_value *output, const saros_compile_options *options,
                           saros_function **out) {
    saros_status status = saros_graph_status(graph);
    if (status != SAROS_OK) return status;
    int32_t *ids = saros_allocate((size_t)(inputs + outputs) * sizeof *ids);
    if (!ids) return SAROS_ERR_MEMORY;
    for (int k = 0; status == SAROS_OK && k < inputs + outputs; ++k) {
        ids[k] = k < inputs ? own_id(graph, input[k], "input", k)
                            : own_id(graph, output[k - inputs], "output", k - inputs);
        if (ids[k] < 0) status = saros_error_last()->status;
    }
    if (status == SAROS_OK) status = check_inputs(graph, inputs, ids);
    if (status == SAROS_OK) {
        const saros_body window = {.graph = graph,
                                   .inputs = inputs,
                                   .outputs = outputs,
                                   .input = ids,
                                   .output = ids + inputs};
        status = compile_passes(&window, options, 0, true, out);
    }
    saros_release(ids);
    return status;
}

saros_status saros_compile_body(saros_body *body, const saros_compile_options *options,
                                saros_function **out) {
    return compile_passes(body, options, 0, true, out);
}

saros_status saros_compile_loop(const saros_body *body, const saros_compile_options *options,
                                int carries, saros_function **out) {
    return compile_passes(body, options, carries, true, out);
}

saros_status saros_compile_block(const saros_body *body, const saros_compile_options *options,
                                 saros_function **out) {
    return compile_passes(body, options, 0, false, out);
}
