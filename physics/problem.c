/** Problem: copies the specification, traces every function once, inspects the equation, checks the
 * conditions. Afterwards it is read-only but for the cache of compiled programs. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "problem_impl.h"
#include "saros/memory.h"

static const char letters[] = "xyz";

/* ---- names ---- */

int saros_unknown_index(const saros_problem *problem, const char *name) {
    for (int k = 0; k < problem->unknowns; ++k)
        if (strcmp(problem->unknown[k], name) == 0) return k;
    return -1;
}

int saros_parameter_index(const saros_problem *problem, const char *name) {
    for (int k = 0; k < problem->parameters; ++k)
        if (strcmp(problem->parameter[k].name, name) == 0) return k;
    return -1;
}

int saros_axis_index(const saros_problem *problem, char letter) {
    if (letter == 't') return problem->transient ? SAROS_TIME_AXIS : -1;
    for (int a = 0; a < problem->axes; ++a)
        if (problem->axis[a].name[0] == letter) return a;
    return -1;
}

const char *saros_axis_list(const saros_problem *problem, char text[16]) {
    size_t used = 0;
    for (int a = 0; a < problem->axes; ++a) {
        text[used++] = problem->axis[a].name[0];
        text[used++] = ' ';
    }
    if (problem->transient) text[used++] = 't';
    text[used && text[used - 1] == ' ' ? used - 1 : used] = 0;
    return text;
}

int saros_parameter_input(const saros_problem *problem, int k) {
    if (problem->parameter[k].function) return -1;
    saros_inputs in = saros_problem_inputs(problem);
    int at = in.count - in.parameters;
    for (int i = 0; i < k; ++i) at += !problem->parameter[i].function;
    return at;
}

/* ---- copying the specification ---- */

static saros_status bad(const saros_problem *p, const char *hint, const char *what,
                        const char *name) {
    return saros_fail(SAROS_ERR_USAGE, "problem", hint, "%s: %s '%s'", p->name, what, name);
}

static saros_status copy_axes(saros_problem *p, const saros_axis *list) {
    int seen = 0;
    for (const saros_axis *row = list; row && row->name; ++row) {
        if (!row->name[0] || row->name[1] || !strchr("xyzt", row->name[0]))
            return bad(p, "axes are x, y, z and t", "unknown axis", row->name);
        int bit = 1 << (row->name[0] == 't' ? SAROS_TIME_AXIS : row->name[0] - 'x');
        if (seen & bit) return bad(p, NULL, "given twice: axis", row->name);
        if (!(row->lo < row->hi) || !(row->hi - row->lo < HUGE_VAL))
            return saros_fail(SAROS_ERR_DOMAIN, "problem", "the first end is the lower one",
                              "%s: axis %s runs from %g to %g", p->name, row->name, row->lo,
                              row->hi);
        seen |= bit;
        if (row->name[0] == 't') {
            p->transient = true;
            p->start = row->lo;
            p->end = row->hi;
        }
    }
    for (const char *c = letters; *c; ++c)
        for (const saros_axis *row = list; row && row->name; ++row)
            if (row->name[0] == *c) {
                p->axis[p->axes] = *row;
                p->axis[p->axes++].name = *c == 'x' ? "x" : *c == 'y' ? "y" : "z";
            }
    if (!seen)
        return saros_fail(SAROS_ERR_USAGE, "problem", "give axes among x, y, z and t",
                          "%s has no domain", p->name);
    return SAROS_OK;
}

/** A name is a word that is no axis, `n` or another name of the problem. */
static saros_status check_name(const saros_problem *p, const char *name, const char *what) {
    bool word = isalpha((unsigned char)name[0]) || name[0] == '_';
    for (const char *c = name; word && *c; ++c) word = isalnum((unsigned char)*c) || *c == '_';
    if (!word) return bad(p, "use letters, digits and _", what, name);
    if (!name[1] && strchr("xyzt", name[0])) return bad(p, "x, y, z and t are axes", what, name);
    if (saros_unknown_index(p, name) >= 0) return bad(p, "names are given once", what, name);
    for (int k = 0; k < p->observables; ++k)
        if (p->observable_name[k] && strcmp(p->observable_name[k], name) == 0)
            return bad(p, "names are given once", what, name);
    return SAROS_OK;
}

