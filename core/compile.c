/** From a rewritten graph to a program: live records in id order become steps.
 *
 *  1. liveness from the outputs; ordered records are kept too.
 *  2. windows: values that are parts of others are made in place (compile_window.c).
 *  3. steps: rows with a `view` column become headers and no step; so do inputs and constants.
 *  4. places: outputs are written where the caller wants them, the rest by the plan (plan.c).
 * No rewriting, no fusion: those come before (contract.c, kernel/fuse.c). */
#include "compile_impl.h"

#include <stdio.h>
#include <string.h>

#include "region_impl.h"
#include "rows/rows_impl.h"
#include "saros/memory.h"

/* ---- liveness ---- */

static void mark_live(saros_compiler *c, int outputs, const int32_t *output) {
    const saros_graph *graph = c->graph;
    for (int k = 0; k < outputs; ++k) c->live[graph->owner[output[k]]] = true;
    for (int32_t n = graph->records - 1; n >= 0; --n) {
        const saros_graph_record *r = saros_graph_at(graph, n);
        saros_attributes attributes = saros_record_attributes(r);
        if (graph->ordered && saros_node_is_ordered(r->row, &attributes)) c->live[n] = true;
        if (!c->live[n]) continue;
        for (int32_t k = 0; k < r->operands; ++k) c->live[graph->owner[r->operand[k]]] = true;
        c->values += r->outputs;
        c->entries += r->operands + r->outputs;
        c->cells += r->row == &saros_row_constant;
        c->bodies += r->bodies;
    }
}

/* ---- slots and steps ---- */

static int32_t root_of(const saros_function *f, int32_t slot) {
    return f->place[slot].kind == SAROS_PLACE_VIEW ? f->place[slot].index : slot;
}

static int32_t make_slot(saros_compiler *c, const saros_type *type, const int64_t *strides,
                         saros_place place) {
    saros_function *f = c->f;
    int32_t slot = f->slots++;
    saros_tensor_embed(&f->prototype[slot], type->dtype, type->rank, type->shape, strides, NULL);
    f->place[slot] = place;
    c->first[slot] = f->steps;
    c->last[slot] = -1;
    return slot;
}

/** Opaque value of a slot that has one. */
static int32_t make_opaque(saros_compiler *c, int32_t maker, int32_t input,
                           saros_tensor *constant) {
    saros_function *f = c->f;
    f->opaque[f->opaques] = (saros_opaque_value){
        .maker = maker, .input = input, .constant = constant, .last = maker < 0 ? -1 : f->steps};
    return f->opaques++;
}

static void emit_input(saros_compiler *c, int k, int32_t id) {
    const saros_type *type = c->graph->type[id];
    saros_place place = {SAROS_PLACE_INPUT, k, 0};
    if (type->dtype == SAROS_OPAQUE)
        place = (saros_place){SAROS_PLACE_OPAQUE, make_opaque(c, -1, k, NULL), 0};
    int64_t strides[SAROS_MAX_RANK], offset;
    saros_window_strides(c, id, strides, &offset);
    c->f->input_slot[k] = make_slot(c, type, strides, place);
    c->f->input_type[k] = *type;
}

static void emit_constant(saros_compiler *c, const saros_graph_record *r) {
    static const int64_t still[SAROS_MAX_RANK] = {0};
    saros_function *f = c->f;
    const saros_type *type = c->graph->type[r->output];
    saros_place place = {SAROS_PLACE_CONSTANT, 0, 0};
    if (type->dtype == SAROS_OPAQUE)
        place = (saros_place){SAROS_PLACE_OPAQUE, make_opaque(c, -1, -1, r->tensor), 0};
    int32_t slot = make_slot(c, type, r->tensor ? r->tensor->strides : still, place);
    if (r->tensor) {
        f->prototype[slot].data = r->tensor->data;
    } else {
        int64_t *cell = &f->cell[--c->cells];
        saros_element_from_word(type->dtype, r->word[r->words - 1], cell);
        f->prototype[slot].data = cell;
    }
    c->slot_of[r->output] = slot;
}

/** A header over operand 0 instead of a step, if the row can. */
static bool emit_view(saros_compiler *c, const saros_graph_record *r) {
    if (!r->row->view || r->operands < 1 || r->outputs != 1) return false;
    saros_function *f = c->f;
    int32_t in = c->slot_of[r->operand[0]];
    const saros_type *type = c->graph->type[r->output];
    if (type->dtype == SAROS_OPAQUE && f->place[in].kind == SAROS_PLACE_OPAQUE) {
        c->slot_of[r->output] = in;
        return true;
    }
    int64_t strides[SAROS_MAX_RANK] = {0}, offset = 0;
    saros_attributes attributes = saros_record_attributes(r);
    if (f->prototype[in].dtype != type->dtype ||
        !r->row->view(&attributes, &f->prototype[in], type, strides, &offset))
        return false;
    offset *= (int64_t)saros_dtype_bytes(type->dtype);
    saros_place place = {SAROS_PLACE_VIEW, in, offset};
    if (f->place[in].kind == SAROS_PLACE_VIEW)
        place = (saros_place){SAROS_PLACE_VIEW, f->place[in].index, f->place[in].offset + offset};
    if (f->place[in].kind == SAROS_PLACE_CONSTANT) place = f->place[in];
    int32_t slot = make_slot(c, type, strides, place);
    if (place.kind == SAROS_PLACE_CONSTANT)
        f->prototype[slot].data = (char *)f->prototype[in].data + offset;
    c->slot_of[r->output] = slot;
    return true;
}

