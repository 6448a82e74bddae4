/** A Jacobian ready to be evaluated: entries computed one by one from the terms of the graph, or
 * products for the colours of its pattern. */
#include <stdatomic.h>
#include <string.h>

#include "compression_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"
#include "sparse_impl.h"

struct saros_jacobian {
    atomic_int references;
    int inputs, arrays;
    saros_sparsity *pattern;
    saros_sparsity *asked; /**< without the whole diagonal, or NULL: `pattern` is coloured */
    int64_t *position;     /**< of the entries of `asked` in `pattern` */
    bool given;            /**< by the caller, so that it is verified once */
    atomic_bool verified;
    bool direct;              /**< `function` gives the values; else coloured */
    saros_function *function; /**< values, or (inputs…, v) -> J v */
};

saros_jacobian *saros_jacobian_retain(saros_jacobian *j) {
    if (j) atomic_fetch_add(&j->references, 1);
    return j;
}

void saros_jacobian_release(saros_jacobian *j) {
    if (!j || atomic_fetch_sub(&j->references, 1) != 1) return;
    saros_sparsity_release(j->pattern);
    saros_sparsity_release(j->asked);
    saros_release(j->position);
    saros_function_release(j->function);
    saros_release(j);
}

saros_sparsity *saros_jacobian_sparsity(const saros_jacobian *j) {
    return j->pattern;
}
int saros_jacobian_arrays(const saros_jacobian *j) {
    return j->arrays;
}

/** Values of a pattern by products; the first time, one that was given is verified. */
static saros_status products(saros_jacobian *j, saros_sparsity *pattern, saros_tensor *const *in,
                             double *values) {
    saros_status status = saros_sparse_jacobian(pattern, j->function, j->inputs, in, values);
    if (status || !j->given || atomic_load(&j->verified)) return status;
    status = saros_sparse_verify(pattern, j->function, j->inputs, in, values);
    if (status == SAROS_OK) atomic_store(&j->verified, true);
    return status;
}

saros_status saros_jacobian_values(saros_jacobian *j, saros_tensor *const *in, double *values) {
    if (j->direct) return saros_compression_values(j->function, in, j->pattern->nonzeros, values);
    if (!j->asked) return products(j, j->pattern, in, values);
    double *asked = saros_allocate((size_t)(j->asked->nonzeros + 1) * sizeof *asked);
    if (!asked) return SAROS_ERR_MEMORY;
    saros_status status = products(j, j->asked, in, asked);
    if (status == SAROS_OK) {
        memset(values, 0, (size_t)j->pattern->nonzeros * sizeof *values);
        for (int64_t k = 0; k < j->asked->nonzeros; ++k) values[j->position[k]] = asked[k];
    }
    saros_release(asked);
    return status;
}

/* ---- making ---- */

static saros_status check(saros_value y, saros_value x) {
    const saros_value both[2] = {y, x};
    for (int k = 0; k < 2; ++k)
        if (saros_is_poisoned(both[k])) return saros_graph_status(both[k].graph);
    if (saros_value_dtype(x) != SAROS_F64 || saros_value_dtype(y) != SAROS_F64)
        return saros_fail(SAROS_ERR_TYPE, "saros_jacobian_make", "cast them",
                          "y and x must be f64");
    int64_t rows = saros_type_count(saros_value_type(y));
    int64_t columns = saros_type_count(saros_value_type(x));
    if (x.graph == y.graph && rows == columns) return SAROS_OK;
    return saros_fail(SAROS_ERR_SHAPE, "saros_jacobian_make", NULL,
                      "y has %lld elements and x %lld, wanted as many, of one graph",
                      (long long)rows, (long long)columns);
}

/** Coefficients that are arrays cost something: a uniform one nothing. */
static bool pays(const saros_compression *c) {
    const saros_sparsity *p = c->pattern;
    int64_t longest = 1;
    for (int64_t i = 0; i < p->n; ++i)
        if (p->row[i + 1] - p->row[i] > longest) longest = p->row[i + 1] - p->row[i];
    return c->arrays <= 4 * longest;
}

saros_status saros_compression_find(saros_value y, saros_value x, saros_sparsity *pattern,
                                    saros_compression **out) {
    saros_status status = SAROS_OK;
    saros_jacobian_terms terms = {0};
    saros_compression *c = NULL;
    bool found;
    *out = NULL;
    SAROS_TRY(saros_jacobian_terms_find(y, x, &terms, &found));
    if (!found) return SAROS_OK;
    SAROS_TRY(saros_compression_make(&terms, pattern, &c));
    if (pays(c)) {
        *out = c;
        c = NULL;
    }
done:
    saros_jacobian_terms_clear(&terms);
    saros_compression_release(c);
    return status;
}

static saros_status make_entries(saros_jacobian *j, saros_compression *entries, saros_graph *graph,
                                 const saros_value *input, const saros_compile_options *options) {
    j->direct = true;
    j->arrays = entries->arrays;
    j->pattern = saros_sparsity_retain(entries->pattern);
    const saros_value values = saros_compression_build(graph, entries);
    return saros_compile(graph, j->inputs, input, 1, &values, options, &j->function);
}

/** Colours `pattern`, which may miss diagonal entries. */
static saros_status take_pattern(saros_jacobian *j, saros_sparsity *pattern) {
    saros_status status = SAROS_OK;
    const int *colour;
    SAROS_TRY(saros_sparsity_colour(pattern, &j->arrays, &colour));
    SAROS_TRY(saros_sparsity_with_diagonal(pattern, &j->pattern));
    if (j->pattern == pattern) goto done;
    j->asked = saros_sparsity_retain(pattern);
    SAROS_TRY(saros_sparsity_positions(pattern, j->pattern, &j->position));
done:
    return status;
}

