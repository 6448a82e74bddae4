/** Places of values: outputs in the caller's memory, the rest in the arena, views on top of them;
 * users and last uses of opaque values. */
#include "compile_impl.h"

#include <stdlib.h>

#include "saros/memory.h"

/** Whether the memory of `root` can be that of an output whose value is `slot`. */
static bool fills_output(const saros_function *f, int32_t slot, int32_t root) {
    if (f->place[root].kind != SAROS_PLACE_ARENA || !f->prototype[root].contiguous) return false;
    return slot == root || (f->place[slot].offset == 0 && f->prototype[slot].contiguous &&
                            f->prototype[slot].count == f->prototype[root].count);
}

/** What the step that makes `root` may write it over, an operand that dies there; -1: nothing. */
static int32_t link_before(const saros_compiler *c, int32_t root) {
    const saros_function *f = c->f;
    const saros_step *step = &f->step[c->first[root]];
    const int32_t *in = f->table + step->table;
    int m = 0;
    while (m < step->outs && in[step->ins + m] != root) ++m;
    for (int32_t k = 0; m < step->outs && k < step->ins; ++k) {
        const saros_place_kind kind = f->place[in[k]].kind;
        if ((kind == SAROS_PLACE_ARENA || kind == SAROS_PLACE_INPUT) &&
            f->prototype[in[k]].contiguous && c->last[in[k]] == c->first[root] &&
            saros_step_in_place(f, step, m, in[k]))
            return in[k];
    }
    return -1;
}

/** x + a b + c d + …, each sum written over the one before: where the chain begins with an input
 * that dies there and ends in output k, all of it is made in the output's memory, which may be the
 * input's. Not if carry k would no longer be where it is. */
static void chain_output(saros_compiler *c, int k) {
    saros_function *f = c->f;
    saros_function_output *out = &f->output[k];
    int32_t first = out->slot, root = out->slot;
    while (f->place[root].kind != SAROS_PLACE_INPUT) {
        first = root;
        root = link_before(c, root);
        if (root < 0) return;
    }
    if (first == out->slot ||
        (k + 1 < f->inputs && root != f->input_slot[k + 1] && saros_function_in_place(f, k, k + 1)))
        return;
    for (int32_t link = link_before(c, out->slot); link != root;) {
        const int32_t before = link_before(c, link);
        f->place[link] = (saros_place){SAROS_PLACE_VIEW, out->slot, 0};
        for (int32_t slot = 0; slot < f->slots; ++slot)
            if (f->place[slot].kind == SAROS_PLACE_VIEW && f->place[slot].index == link)
                f->place[slot].index = out->slot;
        link = before;
    }
    out->step = c->first[first];
}

static void place_outputs(saros_compiler *c, const int32_t *output) {
    saros_function *f = c->f;
    for (int k = 0; k < f->outputs; ++k) {
        int32_t slot = c->slot_of[output[k]];
        saros_function_output *out = &f->output[k];
        f->output_type[k] = *c->graph->type[output[k]];
        *out = (saros_function_output){.slot = slot, .opaque = -1, .step = f->steps};
        if (f->place[slot].kind == SAROS_PLACE_OPAQUE) {
            out->opaque = f->place[slot].index;
            f->opaque[out->opaque].last = f->steps;
            continue;
        }
        int32_t root = f->place[slot].kind == SAROS_PLACE_VIEW ? f->place[slot].index : slot;
        bool laid_out = k < f->carries && f->carry[k].bytes;
        bool fills = laid_out ? c->follows[output[k]] == k : fills_output(f, slot, root);
        if (fills) {
            f->place[root] = (saros_place){SAROS_PLACE_OUTPUT, k, 0};
            out->slot = root;
            out->direct = true;
            out->step = c->first[root];
        } else {
            c->last[root] = f->steps;
        }
    }
    for (int k = 0; k < f->inputs; ++k) f->input_last[k] = c->last[f->input_slot[k]];
    for (int k = 0; k < f->outputs; ++k)
        if (f->output[k].direct && !(k < f->carries && f->carry[k].bytes)) chain_output(c, k);
}

