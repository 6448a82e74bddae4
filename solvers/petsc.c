/** PETSc started and stopped, its errors and options made ours.
 *
 *  PETSc serves one thread at a time: a recursive lock is held while one of our calls is inside. It
 * is started without arguments, signal handlers or option files; objects get options of their own,
 * so that the process-wide ones of a host program (or PETSC_OPTIONS) do not reach them. Its linear
 * algebra uses no threads of its own, so that sums do not hang on their number.
 */
#include "petsc_impl.h"

#include <petscversion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "saros/memory.h"
#include "saros/nonlinear.h"
#include "saros/pool.h"

static pthread_mutex_t lock;
static pthread_once_t lock_once = PTHREAD_ONCE_INIT;
static bool ours; /* PETSc was started here, so it is stopped here */

static void lock_make(void) {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&lock, &kind);
    pthread_mutexattr_destroy(&kind);
}

static saros_status start_locked(void) {
    PetscBool running = PETSC_FALSE;
    int mpi_over = 0;
    if (PetscInitialized(&running) == 0 && running) return SAROS_OK;
    MPI_Finalized(&mpi_over);
    if (mpi_over)
        return saros_fail(SAROS_ERR_USAGE, "PETSc", "stop PETSc and MPI at the end of the program",
                          "MPI has ended; it cannot be started twice");
    /* PETSc keeps these pointers */
    static char name[] = "saros", quiet[] = "-no_signal_handler", alone[] = "-skip_petscrc";
    static char *list[] = {name, quiet, alone, NULL};
    static char **arguments = list;
    static int count = 3;
    if (PetscInitialize(&count, &arguments, NULL, NULL))
        return saros_fail(SAROS_ERR_INTERNAL, "PETSc", NULL, "PETSc did not start");
    ours = true;
    return SAROS_OK;
}

saros_status saros_petsc_start(void) {
    pthread_once(&lock_once, lock_make);
    pthread_mutex_lock(&lock);
    saros_status status = start_locked();
    pthread_mutex_unlock(&lock);
    return status;
}

void saros_petsc_stop(void) {
    pthread_once(&lock_once, lock_make);
    pthread_mutex_lock(&lock);
    if (ours) PetscFinalize();
    ours = false;
    pthread_mutex_unlock(&lock);
}

/* ---- errors ---- */

static PetscErrorCode record(MPI_Comm comm, int line, const char *function, const char *file,
                             PetscErrorCode code, PetscErrorType type, const char *text,
                             void *user) {
    (void)comm;
    (void)line;
    (void)file;
    saros_petsc *scope = user;
    if (type == PETSC_ERROR_INITIAL && !scope->message[0])
        snprintf(scope->message, sizeof scope->message, "%s: %s", function ? function : "PETSc",
                 text ? text : "no reason given");
    return code;
}

saros_status saros_petsc_enter(saros_petsc *scope) {
    *scope = (saros_petsc){0};
    pthread_once(&lock_once, lock_make);
    pthread_mutex_lock(&lock);
    saros_status status = start_locked();
    if (status == SAROS_OK && PetscPushErrorHandler(record, scope))
        status = saros_fail(SAROS_ERR_MEMORY, "PETSc", NULL, "out of memory");
    if (status)
        pthread_mutex_unlock(&lock);
    else
        saros_blas_begin();
    return status;
}

void saros_petsc_leave(saros_petsc *scope) {
    PetscOptionsDestroy(&scope->options);
    PetscPopErrorHandler();
    saros_blas_end();
    pthread_mutex_unlock(&lock);
    saros_error_unpark(scope->parked);
    scope->parked = NULL;
}

PetscErrorCode saros_petsc_park(saros_petsc *scope) {
    if (!scope->parked) scope->parked = saros_error_park();
    return PETSC_ERR_USER;
}

static saros_status code_status(PetscErrorCode code) {
    switch (code) {
    case PETSC_ERR_MEM:
        return SAROS_ERR_MEMORY;
    case PETSC_ERR_FP:
        return SAROS_ERR_NAN;
    case PETSC_ERR_SUP:
    case PETSC_ERR_USER_INPUT:
    case PETSC_ERR_ARG_UNKNOWN_TYPE:
    case PETSC_ERR_ARG_WRONG:
    case PETSC_ERR_ARG_INCOMP:
    case PETSC_ERR_ARG_OUTOFRANGE:
    case PETSC_ERR_MISSING_FACTOR:
        return SAROS_ERR_USAGE;
    default:
        return SAROS_ERR_INTERNAL;
    }
}

