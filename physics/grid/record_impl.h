/** Recording outputs of a grid: fields on nodes, kept and written as they are reached. */
#ifndef SAROS_GRID_RECORD_IMPL_H
#define SAROS_GRID_RECORD_IMPL_H

#include "program_impl.h"
#include "saros/store.h"

typedef struct saros_recorder {
    const saros_task *task;
    const saros_grid_program *program;
    saros_tensor *const *argument; /**< parameters of the programs */
    int64_t rows, row;             /**< outputs kept, and how many are there */
    bool last_only;
    saros_tensor *time, **field;
    saros_store *store;
} saros_recorder;

/** @param rows outputs to come (1 if steady). Opens the file of task->common->save. */
saros_status saros_recorder_open(const saros_task *task, const saros_grid_program *program,
                                 saros_tensor *const *argument, int64_t rows, saros_recorder *out);
/** Takes one output. Errors: NAN naming the unknown and the time. */
saros_status saros_recorder_take(saros_recorder *recorder, double t, saros_tensor *state);
/** Makes the solution and finishes the file. */
saros_status saros_recorder_finish(saros_recorder *recorder, const saros_info *info,
                                   saros_solution **out);
/** Frees what is left (after success: nothing). The file stays without @complete. */
void saros_recorder_close(saros_recorder *recorder);

/** Opens a result file for a task: scales from node tensors, a variable per field, provenance. */
saros_status saros_result_create(const saros_problem *problem, const saros_solve_options *common,
                                 saros_tensor *const *node, int axes, bool transient,
                                 saros_store **out);
/** Parameters, extents, method and info into an open file. */
saros_status saros_result_describe(saros_store *store, const saros_task *task, int64_t order,
                                   const saros_info *info);

#endif
