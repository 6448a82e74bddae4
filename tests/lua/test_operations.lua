-- Every operation of the registry, and every row of the graph, by name: a row without a Lua binding and an operation
-- without a case here fail.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "?.lua;" .. package.path
local saros, expect = require "saros", require "expect"
local near = expect.near
local T = saros.tensor

-- Reference of a pointwise function by plain Lua.
local function each(f) return function(x) local y = {} for k, v in ipairs(x) do y[k] = f(v) end return y end end
local function sinh(x) return (math.exp(x) - math.exp(-x)) / 2 end
local function cosh(x) return (math.exp(x) + math.exp(-x)) / 2 end
-- erf by its Taylor series, exact enough below 2 (Abramowitz and Stegun 7.1.5)
local function erf(x)
  local term, sum = x, x
  for n = 1, 60 do
    term = -term * x * x / n
    sum = sum + term / (2*n + 1)
  end
  return 2 / math.sqrt(math.pi) * sum
end

local above = { 1.2, 1.7, 2.5, 4.0 }
local points, unit, positive = { -1.6, -0.3, 0.4, 1.7 }, { -0.9, -0.2, 0.3, 0.8 }, { 0.2, 0.9, 1.4, 3.0 }
local unary = {
  neg = { points, function(x) return -x end }, abs = { points, math.abs },
  sign = { points, function(x) return x > 0 and 1 or -1 end }, floor = { points, math.floor },
  round = { points, function(x) return math.floor(x + 0.5) end }, sqrt = { positive, math.sqrt },
  exp = { points, math.exp }, expm1 = { points, function(x) return math.exp(x) - 1 end },
  log = { positive, math.log }, log1p = { positive, function(x) return math.log(1 + x) end },
  sin = { points, math.sin }, cos = { points, math.cos }, tan = { points, math.tan },
  asin = { unit, math.asin }, acos = { unit, math.acos }, atan = { points, math.atan },
  sinh = { points, sinh }, cosh = { points, cosh }, tanh = { points, function(x) return sinh(x) / cosh(x) end },
  erf = { points, erf }, sigmoid = { points, function(x) return 1 / (1 + math.exp(-x)) end },
  softplus = { points, function(x) return math.log(1 + math.exp(x)) end },
  exp2 = { points, function(x) return 2 ^ x end }, log2 = { positive, function(x) return math.log(x, 2) end },
  acosh = { above, function(x) return math.log(x + math.sqrt(x * x - 1)) end },
  atanh = { unit, function(x) return math.log((1 + x) / (1 - x)) / 2 end },
  silu = { points, function(x) return x / (1 + math.exp(-x)) end },
  gelu = { points, function(x) return x * (1 + erf(x / math.sqrt(2))) / 2 end },
  relu = { points, function(x) return math.max(x, 0) end }, stop_gradient = { points, function(x) return x end },
}
local done = {}
for name, case in pairs(unary) do
  near(saros[name](T(case[1])), each(case[2])(case[1]), 1e-12, name)
  near(T(case[1])[name](T(case[1])), each(case[2])(case[1]), 1e-12, name .. " as a method")
  near(saros[name](case[1][3]), case[2](case[1][3]), 1e-12, name .. " of a number")
  done[name] = true
end

