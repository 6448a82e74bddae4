-- The sine-Gordon equation in many dimensions by a network and random directions:
--
--     lap u + sin u = g in the unit ball of d dimensions,   u = 0 on its surface,
--
-- g such that u = (1 - |x|^2) sum_i c_i sin(x_i + cos x_(i+1) + x_(i+1) cos x_i), c random with sum c^2 = 1: two neighbours
-- at a time act on each other (Hu, Shukla, Karniadakis, Kawaguchi, Neural Networks 176, 2024; Shi et al., NeurIPS 2024).
-- The condition holds exactly, u = (1 - |x|^2) N(x). The Laplacian in the loss is an unbiased estimate from a few random
-- directions, so a step costs directions + 2 passes of the network whatever d is; points and directions are new at every
-- step and the same in every run of one seed. The loss is the product of two residuals whose directions are
-- independent, because the square of one estimate would not be unbiased.
--
--     saros run examples/high_dimension.lua [--dimension 1000] [--steps 5000] [--seed 1] …
local saros = require "saros"

local d          = saros.arg{ name = "dimension", default = 20, doc = "of the ball", min = 2 }
local steps      = saros.arg{ name = "steps", default = 600, doc = "of Adam", min = 1 }
local points     = saros.arg{ name = "points", default = 64, doc = "in a step", min = 1 }
local directions = saros.arg{ name = "directions", default = 8, doc = "of each of the two estimates", min = 1 }
local width      = saros.arg{ name = "width", default = 64, doc = "of the three hidden layers", min = 1 }
local rate       = saros.arg{ name = "rate", default = 2e-3, doc = "of the first step; falls to 0 linearly" }
local dtype      = saros.arg{ name = "dtype", default = "f64", one_of = { "f64", "f32" }, doc = "of all numbers" }
local seed       = saros.arg{ name = "seed", default = 1, doc = "of everything random" }

local root = saros.random.key(seed)
local key_c, key_w, key_steps, key_test = root:split(4)
local function normal(key, shape) return saros.random.normal(key, shape, { dtype = dtype }) end

-- The solution and its Laplacian, written out: s the sum, q its terms' arguments.
local c = normal(key_c, { d - 1 })
c = c / saros.norm(c)
local function exact(x)
  local a, b = x:slice(2, 1, d - 1), x:slice(2, 2, d)
  local q = a + b:cos() + b*a:cos()
  local q_a, q_b = 1 - b*a:sin(), a:cos() - b:sin()
  local inside = 1 - (x^2):sum(2)
  local s = (c*q:sin()):sum(2)
  local along = (c*q:cos()*(a*q_a + b*q_b)):sum(2) -- x . grad s
  local lap = (c*(-q:cos()*(b*a:cos() + b:cos()) - q:sin()*(q_a^2 + q_b^2))):sum(2)
  return inside*s, inside*lap - 4*along - 2*d*s
end

-- Points: any direction, any distance from the centre alike.
local function sample(key, n)
  local key_x, key_r = key:split(2)
  local x = normal(key_x, { n, d })
  local r = saros.random.uniform(key_r, { n, 1 }, 0, 1, { dtype = dtype })
  return x * (r / (x^2):sum(2):sqrt():reshape{ n, 1 })
end

-- The network.
local layers = { d, width, width, width, 1 }
local weights = {}
for k, key in ipairs{ key_w:split(#layers - 1) } do
  weights[k] = { matrix = normal(key, { layers[k], layers[k + 1] }) / math.sqrt(layers[k]),
                 bias = saros.zeros({ layers[k + 1] }, { dtype = dtype }) }
end
local function solution(w, x)
  local h = x
  for k, layer in ipairs(w) do
    h = h:matmul(layer.matrix) + layer.bias
    if k < #w then h = h:tanh() end
  end
  return (1 - (x^2):sum(2)) * h:reshape{ x.shape[1] }
end

-- One step of Adam.
local function loss(w, key)
  local key_x, key_1, key_2 = key:split(3)
  local x = sample(key_x, points)
  local u = function(x) return solution(w, x) end
  local estimate = saros.laplacian_estimate(u, directions)
  local value, lap = exact(x)
  local rest = u(x):sin() - value:sin() - lap
  return saros.mean((estimate(x, key_1) + rest) * (estimate(x, key_2) + rest)) / (4*d^2)
end
local adam = saros.adam{ lr = rate }
local step = saros.jit(function(w, state, key, lr)
  local value, gradient = saros.value_and_grad(loss)(w, key)
  w, state = adam:update(w, gradient, state, lr)
  return w, state, value
end)

-- Relative error in L2 at other points, a hundred at a time.
local measure = saros.jit(function(w, key)
  local x = sample(key, 100)
  local value = exact(x)
  return ((solution(w, x) - value)^2):sum(), (value^2):sum()
end)
local function error_of(w, batches)
  local off, all = 0, 0
  for k = 1, batches do
    local a, b = measure(w, key_test:fold(k))
    off, all = off + a:item(), all + b:item()
  end
  return math.sqrt(off / all)
end

local function megabytes()
  local file = io.open("/proc/self/statm")
  local pages = file and file:read("n", "n") and file:seek("set") and select(2, file:read("n", "n"))
  if file then file:close() end
  return pages and pages * 4096 / 1e6 or 0
end

-- The Laplacian written out above is that of u.
if d <= 100 then
  local x = sample(key_test, 5)
  local value, lap = exact(x)
  local other = saros.laplacian(function(x) return (exact(x)) end)(x)
  assert((saros.norm(lap - other) / saros.norm(other)):item() < (dtype == "f64" and 1e-12 or 1e-4), "the Laplacian is off")
end

local state, began, first = adam:init(weights), os.time(), nil
local before = error_of(weights, 2)
print(string.format("%8s %14s %10s", "step", "L2 error", "memory MB"))
for k = 1, steps do
  weights, state = step(weights, state, key_steps:fold(k), rate * (1 - (k - 1) / steps))
  if k % math.max(steps // 10, 1) == 0 then
    collectgarbage()
    first = first or megabytes()
    print(string.format("%8d %14.3e %10.0f", k, error_of(weights, 2), megabytes()))
  end
end
local after = error_of(weights, 20)
print(string.format("%d dimensions, %d steps in %d s: relative L2 error %.3e, before %.3e", d, steps, os.time() - began, after, before))
assert(megabytes() <= 1.1 * first + 20, "memory grew")
if steps >= 600 then assert(after < 0.05, "the network is off") end
