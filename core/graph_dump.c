/** Readable dump of a graph: one node a line, bodies indented below their node.
 *
 *      %3 = mul(%1, %2) : f64[64]
 *      %4, %5 = loop(%0, %3) [100 1 0 1 0 0 1 0 -1] : f64[64], f64[100,64] */
#include <inttypes.h>
#include <stdio.h>

#include "graph_impl.h"
#include "saros/region.h"
#include "text_impl.h"

static void put_attributes(saros_text *s, const saros_graph *graph, const saros_graph_record *r) {
    if (r->row == &saros_row_input) {
        const char *name = saros_value_name((saros_value){(saros_graph *)graph, r->output});
        if (name[0]) saros_text_put(s, " \"%s\"", name);
    } else if (r->row == &saros_row_constant) {
        double value;
        if (saros_value_is_splat((saros_value){(saros_graph *)graph, r->output}, &value))
            saros_text_put(s, " %.17g", value);
        else
            saros_text_put(s, " tensor");
    } else if (r->words) {
        for (int32_t k = 0; k < r->words; ++k)
            saros_text_put(s, "%s%" PRId64, k ? " " : " [", r->word[k]);
        saros_text_put(s, "]");
    }
    if (r->fence) saros_text_put(s, " fence %d", r->fence);
}

static void put_node(saros_text *s, const saros_graph *graph, const saros_graph_record *r,
                     int indent) {
    saros_text_put(s, "%*s", indent, "");
    for (int32_t k = 0; k < r->outputs; ++k)
        saros_text_put(s, "%s%%%d", k ? ", " : "", r->output + k);
    saros_text_put(s, " = %s(", r->row->name);
    for (int32_t k = 0; k < r->operands; ++k)
        saros_text_put(s, "%s%%%d", k ? ", " : "", r->operand[k]);
    saros_text_put(s, ")");
    put_attributes(s, graph, r);
    for (int32_t k = 0; k < r->outputs; ++k) {
        char text[128];
        saros_text_put(s, "%s%s", k ? ", " : " : ",
                       saros_type_text(graph->type[r->output + k], text, sizeof text));
    }
    saros_text_put(s, "\n");
}

/** Recursion over nesting of bodies, which the writer of a program sets. */
static void put_graph(saros_text *s, const saros_graph *graph, int indent) {
    for (int32_t n = 0; n < graph->records; ++n) {
        const saros_graph_record *r = saros_graph_at(graph, n);
        put_node(s, graph, r, indent);
        for (int32_t b = 0; b < r->bodies; ++b) {
            const saros_body *body = r->body[b];
            saros_text_put(s, "%*sbody %d ->", indent + 2, "", b);
            for (int k = 0; k < body->outputs; ++k) saros_text_put(s, " %%%d", body->output[k]);
            saros_text_put(s, "\n");
            put_graph(s, body->graph, indent + 4);
        }
    }
}

size_t saros_graph_dump(const saros_graph *graph, char *text, size_t bytes) {
    saros_text s = {text, bytes, 0};
    if (bytes) text[0] = '\0';
    put_graph(&s, graph, 0);
    return s.used;
}