/** Results written over operands that die at their step, each over another one. */
static saros_status find_in_place(saros_compiler *c, int32_t count, saros_interval *interval) {
    const saros_function *f = c->f;
    int32_t *of =
        saros_allocate((size_t)f->slots * sizeof *of + 1); /* interval, -1: none or over */
    if (!of) return SAROS_ERR_MEMORY;
    for (int32_t slot = 0; slot < f->slots; ++slot) of[slot] = -1;
    for (int32_t k = 0; k < count; ++k) of[interval[k].slot] = k;
    for (int32_t s = 0; s < f->steps; ++s) {
        const saros_step *step = &f->step[s];
        const int32_t *in = f->table + step->table;
        for (int32_t m = 0; m < step->outs; ++m) {
            int32_t to = of[in[step->ins + m]];
            for (int32_t k = 0; to >= 0 && k < step->ins && interval[to].over < 0; ++k) {
                int32_t root =
                    f->place[in[k]].kind == SAROS_PLACE_VIEW ? f->place[in[k]].index : in[k];
                if (of[root] < 0 || c->last[root] != s || !saros_step_in_place(f, step, m, root))
                    continue;
                interval[to].over = of[root];
                of[root] = -1;
            }
        }
    }
    saros_release(of);
    return SAROS_OK;
}

static saros_status place_arena(saros_compiler *c) {
    saros_function *f = c->f;
    saros_interval *interval = saros_allocate((size_t)f->slots * sizeof *interval);
    if (!interval) return SAROS_ERR_MEMORY;
    saros_status status = SAROS_OK;
    int32_t count = 0;
    for (int32_t slot = 0; slot < f->slots; ++slot) {
        if (f->place[slot].kind != SAROS_PLACE_ARENA) continue;
        const saros_tensor *header = &f->prototype[slot];
        int64_t bytes = header->count * (int64_t)saros_dtype_bytes(header->dtype);
        interval[count++] = (saros_interval){slot, c->first[slot], c->last[slot], -1, bytes, 0};
    }
    SAROS_TRY(find_in_place(c, count, interval));
    SAROS_TRY(saros_plan_memory(count, interval, &f->arena_bytes));
    for (int32_t k = 0; k < count; ++k) f->place[interval[k].slot].offset = interval[k].offset;
done:
    saros_release(interval);
    return status;
}

static saros_status list_views(saros_function *f) {
    f->view = saros_allocate((size_t)f->slots * sizeof *f->view);
    if (!f->view) return SAROS_ERR_MEMORY;
    for (int32_t slot = 0; slot < f->slots; ++slot) {
        if (f->place[slot].kind != SAROS_PLACE_VIEW || f->prototype[slot].count == 0) continue;
        saros_place_kind root = f->place[f->place[slot].index].kind;
        if (root == SAROS_PLACE_INPUT || root == SAROS_PLACE_OUTPUT) f->view[f->views++] = slot;
    }
    return SAROS_OK;
}

/** Table entries that read each opaque value, in one array: count, sum up, fill. */
static saros_status list_uses(saros_function *f) {
    f->use = saros_allocate((size_t)f->table_size * sizeof *f->use);
    if (!f->use) return SAROS_ERR_MEMORY;
    for (int pass = 0; pass < 2; ++pass) {
        for (int32_t s = 0; s < f->steps; ++s)
            for (int32_t e = f->step[s].table; e < f->step[s].table + f->step[s].ins; ++e) {
                saros_place place = f->place[f->table[e]];
                if (place.kind != SAROS_PLACE_OPAQUE) continue;
                if (pass) f->use[f->opaque[place.index].use_to] = e;
                f->opaque[place.index].use_to++;
            }
        for (int32_t k = 0; pass == 0 && k < f->opaques; ++k) {
            int32_t uses = f->opaque[k].use_to;
            f->opaque[k].use_from = f->opaque[k].use_to = f->uses;
            f->uses += uses;
        }
    }
    return SAROS_OK;
}

/** Opaque values made by steps, by their last use; outputs are not dropped. */
static saros_status list_drops(saros_function *f) {
    f->drop = saros_allocate((size_t)f->opaques * sizeof *f->drop);
    if (!f->drop) return SAROS_ERR_MEMORY;
    for (int32_t k = 0; k < f->opaques; ++k)
        if (f->opaque[k].maker >= 0 && f->opaque[k].last < f->steps)
            f->step[f->opaque[k].last].dropped_to++;
    int32_t total = 0;
    for (int32_t s = 0; s < f->steps; ++s) {
        int32_t count = f->step[s].dropped_to;
        f->step[s].dropped_from = f->step[s].dropped_to = total;
        total += count;
    }
    for (int32_t k = 0; k < f->opaques; ++k)
        if (f->opaque[k].maker >= 0 && f->opaque[k].last < f->steps)
            f->drop[f->step[f->opaque[k].last].dropped_to++] = k;
    f->drops = total;
    return SAROS_OK;
}

saros_status saros_place_values(saros_compiler *c, const int32_t *output) {
    saros_status status = SAROS_OK;
    place_outputs(c, output);
    SAROS_TRY(place_arena(c));
    SAROS_TRY(list_views(c->f));
    SAROS_TRY(list_uses(c->f));
    SAROS_TRY(list_drops(c->f));
done:
    return status;
}