static saros_status emit_bodies(saros_compiler *c, const saros_graph_record *r, saros_step *step) {
    saros_function *f = c->f;
    char name[64];
    snprintf(name, sizeof name, "%s body", r->row->name);
    saros_compile_options options = {
        .name = name, .backend = f->backend, .check_finite = f->check_finite};
    step->body = f->body + f->bodies;
    for (int32_t b = 0; b < r->bodies; ++b) {
        const bool loop = r->row == &saros_row_loop || r->row == &saros_row_loop_reverse;
        const int carries = loop ? (int)r->word[b * SAROS_LOOP_WORDS + SAROS_LOOP_CARRIES] : 0;
        saros_status status =
            r->row == &saros_row_rows
                ? saros_compile_block(r->body[b], &options, &f->body[f->bodies])
                : saros_compile_loop(r->body[b], &options, carries, &f->body[f->bodies]);
        if (status != SAROS_OK) return status;
        f->bodies++;
    }
    return SAROS_OK;
}

/** Where a member lies in its family's array, which has a slot. */
static saros_place member_place(const saros_compiler *c, const saros_member *member,
                                int32_t array) {
    int64_t strides[SAROS_MAX_RANK], offset;
    saros_place place = c->f->place[array];
    saros_member_strides(c, member, strides, &offset);
    if (place.kind == SAROS_PLACE_ARENA) place = (saros_place){SAROS_PLACE_VIEW, array, 0};
    place.offset += offset * (int64_t)saros_dtype_bytes(c->f->prototype[array].dtype);
    return place;
}

/** Slot of the array of a family, which comes to be with its first member: memory of its own, or
 * that of a carry. */
static int32_t family_slot(saros_compiler *c, saros_family *family) {
    saros_type type = *c->graph->type[c->member[family->first].value];
    if (family->slot >= 0) return family->slot;
    for (int a = 0; a < family->rank; ++a) type.shape[a] = family->hi[a] - family->lo[a];
    type.rank = family->rank;
    saros_place place = {SAROS_PLACE_ARENA, 0, 0};
    if (family->within >= 0) {
        const saros_member *member = &c->member[family->within];
        int32_t array = family_slot(c, &c->family[member->family]);
        place = member_place(c, member, array);
    } else if (family->carry >= 0) {
        int64_t strides[SAROS_MAX_RANK], offset;
        saros_window_strides(c, family->carry, strides, &offset);
        offset *= (int64_t)saros_dtype_bytes(type.dtype);
        place = (saros_place){SAROS_PLACE_VIEW, c->slot_of[family->carry], -offset};
    }
    return family->slot = make_slot(c, &type, NULL, place);
}

/** Slot of a value that a step makes: memory of its own, or part of its family's. */
static int32_t result_slot(saros_compiler *c, int32_t id) {
    const saros_type *type = c->graph->type[id];
    int64_t strides[SAROS_MAX_RANK], offset;
    saros_place place = {SAROS_PLACE_ARENA, 0, 0};
    saros_window_strides(c, id, strides, &offset);
    if (c->member_of[id] >= 0) {
        const saros_member *member = &c->member[c->member_of[id]];
        saros_family *family = &c->family[member->family];
        int32_t array = family_slot(c, family);
        bool all = c->f->prototype[array].count == saros_type_count(type) && !member->reshaped;
        if (all && family->carry < 0) return c->slot_of[id] = array;
        place = member_place(c, member, array);
    }
    return c->slot_of[id] = make_slot(c, type, strides, place);
}

static saros_status emit_step(saros_compiler *c, const saros_graph_record *r) {
    saros_function *f = c->f;
    saros_step *step = &f->step[f->steps];
    *step = (saros_step){.row = r->row,
                         .attributes = saros_record_attributes(r),
                         .file = r->file,
                         .line = r->line,
                         .ins = r->operands,
                         .outs = r->outputs,
                         .table = f->table_size,
                         .made_from = f->opaques};
    if (r->bodies) {
        saros_status status = emit_bodies(c, r, step);
        if (status != SAROS_OK) return status;
    }
    for (int32_t k = 0; k < r->operands; ++k) {
        int32_t slot = c->slot_of[r->operand[k]];
        f->table[f->table_size++] = slot;
        c->last[root_of(f, slot)] = f->steps;
        if (f->place[slot].kind == SAROS_PLACE_OPAQUE)
            f->opaque[f->place[slot].index].last = f->steps;
    }
    for (int32_t k = 0; k < r->outputs; ++k) {
        const saros_type *type = c->graph->type[r->output + k];
        int32_t slot;
        if (type->dtype == SAROS_OPAQUE) {
            int32_t opaque = make_opaque(c, f->table_size, -1, NULL);
            slot = make_slot(c, type, NULL, (saros_place){SAROS_PLACE_OPAQUE, opaque, 0});
            c->slot_of[r->output + k] = slot;
        } else {
            slot = result_slot(c, r->output + k);
        }
        c->last[root_of(f, slot)] = f->steps;
        f->table[f->table_size++] = slot;
    }
    step->made_to = f->opaques;
    f->steps++;
    return SAROS_OK;
}

