/** Indices that are known when an operation is written: outside their axis they are an error here.
 * Those that only a run knows are held inside the axis by the operation itself. */
#include <math.h>

#include "script_reading_impl.h"

/** Extents of an operand; false for a plain number. */
static bool type_of(const script_operand *o, saros_type *type) {
    if (!o->given || o->number) return false;
    *type =
        o->value->tensor ? saros_tensor_type(o->value->tensor) : *saros_value_type(o->value->value);
    return true;
}

static void check_one(const script_reading *r, double index, int axis, int64_t extent) {
    if (floor(index) != index)
        script_fail(r->L, SAROS_ERR_TYPE, NULL, "%s: index %g is no integer", r->call.op->name,
                    index);
    if (index == 0 || index > (double)extent || index < -(double)extent)
        script_fail(r->L, SAROS_ERR_DOMAIN, "indices count from 1; negative ones from the end",
                    "%s: index %.17g of axis %d with %lld cells", r->call.op->name, index, axis + 1,
                    (long long)extent);
}

/** Axis and extent that entry `k` of the indices runs over; false where the builder will complain.
 */
static bool find_axis(const script_reading *r, const saros_type *type, int64_t k, int *axis,
                      int64_t *extent) {
    const script_static *s = r->call.fixed;
    if (r->call.op->flags & SCRIPT_INDEX_EXTENT) {
        *axis = 0;
        *extent = s[0].word[0];
        return true;
    }
    int64_t given = r->call.op->flags & SCRIPT_INDEX_EACH ? k + 1 : s[0].given ? s[0].word[0] : 1;
    int64_t zero = given > 0 ? given - 1 : given + type->rank;
    if (given == 0 || zero < 0 || zero >= type->rank) return false;
    *axis = (int)zero;
    *extent = type->shape[zero];
    return true;
}

void script_op_check_index(const script_reading *r) {
    const script_operand *o = &r->operand[1];
    saros_type type;
    int axis;
    int64_t extent;
    if (!(r->call.op->flags & SCRIPT_INDEX) || !type_of(&r->operand[0], &type)) return;
    if (o->number) {
        if (find_axis(r, &type, 0, &axis, &extent)) check_one(r, o->number_value, axis, extent);
        return;
    }
    if (!o->value->tensor) return;
    saros_tensor *plain = NULL;
    script_check(r->L, saros_tensor_cast(o->value->tensor, SAROS_F64, &plain));
    script_push_tensor(r->L, plain); /* the stack keeps it while errors may be raised */
    const double *index = saros_tensor_const_data(plain);
    for (int64_t k = 0; k < saros_tensor_count(plain); ++k)
        if (find_axis(r, &type, k, &axis, &extent)) check_one(r, index[k], axis, extent);
    lua_pop(r->L, 1);
}
