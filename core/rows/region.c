/** The node `rows`: one sweep over one or more classes, block by block.
 *
 *  Made after differentiation, like kernels: it has no rules. Its last output is the memory in
 * which the lanes keep their accumulators, so that it is planned with everything else.
 */
#include <stdio.h>

#include "kernel/kernel_impl.h"
#include "rows/rows_impl.h"
#include "saros/function.h"
#include "text_impl.h"

enum {
    MOST_LANES = 32,
    LEAST_LANES = 4, /* fewer: products of matrices share their own work */
    LANE_BYTES = 64 << 20
};

int saros_rows_read_node(const saros_attributes *attributes, saros_rows_view *view) {
    const int64_t *word = attributes->word;
    const int count = (int)word[SAROS_ROWS_COUNT];
    int operand = 0, store = 0, body = 0;
    word += SAROS_ROWS_HEAD + word[SAROS_ROWS_ACCUMULATORS];
    for (int c = 0; c < count; ++c) {
        saros_rows_view *v = &view[c];
        *v = (saros_rows_view){.rows = word[0],
                               .block = word[1],
                               .accumulators = (int)word[2],
                               .blocks = (int)word[3],
                               .wholes = (int)word[4],
                               .stores = (int)word[5],
                               .operand = operand,
                               .store = store,
                               .body = body};
        v->accumulator = word + 6;
        v->block_axis = v->accumulator + v->accumulators;
        v->store_axis = v->block_axis + v->blocks;
        word = v->store_axis + v->stores;
        operand += v->blocks + v->wholes;
        store += v->stores;
        body += v->rows % v->block ? 2 : 1;
    }
    return count;
}

static int64_t bytes_of(const saros_type *type) {
    return saros_type_count(type) * (int64_t)saros_dtype_bytes(type->dtype);
}

saros_rows_lanes saros_rows_count(const saros_attributes *attributes) {
    saros_rows_view view[SAROS_ROWS_CLASSES];
    const int classes = saros_rows_read_node(attributes, view);
    const int accumulators = (int)attributes->word[SAROS_ROWS_ACCUMULATORS];
    saros_rows_lanes lanes = {0};
    bool seen[SAROS_MAX_OUTPUTS] = {false};
    for (int c = 0; c < classes; ++c) {
        const saros_body *body = attributes->body[view[c].body];
        lanes.tasks += (view[c].rows + view[c].block - 1) / view[c].block;
        for (int k = 0; k < view[c].accumulators; ++k) {
            const int64_t at = view[c].accumulator[k];
            if (!seen[at])
                lanes.bytes += (bytes_of(saros_value_type(saros_body_output(body, k))) + 63) & ~63;
            seen[at] = true;
        }
    }
    lanes.lanes = lanes.tasks < MOST_LANES ? lanes.tasks : MOST_LANES;
    if (accumulators && lanes.bytes * lanes.lanes > LANE_BYTES)
        lanes.lanes = LANE_BYTES / lanes.bytes;
    if (lanes.lanes < LEAST_LANES) lanes.lanes = 1;
    return lanes;
}

static saros_status rows_type(saros_typing *t) {
    saros_rows_view view[SAROS_ROWS_CLASSES];
    const int classes = saros_rows_read_node(t->attributes, view);
    const int accumulators = (int)t->attributes->word[SAROS_ROWS_ACCUMULATORS];
    const saros_rows_lanes lanes = saros_rows_count(t->attributes);
    int store = accumulators;
    for (int c = 0; c < classes; ++c) {
        const saros_body *body = t->attributes->body[view[c].body];
        for (int k = 0; k < view[c].accumulators; ++k)
            t->output[view[c].accumulator[k]] = *saros_value_type(saros_body_output(body, k));
        for (int k = 0; k < view[c].stores; ++k, ++store) {
            t->output[store] = *saros_value_type(saros_body_output(body, view[c].accumulators + k));
            t->output[store].shape[view[c].store_axis[k]] = view[c].rows;
        }
    }
    const int64_t memory = 2 * lanes.lanes * lanes.bytes;
    t->output[store] = saros_type_make(SAROS_BOOL, 1, &memory);
    t->outputs = store + 1;
    return SAROS_OK;
}

const saros_primitive saros_row_rows = {
    .name = "rows",
    .doc = "Bodies run over blocks of rows, what they add up in accumulators.",
    .operands = -1,
    .flags = SAROS_REGION,
    .type = rows_type,
    .evaluate = saros_rows_evaluate};

/* ---- dump ---- */

size_t saros_rows_dump(const saros_attributes *attributes, char *text, size_t bytes) {
    saros_rows_view view[SAROS_ROWS_CLASSES];
    const int classes = saros_rows_read_node(attributes, view);
    const saros_rows_lanes lanes = saros_rows_count(attributes);
    saros_text s = {text, bytes, 0};
    if (bytes) text[0] = '\0';
    saros_text_put(&s, "rows: stage %lld, %d classes, %lld tasks, %lld lanes, %lld accumulators\n",
                   (long long)attributes->word[SAROS_ROWS_STAGE], classes, (long long)lanes.tasks,
                   (long long)lanes.lanes, (long long)attributes->word[SAROS_ROWS_ACCUMULATORS]);
    for (int c = 0; c < classes; ++c)
        saros_text_put(
            &s,
            "  class: %lld rows in blocks of %lld, %d blocks read, %d whole, %d added up, %d "
            "stored\n",
            (long long)view[c].rows, (long long)view[c].block, view[c].blocks, view[c].wholes,
            view[c].accumulators, view[c].stores);
    return s.used;
}

static size_t dump_node(const void *what, char *text, size_t bytes) {
    return saros_rows_dump(what, text, bytes);
}

saros_status saros_rows_record(const saros_attributes *attributes) {
    return saros_dump_kernels(dump_node, attributes);
}
