/** A check of derivatives under way: what setting it up (check.c) and measuring (check_measure.c)
 * share. */
#ifndef SAROS_AUTODIFF_CHECK_IMPL_H
#define SAROS_AUTODIFF_CHECK_IMPL_H

#include "saros/autodiff.h"

typedef struct ad_check {
    int ins, inputs;
    int *place; /**< of each `in` in the list of inputs */
    saros_body *body;
    saros_function *value, *first, *second, *other; /* other: J^T w with other memory, or NULL */
    saros_tensor **call;                            /**< arguments: inputs, directions, w */
    double *direction;   /**< of all `in` in a row, then J^T w, then room for another */
    double *buffer;      /**< w, y, Jv and two more of y's size */
    int64_t size, count; /**< elements of all `in` and of y */
    double unit;         /**< round-off of the dtype */
    uint64_t random;
} ad_check;

/** Elements of a tensor as doubles, and back. */
saros_status ad_check_read(const saros_tensor *tensor, double *to);
saros_status ad_check_write(const saros_type *type, const double *from, saros_tensor **out);
double ad_check_norm(int64_t n, const double *a);
bool ad_check_finite(int64_t n, const double *a);
/** y at x + step v. */
saros_status ad_check_value(const ad_check *c, double step, double *y);
/** All of the report, at the point and along the directions of the call. */
saros_status ad_check_measure(ad_check *c, saros_gradient_report *report);

#endif
