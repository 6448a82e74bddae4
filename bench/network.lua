-- The network solve of examples/burgers.lua alone: seconds and the error at t = 1 against a fine grid.
--
--     saros run bench/network.lua [--seed 1] [--steps 1500]
local saros = require "saros"
local seed = saros.arg{ name = "seed", default = 1, doc = "of weights and points" }
local steps = saros.arg{ name = "steps", default = 1500, doc = "training steps", min = 100 }

local burgers = saros.problem{
  name       = "burgers",
  domain     = { x = {-1, 1}, t = {0, 1} },
  unknowns   = { "u" },
  parameters = { nu = 0.01 / math.pi },
  equation   = function(s, p) return s.u.t + s.u*s.u.x - p.nu*s.u.xx end,
  initial    = function(s) return -saros.sin(math.pi*s.x) end,
  boundary   = { x = saros.dirichlet(0) },
}
local grid = burgers:solve{ method = "grid", cells = { x = 2048 }, order = 4, integrator = "bdf", rtol = 1e-8, atol = 1e-10 }
local net = burgers:solve{ method = "network", network = { layers = 4, width = 24 }, points = 4000, seed = seed,
                           optimizer = { { "adam", steps = 100 }, { "bfgs", steps = steps } }, cells = 256, times = 101 }
local x = saros.linspace(-1, 1, 1001)
local truth = grid:at{ x = x, t = 1 }
local far = (saros.norm(net:at{ x = x, t = 1 } - truth) / saros.norm(truth)):item()
print(string.format("network solve, backend %s, seed %d: %.1f s, error %.2e", os.getenv("SAROS_BACKEND") or "default", seed,
                    net.info.seconds, far))