static saros_status make_products(saros_jacobian *j, saros_value y, saros_value x,
                                  const saros_value *input, const saros_compile_options *options) {
    saros_status status = SAROS_OK;
    saros_sparsity *found = NULL;
    saros_value product;
    saros_type type = *saros_value_type(x), flat = type;
    int64_t n = saros_type_count(&type);
    int most = j->inputs + 1;
    saros_value *in = saros_allocate((size_t)most * sizeof *in);
    if (!in) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_sparsity_detect(y, x, &found));
    SAROS_TRY(take_pattern(j, found));
    for (int k = 0; k < j->inputs; ++k) in[k] = input[k];
    flat = saros_type_make(type.dtype, 1, &n);
    in[j->inputs] = saros_input(y.graph, &flat, "v");
    saros_value v = saros_reshape(in[j->inputs], type.rank, type.shape);
    saros_jvp(1, &y, 1, &x, &v, &product);
    product = saros_reshape(saros_instantiate(product, y), 1, &n);
    status = saros_compile(y.graph, most, in, 1, &product, options, &j->function);
done:
    saros_sparsity_release(found);
    saros_release(in);
    return status;
}

static saros_jacobian *make(int inputs) {
    saros_jacobian *j = saros_allocate_zero(1, sizeof *j);
    if (!j) return NULL;
    atomic_init(&j->references, 1);
    atomic_init(&j->verified, false);
    j->inputs = inputs;
    return j;
}

saros_status saros_jacobian_wrap(saros_sparsity *pattern, const saros_function *jvp, int inputs,
                                 saros_jacobian **out) {
    saros_status status = SAROS_OK;
    saros_jacobian *j = make(inputs);
    if (!j) return SAROS_ERR_MEMORY;
    SAROS_TRY(take_pattern(j, pattern));
    j->given = true;
    j->function = saros_function_retain((saros_function *)(uintptr_t)jvp);
    *out = j;
    return SAROS_OK;
done:
    saros_jacobian_release(j);
    return status;
}

saros_status saros_jacobian_make(saros_value y, saros_value x, int inputs, const saros_value *input,
                                 const saros_jacobian_options *options, saros_jacobian **out) {
    saros_status status = check(y, x);
    if (status) return status;
    saros_compile_options compile = {.name = options && options->name ? options->name : "jacobian"};
    saros_compression *entries = NULL;
    saros_jacobian *j = make(inputs);
    if (!j) return SAROS_ERR_MEMORY;
    if (!options || !options->coloured) SAROS_TRY(saros_compression_find(y, x, NULL, &entries));
    status = entries ? make_entries(j, entries, y.graph, input, &compile)
                     : make_products(j, y, x, input, &compile);
    if (status) goto done;
    *out = j;
    return SAROS_OK;
done:
    saros_jacobian_release(j);
    return status;
}

/* ---- Hessians ---- */

/* Entries of the gradient in a symmetric pattern; NULL: none found. */
static saros_status symmetric_entries(saros_value gradient, saros_value x,
                                      saros_compression **out) {
    saros_compression *found = NULL;
    saros_sparsity *symmetric = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_compression_find(gradient, x, NULL, &found));
    if (!found) goto done;
    SAROS_TRY(saros_sparsity_symmetric(found->pattern, &symmetric));
    if (symmetric->nonzeros == found->pattern->nonzeros) {
        *out = found;
        found = NULL;
        goto done;
    }
    SAROS_TRY(saros_compression_find(gradient, x, symmetric, out));
done:
    saros_sparsity_release(symmetric);
    saros_compression_release(found);
    return status;
}

static saros_status symmetric_products(saros_jacobian *j, saros_value gradient, saros_value x,
                                       const saros_value *input,
                                       const saros_compile_options *options) {
    saros_sparsity *found = NULL;
    saros_value values;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_sparsity_detect(gradient, x, &found));
    SAROS_TRY(saros_sparsity_symmetric(found, &j->pattern));
    SAROS_TRY(saros_symmetric_values(gradient, x, j->pattern, &values, &j->arrays));
    j->direct = true;
    status = saros_compile(x.graph, j->inputs, input, 1, &values, options, &j->function);
done:
    saros_sparsity_release(found);
    return status;
}

saros_status saros_hessian_make(saros_value y, saros_value x, int inputs, const saros_value *input,
                                const saros_jacobian_options *options, saros_jacobian **out) {
    saros_value gradient;
    saros_vjp(1, &y, NULL, 1, &x, &gradient);
    if (!saros_is_poisoned(x)) gradient = saros_instantiate(gradient, x);
    saros_status status = check(gradient, x);
    if (status) return status;
    saros_compile_options compile = {.name = options && options->name ? options->name : "hessian"};
    saros_compression *entries = NULL;
    saros_jacobian *j = make(inputs);
    if (!j) return SAROS_ERR_MEMORY;
    if (!options || !options->coloured) SAROS_TRY(symmetric_entries(gradient, x, &entries));
    status = entries ? make_entries(j, entries, x.graph, input, &compile)
                     : symmetric_products(j, gradient, x, input, &compile);
    if (status) goto done;
    *out = j;
    return SAROS_OK;
done:
    saros_jacobian_release(j);
    return status;
}
