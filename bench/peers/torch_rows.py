"""The rows of saros_bench in PyTorch: eager, and compiled by torch.compile (inductor)."""
import math

import common

arguments = common.parser.parse_args()

import torch  # noqa: E402  (after the arguments, whose help needs no PyTorch)

torch.set_num_threads(arguments.threads)
eager, compiled = (common.Rows(name, arguments) for name in ("torch eager", "torch compile"))


# ---- the network: u = -sin(pi x) + t (1 - x^2) N(x, 2 t - 1), residual u_t + u u_x - nu u_xx
def solution(layers, x, t):
    y = torch.stack((x, 2 * t - 1), 1)
    for w, b in layers[:-1]:
        y = torch.tanh(torch.addmm(b, y, w))
    w, b = layers[-1]
    return -torch.sin(math.pi * x) + t * (1 - x * x) * torch.addmm(b, y, w)[:, 0]


def by_autograd(layers, x, t):
    x, t = x.detach().requires_grad_(), t.detach().requires_grad_()
    u = solution(layers, x, t)
    u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
    return u, u_x, torch.autograd.grad(u_x.sum(), x, create_graph=True)[0], u_t


def by_func(layers, x, t):
    one = torch.ones_like(x)

    def first(x):
        return torch.func.jvp(lambda x: solution(layers, x, t), (x,), (one,))

    (u, u_x), (_, u_xx) = torch.func.jvp(first, (x,), (one,))
    return u, u_x, u_xx, torch.func.jvp(lambda t: solution(layers, x, t), (t,), (one,))[1]


def by_hand(layers, x, t):
    """Taylor coefficients written out: (u, u_x, u_xx, u_t) as one matrix of 4 n rows."""
    n = x.shape[0]
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    y = torch.cat((torch.stack((x, 2 * t - 1), 1), torch.stack((one, zero), 1), torch.stack((zero, zero), 1),
                   torch.stack((zero, 2 * one), 1)))
    for w, b in layers[:-1]:
        z = (y @ w).reshape(4, n, -1)
        a = torch.tanh(z[0] + b)
        d = 1 - a * a
        y = torch.cat((a, d * z[1], d * (z[2] - 2 * a * z[1] * z[1]), d * z[3]))
    w, b = layers[-1]
    y = (y @ w).reshape(4, n)
    f, f_x, f_xx, f_t = y[0] + b[0], y[1], y[2], y[3]
    g, sine = 1 - x * x, torch.sin(math.pi * x)
    u = -sine + t * g * f
    u_x = -math.pi * torch.cos(math.pi * x) + t * (g * f_x - 2 * x * f)
    u_xx = math.pi**2 * sine + t * (g * f_xx - 4 * x * f_x - 2 * f)
    return u, u_x, u_xx, g * (f + t * f_t)


def pinn(rows, row, width, dtype, derivatives, wrap, blocks=1):
    """`blocks`: of points, whose intermediate values stay in cache, one after the other."""
    def make():
        parts = list(zip(*(torch.from_numpy(v).chunk(blocks) for v in common.points(dtype))))
        layers = [tuple(torch.from_numpy(v).requires_grad_() for v in layer)
                  for layer in common.weights(arguments.data, width, dtype)]
        optimiser = torch.optim.Adam([v for layer in layers for v in layer], lr=1e-3, fused=True)

        def loss(x, t):
            u, u_x, u_xx, u_t = derivatives(layers, x, t)
            return torch.mean((u_t + u * u_x - common.NU * u_xx) ** 2) / blocks

        loss = wrap(loss)

        def run():
            optimiser.zero_grad()
            sum = 0
            for part in parts:
                value = loss(*part)
                value.backward()
                sum += value.item()
            optimiser.step()
            return sum

        losses = [run() for _ in range(common.CHECKED_STEPS + 1)]
        return run, 1, f"{losses[0]:.12g} {losses[-1]:.12g}"

    rows.attempt(row, derivatives.__name__[3:] + (" in blocks" if blocks > 1 else ""), make)


for width in common.WIDTHS:
    for dtype in common.DTYPES:
        row = f"pinn step 4x{width} {dtype}"
        if eager.wanted(row):
            for derivatives in (by_autograd, by_func, by_hand):
                pinn(eager, row, width, dtype, derivatives, lambda f: f)
            for derivatives in (by_func, by_hand):
                pinn(compiled, row, width, dtype, derivatives, torch.compile)
            pinn(eager, row, width, dtype, by_autograd, lambda f: f, common.BLOCKS)
            pinn(compiled, row, width, dtype, by_hand, torch.compile, common.BLOCKS)


# ---- arrays
def plain(row, function, *operands, calls=1):
    """A function of arrays, eager and compiled."""
    if not eager.wanted(row):
        return
    tensors = [torch.from_numpy(operand) for operand in operands]

    def repeated(f):
        def run():
            state = tensors
            for _ in range(calls):
                state = f(*state)
        return run

    with torch.no_grad():
        eager.attempt(row, "", lambda: (repeated(function), calls))
        compiled.attempt(row, "", lambda: (repeated(torch.compile(function, dynamic=False)), calls))


def chain(x, y):
    z = x
    for k in range(6):
        z = z * (x if k % 2 else y)
        z = z - y if k % 2 else z + 0.5
    return z


def laplacian(u):
    return torch.roll(u, 1, 0) + torch.roll(u, -1, 0) + torch.roll(u, 1, 1) + torch.roll(u, -1, 1) - 4 * u


def heat(u):
    return (u + 0.2 * laplacian(u),)


def rate(u, v):
    uvv = u * v * v
    return 0.16 * laplacian(u) - uvv + 0.035 * (1 - u), 0.08 * laplacian(v) + uvv - 0.1 * v


def gray_scott(*y):
    h = 0.5
    k1 = rate(*y)
    k2 = rate(*(a + 0.5 * h * k for a, k in zip(y, k1)))
    k3 = rate(*(a + 0.5 * h * k for a, k in zip(y, k2)))
    k4 = rate(*(a + h * k for a, k in zip(y, k3)))
    return tuple(a + h / 6 * (p + 2 * q + 2 * r + s) for a, p, q, r, s in zip(y, k1, k2, k3, k4))


for side in common.SIDES:
    x, y = common.square(side), common.square(side, 1)
    plain(f"tanh chain {side}^2", lambda x: torch.tanh(1.5 * x + 0.25) * 0.75 + 0.5 * x * x, x)
    plain(f"chain of 12 {side}^2", chain, x, y)
    plain(f"heat step {side}^2", heat, x, calls=common.HEAT_STEPS[side])
    plain(f"Gray-Scott rk4 step {side}^2", gray_scott, x, y, calls=common.GRAY_SCOTT_STEPS[side])

large = common.square(4096)
plain("sum of 16 M", torch.sum, large)
plain("sums of 4096 rows", lambda x: torch.sum(x, 1), large)
plain("sums of 4096 columns", lambda x: torch.sum(x, 0), large)
plain("transpose 4096^2", lambda x: x.t().contiguous(), large)
plain("square + row + column 4096^2", lambda x, r, c: x + r + c[:, None], large, large[0], large[1])

if eager.wanted("eager add"):
    a = torch.ones(16, dtype=torch.float64)
    eager.measure("eager add", "", lambda: a + a)
