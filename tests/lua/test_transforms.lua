-- Transforms: against hand-written derivatives and against each other, nested in any order.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "?.lua;" .. package.path
local saros, expect = require "saros", require "expect"
local near, equal, fails = expect.near, expect.equal, expect.fails
local T, sin, cos, exp = saros.tensor, saros.sin, saros.cos, saros.exp

-- grad: numbers in, numbers out; nested; several arguments; what is carried along
local function f(x) return sin(x) * x^2 end
local function df(x) return math.cos(x)*x^2 + 2*x*math.sin(x) end
equal(type(saros.grad(f)(1.2)), "number")
near(saros.grad(f)(1.2), df(1.2))
near(saros.grad(saros.grad(saros.grad(function(x) return x^4 end)))(2.0), 48)
local ga, gb = saros.grad(function(a, b) return a^2 * b end, { 1, 2 })(3.0, 4.0)
near({ ga, gb }, { 24, 9 })
near(saros.grad(function(a, b) return a^2 * b end, 2)(3.0, 4.0), 9)
local v, g, extra = saros.value_and_grad(function(x) return x:sum(), "more" end)(T{ 1, 2 })
near(v, 3)
near(g, { 1, 1 })
equal(extra, "more")
local tree = saros.grad(function(p) return (p.w * p[1]):sum() + p.list[2]^2 end)
local out = tree{ 2.0, w = T{ 1, 3 }, list = { 5.0, 6.0 }, name = "kept", flag = true }
near(out[1], 4)
near(out.w, { 2, 2 })
near(out.list, { 0, 12 })
equal(out.name, "kept")
equal(out.flag, true)
-- what comes from outside is a constant, also inside another derivative (no confusion of perturbations)
near(saros.grad(function(x) return x * saros.grad(function(y) return x * y end)(2.0) end)(3.0), 6)
near(saros.grad(function(x) return saros.stop_gradient(x) * x end)(3.0), 3)
equal(saros.grad(function(x) return (x*2):sum() end)(T({ 1, 2 }, "f32")).dtype, "f32")

-- forward and reverse
local y, ydot = saros.jvp(function(a, b) return a * sin(b) end, { 2.0, 0.5 }, { 1.0, 3.0 })
near({ y, ydot }, { 2*math.sin(0.5), math.sin(0.5) + 6*math.cos(0.5) })
local y2, gs = saros.vjp(function(a, b) return a * b end, { T{ 1, 2 }, T{ 3, 4 } }, T{ 1, 10 })
near(y2, { 3, 8 })
near(gs[1], { 3, 40 })
near(gs[2], { 1, 20 })
-- <Jv, w> = <v, J'w> for a function of two tensors
local function both(a, b) return saros.matmul(a, b):tanh() end
local key = saros.random.key(3)
local function normal(i, shape) return saros.random.normal(key:fold(i), shape) end
local a, b, va, vb, w = normal(1, { 3, 4 }), normal(2, { 4, 2 }), normal(3, { 3, 4 }), normal(4, { 4, 2 }), normal(5, { 3, 2 })
local _, jv = saros.jvp(both, { a, b }, { va, vb })
local _, jw = saros.vjp(both, { a, b }, w)
near((jv * w):sum(), (va * jw[1]):sum() + (vb * jw[2]):sum(), 1e-12)

-- jet: derivatives along a line
local j = saros.jet(function(x) return exp(2*x) end, 0.3, 1.0, 5)
for k = 0, 5 do near(j[k], 2^k * math.exp(0.6), 1e-12, "derivative " .. k) end
local jt = saros.jet(function(x) return x^3 end, T{ 1, 2 }, T{ 1, 2 }, 3)
near(jt[3], { 6, 48 })
near(saros.grad(function(x) return saros.jet(function(z) return sin(z) end, x, 1.0, 2)[2] end)(0.4), -math.cos(0.4))

-- Jacobian, Hessian, Laplacian
near(saros.jacobian(function(x) return x^2 end)(T{ 1, 2 }), { 2, 0, 0, 4 })
near(saros.jacobian(function(x) return x:sum() * T{ 1, 2, 3 } end)(T{ 1, 2 }), { 1, 1, 2, 2, 3, 3 })
near(saros.jacobian(function(x) return x:slice(1, 1, 1) * x:slice(1, 2, 2) end)(T{ 3, 4, 5 }), { 4, 3, 0 })
near(saros.hessian(function(x) return x[1]^2 * x[2] end)(T{ 3, 4 }), { 8, 6, 6, 0 })
near(saros.hessian(function(x) return x^3 end)(2.0), 12)
-- matrix functions by eigenvectors: right where eigenvalues differ, NaN (and not a wrong number) where two are equal
local C = T{ { 1, 2 }, { 2, 5 } }
local function squared(a)
  local w, v2 = saros.linalg.eigh(a)
  return (C * saros.matmul(v2 * w^2, saros.transpose(v2))):sum()