static saros_status emit_record(saros_compiler *c, int32_t n) {
    const saros_graph_record *r = saros_graph_at(c->graph, n);
    if (r->row == &saros_row_input) return SAROS_OK;
    if (r->row == &saros_row_constant) {
        emit_constant(c, r);
        return SAROS_OK;
    }
    if (emit_view(c, r)) return SAROS_OK;
    return emit_step(c, r);
}

/* ---- compile ---- */

static saros_status allocate_carries(saros_compiler *c) {
    c->f->carry = saros_allocate_zero((size_t)c->f->carries, sizeof *c->f->carry);
    return c->f->carry ? SAROS_OK : SAROS_ERR_MEMORY;
}

static saros_status allocate_program(saros_compiler *c, int inputs, int outputs) {
    saros_function *f = c->f;
    size_t slots = (size_t)(inputs + c->values + c->families), n = (size_t)c->graph->records;
    f->prototype = saros_allocate(slots * sizeof *f->prototype);
    f->place = saros_allocate(slots * sizeof *f->place);
    f->opaque = saros_allocate(slots * sizeof *f->opaque);
    f->step = saros_allocate(n * sizeof *f->step);
    f->table = saros_allocate((size_t)c->entries * sizeof *f->table);
    f->cell = saros_allocate((size_t)c->cells * sizeof *f->cell);
    f->body = saros_allocate((size_t)c->bodies * sizeof(saros_function *));
    f->input_type = saros_allocate((size_t)inputs * sizeof *f->input_type);
    f->input_name = saros_allocate((size_t)inputs * sizeof *f->input_name);
    f->input_slot = saros_allocate((size_t)inputs * sizeof *f->input_slot);
    f->input_last = saros_allocate((size_t)inputs * sizeof *f->input_last);
    f->output_type = saros_allocate((size_t)outputs * sizeof *f->output_type);
    f->output = saros_allocate((size_t)outputs * sizeof *f->output);
    c->first = saros_allocate(slots * sizeof *c->first);
    c->last = saros_allocate(slots * sizeof *c->last);
    bool all = f->prototype && f->place && f->opaque && f->step && f->table && f->cell && f->body &&
               f->input_type && f->input_name && f->input_slot && f->input_last && f->output_type &&
               f->output && c->first && c->last;
    return all ? SAROS_OK : SAROS_ERR_MEMORY;
}

static saros_status run_passes(saros_compiler *c, int inputs, const int32_t *input, int outputs,
                               const int32_t *output) {
    for (int k = 0; k < inputs; ++k) c->slot_of[input[k]] = k; /* slots of the inputs come first */
    mark_live(c, outputs, output);
    c->f->inputs = inputs;
    c->f->outputs = outputs;
    saros_status status = allocate_carries(c);
    if (status == SAROS_OK) status = saros_find_windows(c, input, output);
    if (status == SAROS_OK) status = allocate_program(c, inputs, outputs);
    if (status != SAROS_OK) return status;
    for (int k = 0; k < inputs; ++k) {
        emit_input(c, k, input[k]);
        c->f->input_name[k] = saros_value_name((saros_value){c->graph, input[k]});
    }
    for (int32_t n = 0; n < c->graph->records; ++n) {
        if (!c->live[n]) continue;
        status = emit_record(c, n);
        if (status != SAROS_OK) return status;
    }
    return saros_place_values(c, output);
}

saros_status saros_compile_ready(const saros_body *body, const saros_compile_options *options,
                                 int carries, saros_function **out) {
    saros_graph *graph = body->graph;
    saros_status status = SAROS_ERR_MEMORY;
    saros_compiler c = {.graph = graph};
    c.f = saros_function_make(graph, options);
    c.live = saros_allocate_zero((size_t)graph->records, sizeof *c.live);
    c.slot_of = saros_allocate(3 * (size_t)graph->values * sizeof *c.slot_of + 1);
    if (!c.f || !c.live || !c.slot_of) goto done;
    c.member_of = c.slot_of + graph->values;
    c.follows = c.member_of + graph->values;
    c.f->carries = carries;
    for (int32_t k = 0; k < 3 * graph->values; ++k) c.slot_of[k] = -1;
    SAROS_TRY(run_passes(&c, body->inputs, body->input, body->outputs, body->output));
    *out = c.f;
    c.f = NULL;
done:
    saros_function_release(c.f);
    saros_release(c.live);
    saros_release(c.slot_of);
    saros_release(c.member);
    saros_release(c.family);
    saros_release(c.first);
    saros_release(c.last);
    return status;
}
