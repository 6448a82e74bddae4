/** Leaves of a graph: inputs and constants, and how types and elements are kept in words.
 *
 *  A constant is its type and one element (all elements equal in bits), or its type and a retained
 * tensor. Elements are words: floats by the bits of their double, integers by themselves, so that
 * -0.0, NaN and large integers stay what they are. */
#include <string.h>

#include "graph_impl.h"
#include "saros/memory.h"
#include "saros/region.h"
#include "tensor_impl.h"
#include "rows/axes_impl.h"

int saros_words_from_type(const saros_type *type, int64_t *word) {
    word[0] = type->dtype;
    word[1] = type->rank;
    word[2] = type->split;
    for (int a = 0; a < type->rank; ++a) word[3 + a] = type->shape[a];
    return 3 + type->rank;
}

int saros_type_from_words(const int64_t *word, saros_type *type) {
    *type = (saros_type){
        .dtype = (saros_dtype)word[0], .rank = (int)word[1], .split = (uint32_t)word[2]};
    for (int a = 0; a < type->rank; ++a) type->shape[a] = word[3 + a];
    return 3 + type->rank;
}

int64_t saros_word_from_element(saros_dtype dtype, const void *element) {
    double real;
    int64_t integer;
    if (saros_dtype_is_float(dtype)) {
        saros_copy_strided(0, NULL, SAROS_F64, &real, NULL, dtype, element, NULL);
        return saros_bits(real);
    }
    saros_copy_strided(0, NULL, SAROS_I64, &integer, NULL, dtype, element, NULL);
    return integer;
}

void saros_element_from_word(saros_dtype dtype, int64_t word, void *element) {
    double real = saros_from_bits(word);
    if (saros_dtype_is_float(dtype))
        saros_copy_strided(0, NULL, dtype, element, NULL, SAROS_F64, &real, NULL);
    else
        saros_copy_strided(0, NULL, dtype, element, NULL, SAROS_I64, &word, NULL);
}

/* ---- rows ---- */

static saros_status told_type(saros_typing *typing) {
    saros_type_from_words(typing->attributes->word, &typing->output[0]);
    return SAROS_OK;
}

/** A compiled function reads inputs and constants where they are; only saros_apply comes here. */
static saros_status constant_evaluate(const saros_evaluation *evaluation) {
    const saros_attributes *attributes = evaluation->attributes;
    saros_tensor *out = evaluation->out[0];
    if (attributes->tensor) return saros_tensor_assign(out, attributes->tensor);
    int64_t element, strides[SAROS_MAX_RANK] = {0};
    saros_element_from_word(out->dtype, attributes->word[attributes->words - 1], &element);
    saros_copy_strided(out->rank, out->shape, out->dtype, out->data, out->strides, out->dtype,
                       &element, strides);
    return SAROS_OK;
}

static saros_status input_evaluate(const saros_evaluation *evaluation) {
    return saros_fail(SAROS_ERR_INTERNAL, evaluation->row->name, NULL,
                      "an input has no value of its own");
}

const saros_primitive saros_row_input = {.name = "input",
                                         .doc = "A value given at the call.",
                                         .outputs = 1,
                                         .flags = SAROS_CONSTANT | SAROS_DISTINCT,
                                         .type = told_type,
                                         .evaluate = input_evaluate};

const saros_primitive saros_row_constant = {.name = "constant",
                                            .doc = "A value fixed when the graph is built.",
                                            .outputs = 1,
                                            .flags = SAROS_CONSTANT,
                                            .type = told_type,
                                            .evaluate = constant_evaluate,
                                            .axes = &saros_axes_constant};

/* ---- inputs ---- */

static bool check_type(const saros_type *type, const char *where) {
    bool known = (unsigned)type->dtype < SAROS_DTYPE_COUNT;
    bool fits = type->rank >= 0 && type->rank <= SAROS_MAX_RANK;
    for (int a = 0; fits && a < type->rank; ++a) fits = type->shape[a] >= 0;
    if (known && fits) return true;
    saros_fail(known ? SAROS_ERR_SHAPE : SAROS_ERR_TYPE, where, NULL,
               known ? "negative extent, or rank %d above %d" : "unknown element type", type->rank,
               SAROS_MAX_RANK);
    return false;
}