static saros_status copy_unknowns(saros_problem *p, const char *const *list) {
    int n = 0;
    while (list && list[n]) n++;
    if (!n)
        return saros_fail(SAROS_ERR_USAGE, "problem", "name them in unknowns", "%s has no unknowns",
                          p->name);
    p->unknown = saros_allocate_zero((size_t)n + 1, sizeof *p->unknown);
    if (!p->unknown) return SAROS_ERR_MEMORY;
    for (int k = 0; k < n; ++k) {
        saros_status status = check_name(p, list[k], "unusable name of an unknown");
        if (status != SAROS_OK) return status;
        p->unknown[k] = saros_string_copy(list[k]);
        if (!p->unknown[k]) return SAROS_ERR_MEMORY;
        p->unknowns++;
    }
    return SAROS_OK;
}

static saros_status copy_parameters(saros_problem *p, const saros_parameter *list) {
    int n = 0;
    while (list && list[n].name) n++;
    p->parameter = saros_allocate_zero((size_t)n + 1, sizeof *p->parameter);
    if (!p->parameter) return SAROS_ERR_MEMORY;
    for (int k = 0; k < n; ++k) {
        if (saros_parameter_index(p, list[k].name) >= 0)
            return bad(p, NULL, "given twice: parameter", list[k].name);
        saros_parameter *copy = &p->parameter[k];
        *copy = list[k];
        copy->name = saros_string_copy(list[k].name);
        if (!copy->name) return SAROS_ERR_MEMORY;
        p->parameters++;
        saros_tensor_retain(copy->field);
        if (copy->field && !saros_dtype_is_float(saros_tensor_dtype(copy->field)))
            return bad(p, "give an f64 tensor", "not of a float type: the field of parameter",
                       copy->name);
    }
    return SAROS_OK;
}

/* ---- tracing ---- */

