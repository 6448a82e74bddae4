"""The operator rows of saros_bench in JAX, under jit: nested differentiation, jets, the forward Laplacian of folx and one
written by hand, all streams of a layer one matrix."""
import itertools

import common

arguments = common.parser.parse_args()

import folx  # noqa: E402  (after the arguments, whose help needs no JAX)
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from jax.experimental import jet  # noqa: E402

jax.config.update("jax_enable_x64", True)
rows = common.Rows("jax", arguments)


def network(layers, x):
    """At one point (d): a number."""
    for w, b in layers[:-1]:
        x = jnp.tanh(x @ w + b)
    w, b = layers[-1]
    return (x @ w + b)[0]


# ---- operators on functions of one point
def nested(f):
    """Forward over reverse: the trace of the Hessian."""
    def at(x):
        _, product = jax.linearize(jax.grad(f), x)
        return jnp.trace(jax.vmap(product)(jnp.eye(x.shape[0])))
    return at


def along(f, order):
    """Derivative of an order along each of some directions."""
    def at(x, v):
        series = (v, *(jnp.zeros_like(v) for _ in range(order - 1)))
        return jet.jet(f, (x,), (series,))[1][-1]
    return jax.vmap(at, (None, 0))


def by_jet(f):
    return lambda x: jnp.sum(along(f, 2)(x, jnp.eye(x.shape[0])))


def by_folx(f):
    return lambda x: folx.forward_laplacian(f)(x).laplacian


def biharmonic_by_jet(f):
    """d_i^2 d_j^2 by the fourth derivatives along e_i, e_j, e_i + e_j, e_i - e_j."""
    def at(x):
        d = x.shape[0]
        e, pairs = jnp.eye(d), list(itertools.combinations(range(d), 2))
        one = along(f, 4)(x, e)
        two = along(f, 4)(x, jnp.stack([e[i] + s * e[j] for i, j in pairs for s in (1, -1)]))
        return jnp.sum(one) + jnp.sum(two) / 6 - 2 * (d - 1) * jnp.sum(one) / 6
    return at


def twice(operator):
    return lambda f: operator(operator(f))


def each(operator):
    return lambda layers, x: jax.vmap(operator(lambda p: network(layers, p)))(x)


# ---- by hand, all points and streams of a layer in one product
def by_hand(layers, x):
    n, d = x.shape
    w, b = layers[0]
    a = jnp.tanh(x @ w + b)
    slope = 1 - a * a
    first = slope[None] * w[:, None, :]
    second = -2 * a * slope * jnp.sum(w * w, 0)
    for w, b in layers[1:-1]:
        z = (jnp.concatenate((a[None], second[None], first)).reshape((d + 2) * n, -1) @ w).reshape(d + 2, n, -1)
        a = jnp.tanh(z[0] + b)
        slope = 1 - a * a
        second = slope * z[1] - 2 * a * slope * jnp.sum(z[2:] ** 2, 0)
        first = slope[None] * z[2:]
    return (second @ layers[-1][0])[:, 0]


def operator_row(row, d, variants):
    def make(function):
        layers, x = common.operator_net(arguments.data, d)
        layers, x = [(jnp.asarray(w), jnp.asarray(b)) for w, b in layers], jnp.asarray(x)
        if "gradient" in row:
            function = jax.grad(lambda layers, x, f=function: jnp.mean(f(layers, x) ** 2))
        compiled = jax.jit(function)
        squares = sum(float(jnp.sum(v**2)) for v in jax.tree.leaves(compiled(layers, x)))
        return lambda: jax.block_until_ready(compiled(layers, x)), 1, f"{squares:.15g}"

    for variant, function in variants:
        if rows.wanted(row):
            rows.attempt(row, variant, lambda function=function: make(function))


laplacians = [("nested", each(nested)), ("jet", each(by_jet)), ("folx", each(by_folx)), ("by hand", by_hand)]
operator_row("laplacian 50 / nested", 50, laplacians)
operator_row("laplacian 50 gradient / nested", 50, laplacians)
operator_row("biharmonic 5 / nested", 5, [("nested", each(twice(nested))), ("jet", each(biharmonic_by_jet)),
                                          ("folx", each(twice(by_folx)))])
