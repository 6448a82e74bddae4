/** Reading a result file back: a problem without equation (axes, names, parameters, periodic or
 * free sides) and a solution read as by the grid. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grid/interpolate_impl.h"
#include "saros/memory.h"
#include "saros/store.h"
#include "solution_impl.h"

enum { MOST = 64 };

/** What a file says; names point into `text`. */
typedef struct header {
    saros_store_reader *reader;
    const char *path;
    char *problem, *text[4], *order;
    const char *unknown[MOST + 1];
    saros_parameter parameter[MOST + 1];
    saros_tensor *value[MOST];
    saros_observable observable[MOST + 1];
    saros_condition condition[4];
    saros_axis axis[SAROS_AXES + 1];
    int unknowns, parameters, axes; /**< axes: space */
    bool transient;
} header;

static saros_status note(const header *h, const char *name, char **out) {
    char place[64];
    snprintf(place, sizeof place, "/provenance/%s", name);
    saros_status status = saros_store_text(h->reader, place, out);
    if (status == SAROS_OK) return status;
    return saros_fail(SAROS_ERR_IO, "load", "load files that saros wrote",
                      "%s has no %s: it is no result of saros", h->path, place);
}

/** Cuts a text at spaces; at most MOST words. */
static int words(char *text, char **word) {
    int n = 0;
    for (char *rest = NULL, *w = strtok_r(text, " ", &rest); w && n < MOST;
         w = strtok_r(NULL, " ", &rest))
        word[n++] = w;
    return n;
}

static saros_status read_domain(header *h) {
    char *word[MOST];
    int n = words(h->text[3], word);
    for (int k = 0; k + 2 < n && k / 3 < SAROS_AXES; k += 3) {
        h->axis[k / 3] =
            (saros_axis){word[k], strtod(word[k + 1], NULL), strtod(word[k + 2], NULL)};
        if (strcmp(word[k], "t") == 0)
            h->transient = true;
        else
            h->axes++;
    }
    n = words(h->text[2], word);
    for (int k = 0; k < n && k < 3; ++k)
        h->condition[k] = (saros_condition){.axis = word[k], .kind = SAROS_PERIODIC};
    return SAROS_OK;
}

static saros_status read_parameters(header *h) {
    char *word[MOST], place[96];
    int n = words(h->text[1], word);
    for (int k = 0; k < n; ++k) {
        saros_tensor *value = NULL;
        snprintf(place, sizeof place, "/parameters/%s", word[k]);
        saros_status status = saros_store_read(h->reader, place, &value);
        if (status != SAROS_OK) return status;
        bool field = saros_tensor_rank(value) > 0;
        h->value[k] = value;
        h->parameter[h->parameters++] =
            (saros_parameter){.name = word[k], .field = field ? value : NULL};
        if (!field) status = saros_tensor_item(value, &h->parameter[k].value);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

/** Variables that are no unknowns are observables. */
static saros_status read_variables(header *h) {
    char *word[MOST];
    int count = 0, observables = 0;
    const char **name = NULL;
    h->unknowns = words(h->text[0], word);
    for (int k = 0; k < h->unknowns; ++k) h->unknown[k] = word[k];
    saros_status status = saros_store_variables(h->reader, &count, &name);
    for (int i = 0; status == SAROS_OK && i < count; ++i) {
        bool unknown = false;
        for (int k = 0; k < h->unknowns; ++k) unknown |= strcmp(h->unknown[k], name[i]) == 0;
        if (!unknown && observables < MOST) h->observable[observables++].name = name[i];
    }
    saros_release(name); /* the strings live in the reader */
    return status;
}

static saros_status read_header(header *h) {
    static const char *const name[4] = {"unknowns", "parameters", "periodic", "domain"};
    saros_status status = note(h, "problem", &h->problem);
    for (int k = 0; k < 4 && status == SAROS_OK; ++k) status = note(h, name[k], &h->text[k]);
    if (status == SAROS_OK) status = note(h, "order", &h->order);
    if (status == SAROS_OK) status = read_domain(h);
    if (status == SAROS_OK) status = read_parameters(h);
    return status == SAROS_OK ? read_variables(h) : status;
}

static void clear_header(header *h) {
    for (int k = 0; k < h->parameters; ++k) saros_tensor_release(h->value[k]);
    for (int k = 0; k < 4; ++k) saros_release(h->text[k]);
    saros_release(h->problem);
    saros_release(h->order);
    saros_store_close(h->reader);
}

static saros_status read_axis(const header *h, const char *name, saros_tensor **out) {
    char place[8];
    snprintf(place, sizeof place, "/%s", name);
    return saros_store_read(h->reader, place, out);
}

/** Fields, nodes and the grid's state; handed to the solution together. */
static saros_status read_solution(const header *h, saros_problem *p, saros_solution **out) {
    saros_status status = SAROS_OK;
    int fields = p->unknowns + p->observables;
    int64_t cells[3] = {0};
    saros_tensor *time = NULL, *node[3] = {NULL};
    void *state = NULL;
    saros_task task = {
        .problem = p, .axes = p->axes, .transient = p->transient, .start = p->start, .end = p->end};
    saros_tensor **field = saros_allocate_zero((size_t)(fields + h->parameters + 1), sizeof *field);
    if (!field) return SAROS_ERR_MEMORY;
    task.parameter = field + fields;
    for (int k = 0; k < h->parameters; ++k) task.parameter[k] = h->value[k];
    if (p->transient) SAROS_TRY(read_axis(h, "t", &time));
    for (int a = 0; a < p->axes; ++a) {
        task.axis[a] = p->axis[a];
        SAROS_TRY(read_axis(h, p->axis[a].name, &node[a]));
        bool periodic = saros_problem_condition(p, a, 0, 0, NULL, NULL, NULL) == SAROS_PERIODIC;
        cells[a] = saros_tensor_count(node[a]) - !periodic;
    }
    for (int k = 0; k < fields; ++k) {
        char place[96];
        const char *name = k < p->unknowns ? p->unknown[k] : p->observable_name[k - p->unknowns];
        snprintf(place, sizeof place, "/%s", name);
        SAROS_TRY(saros_store_read(h->reader, place, &field[k]));
    }
    SAROS_TRY(saros_grid_state_make(p, cells, strtol(h->order, NULL, 10), &state));
    saros_info info = {.method = "file", .converged = true};
    status = saros_solution_make(&task, &saros_grid_solution_class, state, time, node, field, &info,
                                 out);
    saros_release(field);
    return status;
done:
    for (int k = 0; k < fields; ++k) saros_tensor_release(field[k]);
    for (int a = 0; a < 3; ++a) saros_tensor_release(node[a]);
    saros_tensor_release(time);
    saros_release(field);
    return status;
}

saros_status saros_solution_load(const char *path, saros_solution **out) {
    header *h = saros_allocate_zero(1, sizeof *h);
    if (!h) return SAROS_ERR_MEMORY;
    h->path = path;
    saros_problem *problem = NULL;
    saros_status status = saros_store_open(path, &h->reader);
    if (status == SAROS_OK) status = read_header(h);
    if (status == SAROS_OK) {
        saros_problem_spec spec = {.name = h->problem,
                                   .axes = h->axis,
                                   .unknowns = h->unknown,
                                   .parameters = h->parameter,
                                   .boundary = h->condition,
                                   .observables = h->observable};
        status = saros_problem_build(&spec, &problem);
    }
    if (status == SAROS_OK) status = read_solution(h, problem, out);
    saros_problem_release(problem);
    clear_header(h);
    saros_release(h);
    return status;
}
