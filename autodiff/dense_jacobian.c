/** Dense Jacobians and Hessians: products batched over the unit vectors of the smaller side.
 *
 *  What leads from x to y becomes a body, a product with it is built inside another, and that is
 * batched (vmap) over the rows of an identity matrix: what does not hang on the unit vector is
 * computed once. Forward mode if x has no more elements than y, else reverse mode. Not for sparse
 * ones: every entry is stored. */
#include "node_impl.h"
#include "region_impl.h"
#include "saros/memory.h"
#include "walk_impl.h"

/** x, then the values that what lies between x and y reads from elsewhere: the body takes them as
 * they are, so that the result hangs on each of them, and derivatives by any of them are right. */
static saros_status inputs_find(saros_value y, saros_value x, saros_value **input, int *count) {
    ad_walk walk;
    saros_value bad = ad_walk_begin(&walk, 1, &y, 1, &x, 0, NULL);
    if (!saros_is_none(bad)) return saros_graph_status(bad.graph);
    const size_t values = (size_t)saros_graph_count(x.graph);
    saros_status status = SAROS_OK;
    uint8_t *seen = saros_allocate_zero(values, 1);
    *count = 1;
    *input = ad_values((int)values + 1);
    if (!seen || !*input) SAROS_TRY(SAROS_ERR_MEMORY);
    (*input)[0] = x;
    for (int32_t id = walk.first; id < walk.last; ++id) {
        if (!ad_walk_visits(&walk, id)) continue;
        saros_node node = saros_graph_node(x.graph, id, NULL);
        for (int k = 0; k < node.operands; ++k) {
            int32_t of = node.operand[k];
            bool leaf = saros_graph_node(x.graph, of, NULL).operands == 0;
            if (leaf || seen[of] || of == x.id || ad_active(&walk, of)) continue;
            seen[of] = 1;
            (*input)[(*count)++] = (saros_value){x.graph, of};
        }
    }
done:
    saros_release(seen);
    ad_walk_close(&walk);
    return status;
}

/** Unit vectors of the shape of `like`: (elements, shape…). */
static saros_value unit_vectors(saros_graph *graph, const saros_type *like) {
    int64_t n = saros_type_count(like), shape[SAROS_MAX_RANK] = {n};
    saros_type square = saros_type_make(SAROS_I64, 2, (int64_t[]){n, n});
    saros_value eye = saros_cast(
        saros_eq(saros_iota(graph, &square, 0), saros_iota(graph, &square, 1)), like->dtype);
    for (int a = 0; a < like->rank; ++a) shape[a + 1] = like->shape[a];
    return saros_reshape(eye, like->rank + 1, shape);
}

/** The body (seed, x, captures…) -> product of the Jacobian with the seed, by columns, or of its
 * transpose. `region` keeps its operands; the first is a value of the seed's type. */
static saros_status product_body(const saros_body *whole, const saros_value *operand, bool columns,
                                 saros_value units_of, ad_region *region, saros_body **product) {
    const int ins = saros_body_inputs(whole);
    saros_value *in = ad_values(ins), y, result;
    saros_status status = in ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status != SAROS_OK) goto done;
    const saros_type seed_type = *saros_value_type(units_of);
    saros_value seed = ad_region_declare(region, &seed_type, units_of);
    for (int k = 0; k < ins; ++k) {
        saros_type type = ad_body_type(whole, k);
        in[k] = ad_region_declare(region, &type, operand[k]);
    }
    SAROS_TRY(region->status);
    saros_inline(region->inner, whole, in, &y);
    if (columns)
        saros_jvp(1, &y, 1, in, &seed, &result);
    else
        saros_vjp(1, &y, &seed, 1, in, &result);
    ad_region_result(region, saros_instantiate(result, columns ? y : in[0]));
    status = ad_region_close(region, product);
done:
    saros_release(in);
    return status;
}

/** (x…, y…) to (y…, x…). */
static saros_value turn(saros_value v, int x, int y) {
    int order[SAROS_MAX_RANK];
    for (int a = 0; a < y; ++a) order[a] = x + a;
    for (int a = 0; a < x; ++a) order[y + a] = a;
    return saros_permute(v, order);
}

