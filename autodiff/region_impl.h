/** A body under construction for the rules of loop and cond: its declared inputs and the operands
 * that feed them go hand in hand. */
#ifndef SAROS_AUTODIFF_REGION_IMPL_H
#define SAROS_AUTODIFF_REGION_IMPL_H

#include "saros/region.h"

typedef struct ad_region {
    saros_graph *outer, *inner;
    saros_value *operand; /**< of `outer`: what feeds the declared inputs, then the captures */
    int operands;
    saros_value *result; /**< of `inner` */
    int results;
    int room[2];
    saros_status status; /**< first failure of the calls below; they do nothing after it */
} ad_region;

void ad_region_open(ad_region *region, saros_graph *outer);
/** New input of `type` fed by `operand` (spread over ranks if the type asks for it). */
saros_value ad_region_declare(ad_region *region, const saros_type *type, saros_value operand);
void ad_region_result(ad_region *region, saros_value result);
/** Closes the body; captures made inside are added to the operands. */
saros_status ad_region_close(ad_region *region, saros_body **body);
/** Ends what is left, also a body that was not closed. */
void ad_region_free(ad_region *region);

/** `v`, spread where it is the same on all ranks and the type says that it is not. */
saros_value ad_as_part(saros_value v, const saros_type *type);
/** Type of one iteration's part of a stacked value. */
saros_type ad_slice_type(saros_value stacked);
/** Type of input k of a body. */
saros_type ad_body_type(const saros_body *body, int k);
/** Array of n values, all SAROS_NONE, or NULL with the error recorded. */
saros_value *ad_values(int n);

#endif