end
near(saros.grad(squared)(T{ { 1, 0.5 }, { 0.5, 2 } }), { 4, 9, 9, 22 }, 1e-12)
local lost = saros.grad(squared)(T{ { 1, 0 }, { 0, 1 } }):totable()
assert(lost[1][2] ~= lost[1][2])
near(saros.grad(function(a) return ((saros.linalg.eigh(a))^2):sum() end)(T{ { 1, 0 }, { 0, 1 } }), { 2, 0, 0, 2 })
-- of tables: each leaf of the result holds the tree of its derivatives
local rows = saros.jacobian(function(p) return { s = p.a * p.b, { p.a:sum() }, note = "kept" } end){ a = T{ 1, 2 }, b = 3.0, n = "x" }
near(rows.s.a, { 3, 0, 0, 3 })
near(rows.s.b, { 1, 2 })
near(rows[1][1].a, { 1, 1 })
equal(rows[1][1].b, 0.0)
equal(rows.note, "kept")
local second = saros.hessian(function(p) return (p.a^2):sum() * p.b end){ a = T{ 1, 2 }, b = 3.0 }
near(second.a.a, { 6, 0, 0, 6 })
near(second.a.b, { 2, 4 })
near(second.b.a, { 2, 4 })
equal(second.b.b, 0.0)
fails("type", "no number", saros.jacobian(function(x) return x end), "word")
fails("type", "must return", saros.jacobian(function() return "word" end), 1.0)
fails("type", "a list of arguments", saros.jvp, f, { x = 1.0 }, { x = 1.0 })
local points = normal(6, { 5, 2 })
local function wave(x) return sin(x:slice(2, 1, 1)):sum(2) * exp(2*x:slice(2, 2, 2)):sum(2) end
local lap = saros.laplacian(wave)(points)
local exact = {}
for k = 1, 5 do exact[k] = 3 * math.sin(points:get(k, 1)) * math.exp(2*points:get(k, 2)) end
near(lap, exact, 1e-11)
near(saros.biharmonic(wave)(points), 3 * lap, 1e-11)
near(saros.operator(wave, { { 1, { 2, 0 } }, { 1, { 0, 2 } } })(points), lap, 1e-11)
near(saros.operator(wave, { { 0.5, { 0, 0 } }, { 1, { 2, 3 } } })(points), -7.5/3 * lap, 1e-11)
local function separable(x) return (x^4):sum(2) end
near(saros.laplacian_estimate(separable, 3)(points, saros.random.key(1)), saros.laplacian(separable)(points), 1e-11)
local draw = saros.laplacian_estimate(function(x) return (x:sum(2))^2 end, 50)
assert(math.abs(saros.mean(draw(points, saros.random.key(1))):item() - 4) > 1e-9)
near(saros.vmap(function(i) return draw(points, saros.random.key(1):fold(i)) end)(saros.arange(400)):mean(), 4, 0.05)
fails("shape", "powers", saros.operator(wave, { { 1, { 2 } } }), points)

-- vmap against a loop; captures; other axes; gradients through it
local M = normal(7, { 4, 3 })
local mapped = saros.vmap(function(row) return (row^2):sum() end)(M)
for k = 1, 4 do near(mapped[k], (M[k]^2):sum(), 1e-12) end
near(saros.vmap(function(c) return c:sum() end, 2)(M), M:sum(1), 1e-12)
near(saros.vmap(function(x, s) return x * s end)(M, 2.0), M * 2)
near(saros.grad(function(s) return saros.vmap(function(row) return (row * s):sum() end)(M):sum() end)(1.0), M:sum(), 1e-12)
near(saros.vmap(saros.grad(function(x) return sin(x) end))(T{ 0.1, 0.2 }), { math.cos(0.1), math.cos(0.2) })

-- jit: the same numbers, recorded once per types
local count = 0
local fast = saros.jit(function(x, s) count = count + 1 return sin(x) * s, { twice = x * 2 } end)
for k = 1, 3 do
  local p, q = fast(T{ 1, k }, k)
  near(p, { math.sin(1)*k, math.sin(k)*k })
  near(q.twice, { 2, 2*k })
end
equal(count, 1)
near(fast(2.0, 3.0), 3*math.sin(2))
equal(type(fast(2.0, 3.0)), "number")
equal(count, 2)
near(saros.grad(function(x) return (fast(x, 2.0)) end)(0.5), 2*math.cos(0.5))
near(saros.jit(saros.grad(f))(1.2), df(1.2))

-- checks
local report = saros.check_gradient(function(x) return (sin(x) * exp(x)):sum() end, T{ 0.1, 0.7, -0.4 })
assert(report.passed and report.rates[2] > 1.9)
local wrong = saros.custom{ forward = function(x) return x^2 end, jvp = function(x, d) return 3 * x[1] * d[1] end,
                            vjp = function(x, _, c) return 3 * x[1] * c[1] end }
expect.fails("domain", "", saros.check_gradient, function(x) return wrong(x):sum() end, T{ 0.3, 0.7 })
