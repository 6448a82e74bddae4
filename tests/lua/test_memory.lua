-- Memory stays flat over a thousand repeats of solves, gradients, transforms and plain arithmetic: the collector is told
-- the size of what lies outside of Lua, and nothing is held on to.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "?.lua;" .. package.path
local saros = require "saros"

local heat = saros.equations.heat{}
local options = { cells = 16, integrator = "rk4", dt = 1e-3 }
local objective = function(s) return s:integral(function(q) return q.u^2 end, { t = 0.1 }) end
local jitted = saros.jit(function(x) return (x:sin() * x):sum() end)
local vector = saros.linspace(0, 1, 1000)

local work = {
  solve = function() return heat:solve{ cells = 16 }.u end,
  gradient = function() return heat:gradient{ objective = objective, wrt = { "kappa" }, cells = 16, integrator = "rk4", dt = 0.01 } end,
  grad_of_solve = function(k)
    return saros.grad(function(kappa)
      return saros.mean(heat:solve{ cells = 16, integrator = "rk4", dt = 0.01, parameters = { kappa = kappa } }.u^2)
    end)(1 + k / 1e4)
  end,
  problem = function() return saros.equations.burgers{ nu = 0.1 } end,
  grad = function(k) return saros.grad(function(x) return (x^2 * k):sum() end)(vector) end,
  hessian = function() return saros.hessian(function(x) return (x^3):sum() end)(saros.ones{ 4 }) end,
  loop = function() return saros.loop(10, function(c) return c * 1.5 end, vector) end,
  jit = function(k) return jitted(vector * k) end,
  arithmetic = function(k) local t = saros.zeros{ 1000, 100 } + k return (t * 2 - 1):exp() end,
  slices = function(k) return vector:slice(1, k % 900 + 1, k % 900 + 50):sum() end,
  errors = function() return pcall(function() return vector + saros.ones{ 3 } end) end,
  root = function(k) return saros.root(function(x) return x^2 - 1 - k end, 1.0) end,
}
options = nil

local function held()
  collectgarbage()
  collectgarbage()
  return saros.memory(), collectgarbage("count") * 1024
end

local repeats = { solve = 1000, gradient = 1000, grad_of_solve = 300, problem = 300, hessian = 300, root = 300 }
for name, f in pairs(work) do
  for k = 1, 20 do f(k) end
  local outside, inside = held()
  local peak = 0
  for k = 1, repeats[name] or 1000 do
    f(k)
    peak = math.max(peak, saros.memory())
  end
  local outside_after, inside_after = held()
  local growth = outside_after - outside
  -- what may stay: plans of operations on new shapes, which the cache bounds
  local allowed = name == "slices" and 64e6 or 3e5
  assert(growth < allowed, string.format("%s: %d bytes are still held after it", name, growth))
  assert(inside_after - inside < 4e6, string.format("%s: Lua itself grew by %d bytes", name, inside_after - inside))
  assert(peak - outside < 200e6, string.format("%s: the peak was %d bytes above the start", name, peak - outside))
end
