-- A tour of tensors and transforms. Every claim is an assert.
local saros = require "saros"
local sin = saros.sin
local function near(a, b, tolerance) assert(math.abs(a - b) < (tolerance or 1e-10), a .. " is not " .. b) end

-- Tensors: f64 unless said otherwise, indices from 1, arithmetic as in NumPy.
local A = saros.tensor{ { 2, 1 }, { 1, 3 } }
local b = saros.tensor{ 1, 2 }
local x = saros.linalg.solve(A, b)
near((saros.matmul(A, x) - b):norm():item(), 0)
print(A:transpose(), A:sum(1), saros.where(A:gt(1), A, 0))

-- Derivatives of functions; numbers in, numbers out; any order, any nesting.
local function f(z) return sin(z) * z^2 end
near(saros.grad(f)(1), math.cos(1) + 2*math.sin(1))
near(saros.grad(saros.grad(f))(1), 4*math.cos(1) + math.sin(1))
local series = saros.jet(f, 1, 1, 4) -- all derivatives at once
near(series[2], saros.grad(saros.grad(f))(1))

-- Arguments may be trees of tables; results mirror them.
local function model(p, z) return (p.w * z + p.b):tanh():sum() end
local g = saros.grad(model)({ w = saros.ones{3}, b = 0.5, name = "tanh" }, saros.tensor{ 1, 2, 3 })
print(g.w, g.b, g.name)

-- Forward and reverse agree.
local v, w = saros.tensor{ 1, -1 }, saros.tensor{ 2, 1 }
local function h(y) return saros.matmul(A, y)^2 end
local _, jv = saros.jvp(h, { x }, { v })
local _, jw = saros.vjp(h, { x }, w)
near((jv * w):sum():item(), (v * jw[1]):sum():item())
print(saros.jacobian(h)(x), saros.hessian(function(y) return h(y):sum() end)(x))

-- A function of one point, for many points; and its Laplacian.
local points = saros.random.uniform(saros.random.key(1), { 5, 2 })
local bumps = saros.vmap(function(p) return saros.exp(-(p^2):sum()) end)(points)
local lap = saros.laplacian(function(p) return saros.exp(-(p^2):sum(2)) end)(points)
local r2 = (points^2):sum(2)
near((lap - (4*r2 - 4) * bumps):norm():item(), 0)

-- Loops are recorded once and differentiate: Newton's method for the square root, and its derivative.
local function root(a) return (saros.loop(20, function(y) return (y + a/y) / 2 end, 1.0)) end
near(root(2.0), math.sqrt(2))
near(saros.grad(root)(2.0), 0.5/math.sqrt(2))
-- ... and through the solution itself, by the implicit function theorem.
near(saros.grad(function(a) return saros.root(function(y) return y^2 - a end, 1.0) end)(2.0), 0.5/math.sqrt(2))

-- An integrator inside a gradient, and a minimum.
local function swing(l)
  local y = saros.ode(function(_, s) return saros.stack{ s[2], -9.81/l * sin(s[1]) } end, saros.tensor{ 0.5, 0 },
                      { times = { 0, 1 }, integrator = "rk4", dt = 0.01 })
  return y:get(2, 1)
end
print("angle after 1 s", swing(1.0), "and its slope in the length", saros.grad(swing)(1.0))
local best, info = saros.minimise(function(l) return (swing(l) - 0.2)^2 end, 0.6, { bounds = { 0.3, 3 } })
print("length for 0.2 rad", best, info.reason)
near(swing(best), 0.2, 1e-6)

-- Compiled once, called often.
local fast = saros.jit(function(z) return (z * sin(z)):sum() end)
for k = 1, 3 do print(k, fast(saros.linspace(0, k, 1000))) end
