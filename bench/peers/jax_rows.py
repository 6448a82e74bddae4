"""The rows of saros_bench in JAX: jit, arrays on the CPU, f64 where the row says so."""
import common

arguments = common.parser.parse_args()

import jax  # noqa: E402  (after the arguments, whose help needs no JAX)
import jax.numpy as jnp  # noqa: E402
from jax.experimental import jet  # noqa: E402

jax.config.update("jax_enable_x64", True)
rows = common.Rows("jax", arguments)


# ---- the network: u = -sin(pi x) + t (1 - x^2) N(x, 2 t - 1), residual u_t + u u_x - nu u_xx
def network(layers, x, t):
    y = jnp.stack((x, 2 * t - 1), 1)
    for w, b in layers[:-1]:
        y = jnp.tanh(y @ w + b)
    w, b = layers[-1]
    return (y @ w + b)[:, 0]


def solution(layers, x, t):
    return -jnp.sin(jnp.pi * x) + t * (1 - x * x) * network(layers, x, t)


def by_jet(layers, x, t):
    one = jnp.ones_like(x)
    u, (u_x, u_xx) = jet.jet(lambda x: solution(layers, x, t), (x,), ((one, jnp.zeros_like(x)),))
    return u, u_x, u_xx, jax.jvp(lambda t: solution(layers, x, t), (t,), (one,))[1]


def by_jvp(layers, x, t):
    one = jnp.ones_like(x)

    def first(x):
        return jax.jvp(lambda x: solution(layers, x, t), (x,), (one,))

    (u, u_x), (_, u_xx) = jax.jvp(first, (x,), (one,))
    return u, u_x, u_xx, jax.jvp(lambda t: solution(layers, x, t), (t,), (one,))[1]


def by_grad(layers, x, t):
    def at(x, t):
        return solution(layers, x[None], t[None])[0]

    u_x = jax.grad(at)
    return (solution(layers, x, t), *(jax.vmap(f)(x, t) for f in (u_x, jax.grad(u_x), jax.grad(at, 1))))


def by_hand(layers, x, t):
    """Taylor coefficients written out: (u, u_x, u_xx, u_t) as one matrix of 4 n rows."""
    n = x.shape[0]
    one, zero = jnp.ones_like(x), jnp.zeros_like(x)
    y = jnp.concatenate((jnp.stack((x, 2 * t - 1), 1), jnp.stack((one, zero), 1), jnp.stack((zero, zero), 1),
                         jnp.stack((zero, 2 * one), 1)))
    for w, b in layers[:-1]:
        z = (y @ w).reshape(4, n, -1)
        a = jnp.tanh(z[0] + b)
        d = 1 - a * a
        y = jnp.concatenate((a, d * z[1], d * (z[2] - 2 * a * z[1] * z[1]), d * z[3]))
    w, b = layers[-1]
    y = (y @ w).reshape(4, n)
    f, f_x, f_xx, f_t = y[0] + b[0], y[1], y[2], y[3]
    g, sine = 1 - x * x, jnp.sin(jnp.pi * x)
    u = -sine + t * g * f
    u_x = -jnp.pi * jnp.cos(jnp.pi * x) + t * (g * f_x - 2 * x * f)
    u_xx = jnp.pi**2 * sine + t * (g * f_xx - 4 * x * f_x - 2 * f)
    return u, u_x, u_xx, g * (f + t * f_t)


def by_hand_in_blocks(layers, x, t):
    return by_hand(layers, x, t)


def adam_step(derivatives):
    def loss(layers, x, t):
        u, u_x, u_xx, u_t = derivatives(layers, x, t)
        return jnp.mean((u_t + u * u_x - common.NU * u_xx) ** 2)

    def whole(layers, x, t):
        return jax.value_and_grad(loss)(layers, x, t)

    def in_blocks(layers, x, t):
        """Blocks of points whose intermediate values stay in cache, one after the other."""
        def add(sum, block):
            return jax.tree.map(jnp.add, sum, whole(layers, *block)), None

        zero = (jnp.zeros((), x.dtype), jax.tree.map(jnp.zeros_like, layers))
        sum, _ = jax.lax.scan(add, zero, (x.reshape(common.BLOCKS, -1), t.reshape(common.BLOCKS, -1)))
        return jax.tree.map(lambda v: v / common.BLOCKS, sum)

    gradient_of = in_blocks if derivatives is by_hand_in_blocks else whole

    def step(layers, first, second, k, x, t):
        value, gradient = gradient_of(layers, x, t)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
        one, two = 1 / (1 - 0.9**k), 1 / (1 - 0.999**k)
        layers = jax.tree.map(lambda w, m, v: w - 1e-3 * (m * one) / (jnp.sqrt(v * two) + 1e-8), layers, first, second)
        return layers, first, second, value

    return jax.jit(step, donate_argnums=(0, 1, 2))


