-- Linear solves and roots: directly and by Krylov methods, their derivatives, and what they refuse.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "?.lua;" .. package.path
local saros, expect = require "saros", require "expect"
local near, equal = expect.near, expect.equal
local sin, cos = saros.sin, saros.cos

local n = 16
local d, b = 2 + saros.linspace(0, 1, n), cos(saros.linspace(0, 3, n))

-- A x for the tridiagonal A with diagonal d + p^2 and -1 beside it
local function product(x, p)
  return (d + p^2) * x - saros.shift(x, 1) - saros.shift(x, -1)
end

local function dense(p)
  local A = saros.jacobian(function(x) return product(x, p) end)(saros.zeros{ n })
  return saros.linalg.solve(A, b)
end

local ways = {
  {},
  { krylov = {} },
  { krylov = { petsc = { ksp_type = "cg", pc_type = "icc" }, rtol = 1e-13, derivative = { rtol = 1e-13 } } },
  { krylov = { matrix_free = true, rtol = 1e-13, transposed = { rtol = 1e-13, max_iterations = 100 } } },
}
for _, options in ipairs(ways) do
  local function solve(p)
    return saros.linear_solve(product, b, { args = { p }, krylov = options.krylov })
  end
  local function energy(p) return (solve(p)^2):sum() end
  near(solve(0.3), dense(0.3), 1e-9)
  near(saros.grad(energy)(0.3), saros.grad(function(p) return (dense(p)^2):sum() end)(0.3), 1e-8)
  near(saros.grad(saros.grad(energy))(0.3),
       saros.grad(saros.grad(function(p) return (dense(p)^2):sum() end))(0.3), 1e-8)
  near(saros.vmap(energy)(saros.tensor{ 0.1, 0.4 }), { energy(0.1), energy(0.4) }, 1e-8)
end

-- Trees of unknowns: two fields that feed each other, as one system
local both = saros.linear_solve(function(x) return { u = 3 * x.u + x.v, v = x.v - x.u } end,
                                { u = b, v = 2 * b }, { krylov = { matrix_free = true } })
near(3 * both.u + both.v, b, 1e-9)
near(both.v - both.u, 2 * b, 1e-9)

-- Newton-Krylov: cube roots of a + x's neighbour
local function cube(x, a) return x^3 + x - a * (1 + 0.1 * saros.shift(x, 1)) end
for _, krylov in ipairs{ {}, { matrix_free = true }, { petsc = { ksp_type = "bcgs", pc_type = "jacobi" } } } do
  local function last(a) return saros.root(cube, saros.ones{ n }, { args = { a }, krylov = krylov })[n] end
  local function exact(a) return saros.root(cube, saros.ones{ n }, { args = { a } })[n] end
  near(last(2.0), exact(2.0), 1e-9)
  near(saros.grad(last)(2.0), saros.grad(exact)(2.0), 1e-9)
end

-- What is refused, and what does not converge
expect.fails("usage", "not linear", saros.linear_solve, function(x) return x + 1 end, b)
expect.fails("usage", "krylof", saros.linear_solve, product, b, { krylof = {} })
expect.fails("usage", "ksp_tipe", saros.linear_solve, product, b, { args = { 0.1 }, krylov = { petsc = { ksp_tipe = "cg" } } })
expect.fails("shape", "17", saros.linear_solve, function(x) return saros.concat({ x, saros.ones{ 1 } }, 1) end, b)
expect.fails("domain", "singular", saros.linear_solve, function(x) return 0 * x end, b)
local stuck = { args = { 0.1 }, krylov = { petsc = { pc_type = "none" }, max_iterations = 2 } }
expect.fails("not_converged", "the solve did not converge", saros.linear_solve, product, b, stuck)
stuck.krylov = { petsc = { pc_type = "none" }, transposed = { max_iterations = 2 } }
expect.fails("not_converged", "the transposed derivative did not converge",
             saros.grad(function(c) return saros.linear_solve(product, c, stuck):sum() end), sin(b))
equal(type(saros.linear_solve(function(x) return 2 * x end, 3.0)), "number")

-- Sparse Hessians: entries where the function couples unknowns, and their derivatives
local function rosenbrock(x, a)
  local low, high = x:slice(1, 1, #x - 1), x:slice(1, 2, #x)
  return (a * (high - low^2)^2 + (1 - low)^2):sum()
end
local at = sin(saros.arange(9) + 0.0)
local dense = saros.hessian(function(x) return rosenbrock(x, 100) end)(at)
local sparse = saros.hessian(function(x) return rosenbrock(x, 100) end, { sparse = true })(at)
equal(#sparse.values, 3 * 9 - 2)
local sum = 0
for k = 1, #sparse.values do
  local i, j = sparse.rows:get(k), sparse.columns:get(k)
  near(sparse.values:get(k), dense:get(i, j), 1e-11)
  sum = sum + sparse.values:get(k)^2
end
near((dense^2):sum(), sum, 1e-11)
local function size(a)
  return (saros.hessian(function(x) return rosenbrock(x, a) end, { sparse = true })(at).values^2):sum()
end
near(saros.grad(size)(2.0), saros.grad(function(a)
  return (saros.hessian(function(x) return rosenbrock(x, a) end)(at)^2):sum() end)(2.0), 1e-11)
near(saros.jit(saros.hessian(function(x) return (x^3):sum() end, { sparse = true }))(at).values, 6 * at)
expect.fails("usage", "sparce", saros.hessian, sin, { sparce = true })
expect.fails("type", "one tensor", saros.hessian(function(t) return t.a:sum() end, { sparse = true }), { a = at })
expect.fails("shape", "scalar", saros.hessian(sin, { sparse = true }), at)

-- Newton's method with the sparse Hessian: few iterations where gradients alone take many
local start = saros.zeros{ 100 }
local function valley(x) return rosenbrock(x, 100) end
local best, quick = saros.minimise(valley, start, { newton = true })
local _, slow = saros.minimise(valley, start, { max_iterations = 2000 })
near(best, saros.ones{ 100 }, 1e-5)
assert(quick.converged and 2 * quick.iterations < slow.iterations, quick.iterations .. " " .. slow.iterations)
expect.fails("usage", "newton", saros.minimise, valley, start, { newton = true, method = { { "adam", lr = 1e-3, steps = 2 } } })

-- A steady problem's gradient takes the linear solver it is given, and its transpose
local poisson = saros.problem{
  domain = { x = { 0, 1 }, y = { 0, 1 } }, unknowns = { "u" }, parameters = { k = 1.5 },
  equation = function(s, p) return s.u.xx + s.u.yy + p.k * saros.exp(s.u) end,
  boundary = { x = saros.dirichlet(0), y = saros.dirichlet(0) },
}
local function gradient(linear)
  return poisson:gradient{ objective = function(sol) return sol:integral(function(s) return s.u^2 end) end,
                           wrt = { "k" }, method = "grid", cells = 12, linear = linear }
end
local J, dJ = gradient()
local Jk, dJk = gradient{ ksp_type = "gmres", pc_type = "ilu" }
near(Jk, J, 1e-9)
near(dJk.k, dJ.k, 1e-8)
expect.fails("not_converged", "", gradient, { ksp_type = "richardson", pc_type = "none" })
expect.fails("usage", "ksp_tipe", gradient, { ksp_tipe = "gmres" })
