-- Burgers' equation two ways from one text: u_t + u u_x = nu u_xx on [-1, 1], u0 = -sin(pi x), nu = 0.01/pi.
-- A grid and a network solve it; both are held against the exact solution. Then the viscosity is found again from
-- 500 noisy samples, by gradients through each of them.
--
--     saros run examples/burgers.lua [--steps 1500]
local saros = require "saros"

local steps = saros.arg{ name = "steps", default = 1500, doc = "training steps of the network", min = 100 }
local nu = 0.01 / math.pi

local burgers = saros.problem{
  name       = "burgers",
  domain     = { x = {-1, 1}, t = {0, 1} },
  unknowns   = { "u" },
  parameters = { nu = nu },
  equation   = function(s, p) return s.u.t + s.u*s.u.x - p.nu*s.u.xx end,
  initial    = function(s) return -saros.sin(math.pi*s.x) end,
  boundary   = { x = saros.dirichlet(0) },
}

-- The exact solution (Cole and Hopf): u = -int sin(pi (x-e)) W de / int W de with
-- W = exp(-cos(pi (x-e)) / (2 pi nu) - e^2 / (4 nu t)). With e = sqrt(4 nu t) z the trapezoidal rule converges
-- exponentially; the largest exponent is taken out first, so nothing overflows. x, t: vectors of points.
local z = saros.linspace(-14, 14, 1401):reshape{1, 1401}
local function exact(x, t)
  local n = x.shape[1]
  local y = x:reshape{n, 1} - (4*nu*t):sqrt():reshape{n, 1} * z
  local exponent = -(math.pi*y):cos() / (2*math.pi*nu) - z^2
  local weight = (exponent - exponent:max(2):reshape{n, 1}):exp()
  return -((math.pi*y):sin() * weight):sum(2) / weight:sum(2)
end

local function relative(a, b) return (saros.norm(a - b) / saros.norm(b)):item() end

-- 1. Solve, and compare at t = 1.
local grid = burgers:solve{ method = "grid", cells = { x = 2048 }, order = 4, integrator = "bdf",
                            rtol = 1e-8, atol = 1e-10, times = 101 }
local net = burgers:solve{ method = "network", network = { layers = 4, width = 24 }, points = 4000, seed = 1,
                           optimizer = { { "adam", steps = 100 }, { "bfgs", steps = steps } },
                           cells = 256, times = 101 }

local x = saros.linspace(-1, 1, 1001)
local t = saros.ones{1001}
local truth = exact(x, t)
local grid_error = relative(grid:at{ x = x, t = 1 }, truth)
local net_error = relative(net:at{ x = x, t = 1 }, truth)

print(string.format("%-28s %12s %9s", "solve", "error at t=1", "seconds"))
print(string.format("%-28s %12.2e %9.1f", "grid, order 4, 2048 cells", grid_error, grid.info.seconds))
print(string.format("%-28s %12.2e %9.1f", "network, 4 x 24", net_error, net.info.seconds))

-- 2. A gradient through the solution.
local J, dJ = burgers:gradient{
  objective = function(sol) return sol:integral(function(s) return s.u^2 end, { t = 1 }) end,
  wrt = { "nu" }, method = "grid", cells = { x = 1024 }, order = 4, integrator = "rk4", dt = 5e-4,
}
print(string.format("\nJ = int u(x,1)^2 dx = %.8f   dJ/dnu = %.6f\n", J, dJ.nu))

-- 3. The viscosity from 500 samples with 1 % noise, most of them near the front, where the viscosity shows.
local key = saros.random.key(7)
local kx, kt, kn = key:split(3)
local xs = saros.random.uniform(kx, {500}, -1, 1)^3
local ts = (saros.random.uniform(kt, {500}, 0, 1) * 100):floor() / 100 + 0.01
local us = exact(xs, ts) + 0.01 * saros.random.normal(kn, {500})
local data = { x = xs, t = ts, u = us, sigma = 0.01 }

local by_grid = burgers:fit{ data = data, unknown = { nu = { 0.02, min = 1e-3 } },
                             method = "grid", cells = { x = 1024 }, order = 4,
                             integrator = "crank-nicolson", dt = 0.01 }
local by_net = burgers:fit{ data = data, unknown = { nu = { 0.02, min = 1e-3 } },
                            method = "network", network = { layers = 4, width = 24 }, points = 4000, seed = 1,
                            optimizer = { { "adam", steps = 100 }, { "bfgs", steps = steps } } }

print(string.format("%-28s %12s %12s %9s", "fit of nu (" .. string.format("%.7f", nu) .. ")", "nu", "error", "seconds"))
for _, row in ipairs{ { "grid", by_grid }, { "network", by_net } } do
  local found = row[2].parameters.nu
  print(string.format("%-28s %12.7f %10.2f %% %9.1f", row[1], found, 100*math.abs(found/nu - 1), row[2].info.seconds))
end

-- 4. Results.
grid:save("burgers.h5", { overwrite = true })
grid:plot("burgers.png", { var = "u", t = { 0, 0.25, 0.5, 0.75, 1 }, with = net, overwrite = true,
                           title = "Burgers: grid (lines) and network (points)" })
print("\nburgers.h5 and burgers.png are written")

assert(grid_error < 1e-5, "the grid is off")
assert(net_error < 1e-3, "the network is off")
assert(math.abs(by_grid.parameters.nu/nu - 1) < 0.01, "the grid's fit is off")
assert(math.abs(by_net.parameters.nu/nu - 1) < 0.01, "the network's fit is off")