int32_t saros_graph_declare(saros_graph *graph, const saros_type *type, const char *name,
                            int32_t outer) {
    if (!check_type(type, "saros_input")) return -1;
    if (graph->inputs == graph->input_room) {
        int32_t room = graph->input_room ? graph->input_room * 2 : 8;
        void *moved = saros_reallocate(graph->input, (size_t)room * sizeof *graph->input);
        if (!moved) return -1;
        graph->input = moved;
        graph->input_room = room;
    }
    const char *kept = "";
    if (name && name[0]) {
        size_t bytes = strlen(name) + 1;
        char *copy = saros_graph_take(graph, bytes);
        if (!copy) return -1;
        kept = memcpy(copy, name, bytes);
    }
    int64_t word[SAROS_TYPE_WORDS];
    saros_attributes attributes = {.word = word, .words = saros_words_from_type(type, word)};
    int32_t id = saros_graph_append(graph, &saros_row_input, &attributes, 0, NULL);
    if (id >= 0) graph->input[graph->inputs++] = (saros_graph_input){id, outer, kept};
    return id;
}

saros_value saros_input(saros_graph *graph, const saros_type *type, const char *name) {
    if (!graph) return SAROS_NONE;
    int32_t id = saros_graph_declare(graph, type, name, -1);
    if (id < 0) return saros_poison(graph);
    return (saros_value){graph, id};
}

/* ---- constants ---- */

int32_t saros_graph_splat_word(saros_graph *graph, const saros_type *type, int64_t element) {
    if (!check_type(type, "saros_splat")) return -1;
    if (type->dtype == SAROS_OPAQUE) {
        saros_fail(SAROS_ERR_TYPE, "saros_splat", NULL, "an opaque object is not a number");
        return -1;
    }
    int64_t word[SAROS_TYPE_WORDS + 1];
    int words = saros_words_from_type(type, word);
    word[words++] = element;
    saros_attributes attributes = {.word = word, .words = words};
    return saros_graph_append(graph, &saros_row_constant, &attributes, 0, NULL);
}

saros_value saros_splat(saros_graph *graph, const saros_type *type, double value) {
    if (!graph) return SAROS_NONE;
    int64_t element = 0, word = 0;
    if (type->dtype == SAROS_F64) {
        word = saros_bits(value);
    } else if (type->dtype < SAROS_OPAQUE) {
        /* Through the element: rounds to f32, truncates to integers. */
        saros_copy_strided(0, NULL, type->dtype, &element, NULL, SAROS_F64, &value, NULL);
        word = saros_word_from_element(type->dtype, &element);
    }
    int32_t id = saros_graph_splat_word(graph, type, word);
    if (id < 0) return saros_poison(graph);
    return (saros_value){graph, id};
}

saros_value saros_scalar(saros_graph *graph, saros_dtype dtype, double value) {
    saros_type type = saros_type_scalar(dtype);
    return saros_splat(graph, &type, value);
}

static bool all_equal(const saros_tensor *tensor) {
    size_t size = saros_dtype_bytes(tensor->dtype);
    const char *data = tensor->data;
    return tensor->count <= 1 ||
           (tensor->contiguous &&
            memcmp(data, data + size, (size_t)(tensor->count - 1) * size) == 0);
}

saros_value saros_constant(saros_graph *graph, saros_tensor *tensor) {
    if (!graph) return SAROS_NONE;
    saros_type type = saros_tensor_type(tensor);
    int32_t id;
    if (type.dtype != SAROS_OPAQUE && all_equal(tensor)) {
        int64_t word = tensor->count ? saros_word_from_element(type.dtype, tensor->data) : 0;
        id = saros_graph_splat_word(graph, &type, word);
    } else {
        int64_t word[SAROS_TYPE_WORDS];
        saros_attributes attributes = {
            .word = word, .words = saros_words_from_type(&type, word), .tensor = tensor};
        id = saros_graph_append(graph, &saros_row_constant, &attributes, 0, NULL);
    }
    if (id < 0) return saros_poison(graph);
    return (saros_value){graph, id};
}

const saros_graph_record *saros_graph_splat(const saros_graph *graph, int32_t id) {
    const saros_graph_record *r = saros_graph_maker(graph, id);
    return r->row == &saros_row_constant && !r->tensor ? r : NULL;
}

bool saros_value_is_splat(saros_value value, double *out) {
    if (!value.graph || value.id < 0) return false;
    const saros_graph_record *r = saros_graph_splat(value.graph, value.id);
    if (!r) return false;
    int64_t word = r->word[r->words - 1];
    if (out)
        *out = saros_dtype_is_float((saros_dtype)r->word[0]) ? saros_from_bits(word) : (double)word;
    return true;
}
