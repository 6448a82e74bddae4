-- The heat equation u_t = kappa u_xx in one dimension: solve it, differentiate through the solution, recover kappa.
-- The exact solution u = exp(-kappa pi^2 t) sin(pi x) checks each step; J = int u(x,T)^2 dx has dJ/dkappa = -2 pi^2 T J.
local saros = require "saros"
local pi, T, kappa = math.pi, 0.1, 0.5

local heat = saros.problem{
  name       = "heat",
  domain     = { x = {0, 1}, t = {0, T} },
  unknowns   = { "u" },
  parameters = { kappa = kappa },
  equation   = function(s, p) return s.u.t - p.kappa*s.u.xx end,
  initial    = function(s) return saros.sin(pi*s.x) end,
  boundary   = { x = saros.dirichlet(0) },
}
local function exact(s) return saros.exp(-kappa*pi^2*s.t) * saros.sin(pi*s.x) end

-- Observed order in space: halving the cells divides the error by 16.
local errors = {}
for k, cells in ipairs{ 16, 32 } do
  errors[k] = heat:solve{ cells = cells, order = 4, rtol = 1e-11, atol = 1e-13 }:error(exact, { t = T })
end
local order = math.log(errors[1]/errors[2], 2)
print(string.format("error %.1e with 32 cells, order %.2f", errors[2], order))
assert(order > 3.8)

-- The gradient of the numbers computed, step by step.
local J, dJ = heat:gradient{
  objective = function(sol) return sol:integral(function(s) return s.u^2 end, { t = T }) end,
  wrt = { "kappa" }, cells = 64, order = 4, integrator = "rk4", dt = 1e-4,
}
print(string.format("J = %.8f, dJ/dkappa = %.8f, exactly %.8f", J, dJ.kappa, -2*pi^2*T*J))
assert(math.abs(dJ.kappa / (-2*pi^2*T*J) - 1) < 1e-6)

-- kappa from ten noisy thermometers, with its standard error.
local key = saros.random.key(1)
local x = saros.linspace(0.05, 0.95, 10)
local u = saros.exp(-kappa*pi^2*T) * saros.sin(pi*x) + 1e-3*saros.random.normal(key, {10})
local fit = heat:fit{
  data = { x = x, t = T*saros.ones{10}, u = u, sigma = 1e-3 }, unknown = { kappa = { 1, min = 0.01 } },
  cells = 32, order = 4, integrator = "crank-nicolson", dt = 0.002,
}
print(string.format("kappa = %.4f +- %.4f", fit.parameters.kappa, fit.std.kappa))
assert(math.abs(fit.parameters.kappa - kappa) < 4*fit.std.kappa)