static saros_status check(saros_value y, saros_value x) {
    const saros_type *tx = saros_value_type(x), *ty = saros_value_type(y);
    if (x.graph != y.graph)
        return saros_fail(SAROS_ERR_USAGE, "saros_dense_jacobian", "use saros_alias",
                          "y and x are of different graphs");
    if (!saros_dtype_is_float(tx->dtype) || !saros_dtype_is_float(ty->dtype))
        return saros_fail(SAROS_ERR_TYPE, "saros_dense_jacobian", "cast to f64 or f32",
                          "y and x must be floating-point");
    if (tx->rank + ty->rank > SAROS_MAX_RANK || tx->rank == SAROS_MAX_RANK ||
        ty->rank == SAROS_MAX_RANK)
        return saros_fail(SAROS_ERR_SHAPE, "saros_dense_jacobian", "reshape to fewer axes",
                          "the result would have %d axes", tx->rank + ty->rank);
    return ad_independent("saros_dense_jacobian", 1, &y, 1, &x);
}

/* J v, or J^T v, for each row of `seeds` (count, shape…). */
static saros_value products(saros_value y, saros_value x, bool columns, saros_value seeds) {
    saros_graph *graph = x.graph;
    saros_body *whole = NULL, *product = NULL;
    saros_value *input = NULL, *operand = NULL, *capture = NULL, out = SAROS_NONE;
    int inputs = 0;
    bool *batched = NULL;
    ad_region region = {0};
    saros_status status = SAROS_OK;
    if (saros_is_poisoned(seeds)) return seeds;
    SAROS_TRY(inputs_find(y, x, &input, &inputs));
    SAROS_TRY(saros_body_extract(graph, inputs, input, 1, &y, &whole, &capture));
    operand = ad_values(saros_body_inputs(whole));
    if (!operand) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < saros_body_inputs(whole); ++k)
        operand[k] = k < inputs ? input[k] : capture[k - inputs];
    ad_region_open(&region, graph);
    SAROS_TRY(product_body(whole, operand, columns, columns ? x : y, &region, &product));
    batched = saros_allocate_zero((size_t)region.operands, sizeof *batched);
    if (!batched) SAROS_TRY(SAROS_ERR_MEMORY);
    region.operand[0] = seeds;
    batched[0] = true;
    saros_vmap(graph, product, saros_value_type(seeds)->shape[0], region.operand, batched, &out);
done:
    if (status != SAROS_OK) out = saros_poison(graph);
    ad_region_free(&region);
    saros_body_release(whole);
    saros_body_release(product);
    saros_release(input);
    saros_release(operand);
    saros_release(capture);
    saros_release(batched);
    return out;
}

saros_value saros_dense_jacobian(saros_value y, saros_value x) {
    if (saros_is_poisoned(y) || saros_is_poisoned(x)) return saros_is_poisoned(y) ? y : x;
    const saros_type tx = *saros_value_type(x), ty = *saros_value_type(y);
    const bool columns = saros_type_count(&tx) <= saros_type_count(&ty);
    const saros_type *seed = columns ? &tx : &ty, *other = columns ? &ty : &tx;
    int64_t shape[SAROS_MAX_RANK];
    if (check(y, x) != SAROS_OK) return saros_poison(x.graph);
    saros_value out = products(y, x, columns, unit_vectors(x.graph, seed));
    if (saros_is_poisoned(out)) return out;
    for (int a = 0; a < seed->rank; ++a) shape[a] = seed->shape[a];
    for (int a = 0; a < other->rank; ++a) shape[seed->rank + a] = other->shape[a];
    out = saros_reshape(out, seed->rank + other->rank, shape);
    return columns && !saros_is_poisoned(out) ? turn(out, tx.rank, ty.rank) : out;
}

saros_value saros_jacobian_products(saros_value y, saros_value x, saros_value v) {
    const saros_value all[3] = {y, x, v};
    const saros_value bad = ad_poisoned(3, all);
    if (!saros_is_none(bad)) return bad;
    const saros_type tx = *saros_value_type(x), tv = *saros_value_type(v);
    saros_status status = ad_independent("saros_jacobian_products", 1, &y, 1, &x);
    bool right = tv.rank == tx.rank + 1 && tv.dtype == tx.dtype && y.graph == x.graph;
    for (int a = 0; right && a < tx.rank; ++a) right = tv.shape[a + 1] == tx.shape[a];
    if (status == SAROS_OK && !right)
        status = saros_fail(SAROS_ERR_SHAPE, "saros_jacobian_products", NULL,
                            "v must have the dtype and the shape of x behind one more axis");
    return status == SAROS_OK ? products(y, x, true, v) : saros_poison(x.graph);
}

saros_value saros_hessian(saros_value y, saros_value x) {
    saros_value gradient;
    saros_vjp(1, &y, NULL, 1, &x, &gradient);
    if (!saros_is_poisoned(x)) gradient = saros_instantiate(gradient, x);
    return saros_dense_jacobian(gradient, x);
}