static saros_status trace_observables(saros_problem *p, const saros_observable *list) {
    int n = 0;
    while (list && list[n].name) n++;
    p->observable = saros_allocate_zero((size_t)n + 1, sizeof *p->observable);
    p->observable_name = saros_allocate_zero((size_t)n + 1, sizeof *p->observable_name);
    if (!p->observable || !p->observable_name) return SAROS_ERR_MEMORY;
    for (int k = 0; k < n; ++k) {
        saros_status status = check_name(p, list[k].name, "unusable name of an observable");
        if (status != SAROS_OK) return status;
        p->observable_name[k] = saros_string_copy(list[k].name);
        if (!p->observable_name[k]) return SAROS_ERR_MEMORY;
        p->observables++;
        if (!list[k].function && !p->equation) continue; /* of a file: known by name only */
        if (!list[k].function)
            return bad(p, "give its function", "no function: observable", list[k].name);
        char role[80];
        snprintf(role, sizeof role, "observable %s", list[k].name);
        saros_trace trace = {p, role, -1, 0, list[k].function, list[k].user, 1, "one value"};
        status = saros_point_trace(&trace, &p->observable[k]);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

/** An initial value reads no unknown, which it is there to define. */
static saros_status check_initial(const saros_problem *p) {
    bool *live = NULL;
    saros_status status = saros_body_live(p->initial, &live);
    for (int k = 0; status == SAROS_OK && k < p->unknowns; ++k)
        if (live[saros_body_input(p->initial, k).id])
            status = bad(p, "use coordinates and parameters", "the initial value uses the unknown",
                         p->unknown[k]);
    saros_release(live);
    return status;
}

static saros_status trace_functions(saros_problem *p, const saros_problem_spec *spec) {
    saros_status status = SAROS_OK;
    if (spec->equation) {
        saros_trace trace = {p,
                             "equation",
                             -1,
                             0,
                             spec->equation,
                             spec->user,
                             p->unknowns,
                             "one residual per unknown"};
        status = saros_point_trace(&trace, &p->equation);
    }
    if (status != SAROS_OK || !p->transient || !spec->equation) return status;
    if (!spec->initial)
        return saros_fail(SAROS_ERR_USAGE, "problem", "give initial, one value per unknown",
                          "%s has a time axis and no initial values", p->name);
    saros_trace trace = {p,
                         "initial",
                         -1,
                         0,
                         spec->initial,
                         spec->user,
                         p->unknowns,
                         "one initial value per unknown"};
    status = saros_point_trace(&trace, &p->initial);
    return status == SAROS_OK ? check_initial(p) : status;
}

/* ---- make and free ---- */

saros_status saros_problem_build(const saros_problem_spec *spec, saros_problem **out) {
    saros_status status = SAROS_OK;
    saros_problem *p = saros_allocate_zero(1, sizeof *p);
    if (!p) return SAROS_ERR_MEMORY;
    atomic_init(&p->references, 1);
    pthread_mutex_init(&p->lock, NULL);
    p->name = saros_string_copy(spec->name ? spec->name : "problem");
    if (!p->name) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    SAROS_TRY(copy_axes(p, spec->axes));
    SAROS_TRY(copy_unknowns(p, spec->unknowns));
    SAROS_TRY(copy_parameters(p, spec->parameters));
    SAROS_TRY(trace_functions(p, spec));
    SAROS_TRY(trace_observables(p, spec->observables));
    SAROS_TRY(saros_problem_examine(p));
    SAROS_TRY(saros_conditions_trace(p, spec->boundary));
    if (p->equation) SAROS_TRY(saros_conditions_check(p));
    *out = p;
    p = NULL;
done:
    saros_problem_release(p);
    return status;
}

saros_status saros_problem_make(const saros_problem_spec *spec, saros_problem **out) {
    if (!spec->equation)
        return saros_fail(SAROS_ERR_USAGE, "problem", "give equation: its residuals",
                          "%s has no equation", spec->name ? spec->name : "problem");
    return saros_problem_build(spec, out);
}

saros_problem *saros_problem_retain(saros_problem *problem) {
    if (problem) atomic_fetch_add_explicit(&problem->references, 1, memory_order_relaxed);
    return problem;
}

static void release_names(const char **names, int n) {
    for (int k = 0; k < n; ++k) saros_release((void *)(uintptr_t)names[k]);
    saros_release(names);
}

void saros_problem_release(saros_problem *problem) {
    saros_problem *p = problem;
    if (!p || atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel) != 1) return;
    while (p->cache) {
        saros_cache_entry *next = p->cache->next;
        p->cache->release(p->cache->payload);
        saros_release(p->cache->key);
        saros_release(p->cache);
        p->cache = next;
    }
    for (int k = 0; p->condition && k < p->axes * 2 * p->unknowns; ++k)
        saros_body_release(p->condition[k].value);
    saros_release(p->condition);
    for (int k = 0; k < p->parameters; ++k) {
        saros_tensor_release(p->parameter[k].field);
        saros_release((void *)(uintptr_t)p->parameter[k].name);
    }
    saros_release(p->parameter);
    for (int k = 0; k < p->observables; ++k) saros_body_release(p->observable[k]);
    saros_release(p->observable);
    release_names(p->observable_name, p->observables);
    release_names(p->unknown, p->unknowns);
    saros_body_release(p->equation);
    saros_body_release(p->initial);
    saros_body_release(p->inspection.rate);
    saros_release(p->inspection.order);
    saros_release(p->name);
    pthread_mutex_destroy(&p->lock);
    saros_release(p);
}

saros_status saros_problem_cached(saros_problem *problem, const char *key,
                                  saros_status (*make)(const void *how, void **payload),
                                  const void *how, void (*release)(void *payload), void **payload) {
    saros_status status = SAROS_OK;
    saros_cache_entry *entry = NULL;
    pthread_mutex_lock(&problem->lock);
    for (saros_cache_entry *e = problem->cache; e; e = e->next)
        if (strcmp(e->key, key) == 0) {
            *payload = e->payload;
            goto done;
        }
    entry = saros_allocate_zero(1, sizeof *entry);
    if (entry) entry->key = saros_string_copy(key);
    if (!entry || !entry->key) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    SAROS_TRY(make(how, &entry->payload));
    entry->release = release;
    entry->next = problem->cache;
    problem->cache = entry;
    *payload = entry->payload;
    entry = NULL;
done:
    pthread_mutex_unlock(&problem->lock);
    if (entry) saros_release(entry->key);
    saros_release(entry);
    return status;
}