local A, B, M = T{ 1, 2, 3 }, T{ 3, 2, 1 }, T{ { 1, 2 }, { 3, 4 } }
local key = saros.random.key(1)
local re, im = saros.rfft(T{ 1, 2, 3, 4 })
local cases = {
  add = { saros.add(A, B), { 4, 4, 4 } }, sub = { saros.sub(A, B), { -2, 0, 2 } },
  mul = { saros.mul(A, B), { 3, 4, 3 } }, divide = { saros.divide(A, B), { 1/3, 1, 3 } },
  pow = { saros.pow(A, B), { 1, 4, 3 } }, power = { saros.power(A, 3), { 1, 8, 27 } },
  fma = { saros.fma(A, B, 1), { 4, 5, 4 } }, atan2 = { saros.atan2(A, B), { math.atan(1, 3), math.atan(2, 2), math.atan(3, 1) } },
  maximum = { saros.maximum(A, B), { 3, 2, 3 } }, minimum = { saros.minimum(A, 2), { 1, 2, 2 } },
  clip = { saros.clip(A, 1.5, 2.5), { 1.5, 2, 2.5 } },
  eq = { saros.eq(A, B), { false, true, false } }, ne = { saros.ne(A, B), { true, false, true } },
  lt = { saros.lt(A, B), { true, false, false } }, le = { saros.le(A, B), { true, true, false } },
  gt = { saros.gt(A, B), { false, false, true } }, ge = { saros.ge(A, B), { false, true, true } },
  logical_and = { saros.logical_and(A:gt(1), A:lt(3)), { false, true, false } },
  logical_or = { saros.logical_or(A:lt(2), A:gt(2)), { true, false, true } },
  logical_not = { saros.logical_not(A:lt(2)), { false, true, true } },
  where = { saros.where(A:lt(B), A, B), { 1, 2, 1 } }, cast = { saros.cast(T{ 1.7, -1.7 }, "i64"), { 1, -1 } },
  sum = { saros.sum(M, 1), { 4, 6 } }, mean = { saros.mean(M, { 1, 2 }), 2.5 }, max = { saros.max(M, 2), { 2, 4 } },
  min = { saros.min(M), 1 }, norm = { saros.norm(T{ 3, 4 }), 5 },
  prod = { saros.prod(M, 1), { 3, 8 } }, any = { saros.any(M:gt(3), 1), { false, true } },
  all = { saros.all(M:gt(1)), false },
  logsumexp = { saros.logsumexp(T{ 1000, 1000 }), 1000 + math.log(2) },
  argmax = { saros.argmax(M, 2), { 2, 2 } }, argmin = { saros.argmin(M, 1), { 1, 1 } },
  cumsum = { saros.cumsum(M, 1), { 1, 2, 4, 6 } }, trapz = { saros.trapz(T{ 0, 1, 4 }, T{ 0, 1, 3 }), 5.5 },
  matmul = { saros.matmul(M, M), { 7, 10, 15, 22 } }, dot = { saros.dot(A, B), 10 },
  cross = { saros.cross(T{ 1, 0, 0 }, T{ 0, 1, 0 }), { 0, 0, 1 } },
  reshape = { saros.reshape(M, { 4, -1 }), { 1, 2, 3, 4 } }, transpose = { saros.transpose(M), { 1, 3, 2, 4 } },
  broadcast = { saros.broadcast(T{ 1, 2 }, { 2, 2 }), { 1, 2, 1, 2 } }, slice = { saros.slice(A, 1, 2, 3), { 2, 3 } },
  pad = { saros.pad(A, 1, 2, 1, 9), { 9, 1, 2, 3, 9, 9 } }, shift = { saros.shift(A, 1, 1, "wrap"), { 3, 1, 2 } },
  reverse = { saros.reverse(A), { 3, 2, 1 } }, concat = { saros.concat({ A, B }), { 1, 2, 3, 3, 2, 1 } },
  stack = { saros.stack({ A, B }, 2), { 1, 3, 2, 2, 3, 1 } }, gather = { saros.gather(A, T({ 3, -3 }, "i64")), { 3, 1 } },
  scatter_add = { saros.scatter_add(A, T({ 1, 1, 3 }, "i64"), 4), { 3, 0, 3, 0 } }, put = { saros.put(A, 1, 5), { 5, 2, 3 } },
  diag = { saros.diag(T{ 1, 2 }), { 1, 0, 0, 2 } },
  rfft = { re, { 10, -2, -2 } }, irfft = { saros.irfft(re, im), { 1, 2, 3, 4 } },
  fft = { saros.fft(T{ 1, 2, 3, 4 }), { 10, -2, -2, -2 } }, ifft = { saros.ifft(T{ 4, 0, 0, 0 }), { 1, 1, 1, 1 } },
  ["linalg.solve"] = { saros.linalg.solve(M, T{ 5, 11 }), { 1, 2 } },
  ["linalg.cholesky"] = { saros.linalg.cholesky(T{ { 4, 2 }, { 2, 5 } }), { 2, 0, 1, 2 } },
  ["linalg.triangular_solve"] = { saros.linalg.triangular_solve(T{ { 2, 0 }, { 1, 2 } }, T{ 2, 5 }), { 1, 2 } },
  ["linalg.det"] = { saros.linalg.det(M), -2 }, ["linalg.inv"] = { saros.linalg.inv(M), { -2, 1, 1.5, -0.5 } },
  ["linalg.eigh"] = { saros.linalg.eigh(T{ { 2, 1 }, { 1, 2 } }), { 1, 3 } },
  ["random.uniform"] = { saros.random.uniform(key, { 2, 3 }).shape, { 2, 3 } },
  ["random.normal"] = { saros.random.normal(key, { 4 }).shape, { 4 } },
  ["random.fold"] = { saros.random.fold(key, 1).shape, { 2 } },
}
for name, case in pairs(cases) do
  near(case[1], case[2], 1e-12, name)
  done[name] = true
end

near(saros.grad(function(x) return saros.prod(x) end)(T{ 0, 2, 3 }), { 6, 0, 0 }, 0, "slope of a product at a zero")

-- Nothing is left out. A new function of one number is at least the same on tensors and numbers, with the slope it has.
local function check_elementary(name)
  local f, x, h = saros[name], 0.5, 1e-5
  near(f(T{ x, x }), { f(x), f(x) }, 0, name)
  near(saros.grad(f)(x), (f(x + h) - f(x - h)) / (2*h), 1e-8, "slope of " .. name)
end
local rows = {}
for name, op in pairs(saros.registry()) do
  if not done[name] and op.args == "x" and saros.primitives()[name] then
    check_elementary(name)
    done[name] = true
  end
  assert(done[name], "no case for the operation " .. name)
  assert(#op.doc > 0 and saros[name:match("^[^.]+")], name .. " has no doc line or is not exported")
  for row in op.rows:gmatch("%S+") do rows[row] = true end
end
-- rows that functions other than operations append
for row in ("loop loop_reverse cond call input constant splat alias spread allreduce"):gmatch("%S+") do rows[row] = true end
local unbound = {}
for row, doc in pairs(saros.primitives()) do
  assert(#doc > 0, "the row " .. row .. " has no doc line")
  if not rows[row] then unbound[#unbound + 1] = row end
end
table.sort(unbound)
assert(#unbound == 0, "rows without a Lua binding: " .. table.concat(unbound, " "))