def pinn(row, width, dtype, derivatives):
    def make():
        x, t = (jnp.asarray(v) for v in common.points(dtype))
        layers = [(jnp.asarray(w), jnp.asarray(b)) for w, b in common.weights(arguments.data, width, dtype)]
        state = [layers, jax.tree.map(jnp.zeros_like, layers), jax.tree.map(jnp.zeros_like, layers)]
        step, k = adam_step(derivatives), 0

        def run():
            nonlocal k, state
            k += 1
            *state, value = step(*state, jnp.asarray(float(k), x.dtype), x, t)
            jax.block_until_ready(state)
            return float(value)

        losses = [run() for _ in range(common.CHECKED_STEPS + 1)]
        return run, 1, f"{losses[0]:.12g} {losses[-1]:.12g}"

    rows.attempt(row, derivatives.__name__[3:].replace("_", " "), make)


for width in common.WIDTHS:
    for dtype in common.DTYPES:
        row = f"pinn step 4x{width} {dtype}"
        for derivatives in (by_jet, by_jvp, by_grad, by_hand, by_hand_in_blocks):
            if rows.wanted(row):
                pinn(row, width, dtype, derivatives)


# ---- arrays
def plain(row, function, *operands, calls=1, variant="jit"):
    """A jitted function of arrays."""
    if not rows.wanted(row):
        return
    on_device = [jax.device_put(operand) for operand in operands]
    compiled = jax.jit(function)
    rows.attempt(row, variant, lambda: (lambda: jax.block_until_ready(compiled(*on_device)), calls))


def chain(x, y):
    z = x
    for k in range(6):
        z = z * (x if k % 2 else y)
        z = z - y if k % 2 else z + 0.5
    return z


def laplacian_roll(u):
    return jnp.roll(u, 1, 0) + jnp.roll(u, -1, 0) + jnp.roll(u, 1, 1) + jnp.roll(u, -1, 1) - 4 * u


def laplacian_pad(u):
    v = jnp.pad(u, 1, mode="wrap")
    return v[:-2, 1:-1] + v[2:, 1:-1] + v[1:-1, :-2] + v[1:-1, 2:] - 4 * u


def heat(laplacian, steps):
    return lambda u: jax.lax.fori_loop(0, steps, lambda _, u: u + 0.2 * laplacian(u), u)


def gray_scott(laplacian, steps):
    def rate(u, v):
        uvv = u * v * v
        return 0.16 * laplacian(u) - uvv + 0.035 * (1 - u), 0.08 * laplacian(v) + uvv - 0.1 * v

    def step(_, y):
        h = 0.5
        k1 = rate(*y)
        k2 = rate(*(a + 0.5 * h * k for a, k in zip(y, k1)))
        k3 = rate(*(a + 0.5 * h * k for a, k in zip(y, k2)))
        k4 = rate(*(a + h * k for a, k in zip(y, k3)))
        return tuple(a + h / 6 * (p + 2 * q + 2 * r + s) for a, p, q, r, s in zip(y, k1, k2, k3, k4))

    return lambda u, v: jax.lax.fori_loop(0, steps, step, (u, v))


for side in common.SIDES:
    x, y = common.square(side), common.square(side, 1)
    plain(f"tanh chain {side}^2", lambda x: jnp.tanh(1.5 * x + 0.25) * 0.75 + 0.5 * x * x, x)
    plain(f"chain of 12 {side}^2", chain, x, y)
    for variant, laplacian in (("roll", laplacian_roll), ("pad", laplacian_pad)):
        n = common.HEAT_STEPS[side]
        plain(f"heat step {side}^2", heat(laplacian, n), x, calls=n, variant=variant)
        n = common.GRAY_SCOTT_STEPS[side]
        plain(f"Gray-Scott rk4 step {side}^2", gray_scott(laplacian, n), x, y, calls=n, variant=variant)

large = common.square(4096)
plain("sum of 16 M", jnp.sum, large)
plain("sums of 4096 rows", lambda x: jnp.sum(x, 1), large)
plain("sums of 4096 columns", lambda x: jnp.sum(x, 0), large)
plain("transpose 4096^2", lambda x: jnp.transpose(x).copy(), large)
plain("square + row + column 4096^2", lambda x, r, c: x + r + c[:, None], large, large[0], large[1])

if rows.wanted("eager add"):
    a = jnp.ones(16)
    rows.measure("eager add", "", lambda: (a + a).block_until_ready())