saros_status saros_petsc_check(saros_petsc *scope, PetscErrorCode code) {
    if (code == 0) return SAROS_OK;
    if (scope->parked) {
        saros_status status = saros_error_unpark(scope->parked);
        scope->parked = NULL;
        return status;
    }
    return saros_fail(code_status(code), "PETSc", NULL, "%s (error %d)",
                      scope->message[0] ? scope->message : "no reason given", (int)code);
}

/* ---- options ---- */

static saros_status option_set(saros_petsc *scope, const char *name, const char *value) {
    if (strstr(name, "monitor") || strstr(name, "view"))
        return saros_fail(SAROS_ERR_USAGE, "PETSc options", "see the info of the solution instead",
                          "option \"%s\" prints, and the library does not", name);
    char dashed[128];
    snprintf(dashed, sizeof dashed, "-%.120s", name);
    return saros_petsc_check(scope, PetscOptionsSetValue(scope->options, dashed, value));
}

saros_status saros_petsc_options(saros_petsc *scope, const char *pairs) {
    saros_status status = saros_petsc_check(scope, PetscOptionsCreate(&scope->options));
    if (status || !pairs) return status;
    char *copy = saros_string_copy(pairs), *rest = NULL;
    if (!copy) return SAROS_ERR_MEMORY;
    static const char *const blank = " \t\n";
    for (char *name = strtok_r(copy, blank, &rest); name && status == SAROS_OK;
         name = strtok_r(NULL, blank, &rest)) {
        char *value = strtok_r(NULL, blank, &rest);
        if (!value)
            status = saros_fail(SAROS_ERR_USAGE, "PETSc options", "write \"name value name value\"",
                                "option \"%s\" has no value", name);
        else
            status = option_set(scope, name, value);
    }
    saros_release(copy);
    return status;
}

saros_status saros_petsc_options_type(saros_petsc *scope, const char *name,
                                      PetscFunctionList list) {
    char dashed[64], type[128];
    PetscBool set = PETSC_FALSE;
    void (*found)(void) = NULL;
    snprintf(dashed, sizeof dashed, "-%s", name);
    saros_status status = saros_petsc_check(
        scope, PetscOptionsGetString(scope->options, NULL, dashed, type, sizeof type, &set));
    if (status || !set) return status;
    status = saros_petsc_check(scope, PetscFunctionListFind(list, type, &found));
    if (status || found) return status;
    const char **known = NULL;
    int count = 0;
    status = saros_petsc_check(scope, PetscFunctionListGet(list, &known, &count));
    if (status) return status;
    while (count > 0 && !known[count - 1]) count--; /* the count includes an end mark */
    const char *near = saros_nearest_name(type, known, count);
    char hint[160] = "";
    if (near) snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    PetscFree(known);
    return saros_fail(SAROS_ERR_USAGE, "PETSc options", hint, "PETSc has no %s \"%s\"", name, type);
}

saros_status saros_petsc_options_read(saros_petsc *scope) {
    PetscInt count = 0;
    char **name = NULL, **value = NULL;
    saros_status status =
        saros_petsc_check(scope, PetscOptionsLeftGet(scope->options, &count, &name, &value));
    if (status) return status;
    if (count > 0)
        status = saros_fail(SAROS_ERR_USAGE, "PETSc options",
                            "see the manual page of the PETSc object it is meant for",
                            "PETSc did not read option \"%s\" (value \"%s\"): misspelt, or of a "
                            "solver that is not in use",
                            name[0], value[0] ? value[0] : "");
    PetscOptionsLeftRestore(scope->options, &count, &name, &value);
    return status;
}

saros_status saros_petsc_borrow(const double *data, int64_t count, saros_tensor **out) {
    /* the tensor is an operand: nothing writes to it */
    return saros_tensor_wrap(SAROS_F64, 1, &count, NULL, (double *)(uintptr_t)data, SAROS_BORROW,
                             NULL, NULL, out);
}
