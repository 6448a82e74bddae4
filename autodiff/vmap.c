/** Batching: copies the nodes of a body into a graph, those that depend on a batched input with a
 * leading axis.
 *
 *  Pointwise rows are applied to operands broadcast to the batched shape; structural rows bring
 *  their `batch` column; the others (foreign calls) run lane by lane. What does not depend on a
 * batched input is computed once. */
#include "node_impl.h"
#include "walk_impl.h"

#include "saros/memory.h"

saros_value ad_lead(saros_value v, int64_t size) {
    saros_type type = *saros_value_type(v);
    int64_t shape[SAROS_MAX_RANK + 1] = {size};
    int axes[SAROS_MAX_RANK + 1];
    for (int a = 0; a < type.rank; ++a) {
        shape[a + 1] = type.shape[a];
        axes[a] = a + 1;
    }
    return saros_broadcast(v, type.rank + 1, shape, axes);
}

static void batch_pointwise(const saros_rule *rule, int64_t size, saros_value *in,
                            const bool *batched, saros_value *out, bool *out_batched) {
    for (int k = 0; k < rule->ins; ++k)
        if (!batched[k]) in[k] = ad_lead(in[k], size);
    saros_value first = saros_build(rule->graph, rule->row, &rule->attributes, rule->ins, in);
    for (int m = 0; m < rule->outs; ++m) {
        out[m] = saros_output(first, m);
        out_batched[m] = true;
    }
}

/** One node: `in` are the mapped operands (may be changed), rule->in the originals. */
static void batch_node(const saros_rule *rule, int64_t size, saros_value *in, const bool *batched,
                       saros_value *out, bool *out_batched) {
    saros_primitive row = ad_columns(rule->row);
    bool any = false;
    for (int k = 0; k < rule->ins; ++k) any = any || batched[k];
    for (int m = 0; m < rule->outs; ++m) out_batched[m] = false;
    if (!any) {
        saros_value first = saros_build(rule->graph, rule->row, &rule->attributes, rule->ins, in);
        for (int m = 0; m < rule->outs; ++m) out[m] = saros_output(first, m);
    } else if (row.batch) {
        row.batch(rule, size, in, batched, out, out_batched);
    } else if (row.flags & SAROS_POINTWISE) {
        batch_pointwise(rule, size, in, batched, out, out_batched);
    } else {
        ad_lanes_batch(rule, size, in, batched, out, out_batched);
    }
}

/** Where the values of the body have gone. */
typedef struct batching {
    saros_value *value;
    bool *batched;
} batching;

static saros_status batch_nodes(const ad_walk *walk, int64_t size, const batching *map) {
    ad_frame frame = {0};
    bool *flag = NULL;
    saros_status status = SAROS_OK;
    for (int32_t id = 0; id < walk->last; ++id) {
        int k;
        saros_node node = saros_graph_node(walk->graph, id, &k);
        if (k != 0 || node.row == &saros_row_input || !saros_is_none(map->value[id])) continue;
        SAROS_TRY(ad_frame_load(&frame, walk, id, 1));
        const saros_rule *rule = &frame.rule;
        bool *grown = saros_reallocate(flag, (size_t)(rule->ins + rule->outs + 1) * sizeof *flag);
        if (!grown) SAROS_TRY(SAROS_ERR_MEMORY);
        flag = grown;
        bool *out_flag = flag + rule->ins;
        for (int m = 0; m < rule->ins; ++m) {
            frame.in_slot[m] = map->value[rule->in[m].id];
            flag[m] = map->batched[rule->in[m].id];
        }
        batch_node(rule, size, frame.in_slot, flag, frame.out_slot, out_flag);
        for (int m = 0; m < rule->outs; ++m) {
            map->value[id + m] = frame.out_slot[m];
            map->batched[id + m] = out_flag[m];
        }
        if (!saros_is_none(ad_poisoned(rule->outs, frame.out_slot)))
            SAROS_TRY(saros_graph_status(walk->into));
    }
done:
    saros_release(flag);
    ad_frame_free(&frame);
    return status;
}

saros_status ad_batch_body(saros_graph *graph, saros_body *body, int64_t size,
                           const saros_value *in, const bool *batched, saros_value *out,
                           bool *out_batched) {
    ad_walk walk = {.graph = saros_body_graph(body), .into = graph};
    walk.last = saros_graph_count(walk.graph);
    size_t count = (size_t)walk.last + 1;
    batching map = {.value = saros_allocate_zero(count, sizeof *map.value),
                    .batched = saros_allocate_zero(count, sizeof *map.batched)};
    saros_status status = SAROS_OK;
    if (!map.value || !map.batched) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < saros_body_inputs(body); ++k) {
        int32_t id = saros_body_input(body, k).id;
        map.value[id] = in[k];
        map.batched[id] = batched[k];
    }
    SAROS_TRY(batch_nodes(&walk, size, &map));
    for (int k = 0; k < saros_body_outputs(body); ++k) {
        int32_t id = saros_body_output(body, k).id;
        out[k] = map.value[id];
        out_batched[k] = map.batched[id];
    }
done:
    saros_release(map.value);
    saros_release(map.batched);
    return status;
}

void saros_vmap(saros_graph *graph, const saros_body *body, int64_t size, const saros_value *in,
                const bool *batched, saros_value *out) {
    int outs = saros_body_outputs(body);
    saros_body *held = saros_body_retain((saros_body *)body); /* counting is not changing it */
    bool *flag = saros_allocate_zero((size_t)outs + 1, sizeof *flag);
    saros_status status = flag ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status == SAROS_OK) status = ad_batch_body(graph, held, size, in, batched, out, flag);
    for (int k = 0; k < outs; ++k) {
        if (status != SAROS_OK)
            out[k] = saros_poison(graph);
        else if (!flag[k])
            out[k] = ad_lead(out[k], size);
    }
    saros_release(flag);
    saros_body_release(held);
}
