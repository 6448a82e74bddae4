/** Bodies under construction: see region_impl.h. */
#include "region_impl.h"

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "walk_impl.h"

saros_value *ad_values(int n) {
    saros_value *values = saros_allocate(((size_t)n + 1) * sizeof *values);
    if (values) ad_fill(n, values, SAROS_NONE);
    return values;
}

saros_type ad_body_type(const saros_body *body, int k) {
    return *saros_value_type(saros_body_input(body, k));
}

saros_type ad_slice_type(saros_value stacked) {
    saros_type type = *saros_value_type(stacked), slice = type;
    slice.rank = type.rank - 1;
    for (int a = 0; a < slice.rank; ++a) slice.shape[a] = type.shape[a + 1];
    uint32_t part = type.split & SAROS_SPLIT_PART;
    slice.split = (type.split & ~SAROS_SPLIT_PART) >> 1 | part;
    return slice;
}

/** Appends `v` to a growing array. */
static saros_status push(saros_value **array, int *count, int *room, saros_value v) {
    if (*count == *room) {
        int want = *room ? 2 * *room : 16;
        saros_value *grown = saros_reallocate(*array, (size_t)want * sizeof *grown);
        if (!grown) return SAROS_ERR_MEMORY;
        *array = grown;
        *room = want;
    }
    (*array)[(*count)++] = v;
    return SAROS_OK;
}

void ad_region_open(ad_region *region, saros_graph *outer) {
    *region = (ad_region){.outer = outer, .inner = saros_body_open(outer)};
    if (!region->inner) region->status = SAROS_ERR_MEMORY;
}

saros_value ad_as_part(saros_value v, const saros_type *type) {
    bool same = !saros_is_none(v) && !saros_is_poisoned(v) && !saros_value_type(v)->split;
    return same && type->split ? saros_spread(v) : v;
}

saros_value ad_region_declare(ad_region *region, const saros_type *type, saros_value operand) {
    if (region->status != SAROS_OK) return SAROS_NONE;
    operand = ad_as_part(operand, type);
    region->status = push(&region->operand, &region->operands, &region->room[0], operand);
    return region->status == SAROS_OK ? saros_input(region->inner, type, NULL) : SAROS_NONE;
}

void ad_region_result(ad_region *region, saros_value result) {
    if (region->status == SAROS_OK)
        region->status = push(&region->result, &region->results, &region->room[1], result);
}

saros_status ad_region_close(ad_region *region, saros_body **body) {
    if (region->status != SAROS_OK) return region->status;
    saros_value *captured = NULL;
    saros_graph *inner = region->inner;
    region->inner = NULL; /* consumed, also on failure */
    region->status = saros_body_close(inner, region->results, region->result, body, &captured);
    if (region->status != SAROS_OK) return region->status;
    for (int k = 0; k < saros_body_captures(*body) && region->status == SAROS_OK; ++k)
        region->status = push(&region->operand, &region->operands, &region->room[0], captured[k]);
    saros_release(captured);
    if (region->status != SAROS_OK) saros_body_release(*body);
    return region->status;
}

void ad_region_free(ad_region *region) {
    saros_release(region->operand);
    saros_release(region->result);
    saros_graph_release(region->inner);
    *region = (ad_region){0};
}
