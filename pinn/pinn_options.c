/** The option rows of the network method. */
#include "pinn_impl.h"

#define FIELD(name) offsetof(saros_pinn_options, name)

static const saros_option points_rows[] = {
    {"interior", SAROS_OPTION_INTEGER, offsetof(saros_pinn_points, interior), "4000", 1, 1e9, NULL,
     "", "points of the equation", NULL},
    {"boundary", SAROS_OPTION_INTEGER, offsetof(saros_pinn_points, boundary), "200", 1, 1e9, NULL,
     "", "points of each face whose condition is a term of the loss", NULL},
    {"initial", SAROS_OPTION_INTEGER, offsetof(saros_pinn_points, initial), "200", 1, 1e9, NULL, "",
     "points of the start, where it is a term of the loss", NULL},
};
static const saros_option_table points_table = {"points", sizeof(saros_pinn_points), points_rows, 3,
                                                0};

static const saros_option weights_rows[] = {
    {"equation", SAROS_OPTION_NUMBER, offsetof(saros_pinn_weights, equation), "1", 0, 1e300, NULL,
     "", "factor of the mean square residual of the equation", NULL},
    {"boundary", SAROS_OPTION_NUMBER, offsetof(saros_pinn_weights, boundary), "1", 0, 1e300, NULL,
     "", "of each face", NULL},
    {"initial", SAROS_OPTION_NUMBER, offsetof(saros_pinn_weights, initial), "1", 0, 1e300, NULL, "",
     "of the start", NULL},
    {"data", SAROS_OPTION_NUMBER, offsetof(saros_pinn_weights, data), "1", 0, 1e300, NULL, "",
     "of the data of a fit", NULL},
};
static const saros_option_table weights_table = {"weights", sizeof(saros_pinn_weights),
                                                 weights_rows, 4, -1};

static const saros_option rows[] = {
    {"network", SAROS_OPTION_GROUP, FIELD(network), "", 0, 0, NULL, "", "layers, width, activation",
     &saros_network_table},
    {"points", SAROS_OPTION_GROUP, FIELD(points), "", 0, 0, NULL, "",
     "numbers of points; one number: of the equation", &points_table},
    {"weights", SAROS_OPTION_GROUP, FIELD(weights), "", 0, 0, NULL, "", "factors of the loss terms",
     &weights_table},
    {"sampler", SAROS_OPTION_TEXT, FIELD(sampler), "sobol", 0, 0, "sobol uniform grid", "",
     "how points are drawn", NULL},
    {"resample", SAROS_OPTION_INTEGER, FIELD(resample), "250", -1, 1e12, NULL, "steps",
     "draws the equation's points anew, where the residual is large, after so many steps; -1: "
     "never",
     NULL},
    {"hard", SAROS_OPTION_FLAG, FIELD(hard), "true", 0, 0, NULL, "",
     "initial and boundary values hold exactly where they can", NULL},
    {"optimizer", SAROS_OPTION_LIST, FIELD(optimizer), "adam 100, bfgs 2000", 0, 0, NULL, "",
     "methods run one after the other (above 6000 weights: adam 1000, lbfgs 4000)",
     &saros_optimiser_table},
    {"steps", SAROS_OPTION_INTEGER, FIELD(steps), "", 1, 1e12, NULL, "",
     "steps of the last default optimizer", NULL},
    {"windows", SAROS_OPTION_INTEGER, FIELD(windows), "1", 1, 1e6, NULL, "",
     "windows in time (more than one: not in this build)", NULL},
    {"checkpoint", SAROS_OPTION_TEXT, FIELD(checkpoint), "", 0, 0, NULL, "",
     "file to go on from (not in this build)", NULL},
    {"dtype", SAROS_OPTION_TEXT, FIELD(dtype), "f64", 0, 0, "f64 f32", "",
     "of weights and network; residuals are f64", NULL},
    {"seed", SAROS_OPTION_INTEGER, FIELD(seed), "0", 0, 9007199254740991.0, NULL, "",
     "of weights and points", NULL},
    {"cells", SAROS_OPTION_AXES, FIELD(cells), "128", 1, 1e9, NULL, "",
     "cells the solution is sampled on", NULL},
    {"times", SAROS_OPTION_TIMES, FIELD(times), "2", 0, 0, NULL, "time",
     "times it is sampled at: a count, ends included, or a list", NULL},
    {"tolerance", SAROS_OPTION_NUMBER, FIELD(tolerance), "0", 0, 1e300, NULL, "",
     "loss to stop at; not reaching it is an error; 0: none", NULL},
    {"accept", SAROS_OPTION_TEXT, FIELD(accept), "", 0, 0, "last", "",
     "last: a loss above the tolerance is no error, info.converged says so", NULL},
};

const saros_option_table saros_pinn_table = {"network", sizeof(saros_pinn_options), rows,
                                             sizeof rows / sizeof *rows, -1};
